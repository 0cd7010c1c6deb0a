"""Policies: a limit for all requests that have something in common, with one counter for each distinct group of them.

Facts are what is known of an attempt, flat: a key of `KEYS`, or `metadata.` and a name -> its value. What is not known
is missing, or empty, which is the same.
"""

import hashlib
from collections.abc import Mapping
from urllib.parse import quote

from msgspec import Struct, field
from msgspec.structs import replace

from gatekey.limits.limit import Limit

KEYS = (
    "api_key", "workspace_id", "organisation_id", "virtual_key", "provider", "config", "prompt", "model",
    "endpoint_type",
)  # fmt: skip
"""What may be known of an attempt, besides metadata. `model` is the bare name that the provider is asked for."""
METADATA = "metadata."
ORGANISATION = "organisation_id"
"""There is one organisation, whatever it is called: every request is of it."""

MAX_GROUPS = 100_000
"""Counters of one policy that a worker tells apart; groups that it meets beyond them share one."""
MAX_GROUP = 300
"""Characters of a group's name; of a longer one the rest is a digest."""
REST = "#rest"
"""The group of all groups beyond the bound. No value makes a name with this mark."""

Facts = Mapping[str, str]


class Condition(Struct, frozen=True, omit_defaults=True):
    """What one fact must be: one of `values` and none of `excluded`; `*` in either stands for any characters.

    No `values`: whatever is not excluded, missing facts too.
    """

    key: str
    values: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class Policy(Struct, frozen=True):
    """A limit, and which requests it is for. Every condition must hold.

    `group_by`: facts whose every combination is counted apart; a missing one is a value too, so that nobody gets
    past a policy by leaving it out. `limit.account` is the policy's own, which groups add theirs to. `resets`: ids
    of groups -> when their usage was reset, in ms.
    """

    id: str
    limit: Limit
    conditions: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    resets: dict[str, int] = {}
    _known: dict[str, Limit] = field(default_factory=dict)
    _met: dict[tuple[str, ...], Limit] = field(default_factory=dict)

    def applied(self, facts: Facts) -> Limit | None:
        """The limit that an attempt falls under; None: the policy is not for it."""
        for condition in self.conditions:
            if not holds(condition, facts):
                return None
        values = tuple([facts.get(key) or "" for key in self.group_by])
        return self._met.get(values) or self._meet(values, facts)

    def _meet(self, values: tuple[str, ...], facts: Facts) -> Limit:
        """The same for values that are new here. Short ones are found without making a name of them again."""
        name = group(self.group_by, facts)
        if name not in self._known and len(self._known) >= MAX_GROUPS:
            name = REST
        if name not in self._known:
            self._known[name] = self.counter(name)
        if len(self._met) < MAX_GROUPS and sum(map(len, values)) <= MAX_GROUP:
            self._met[values] = self._known[name]
        return self._known[name]

    def counter(self, name: str) -> Limit:
        """The limit of one group."""
        since = max(self.limit.since, self.resets.get(group_id(name), 0)) if self.resets else self.limit.since
        return replace(self.limit, account=f"{self.limit.account}/{name}", since=since)


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether an attempt is as a condition wants it."""
    if condition.key == ORGANISATION:
        return bool(condition.values) or not condition.excluded
    value = facts.get(condition.key)
    if not value:
        return not condition.values
    place = _at(value, facts) if condition.key == "model" else value
    if condition.values and not any(_fits(wanted, value, place) for wanted in condition.values):
        return False
    return not any(_fits(unwanted, value, place) for unwanted in condition.excluded)


def group(keys: tuple[str, ...], facts: Facts) -> str:
    """The name of a group: printable ASCII without a slash, at most `MAX_GROUP` characters, one for each combination.

    Without keys there is one group, `*`.
    """
    whole = ",".join(f"{_escaped(key)}:{_escaped(facts.get(key) or '')}" for key in keys) or "*"
    if len(whole) <= MAX_GROUP:
        return whole
    return f"{whole[: MAX_GROUP - 33]}#{group_id(whole)}"


def group_id(name: str) -> str:
    """What a group is called in paths."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _escaped(text: str) -> str:
    """Without what could end a value, or cannot be printed: two combinations never have one name."""
    return quote(text, " @:+=|()!$", errors="surrogatepass")


def _at(model: str, facts: Facts) -> str:
    """A model as a request may name it: `@provider/model`."""
    if model.startswith("@"):
        return model
    return f"@{facts.get('virtual_key') or facts.get('provider') or ''}/{model}"


def _fits(pattern: str, value: str, place: str) -> bool:
    """Whether a pattern describes a value; of models, `@provider/model` too, however the request named them."""
    if pattern.startswith("@"):
        value = place
    first, *rest = pattern.split("*")
    if not rest:
        return value == pattern
    if not value.startswith(first):
        return False
    *middle, last = rest
    at = len(first)
    for part in middle:
        at = value.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(value) - at >= len(last) and value.endswith(last)
