"""Reads a config: text and catalog in, a complete frozen Config out, or the first error with its path.

Pure. The catalog says which providers and options there are; nothing of a provider is imported for one that is
only unknown. Paths in errors are relative to the config and spelled as the caller wrote them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import msgspec
from msgspec import Raw

from gatekey.config.fields import Schema, bad, below, nearest, snake, sort
from gatekey.config.inherit import Level, settle, split
from gatekey.config.language import ALSO, FIELDS, OLD, option
from gatekey.config.model import Config, Strategy
from gatekey.errors import BadConfig, CallerError
from gatekey.secret import Secret

MAX_SIZE = 262_144
"""Bytes of a config."""
MAX_DEPTH = 40
"""Nesting of its JSON."""
MAX_ROOT_TARGETS = 100
MAX_CONDITIONAL_TARGETS = 1000
MAX_NESTED_TARGETS = 50

_byte = re.compile(r"\(byte (\d+)\)$")


class Catalog(Protocol):
    """What a config may name."""

    def known(self, slug: str) -> bool:
        """Whether there is such a provider."""

    def slugs(self) -> tuple[str, ...]:
        """Every provider."""

    def options(self, slug: str) -> Mapping[str, str]:
        """Every spelling of a provider's options, in snake_case, to the canonical name."""

    def option_names(self) -> Mapping[str, str]:
        """The same over all providers."""

    def documented(self, option: str) -> bool:
        """Whether it is an option of a provider that is documented and not here."""


def load(source: str | bytes | Mapping[str, Any], catalog: Catalog, param: str = "x-portkey-config") -> Config:
    """The config. `param` names where it came from, for errors that have no path inside it.

    Raises `BadConfig` for what is wrong, and `NotAvailable` for what is right and would be unsafe to ignore.
    """
    try:
        kept = _kept(source)
        root = _Reader(catalog).level(kept, "", None)
    except CallerError as error:
        error.param = error.param or param
        raise
    return Config(settle(root), tuple(dict.fromkeys(_unavailable(root))))


def schema(catalog: Catalog, ref: str = "#") -> Schema:
    """The JSON Schema (2020-12) of a config, in snake_case; `ref` is the address it will have, as targets recur."""
    properties = {name: field.schema for name, field in FIELDS.items()}
    properties |= {spelling: FIELDS[name].schema for spelling, name in ALSO.items()}
    properties |= {spelling: option(spelling).schema for spelling in sorted(catalog.option_names())}
    stored = {"type": "string", "pattern": "^@[^/]+$", "description": "@ and the slug of a stored provider"}
    properties["provider"] = {"anyOf": [{"enum": list(catalog.slugs())}, stored]}
    properties["targets"] = {"type": "array", "items": {"$ref": ref}, "minItems": 1}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _kept(source: str | bytes | Mapping[str, Any]) -> Raw:
    try:
        data = source if isinstance(source, bytes) else _encoded(source)
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError, OverflowError):
        raise bad("", "not a JSON object") from None
    if len(data) > MAX_SIZE:
        raise bad("", f"larger than {MAX_SIZE} bytes")
    try:
        depth = _depth(msgspec.json.decode(data))
    except UnicodeDecodeError:
        raise bad("", "not UTF-8") from None
    except msgspec.ValidationError:
        raise bad("", "not valid JSON: a number is out of range") from None
    except msgspec.DecodeError as error:
        byte = _byte.search(str(error))
        where = f"byte {byte[1]}" if byte else f"its end (byte {len(data)})"
        raise bad("", f"not valid JSON at {where}") from None
    except RecursionError:
        depth = MAX_DEPTH + 1
    if depth > MAX_DEPTH:
        raise bad("", f"nested deeper than {MAX_DEPTH}")
    return msgspec.json.decode(data, type=Raw)


def _encoded(source: str | Mapping[str, Any]) -> bytes:
    return source.encode() if isinstance(source, str) else msgspec.json.encode(source)


def _depth(value: Any) -> int:
    """Level by level, so that no nesting can overflow the stack."""
    depth, layer = 0, [value]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        depth += 1
        layer = [inner for item in layer for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _unavailable(level: Level) -> Iterator[str]:
    yield from level.unavailable
    for target in level.targets:
        yield from _unavailable(target)


class _Reader:
    """Reads levels with one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def level(self, kept: Raw, path: str, group: str | None) -> Level:
        """One object of the config and all below it; `group` is who is named above: a provider, or @ and a slug."""
        found, rest = sort(kept, path, FIELDS, ALSO)
        said = {name: FIELDS[name].read(value, place) for name, (place, value) in found.items()}
        places = {name: place for name, (place, _) in found.items()}
        provider, virtual_key = self._named(said, places, group)
        group = f"@{virtual_key}" if virtual_key is not None else provider or group
        if group is not None and group.startswith("@") and "api_key" in said:
            told = f'"{group[:61]}" is stored with its key; remove api_key, or name a plain provider'
            raise bad(places["api_key"], told)
        strategy, breaker = said.get("strategy", (None, None))
        breaker = breaker or said.get("cb_config")
        absent = {"cache": "cache" in said, "circuit breaker": breaker is not None}
        absent["integrated models"] = said.get("fetch_integrated_models", False)
        level = Level(
            path="config" + (f".{path}" if path else ""),
            name=said.get("name"),
            weight=said.get("weight", 1.0),
            provider=provider,
            virtual_key=virtual_key,
            api_key=Secret(said["api_key"]) if "api_key" in said else None,
            options=self._options(rest, path, group),
            custom_host=said.get("custom_host"),
            retry=said.get("retry"),
            cache=said.get("cache"),
            breaker=breaker,
            request_timeout=said.get("request_timeout"),
            forward_headers=said.get("forward_headers"),
            strict=said.get("strict_open_ai_compliance"),
            default_params=said.get("default_params", {}),
            override_params=said.get("override_params", {}),
            drop_params=said.get("drop_params", ()),
            unavailable=tuple(name for name, asked in absent.items() if asked),
        )
        if "targets" not in said:
            if strategy is not None:
                raise bad(below(path, "targets"), "missing; a strategy needs targets")
            return level
        strategy = strategy or Strategy()
        if strategy.on_status_codes is None:
            strategy = replace(strategy, on_status_codes=said.get("on_status_codes"))
        targets = self._targets(said["targets"], places["targets"], strategy, group, root=not path)
        _check_strategy(strategy, targets, places)
        return replace(level, strategy=strategy, targets=targets)

    def _targets(
        self, listed: tuple[Raw, ...], path: str, strategy: Strategy, group: str | None, *, root: bool
    ) -> tuple[Level, ...]:
        most = MAX_NESTED_TARGETS
        if root:
            most = MAX_CONDITIONAL_TARGETS if strategy.mode == "conditional" else MAX_ROOT_TARGETS
        if len(listed) > most:
            raise bad(path, f"expected at most {most} targets, got {len(listed)}")
        return tuple(self.level(one, f"{path}[{index}]", group) for index, one in enumerate(listed))

    def _named(
        self, said: Mapping[str, Any], places: Mapping[str, str], group: str | None
    ) -> tuple[str | None, str | None]:
        """The plain provider, or the stored one, that a level names itself. A virtual key stands above a provider."""
        provider, virtual_key = said.get("provider"), said.get("virtual_key")
        if provider is not None and provider.startswith("@"):
            if len(provider) == 1 or "/" in provider:
                raise bad(places["provider"], 'expected "@" and the slug of a stored provider')
            if virtual_key not in (None, provider[1:]):
                raise bad(places["provider"], f"names another one than {places['virtual_key']}")
            return None, provider[1:]
        if provider is not None and not self._catalog.known(provider):
            told = f'unknown provider "{provider[:60]}"'
            raise bad(places["provider"], told + nearest(provider, self._catalog.slugs()))
        if virtual_key is not None:
            return None, virtual_key
        plain = provider or (group if group is not None and not group.startswith("@") else None)
        if plain is None and "api_key" not in said:
            # With a plain provider, or a key for the one that the headers name, @ is part of the model's name.
            virtual_key = split(said.get("override_params", {}))[0] or None
        return provider, virtual_key

    def _options(self, rest: Mapping[str, Raw], path: str, group: str | None) -> dict[str, str]:
        options: dict[str, str] = {}
        for key, kept in rest.items():
            place, spelling = below(path, key), snake(key)
            if group is None or group.startswith("@"):
                takes = self._catalog.option_names()
            else:
                takes = self._catalog.options(group)
            if spelling not in takes:
                raise self._unknown(key, place, group, takes)
            name = takes[spelling]
            if name in options:
                raise bad(place, f"given twice: it means {name}")
            options[name] = option(spelling).read(kept, place)
        return options

    def _unknown(self, key: str, place: str, group: str | None, takes: Mapping[str, str]) -> BadConfig:
        if key in OLD:
            return bad(place, "the config format with mode and options is no longer read; write strategy and targets")
        if snake(key) in self._catalog.option_names():
            return bad(place, f'the provider "{group}" has no such option' + nearest(key, takes))
        if self._catalog.documented(snake(key)):
            return bad(place, "no provider that takes this option is available yet")
        return bad(place, "unknown key" + nearest(key, (*FIELDS, *ALSO, *takes)))


def _check_strategy(strategy: Strategy, targets: tuple[Level, ...], places: Mapping[str, str]) -> None:
    """What only the strategy and its targets together can get wrong."""
    names: set[str] = set()
    for index, target in enumerate(targets):
        if target.name is not None and target.name in names:
            raise bad(f"{places['targets']}[{index}].name", f'"{target.name[:60]}" is the name of another target too')
        names |= {target.name} if target.name is not None else set()
    if strategy.mode == "loadbalance" and not any(target.weight for target in targets):
        raise bad(places["targets"], "the weights add up to 0; give a target a weight above 0")
    wanted = [(f"conditions[{index}].then", case[1]) for index, case in enumerate(strategy.conditions)]
    if strategy.default is not None:
        wanted.append(("default", strategy.default))
    for key, name in wanted:
        if name not in names:
            place = f"{places['strategy']}.{key}"
            raise bad(place, f'no target has the name "{name[:60]}"' + nearest(name, names))
