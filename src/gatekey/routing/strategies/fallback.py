"""One target after the other, until one answers well."""

from gatekey.config.model import Node
from gatekey.routing.contract import Facts, Outcome, Plan, Sent
from gatekey.routing.plan import plan


def fallback(node: Node, facts: Facts) -> Plan:
    """Go on while `moves_on` says so; the last outcome counts."""
    for target in node.targets:
        outcome = yield from plan(target, facts)
        if not moves_on(outcome, node.strategy.on_status_codes):
            break
    return outcome


def moves_on(outcome: Outcome, codes: frozenset[int] | None) -> bool:
    """Whether the next target has its turn: at exactly `codes`, or without them at whatever is not 2xx.

    Never once the caller has been sent anything: a head names the status and the target that answered.
    """
    if outcome.sent is not Sent.NOTHING:
        return False
    return not outcome.ok if codes is None else outcome.status in codes
