"""`GET /v1/model-configs/pricing/{provider}/{model}`: what a model costs by the table that ships, asked by anybody.

portkey-api.md 4.4, 7.5 and 15. What the operator's file says is for those who have a key; what an integration or a
workspace has set is nobody else's business, and not in it.
"""

from typing import Any

from gatekey.catalog import Catalog
from gatekey.errors import NotFound, Unauthenticated
from gatekey.pricing import Table, config

PREFIX = "/v1/model-configs/pricing/"
"""Of its paths; a model's name may have slashes."""


def answer(path: str, table: Table, catalog: Catalog, *, known: bool) -> dict[str, Any]:
    """The answer to a decoded path below `PREFIX`; `known`: whoever asks has a key.

    Raises `NotFound`, or `Unauthenticated` for what is not told to anybody.
    """
    provider, _, model = path.strip("/").partition("/")
    if not catalog.known(provider):
        raise NotFound(
            f"There is no provider {provider[:60]!r}. Known: {', '.join(catalog.slugs())}.", param="provider"
        )
    price, entry = table.find(provider, model), table.entry(provider, model)
    if price is None or entry is None or not model:
        raise NotFound(f"No price is known of {model[:200]!r} at {provider}.", param="model")
    if not (known or entry[1].shipped):
        raise Unauthenticated(f"The price of {model[:200]!r} is the operator's own: ask with a gateway key.")
    return {
        **config.shown(price.rates),
        "max_output_tokens": price.max_output,
        "as_of": entry[1].date or None,
        "object": "model-pricing",
    }
