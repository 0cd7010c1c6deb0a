"""How the rates stand that a caller falls under, as headers in OpenAI's spelling: `x-ratelimit-*`.

The tightest rate of each kind is told, as far as this worker knows it. It takes the place of what the provider says
of its own rate of that kind, which is not the caller's.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatekey.limits.limit import Limit

if TYPE_CHECKING:
    from gatekey.gateway.purse import Purse
    from gatekey.gateway.respond import Pairs

NAMES = {
    kind: tuple(f"x-ratelimit-{what}-{kind}".encode() for what in ("limit", "remaining", "reset"))
    for kind in ("requests", "tokens")
}


def told(pairs: "Pairs", purse: "Purse", limits: Sequence[Limit]) -> "Pairs":
    """An answer's headers with how its rates stand."""
    rates = [limit for limit in limits if limit.per]
    if not rates:
        return pairs
    for kind, names in NAMES.items():
        rate = purse.rate(rates, kind)
        if rate is not None:
            pairs = [pair for pair in pairs if pair[0] not in names]
            said = (b"%d" % rate.limit, b"%d" % rate.remaining, span(rate.reset).encode())
            pairs += zip(names, said, strict=True)
    return pairs


def span(ms: int) -> str:
    """A time as OpenAI writes it: `12ms`, `1s`, `6m0s`, `1h0m0s`."""
    if ms < 1000:
        return f"{max(0, ms)}ms"
    minutes, seconds = divmod(-(-ms // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
