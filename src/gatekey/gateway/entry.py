"""The record of a call, as it is filled in. It is opened when the caller is known, and always written, once.

It is written before the last bytes of the answer go out: whoever has seen an answer whole can rely on its record.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache, reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw
from msgspec.structs import astuple

from gatekey.gateway import censor
from gatekey.gateway.call import Call
from gatekey.gateway.censor import MASK
from gatekey.gateway.headers import TABLE, decoded
from gatekey.gateway.mask import spellings
from gatekey.observe.record import NOTHING, Record, Tried, encode
from gatekey.observe.spool import Spool
from gatekey.wire import body as json
from gatekey.wire.usage import Usage

if TYPE_CHECKING:
    from gatekey.gateway.meter import Meter

MAX_BODY = 256 * 1024
"""Bytes of a request and of an answer that are kept; of a longer one the beginning is."""
LEFT = 499
"""The status of a call whose caller left before the end."""
REST = 10.0
"""s without a record after which a worker's file is ended, so that it does not stay for its few records."""
BINARY = 8192
"""Bytes of a body in which a NUL says that it is no text."""
HIDDEN = frozenset({"x-portkey-api-key", "x-portkey-config", "x-portkey-custom-host"})
SHOWN = frozenset(TABLE) - HIDDEN | {
    "accept", "connection", "content-length", "content-type", "host", "user-agent", "traceparent",
    "x-portkey-package-version", "x-portkey-runtime", "x-portkey-runtime-version", "x-portkey-lang",
}  # fmt: skip
METADATA = "x-portkey-metadata"
CALLED = ("x-portkey-package-version", "user-agent")
CLIENTS = "x-stainless-"
"""Headers of requests are named one and all; shown are the values of those that are known to hold no credential:
`SHOWN`, and what SDKs tell of themselves."""

now = time.perf_counter


class Journal:
    """Where the records of a worker go: into the `spool`, encoded; and to `count`, which takes their bodies away.

    `bodies`: whether what was said is kept, too. `beside`: makes what runs as long as the journal is open, such as a
    writer where nobody else starts one.
    """

    def __init__(
        self,
        spool: Spool,
        count: Callable[[Record], object],
        *,
        bodies: bool = True,
        beside: Callable[[], AbstractContextManager[object]] | None = None,
    ) -> None:
        self.write = spool.write
        self.count = count
        self.bodies = bodies
        self._spool = spool
        self._beside = beside
        self._open = ExitStack()
        self._resting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """End files that rest, from now on."""
        if self._beside is not None:
            self._open.enter_context(self._beside())
        self._resting = asyncio.create_task(self._rest())

    async def close(self) -> None:
        """No record follows: the last file can be read to its end, and deleted."""
        if self._resting is not None:
            self._resting.cancel()
        self._spool.close()
        await asyncio.to_thread(self._open.close)

    async def _rest(self) -> None:
        while True:
            await asyncio.sleep(REST)
            self._spool.rest()


class Entry:
    """One call's record. `began` by the clock `now`, in s."""

    def __init__(self, call: Call, journal: Journal, began: float) -> None:
        self._call = call
        self._journal = journal
        self._began = began
        self._in = self._first = 0.0
        self._written = False
        self.keeps_failures = journal.bodies and call.keeps_bodies
        """Whether anything of what was said may be kept; of an answer that failed it is, whatever `debug` says."""
        self.keeps = self.keeps_failures and call.head.options.debug
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
        self.meters.clear()  # they know this entry: a circle would be left to the garbage collector

    def _record(self, end: float) -> Record:
        call, options = self._call, self._call.head.options
        principal, tried = call.principal, [meter.tried for meter in self.meters]
        for meter in self.meters:
            meter.tried.began_us = _us(meter.began - self._began)
        if not self.keeps_failures:
            for each in tried:
                # What a provider says of a failure may repeat what was asked.
                each.error = f"It failed with {each.status}." if each.error and each.url else each.error
        last = tried[-1] if tried else NOBODY
        usage, cost, priced, upstream, waited = _together(self.meters)
        total, queued = end - self._began, (self._in or end) - self._began
        seed = f"{call.seed:032x}"
        record = Record(
            id=seed,
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
            seed=seed,
            metadata=_metadata(options.metadata),
            config=self.config,
            status=LEFT if self.left else self.status,
            error=self.error or ("The caller left." if self.left else last.error),
            provider=last.provider,
            model=last.model or (_asked_for(call, "model") if not tried else ""),
            virtual_key=last.virtual_key,
            option=last.path,
            retries=last.retries,
            cache_status=self.cache,
            stream=self.stream,
            sdk=_client(call),
            usage=usage,
            cost=cost,
            priced=priced,
            queue_us=_us(queued),
            first_us=_us(self._first - self._began) if self._first else 0,
            total_us=_us(total),
            upstream_us=_us(upstream),
            overhead_us=_us(total - queued - upstream - waited),
            attempts=tried,
        )
        if self.keeps:
            self._asked(record)
        if self.keeps or (self.keeps_failures and not record.ok):
            self._answered(record)
        return record

    def _asked(self, record: Record) -> None:
        """Keep what was asked."""
        call, sensitive = self._call, self._call.head.options.sensitive_headers
        told = record.request_headers
        for raw, value in call.head.raw.items():
            name, shown = _header(raw)
            told[name] = decoded(value) if shown and name not in sensitive else MASK
        if METADATA in told and record.metadata is not call.head.options.metadata:  # a name is a credential's
            told[METADATA] = censor.fragment(told[METADATA].encode()).decode()
        if call.spool is not None:
            data, length = call.spool.beginning(MAX_BODY), call.spool.length
            record.request = _text(data, length, censor.text)
        else:
            data, length = call.text[:MAX_BODY], len(call.text)
            if call.body and length <= MAX_BODY and _is_text(data):
                record.request = Raw(censor.body(data, call.body))
            else:
                record.request = _text(data, length, censor.fragment if call.body else censor.malformed)
        record.cut |= length > MAX_BODY

    def _answered(self, record: Record) -> None:
        """Keep what was answered."""
        told = record.response_headers
        for raw, value in self.headers:
            name, hidden = _answering(raw)
            told[name] = MASK if hidden else str(value, "latin-1")
        data = b"".join(self.kept)
        if self._call.kind == "proxy":
            record.response = _text(data[:MAX_BODY], self.answered, censor.text)
        elif not self.stream and self.answered <= MAX_BODY and _is_json(data):
            record.response = Raw(data)
        else:
            record.response = _text(data[:MAX_BODY], self.answered, bytes)
        record.cut |= self.answered > MAX_BODY

    def _secrets(self) -> set[str]:
        """What must not be kept, wherever it is repeated."""
        found = {self._call.gateway_key, self._call.credential.reveal() if self._call.credential else ""}
        for meter in self.meters:
            found.update(secret.reveal() for secret in meter.secrets)
        return found


NOBODY = Tried(path="", provider="", status=0, by="gateway")


def shown(name: str) -> bool:
    """Whether a log has the value of a request's header."""
    return name in SHOWN or name.startswith(CLIENTS)


@lru_cache(1024)
def _header(raw: bytes) -> tuple[str, bool]:
    """A header's name, and whether its value is shown."""
    name = str(raw, "latin-1")
    return name, shown(name)


@lru_cache(1024)
def _answering(raw: bytes) -> tuple[str, bool]:
    """An answer's header's name, and whether its value is a credential."""
    name = str(raw, "latin-1")
    return name, censor.is_credential(name)


def _metadata(given: dict[str, str]) -> dict[str, str]:
    if any(map(censor.is_credential, given)):
        return {name: MASK if censor.is_credential(name) else value for name, value in given.items()}
    return given


def _is_text(data: bytes) -> bool:
    """Whether it is UTF-8, which the parser of a body does not look for inside of its values."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return _is_text(data)


def _text(data: bytes, length: int, censoring: Callable[[bytes], bytes]) -> Raw:
    """The beginning of a body as a JSON string; of one that is no text, how many bytes it has."""
    if not data:
        return NOTHING
    if b"\0" in data[:BINARY]:
        return json.raw(f"({length} bytes that are no text)")
    return json.raw(censoring(data).decode("utf-8", "replace"))


def _client(call: Call) -> str:
    """What the caller's client calls itself, unless that is not to be kept."""
    sensitive = call.head.options.sensitive_headers
    for name in CALLED:
        if name not in sensitive and (value := call.head.get(name)):
            return value[:128]
    return ""


def _asked_for(call: Call, name: str) -> str:
    value = json.value(call.body, name) if name in call.body else None
    return value[:256] if isinstance(value, str) else ""


def _us(seconds: float) -> int:
    return max(int(seconds * 1_000_000), 0)


def _together(meters: "list[Meter]") -> tuple[Usage | None, int | None, bool, float, float]:
    """Of all attempts: usage, cost, whether they are priced, s in which a provider had the word, s between them."""
    if len(meters) == 1:  # nearly always
        only = meters[0]
        return only.tried.usage, only.tried.cost, only.tried.priced, only.upstream, 0.0
    tried = [meter.tried for meter in meters]
    return (
        reduce(_both, (each.usage for each in tried if each.usage is not None), None),
        None if any(each.cost is None for each in tried) else sum(each.cost or 0 for each in tried),
        all(each.priced for each in tried),
        sum(meter.upstream for meter in meters),
        sum(after.began - before.ended for before, after in pairwise(meters)),
    )


def _both(one: Usage | None, other: Usage) -> Usage:
    """What two attempts consumed."""
    if one is None:
        return other
    pairs = zip(astuple(one), astuple(other), strict=True)
    return Usage(*(a or b if a is None or b is None or isinstance(a, bool) else a + b for a, b in pairs))
