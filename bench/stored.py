"""What a stored credential costs: a chat completion by API key, virtual key and saved config, beside the bare headers.

Two gateways, one with few API keys in its store and one with many, are asked in turns. The keys are put into the
database before the start; the ones that are used are made through the control plane of the running gateway.
"""

import asyncio
import json
import secrets
import statistics
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import insert

from bench import bodies, load, systems
from bench.load import Ask, Sample
from bench.process import Ground, Running
from bench.systems import Upstreams
from gatekey.store import migrate, rows, tables
from gatekey.store.database import Database, Write, engine
from gatekey.store.workspaces import DEFAULT

FEW, MANY = 10, 100_000
"""API keys in the store."""
TEAMS = 500
"""Kinds of metadata among them."""
MOST_BESIDE_BARE = 1.25
MOST_BESIDE_FEW = 1.10

_BARE, _STORED, _CROWDED = "bare headers", "stored", f"stored, {MANY:,} keys"
_PATH = "/v1/chat/completions"
_BATCH = 10_000


@dataclass(slots=True)
class Found:
    """Samples by kind of request; by number of keys (resident bytes after the load, s from the start to an answer)."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    footprints: dict[int, tuple[int, float]] = field(default_factory=dict)

    def cpu(self, name: str) -> float:
        """Median us of CPU a request."""
        return statistics.median(sample.cpu for sample in self.samples[name])

    def costs(self) -> list[list[str]]:
        """A row for each kind of request."""
        table = [["request", "keys", "CPU us", "x bare", "requests/s", "p50 ms", "failed", "resident MB", "start-up s"]]
        for name, samples in self.samples.items():
            keys = MANY if name is _CROWDED else FEW
            memory, startup = self.footprints[keys]
            rate = statistics.median(sample.rate for sample in samples)
            p50 = statistics.median(sample.p50 for sample in samples) / 1e3
            failed = sum(sample.failed for sample in samples)
            figures = [f"{self.cpu(name):.0f}", f"{self.cpu(name) / self.cpu(_BARE):.2f}", f"{rate:,.0f}", f"{p50:.2f}"]
            table.append([name, f"{keys:,}", *figures, f"{failed:.0f}", f"{memory / 1e6:.0f}", f"{startup:.2f}"])
        return table

    def targets(self) -> list[tuple[str, float, float]]:
        """What was aimed at: a name, the ratio found, the ratio at most."""
        if not self.samples:
            return []
        few, many = self.cpu(_STORED), self.cpu(_CROWDED)
        return [
            ("key, virtual key and config: CPU beside bare", few / self.cpu(_BARE), MOST_BESIDE_BARE),
            (f"{MANY:,} keys: CPU beside {FEW}", many / few, MOST_BESIDE_FEW),
        ]


def measure(ground: Ground, upstreams: Upstreams, rounds: int, seconds: int, say: Callable[[str], None]) -> Found:
    """Take the three kinds of request in turns. RuntimeError where one is not answered as it should be."""
    found, running = Found(), {}
    for keys in (FEW, MANY):
        say(f"starting gatekey with {keys:,} keys")
        running[keys] = _start(ground, upstreams, keys)
    asks = {
        _BARE: (running[FEW], bare(upstreams)),
        _STORED: (running[FEW], _stored(running[FEW], upstreams)),
        _CROWDED: (running[MANY], _stored(running[MANY], upstreams)),
    }
    say(f"stored, {rounds} rounds")
    found.samples = load.in_turns(asks, upstreams.plain, rounds, seconds, ground.scratch)
    for keys, target in running.items():
        found.footprints[keys] = target.memory()[0], target.startup
        target.stop()
    return found


def _start(ground: Ground, upstreams: Upstreams, keys: int) -> Running:
    """A gateway whose store has this many keys from the start."""
    data = ground.scratch / f"{keys}-keys"
    data.mkdir(mode=0o700)
    url = f"sqlite:///{data / 'gatekey.db'}"
    migrate.ensure(url, engine(url))
    asyncio.run(_filled(url, keys))
    return systems.gatekey(ground, upstreams, data.name).running


async def _filled(url: str, keys: int) -> None:
    database = Database(url)
    try:
        await database.write(_fill, keys)
    finally:
        await database.close()


def _fill(write: Write, keys: int) -> None:
    """API keys of the default workspace that nobody has."""
    for start in range(0, keys, _BATCH):
        made = [_key(write, number) for number in range(start, min(start + _BATCH, keys))]
        write.connection.execute(insert(tables.api_keys), made)
        digests = [{"digest": secrets.token_hex(32), "api_key_id": row["id"], "expires_at": None} for row in made]
        write.connection.execute(insert(tables.api_key_secrets), digests)


def _key(write: Write, number: int) -> rows.Row:
    return {
        "id": rows.new_id(),
        "created_at": write.now,
        "last_updated_at": write.now,
        "deleted": False,
        "revision": write.revision,
        "workspace_id": DEFAULT,
        "name": f"key {number}",
        "type": "workspace-service",
        "scopes": rows.text(["completions.write"]),
        "defaults": rows.text({"metadata": {"team": f"team-{number % TEAMS}"}}),
        "masked": "gk-xx*******xx",
    }


def bare(upstreams: Upstreams) -> Ask:
    """Everything in headers: the admin key, the provider, its key, its address."""
    headers = {
        "Content-Type": "application/json",
        "Authorization": "Bearer sk-test",
        "x-portkey-api-key": systems.KEY,
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": address(upstreams),
    }
    return Ask(_PATH, headers, bodies.CHAT)


def _stored(gateway: Running, upstreams: Upstreams) -> Ask:
    """An API key and the id of a saved config, which names a virtual key."""
    virtual = {"name": "bench", "provider": "openai", "key": "sk-test", "custom_host": address(upstreams)}
    slug = made(gateway, "/virtual-keys", virtual)["slug"]
    config = made(gateway, "/configs", {"name": "bench", "config": {"virtual_key": slug}})["data"]["id"]
    wanted = {"name": "bench", "workspace_id": DEFAULT, "scopes": ["completions.write"]}
    key = made(gateway, "/api-keys/workspace/service", wanted)["key"]
    headers = {"Content-Type": "application/json", "x-portkey-api-key": key, "x-portkey-config": config}
    return Ask(_PATH, headers, bodies.CHAT)


def address(upstreams: Upstreams) -> str:
    """The fake provider's, as a custom host."""
    return f"http://127.0.0.1:{upstreams.plain.port}/v1"


def made(gateway: Running, path: str, body: rows.Row) -> rows.Row:
    """What the control plane answers to a POST."""
    return asked(gateway, "POST", path, body)


def asked(gateway: Running, method: str, path: str, body: rows.Row) -> rows.Row:
    """What the control plane answers."""
    headers, url = systems.KEY_HEADERS, f"http://127.0.0.1:{gateway.port}/v1{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: rows.Row = json.load(answer)
    return found
