from collections import Counter

import pytest

from gatekey.routing.plan import plan
from gatekey.routing.strategies.loadbalance import _spin
from tests.unit.routing.trees import facts, play, tree


def balance(weights, sticky=None):
    strategy = {"mode": "loadbalance"} | ({"sticky": {"enabled": True, "hash_fields": sticky}} if sticky else {})
    targets = [{"name": name} | ({} if weight is None else {"weight": weight}) for name, weight in weights.items()]
    return {"strategy": strategy, "targets": targets}


def chosen(config, **values):
    (name,), _ = play(config, 500, **values)
    return name


def shares(config, draws=2000):
    counts = Counter(chosen(config, seed=seed) for seed in range(draws))
    return {name: count / draws for name, count in counts.items()}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"a": 0.95, "b": 0.05}, {"a": 0.95, "b": 0.05}),
        ({"a": 30, "b": 10, "c": 60}, {"a": 0.3, "b": 0.1, "c": 0.6}),
        ({"a": None, "b": None}, {"a": 0.5, "b": 0.5}),
        ({"a": None, "b": 3}, {"a": 0.25, "b": 0.75}),
    ],
)
def test_targets_get_their_share(weights, expected):
    assert shares(balance(weights)) == pytest.approx(expected, abs=0.03)  # 2.7 standard deviations at 0.5


def test_weight_0_gets_nothing():
    assert shares(balance({"a": 0, "b": 1, "c": 0}), 200) == {"b": 1.0}
    assert {chosen(balance({"a": 0, "b": 1}, ["metadata.u"]), metadata_u=str(user)) for user in range(200)} == {"b"}


def test_the_ends_of_the_line():
    targets = list(tree(balance({"a": 0.1, "b": 0.2})).targets)
    assert _spin(targets, 0.0).name == "a"
    assert _spin(targets, 1 - 2**-53).name == "b"
    assert _spin(targets, 1.0).name == "b"


def test_the_same_seed_makes_the_same_choice():
    config = balance(dict.fromkeys("abcdef", 1))
    assert chosen(config, seed=5) == chosen(config, seed=5)


def test_balances_within_balances_spin_apart():
    inner = balance({"x": 1, "y": 1})
    config = {
        "strategy": {"mode": "loadbalance"},
        "targets": [inner, {**inner, "targets": [{"name": "p"}, {"name": "q"}]}],
    }
    assert shares(config) == pytest.approx(dict.fromkeys("xypq", 0.25), abs=0.03)


USERS = [f"user-{number}" for number in range(2000)]


def assignment(weights):
    config = balance(weights, ["metadata.user"])
    return {user: chosen(config, metadata_user=user, seed=index) for index, user in enumerate(USERS)}


def test_sticky_holds_whatever_the_seed():
    config = balance(dict.fromkeys("abc", 1), ["metadata.user"])
    assert all(len({chosen(config, metadata_user=user, seed=seed) for seed in range(20)}) == 1 for user in USERS[:50])


def test_sticky_follows_the_weights():
    counts = Counter(assignment({"a": 3, "b": 1}).values())
    assert counts["a"] / len(USERS) == pytest.approx(0.75, abs=0.03)


def test_a_new_target_takes_its_share_and_nobody_else_moves():
    before, after = assignment({"a": 1, "b": 1, "c": 2}), assignment({"a": 1, "b": 1, "c": 2, "d": 1})
    moved = [user for user in USERS if before[user] != after[user]]
    assert {after[user] for user in moved} == {"d"}
    assert len(moved) / len(USERS) == pytest.approx(1 / 5, abs=0.03)


def test_a_heavier_target_only_gains():
    before, after = assignment({"a": 1, "b": 1}), assignment({"a": 1, "b": 3})
    moved = [user for user in USERS if before[user] != after[user]]
    assert {after[user] for user in moved} == {"b"}
    assert len(moved) / len(USERS) == pytest.approx(1 / 4, abs=0.03)


def test_sticky_reads_all_its_fields_and_spins_without_any():
    config = balance(dict.fromkeys("abcdefgh", 1), ["metadata.user", "params.user"])
    assert len({chosen(config, metadata_user="u", params_user=other) for other in range(50)}) > 4
    assert len({chosen(config, seed=seed) for seed in range(50)}) > 4
    assert len({chosen(config, seed=seed, metadata_user="u") for seed in range(50)}) == 1


def test_a_missing_field_is_not_null():
    config = balance({str(number): 1 for number in range(64)}, ["metadata.user", "params.user"])
    assert chosen(config, metadata_user="u") != chosen(config, metadata_user="u", params_user=None)


def test_any_json_may_be_held_on_to():
    config = balance(dict.fromkeys("abcdefgh", 1), ["params.tools"])
    picks = {chosen(config, params_tools=[{"n": number, "x": [True, None, 1.5]}]) for number in range(50)}
    assert len(picks) > 4


def test_sticky_balances_within_balances_are_independent():
    inner = balance({"x": 1, "y": 1}, ["metadata.user"])
    config = {**balance({}, ["metadata.user"]), "targets": [{**inner, "name": "x"}, {**inner, "name": "y"}]}
    counts = Counter()
    for user in USERS:
        counts[next(plan(tree(config), facts(metadata_user=user))).target.path] += 1
    assert len(counts) == 4
    assert min(counts.values()) / len(USERS) == pytest.approx(0.25, abs=0.04)
