"""The record of a call, as it is filled in. It is opened when the caller is known, and always written, once.

It is written before the last bytes of the answer go out: whoever has seen an answer whole can rely on its record.
"""

import time
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING

from msgspec import Raw, Struct
from msgspec.structs import astuple

from gatekey.gateway.call import Call
from gatekey.gateway.mask import spellings
from gatekey.observe.record import NOTHING, Record, Tried, encode
from gatekey.wire import body as json
from gatekey.wire.usage import Usage

if TYPE_CHECKING:
    from gatekey.gateway.meter import Meter

MAX_BODY = 256 * 1024
"""Bytes of a request and of an answer that are kept; of a longer one the beginning is."""
LEFT = 499
"""The status of a call whose caller left before the end."""
SHOWN = frozenset({b"accept", b"content-type", b"user-agent", b"traceparent"})
SHOWN_OF_OURS = (b"x-portkey-", b"x-stainless-")
HIDDEN = frozenset({b"x-portkey-api-key", b"x-portkey-config", b"x-portkey-custom-host"})
"""Headers are named one and all; the values that are shown are those of `SHOWN`, and ours but for `HIDDEN`."""

now = time.perf_counter


class Journal(Struct, frozen=True):
    """Where records go. `write` takes one, encoded; `count` takes it as it is, and its bodies away; `bodies`: whether
    what was said is kept, too."""

    write: Callable[[bytes], object]
    count: Callable[[Record], object]
    bodies: bool = True


class Entry:
    """One call's record. `began` by the clock `now`, in s."""

    def __init__(self, call: Call, journal: Journal, began: float) -> None:
        self._call = call
        self._journal = journal
        self._began = began
        self._in = self._first = 0.0
        self._written = False
        self.keeps = journal.bodies and call.head.options.debug
        """Whether bodies and headers are kept."""
        self.meters: list[Meter] = []
        """Of the attempts so far."""
        self.status = 0
        """As it was sent to the caller."""
        self.error = ""
        """What the gateway refused the call with."""
        self.left = False
        """Whether the caller left."""
        self.cache = ""
        self.config = ""
        self.stream = False
        self.headers: list[tuple[bytes, bytes]] = []
        """Those of the answer."""
        self.answered = 0
        """Bytes of the answer so far."""
        self.kept: list[bytes] = []
        """The beginning of the answer, up to `MAX_BODY`."""

    def taken_in(self) -> None:
        """The request is here, whole."""
        self._in = now()

    def saw(self, data: bytes) -> None:
        """Some of the answer is about to be sent."""
        if not self._first:
            self._first = now()
        if self.answered < MAX_BODY:
            self.kept.append(data)
        self.answered += len(data)

    def write(self) -> None:
        """The call is over. A second time does nothing."""
        if self._written:
            return
        self._written = True
        end = now()
        if self.meters:
            self.meters[-1].close()
        record = self._record(end)
        line = encode(record)
        for secret in self._secrets():
            for spelled in spellings(secret):
                if spelled in line:
                    line = line.replace(spelled, b"[secret]")
        self._journal.write(line)
        self._journal.count(record)

    def _record(self, end: float) -> Record:
        call, options = self._call, self._call.head.options
        principal, tried = call.principal, [meter.tried for meter in self.meters]
        last = tried[-1] if tried else NOBODY
        upstream = sum(meter.upstream for meter in self.meters)
        waited = sum(after.began - before.ended for before, after in zip(self.meters, self.meters[1:], strict=False))
        total, queued = end - self._began, (self._in or end) - self._began
        record = Record(
            id=f"{call.seed:032x}",
            created_at=int((time.time() - total) * 1000),
            kind=call.kind,
            method=call.method,
            path=call.pathname,
            workspace=principal.home,
            api_key=principal.id,
            user=options.metadata.get("_user", ""),
            trace_id=call.trace_id,
            span_id=options.span_id,
            span_name=options.span_name,
            parent_span_id=options.parent_span_id,
            seed=f"{call.seed:032x}",
            metadata=options.metadata,
            config=self.config,
            status=LEFT if self.left else self.status,
            error=self.error or ("The caller left." if self.left else last.error),
            provider=last.provider,
            model=last.model or (_text(call, "model") if not tried else ""),
            virtual_key=last.virtual_key,
            option=last.path,
            retries=last.retries,
            cache_status=self.cache,
            stream=self.stream,
            sdk=call.head.get("x-portkey-package-version") or call.head.get("user-agent")[:128],
            usage=reduce(_together, (each.usage for each in tried if each.usage is not None), None),
            cost=None if any(each.cost is None for each in tried) else sum(each.cost or 0 for each in tried),
            priced=all(each.priced for each in tried),
            queue_us=_us(queued),
            first_us=_us(self._first - self._began) if self._first else 0,
            total_us=_us(total),
            upstream_us=_us(upstream),
            overhead_us=_us(total - queued - upstream - waited),
            attempts=tried,
        )
        if self.keeps:
            self._say(record)
        return record

    def _say(self, record: Record) -> None:
        """What was asked and answered."""
        call, hidden = self._call, self._call.head.options.sensitive_headers
        record.request_headers = {
            str(name, "latin-1"): str(value, "latin-1")
            if _shown(name) and str(name, "latin-1") not in hidden
            else "***"
            for name, value in call.head.raw.items()
        }
        record.response_headers = {str(name, "latin-1"): str(value, "latin-1") for name, value in self.headers}
        asked = call.text or (call.spool.beginning(MAX_BODY) if call.spool is not None else b"")
        record.request, cut = _kept(asked, bool(call.body) and bool(call.text) and len(asked) <= MAX_BODY)
        whole = not self.stream and call.kind != "proxy" and self.answered <= MAX_BODY
        record.response, cut_too = _kept(b"".join(self.kept), whole)
        record.cut = cut or cut_too or self.answered > MAX_BODY or bool(call.spool and call.spool.length > MAX_BODY)

    def _secrets(self) -> set[str]:
        """What must not be kept, wherever it is repeated."""
        found = {self._call.gateway_key, self._call.credential.reveal() if self._call.credential else ""}
        for meter in self.meters:
            found.update(secret.reveal() for secret in meter.secrets)
        return found


NOBODY = Tried(path="", provider="", status=0, by="gateway")


def _shown(name: bytes) -> bool:
    return name in SHOWN or (name.startswith(SHOWN_OF_OURS) and name not in HIDDEN)


def _kept(data: bytes, is_json: bool) -> tuple[Raw, bool]:
    """A body as a JSON value: as it is where it is known to be one, else as a string. And whether it was cut."""
    if not data:
        return NOTHING, False
    if is_json:
        return Raw(data), False
    return json.raw(data[:MAX_BODY].decode("utf-8", "replace")), len(data) > MAX_BODY


def _text(call: Call, name: str) -> str:
    value = json.value(call.body, name) if name in call.body else None
    return value[:256] if isinstance(value, str) else ""


def _us(seconds: float) -> int:
    return max(int(seconds * 1_000_000), 0)


def _together(one: Usage | None, other: Usage) -> Usage:
    """What two attempts consumed."""
    if one is None:
        return other
    pairs = zip(astuple(one), astuple(other), strict=True)
    return Usage(*(a or b if a is None or b is None or isinstance(a, bool) else a + b for a, b in pairs))
