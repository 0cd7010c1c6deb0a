"""Cells: what analytics add up, kept while records are stored, so that a graph of a million requests reads thousands
of rows.

A cell has the sums of one hour, for the requests that have a value in one dimension and an outcome in common: status,
cache status, retries. The dimension `""` has all requests. Dimensions that may have as many values as there are
requests, users and metadata, have one cell for all outcomes. A question with more than one dimension is one for the
rows of the log themselves.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice

from sqlalchemy import Connection, Table, delete

from gatekey.observe.record import Record
from gatekey.store.logs import MAX_METADATA, clean
from gatekey.store.tables import cells, latencies

HOUR = 3_600_000
"""ms."""
METADATA = "metadata."
"""Before the key of a dimension of metadata."""
SPREAD = frozenset({"", "api_key", "virtual_key", "config", "provider", "model", "prompt"})
"""Dimensions with few values: for these outcomes are told apart, and latencies are kept; of `""` apart, too."""
TOGETHER = (0, "", 0)
"""The outcome of a cell that has them all."""
HITS = ("HIT", "SEMANTIC HIT")
"""Cache statuses of answers out of the cache."""
SUMS = (
    *("requests", "errors", "fallbacks", "unpriced", "hits", "cost", "prompt_tokens", "completion_tokens"),
    *("total_us", "last_at", "first_at"),
)
"""The columns of a cell that are not its key; all are added up but the last two, the highest and the lowest."""
BUCKETS = 41 * 16
"""The highest bucket of a latency: 200 days and more."""

Key = tuple[str | int, ...]


def fold(connection: Connection, records: Sequence[Record]) -> None:
    """Add records, each of which is given once. In sorted order, so that two writers do not wait for each other in a
    circle."""
    sums: dict[Key, list[int]] = {}
    spread: dict[Key, int] = {}
    for record, measured, steps in _alike(records):
        hour, status = record.created_at // HOUR * HOUR, record.status
        workspace, cached = clean(record.workspace, 64), clean(record.cache_status, 32)
        for dimension, value in dimensions(record):
            key: Key = (dimension, workspace, hour, value, *TOGETHER)
            if dimension in SPREAD:
                # Of a dimension's value there are too few requests to tell outcomes apart in each bucket.
                here: Key = key[:6] if dimension else ("", workspace, hour, "", status, cached)
                for step, count in steps.items():
                    spread[*here, step] = spread.get((*here, step), 0) + count
                key = (dimension, workspace, hour, value, status, cached, _retries(record))
            found = sums.get(key)
            if found is None:
                sums[key] = [*measured]
            else:
                _add(found, measured)
    _upsert(connection, cells, [(*key, *found) for key, found in sorted(sums.items())])
    _upsert(connection, latencies, [(*key, count) for key, count in sorted(spread.items())])


def _alike(records: Sequence[Record]) -> Iterable[tuple[Record, list[int], dict[int, int]]]:
    """Records that add to the same cells, together: one of them, what they add up to, and the buckets of their latency
    with the number of each. Most of a moment's traffic is alike."""
    found: dict[tuple[object, ...], tuple[Record, list[int], dict[int, int]]] = {}
    for record in records:
        measured, step = _measured(record), bucket(record.total_us)
        kind = (
            *(record.created_at // HOUR, record.workspace, record.status, record.cache_status, _retries(record)),
            *(record.api_key, record.virtual_key, record.config, record.provider, record.model, record.prompt),
            *(record.user, tuple(record.metadata.items())),
        )
        known = found.get(kind)
        if known is None:
            found[kind] = record, [*measured], {step: 1}
        else:
            _add(known[1], measured)
            known[2][step] = known[2].get(step, 0) + 1
    return found.values()


def _retries(record: Record) -> int:
    """Those that a success needed."""
    return record.retries if record.retries > 0 and record.ok else 0


def dimensions(record: Record) -> Iterator[tuple[str, str]]:
    """The dimensions in which a record has a value, with it; as the rows of the log have them."""
    yield "", ""
    for dimension, value in (
        ("api_key", clean(record.api_key, 64)),
        ("virtual_key", clean(record.virtual_key)),
        ("config", clean(record.config)),
        ("provider", clean(record.provider, 64)),
        ("model", model(record)),
        ("prompt", clean(record.prompt)),
        ("user", clean(record.user)),
    ):
        if value:
            yield dimension, value
    if record.metadata:
        metadata = {clean(key): clean(value) for key, value in islice(record.metadata.items(), MAX_METADATA)}
        for key, value in metadata.items():
            if value:
                yield METADATA + key, value


def model(record: Record) -> str:
    """Provider and model in one, as the API filters by them: `openai__gpt-4o`; empty where no provider was asked."""
    return f"{clean(record.provider, 64)}__{clean(record.model)}" if record.provider else ""


def unpriced(record: Record) -> bool:
    """Whether tokens were consumed whose price is not known."""
    return record.cost is None and record.usage is not None and record.usage.total > 0


def bucket(us: int) -> int:
    """The bucket of a latency: 16 for each doubling, so that `middle` is at most 3.2 % off."""
    shift = max(0, us.bit_length() - 5)
    return min(shift * 16 + (us >> shift), BUCKETS)


def middle(bucket: int) -> float:
    """us in the middle of a bucket."""
    shift = max(0, bucket // 16 - 1)
    return ((bucket - shift * 16) << shift) + ((1 << shift) - 1) / 2


def forget(connection: Connection, before: int) -> None:
    """Delete what is about hours that had ended by `before`, ms since the epoch."""
    for table in (cells, latencies):
        connection.execute(delete(table).where(table.c.hour <= before - HOUR))


def _measured(record: Record) -> tuple[int, ...]:
    """What a record adds to a cell: in the order of `SUMS`."""
    prompt, completion = (record.usage.prompt, record.usage.completion) if record.usage else (0, 0)
    flags = (not record.ok, record.fell_back, unpriced(record), record.cache_status in HITS)
    numbers = (record.cost or 0, prompt, completion, record.total_us, record.created_at, record.created_at)
    return (1, *map(int, flags), *numbers)


def _add(found: list[int], measured: Sequence[int]) -> None:
    """One by one: this is done for each record."""
    requests, errors, fallbacks, missing, hits, cost, prompt, completion, us, last, first = measured
    found[0] += requests
    if errors or fallbacks or missing or hits:
        found[1] += errors
        found[2] += fallbacks
        found[3] += missing
        found[4] += hits
    found[5] += cost
    found[6] += prompt
    found[7] += completion
    found[8] += us
    found[9] = max(found[9], last)
    found[10] = min(found[10], first)


def _upsert(connection: Connection, table: Table, rows: list[tuple[str | int, ...]]) -> None:
    if rows:
        # Past the statement compiler, which would take longer than the database.
        connection.exec_driver_sql(_adding(table, "?" if connection.dialect.paramstyle == "qmark" else "%s"), rows)


@cache
def _adding(table: Table, mark: str) -> str:
    """A row added, or its sums to those that are there. The same words to both databases."""
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key]
    name = table.name
    bounds = {"last_at": ">", "first_at": "<"}
    changes = [f"{sum} = {name}.{sum} + excluded.{sum}" for sum in names if sum not in keys and sum not in bounds]
    for bound, beyond in bounds.items():
        if bound in names:
            farther = f"excluded.{bound} {beyond} {name}.{bound}"
            changes.append(f"{bound} = CASE WHEN {farther} THEN excluded.{bound} ELSE {name}.{bound} END")
    return (
        f"INSERT INTO {name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))}) "  # noqa: S608 (our names)
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(changes)}"
    )
