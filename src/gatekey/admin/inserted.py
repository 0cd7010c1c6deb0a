"""A log that a caller brings, of a request that did not go through this gateway, as a record: portkey-api.md 4.5.

Clients write it in two ways (sdk-wire.md): trace and span beside `request` and `response`, or in `metadata`, where
names are in camelCase too. What it cost is worked out of the usage that its answer reports.
"""

import re
import secrets
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Raw, Struct

from gatekey.catalog import Catalog
from gatekey.config.fields import snake
from gatekey.config.model import Target
from gatekey.errors import BadBody
from gatekey.gateway import censor
from gatekey.gateway.aim import Aim
from gatekey.gateway.entry import MAX_BODY, NOBODY, shown
from gatekey.gateway.prices import Prices
from gatekey.observe.record import INSERTED, NOTHING, Record, Tried
from gatekey.pricing import cost
from gatekey.providers import Provider, Tally, usage
from gatekey.store.directory import Principal
from gatekey.wire import body as json
from gatekey.wire.usage import Usage

LONGEST = 2048
"""Characters of a URL."""
MS_MOST = 30 * 24 * 3600 * 1000
"""ms: the longest that a request may have taken."""
OWN = frozenset({"trace_id", "span_id", "span_name", "parent_span_id", "start_time", "end_time"})
"""What `metadata` has beside the caller's own keys."""
_status = Meta(ge=100, le=599)
_slug = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Asked(Struct):
    """What was asked. Fields that are not named here are tolerated."""

    url: Annotated[str, Meta(max_length=LONGEST)] = ""
    method: Annotated[str, Meta(max_length=16)] | None = None
    headers: dict[str, Any] | None = None
    body: Any = None
    provider: Annotated[str, Meta(max_length=64)] | None = None


class Answered(Struct):
    """What was answered. `response_time` in ms."""

    status: Annotated[int, _status] | None = None
    headers: dict[str, Any] | None = None
    body: Any = None
    response_time: Annotated[float, Meta(ge=0, le=MS_MOST)] | None = None
    streaming_mode: bool | None = msgspec.field(name="streamingMode", default=None)


class Log(Struct):
    """A log to keep. `request.url` and `request.body` are needed, and `response.body`."""

    request: Asked
    response: Answered
    metadata: dict[str, Any] | None = None
    trace_id: str | None = None
    span_id: str | None = None
    span_name: str | None = None
    parent_span_id: str | None = None
    start_time: Any = None


class Means(Struct, frozen=True):
    """What inserting needs: the providers, their prices, and whether `bodies` are kept."""

    catalog: Catalog
    prices: Prices | None
    bodies: bool


def record(log: Log, principal: Principal, at: Means) -> Record:
    """The record. Raises `BadBody` where a text holds a NUL character."""
    given = {**{snake(name): text for name, text in (log.metadata or {}).items()}, **_beside(log)}
    slug = (log.request.provider or "").strip().lower()
    asked, answered, took = log.request, log.response, int((log.response.response_time or 0) * 1000)
    status = answered.status or 200
    own = {name: _text(value) for name, value in (log.metadata or {}).items() if snake(name) not in OWN}
    known = own.get("_user", "")
    tried = _tried(log, slug, status, took, principal, at)
    id = secrets.token_hex(16)
    made = Record(
        id=id,
        created_at=_moment(given.get("start_time")),
        kind=INSERTED,
        method=(asked.method or "POST").upper(),
        path=_plain(asked.url),
        workspace=principal.home,
        api_key=principal.id,
        user=known,
        trace_id=_text(given.get("trace_id")) or id,
        span_id=_text(given.get("span_id")),
        span_name=_text(given.get("span_name")),
        parent_span_id=_text(given.get("parent_span_id")),
        seed=id,
        metadata={name: censor.MASK if censor.is_credential(name) else value for name, value in own.items()},
        status=status,
        error="" if status < 400 else tried.error,
        provider=tried.provider,
        model=tried.model,
        option="config",
        stream=bool(answered.streaming_mode),
        usage=tried.usage,
        cost=tried.cost,
        priced=tried.priced,
        total_us=took,
        upstream_us=took,
        attempts=[tried],
    )
    if at.bodies:
        _keep(made, log)
    return made


def _beside(log: Log) -> dict[str, Any]:
    return {name: value for name in OWN if (value := getattr(log, name, None)) is not None}


def _tried(log: Log, slug: str, status: int, took: int, principal: Principal, at: Means) -> Tried:
    """The one attempt, with what it consumed."""
    provider = _provider(slug, at.catalog)
    tally = Tally("application/json", urlsplit(_plain(log.request.url)).path)
    tally.feed(msgspec.json.encode(log.response.body))
    tally.close()
    wanted = _field(log.request.body, "model")
    tried = Tried(
        path="config",
        provider=provider.slug if provider.slug != NOBODY.provider else "",
        status=status,
        by="provider",
        model=wanted or tally.model[:256],
        url=_plain(log.request.url),
        total_us=took,
    )
    if status >= 400:
        tried.error, tried.cost, tried.priced = f"It failed with {status}.", 0, True
        return tried
    tried.usage = usage(provider, tally.usage)
    tried.cost = _cost(tried.usage, provider, (wanted, tally.model), principal, at)
    tried.priced = tried.cost is not None
    return tried


def _provider(slug: str, catalog: Catalog) -> Provider:
    """The provider; one that the catalog lacks counts as our dialect does, and has no prices."""
    if catalog.known(slug):
        return catalog.provider(slug)
    return Provider(slug=slug if _slug.fullmatch(slug) else "", name="", docs="", endpoints={})


def _cost(
    used: Usage | None, provider: Provider, models: tuple[str, str], principal: Principal, at: Means
) -> int | None:
    if used is None or at.prices is None:
        return None
    aim = Aim(Target(), provider, None, {}, "", None, True, ())
    return cost(used, at.prices.find(principal.home, aim, *models))


def _keep(made: Record, log: Log) -> None:
    """What was said, as a request's own record has it: masked, and of a bounded length."""
    made.request_headers = {name.lower(): _shown(name, value) for name, value in (log.request.headers or {}).items()}
    made.response_headers = {
        name.lower(): censor.MASK if censor.is_credential(name.lower()) else _text(value)
        for name, value in (log.response.headers or {}).items()
    }
    made.request, cut = _body(log.request.body)
    made.response, too = _body(log.response.body)
    made.cut = cut or too


def _shown(name: str, value: Any) -> str:
    return _text(value) if shown(name.lower()) else censor.MASK


def _body(value: Any) -> tuple[Raw, bool]:
    if value is None:
        return NOTHING, False
    data = censor.fragment(msgspec.json.encode(value))
    if len(data) <= MAX_BODY:
        return Raw(data), False
    return json.raw(data[:MAX_BODY].decode("utf-8", "replace")), True


def _plain(url: str) -> str:
    """A URL without what may hold a credential: its query, its user."""
    place = url.partition("?")[0].partition("#")[0]
    scheme, slashes, rest = place.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}" if slashes else place


def _field(body: Any, name: str) -> str:
    found = body.get(name) if isinstance(body, Mapping) else None
    return found[:256] if isinstance(found, str) else ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    found = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return found[:1024]


def _moment(given: Any) -> int:
    """When it began, in ms since the epoch: s, ms or ns are told apart by their size. Now, where it is not told."""
    now = int(time.time() * 1000)
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given[:20])
    if isinstance(given, bool) or not isinstance(given, int | float) or given != given:
        return now
    for unit in (1, 1000, 1_000_000, 0.001):
        found = given / unit
        if 946_684_800_000 <= found <= now + 60_000:
            return int(found)
    return now


def needed(log: Log, number: int) -> None:
    """Raises `BadBody` naming what a log lacks."""
    for name, value in (("request.url", log.request.url), ("request.body", log.request.body),
                        ("response.body", log.response.body)):  # fmt: skip
        if value in (None, ""):
            raise BadBody(f"Item {number}: {name} is missing.", param=f"[{number}].{name}")
