"""Send load to one system and say what it cost: wrk for the cost, a small client for the first token of a stream.

Every load is bounded: a fixed number of connections for a fixed time, or a fixed number of requests.
"""

import asyncio
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import bodies
from bench.process import LOAD_CORE, Running, pinned

CONNECTIONS = 16
"""Connections that wrk keeps busy."""

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
    """One run of wrk. Times in microseconds; `cpu` and `upstream` are CPU time per request; `rate` is per second."""

    cpu: float
    upstream: float
    rate: float
    p50: float
    p99: float
    failed: float


def probe(target: Running, ask: Ask) -> str:
    """What is wrong with the answer to one request: empty where it is a whole 200."""
    url = f"http://127.0.0.1:{target.port}{ask.path}"
    request = urllib.request.Request(url, ask.body, dict(ask.headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(200).decode(errors='replace')}"
    streamed = ask.body == bodies.STREAMED_CHAT
    whole = bodies.LAST_WORD in body and b"[DONE]" in body if streamed else bodies.SENTENCE.encode() in body
    return "" if whole else f"not the upstream's answer: {body[:200]!r}"


def in_turns(
    asks: Mapping[str, tuple[Running, Ask]], upstream: Running, rounds: int, seconds: int, scratch: Path
) -> dict[str, list[Sample]]:
    """Take these in turns, after a warm-up. RuntimeError where one is not answered as it should be."""
    for name, (target, ask) in asks.items():
        wrong = probe(target, ask)
        if wrong:
            raise RuntimeError(f"{name}: {wrong}")
        run(target, upstream, ask, 1, scratch)
    found: dict[str, list[Sample]] = {name: [] for name in asks}
    for _ in range(rounds):
        for name, (target, ask) in asks.items():
            found[name].append(run(target, upstream, ask, seconds, scratch))
    return found


def run(target: Running, upstream: Running, ask: Ask, seconds: int, scratch: Path) -> Sample:
    """Load `target` for some seconds. RuntimeError where not one request was answered."""
    script = scratch / "load.lua"
    headers = "\n".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in ask.headers.items())
    script.write_text(_SCRIPT.format(body=json.dumps(ask.body.decode()), headers=headers))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", "-s", str(script)]
    command = pinned([*command, f"http://127.0.0.1:{target.port}{ask.path}"], LOAD_CORE)
    before, before_upstream = target.cpu(), upstream.cpu()
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True)
    cpu, cpu_upstream = target.cpu() - before, upstream.cpu() - before_upstream
    found = json.loads(done.stdout.strip().splitlines()[-1])
    requests = found["requests"]
    if not requests:
        raise RuntimeError(f"no answer from port {target.port}:\n{done.stdout}")
    rate = requests / found["micros"] * 1e6
    return Sample(cpu / requests, cpu_upstream / requests, rate, found["p50"], found["p99"], found["failed"])


def first_tokens(target: Running, ask: Ask, count: int) -> list[float]:
    """Microseconds from sending a request to the first word of its stream, for `count` streams one by one."""
    return asyncio.run(_first_tokens(target.port, ask, count))


async def _first_tokens(port: int, ask: Ask, count: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{name}: {value}" for name, value in {"Host": "localhost", **ask.headers}.items()]
    head = "\r\n".join([f"POST {ask.path} HTTP/1.1", *lines, f"Content-Length: {len(ask.body)}", "", ""])
    try:
        return [await _first_token(reader, writer, head.encode() + ask.body) for _ in range(count)]
    finally:
        writer.close()


async def _first_token(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> float:
    began = time.perf_counter()
    writer.write(request)
    async with asyncio.timeout(10):
        await reader.readuntil(bodies.FIRST_WORD)
        first = time.perf_counter() - began
        await reader.readuntil(b"\r\n0\r\n\r\n")
    return first * 1e6
