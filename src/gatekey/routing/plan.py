"""From a config's tree to a plan. The contract between plans and their driver is in `contract`, given on here.

A Node is planned by the strategy of its mode, a Target by `retry`.
"""

from itertools import chain, repeat

from gatekey.config.model import Node, Target
from gatekey.routing import strategies
from gatekey.routing.contract import Attempt, Facts, Outcome, Plan, Sent, Wait
from gatekey.routing.retry import retry

__all__ = ["Attempt", "Facts", "Outcome", "Plan", "Sent", "Wait", "plan", "rehearse"]


def plan(item: Node | Target, facts: Facts) -> Plan:
    """How `item` will be served."""
    if isinstance(item, Target):
        return retry(item, facts)
    return strategies.find(item.strategy.mode)(item, facts)


def rehearse(plan: Plan, *answers: int | Outcome) -> tuple[list[str], int]:
    """Play a plan against answers, statuses or whole Outcomes, the last of them repeated as often as needed.

    Gives what was tried, by the targets' names or else paths, and the final status. Waits take no time.
    """
    tried: list[str] = []
    coming = chain(answers, repeat(answers[-1]))
    try:
        step = next(plan)
        while True:
            if isinstance(step, Wait):
                step = plan.send(None)
                continue
            target, answer = step.target, next(coming)
            tried.append(target.name or target.path)
            if isinstance(answer, int):
                answer = Outcome(answer, "provider", target.path, target.provider or "", step.retries)
            step = plan.send(answer)
    except StopIteration as settled:
        outcome: Outcome = settled.value
        return tried, outcome.status
