"""Prices and limits as the spine uses them."""

from collections.abc import Sequence

from gatekey.gateway.aim import Aim
from gatekey.gateway.call import Call
from gatekey.gateway.prices import Prices
from gatekey.gateway.purse import Purse
from gatekey.limits.limit import Limit
from gatekey.limits.policy import METADATA
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

    def limits(self, call: Call, aim: Aim, model: str, config: str = "") -> Sequence[Limit]:
        """All limits that an attempt falls under: its key's, its workspace's, its provider's, those of policies.

        `config`: the name of the request's saved config, if any.
        """
        principal, directory = call.principal, self._directory
        home = principal.home
        stored = directory.provider(home, aim.stored) if aim.stored else None
        found = principal.limits + directory.limits(home)
        if stored is not None:
            found += stored.limits
        policies = directory.policies(home)
        if not policies:
            return found
        facts = _facts(call, aim, model, config)
        applied = [limit for policy in policies if (limit := policy.applied(facts)) is not None]
        return (*found, *applied)


def _facts(call: Call, aim: Aim, model: str, config: str) -> dict[str, str]:
    """What policies may ask about an attempt."""
    facts = {f"{METADATA}{name}": value for name, value in call.head.options.metadata.items()}
    facts.update(
        api_key=call.principal.id,
        workspace_id=call.principal.home,
        virtual_key=aim.stored,
        provider=aim.provider.slug,
        config=config,
        model=model,
        endpoint_type=call.kind,
    )
    return facts
