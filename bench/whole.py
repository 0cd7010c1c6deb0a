"""What everything together costs: a record of each request with what was said, an exact cost, metrics, budgets and
rates on key, workspace and virtual key, a policy, a saved config; beside Gatekey without records, by bare headers.

Two gateways have everything on: one with an empty log, one with a million records in it.
"""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench import analytics, bodies, load, stored, systems
from bench.analytics import RECORDS
from bench.load import Ask, Sample
from bench.process import Ground, Running
from bench.systems import Upstreams
from gatekey.store.workspaces import DEFAULT

MOST_BESIDE_BARE = 1.60
MOST_BESIDE_EMPTY = 1.10

_BARE, _EMPTY, _FULL = "bare: no records, no limits", "everything", f"everything, {RECORDS:,} records"
_BUDGET = {"type": "cost", "credit_limit": 1_000_000, "periodic_reset": "monthly"}
_RATES = [{"type": "requests", "unit": "rpm", "value": 10**9}, {"type": "tokens", "unit": "rpm", "value": 10**13}]


@dataclass(slots=True)
class Found:
    """Samples by kind of request."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def cpu(self, name: str) -> float:
        """Median us of CPU a request, the writer's included."""
        return statistics.median(sample.cpu for sample in self.samples[name])

    def costs(self) -> list[list[str]]:
        """A row for each kind of request."""
        table = [["request", "CPU us", "x bare", "requests/s", "p50 ms", "failed"]]
        for name, samples in self.samples.items():
            rate = statistics.median(sample.rate for sample in samples)
            p50 = statistics.median(sample.p50 for sample in samples) / 1e3
            failed = sum(sample.failed for sample in samples)
            ratio = self.cpu(name) / self.cpu(_BARE)
            table.append([name, f"{self.cpu(name):.0f}", f"{ratio:.2f}", f"{rate:,.0f}", f"{p50:.2f}", f"{failed:.0f}"])
        return table

    def targets(self) -> list[tuple[str, float, float]]:
        """What was aimed at: a name, the ratio found, the ratio at most."""
        if not self.samples:
            return []
        bare, empty, full = (self.cpu(name) for name in (_BARE, _EMPTY, _FULL))
        return [
            ("everything on: CPU beside bare", empty / bare, MOST_BESIDE_BARE),
            (f"{RECORDS:,} records: CPU beside none", full / empty, MOST_BESIDE_EMPTY),
        ]


def measure(ground: Ground, upstreams: Upstreams, rounds: int, seconds: int, say: Callable[[str], None]) -> Found:
    """Take the three in turns. RuntimeError where one is not answered as it should be."""
    say(f"storing {RECORDS:,} records")
    analytics.filled(ground, RECORDS)
    serve = [sys.executable, "-m", "bench.bare", "serve"]
    bare = systems.gatekey(ground, upstreams, "bare", serve).running
    empty = systems.gatekey(ground, upstreams, "empty").running
    full = systems.gatekey(ground, upstreams, analytics.FOLDER).running
    asks = {
        _BARE: (bare, stored.bare(upstreams)),
        _EMPTY: (empty, _everything(empty, upstreams)),
        _FULL: (full, _everything(full, upstreams)),
    }
    found = Found()
    say(f"everything, {rounds} rounds")
    found.samples = load.in_turns(asks, upstreams.plain, rounds, seconds, ground.scratch)
    for target, _ in asks.values():
        target.stop()
    return found


def _everything(gateway: Running, upstreams: Upstreams) -> Ask:
    def made(path: str, body: dict[str, Any]) -> Any:
        return stored.made(gateway, path, body)

    limited = {"usage_limits": _BUDGET, "rate_limits": _RATES}
    virtual = {"name": "bench", "provider": "openai", "key": "sk-test", "custom_host": stored.address(upstreams)}
    slug = made("/virtual-keys", virtual | limited)["slug"]
    config = {"retry": {"attempts": 2}, "strategy": {"mode": "fallback"}, "targets": [{"virtual_key": slug}] * 2}
    saved = made("/configs", {"name": "bench", "config": config})["data"]["id"]
    stored.asked(gateway, "PUT", f"/admin/workspaces/{DEFAULT}", {"usage_limits": [_BUDGET]})
    policy = {"conditions": [{"key": "metadata._user", "value": "*"}], "group_by": [{"key": "metadata._user"}]}
    made("/policies/usage-limits", {"name": "bench", "type": "cost", "credit_limit": 1_000_000, **policy})
    asked = {"name": "bench", "workspace_id": DEFAULT, "scopes": ["completions.write"], **limited}
    key = made("/api-keys/workspace/service", asked)["key"]
    headers = {
        "Content-Type": "application/json",
        "x-portkey-api-key": key,
        "x-portkey-config": saved,
        "x-portkey-metadata": '{"_user": "bench", "team": "yard"}',
    }
    return Ask("/v1/chat/completions", headers, bodies.CHAT)
