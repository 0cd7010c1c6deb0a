"""Sends spans to an OpenTelemetry collector, over OTLP/HTTP in protobuf. Needs the extra `otel`.

Records are stored before they come here, and never wait: what finds no room in the queue, or what the collector does
not take within the exporter's tries, is dropped and counted. A thread of its own talks to the collector.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Self

from gatekey import __version__
from gatekey.observe.record import INSERTED, Record
from gatekey.observe.spans import Span, spans

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

PATH = "/v1/traces"
"""What an endpoint that is only a base lacks."""
QUEUE = 8192
"""Spans that may wait."""
BATCH = 512
"""Spans in a request."""
EVERY = 1.0
"""s until a batch that is not full is sent."""
TIMEOUT = 10.0
"""s that a request may take, its tries together."""
LAST = 3.0
"""s for what is left when the gateway ends."""

log = logging.getLogger("gatekey")


class Export:
    """A sink of stored records. `sent` and `dropped` count spans. While it is entered, it sends."""

    def __init__(self, endpoint: str, headers: dict[str, str], resource: dict[str, str]) -> None:
        """`endpoint`: the collector's URL, with or without its path. `resource` describes this gateway.

        Raises `ImportError` where the extra is not installed.
        """
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource

        self.sent = self.dropped = 0
        url = endpoint.rstrip("/")
        self._exporter = OTLPSpanExporter(
            endpoint=url if url.endswith(PATH) else url + PATH, headers=headers, timeout=TIMEOUT
        )
        self._resource = Resource.create({"service.name": "gatekey", "service.version": __version__, **resource})
        self._waiting: deque[Span] = deque()
        self._news = threading.Event()
        self._ending = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="gatekey-otlp", daemon=True)

    def __call__(self, records: Sequence[Record]) -> None:
        """Take records, those of requests that went through here. Never waits."""
        for record in records:
            for span in spans(record) if record.kind != INSERTED else ():
                if len(self._waiting) < QUEUE:
                    self._waiting.append(span)
                else:
                    self.dropped += 1
        self._news.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Send what is left, for a moment."""
        self._ending.set()
        self._news.set()
        self._thread.join(LAST)
        self.dropped += len(self._waiting)
        shutdown: Callable[[], None] = self._exporter.shutdown
        shutdown()

    def _run(self) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we say ourselves what fails, once
        while True:
            self._news.wait()
            self._ending.wait(EVERY)  # for more of them
            self._news.clear()
            while self._waiting:
                self._send([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])
            if self._ending.is_set():
                return

    def _send(self, batch: list[Span]) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        began = time.monotonic()
        try:
            taken = self._exporter.export(list(_ready(batch, self._resource))) is SpanExportResult.SUCCESS
        except Exception:
            log.exception("Spans could not be sent.")
            taken = False
        if taken:
            self.sent += len(batch)
        else:
            self.dropped += len(batch)
            if not self._failing:
                log.warning("The collector takes no spans, which are dropped (%.1f s).", time.monotonic() - began)
        self._failing = not taken


def _ready(batch: Iterable[Span], resource: "Resource") -> "Iterable[ReadableSpan]":
    """Spans as the exporter takes them, with ids and times of ours."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    scope = InstrumentationScope("gatekey", __version__)
    sampled = TraceFlags(TraceFlags.SAMPLED)
    for span in batch:
        trace_id = int(span.trace_id, 16)
        yield ReadableSpan(
            name=span.name,
            context=SpanContext(trace_id, int(span.id, 16), is_remote=False, trace_flags=sampled),
            parent=SpanContext(trace_id, int(span.parent_id, 16), is_remote=span.served, trace_flags=sampled)
            if span.parent_id
            else None,
            resource=resource,
            attributes=span.attributes,
            kind=SpanKind.SERVER if span.served else SpanKind.CLIENT,
            status=Status(StatusCode.UNSET) if span.error is None else Status(StatusCode.ERROR, span.error),
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=scope,
        )
