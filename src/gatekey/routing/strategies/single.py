"""The first target, whatever it answers."""

from gatekey.config.model import Node
from gatekey.routing.contract import Facts, Plan
from gatekey.routing.plan import plan


def single(node: Node, facts: Facts) -> Plan:
    """Plan the first target."""
    return plan(node.targets[0], facts)
