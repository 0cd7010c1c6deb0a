"""Yesterday's records, the same for the same seed: stored as the writer stores them, with feedback as callers give it.

Traffic rises and falls; models, keys and users are as uneven as they are in life. Bodies are left out.
"""

import math
import random
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Engine

from gatekey.observe.record import Record, Tried, encode
from gatekey.store import cells, feedback, logs
from gatekey.store.database import Write
from gatekey.store.feedback import Opinion
from gatekey.store.workspaces import DEFAULT
from gatekey.wire.usage import Usage

DAY = 24 * cells.HOUR
"""ms."""
MODELS, KEYS, USERS, FEATURES, TEAMS = 14, 50, 5_000, 300, 20
RATED = 0.02
"""Share of the traces that have feedback."""

T = TypeVar("T")

_BATCH = 5_000
_STATUSES = ((200, 0.955), (429, 0.02), (500, 0.01), (400, 0.01), (499, 0.005))
_CACHE = (("DISABLED", 0.5), ("MISS", 0.35), ("HIT", 0.12), ("SEMANTIC HIT", 0.03))


def fill(made: Engine, number: int, seed: int = 1) -> None:
    """Store this many records of yesterday, and feedback on some."""
    dice, start = random.Random(seed), int(time.time() * 1000) // DAY * DAY - DAY
    for batch in _batches(_records(number, start, dice)):
        with made.begin() as connection:
            logs.add(connection, [(record, encode(record).decode()) for record in batch])
            cells.fold(connection, batch)
    rated = random.Random(seed).sample(range(number), int(number * RATED))
    for numbers in _batches(iter(sorted(rated))):
        at = start + numbers[0] * DAY // number
        with made.begin() as connection:
            opinions = [
                Opinion(f"trace-{one}", dice.choice((-5, 5, 5, 10)), dice.choice((0.5, 1.0))) for one in numbers
            ]
            feedback.add(Write(connection, 0, at), opinions, workspace=DEFAULT, api_key="key-0")


def _records(number: int, start: int, dice: random.Random) -> Iterator[Record]:
    """In the order of time, more by day than by night."""
    models = [(f"provider-{rank % 4}", f"model-{rank}") for rank in range(MODELS)]
    for one in range(number):
        place = one / number
        at = start + int(DAY * (place + 0.08 * math.sin(2 * math.pi * place))) % DAY
        yield _record(one, at, models[_skewed(dice, MODELS)], dice)


def _record(one: int, at: int, asked: tuple[str, str], dice: random.Random) -> Record:
    (provider, model), status, cached = asked, _drawn(dice, _STATUSES), _drawn(dice, _CACHE)
    user, key, hit, ok = _skewed(dice, USERS), _skewed(dice, KEYS), "HIT" in cached, status == 200
    usage = Usage(input=dice.randrange(20, 4000), output=dice.randrange(5, 800)) if ok else None
    retries = 1 if ok and not hit and dice.random() < 0.03 else 0
    fast = dice.lognormvariate(7.5 if hit else 13.5, 0.8)
    return Record(
        id=f"{dice.getrandbits(128):032x}",
        created_at=at,
        kind="chat",
        method="POST",
        path="/v1/chat/completions",
        workspace=DEFAULT,
        api_key=f"key-{key}",
        user=f"user-{user}",
        trace_id=f"trace-{one}",
        metadata={"_user": f"user-{user}", "team": f"team-{key % TEAMS}", "feature": f"f-{_skewed(dice, FEATURES)}"},
        config=f"pc-{key % 6}",
        status=status,
        provider=provider,
        model=model,
        virtual_key=f"vk-{provider}",
        option="config",
        retries=retries,
        cache_status=cached,
        usage=usage,
        cost=usage.input * 150 + usage.output * 600 if usage and not hit else 0,
        priced=True,
        total_us=int(fast),
        attempts=[Tried("config", provider, status, "provider", model=model)],
    )


def _skewed(dice: random.Random, number: int) -> int:
    """A rank below `number`, the first ones more often: half of all are among the first eighth."""
    return int(number * dice.random() ** 3)


def _batches(of: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(of, _BATCH)):
        yield batch


def _drawn(dice: random.Random, chances: Sequence[tuple[T, float]]) -> T:
    point = dice.random()
    for value, share in chances:
        point -= share
        if point < 0:
            return value
    return chances[0][0]
