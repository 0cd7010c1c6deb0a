"""What a worker counts of its requests. Labels take few values: what callers invent is folded into `other`.

A record is only put into a list while its answer is under way; `fold` counts what is in it, later.
"""

from bisect import bisect_left
from collections.abc import Callable
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import astuple

from gatekey.observe import families
from gatekey.observe.families import Family
from gatekey.observe.record import NOTHING, Record, Tried
from gatekey.wire.usage import Usage

OTHER = "other"
MANY = 64
"""Records that wait to be counted: that many are counted at once."""
MODELS = 200
"""Models that are told apart."""
ROWS = 1000
"""Different sets of a request's labels that are told apart; one more is all `other`."""
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
CODES = {code: str(code) for code in (*map(int, HTTPStatus), 246, 446, 499, 529)}
REFUSALS = frozenset({"budget_exhausted", "unpriced_model", "rate_limited", "ledger_down", "overloaded"})
"""Codes of errors that say that a limit, a budget or a bound is reached."""
CACHE = {"HIT": "hit", "SEMANTIC HIT": "hit", "MISS": "miss", "SEMANTIC MISS": "miss", "REFRESH": "miss"}
"""`x-portkey-cache-status` -> the label; `disabled` for any other."""

Row = tuple[str, ...]
Counts = dict[str, dict[Row, list[int]]]
"""Family -> labels' values -> a number, or a histogram: one for each bucket, one beyond them, and the sum of values."""

_TOKENS = Usage.__struct_fields__[: Usage.__struct_fields__.index("images")]
"""Fields of a usage that are classes of tokens: its first ones."""


_Usual = tuple[Row, list[int], list[int], list[int], list[int], list[int]]
_HTTP, _WHOLE, _OWN, _OVERHEAD = (
    family.bounds for family in (families.HTTP, families.WHOLE, families.OWN, families.OVERHEAD)
)


class Answered(Struct):
    """A request that has no record: it was refused before its caller was known, or is the control plane's.

    `kind` empty: a path that is none.
    """

    method: str
    kind: str
    status: int
    took: int
    """us."""


class Figures:
    """`add` takes records while answers are under way; `soon` is given `fold` whenever many wait."""

    def __init__(self, soon: Callable[[Callable[[], None]], object], *, model: bool = False) -> None:
        """`model`: whether models are told apart in the documented families."""
        self._soon = soon
        self._model = model
        self._waiting: list[Record | Answered] = []
        self._models: set[str] = set()
        self._rows: set[Row] = set()
        self._found: Counts = {family.name: {} for family in families.ALL}
        self._bounds = {family.name: family.bounds for family in families.ALL}
        self._usual: dict[tuple[object, ...], _Usual] = {}

    def add(self, record: Record | Answered) -> None:
        """Count it before long. Its bodies are let go of."""
        if type(record) is Record:
            record.request = record.response = NOTHING
        self._waiting.append(record)
        if len(self._waiting) == MANY:
            self._soon(self.fold)

    def fold(self) -> None:
        """Count what waits."""
        waiting, self._waiting = self._waiting, []
        for record in waiting:
            if isinstance(record, Answered):
                self._take_answered(record)
            else:
                self._take(record)

    @property
    def counts(self) -> Counts:
        """What was counted so far."""
        return {name: found for name, found in self._found.items() if found}

    def _count(self, family: Family, row: Row, much: int = 1) -> None:
        """So much more."""
        self._values(family, row)[0] += much

    def _see(self, family: Family, row: Row, value: int) -> None:
        """One more value of a histogram."""
        _seen(self._values(family, row), self._bounds[family.name], value)

    def _values(self, family: Family, row: Row) -> list[int]:
        """The values of one series, which is there from now on."""
        found = self._found[family.name]
        if (values := found.get(row)) is None:
            values = found[row] = [0] * (len(family.buckets) + 2 if family.buckets else 1)
        return values

    def _take(self, record: Record) -> None:
        key = (record.method, record.kind, record.status, record.provider, record.stream, record.cache_status,
               record.model if self._model else "")  # fmt: skip
        usual = self._usual.get(key)
        if usual is None:
            usual = self._make_usual(self._row(record), record)
            if len(self._usual) < ROWS:
                self._usual[key] = usual
        row, requests, http, whole, own, overhead = usual
        requests[0] += 1
        _seen(http, _HTTP, record.total_us)
        _seen(whole, _WHOLE, record.total_us)
        _seen(own, _OWN, record.overhead_us)
        _seen(overhead, _OVERHEAD, record.overhead_us)
        if record.upstream_us:
            self._see(families.LLM, row, record.upstream_us)
        if record.stream and record.first_us and record.ok:
            self._see(families.FIRST, (record.kind, record.provider), record.first_us)
        if record.attempts:
            self._take_attempts(row, record)

    def _make_usual(self, row: Row, record: Record) -> _Usual:
        """What every request of these labels has, ready to be counted."""
        return (
            row,
            self._values(families.REQUESTS, row),
            self._values(families.HTTP, row),
            self._values(families.WHOLE, row),
            self._values(families.OWN, row),
            self._values(families.OVERHEAD, (record.kind, "true" if record.stream else "false")),
        )

    def _take_attempts(self, row: Row, record: Record) -> None:
        if record.cost:
            self._count(families.COST, row, record.cost)
        if record.usage is not None:
            total = 0
            for name, much in zip(_TOKENS, astuple(record.usage), strict=False):
                if much:
                    total += much
                    self._count(families.CLASSES, (record.provider, name), much)
            self._count(families.TOKENS, row, total)
        if not record.priced:
            self._count(families.UNPRICED, ())
        for tried in record.attempts:
            self._take_tried(tried)
        last = record.attempts[-1]
        if began := last.first_us or last.head_us:
            self._see(families.LAST_BYTE, row, last.total_us - began)

    def _take_tried(self, tried: Tried) -> None:
        code = CODES.get(tried.status, OTHER)
        self._count(families.ATTEMPTS, (tried.provider, code, tried.by))
        if tried.refused:
            self.refused(tried.refused)

    def _take_answered(self, answered: Answered) -> None:
        row = self._known(answered.method, answered.kind or OTHER, answered.status, "", "false", "disabled", "")
        self._count(families.REQUESTS, row)
        self._see(families.HTTP, row, answered.took)

    def refused(self, code: str) -> None:
        """Something was refused with this error. Only limits, budgets and bounds count."""
        if code in REFUSALS:
            self._count(families.REFUSALS, (code,))

    def _row(self, record: Record) -> Row:
        model = ""
        if self._model and record.model:
            model = record.model
            if model not in self._models:
                if len(self._models) < MODELS:
                    self._models.add(model)
                else:
                    model = OTHER
        stream = "true" if record.stream else "false"
        cache = CACHE.get(record.cache_status, "disabled")
        return self._known(record.method, record.kind, record.status, record.provider, stream, cache, model)

    def _known(self, method: str, kind: str, status: int, provider: str, stream: str, cache: str, model: str) -> Row:
        """The values of a request's labels."""
        if method not in METHODS:
            method = OTHER
        code = CODES.get(status, OTHER)
        row: Row = (method, kind, code, provider, stream, cache)
        if self._model:
            row = (*row, model)
        if row not in self._rows:
            if len(self._rows) >= ROWS:
                return (OTHER,) * len(row)
            self._rows.add(row)
        return row


def _seen(values: list[int], bounds: list[int], value: int) -> None:
    """One more value of a histogram."""
    values[bisect_left(bounds, value)] += 1
    values[-1] += value
