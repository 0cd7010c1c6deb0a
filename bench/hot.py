"""Where Gatekey's time goes under load, by function: sampled from outside by py-spy, so the gateway runs unchanged.

A function's own time includes what it spends in compiled code that it calls (httptools, uvloop, msgspec).
"""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bench.cases import Case
from bench.load import Sample, run
from bench.process import LOAD_CORE, Running, pinned
from bench.results import Table
from bench.systems import System, Upstreams

SHOWN = 40
"""Functions in a table."""

_RATE = 500
"""Samples a second."""


def hottest(
    system: System, upstreams: Upstreams, case: Case, seconds: int, scratch: Path
) -> tuple[Sample, list[Table]]:
    """Load `system` under py-spy: what a request cost, the functions that took the most, Gatekey's own with callees."""
    stacks = scratch / "stacks.txt"
    ask, upstream = system.ask(upstreams, case.prefix, case.path, case.body), upstreams.of(case.prefix)
    undisturbed = run(system.running, upstream, ask, 2, scratch)
    sampler = _sampler(system.running, seconds, stacks)
    time.sleep(0.5)
    run(system.running, upstream, ask, seconds, scratch)
    if sampler.wait(30):
        raise RuntimeError(
            "py-spy failed; it has to be allowed to trace other processes (run as root, or CAP_SYS_PTRACE)"
        )
    return undisturbed, _tables(stacks.read_text(), undisturbed.cpu)


def _sampler(target: Running, seconds: int, stacks: Path) -> subprocess.Popen[bytes]:
    program = Path(sys.executable).with_name("py-spy")
    if not program.exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "py-spy"], check=True, timeout=300)
    spy = [str(program), "record", "--subprocesses", "--function"]
    options = ["--format", "raw", "--rate", str(_RATE), "--duration", str(seconds), "--output", str(stacks)]
    command = pinned([*spy, *options, "--pid", str(target.child.pid)], LOAD_CORE)
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _tables(stacks: str, cpu: float) -> list[Table]:
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        names = [name for name in frames.split(";") if not name.startswith("process ")] or ["(no Python function)"]
        own[names[-1]] += int(count)
        for name in set(names):
            whole[name] += int(count)
    scale = cpu / own.total()

    def table(names: list[str]) -> Table:
        heading = ["function", "own us", "with callees us"]
        return [heading, *([name, f"{own[name] * scale:.1f}", f"{whole[name] * scale:.1f}"] for name in names)]

    ours = [name for name, _ in whole.most_common() if "(gatekey/" in name]
    return [table([name for name, _ in own.most_common(SHOWN)]), table(ours[:SHOWN])]
