"""What a call costs in the Python client, beside bare HTTP clients that send and read the same JSON; and its import.

Each client calls a plain upstream from a process of its own, one call after the other: `python -m bench.sdk PORT NAME
CALLS` is that process. Clients that are not installed are left out.
"""

import asyncio
import http.client
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bench import bodies
from bench.process import MEASURED_CORE, Ground, pinned
from bench.systems import Upstreams

MOST_BESIDE_BARE = 2.0
MOST_IMPORT = 0.1
"""s of CPU above those of Python alone."""

ROUNDS, CALLS = 3, 500
"""Rounds, and calls of each client in one."""
_BARE = "http.client"
_WARM = 100
_IMPORTS = 5
"""Imports of each package, of which the median counts."""
_PATH = "/v1/chat/completions"
_ASKED: dict[str, Any] = json.loads(bodies.CHAT)
_HEADERS = {"content-type": "application/json", "x-portkey-api-key": "k", "x-portkey-provider": "openai"}
_OPTIONS: dict[str, Any] = {"api_key": "k", "provider": "openai"}


@dataclass(slots=True)
class Found:
    """us of CPU for each call, by client and round; s of CPU of an import, by package."""

    calls: dict[str, list[float]] = field(default_factory=dict)
    imports: dict[str, float] = field(default_factory=dict)

    def costs(self) -> list[list[str]]:
        """A row for each client."""
        rows = [["client", "CPU us a call", f"x {_BARE}", "import, ms of CPU"]]
        for name, samples in self.calls.items():
            cpu, bare = statistics.median(samples), statistics.median(self.calls[_BARE])
            package = name.split()[0]
            imported = f"{self.imports[package] * 1e3:.0f}" if package in self.imports else ""
            rows.append([name, f"{cpu:.0f}", f"{cpu / bare:.2f}", imported])
        return rows

    def targets(self) -> list[tuple[str, float, float]]:
        """What was aimed at: a name, the ratio found, the ratio at most."""
        if not self.calls:
            return []
        ours, bare = statistics.median(self.calls["portkey_ai"]), statistics.median(self.calls[_BARE])
        imported = self.imports["portkey_ai"] / MOST_IMPORT
        return [
            (f"the Python client: CPU beside {_BARE}", ours / bare, MOST_BESIDE_BARE),
            (f"the Python client: import beside {MOST_IMPORT * 1e3:.0f} ms", imported, 1.0),
        ]


def measure(ground: Ground, upstreams: Upstreams, say: Callable[[str], None]) -> Found:
    """Take the clients in turns, then import their packages."""
    found = Found()
    there = [name for name in {**_SYNC, **_ASYNC} if importlib.util.find_spec(name.split()[0])]
    for turn in range(ROUNDS):
        say(f"Python client, round {turn + 1} of {ROUNDS}")
        for name in there:
            command = [sys.executable, "-m", "bench.sdk", str(upstreams.plain.port), name, str(CALLS)]
            done = subprocess.run(
                pinned(command, MEASURED_CORE), check=True, capture_output=True, text=True, timeout=300
            )
            found.calls.setdefault(name, []).append(float(done.stdout))
    alone = _import("sys")
    for package in dict.fromkeys(name.split()[0] for name in there):
        found.imports[package] = max(0.0, _import(package) - alone)
    return found


def _import(package: str) -> float:
    """s of CPU of a process that imports it."""
    times = []
    for _ in range(_IMPORTS):
        child = subprocess.Popen(pinned([sys.executable, "-I", "-c", f"import {package}"], MEASURED_CORE))
        _, _, used = os.wait4(child.pid, 0)
        child.returncode = 0
        times.append(used.ru_utime + used.ru_stime)
    return statistics.median(times)


def _bare(port: int) -> Callable[[], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def call() -> str:
        connection.request("POST", _PATH, json.dumps(_ASKED).encode(), _HEADERS)
        return str(json.loads(connection.getresponse().read())["choices"][0]["message"]["content"])

    return call


def _httpx(port: int) -> Callable[[], str]:
    import httpx2

    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=_HEADERS)
    return lambda: str(client.post(_PATH, json=_ASKED).json()["choices"][0]["message"]["content"])


def _ours(port: int) -> Callable[[], str | None]:
    from portkey_ai import Portkey

    client = Portkey(base_url=f"http://127.0.0.1:{port}/v1", **_OPTIONS)
    return lambda: client.chat.completions.create(**_ASKED).choices[0].message.content


def _optioned(port: int) -> Callable[[], str | None]:
    from portkey_ai import Portkey

    client = Portkey(base_url=f"http://127.0.0.1:{port}/v1", **_OPTIONS)
    return lambda: client.with_options(config="pc-1").chat.completions.create(**_ASKED).choices[0].message.content


def _openai(port: int) -> Callable[[], str | None]:
    import openai

    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="k")
    return lambda: client.chat.completions.create(**_ASKED).choices[0].message.content


def _evented(port: int) -> Callable[[], Awaitable[Any]]:
    from portkey_ai import AsyncPortkey

    client = AsyncPortkey(base_url=f"http://127.0.0.1:{port}/v1", **_OPTIONS)
    return lambda: client.chat.completions.create(**_ASKED)


def _evented_httpx(port: int) -> Callable[[], Awaitable[Any]]:
    import httpx2

    client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=_HEADERS)
    return lambda: client.post(_PATH, json=_ASKED)


_SYNC: dict[str, Callable[[int], Callable[[], Any]]] = {
    _BARE: _bare,
    "httpx2": _httpx,
    "openai": _openai,
    "portkey_ai": _ours,
    "portkey_ai with_options": _optioned,
}
_ASYNC: dict[str, Callable[[int], Callable[[], Awaitable[Any]]]] = {
    "httpx2 for asyncio": _evented_httpx,
    "portkey_ai for asyncio": _evented,
}


def _sync(name: str, port: int, calls: int) -> float:
    call = _SYNC[name](port)
    for _ in range(_WARM):
        call()
    began = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - began


async def _async(name: str, port: int, calls: int) -> float:
    call = _ASYNC[name](port)
    for _ in range(_WARM):
        await call()
    began = time.process_time()
    for _ in range(calls):
        await call()
    return time.process_time() - began


if __name__ == "__main__":
    _port, _name, _calls = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    _used = _sync(_name, _port, _calls) if _name in _SYNC else asyncio.run(_async(_name, _port, _calls))
    print(_used / _calls * 1e6)
