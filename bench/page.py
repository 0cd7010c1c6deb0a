"""docs/benchmarks.md: page.md filled in with the machine, the versions and the tables of a run."""

import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from bench.analytics import ASKED, CUT, RECORDS
from bench.load import CONNECTIONS
from bench.results import Results, aligned
from bench.sdk import MOST_BESIDE_BARE
from bench.systems import System, said

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

_CLIENT = "## The Python client"
_CALLED = """\
A chat completion, its JSON written and read, over a kept connection to the fake upstream, with {python}.
The client may cost {most:g} times the bare `http.client`. The import is beside Python's own start.
`scripts/bench --only sdk --write` writes this section by itself."""
_ANALYTICS, _AFTER = "## Analytics", "Memory and start"
_COUNTED = """\
Over a day of {records:,} records in SQLite, over HTTP, one at a time; each figure is the median of {asked}.
*Hours cut*: {cut:.1f} minutes are missing at both ends, where records themselves are looked at.
No sums are kept for two dimensions: *key and model* looks at every record, as *one key* does for users and groups.
CPU is the gateway's, for the whole day. `scripts/bench --only analytics --write` writes this section by itself."""
_TEMPLATE = Path(__file__).with_suffix(".md")


def write(results: Results, systems: Sequence[System], rounds: int, seconds: int) -> None:
    """Write the page anew."""
    versions = ", ".join([f"{system.name} {system.version}" for system in systems] + _tools())
    left_out = "\n".join(f"- Left out: {line}" for line in results.skipped)
    text = _TEMPLATE.read_text().format(
        date=datetime.datetime.now(tz=datetime.UTC).date(),
        machine=_machine(),
        versions=versions,
        targets=aligned(results.targets()),
        costs=aligned(results.costs()),
        stored=aligned(results.stored.costs()),
        whole=aligned(results.whole.costs()),
        client=_client(results),
        analytics=_analytics(results),
        footprint=aligned(results.footprint()),
        skipped=f"\n{left_out}\n" if left_out else "",
        connections=CONNECTIONS,
        rounds=rounds,
        seconds=seconds,
    )
    PAGE.write_text(text)


def write_client(results: Results) -> None:
    """Write anew what the page says about the Python client, and leave the rest."""
    _section(_CLIENT, _client(results))


def write_analytics(results: Results) -> None:
    """The same of analytics."""
    _section(_ANALYTICS, _analytics(results))


def _section(heading: str, text: str) -> None:
    page = PAGE.read_text()
    before, found, rest = page.partition(f"\n{heading}\n")
    if found:
        after = rest.partition("\n## ")[2]
    else:
        before, _, rest = page.partition(f"\n## {_AFTER}\n")
        after = f"{_AFTER}\n{rest}"
    PAGE.write_text(f"{before}\n{heading}\n\n{text}\n\n## {after}")


def _analytics(results: Results) -> str:
    words = _COUNTED.format(records=RECORDS, asked=ASKED, cut=CUT / 60_000)
    return f"{aligned(results.analytics.costs())}\n\n{words}"


def _client(results: Results) -> str:
    python = f"Python {platform.python_version()}"
    return f"{aligned(results.client.costs())}\n\n" + _CALLED.format(python=python, most=MOST_BESIDE_BARE)


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {kernel}"


def _tools() -> list[str]:
    return [f"Python {platform.python_version()}", " ".join(said("wrk", "-v").split()[:2]).replace("debian/", "")]
