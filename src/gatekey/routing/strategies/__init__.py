"""How a Node uses its targets: one strategy a file, found by the file's name, imported on first use.

The file `fallback.py` holds the function `fallback(node, facts) -> Plan`; the contract is in `routing.contract`.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from gatekey.config.model import Node
from gatekey.routing.contract import Facts, Plan


def modes() -> tuple[str, ...]:
    """Every strategy there is, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


@cache
def find(mode: str) -> Callable[[Node, Facts], Plan]:
    """The strategy of that name. Raises LookupError where there is none."""
    if mode not in modes():
        raise LookupError(f"no strategy {mode!r}")
    return cast("Callable[[Node, Facts], Plan]", getattr(import_module(f"{__name__}.{mode}"), mode))
