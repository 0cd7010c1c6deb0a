"""The life of a request, from top to bottom. docs/life-of-a-request.md tells it with its reasons.

head -> check -> identify -> config -> aims -> body -> plan ==> drive(plan, exchange) -> settle
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gatekey.catalog import Catalog
from gatekey.config.conditions import MISSING
from gatekey.config.load import load
from gatekey.config.model import Config, Node
from gatekey.errors import BadConfig, BadJson, NotAvailable
from gatekey.gateway import respond
from gatekey.gateway.aim import Aim, aims, check
from gatekey.gateway.attempt import Exchange, Upstream
from gatekey.gateway.call import Call, Memory, Receive, Spool, arriving
from gatekey.gateway.drive import drive
from gatekey.gateway.identify import identify
from gatekey.gateway.respond import Pairs, Reply
from gatekey.gateway.watch import Watch
from gatekey.routing.plan import Facts, Outcome, Sent, plan
from gatekey.upstream.egress import Policy
from gatekey.wire import body as json

REMEMBERED = 512
"""Loaded inline configs, and approved custom hosts, that are kept: callers repeat them with every request."""


@dataclass(slots=True)
class House:
    """What a request needs of the gateway. `keys`: digests of the valid gateway keys, empty where none is asked for.

    `max_body` in bytes.
    """

    catalog: Catalog
    policy: Policy
    upstream: Upstream
    keys: frozenset[bytes]
    memory: Memory
    max_body: int
    config: Callable[[str], Config] = field(init=False)
    check_host: Callable[[str, str], object] = field(init=False)

    def __post_init__(self) -> None:
        self.config = lru_cache(REMEMBERED)(lambda text: load(text, self.catalog))
        self.check_host = lru_cache(REMEMBERED)(self.policy.check_url)


async def live(call: Call, scope: dict[str, Any], receive: Receive, reply: Reply, house: House) -> None:
    """Answer one call.

    Raises `GatekeyError` where it is refused before any attempt; from then on everything is an Outcome.
    Raises `Gone` where the caller leaves, and `respond.Broken` where a forwarded answer cannot be completed.
    """
    options = call.head.options
    caller = identify(call.head, house.keys)
    call.gateway_key, call.credential = caller.key, caller.credential
    check(options, house.catalog)
    config = _config(options.config, house)
    targets = aims(config, call, house.catalog, house.check_host)
    if options.nitro_mode:
        _nitro(call, config, targets)
    try:
        await _take_in(call, receive, house)

        def headers(outcome: Outcome) -> Pairs:
            cache = _cache(call, targets[outcome.path])
            return respond.headers(call, outcome, cache=cache, unavailable=_lacking(call, config))

        async with Watch(scope, receive, reply) as task:
            exchange = Exchange(call, targets, house.upstream, reply, headers, task)
            outcome = await drive(plan(config.root, Facts(call.seed, _lookup(call))), exchange)
            await _settle(call, outcome, reply, headers)
    finally:
        house.memory.give(call.claimed)
        if call.spool is not None:
            call.spool.close()


def _config(text: str, house: House) -> Config:
    if not text:
        return Config()
    if not text.lstrip().startswith("{"):
        raise NotAvailable(
            "x-portkey-config: saved configs are not available yet. Send the config itself as JSON.",
            param="x-portkey-config",
        )
    return house.config(text)


async def _take_in(call: Call, receive: Receive, house: House) -> None:
    """The body: decoded at its top level where it is read, spooled where it is only passed on."""
    pieces = arriving(receive, call.head, house.max_body)
    if call.kind == "proxy":
        call.spool = await Spool.of(pieces)
    elif call.kind == "models":
        async for _ in pieces:
            pass
    else:
        read = []
        async for piece in pieces:
            house.memory.take(2 * len(piece))
            call.claimed += 2 * len(piece)
            read.append(piece)
        call.body = json.decode(read[0] if len(read) == 1 else b"".join(read))


def _nitro(call: Call, config: Config, targets: Mapping[str, Aim]) -> None:
    """Raw pass-through: whatever would have to read or repeat the request is refused (portkey-api.md 8.8)."""
    if isinstance(config.root, Node):
        raise BadConfig("x-portkey-nitro-mode goes with a single target: the config has several.", param="strategy")
    settings = config.root.settings
    for name in ("override_params", "default_params", "drop_params"):
        if getattr(settings, name):
            raise BadConfig(f"x-portkey-nitro-mode passes the body as it is: remove {name}.", param=name)
    if settings.retry.attempts:
        raise BadConfig("x-portkey-nitro-mode makes one attempt: remove retry.", param="retry")
    endpoint = targets[config.root.path].provider.endpoints.get(call.kind)
    # Only where the path that callers use is the provider's own is there nothing to translate.
    if endpoint is not None and endpoint.params is None and endpoint.path == call.path.partition("?")[0]:
        call.kind = "proxy"
    elif call.kind != "proxy":
        slug = targets[config.root.path].provider.slug
        raise BadConfig(f"x-portkey-nitro-mode: {slug} does not speak the OpenAI dialect here.", param="provider")


def _lookup(call: Call) -> Callable[[str], Any]:
    """What routing may ask about a request: `metadata.<key>`, `params.<field of the body>`, `url.pathname`."""

    def find(path: str) -> Any:
        kind, _, name = path.partition(".")
        if kind == "metadata":
            return call.head.options.metadata.get(name, MISSING)
        if kind == "params":
            body = _body(call)
            return json.value(body, name) if name in body else MISSING
        return call.pathname if path == "url.pathname" else MISSING

    return find


def _body(call: Call) -> json.Json:
    if not call.body and call.spool is not None and call.spool.length and call.spool.small:
        try:
            call.body = json.decode(call.spool.read())
        except BadJson:
            return {}
    return call.body


def _cache(call: Call, aim: Aim) -> str:
    """`x-portkey-cache-status` while there is no cache: every look-up misses."""
    if aim.target.settings.cache is None:
        return "DISABLED"
    return "REFRESH" if call.head.options.cache_force_refresh else "MISS"


def _lacking(call: Call, config: Config) -> tuple[str, ...]:
    """Parts that were asked for, are not there, and are safe to be absent."""
    options = call.head.options
    asked = {
        "beta features": options.beta,
        "gateway transport": options.gateway_transport not in ("", "http"),
        "integrated models": options.fetch_integrated_models and call.kind == "models",
    }
    return (*config.unavailable, *(name for name, wanted in asked.items() if wanted))


async def _settle(call: Call, outcome: Outcome, reply: Reply, headers: Callable[[Outcome], Pairs]) -> None:
    """Give the caller what the plan settled on, in so far as it has not been given yet."""
    if reply.sent is Sent.NOTHING:
        await reply.whole(outcome.status, headers(outcome), outcome.body)
    elif outcome.error is not None:
        if call.kind == "proxy":
            raise respond.Broken
        await reply.content(respond.event(outcome.error))
        await reply.end()
