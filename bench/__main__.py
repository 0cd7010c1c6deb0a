"""`python -m bench`: read the options, take the systems through the cases in turns, print what was found."""

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import analytics, cases, hot, load, page, process, sdk, stored, systems, whole
from bench.process import Ground
from bench.results import Results, aligned
from bench.systems import System, Upstreams

_PACKAGES = {"nginx": "nginx", "wrk": "wrk", "taskset": "util-linux", "node": "nodejs", "npm": "npm"}
"""Debian's package for each program."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run takes: rounds, seconds of each load, seconds of warm-up, streams timed per round."""

    rounds: int
    seconds: int
    warm: int
    streams: int


_WHOLE = Pace(rounds=5, seconds=2, warm=6, streams=12)
_QUICK = Pace(rounds=2, seconds=1, warm=5, streams=6)
_MEMORY = Pace(rounds=1, seconds=1, warm=2, streams=4)


def main() -> int:
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    lacking = [tool for tool in _PACKAGES if shutil.which(tool) is None]
    if lacking:
        print(f"missing: {', '.join(lacking)}; apt-get install {' '.join(_PACKAGES[tool] for tool in lacking)}")
    if {"nginx", "wrk", "taskset"} & set(lacking):
        return 1
    names = [name for name in systems.STARTERS if name != "original" or not {"node", "npm"} & set(lacking)]
    try:
        with process.ground() as ground:
            upstreams = systems.upstreams(ground)
            if options.profile:
                return _profile(ground, upstreams, options.only)
            if options.only in ("stored", "whole", "sdk", "analytics"):
                return _part(ground, upstreams, options)
            return _compare(ground, upstreams, names, options)
    except process.DidNotStart as error:
        print(f"did not start: {error}")
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Gatekey beside nginx and the original.")
    parser.add_argument("--quick", action="store_true", help="under 40 s, without long chat and store; rougher figures")
    parser.add_argument(
        "--only", choices=("plain", "stream", "memory", "stored", "whole", "sdk", "analytics"), help="one part of it"
    )
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    parser.add_argument(
        "--profile", action="store_true", help="Gatekey's hottest functions (with --only: of that part)"
    )
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="another gateway; {port}")
    options = parser.parse_args()
    if options.write and (options.quick or options.only not in (None, "sdk", "analytics") or options.peer):
        parser.error("--write is for a whole run, or for --only sdk or analytics")
    return options


def _compare(ground: Ground, upstreams: Upstreams, names: Sequence[str], options: argparse.Namespace) -> int:
    found = Results()
    running = _start(ground, upstreams, names, options.peer, found)
    pace = _QUICK if options.quick else _MEMORY if options.only == "memory" else _WHOLE
    wanted = [case for case in cases.ALL if _wanted(case.kind, options)]
    pairs = _answering(running, upstreams, wanted, found)
    _measure(ground, upstreams, pairs, pace, found)
    for system in running:
        found.memory[system.name] = system.running.memory()
    if options.only == "memory":
        found.samples.clear()  # too short to be figures
    if not (options.quick or options.only):
        found.stored = stored.measure(ground, upstreams, pace.rounds, pace.seconds, _say)
        found.client = sdk.measure(ground, upstreams, _say)
        found.analytics = analytics.measure(ground, upstreams, _say)
        found.whole = whole.measure(ground, upstreams, pace.rounds, pace.seconds, _say)
    _show(found)
    if "gatekey" not in found.startup:
        print("\nGatekey did not start: no result.")
        return 1
    if options.write:
        page.write(found, running, pace.rounds, pace.seconds)
    return 0


def _part(ground: Ground, upstreams: Upstreams, options: argparse.Namespace) -> int:
    """One of the parts that compare Gatekey with itself, or measure something beside it."""
    pace = _QUICK if options.quick else _WHOLE
    found = Results()
    if options.only == "stored":
        found.stored = stored.measure(ground, upstreams, pace.rounds, pace.seconds, _say)
    elif options.only == "whole":
        found.whole = whole.measure(ground, upstreams, pace.rounds, pace.seconds, _say)
    elif options.only == "sdk":
        found.client = sdk.measure(ground, upstreams, _say)
    else:
        found.analytics = analytics.measure(ground, upstreams, _say)
    _show(found)
    if options.write:
        (page.write_client if options.only == "sdk" else page.write_analytics)(found)
    return 0


def _show(found: Results) -> None:
    parts = (found.stored, found.whole, found.client, found.analytics)
    for table in (found.costs(), *(part.costs() for part in parts), found.footprint(), found.targets()):
        if len(table) > 1:
            print(f"\n{aligned(table)}")


def _wanted(kind: str, options: argparse.Namespace) -> bool:
    if options.only in {"plain", "stream"}:
        return kind == options.only or (kind == "long" and options.only == "plain" and not options.quick)
    return kind != "long" or not (options.quick or options.only)


def _start(
    ground: Ground, upstreams: Upstreams, names: Sequence[str], peers: Sequence[str], found: Results
) -> list[System]:
    started = []
    for name in [*names, *peers]:
        _say(f"starting {name.partition('=')[0]}")
        try:
            if name in systems.STARTERS:
                system = systems.STARTERS[name](ground, upstreams)
            else:
                system = systems.peer(ground, *name.split("=", 1))
        except (process.DidNotStart, subprocess.CalledProcessError) as error:
            _skip(found, f"{name.partition('=')[0]} did not start: {error}")
            continue
        started.append(system)
        found.startup[system.name] = system.running.startup
    return started


def _answering(
    running: Sequence[System], upstreams: Upstreams, wanted: Sequence[cases.Case], found: Results
) -> list[tuple[cases.Case, System]]:
    """The pairs that give the upstream's answer, so that no failure is measured as a quick success."""
    pairs = []
    for case in wanted:
        for system in running:
            wrong = load.probe(system.running, system.ask(upstreams, case.prefix, case.path, case.body))
            if wrong:
                _skip(found, f"{system.name}, {case.title}: {wrong}")
            else:
                pairs.append((case, system))
    return pairs


def _measure(
    ground: Ground, upstreams: Upstreams, pairs: Sequence[tuple[cases.Case, System]], pace: Pace, found: Results
) -> None:
    warmed = set()
    for turn in range(pace.rounds):
        _say(f"round {turn + 1} of {pace.rounds}")
        for case, system in pairs:
            ask, upstream = system.ask(upstreams, case.prefix, case.path, case.body), upstreams.of(case.prefix)
            if system.name not in warmed:
                # V8 compiles for seconds: without this, the original's first figures are four times its last.
                load.run(system.running, upstream, ask, pace.warm if system.name == "original" else 1, ground.scratch)
                warmed.add(system.name)
            sample = load.run(system.running, upstream, ask, pace.seconds, ground.scratch)
            found.samples.setdefault((case.name, system.name), []).append(sample)
            if case is cases.PACED:
                found.first.setdefault(system.name, []).extend(load.first_tokens(system.running, ask, pace.streams))


def _profile(ground: Ground, upstreams: Upstreams, only: str | None) -> int:
    gatekey = systems.gatekey(ground, upstreams)
    for case in (cases.PACED, cases.BURST) if only == "stream" else (cases.CHAT,):
        _say(f"sampling: {case.title}")
        cost, tables = hot.hottest(gatekey, upstreams, case, 8, ground.scratch)
        print(f"\n{case.title}: {cost.cpu:.0f} us of CPU a request")
        for table in tables:
            print(f"\n{aligned(table)}")
    return 0


def _skip(found: Results, line: str) -> None:
    found.skipped.append(line.partition("\n")[0])
    _say(f"left out: {line}")


_BEGAN = time.monotonic()


def _say(line: str) -> None:
    print(f"[{time.monotonic() - _BEGAN:5.1f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
