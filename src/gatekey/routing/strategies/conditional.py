"""The target that the first true condition names, else the default."""

from gatekey.config.model import Node
from gatekey.routing.contract import Facts, Plan
from gatekey.routing.plan import plan


def conditional(node: Node, facts: Facts) -> Plan:
    """Plan that target; loading has made sure that there is one of that name."""
    cases = node.strategy.conditions
    wanted = next((name for condition, name in cases if condition.holds(facts.lookup)), node.strategy.default)
    return plan(next(target for target in node.targets if target.name == wanted), facts)
