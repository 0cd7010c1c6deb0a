"""One target by weight: spun anew for every request, or sticky by what the request says of itself.

Sticky is a weighted rendezvous hash: no state, no clock, the same choice in every process. When a target comes
or goes, only the share of callers moves that it gains or leaves.
"""

from hashlib import blake2b
from math import fsum, log

import msgspec

from gatekey.config.conditions import MISSING
from gatekey.config.model import Node, Target
from gatekey.routing.contract import Facts, Plan
from gatekey.routing.plan import plan


def loadbalance(node: Node, facts: Facts) -> Plan:
    """Plan one target; weight 0 gets nothing."""
    able = [target for target in node.targets if target.weight > 0]
    asked = _asked(node, facts)
    return plan(_spin(able, facts.draw(node.path)) if asked is None else _hold(able, asked), facts)


def _spin(targets: list[Node | Target], draw: float) -> Node | Target:
    point = draw * fsum(target.weight for target in targets)
    for target in targets:
        point -= target.weight
        if point < 0:
            return target
    return targets[-1]  # rounding left the point on the very end


def _hold(targets: list[Node | Target], asked: bytes) -> Node | Target:
    return min(targets, key=lambda target: _distance(asked, target))


def _distance(asked: bytes, target: Node | Target) -> float:
    digest = blake2b((target.name or target.path).encode(), digest_size=8, key=asked).digest()
    return -log((int.from_bytes(digest, "big") + 0.5) / 2**64) / target.weight


def _asked(node: Node, facts: Facts) -> bytes | None:
    """The values to hold on to, hashed with the node's place so that balances within balances are independent."""
    sticky = node.strategy.sticky
    if sticky is None:
        return None
    values = [facts.lookup(name) for name in sticky.hash_fields]
    if all(value is MISSING for value in values):
        return None
    told = msgspec.json.encode([node.path, [[] if value is MISSING else [value] for value in values]])
    return blake2b(told, digest_size=32).digest()
