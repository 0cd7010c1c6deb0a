"""What the text of a config names: stored providers, and credentials written into it. Pure.

For a text that `load` has accepted. It needs no catalog, and looks at every level, also at what no leaf takes.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from gatekey.config.fields import below, snake
from gatekey.config.inherit import split

Said = Mapping[str, tuple[str, Any]]
"""What a level says: its path and value by the key in snake_case."""


def references(text: str) -> dict[str, str]:
    """The slugs of the stored providers that a config names, each with the first place where it does."""
    found: dict[str, str] = {}
    # With each level, whether a plain provider is named above.
    waiting = [(_said(msgspec.json.decode(text), ""), False)]
    while waiting:
        level, plain = waiting.pop(0)
        slug, key, plain = _named(level, plain)
        if slug:
            path = level[key][0]
            found.setdefault(slug, f"{path}.model" if key == "override_params" else path)
        waiting += [(target, plain) for target in _targets(level)]
    return found


def secrets(text: str, options: Collection[str]) -> Iterator[str]:
    """The places of the credentials written into a config; `options`: every spelling of those that are secret."""
    waiting = [_said(msgspec.json.decode(text), "")]
    while waiting:
        level = waiting.pop()
        yield from (path for key, (path, value) in level.items() if value and (key == "api_key" or key in options))
        waiting += _targets(level)


def _named(level: Said, plain: bool) -> tuple[str, str, bool]:
    """The stored provider that a level names, by which key, and whether a plain one holds from here on."""
    provider, virtual_key = _value(level, "provider") or "", _value(level, "virtual_key")
    if virtual_key:
        return virtual_key, "virtual_key", False
    if provider.startswith("@"):
        return provider[1:], "provider", False
    if provider or plain or "api_key" in level:
        return "", "", bool(provider) or plain
    model = (_value(level, "override_params") or {}).get("model")
    return split({"model": Raw(msgspec.json.encode(model))})[0], "override_params", False


def _said(level: Mapping[str, Any], path: str) -> Said:
    return {snake(key): (below(path, key), value) for key, value in level.items() if value is not None}


def _value(level: Said, key: str) -> Any:
    return level[key][1] if key in level else None


def _targets(level: Said) -> Iterator[Said]:
    if "targets" in level:
        path, targets = level["targets"]
        yield from (_said(target, f"{path}[{index}]") for index, target in enumerate(targets))
