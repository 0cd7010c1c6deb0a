"""What is asked of analytics: query parameters, portkey-api.md 7.6, as the question that the store answers."""

import re
import time
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

import msgspec

from gatekey.admin.route import Query
from gatekey.admin.visit import Visit, milliseconds
from gatekey.errors import BadBody, BadHeader, NotFound
from gatekey.store.analytics import ORDERS, Page, Question
from gatekey.store.logs import MAX_METADATA, Filters, clean

HOUR, DAY = 3_600_000, 86_400_000
"""ms."""
SPAN = DAY
"""ms that are asked about where a range is not given."""
EARLIEST, LATEST = 946_684_800_000, 4_102_444_800_000
"""The years 2000 to 2099, in ms since the epoch."""
STEPS = {"minute": 60_000, "hour": HOUR, "day": DAY, "week": 7 * DAY}
"""Buckets, in ms."""
POINTS = 1500
"""Buckets of a graph."""
USUAL = (
    (2 * HOUR, STEPS["minute"]),
    (14 * DAY, HOUR),
    (400 * DAY, DAY),
    (POINTS * STEPS["week"], STEPS["week"]),
    (LATEST, 52 * STEPS["week"]),
)
"""Up to which range which bucket is taken where none is named; both in ms."""
VALUES = 100
"""Values of a list in a parameter."""
CENT = 10_000_000
"""Nano-dollars."""
CENTS = Decimal(10**11)
"""The highest bound of a cost: in nano-dollars it fits a column."""

RANGES = {
    "total_units": "total_tokens",
    "prompt_token": "prompt_tokens",
    "completion_token": "completion_tokens",
}
LISTS = {
    "status_code": "status",
    "virtual_keys": "virtual_key",
    "configs": "config",
    "api_key_ids": "api_key",
    "ai_org_model": "model",
    "trace_id": "trace_id",
    "span_id": "span_id",
    "prompt_slug": "prompt",
    "cache_status": "cache_status",
}
"""Parameters that list values by commas."""

_NUMBER: dict[str, Any] = {"type": "number"}
_MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}

PARAMETERS = (
    Query("workspace_slug", "Slug or id of a workspace. Else the key's own; an organisation's key asks about all."),
    Query("time_of_generation_min", "From this moment on. Else a day before the end.", _MOMENT),
    Query("time_of_generation_max", "Before this moment. Else now.", _MOMENT),
    *(
        Query(f"{name}_{end}", f"{'At least' if end == 'min' else 'At most'} so many tokens.", {"type": "integer"})
        for name in RANGES
        for end in ("min", "max")
    ),
    Query("cost_min", "At least so many cents.", _NUMBER),
    Query("cost_max", "At most so many cents.", _NUMBER),
    Query("weighted_feedback_min", "The average weighted feedback of the trace is at least this.", _NUMBER),
    Query("weighted_feedback_max", "It is at most this.", _NUMBER),
    *(Query(name, "Any of these, by commas.") for name in LISTS),
    Query("metadata", 'JSON such as {"team": "search"}: metadata that a request has.'),
)
STEP = Query("step", "Buckets of a graph. Else what suits the range.", {"type": "string", "enum": list(STEPS)})
PAGE = (
    Query("current_page", "Page, from 0.", {"type": "integer", "minimum": 0}),
    Query("page_size", "Rows on a page.", {"type": "integer", "minimum": 1, "maximum": 1000}),
    Query("order_by", "What comes first: the most of this.", {"type": "string", "enum": list(ORDERS)}),
    Query("order_by_type", "`asc`: the least comes first.", {"type": "string", "enum": ["asc", "desc"]}),
)

_spaced = re.compile(r" (?=\d\d:?\d\d$)")
"""An offset whose plus sign was not escaped, and so became a space."""


async def question(visit: Visit, *, stepped: bool = False) -> Question:
    """What is asked, in buckets where it is `stepped`. Raises `BadHeader` naming the parameter, and `Forbidden`."""
    since, until = span(visit.query, int(time.time() * 1000) + 1)
    filters = read(visit.query)
    filters.workspace = await _workspace(visit)
    return Question(since, until, _step(visit.query, until - since) if stepped else 0, filters)


def page(visit: Visit) -> Page:
    """Which page of groups is asked for. Raises `BadHeader` naming the parameter."""
    order, way = visit.query.get("order_by", ""), visit.query.get("order_by_type", "").lower()
    if order and order not in ORDERS:
        raise _bad("order_by", f"one of {', '.join(ORDERS)}", order)
    if way not in ("", "asc", "desc"):
        raise _bad("order_by_type", "asc or desc", way)
    return Page(*visit.page(), order or "requests", way == "asc")


def span(query: Mapping[str, str], now: int) -> tuple[int, int]:
    """From when and until when, in ms since the epoch."""
    first, last = (moment(query, f"time_of_generation_{end}") for end in ("min", "max"))
    until = last if last is not None else max(now, first + 1 if first is not None else 0)
    since = first if first is not None else max(until - SPAN, EARLIEST)
    if since >= until:
        name = "time_of_generation_max"
        raise BadHeader(f"{name}: it must be later than time_of_generation_min.", param=name)
    return since, until


def read(query: Mapping[str, str]) -> Filters:
    """Which requests are asked for, but for their workspace and time. Raises `BadHeader` naming the parameter."""
    least, most = ({**_tokens(query, end), **_cost(query, end)} for end in ("min", "max"))
    low, high = (_rating(query, f"weighted_feedback_{end}") for end in ("min", "max"))
    among = {name: values for parameter, name in LISTS.items() if (values := _list(query, parameter))}
    return Filters(least=least, most=most, among=among, metadata=_metadata(query), feedback=(low, high))


def metadata_key(key: str, name: str) -> str:
    """A key that can be asked for. Raises `BadHeader` where SQLite cannot look for it."""
    if any(mark in '"\\' or ord(mark) < 32 for mark in key):
        raise BadHeader(f"{name}: keys with quotes, backslashes or control characters are not looked for.", param=name)
    return clean(key)


async def _workspace(visit: Visit) -> str:
    given = visit.query.get("workspace_slug")
    if not given and not visit.principal.workspace:
        return ""
    try:
        return await visit.workspace(given)
    except NotFound:
        visit.inside(given)  # whether there is one is nobody else's business
        raise BadHeader(f"workspace_slug: there is no workspace {str(given)[:60]!r}.", param="workspace_slug") from None


def _step(query: Mapping[str, str], span: int) -> int:
    name = query.get("step", "")
    if not name:
        return next(step for most, step in USUAL if span <= most)
    if name not in STEPS:
        raise _bad("step", f"one of {', '.join(STEPS)}", name)
    if span > POINTS * STEPS[name]:
        raise BadHeader(f"step: the range has more than {POINTS} times a {name}; ask for longer ones.", param="step")
    return STEPS[name]


def moment(query: Mapping[str, str], name: str) -> int | None:
    """A parameter's moment, in ms since the epoch; None where it is not given. Raises `BadHeader`."""
    try:
        found = milliseconds(_spaced.sub("+", query.get(name, "")), name)
    except (BadBody, OverflowError) as failure:
        raise BadHeader(str(failure), param=name) from None
    if found is not None and not EARLIEST <= found <= LATEST:
        raise _bad(name, "a moment from 2000 to 2099", query[name])
    return found


def _tokens(query: Mapping[str, str], end: str) -> dict[str, int]:
    found = {}
    for parameter, column in RANGES.items():
        given = query.get(f"{parameter}_{end}", "")
        if given:
            if not (given.isascii() and given.isdigit() and len(given) < 17):
                raise _bad(f"{parameter}_{end}", "a number of tokens", given)
            found[column] = int(given)
    return found


def _cost(query: Mapping[str, str], end: str) -> dict[str, int]:
    name = f"cost_{end}"
    given = query.get(name, "")
    if not given:
        return {}
    try:
        cents = Decimal(given)
    except InvalidOperation:
        cents = Decimal("NaN")
    if not (cents.is_finite() and 0 <= cents <= CENTS):
        raise _bad(name, "a number of cents", given)
    rounding = ROUND_CEILING if end == "min" else ROUND_FLOOR
    return {"cost": int((cents * CENT).to_integral_value(rounding))}


def _rating(query: Mapping[str, str], name: str) -> float | None:
    given = query.get(name, "")
    if not given:
        return None
    try:
        found = float(given)
    except ValueError:
        found = float("nan")
    if not -10 <= found <= 10:
        raise _bad(name, "a number from -10 to 10", given)
    return found


def _list(query: Mapping[str, str], name: str) -> list[str]:
    given = query.get(name, "")
    found = list(dict.fromkeys(value.strip() for value in given.split(",") if value.strip()))
    if given and not 0 < len(found) <= VALUES:
        raise _bad(name, f"up to {VALUES} values by commas", given)
    if name == "status_code" and not all(code.isascii() and code.isdigit() and len(code) == 3 for code in found):
        raise _bad(name, "statuses such as 200,429", given)
    if name == "ai_org_model" and not all("__" in model for model in found):
        raise _bad(name, "provider and model such as openai__gpt-4o", given)
    return [value.upper().replace("_", " ") for value in found] if name == "cache_status" else found


def _metadata(query: Mapping[str, str]) -> dict[str, str]:
    given = query.get("metadata", "")
    if not given:
        return {}
    try:
        found = msgspec.json.decode(given, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise _bad("metadata", 'JSON such as {"team": "search"}', given) from None
    if len(found) > MAX_METADATA:
        raise _bad("metadata", f"at most {MAX_METADATA} keys", given)
    return {metadata_key(key, "metadata"): clean(value) for key, value in found.items()}


def _bad(name: str, wanted: str, given: str) -> BadHeader:
    return BadHeader(f"{name}: expected {wanted}, got {given[:60]!r}.", param=name)
