"""Policies as bodies name them (portkey-api.md 3.5): which requests they are for, what is counted apart, and how much.

A lone `*` means whatever there is, and nothing too: nobody gets past a policy by leaving out what it looks at.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from gatekey.admin import credentials
from gatekey.admin.limits import (
    Amount,
    Counts,
    Days,
    Period,
    RateLimit,
    Unit,
    UsageLimit,
    Value,
    anew,
    begun,
    budget,
    rate,
    said,
    told_budget,
    told_rate,
)
from gatekey.admin.route import Answer
from gatekey.admin.visit import moment
from gatekey.catalog import Catalog
from gatekey.errors import BadBody, NotAvailable
from gatekey.limits import policy
from gatekey.limits.limit import Limit
from gatekey.limits.policy import KEYS, METADATA
from gatekey.store import limits, policies
from gatekey.store.rows import Row

EVERYTHING = "*"
LATER = ("mcp_server", "mcp_tool")
"""Documented keys of what the gateway does not serve."""

Key = Annotated[str, Meta(min_length=1, max_length=137)]
Text = Annotated[str, Meta(min_length=1, max_length=1024)]
Texts = Annotated[list[Text], Meta(max_length=100)]
Name = Annotated[str, Meta(max_length=255)]


class Condition(Struct, forbid_unknown_fields=True):
    """What a request must be. `value`: it fits one of these; `excludes`: none of these, or, true, none of `value`."""

    key: Key
    value: Text | Annotated[list[Text], Meta(min_length=1, max_length=100)]
    excludes: Text | Texts | bool | None = None


class Group(Struct, forbid_unknown_fields=True):
    """What is counted apart, value by value."""

    key: Key


Conditions = Annotated[list[Condition], Meta(max_length=20)]
Groups = Annotated[list[Group], Meta(max_length=10)]
Target = Literal["llm", "mcp_tools"]


class NewUsage(Struct, forbid_unknown_fields=True):
    """A budget for requests that have something in common. `credit_limit` 0: none of them."""

    conditions: Conditions
    group_by: Groups
    credit_limit: Amount
    type: Counts = "cost"
    name: Name | None = None
    alert_threshold: Amount | None = None
    periodic_reset: Period | None = None
    periodic_reset_days: Days | None = None
    allow_unpriced: bool = False
    target: Target | None = None
    workspace_id: str | None = None
    organisation_id: str | None = None


class NewRate(Struct, forbid_unknown_fields=True):
    """A rate for requests that have something in common. `value` 0: none of them."""

    conditions: Conditions
    group_by: Groups
    unit: Unit
    value: Value
    type: Literal["requests", "tokens"] = "requests"
    name: Name | None = None
    target: Target | None = None
    workspace_id: str | None = None
    organisation_id: str | None = None


class ChangedUsage(Struct, forbid_unknown_fields=True):
    """What to change of a budget; with another `type` its `credit_limit` is needed, and its threshold goes."""

    name: Name | UnsetType | None = UNSET
    conditions: Conditions | UnsetType = UNSET
    group_by: Groups | UnsetType = UNSET
    credit_limit: Amount | UnsetType = UNSET
    type: Counts | UnsetType = UNSET
    alert_threshold: Amount | UnsetType | None = UNSET
    periodic_reset: Period | UnsetType | None = UNSET
    periodic_reset_days: Days | UnsetType | None = UNSET
    allow_unpriced: bool | UnsetType = UNSET
    target: Target | None = None
    reset_usage: bool | None = None


class ChangedRate(Struct, forbid_unknown_fields=True):
    """What to change of a rate."""

    name: Name | UnsetType | None = UNSET
    conditions: Conditions | UnsetType = UNSET
    group_by: Groups | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    value: Value | UnsetType = UNSET
    type: Literal["requests", "tokens"] | UnsetType = UNSET
    target: Target | None = None


def limiting(asked: Any) -> limits.Revise:
    """What a body makes of a policy's limit; a new policy has none. Raises `BadBody` naming the field."""
    new = None if isinstance(asked, ChangedUsage | ChangedRate) else _limit(asked, {})

    def revise(old: list[Limit], now: int) -> list[Limit]:
        made = begun(new or _limit(asked, _kept(asked, old[0])), old, now)
        return [anew(made, now) if getattr(asked, "reset_usage", None) else made]

    return revise


def columns(asked: Any, catalog: Catalog) -> Row:
    """The other columns that a body names. Raises `BadBody` or `NotAvailable`, naming the field."""
    if asked.target == "mcp_tools":
        raise NotAvailable("target: limits of tools are not available yet: it is llm.", param="target")
    found: Row = {}
    if asked.name is not UNSET:
        found["name"] = asked.name or ""
    if asked.conditions is not UNSET:
        found["conditions"] = [_condition(one, f"conditions[{at}]", catalog) for at, one in enumerate(asked.conditions)]
    if asked.group_by is not UNSET:
        found["group_by"] = list(_groups(asked.group_by))
    return found


def told(row: Row, now: int) -> Answer:
    """A policy as the API shows it, `now` being in ms."""
    shown = policies.policy(row)
    limit = shown.limit
    return {
        "id": row["id"],
        "name": row["name"],
        "status": "archived" if row["deleted"] else "active",
        "conditions": [_told(condition) for condition in shown.conditions],
        "group_by": [{"key": key} for key in shown.group_by],
        "target": "llm",
        **(told_rate(limit) if limit.per else told_budget(limit, now)),
        "workspace_id": row["workspace_id"],
        "created_at": moment(row["created_at"]),
        "last_updated_at": moment(row["last_updated_at"]),
        "object": f"policy_{row['kind']}_limits",
    }


def _limit(asked: Any, kept: dict[str, Any]) -> Limit:
    """The limit of a body, over what it leaves as it was."""
    kind = RateLimit if isinstance(asked, NewRate | ChangedRate) else UsageLimit
    named = (name for name in kind.__struct_fields__ if hasattr(asked, name))
    given = {name: value for name in named if (value := getattr(asked, name)) is not UNSET}
    made = kind(**(kept | given))
    return rate(made) if isinstance(made, RateLimit) else budget(made, "", least=0)


def _kept(asked: Any, old: Limit) -> dict[str, Any]:
    """What a change leaves of a limit, where it names nothing else. Raises `BadBody`."""
    if old.per:
        return told_rate(old)
    kept = said(old)
    if asked.periodic_reset or asked.periodic_reset_days:
        kept |= {"periodic_reset": None, "periodic_reset_days": None}
    if asked.type not in (UNSET, old.counts):
        if asked.credit_limit is UNSET:
            raise BadBody("credit_limit: send it too, as type changes.", param="credit_limit")
        kept["alert_threshold"] = None
    return kept


def _condition(asked: Condition, place: str, catalog: Catalog) -> policy.Condition:
    _known(asked.key, f"{place}.key")
    if asked.key == "organisation_id":
        return policy.Condition(asked.key)  # there is one
    values = _values(asked.value, asked.key, f"{place}.value", catalog)
    if asked.excludes is True:
        return policy.Condition(asked.key, (), values)
    excluded = _values(asked.excludes or (), asked.key, f"{place}.excludes", catalog)
    return policy.Condition(asked.key, () if EVERYTHING in values else values, excluded)


def _values(asked: str | Sequence[str], key: str, place: str, catalog: Catalog) -> tuple[str, ...]:
    """Values as facts have them. Raises `BadBody` where one is none."""
    given = (asked,) if isinstance(asked, str) else tuple(asked)
    if key == "virtual_key":
        return tuple(value.removeprefix("@") for value in given)
    if key != "provider":
        return given
    for value in given:
        if value.startswith("@"):
            raise BadBody(f"{place}: {value[:60]!r} is a stored provider: its key is virtual_key.", param=place)
    return tuple(value if "*" in value else credentials.slug_of(catalog, value, place) for value in given)


def _groups(asked: Sequence[Group]) -> Iterator[str]:
    seen = set()
    for at, group in enumerate(asked):
        place = f"group_by[{at}].key"
        _known(group.key, place)
        if group.key in seen:
            raise BadBody(f"{place}: {group.key!r} is there already.", param=place)
        seen.add(group.key)
        yield group.key


def _known(key: str, place: str) -> None:
    if key in LATER:
        raise NotAvailable(f"{place}: {key} is not available yet.", param=place)
    if key not in KEYS and not (key.startswith(METADATA) and len(key) > len(METADATA)):
        known = ", ".join((*KEYS, f"{METADATA}*"))
        raise BadBody(f"{place}: there is no key {key!r}, only {known}.", param=place)


def _told(condition: policy.Condition) -> Answer:
    """A condition in the words of a body."""
    shown: Answer = {"key": condition.key, "value": _one_or_several(condition.values or (EVERYTHING,))}
    return shown | ({"excludes": _one_or_several(condition.excluded)} if condition.excluded else {})


def _one_or_several(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
