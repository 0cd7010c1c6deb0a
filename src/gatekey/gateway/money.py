"""Prices and limits as the spine uses them."""

from gatekey.gateway.aim import Aim
from gatekey.gateway.call import Call
from gatekey.gateway.prices import Prices
from gatekey.gateway.purse import Purse
from gatekey.limits.limit import Limit
from gatekey.pricing import Price
from gatekey.store.directory import Directory


class Money:
    """What calls cost, and who may spend how much."""

    def __init__(self, prices: Prices, directory: Directory, purse: Purse) -> None:
        self.prices = prices
        self.purse = purse
        self._directory = directory

    def price(self, call: Call, aim: Aim, asked: str, answered: str = "") -> Price | None:
        """What the call costs there, by the model that it asked for or the one that answered; None: not known."""
        return self.prices.find(call.principal.home, aim, asked, answered)

    def limits(self, call: Call, aim: Aim, model: str) -> tuple[Limit, ...]:
        """All limits that an attempt falls under."""
        return ()
