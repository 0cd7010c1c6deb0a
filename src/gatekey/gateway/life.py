"""The life of a request, from top to bottom. docs/life-of-a-request.md tells it with its reasons.

head -> recognise -> check -> body -> config -> aims -> plan ==> drive(plan, exchange) -> settle
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from gatekey.catalog import Catalog
from gatekey.config.conditions import MISSING
from gatekey.config.load import load
from gatekey.config.model import Config, Node
from gatekey.errors import BadConfig, BadHeader, Forbidden
from gatekey.gateway import models, rates, respond
from gatekey.gateway.aim import Aim, Sight, aims, check
from gatekey.gateway.attempt import Exchange, Upstream
from gatekey.gateway.call import Call, Memory, Receive, Spool, arriving, whole
from gatekey.gateway.drive import drive
from gatekey.gateway.entry import Entry, Journal
from gatekey.gateway.headers import MAX_METADATA_VALUE
from gatekey.gateway.identify import identify
from gatekey.gateway.line import Line
from gatekey.gateway.money import Money
from gatekey.gateway.respond import Pairs, Reply
from gatekey.gateway.watch import Watch
from gatekey.routing.plan import Facts, Outcome, Sent, plan
from gatekey.store.directory import Directory
from gatekey.upstream.egress import Policy
from gatekey.wire import body as json

NO_CONFIG = Config()
SCOPE = "completions.write"
"""What a key needs for the data plane, all of it (portkey-api.md 3.6)."""
REMEMBERED = 512
"""Loaded inline configs, and approved custom hosts, that are kept: callers repeat them with every request."""


@dataclass(slots=True)
class House:
    """What a request needs of the gateway. `anybody`: no gateway key is asked for. `max_body` in bytes."""

    catalog: Catalog
    policy: Policy
    upstream: Upstream
    directory: Directory
    memory: Memory
    max_body: int
    money: Money
    journal: Journal
    anybody: bool = False
    config: Callable[[str], Config] = field(init=False)
    check_host: Callable[[str, str], object] = field(init=False)

    def __post_init__(self) -> None:
        self.config = lru_cache(REMEMBERED)(lambda text: load(text, self.catalog))
        self.check_host = lru_cache(REMEMBERED)(self.policy.check_url)


def recognise(call: Call, house: House) -> None:
    """Who calls, and what their requests have by default. Raises `Unauthenticated` or `Forbidden`."""
    caller = identify(call.head, house.directory, anybody=house.anybody, now=time.time())
    call.principal, call.gateway_key, call.credential = caller.principal, caller.key, caller.credential
    call.keeps_bodies = call.principal.log_bodies and house.directory.logs_bodies(call.principal.home)
    given = house.directory.metadata(call.principal.home)
    if given or call.principal.metadata or call.principal.user:
        user = {"_user": call.principal.user} if call.principal.user else {}
        call.head.options.metadata = {**user, **call.head.options.metadata, **call.principal.metadata, **given}


async def live(call: Call, line: Line | None, receive: Receive, reply: Reply, house: House, began: float) -> None:
    """Answer one call, which `began` by the clock of `entry`.

    Raises `GatekeyError` where it is refused before any attempt; from then on everything is an Outcome.
    Raises `Gone` where the caller leaves, and `respond.Broken` where a forwarded answer cannot be completed.
    """
    recognise(call, house)
    entry = reply.entry = Entry(call, house.journal, began)
    if not call.principal.may(SCOPE):
        raise Forbidden(f"Your API key lacks the scope {SCOPE}.")
    check(call.head.options, house.catalog)
    kind = call.kind
    if call.head.options.nitro_mode:
        call.kind = "proxy"
    await _take_in(call, receive, house)
    entry.taken_in()
    if kind == "models" and _lists_catalog(call):
        await reply.whole(200, *models.listing(call, house.directory))
        return
    config, entry.config = _config(call, house)
    targets = aims(config, call, Sight(house.catalog, house.directory, house.check_host, time.time()))
    if call.head.options.nitro_mode:
        _nitro(kind, config, targets)

    def headers(outcome: Outcome) -> Pairs:
        entry.cache = cache = _cache(call, targets[outcome.path])
        pairs = respond.headers(call, outcome, cache=cache, unavailable=_lacking(call, config))
        limits = entry.meters[-1].limits
        return rates.told(pairs, house.money.purse, limits) if limits else pairs

    with Watch(line, receive, reply) as task:
        exchange = Exchange(call, targets, house.upstream, reply, headers, task, entry, house.money)
        outcome = await drive(plan(config.root, Facts(call.seed, _lookup(call))), exchange)
        await _settle(call, outcome, reply, headers)


def release(call: Call, house: House) -> None:
    """Give back what a call held, once its record, which has its body, is written."""
    house.memory.give(call.claimed)
    if call.spool is not None:
        call.spool.close()


def _config(call: Call, house: House) -> tuple[Config, str]:
    """The request's config, else its key's: the more specific one replaces, nothing merges. And its name, if any."""
    text, pinned = call.head.options.config, call.principal.config
    if pinned and not call.principal.allow_config_override and text not in ("", pinned):
        raise BadConfig("Your API key has a config that requests may not override.", param="x-portkey-config")
    if not text and not pinned:
        return NO_CONFIG, ""
    if text.lstrip().startswith("{"):
        return house.config(text), ""
    name = text or pinned
    saved = house.directory.config(call.principal.home, name)
    if saved is None:
        told = f"x-portkey-config: there is no saved config {name[:80]!r} in your workspace, and it is no JSON object."
        raise BadHeader(told, param="x-portkey-config")
    return house.config(saved), house.directory.config_slug(call.principal.home, name)


def _lists_catalog(call: Call) -> bool:
    """Whether models are asked for and nobody is named who could be asked."""
    asked = call.head.options
    return not (asked.provider or asked.virtual_key or asked.config or call.principal.config)


async def _take_in(call: Call, receive: Receive, house: House) -> None:
    """The body: decoded at its top level where it is read, spooled where it is only passed on."""
    if call.kind == "proxy":
        call.spool = await Spool.of(arriving(receive, call.head, house.max_body))
    elif call.kind == "models":
        async for _ in arriving(receive, call.head, house.max_body):
            pass
    else:
        call.text = await whole(receive, call.head, house.max_body, partial(_claim, call, house))
        call.body = json.decode(call.text)
        _name_user(call)


def _name_user(call: Call) -> None:
    """The dialect's own field for whose request it is becomes `_user`, unless metadata says (portkey-api.md 7.4)."""
    if "user" in call.body and "_user" not in call.head.options.metadata:
        user = json.value(call.body, "user")
        if isinstance(user, str) and user:
            call.head.options.metadata = {**call.head.options.metadata, "_user": user[:MAX_METADATA_VALUE]}


def _claim(call: Call, house: House, size: int) -> None:
    """A body that is read takes twice its size."""
    house.memory.take(2 * size)
    call.claimed += 2 * size


def _nitro(kind: str, config: Config, targets: Mapping[str, Aim]) -> None:
    """Raw pass-through: whatever would have to read or repeat the request is refused (portkey-api.md 8.8)."""
    if isinstance(config.root, Node):
        raise BadConfig("x-portkey-nitro-mode goes with a single target: the config has several.", param="strategy")
    settings = config.root.settings
    for name in ("override_params", "default_params", "drop_params"):
        if getattr(settings, name):
            raise BadConfig(f"x-portkey-nitro-mode passes the body as it is: remove {name}.", param=name)
    if settings.retry.attempts:
        raise BadConfig("x-portkey-nitro-mode makes one attempt: remove retry.", param="retry")
    provider = targets[config.root.path].provider
    endpoint = provider.endpoints.get(kind)
    # A path that is made of more than the caller's has something to be translated, too.
    if kind != "proxy" and (endpoint is None or endpoint.params is not None or not isinstance(endpoint.path, str)):
        raise BadConfig(
            f"x-portkey-nitro-mode: {provider.slug} does not speak the OpenAI dialect here.", param="provider"
        )


def _lookup(call: Call) -> Callable[[str], Any]:
    """What routing may ask about a request: `metadata.<key>`, `params.<field of the body>`, `url.pathname`."""

    def find(path: str) -> Any:
        kind, _, name = path.partition(".")
        if kind == "metadata":
            return call.head.options.metadata.get(name, MISSING)
        if kind == "params":
            body = call.fields()
            return json.value(body, name) if name in body else MISSING
        return call.pathname if path == "url.pathname" else MISSING

    return find


def _cache(call: Call, aim: Aim) -> str:
    """`x-portkey-cache-status` while there is no cache: every look-up misses."""
    if aim.target.settings.cache is None:
        return "DISABLED"
    return "REFRESH" if call.head.options.cache_force_refresh else "MISS"


def _lacking(call: Call, config: Config) -> tuple[str, ...]:
    """Parts that were asked for, are not there, and are safe to be absent."""
    options = call.head.options
    if not (options.beta or options.gateway_transport or options.fetch_integrated_models):
        return config.unavailable
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
    elif outcome.error is not None and not reply.finished:
        if call.kind == "proxy":
            raise respond.Broken
        await reply.content(respond.event(outcome.error))
        await reply.end()
