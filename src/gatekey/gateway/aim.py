"""Which provider, which credential, which host: a target of the config and the request's headers, put together.

A credential goes only to whom it was meant for. One that came in a header belongs to the provider that the
headers name, or to the targets of an inline config that name a provider without a key; where those would be
several providers or hosts, nobody can say whose it is, and the request is refused.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from gatekey.catalog import Catalog
from gatekey.config.model import Config, Target
from gatekey.errors import BadConfig, BadHeader, EgressRefused, Expired, GatekeyError, Unsealable
from gatekey.gateway.call import Call
from gatekey.gateway.headers import DUMMIES, Options, decoded, unwrapped
from gatekey.providers import Provider, Where
from gatekey.secret import Secret
from gatekey.store.directory import Directory, Stored


class Aim(Struct, frozen=True):
    """Where an attempt goes. `timeout` in ms; `host` is the custom host, or empty.

    `stored`: the provider's slug in the store, where the credential comes from there; `models`: those that it may
    be used with, None for all; `headers`: what it adds to every request; `secrets`: what of all this no caller may
    see. `refusal`: why it cannot be used now.
    """

    target: Target
    provider: Provider
    key: Secret | None
    options: Mapping[str, str]
    host: str
    timeout: int | None
    strict: bool
    forward: tuple[str, ...]
    borrowed: bool = False
    stored: str = ""
    models: frozenset[str] | None = None
    headers: Mapping[str, str] = {}
    secrets: tuple[Secret, ...] = ()
    refusal: GatekeyError | None = None


def check(options: Options, catalog: Catalog) -> None:
    """Refuse a header that names no provider we have. Raises `BadHeader`."""
    if options.provider and not options.provider.startswith("@") and not catalog.known(options.provider):
        raise BadHeader(
            f'Invalid provider passed. x-portkey-provider: unknown provider "{options.provider[:60]}". '
            f"Known: {', '.join(catalog.slugs())}. Stored providers are named with @.",
            param="x-portkey-provider",
        )


class Sight(Struct, frozen=True):
    """What aiming needs. `check_host` is the egress policy's for a URL and where it was written; `now` in s."""

    catalog: Catalog
    directory: Directory
    check_host: Callable[[str, str], object]
    now: float


def aims(config: Config, call: Call, sight: Sight) -> dict[str, Aim]:
    """The aim of every leaf, by its path.

    Raises `BadHeader`, `BadConfig` or `EgressRefused`, before anything is sent.
    """
    found = {leaf.path: _aim(leaf, call, sight) for leaf in config.leaves()}
    borrowers = {(aim.provider.slug, aim.host) for aim in found.values() if aim.borrowed}
    if len(borrowers) > 1:
        raise BadConfig(
            "The key in Authorization could be meant for any of several providers: "
            "set api_key in each target of the config.",
            param="authorization",
        )
    return found


def _aim(target: Target, call: Call, sight: Sight) -> Aim:
    asked, settings = call.head.options, target.settings
    host = asked.custom_host or settings.custom_host or ""
    if host:
        sight.check_host(host, _where(target, call))
    named, slug, param = _named(target, call)
    if named:
        return _at_stored(target, call, sight, named, param, host)
    return _at_plain(target, call, sight, slug, host)


def _where(target: Target, call: Call) -> str:
    """Where a custom host was written."""
    return "x-portkey-custom-host" if call.head.options.custom_host else f"{target.path}.custom_host"


def _common(target: Target, call: Call) -> tuple[int | None, bool, tuple[str, ...]]:
    """Time-out, strictness and headers to forward: what the request says, else what the config says."""
    asked, settings = call.head.options, target.settings
    strict = asked.strict if asked.strict is not None else settings.strict
    forward = asked.forward_headers or settings.forward_headers
    return asked.request_timeout or settings.request_timeout, strict is not False, forward


def _named(target: Target, call: Call) -> tuple[str, str, str]:
    """Who is named: a stored provider, or a plain one; and where. The nearest to the target counts."""
    asked = call.head.options
    if target.virtual_key:
        return target.virtual_key, "", f"{target.path}.virtual_key"
    if target.provider:
        return "", target.provider, f"{target.path}.provider"
    if asked.virtual_key:
        return asked.virtual_key, "", "x-portkey-virtual-key"
    if asked.provider.startswith("@"):
        return asked.provider[1:], "", "x-portkey-provider"
    if asked.provider:
        return "", asked.provider, "x-portkey-provider"
    named = slug_of(call.asked("model"))
    if named:
        return named, "", "model"
    raise BadHeader(
        "Either x-portkey-config or x-portkey-provider header is required"
        + (f": {target.path} names no provider." if target.path != "config" else ", naming a provider."),
        param="x-portkey-provider",
    )


def slug_of(model: object) -> str:
    """The stored provider that a model's name begins with: `@slug/model`."""
    if isinstance(model, str) and model.startswith("@") and "/" in model:
        return model[1:].partition("/")[0]
    return ""


def _at_stored(target: Target, call: Call, sight: Sight, named: str, param: str, host: str) -> Aim:
    """A stored provider of the caller's workspace: what headers say of credentials is not for it."""
    stored = sight.directory.provider(call.principal.home, named)
    if stored is None or not sight.catalog.known(stored.provider):
        raise BadHeader(f"{param}: there is no virtual key or provider {named[:80]!r} in your workspace.", param=param)
    refusal: GatekeyError | None = None
    if stored.expires_at is not None and stored.expires_at <= sight.now * 1000:
        refusal = Expired(f"The virtual key {stored.slug} has expired.", param=param)
    elif stored.broken:
        refusal = Unsealable(stored.broken, param=param)
    provider = sight.catalog.provider(stored.provider)
    options, secrets = stored.options, _secrets(stored, provider)
    moved = bool(host)
    if target.options:
        options = {**options, **target.options}
        # An option may be part of the address, as the name of an Azure resource is.
        moved = moved or (not stored.custom_host and _base(provider, options) != _base(provider, stored.options))
    if secrets and moved:
        where = _where(target, call) if host else target.path
        raise EgressRefused(f"{where}: a stored credential is only sent to its own host.", param=where)
    if stored.custom_host:
        sight.check_host(stored.custom_host, f"custom_host of {stored.slug}")
    timeout, strict, forward = _common(target, call)
    return Aim(
        target=target,
        provider=provider,
        key=stored.key,
        options=options,
        host=host or stored.custom_host,
        timeout=timeout,
        strict=strict,
        forward=forward,
        stored=stored.slug,
        models=stored.models,
        headers=stored.custom_headers,
        secrets=secrets,
        refusal=refusal,
    )


def _secrets(stored: Stored, provider: Provider) -> tuple[Secret, ...]:
    """What of a stored provider nobody may see, but whom it is for."""
    options = [text for name, text in stored.options.items() if provider.options[name].secret]
    found = [Secret(text) for text in (*options, *stored.custom_headers.values())]
    return (*found, stored.key) if stored.key else tuple(found)


def _base(provider: Provider, options: Mapping[str, str]) -> str:
    """Where requests go that have these options. Raises `BadConfig`."""
    return provider.base(Where(options=options)) if callable(provider.base) else provider.base


def _at_plain(target: Target, call: Call, sight: Sight, slug: str, host: str) -> Aim:
    """A provider by its plain slug, with a credential of the config's or the request's."""
    provider = sight.catalog.provider(slug)
    key, options, borrowed = target.api_key, target.options, False
    if key is None and call.head.options.provider in ("", slug):
        key = call.credential or _native(provider, call)
        options = {**_from_headers(provider, call), **options}
        borrowed = key is not None
    if key is None and provider.key_needed and not host:
        raise BadHeader(
            f"{target.path}: {slug} needs a key: send it as Authorization: Bearer, or set api_key in the config.",
            param="authorization",
        )
    return Aim(target, provider, key, options, host, *_common(target, call), borrowed)


def _native(provider: Provider, call: Call) -> Secret | None:
    """The key in one of the provider's own headers: never the gateway key, never a dummy."""
    for name in provider.key_headers:
        key = call.head.get(name)
        if key and key != call.gateway_key and key not in DUMMIES:
            return Secret(key)
    return None


def _from_headers(provider: Provider, call: Call) -> dict[str, str]:
    """The provider's own options among the request's headers, the gateway key in none of them."""
    sent = call.head.raw.keys() & provider.option_headers.keys()
    if not sent:
        return {}
    found = {provider.option_headers[name]: decoded(call.head.raw[name]) for name in sent}
    return {name: value for name, value in found.items() if unwrapped(value) not in ("", call.gateway_key)}
