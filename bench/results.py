"""What a run has found, as tables. It formats; it measures nothing and writes no file."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.analytics import Found as Analytics
from bench.cases import ALL, MOST_MEMORY, TARGETS, Case
from bench.load import Sample
from bench.sdk import Found as Client
from bench.stored import Found
from bench.whole import Found as Whole

Table = list[list[str]]
"""Rows of cells; the first row is the heading."""


@dataclass(slots=True)
class Results:
    """Samples by (case, system); first tokens, memory and start-up by system; `stored`: what a stored
    credential costs; `client`: what a call costs in the Python client;
    `analytics`: how long they take; `whole`: what everything together costs; `skipped`: what was left out, and why."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    first: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, tuple[int, int]] = field(default_factory=dict)
    startup: dict[str, float] = field(default_factory=dict)
    stored: Found = field(default_factory=Found)
    client: Client = field(default_factory=Client)
    analytics: Analytics = field(default_factory=Analytics)
    whole: Whole = field(default_factory=Whole)
    skipped: list[str] = field(default_factory=list)

    def median(self, case: str, system: str, figure: str) -> float | None:
        """The median of one figure of `Sample` over the rounds; None where it was not measured."""
        found = self.samples.get((case, system))
        return statistics.median(getattr(sample, figure) for sample in found) if found else None

    def costs(self) -> Table:
        """A row for each case and system: what a request costs, beside nginx."""
        rows = [
            ["request", "system", "CPU us", "x nginx", "requests/s", "p50 ms", "p99 ms", "upstream CPU us", "failed"]
        ]
        for case in ALL:
            for system in self.startup:
                if (case.name, system) in self.samples:
                    rows.append(self._cost(case, system))
        return rows

    def _cost(self, case: Case, system: str) -> list[str]:
        def median(figure: str, scale: float = 1) -> float:
            return (self.median(case.name, system, figure) or 0) * scale

        ratio = self._ratio(case.name, system, "nginx")
        figures = [f"{median('cpu'):.0f}", "" if ratio is None else f"{ratio:.1f}", f"{median('rate'):,.0f}"]
        latency = [f"{median('p50', 1e-3):.2f}", f"{median('p99', 1e-3):.1f}", f"{median('upstream'):.0f}"]
        failed = sum(sample.failed for sample in self.samples[case.name, system])
        return [case.title, system, *figures, *latency, f"{failed:.0f}"]

    def footprint(self) -> Table:
        """A row for each system: memory after the load, start-up, first word of a stream."""
        rows = [["system", "resident MB", "highest MB", "start-up s", "first word ms"]]
        for system, startup in self.startup.items():
            now, peak = self.memory[system]
            first = f"{statistics.median(self.first[system]) / 1e3:.2f}" if system in self.first else ""
            rows.append([system, f"{now / 1e6:.0f}", f"{peak / 1e6:.0f}", f"{startup:.2f}", first])
        return rows

    def targets(self) -> Table:
        """A row for each target of which both sides were measured."""
        rows = [["target", "found", "at most", ""]]
        for target in TARGETS:
            ratio = self._ratio(target.case.name, "gatekey", target.peer)
            if ratio is not None:
                name = f"{target.case.title}: CPU beside {target.peer}"
                rows.append([name, f"{ratio:.2f} x", f"{target.most:.2f} x", _verdict(ratio <= target.most)])
        for name, ratio, most in (*self.stored.targets(), *self.whole.targets(), *self.client.targets()):
            rows.append([name, f"{ratio:.2f} x", f"{most:.2f} x", _verdict(ratio <= most)])
        for name, took, at_most in self.analytics.targets():
            rows.append([name, f"{took:.0f} ms", f"{at_most:.0f} ms", _verdict(took <= at_most)])
        if "gatekey" in self.memory:
            now, _ = self.memory["gatekey"]
            verdict = _verdict(now < MOST_MEMORY)
            rows.append(["memory after the load", f"{now / 1e6:.0f} MB", f"{MOST_MEMORY / 1e6:.0f} MB", verdict])
        return rows

    def _ratio(self, case: str, system: str, peer: str) -> float | None:
        ours, theirs = self.median(case, system, "cpu"), self.median(case, peer, "cpu")
        return ours / theirs if ours is not None and theirs else None


def aligned(table: Table) -> str:
    """The table as Markdown that can also be read as it is: the first two columns to the left, figures to the right."""
    left = 1 + (table[0][1] == "system")
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return f"| {' | '.join(cells)} |"

    rule = ["-" * width if column < left else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join([line(table[0]), line(rule), *(line(row) for row in table[1:])])


def _verdict(met: bool) -> str:
    return "pass" if met else "miss"
