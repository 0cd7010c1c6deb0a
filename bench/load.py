"""Send load to one system and say what it cost: wrk for throughput, a small client for the first byte of a stream.

Every load is bounded: a fixed number of connections for a fixed time, or a fixed number of requests.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.process import Running, pinned

CONNECTIONS = 16
"""Connections that wrk keeps busy."""

LOAD_CORE = 1
"""The core of wrk and of the fake upstreams; what is measured runs on core 0."""

_SCRIPT = """\
wrk.method = "POST"
wrk.body = {body}
{headers}
done = function(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format('\\n{{"requests":%d,"failed":%d,"micros":%d,"p50":%d,"p99":%d}}\\n',
    summary.requests, failed, summary.duration, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of request, as it is sent to one system."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of wrk. Times in microseconds; `cpu` and `upstream` are CPU time per request."""

    cpu: float
    upstream: float
    rate: float
    p50: float
    p99: float
    failed: int


def run(target: Running, upstream: Running, ask: Ask, seconds: int, scratch: Path) -> Sample:
    """Load `target` for some seconds. RuntimeError where not one request was answered."""
    script = scratch / "load.lua"
    headers = "\n".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in ask.headers.items())
    script.write_text(_SCRIPT.format(body=json.dumps(ask.body.decode()), headers=headers))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", "-s", str(script)]
    before, before_upstream = target.cpu(), upstream.cpu()
    done = subprocess.run(
        pinned([*command, f"http://127.0.0.1:{target.port}{ask.path}"], LOAD_CORE),
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=True,
    )
    cpu, cpu_upstream = target.cpu() - before, upstream.cpu() - before_upstream
    found = json.loads(done.stdout.strip().splitlines()[-1])
    requests = found["requests"]
    if not requests:
        raise RuntimeError(f"no answer from port {target.port}:\n{done.stdout}")
    rate = requests / found["micros"] * 1e6
    return Sample(cpu / requests, cpu_upstream / requests, rate, found["p50"], found["p99"], found["failed"])


def first_bytes(target: Running, ask: Ask, count: int) -> list[float]:
    """Microseconds from sending a request to the first byte of its stream, for `count` streams one by one."""
    return asyncio.run(_first_bytes(target.port, ask, count))


async def _first_bytes(port: int, ask: Ask, count: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{name}: {value}" for name, value in {"Host": "localhost", **ask.headers}.items()]
    head = "\r\n".join([f"POST {ask.path} HTTP/1.1", *lines, f"Content-Length: {len(ask.body)}", "", ""])
    try:
        return [await _first_byte(reader, writer, head.encode() + ask.body) for _ in range(count)]
    finally:
        writer.close()


async def _first_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> float:
    began = time.perf_counter()
    writer.write(request)
    async with asyncio.timeout(10):
        await reader.readuntil(b"data: ")
        first = time.perf_counter() - began
        await reader.readuntil(b"0\r\n\r\n")
    return first * 1e6
