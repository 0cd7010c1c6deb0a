"""A log that a caller brings, of a request that did not go through this gateway, as a record: portkey-api.md 4.5.

Clients write it in two ways (sdk-wire.md): trace and span beside `request` and `response`, or in `metadata`, where
names are in camelCase too. What it cost is worked out of the usage that its answer reports.
"""

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from gatekey.catalog import Catalog
from gatekey.config.fields import snake
from gatekey.config.model import Target
from gatekey.errors import BadBody
from gatekey.gateway import censor
from gatekey.gateway.aim import Aim
from gatekey.gateway.entry import MAX_BODY, shown
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
AROUND = frozenset({"url", "method", "provider", "headers", "status", "response_time", "streamingMode"})
"""What request and response have beside a body."""
_slug = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Log(Struct):
    """A log to keep. Of `request` these are read: `url`, `method`, `provider`, `headers`, `body`; of `response`:
    `status` (200), `headers`, `body`, `response_time` in ms, `streamingMode`. All may be missing, as clients leave out
    what they do not know; one that has no `body` is kept as it is.
    """

    request: dict[str, Any]
    response: dict[str, Any]
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
    """The record. Raises `BadBody` naming the field that cannot be read."""
    given = {**{snake(name): text for name, text in (log.metadata or {}).items()}, **_beside(log)}
    took = int(_number(log.response, "response_time", 0, MS_MOST) * 1000)
    status = int(_number(log.response, "status", 100, 599) or 200)
    own = {name: _text(value) for name, value in (log.metadata or {}).items() if snake(name) not in OWN}
    tried = _tried(log, status, took, principal, at)
    id = secrets.token_hex(16)
    made = Record(
        id=id,
        created_at=_moment(given.get("start_time")),
        kind=INSERTED,
        method=_said(log.request, "method", 16).upper() or "POST",
        path=tried.url,
        workspace=principal.home,
        api_key=principal.id,
        user=own.get("_user", ""),
        trace_id=_text(given.get("trace_id")) or id,
        span_id=_text(given.get("span_id")),
        span_name=_text(given.get("span_name")),
        parent_span_id=_text(given.get("parent_span_id")),
        seed=id,
        metadata={name: censor.MASK if censor.is_credential(name) else value for name, value in own.items()},
        status=status,
        error=tried.error,
        provider=tried.provider,
        model=tried.model,
        option=tried.path,
        stream=log.response.get("streamingMode") is True,
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


def _tried(log: Log, status: int, took: int, principal: Principal, at: Means) -> Tried:
    """The one attempt, with what it consumed."""
    provider = _provider(_said(log.request, "provider", 64).strip().lower(), at.catalog)
    url = _plain(_said(log.request, "url", LONGEST))
    tally = Tally("application/json", urlsplit(url).path)
    tally.feed(msgspec.json.encode(log.response.get("body")))
    tally.close()
    wanted = _field(log.request.get("body"), "model")
    tried = Tried(
        path="config",
        provider=provider.slug,
        status=status,
        by="provider",
        model=wanted or tally.model[:256],
        url=url,
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
    made.request_headers = {name: _shown(name, value) for name, value in _headers(log.request)}
    made.response_headers = {
        name: censor.MASK if censor.is_credential(name) else _text(value) for name, value in _headers(log.response)
    }
    made.request, cut = _body(log.request)
    made.response, too = _body(log.response)
    made.cut = cut or too


def _headers(of: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    found = of.get("headers")
    return ((name.lower(), value) for name, value in found.items()) if isinstance(found, dict) else iter(())


def _shown(name: str, value: Any) -> str:
    return _text(value) if shown(name) else censor.MASK


def _body(of: dict[str, Any]) -> tuple[Raw, bool]:
    value = of["body"] if "body" in of else {name: each for name, each in of.items() if name not in AROUND}
    if value in (None, {}):
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


def _said(of: Mapping[str, Any], name: str, most: int) -> str:
    """A text among what was asked. Raises `BadBody`."""
    found = of.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > most:
        raise BadBody(f"request.{name}: expected a text of at most {most} characters.", param=f"request.{name}")
    return found


def _number(of: Mapping[str, Any], name: str, low: int, high: int) -> float:
    """A number among what was answered, 0 where there is none; clients write it as a text, too. Raises `BadBody`."""
    found = of.get(name)
    if found in (None, ""):
        return 0
    try:
        number = float("nan") if isinstance(found, bool) else float(found)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not low <= number <= high:
        raise BadBody(f"response.{name}: expected a number from {low} to {high}.", param=f"response.{name}")
    return number
