"""Pushes settings down the tree once, so that every leaf is complete and nobody asks a parent later.

Pure. What a level does not say it takes from the level above:

    retry, cache, breaker, request_timeout, forward_headers, strict    the nearest that says it
    default_params, override_params                                    merged key by key, the lower wins
    drop_params                                                        all of them, the upper's first
    provider, virtual_key, api_key, options
                                  one group: a level that names neither provider nor virtual key takes the group
                                  above and adds its own; a level that names one takes nothing of it
    custom_host                   goes with its provider or virtual key: not taken by a level of another one than
                                  the one it was written for

A credential must never be sent to a host that was written for another provider: hence the last two rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import msgspec
from msgspec import Raw

from gatekey.config.model import Breaker, Cache, Node, Retry, Settings, Strategy, Target
from gatekey.secret import Secret


@dataclass(frozen=True, slots=True)
class Level:
    """What one object of a config says itself; None is not said. Levels with a strategy are inner nodes.

    `options` have canonical names. `host_for`: the provider, or @ and the virtual key, that `custom_host` was
    written for, None for any.
    `unavailable` names what is said here and not acted upon.
    """

    path: str
    name: str | None = None
    weight: float = 1.0
    provider: str | None = None
    virtual_key: str | None = None
    api_key: Secret | None = None
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    custom_host: str | None = None
    host_for: str | None = None
    retry: Retry | None = None
    cache: Cache | None = None
    breaker: Breaker | None = None
    request_timeout: int | None = None
    forward_headers: tuple[str, ...] | None = None
    strict: bool | None = None
    default_params: Mapping[str, Raw] = field(default_factory=dict)
    override_params: Mapping[str, Raw] = field(default_factory=dict)
    drop_params: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    strategy: Strategy | None = None
    targets: tuple["Level", ...] = ()


_NEAREST = ("retry", "cache", "breaker", "request_timeout", "forward_headers", "strict")


def settle(level: Level, above: Level | None = None) -> Node | Target:
    """The tree below `level`, its leaves complete."""
    whole = _under(above or Level(""), level)
    if whole.strategy is None:
        return _leaf(whole)
    targets = tuple(settle(target, whole) for target in whole.targets)
    return Node(whole.path, whole.strategy, targets, whole.name, whole.weight)


def _under(above: Level, level: Level) -> Level:
    alone = level.provider is not None or level.virtual_key is not None
    named = level if alone else above
    whom = f"@{named.virtual_key}" if named.virtual_key is not None else named.provider
    own_host = level.custom_host is not None
    takes_host = not own_host and (not alone or above.host_for in (None, whom))
    nearest = {name: getattr(above, name) for name in _NEAREST if getattr(level, name) is None}
    return replace(
        level,
        **nearest,
        provider=named.provider,
        virtual_key=named.virtual_key,
        api_key=above.api_key if level.api_key is None and not alone else level.api_key,
        options=level.options if alone else {**above.options, **level.options},
        custom_host=above.custom_host if takes_host else level.custom_host,
        host_for=above.host_for if takes_host else whom,
        default_params={**above.default_params, **level.default_params},
        override_params={**above.override_params, **level.override_params},
        drop_params=tuple(dict.fromkeys((*above.drop_params, *level.drop_params))),
    )


_SETTINGS = tuple(item.name for item in fields(Settings))


def _leaf(level: Level) -> Target:
    said = {name: getattr(level, name) for name in _SETTINGS if getattr(level, name) is not None}
    if level.virtual_key is not None:
        for name in ("default_params", "override_params"):
            said[name] = _without_slug(said[name], level.virtual_key)
    return Target(
        path=level.path,
        name=level.name,
        weight=level.weight,
        provider=level.provider,
        virtual_key=level.virtual_key,
        api_key=level.api_key,
        options=level.options,
        settings=Settings(**said),
    )


def _without_slug(parameters: Mapping[str, Raw], virtual_key: str) -> Mapping[str, Raw]:
    """`@slug/model` as the stored provider itself knows it: `model`, which may hold slashes."""
    slug, model = split(parameters)
    return {**parameters, "model": Raw(msgspec.json.encode(model))} if slug == virtual_key else parameters


def split(parameters: Mapping[str, Raw]) -> tuple[str, str]:
    """The stored provider and the model that a parameter `model` written `@slug/model` names; else both are empty."""
    model = msgspec.json.decode(parameters["model"]) if "model" in parameters else None
    if not isinstance(model, str) or not model.startswith("@"):
        return "", ""
    slug, _, rest = model[1:].partition("/")
    return (slug, rest) if slug and rest else ("", "")
