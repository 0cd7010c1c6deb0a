import pytest

from gatekey.config.language import MODES
from gatekey.config.model import Target
from gatekey.routing import strategies
from gatekey.routing.plan import Attempt, Outcome, plan
from tests.unit.routing.trees import facts, play, tree

A, B = {"name": "a"}, {"name": "b"}


def test_a_config_without_targets_is_one_attempt():
    assert play({}, 200) == (["config"], 200)
    assert play({}, 500) == (["config"], 500)


def test_the_answer_is_the_last_attempts_own_outcome():
    running = plan(tree({"strategy": {"mode": "fallback"}, "targets": [A, B]}), facts())
    assert next(running) == Attempt(Target("config.targets[0]", "a"), 0)
    running.send(Outcome(500, "provider", "config.targets[0]"))
    settled = Outcome(200, "provider", "config.targets[1]", body=b"x")
    with pytest.raises(StopIteration) as stop:
        running.send(settled)
    assert stop.value.value is settled


NESTED = {
    "strategy": {"mode": "fallback"},
    "targets": [
        {"strategy": {"mode": "fallback", "on_status_codes": [429]}, "targets": [{"retry": {"attempts": 1}}, {}]},
        {"targets": [{}, {}]},
        {
            "strategy": {
                "mode": "conditional",
                "conditions": [{"query": {"metadata.plan": "paid"}, "then": "x"}],
                "default": "y",
            },
            "targets": [{"name": "x", "targets": [{}]}, {"name": "y"}],
        },
    ],
}


def test_any_strategy_nests_in_any_other():
    first = ["config.targets[0].targets[0]"]
    second = ["config.targets[1].targets[0]"]
    assert play(NESTED, 200) == (first, 200)
    # 400 does not move the inner fallback on, but the outer one
    assert play(NESTED, 400, 200) == (first + second, 200)
    # 429 is retried, then moves the inner fallback on
    assert play(NESTED, 429, 429, 200) == ([*first, *first, "config.targets[0].targets[1]"], 200)
    last = "config.targets[2].targets[0].targets[0]"
    assert play(NESTED, 400, metadata_plan="paid") == ([*first, *second, last], 400)
    assert play(NESTED, 400) == ([*first, *second, "y"], 400)


def test_draws_depend_on_seed_and_path_alone():
    assert facts(7).draw("config") == facts(7).draw("config")
    assert (
        len({facts(seed).draw(path) for seed in (-1, 0, 7, 1 << 127) for path in ("config", "config.targets[0]")}) == 8
    )
    assert all(0 <= facts(seed).draw("config") < 1 for seed in range(1000))


def test_the_folder_has_exactly_the_documented_modes():
    assert set(strategies.modes()) == set(MODES)
    assert all(strategies.find(mode).__name__ == mode for mode in MODES)
    with pytest.raises(LookupError):
        strategies.find("plan")


def test_closing_a_plan_leaves_nothing_running():
    running = plan(tree(NESTED), facts())
    next(running)
    running.close()
    with pytest.raises(StopIteration):
        next(running)
