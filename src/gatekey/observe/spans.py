"""A record as spans: one for the request, and one below it for each attempt, as GenAI's semantic conventions name them.

Usage is told by the attempts alone, so that whoever adds it up counts it once. What was said is never in a span.
Source: OpenTelemetry's semantic conventions for generative AI, portkey-api.md 7.8.
"""

import hashlib
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from gatekey.observe.record import Record, Tried

OPERATIONS = {"chat": "chat", "completions": "text_completion", "embeddings": "embeddings"}
MAX_TEXT = 256
"""Characters of an attribute that somebody else has written."""
MAX_METADATA = 64
"""Keys of metadata that become attributes."""
MAX_CHOICES = 16
"""Finish reasons that are told."""
LARGEST = 2**63
"""Whole numbers have 8 bytes on their way."""

Value = str | bool | int | float | list[str]

PARAMS: dict[str, tuple[str, type[int] | type[float]]] = {
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "max_completion_tokens": ("gen_ai.request.max_tokens", int),
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "top_k": ("gen_ai.request.top_k", float),
    "n": ("gen_ai.request.choice.count", int),
    "seed": ("gen_ai.request.seed", int),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "dimensions": ("gen_ai.embeddings.dimension.count", int),
}
"""Field of a request -> the attribute, and the type that it has."""

_hex16, _hex32 = re.compile("(?!0{16})[0-9a-f]{16}"), re.compile("(?!0{32})[0-9a-f]{32}")
_model = re.compile(r'"model":\s*"([^"\\]{1,256})"')
_finish = re.compile(r'"finish_reason":\s*"(\w{1,64})"')


class Span(Struct):
    """One span. Ids in hex; times in ns since the epoch; `parent_id` empty: a root. `error`: None where it is none."""

    trace_id: str
    id: str
    parent_id: str
    name: str
    served: bool
    """Whether it was answered, not asked."""
    start: int
    end: int
    attributes: dict[str, Value]
    error: str | None


def spans(record: Record) -> Iterator[Span]:
    """The request's span, and those of its attempts."""
    trace_id, own = trace(record.trace_id), span(record.span_id or record.id[16:])
    start = record.created_at * 1_000_000
    operation = OPERATIONS.get(record.kind)
    yield Span(
        trace_id=trace_id,
        id=own,
        parent_id=span(record.parent_span_id) if record.parent_span_id else "",
        name=record.span_name[:MAX_TEXT] or f"{record.method} {record.path[:MAX_TEXT]}",
        served=True,
        start=start,
        end=start + record.total_us * 1000,
        attributes=_of_request(record),
        # A caller's own fault is no error of whoever served it.
        error=record.error[:MAX_TEXT] if record.status >= 500 or (record.error and record.status < 400) else None,
    )
    said = _asked(record) | ({} if operation is None else {"gen_ai.operation.name": operation})
    for number, tried in enumerate(record.attempts):
        began = start + tried.began_us * 1000
        last = number == len(record.attempts) - 1
        yield Span(
            trace_id=trace_id,
            id=span(f"{record.id}/{number}"),
            parent_id=own,
            name=f"{operation or record.kind} {tried.model[:MAX_TEXT]}".rstrip(),
            served=False,
            start=began,
            end=began + tried.total_us * 1000,
            attributes={**said, **_of_attempt(tried), **(_answered(record) if last else {})},
            error=tried.error[:MAX_TEXT] if tried.status >= 400 or tried.error else None,
        )


def trace(text: str) -> str:
    """A trace's id of 16 bytes: as it is where it is one (a UUID too), else always the same for the same text."""
    plain = text.replace("-", "").lower()
    return plain if _hex32.fullmatch(plain) else _digest(text)[:32]


def span(text: str) -> str:
    """A span's id of 8 bytes, in the same way."""
    return text if _hex16.fullmatch(text) else _digest(text)[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _of_request(record: Record) -> dict[str, Value]:
    metadata = {
        f"gatekey.metadata.{key[:MAX_TEXT]}": value for key, value in islice(record.metadata.items(), MAX_METADATA)
    }
    cost: dict[str, Value] = {} if record.cost is None else {"gatekey.cost_nanodollars": record.cost}
    return _there({
        "http.request.method": record.method,
        "url.path": record.path,
        "http.response.status_code": record.status,
        "user_agent.original": record.sdk,
        "user.id": record.user,
        "gatekey.workspace": record.workspace,
        "gatekey.api_key": record.api_key,
        "gatekey.config": record.config,
        "gatekey.cache_status": record.cache_status,
        "gatekey.overhead_us": record.overhead_us,
        "gatekey.priced": record.priced,
        "error.type": "" if record.ok else str(record.status),
        **cost,
        **metadata,
    })  # fmt: skip


def _of_attempt(tried: Tried) -> dict[str, Value]:
    found: dict[str, Value] = {
        "gen_ai.provider.name": tried.provider,
        "gen_ai.request.model": tried.model,
        "http.response.status_code": tried.status,
        "error.type": tried.refused or (str(tried.status) if tried.status >= 400 or tried.error else ""),
        "gatekey.target": tried.path,
        "gatekey.virtual_key": tried.virtual_key,
        "gatekey.retries": tried.retries,
        "gatekey.answered_by": tried.by,
    }
    found |= _server(tried.url)
    if tried.first_us:
        found["gen_ai.response.time_to_first_chunk"] = tried.first_us / 1_000_000
    usage = tried.usage
    if usage is not None:
        found["gen_ai.usage.input_tokens"] = usage.prompt
        found["gen_ai.usage.output_tokens"] = usage.completion
        for name, much in (
            ("gen_ai.usage.cache_read.input_tokens", usage.cache_read + usage.cache_read_audio),
            ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write + usage.cache_write_1h),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
        ):
            if much:
                found[name] = much
    if tried.cost is not None:
        found["gatekey.cost_nanodollars"] = tried.cost
    return _there(found)


def _server(url: str) -> dict[str, Value]:
    """The host that was asked."""
    try:
        where = urlsplit(url)
        port = where.port or (443 if where.scheme == "https" else 80)
    except ValueError:  # no host was asked: the address is none
        return {}
    return {"server.address": where.hostname, "server.port": port} if where.hostname else {}


def _there(attributes: dict[str, Value]) -> dict[str, Value]:
    """Without those that are empty; texts are of a bounded length."""
    found = ((name, value[:MAX_TEXT] if isinstance(value, str) else value) for name, value in attributes.items())
    return {name: value for name, value in found if value != ""}


def _asked(record: Record) -> dict[str, Value]:
    """What the request asked for, where its body was kept: numbers, nothing that was said."""
    found: dict[str, Value] = {"gen_ai.request.stream": True} if record.stream else {}
    if not record.cut and bytes(record.request).startswith(b"{"):
        fields: dict[str, Raw] = msgspec.json.decode(record.request, type=dict[str, Raw])
        for name in PARAMS.keys() & fields.keys():
            attribute, kind = PARAMS[name]
            try:
                value: int | float = msgspec.json.decode(fields[name], type=kind)
            except msgspec.DecodeError:
                continue  # null, or what no number is
            if kind is float or abs(value) < LARGEST:
                found[attribute] = value
    return found


class _Answer(Struct):
    id: Any = None
    model: Any = None
    choices: Any = None


def _answered(record: Record) -> dict[str, Value]:
    """What the answer says of itself, where it was kept."""
    raw = bytes(record.response)
    if raw.startswith(b"{"):
        answer = msgspec.json.decode(raw, type=_Answer)
        choices = answer.choices if isinstance(answer.choices, list) else []
        reasons = [choice.get("finish_reason") for choice in choices[:MAX_CHOICES] if isinstance(choice, dict)]
        told = {"gen_ai.response.id": answer.id, "gen_ai.response.model": answer.model}
    elif record.stream and raw.startswith(b'"'):
        text: str = msgspec.json.decode(raw)
        model = _model.search(text)
        reasons = [match[1] for match in islice(_finish.finditer(text), MAX_CHOICES)]
        told = {"gen_ai.response.model": model[1] if model else None}
    else:
        return {}
    found: dict[str, Value] = {name: text[:MAX_TEXT] for name, text in told.items() if isinstance(text, str) and text}
    if named := [reason for reason in reasons if isinstance(reason, str)]:
        found["gen_ai.response.finish_reasons"] = named
    return found
