import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.routing.plan import Attempt, Outcome, Sent, Wait, plan
from gatekey.routing.retry import MAX_WAITING
from tests.unit.routing.trees import facts, play, tree


def answer(status, **more):
    return Outcome(status, "provider", "config", **more)


def converse(rule, *answers, seed=1):
    """Every step of the retries, and the outcome they settle on."""
    running = plan(tree({"retry": rule}), facts(seed))
    waits, tries, coming = [], [], iter(answers)
    try:
        step = next(running)
        while True:
            if isinstance(step, Wait):
                waits.append(step.seconds)
                step = running.send(None)
            else:
                assert isinstance(step, Attempt)
                tries.append(step.retries)
                step = running.send(next(coming))
    except StopIteration as stop:
        return waits, tries, stop.value


@pytest.mark.parametrize(
    ("rule", "statuses", "retries"),
    [
        ({"attempts": 0}, [500], 0),
        ({"attempts": 2}, [200], 0),
        ({"attempts": 2}, [400], 0),
        ({"attempts": 2}, [500, 200], 1),
        ({"attempts": 2}, [500, 400], 1),
        ({"attempts": 2}, [500, 429, 200], 2),
        ({"attempts": 2}, [500, 429, 400], 2),
        ({"attempts": 2}, [500, 503, 529], -1),
        ({"attempts": 1, "on_status_codes": [418]}, [500], 0),
        ({"attempts": 1, "on_status_codes": [418]}, [418, 500], 1),
        ({"attempts": 1, "on_status_codes": [246]}, [246, 246], -1),
        ({"attempts": 1, "on_status_codes": []}, [500], 0),
    ],
)
def test_how_often_and_what_is_counted(rule, statuses, retries):
    _, tries, outcome = converse(rule, *map(answer, statuses))
    assert tries == list(range(len(statuses)))
    assert (outcome.status, outcome.retries) == (statuses[-1], retries)


@pytest.mark.parametrize("status", [408, 409, 501])
def test_other_failures_are_not_retried_by_themselves(status):
    assert play({"retry": {"attempts": 5}}, status) == (["config"], status)


@pytest.mark.parametrize("more", [{"retryable": False}, {"sent": Sent.HEAD}, {"sent": Sent.CONTENT}])
def test_what_cannot_help_or_be_unsent_ends_it(more):
    _, tries, outcome = converse({"attempts": 5}, answer(500, **more))
    assert (tries, outcome.retries) == ([0], 0)
    _, tries, outcome = converse({"attempts": 1}, answer(500), answer(500, **more))
    assert (tries, outcome.retries) == ([0, 1], 1)


@given(seed=st.integers(0, 2**64))
def test_waits_double_and_jitter_only_shortens_them(seed):
    waits, *_ = converse({"attempts": 5}, *[answer(500) for _ in range(6)], seed=seed)
    assert len(waits) == 5
    assert all(full / 2 < wait <= full for wait, full in zip(waits, (1, 2, 4, 8, 16), strict=True))


def test_the_jitter_of_each_wait_is_its_own():
    waits, *_ = converse({"attempts": 5}, *[answer(500) for _ in range(6)])
    assert len({wait / 2**index for index, wait in enumerate(waits)}) == 5


HEADERS = {"attempts": 3, "use_retry_after_headers": True}


def test_retry_after_is_waited_for_on_request_only():
    asked = [answer(429, retry_after=7.5), answer(429, retry_after=0.0), answer(200)]
    assert converse(HEADERS, *asked)[0] == [7.5, 0.0]
    waits, *_ = converse({"attempts": 3}, *asked)
    assert 0.5 < waits[0] <= 1 < waits[1] <= 2


def test_without_the_header_the_usual_wait_counts():
    waits, *_ = converse(HEADERS, answer(429), answer(200))
    assert 0.5 < waits[0] <= 1


def test_all_waits_together_are_bounded():
    waits, tries, outcome = converse(HEADERS, answer(429, retry_after=MAX_WAITING), answer(200))
    assert (waits, outcome.retries) == ([60.0], 1)
    waits, tries, outcome = converse(HEADERS, answer(429, retry_after=60.1))
    assert (waits, tries, outcome.retries) == ([], [0], -1)
    waits, tries, outcome = converse(HEADERS, answer(429, retry_after=40), answer(429, retry_after=20.5))
    assert (waits, tries, outcome.retries) == ([40], [0, 1], -1)


def test_only_the_answering_targets_retries_are_counted():
    config = {"strategy": {"mode": "fallback"}, "retry": {"attempts": 1}, "targets": [{}, {}]}
    running = plan(tree(config), facts())
    steps = [next(running)]
    for status in (500, None, 500, 200):
        try:
            steps.append(running.send(None if status is None else answer(status)))
        except StopIteration as stop:
            assert (stop.value.status, stop.value.retries) == (200, 0)
    assert [type(step) for step in steps] == [Attempt, Wait, Attempt, Attempt]
    assert steps[3].target.path == "config.targets[1]"
