"""Which provider, which credential, which host: a target of the config and the request's headers, put together.

A credential goes only to whom it was meant for. One that came in a header belongs to the provider that the
headers name, or to the targets of an inline config that name a provider without a key; where those would be
several providers or hosts, nobody can say whose it is, and the request is refused.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from gatekey.catalog import Catalog
from gatekey.config.model import Config, Target
from gatekey.errors import BadConfig, BadHeader, NotAvailable
from gatekey.gateway.call import Call
from gatekey.gateway.headers import DUMMIES, Options, unwrapped
from gatekey.providers import Provider
from gatekey.secret import Secret


class Aim(Struct, frozen=True):
    """Where an attempt goes. `timeout` in ms; `host` is the custom host, or empty."""

    target: Target
    provider: Provider
    key: Secret | None
    options: Mapping[str, str]
    host: str
    timeout: int | None
    strict: bool
    forward: tuple[str, ...]


def check(options: Options, catalog: Catalog) -> None:
    """Refuse a header that names no provider we have. Raises `BadHeader` or `NotAvailable`."""
    if options.virtual_key or options.provider.startswith("@"):
        name = "x-portkey-virtual-key" if options.virtual_key else "x-portkey-provider"
        raise NotAvailable(
            f"{name}: stored credentials are not available yet. Send x-portkey-provider with the provider's slug "
            "and its key as Authorization: Bearer.",
            param=name,
        )
    if options.provider and not catalog.known(options.provider):
        raise BadHeader(
            f'Invalid provider passed. x-portkey-provider: unknown provider "{options.provider[:60]}". '
            f"Known: {', '.join(catalog.slugs())}.",
            param="x-portkey-provider",
        )


def aims(config: Config, call: Call, catalog: Catalog, check_host: Callable[[str, str], object]) -> dict[str, Aim]:
    """The aim of every leaf, by its path. `check_host` is the egress policy's for a URL and where it was written.

    Raises `BadHeader`, `BadConfig` or `EgressRefused`, before anything is sent.
    """
    found = {leaf.path: _aim(leaf, call, catalog, check_host) for leaf in config.leaves()}
    borrowers = {(aim.provider.slug, aim.host) for aim in found.values() if aim.key is not aim.target.api_key}
    if len(borrowers) > 1:
        raise BadConfig(
            "The key in Authorization could be meant for any of several providers: "
            "set api_key in each target of the config.",
            param="authorization",
        )
    return found


def _aim(target: Target, call: Call, catalog: Catalog, check_host: Callable[[str, str], object]) -> Aim:
    asked, settings = call.head.options, target.settings
    slug = target.provider or asked.provider
    if not slug:
        raise BadHeader(
            "Either x-portkey-config or x-portkey-provider header is required"
            + (f": {target.path} names no provider." if target.path != "config" else ", naming a provider."),
            param="x-portkey-provider",
        )
    provider = catalog.provider(slug)
    key, options = target.api_key, target.options
    if key is None and asked.provider in ("", slug):
        key = call.credential or _native(provider, call)
        options = {**_from_headers(provider, call), **options}
    host = asked.custom_host or settings.custom_host or ""
    if host:
        check_host(host, "x-portkey-custom-host" if asked.custom_host else f"{target.path}.custom_host")
    if key is None and provider.key_needed and not host:
        raise BadHeader(
            f"{target.path}: {slug} needs a key: send it as Authorization: Bearer, or set api_key in the config.",
            param="authorization",
        )
    strict = asked.strict if asked.strict is not None else settings.strict
    return Aim(
        target=target,
        provider=provider,
        key=key,
        options=options,
        host=host,
        timeout=asked.request_timeout or settings.request_timeout,
        strict=strict is not False,
        forward=asked.forward_headers or settings.forward_headers,
    )


def _native(provider: Provider, call: Call) -> Secret | None:
    """The key in one of the provider's own headers: never the gateway key, never a dummy."""
    for name in provider.key_headers:
        key = call.head.get(name)
        if key and key != call.gateway_key and key not in DUMMIES:
            return Secret(key)
    return None


def _from_headers(provider: Provider, call: Call) -> dict[str, str]:
    """The provider's own options among the request's headers, the gateway key in none of them."""
    sent = call.head.names & provider.option_headers.keys()
    found = {provider.option_headers[name]: call.head.get(name) for name in sent}
    return {name: value for name, value in found.items() if unwrapped(value) not in ("", call.gateway_key)}
