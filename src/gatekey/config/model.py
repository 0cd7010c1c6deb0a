"""What a config is once it is loaded: a tree of Nodes whose leaves are Targets, complete and frozen.

Nothing is decided here. `load` reads a text into this shape and `inherit` has already pushed every
setting down to the leaves, so that whoever handles a Target never asks its parents.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec import Raw

from gatekey.config.conditions import Condition
from gatekey.secret import Secret

RETRY_CODES = frozenset({429, 500, 502, 503, 504, 529})
"""Statuses that are tried again where `retry.on_status_codes` says nothing (portkey-api.md 5.2)."""


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts`: tries after the first one, 0 to 5."""

    attempts: int = 0
    on_status_codes: frozenset[int] = RETRY_CODES
    use_retry_after_headers: bool = False


@dataclass(frozen=True, slots=True)
class Cache:
    """`max_age` in seconds, 60 to 7,776,000."""

    mode: str
    max_age: int = 604_800


@dataclass(frozen=True, slots=True)
class Breaker:
    """Circuit breaker settings; `cooldown_interval` in ms."""

    failure_threshold: int | None = None
    failure_threshold_percentage: float | None = None
    minimum_requests: int | None = None
    cooldown_interval: int = 30_000
    failure_status_codes: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Sticky:
    """Keep callers with equal `hash_fields` (such as `metadata.user_id`) on one target; `ttl` in s."""

    hash_fields: tuple[str, ...]
    ttl: int = 3600


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a Node uses its targets. `on_status_codes` None: whatever is not 2xx moves a fallback on."""

    mode: str = "single"
    on_status_codes: frozenset[int] | None = None
    conditions: tuple[tuple[Condition, str], ...] = ()
    default: str | None = None
    sticky: Sticky | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a leaf has of its own or from its parents. None or empty: not set anywhere above.

    Parameters are kept as the JSON they were written in (numbers keep their digits).
    `request_timeout` in ms. `unavailable` names parts that are validated but not built yet and safe to be absent.
    """

    retry: Retry = Retry()
    cache: Cache | None = None
    request_timeout: int | None = None
    custom_host: str | None = None
    forward_headers: tuple[str, ...] = ()
    default_params: Mapping[str, Raw] = field(default_factory=dict)
    override_params: Mapping[str, Raw] = field(default_factory=dict)
    drop_params: tuple[str, ...] = ()
    strict: bool | None = None
    breaker: Breaker | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A leaf: where one attempt goes.

    `path` is its place in the config as reported to callers: `config`, `config.targets[1].targets[0]`.
    Who answers is named by `virtual_key`, the slug of a stored provider with its credential; or by `provider`, a
    plain slug that the catalog knows; or, where both are None, by the request's headers or its model. Never by both.
    `options` are the provider's own options under their canonical names (`azure_resource_name`).
    """

    path: str = "config"
    name: str | None = None
    weight: float = 1.0
    provider: str | None = None
    virtual_key: str | None = None
    api_key: Secret | None = None
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Settings = Settings()


@dataclass(frozen=True, slots=True)
class Node:
    """An inner node: a strategy over targets, at least one."""

    path: str
    strategy: Strategy
    targets: tuple["Node | Target", ...]
    name: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Config:
    """A loaded config. `unavailable` names the parts that were accepted and are not acted upon (`cache`)."""

    root: Node | Target = Target()
    unavailable: tuple[str, ...] = ()

    def leaves(self) -> Iterator[Target]:
        """Every Target, left to right."""
        stack = [self.root]
        while stack:
            item = stack.pop()
            if isinstance(item, Target):
                yield item
            else:
                stack.extend(reversed(item.targets))
