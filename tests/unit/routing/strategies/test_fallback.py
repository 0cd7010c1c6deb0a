import pytest

from gatekey.routing.plan import Outcome, Sent
from gatekey.routing.strategies.fallback import moves_on
from tests.unit.routing.trees import play

TARGETS = [{"name": name} for name in "abc"]


def fallback(*answers, **strategy):
    return play({"strategy": {"mode": "fallback", **strategy}, "targets": TARGETS}, *answers)


@pytest.mark.parametrize(
    ("answers", "tried"),
    [
        ([200], "a"),
        ([201], "a"),
        ([500, 200], "ab"),
        ([400, 403, 200], "abc"),
        ([302, 200], "ab"),
        ([408, 446, 412], "abc"),
        ([246], "a"),
        ([500, 502, 503], "abc"),
    ],
)
def test_whatever_is_not_2xx_moves_on(answers, tried):
    assert fallback(*answers) == (list(tried), answers[-1])


@pytest.mark.parametrize(
    ("answers", "tried"), [([500], "a"), ([429, 500], "ab"), ([246, 429, 429], "abc"), ([200], "a"), ([429, 200], "ab")]
)
def test_with_codes_exactly_these_move_on(answers, tried):
    assert fallback(*answers, on_status_codes=[429, 246]) == (list(tried), answers[-1])


def test_with_no_codes_listed_nothing_moves_on():
    assert fallback(500, on_status_codes=[]) == (["a"], 500)


@pytest.mark.parametrize("sent", [Sent.HEAD, Sent.CONTENT])
def test_nothing_moves_on_once_the_caller_has_been_sent_anything(sent):
    outcome = Outcome(502, "gateway", "config.targets[0]", sent=sent)
    assert not moves_on(outcome, None)
    assert not moves_on(outcome, frozenset({502}))
    assert fallback(outcome) == (["a"], 502)


def test_another_target_may_do_what_another_try_may_not():
    assert fallback(Outcome(400, "gateway", "config.targets[0]", retryable=False), 200) == (["a", "b"], 200)
