"""Retries of one target (portkey-api.md 5.2).

A target spends its own retries before any strategy above it hears of the failure.
"""

from typing import Final

from gatekey.config.model import Retry, Target
from gatekey.routing.contract import Attempt, Facts, Outcome, Plan, Sent, Wait

MAX_WAITING: Final = 60.0
"""Seconds that the waits before retries may add up to; a wait that would exceed it ends the retries at once."""


def retry(target: Target, facts: Facts) -> Plan:
    """Try `target` until its status is not one to retry, or the retries or the time to wait are used up."""
    rule = target.settings.retry
    waited = 0.0
    made = 0
    while True:
        outcome = yield Attempt(target, made)
        assert outcome is not None, "an Attempt is answered with an Outcome"
        outcome.retries = made
        if not rule.attempts or not _again(outcome, rule):
            return outcome
        seconds = _wait(outcome, rule, made, facts.draw(f"{target.path}#{made}"))
        if made == rule.attempts or waited + seconds > MAX_WAITING:
            outcome.retries = -1
            return outcome
        yield Wait(seconds)
        waited += seconds
        made += 1


def _again(outcome: Outcome, rule: Retry) -> bool:
    return outcome.status in rule.on_status_codes and outcome.retryable and outcome.sent is Sent.NOTHING


def _wait(outcome: Outcome, rule: Retry, made: int, draw: float) -> float:
    if rule.use_retry_after_headers and outcome.retry_after is not None:
        return max(0.0, outcome.retry_after)
    # Jitter only shortens: callers who failed together must not come back together, nor wait longer than documented.
    return float(2**made) * (1 - draw / 2)
