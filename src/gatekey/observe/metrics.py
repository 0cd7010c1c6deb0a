"""Metrics in the Prometheus text format, of the whole gateway: whichever worker is asked adds up what all have counted.

Every worker writes what it has counted into a sheet, about once a second and when it is asked; so a scrape is exact
for the worker that it reaches, and as old as a second for the others.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gatekey.observe import families, sheets, told
from gatekey.observe.families import Family
from gatekey.observe.figures import Answered, Counts, Figures, Row
from gatekey.observe.spool import waiting

if TYPE_CHECKING:
    from gatekey.observe.record import Record

TYPE = "text/plain; version=0.0.4; charset=utf-8"
EVERY = 1.0
"""s between two sheets."""
FOLDER = "metrics"
"""Of the sheets, in the data folder."""


class Metrics:
    """What one worker tells."""

    def __init__(self, folder: Path, spool: Path, *, model: bool = False) -> None:
        """`folder`: of the sheets; `spool`: of the records; `model`: whether models are told apart."""
        self._folder, self._spool, self._model = folder, spool, model
        self._also: dict[str, Callable[[], float]] = {}
        self._figures = Figures(_soon, model=model)
        self._own = sheets.Own(folder)
        self._timer: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.add: Callable[[Record | Answered], None] = self._figures.add
        """Count a request that was answered."""
        self.refused = self._figures.refused
        """Count what a limit or a bound refused before any attempt: the error's code."""

    def tells(self, family: Family, value: Callable[[], float]) -> None:
        """A value of this worker's that is kept elsewhere, asked whenever a sheet is written."""
        self._also[family.name] = value

    async def open(self) -> None:
        """Write sheets from now on."""
        self._timer = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Write the last one."""
        if self._timer is not None:
            self._timer.cancel()
            with suppress(asyncio.CancelledError):
                await self._timer
        self._sheet()
        self._own.close()

    async def text(self) -> bytes:
        """All metrics, as of now. Raises `OSError` where the data folder cannot be read."""
        async with self._one_at_a_time:
            self._sheet()
            counts, living = await asyncio.to_thread(self._added_up)
        return exposition(counts, _joined(living), model=self._model)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._sheet()

    def _sheet(self) -> None:
        self._figures.fold()
        counts, now = dict(self._figures.counts), {families.WORKERS.name: 1.0}
        for name, value in self._also.items():
            if families.BY_NAME[name].kind == "counter":
                counts[name] = {(): [int(value())]}
            else:
                now[name] = float(round(value()))  # so that a sheet of a worker at rest stays as it is
        self._own.write(counts, now)

    def _added_up(self) -> tuple[Counts, list[dict[str, float]]]:
        counts, living = sheets.added_up(self._folder)
        now: dict[str, float] = {families.WAITING.name: 0.0}
        with suppress(FileNotFoundError):
            now[families.WAITING.name] = waiting(self._spool)
        heard = told.heard(self._spool)
        if heard is not None:
            now[families.WRITER.name] = max(time.time() - heard.at / 1000, 0.0)
        return counts, [*living, now]


def _soon(fold: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(fold)


def _joined(living: list[dict[str, float]]) -> dict[str, float]:
    """The gateway's gauges, out of those of its processes."""
    found: dict[str, float] = {}
    for name, value in (pair for now in living for pair in now.items()):
        if name in families.BY_NAME:
            join = sum if families.BY_NAME[name].joined == "sum" else max
            found[name] = join((found[name], value)) if name in found else value
    return found


def exposition(counts: Counts, now: Mapping[str, float], *, model: bool = False) -> bytes:
    """The text. `model`: documented families have the model as a label, too."""
    lines: list[str] = []
    for family in families.ALL:
        rows: dict[Row, list[int]] = counts.get(family.name, {})
        if not rows and not family.labels and family.kind == "counter":
            rows = {(): [0]}  # what has never happened is 0, and can be watched
        if rows or family.name in now:
            lines += (f"# HELP {family.name} {family.about}", f"# TYPE {family.name} {family.kind}")
        if family.name in now:
            lines.append(f"{family.name} {_number(now[family.name])}")
        names = (*family.labels, families.MODEL) if family.rows and model else family.labels
        for row, values in sorted(rows.items()):
            if len(row) == len(names):
                lines += _sample(
                    family, [f'{name}="{_escaped(of)}"' for name, of in zip(names, row, strict=True)], values
                )
    return ("\n".join(lines) + "\n").encode()


def _sample(family: Family, labels: list[str], values: list[int]) -> list[str]:
    """The lines of one series."""
    inside = "{" + ",".join(labels) + "}" if labels else ""
    if not family.buckets:
        return [f"{family.name}{inside} {_number(values[0] / family.scale if family.scale > 1 else values[0])}"]
    lines, so_far = [], 0
    for bound, much in zip([*map(_number, family.buckets), "+Inf"], values[:-1], strict=True):
        so_far += much
        below = ",".join([*labels, f'le="{bound}"'])
        lines.append(f"{family.name}_bucket{{{below}}} {so_far}")
    lines.append(f"{family.name}_sum{inside} {_number(values[-1] / family.scale)}")
    lines.append(f"{family.name}_count{inside} {so_far}")
    return lines


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
