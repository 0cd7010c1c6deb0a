"""The queries of conditional routing, compiled once.

Pure: what a query asks about (`metadata.plan`, `params.max_tokens`, `url.pathname`) is looked up by the function
that it is given. A query that cannot be understood is refused when it is parsed, never silently false.

Several keys of a query, and several operators of a key, must all hold. A plain value means `$eq`.

    $eq $ne $in $nin         equality as in JSON: 1 is 1.0; true is not 1, "1" is not 1
    $gt $gte $lt $lte        against a number (or a text that spells one, as metadata are texts): the value must be
                             a number too, or spell one; against any other text: by code point, as fits ISO dates
    $regex                   found anywhere in a text; RE2 syntax, so no lookaround and no back-references
    $and $or                 lists of queries

`$ne` and `$nin` hold for a missing key, every other operator fails.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from operator import ge, gt, le, lt
from typing import Any, Final, cast

import msgspec
import re2

from gatekey.errors import BadConfig

MAX_DEPTH: Final = 20
"""Queries within queries."""
MAX_TERMS: Final = 1000
"""Comparisons in one query."""
MAX_PATTERN: Final = 4096
"""Characters of a regular expression."""


class Missing(Enum):
    """What a lookup gives where there is nothing: null is a value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
Lookup = Callable[[str], Any]
Test = Callable[[Any], bool]

_number = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_engine = cast("Any", re2)  # it has no types
_options = _engine.Options()
_options.log_errors = False  # else it writes to stderr


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled query; `text` is its JSON."""

    text: str
    _test: Callable[[Lookup], bool] = field(repr=False, compare=False)

    def holds(self, lookup: Lookup) -> bool:
        """Whether the query is true; `lookup` is given `metadata.plan` and gives the value or MISSING."""
        return self._test(lookup)


def parse(query: Any, path: str) -> Condition:
    """Compile a decoded query. Raises `BadConfig`, whose `param` is the place below `path`."""
    return Condition(msgspec.json.encode(query).decode(), _Parser().query(query, path, 1))


def check_key(key: str, path: str) -> None:
    """Refuse what is not `metadata.<key>`, `params.<key>` or `url.pathname`. Raises `BadConfig`."""
    root, dot, name = key.partition(".")
    if not (dot and name and "." not in name and (root in ("metadata", "params") or key == "url.pathname")):
        raise _bad(path, "expected metadata.<key>, params.<key> or url.pathname")


def _bad(path: str, text: str) -> BadConfig:
    return BadConfig(f"{path}: {text}", param=path)


class _Parser:
    """Counts the terms of one query."""

    def __init__(self) -> None:
        self._terms = 0

    def query(self, query: Any, path: str, depth: int) -> Callable[[Lookup], bool]:
        if not isinstance(query, Mapping) or not query:
            raise _bad(path, "expected an object with at least one condition")
        if depth > MAX_DEPTH:
            raise _bad(path, f"nested deeper than {MAX_DEPTH}")
        tests = []
        for key, asked in query.items():
            place = f"{path}.{key}"
            if key in ("$and", "$or"):
                tests.append(self._group(key, asked, place, depth))
            else:
                _check_root(key, place)
                tests.append(_about(key, self._comparisons(asked, place)))
        return _every(tests)

    def _group(self, key: str, queries: Any, path: str, depth: int) -> Callable[[Lookup], bool]:
        if not isinstance(queries, list) or not queries:
            raise _bad(path, "expected a list of at least one query")
        tests = [self.query(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(queries)]
        if key == "$and":
            return _every(tests)
        return lambda lookup: any(test(lookup) for test in tests)

    def _comparisons(self, asked: Any, path: str) -> Test:
        if not isinstance(asked, Mapping):
            self._count(1, path)
            return _eq(asked, path)
        if not asked:
            raise _bad(path, "expected a value or at least one operator")
        self._count(len(asked), path)
        tests = []
        for operator, operand in asked.items():
            place, make = f"{path}.{operator}", _OPERATORS.get(operator)
            if make is None:
                near = get_close_matches(operator[:60], _OPERATORS, 1)
                raise _bad(place, "unknown operator" + (f'; did you mean "{near[0]}"?' if near else ""))
            tests.append(make(operand, place))
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def _count(self, terms: int, path: str) -> None:
        self._terms += terms
        if self._terms > MAX_TERMS:
            raise _bad(path, f"more than {MAX_TERMS} comparisons in one query")


def _check_root(key: str, path: str) -> None:
    if key.startswith("$"):
        near = get_close_matches(key[:60], ("$and", "$or"), 1)
        raise _bad(path, "unknown operator here" + (f'; did you mean "{near[0]}"?' if near else ""))
    check_key(key, path)


def _every(tests: list[Callable[[Lookup], bool]]) -> Callable[[Lookup], bool]:
    return tests[0] if len(tests) == 1 else lambda lookup: all(test(lookup) for test in tests)


def _about(key: str, test: Test) -> Callable[[Lookup], bool]:
    return lambda lookup: test(lookup(key))


def _same(one: Any, other: Any) -> bool:
    """Strict equality of JSON scalars. Python alone would hold True for 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return isinstance(one, str | int | float | None) and one == other


def _scalar(operand: Any, path: str) -> Any:
    if not isinstance(operand, str | int | float | None):
        raise _bad(path, "expected a text, a number, true, false or null")
    return operand


def _scalars(operand: Any, path: str) -> list[Any]:
    if not isinstance(operand, list):
        raise _bad(path, "expected a list of values")
    return [_scalar(item, f"{path}[{index}]") for index, item in enumerate(operand)]


def _eq(operand: Any, path: str) -> Test:
    wanted = _scalar(operand, path)
    return lambda value: value is not MISSING and _same(value, wanted)


def _ne(operand: Any, path: str) -> Test:
    equal = _eq(operand, path)
    return lambda value: not equal(value)


def _in(operand: Any, path: str) -> Test:
    wanted = _scalars(operand, path)
    return lambda value: value is not MISSING and any(_same(value, item) for item in wanted)


def _nin(operand: Any, path: str) -> Test:
    among = _in(operand, path)
    return lambda value: not among(value)


def _as_number(value: Any) -> int | float | None:
    if isinstance(value, str):
        return float(value) if len(value) <= 400 and _number.fullmatch(value) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _order(compare: Callable[[Any, Any], bool]) -> Callable[[Any, str], Test]:
    def make(operand: Any, path: str) -> Test:
        bound = _as_number(operand)
        if bound is not None:
            return lambda value: (number := _as_number(value)) is not None and compare(number, bound)
        if not isinstance(operand, str):
            raise _bad(path, "expected a number or a text")
        return lambda value: isinstance(value, str) and compare(value, operand)

    return make


def _regex(operand: Any, path: str) -> Test:
    if not isinstance(operand, str) or len(operand) > MAX_PATTERN:
        raise _bad(path, f"expected a regular expression of at most {MAX_PATTERN} characters")
    try:
        # Bytes on both sides: a text with half a surrogate pair cannot be given to the engine as it is.
        pattern = _engine.compile(operand.encode("utf-8", "replace"), _options)
    except _engine.error as error:
        reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise _bad(path, f"not a regular expression of RE2 (no lookaround, no back-references): {reason}") from None
    return lambda value: isinstance(value, str) and pattern.search(value.encode("utf-8", "replace")) is not None


_OPERATORS: Final[dict[str, Callable[[Any, str], Test]]] = {
    "$eq": _eq,
    "$ne": _ne,
    "$in": _in,
    "$nin": _nin,
    "$regex": _regex,
    "$gt": _order(gt),
    "$gte": _order(ge),
    "$lt": _order(lt),
    "$lte": _order(le),
}
