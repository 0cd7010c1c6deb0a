"""Stored credentials as the control plane takes and shows them: documented fields on one side, options on the other.

What can be told of a credential without using it is told when it is stored: an unknown provider or field, a missing
key, an address that is not allowed. No secret is ever shown, and none can be sent elsewhere by whoever may only
change it: a new address needs the key anew.
"""

import re
from collections.abc import Mapping
from typing import Any

from gatekey.admin.limits import without
from gatekey.admin.visit import House
from gatekey.catalog import Catalog
from gatekey.config.fields import nearest, snake
from gatekey.config.language import header_names, host
from gatekey.errors import BadBody, EgressRefused, GatekeyError, NotAvailable
from gatekey.providers import Provider, Where
from gatekey.secret import Secret
from gatekey.store.integrations import Credential

MAX_TEXT = 65_536
"""Characters of a key, an option or a header."""

_printable = re.compile(r"[\x20-\x7e]+")

Fields = Mapping[str, Any]
"""Options, `custom_host` and `custom_headers` of a body: None removes one."""


def slug_of(catalog: Catalog, name: str, field: str) -> str:
    """The catalog's slug for a provider's name, whose hyphens may be elsewhere. Raises `BadBody`."""
    bare = name.lower().replace("-", "")
    for slug in catalog.slugs():
        if slug == name or slug.replace("-", "") == bare:
            return slug
    known = ", ".join(catalog.slugs())
    near = nearest(name, catalog.slugs()) or "."
    raise BadBody(f"{field}: unknown provider {name[:60]!r}{near} Known are {known}.", param=field)


def available(asked: Any) -> None:
    """Raises `NotAvailable` for what is documented, would be unsafe to ignore, and is not there yet."""
    without(asked)
    if getattr(asked, "secret_mappings", None):
        raise NotAvailable("secret_mappings: not available yet.", param="secret_mappings")


def fresh(house: House, slug: str, key: Secret | None, fields: Fields) -> Credential:
    """A new credential. Raises `BadBody` naming the field."""
    return _checked(house, _with(Credential(slug), house.catalog.provider(slug), key, fields))


def revised(house: House, old: Credential, key: Secret | None, fields: Fields) -> Credential:
    """A credential with what a body changes of it; the rest stays. Raises `BadBody` naming the field."""
    provider = house.catalog.provider(old.provider)
    new = _checked(house, _with(old, provider, key, fields))
    if _address(provider, new) != _address(provider, old):
        said = {provider.option_fields.get(snake(field), snake(field)) for field in fields}
        kept = ["key"] if old.key and not key else []
        kept += [name for name, option in provider.options.items() if option.secret and name in old.options]
        kept += ["custom_headers"] if old.headers else []
        for name in kept:
            if name not in said:
                raise BadBody(f"{name}: send it anew, as the address it is sent to changes.", param=name)
    return new


def shown(catalog: Catalog, credential: Credential) -> dict[str, Any]:
    """What may be seen of a credential."""
    options = catalog.provider(credential.provider).options
    told: dict[str, Any] = {name: text for name, text in credential.options.items() if not options[name].secret}
    return told | ({"custom_host": credential.host} if credential.host else {})


def _with(old: Credential, provider: Provider, key: Secret | None, fields: Fields) -> Credential:
    options, said = dict(old.options), dict[str, str]()
    address, headers = old.host, old.headers
    for spelling, value in fields.items():
        name = snake(spelling)
        if name == "custom_host":
            address = _text(value, spelling) if value else ""
        elif name == "custom_headers":
            headers = _headers(value, spelling)
        else:
            option = _option(provider, name, spelling)
            if said.setdefault(option, spelling) != spelling:
                raise BadBody(f"{spelling}: it means the same as {said[option]}; send one.", param=spelling)
            options.pop(option, None)
            if value not in (None, ""):
                options[option] = _read(provider, option, value, spelling)
    if key:
        _text(key.reveal(), "key")
    return Credential(provider.slug, key or old.key, options, address, headers)


def _option(provider: Provider, name: str, spelling: str) -> str:
    takes = provider.option_fields
    if name not in takes:
        near = nearest(name, (*takes, "custom_host", "custom_headers"))
        raise BadBody(f"{spelling}: {provider.slug} has no such field{near or '.'}", param=spelling)
    return takes[name]


def _read(provider: Provider, option: str, value: Any, spelling: str) -> str:
    read = provider.options[option].read
    if read is None:
        return _text(value, spelling)
    try:
        return read(value)
    except ValueError as error:
        raise BadBody(f"{spelling}: {error}", param=spelling) from None


def _text(value: Any, spelling: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not _printable.fullmatch(value) or value.strip() != value:
        raise BadBody(
            f"{spelling}: expected text of at most {MAX_TEXT} printable ASCII characters, without spaces at its ends.",
            param=spelling,
        )
    return value


def _headers(value: Any, spelling: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadBody(f"{spelling}: expected an object of headers.", param=spelling)
    names = header_names(tuple(value), spelling)
    if len(names) < len(value):
        raise BadBody(f"{spelling}: a header is given twice.", param=spelling)
    return {name: _text(text, f"{spelling}.{name}") for name, text in zip(names, value.values(), strict=True)}


def _checked(house: House, credential: Credential) -> Credential:
    """As far as it can be told without sending anything. Raises `BadBody`, or what the provider's own file says."""
    provider = house.catalog.provider(credential.provider)
    if provider.key_needed and not credential.key and not credential.host:
        raise BadBody(f"key: {provider.slug} needs one.", param="key")
    if credential.host:
        host(credential.host, "custom_host")
    try:
        provider.sends(credential.options)
        address = _address(provider, credential)
        where = Where(model="model", options=credential.options, host=credential.host)
        for endpoint in provider.endpoints.values():
            if callable(endpoint.path):
                endpoint.path(where)
    except GatekeyError as failure:
        raise BadBody(failure.message, param=failure.param) from None
    if credential.host or callable(provider.base):
        place = "custom_host" if credential.host else "configurations"
        try:
            house.policy.check_url(address, place)
        except EgressRefused as failure:
            raise EgressRefused(f"{place}: {failure.message.removeprefix(place).strip()}", param=place) from None
    return credential


def _address(provider: Provider, credential: Credential) -> str:
    """Where requests go."""
    if credential.host:
        return credential.host
    base = provider.base
    return base(Where(options=credential.options)) if callable(base) else base
