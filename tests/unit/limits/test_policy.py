"""Which requests a policy is for, and what it counts apart."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.limits import policy as module
from gatekey.limits.limit import Limit
from gatekey.limits.policy import MAX_GROUP, REST, Condition, Policy, group, group_id, holds

LIMIT = Limit("policy/1", "tokens", 100)
FACTS = {"api_key": "k1", "provider": "openai", "virtual_key": "vk", "model": "gpt-4o", "metadata._user": "bob"}


def policy(*conditions: Condition, by: tuple[str, ...] = ()) -> Policy:
    return Policy("1", LIMIT, conditions, by)


@pytest.mark.parametrize(
    ("values", "excluded", "value", "expected"),
    [
        (("bob",), (), "bob", True),
        (("bob",), (), "bobby", False),
        (("bob*",), (), "bobby", True),
        (("*by",), (), "bobby", True),
        (("b*b*",), (), "bobby", True),
        (("b*b*b",), (), "bob", False),
        (("*",), (), "bob", True),
        (("*",), (), "", False),
        (("alice", "bob"), (), "bob", True),
        ((), ("bob",), "bob", False),
        ((), ("bob",), "alice", True),
        ((), ("bob",), "", True),
        ((), (), "", True),
        (("b*",), ("bob",), "bob", False),
        (("b*",), ("bob",), "bill", True),
        (("a.c",), (), "abc", False),
    ],
)
def test_a_condition(values: tuple[str, ...], excluded: tuple[str, ...], value: str, expected: bool) -> None:
    """`*` is any characters, and nothing else is special."""
    assert holds(Condition("metadata._user", values, excluded), {"metadata._user": value}) is expected
    if not value:
        assert holds(Condition("metadata._user", values, excluded), {}) is expected


@pytest.mark.parametrize("pattern", ["gpt-4o", "gpt-*", "@vk/gpt-4o", "@vk/*", "@*/gpt-4o", "*"])
@pytest.mark.parametrize("model", ["gpt-4o", "@vk/gpt-4o"])
def test_a_model_is_known_by_its_provider_too(pattern: str, model: str) -> None:
    expected = not (model.startswith("@") and pattern in ("gpt-4o", "gpt-*"))
    assert holds(Condition("model", (pattern,)), {**FACTS, "model": model}) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [({}, False), ({"provider": "openai"}, True), ({"virtual_key": "openai"}, True), ({"provider": "groq"}, False)],
)
def test_a_provider_s_model(facts: dict[str, str], expected: bool) -> None:
    assert holds(Condition("model", ("@openai/m",)), {**facts, "model": "m"}) is expected


def test_there_is_one_organisation() -> None:
    """A policy for it never fails to apply for want of its name."""
    assert holds(Condition("organisation_id", ("any-name",)), FACTS)
    assert not holds(Condition("organisation_id", (), ("any-name",)), FACTS)
    assert policy(by=("organisation_id",)).applied(FACTS) is not None


def test_every_condition_must_hold() -> None:
    one, other = Condition("provider", ("openai",)), Condition("metadata._user", ("alice",))
    assert policy(one).applied(FACTS) is not None
    assert policy(one, other).applied(FACTS) is None
    assert policy().applied({}) is not None


def test_each_combination_is_counted_apart() -> None:
    counted = policy(by=("metadata._user", "model"))
    accounts = {
        limit.account
        for user, model in product(("a", "b", ""), ("m", "n"))
        if (limit := counted.applied({"metadata._user": user, "model": model})) is not None
    }
    assert len(accounts) == 6
    assert "policy/1/metadata._user:a,model:m" in accounts
    assert "policy/1/metadata._user:,model:m" in accounts


def test_nobody_gets_past_by_saying_nothing() -> None:
    assert group(("metadata._user",), {}) == "metadata._user:"


def test_the_same_group_has_the_same_limit() -> None:
    """Leases are found by it."""
    counted = policy(by=("metadata._user",))
    assert counted.applied(FACTS) is counted.applied({**FACTS})


def test_a_group_that_was_reset() -> None:
    name = group(("metadata._user",), FACTS)
    counted = Policy("1", LIMIT, (), ("metadata._user",), {group_id(name): 77})
    reset, other = counted.applied(FACTS), counted.applied({})
    assert reset is not None and other is not None
    assert (reset.since, other.since) == (77, 0)


def test_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beyond the bound share a counter, so that new names are no way out."""
    monkeypatch.setattr(module, "MAX_GROUPS", 2)
    counted = policy(by=("metadata._user",))
    accounts = [limit.account for user in "abcda" if (limit := counted.applied({"metadata._user": user})) is not None]
    assert accounts == [
        "policy/1/metadata._user:a",
        "policy/1/metadata._user:b",
        f"policy/1/{REST}",
        f"policy/1/{REST}",
        "policy/1/metadata._user:a",
    ]


VALUES = st.fixed_dictionaries({"a": st.text(max_size=400), "b": st.text(max_size=5)})


@given(VALUES, VALUES)
def test_names_of_groups(one: dict[str, str], other: dict[str, str]) -> None:
    """Different combinations never have one name, and every name can be an account's."""
    name = group(("a", "b"), one)
    assert (name == group(("a", "b"), other)) is (one == other)
    assert len(name) <= MAX_GROUP and name.isascii() and name.isprintable() and "/" not in name
    assert name != REST
