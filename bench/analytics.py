"""How long analytics take over a day of a million records: every graph and group, asked over HTTP, one after the other.

The records are put into the database before the start, as the writer stores them.
"""

import json
import statistics
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from sqlalchemy import func, select

from bench import day, systems
from bench.process import Ground, Running
from bench.systems import Upstreams
from gatekey.admin.rooms.analytics import GRAPHS
from gatekey.admin.visit import moment
from gatekey.store import migrate
from gatekey.store.database import engine
from gatekey.store.tables import cells

RECORDS = 1_000_000
FOLDER = "day"
"""Data folder that has them."""
MOST = 300.0
"""ms that an answer may take which sums have."""
ASKED = 5
"""Times that each answer is asked for."""
GROUPS = (
    *("users", "ai-models", "workspaces", "metadata/team", "metadata/_user", "api_key", "status_code"),
    "model?columns=requests,cost,avg_latency,p95_latency,p99_latency,success_rate",
)
QUESTIONS: dict[str, dict[str, str]] = {
    "whole day": {},
    "hours cut": {},
    "one key": {"api_key_ids": "key-1"},
    "key and model": {"api_key_ids": "key-1", "ai_org_model": "provider-1__model-1"},
}
"""What is asked for besides the range; the hours at both ends of which are cut in one of them."""
HELD = ("whole day", "hours cut")
"""What `MOST` is for. A filter is a second dimension to users and groups, two filters to everything: then every record
of the day is looked at."""
CUT = 1_234_567
"""ms."""


@dataclass(slots=True)
class Found:
    """ms of each answer, by what was asked for and how; us of CPU of those for the whole day."""

    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    def costs(self) -> list[list[str]]:
        """A row for each answer."""
        table = [["answer", *(f"{name} ms" for name in QUESTIONS), "CPU ms"]]
        for path, cpu in self.cpu.items():
            times = (statistics.median(self.times[path, name]) for name in QUESTIONS)
            table.append([path.partition("?")[0], *(f"{found:.0f}" for found in times), f"{cpu / 1e3:.0f}"])
        return table

    def targets(self) -> list[tuple[str, float, float]]:
        """What was aimed at: a name, the ms found, the ms at most."""
        if not self.times:
            return []
        slowest = max(statistics.median(times) for (_, name), times in self.times.items() if name in HELD)
        return [(f"the slowest analytics over {RECORDS:,} records", slowest, MOST)]


def measure(ground: Ground, upstreams: Upstreams, say: Callable[[str], None], records: int = RECORDS) -> Found:
    """Ask for everything. RuntimeError where an answer is none."""
    say(f"storing {records:,} records")
    began = filled(ground, records)
    gateway = systems.gatekey(ground, upstreams, FOLDER).running
    found = Found()
    for path in (*(f"graphs/{name}" for name in GRAPHS), "summary/cache", *(f"groups/{name}" for name in GROUPS)):
        say(f"analytics/{path.partition('?')[0]}")
        for name, filters in QUESTIONS.items():
            cut = CUT if name == "hours cut" else 0
            span = {
                "time_of_generation_min": str(moment(began + cut)),
                "time_of_generation_max": str(moment(began + day.DAY - cut)),
            }
            before = gateway.cpu()
            times = [_ask(gateway, path, {**span, **filters}) for _ in range(ASKED)]
            if name == "whole day":
                found.cpu[path] = (gateway.cpu() - before) / ASKED
            found.times[path, name] = times
    gateway.stop()
    return found


def filled(ground: Ground, records: int) -> int:
    """The data folder with the records of a day, made where it is not there yet; when the day began."""
    folder = ground.scratch / FOLDER
    url = f"sqlite:///{folder / 'gatekey.db'}"
    made = engine(url)
    if not folder.exists():
        folder.mkdir(mode=0o700)
        migrate.ensure(url, made)
        day.fill(made, records)
    with made.connect() as connection:
        began: int = connection.execute(select(func.min(cells.c.hour))).scalar_one()
    made.dispose()
    return began // day.DAY * day.DAY


def _ask(gateway: Running, path: str, query: dict[str, str]) -> float:
    """ms until the answer is read."""
    mark = "&" if "?" in path else "?"
    target = f"http://127.0.0.1:{gateway.port}/v1/analytics/{path}{mark}{urlencode(query)}"
    request = urllib.request.Request(target, headers={"x-portkey-api-key": systems.KEY})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    took = (time.perf_counter() - began) * 1e3
    if not (told.get("data_points") or told.get("data") or told.get("summary")):
        raise RuntimeError(f"analytics/{path}: {str(told)[:200]}")
    return took
