"""Errors on the wire: reading what a provider says, writing what callers can read.

One body serves every client (the OpenAI shape and `status`/`message` at the top), whoever is at fault.
"""

import re
from typing import Any

import msgspec

from gatekey.errors import GatekeyError

MAX_TEXT = 4000
"""Characters of a provider's message that are passed on."""

_title = re.compile(r"<title>([^<]+)</title>", re.IGNORECASE)
"""What the HTML page of a proxy in front of a provider has to say."""


class Fault(msgspec.Struct, frozen=True):
    """What an error says. `status` is 0 where the body names none."""

    message: str
    type: str | None = None
    param: str | None = None
    code: str | int | None = None
    status: int = 0


def read(body: Any) -> Fault:
    """Whatever shape an error body has (`{"error": {...}}`, `{"error": "text"}`, `{"message"}`, `{"detail"}`, text)."""
    if isinstance(body, list) and body:
        return read(body[0])
    if not isinstance(body, dict):
        return Fault(_text(body) or "no explanation")
    inner = body.get("error")
    if isinstance(inner, dict):
        return read_fields(inner)
    if isinstance(inner, str) and inner:
        return Fault(inner[:MAX_TEXT], _word(body.get("type")), _word(body.get("param")), _code(body.get("code")))
    return read_fields(body)


def read_fields(fields: dict[str, Any]) -> Fault:
    """`message`, `type`, `param`, `code` (`status` as the type where the provider names it so)."""
    code = _code(fields.get("code"))
    status = code if isinstance(code, int) and 400 <= code <= 599 else 0
    told = fields.get("message") or fields.get("detail") or fields
    if isinstance(told, dict):
        told = told.get("detail") or told
    return Fault(
        message=_text(told),
        type=_word(fields.get("type")) or _word(fields.get("status")),
        param=_word(fields.get("param")) or _place(told),
        code=code,
        status=status,
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        page = _title.search(value[:MAX_TEXT]) if value.lstrip().startswith("<") else None
        return (page[1].strip() if page else value)[:MAX_TEXT]
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "msg" in item for item in value):
        return "; ".join(f"{_place([item]) or 'body'}: {item['msg']}" for item in value)[:MAX_TEXT]
    return msgspec.json.encode(value).decode()[:MAX_TEXT]


def _place(value: Any) -> str | None:
    """The field that a list of validation errors (`[{"loc": ["body", "tools", 0], "msg"}]`) names first."""
    match value:
        case [{"loc": [_, *path]}, *_] if path:
            return ".".join(map(str, path))
    return None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _code(value: Any) -> str | int | None:
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def body(fault: Fault, **more: Any) -> bytes:
    """The one error body. `more`: further top-level fields, such as the provider's slug."""
    error = {"message": fault.message, "type": fault.type, "param": fault.param, "code": fault.code}
    return msgspec.json.encode({"error": error, "status": "failure", "message": fault.message, **more})


def of(error: GatekeyError) -> Fault:
    """An error of the gateway's own."""
    return Fault(error.message, error.type, error.param, error.code)


def of_provider(slug: str, fault: Fault) -> Fault:
    """A provider's error, saying whose it is."""
    return msgspec.structs.replace(fault, message=f"{slug} error: {fault.message}")
