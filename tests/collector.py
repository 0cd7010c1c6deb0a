"""An OpenTelemetry collector for tests: takes OTLP/HTTP in protobuf, and keeps what it was sent.

with Collector() as collector:
    ...
    collector.wait(2)      # spans
    collector.spans[0].name
"""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fake import wait_until


class Collector:
    """`status`: what it answers with. `spans` as they came; `resources` and `headers` of each request."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.spans: list[Span] = []
        self.resources: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    data = gzip.decompress(data)
                if outer.status == 200:
                    outer.take(self.path, {name.lower(): value for name, value in self.headers.items()}, data)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(outer.status)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, headers: dict[str, str], data: bytes) -> None:
        """One request."""
        request = ExportTraceServiceRequest.FromString(data)
        self.paths.append(path)
        self.headers.append(headers)
        for each in request.resource_spans:
            self.resources.append(plain(each.resource.attributes))
            for scope in each.scope_spans:
                self.spans += scope.spans

    def wait(self, count: int) -> list[Span]:
        """All spans, once there are so many."""
        wait_until(lambda: len(self.spans) >= count, 15, f"{count} spans, there are {len(self.spans)}")
        return self.spans

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, str(kind))
