"""The config language, declared once: every documented key with what it accepts.

The same table validates, normalises spellings and yields the JSON Schema (portkey-api.md 2.2).
A provider's own options are not here: their names come from the catalog when a config is loaded.
"""

import json
import re
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw

from gatekey.config import conditions
from gatekey.config.conditions import Condition
from gatekey.config.fields import (
    Field,
    any_object,
    anything,
    bad,
    boolean,
    by_first,
    either,
    integer,
    list_of,
    map_of,
    number,
    one_of,
    struct,
    text,
    then,
)
from gatekey.config.model import Breaker, Cache, Retry, Sticky, Strategy
from gatekey.errors import NotAvailable

MODES: Final = ("single", "fallback", "loadbalance", "conditional")
DAY_MS: Final = 86_400_000
MAX_AGE: Final = 7_776_000
"""Seconds."""
MAX_URL: Final = 2048
MAX_COUNT: Final = 1_000_000_000

_NEVER_FORWARDED: Final = frozenset(
    {"host", "content-length", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization"}
    | {"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_cloud = re.compile(r"metadata-flavor|x-.+-metadata-(?:token|request)")  # they open a cloud's metadata service
_header_name = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_listed = re.compile(r"[\[\]\s'\"]+")
_host = re.compile(r"[^\s\x00-\x1f\x7f\\<>{}|^`]+")


def not_available(field: Field[Any], what: str) -> Field[Any]:
    """A documented part whose silent absence would be unsafe: its shape is checked, then it is refused."""

    def refuse(value: Any, path: str) -> Any:
        if value:
            raise NotAvailable(f"{path}: {what} not available yet", param=path)
        return value

    return then(field, refuse)


def host(url: str, path: str) -> str:
    """Check the form of a custom host; whether its address is allowed is the gateway's to say."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    else:
        if "@" in parts.netloc:
            raise bad(path, "a URL with a user name or password is refused; put the key into api_key")
    if not fits or len(url) > MAX_URL or not _host.fullmatch(url) or "?" in url or "#" in url:
        raise bad(path, f"expected an http or https URL of at most {MAX_URL} characters, without a query")
    return url


def header_names(names: str | tuple[str, ...], path: str) -> tuple[str, ...]:
    """Names of headers to forward, in lower case. A text may be `a, b` or look like a list: `['a', "b"]`.

    Raises `BadConfig` for what is no header name, and for headers that must never reach a provider.
    """
    if isinstance(names, str):
        names = tuple(_listed.sub("", name) for name in names.split(",") if _listed.sub("", name))
    lowered = tuple(dict.fromkeys(name.lower() for name in names))
    for name in lowered:
        if not _header_name.fullmatch(name):
            raise bad(path, f"{json.dumps(name[:60])} is not the name of a header")
        if name in _NEVER_FORWARDED or _cloud.match(name) or name.startswith("x-portkey-"):
            raise bad(path, f"must not contain {json.dumps(name)}")
    return lowered


def _condition(kept: Raw, path: str) -> Condition:
    return conditions.parse(msgspec.json.decode(kept), path)


def _hash_field(name: str, path: str) -> str:
    conditions.check_key(name, path)
    return name


def _sticky(value: dict[str, Any], path: str) -> Sticky | None:
    if not value.get("enabled", False):
        return None
    if not value.get("hash_fields"):
        raise bad(f"{path}.hash_fields", 'missing; expected at least one, such as "metadata.user_id"')
    return Sticky(value["hash_fields"], value.get("ttl", 3600))


def _strategy(value: dict[str, Any], path: str) -> Strategy:
    mode = value["mode"]
    if mode == "conditional":
        for name in ("conditions", "default"):
            if not value.get(name):
                raise bad(f"{path}.{name}", "missing; the mode conditional needs it")
    for name, only in (("conditions", "conditional"), ("default", "conditional"), ("sticky", "loadbalance")):
        if value.get(name) and mode != only:
            raise bad(f"{path}.{name}", f"only for the mode {only}, not for {mode}")
    cases = tuple((case["query"], case["then"]) for case in value.get("conditions", ()))
    return Strategy(mode, value.get("on_status_codes"), cases, value.get("default"), value.get("sticky"))


def _deployments(value: tuple[dict[str, Any], ...], path: str) -> str:
    return json.dumps(value)


CODES: Final = then(list_of(integer(100, 599)), lambda codes, path: frozenset(codes))

RETRY: Final = then(
    struct(
        {"attempts": integer(0, 5), "on_status_codes": CODES, "use_retry_after_headers": boolean()},
        required=("attempts",),
        also={"use_retry_after_header": "use_retry_after_headers"},
    ),
    lambda value, path: Retry(**value),
)

CACHE: Final = then(
    struct({"mode": one_of("simple", "semantic"), "max_age": integer(60, MAX_AGE)}, required=("mode",)),
    lambda value, path: Cache(**value),
)

BREAKER: Final = then(
    struct(
        {
            "failure_threshold": integer(1, MAX_COUNT),
            "failure_threshold_percentage": number(0, 100),
            "minimum_requests": integer(1, MAX_COUNT),
            "cooldown_interval": integer(30_000, DAY_MS),
            "failure_status_codes": CODES,
        }
    ),
    lambda value, path: Breaker(**value),
)

STICKY: Final = then(
    struct(
        {
            "enabled": boolean(),
            "hash_fields": list_of(then(text(), _hash_field)),
            "ttl": integer(1, MAX_AGE),
        }
    ),
    _sticky,
)

_QUERY: Final = Field("a query", _condition, {"type": "object", "minProperties": 1})

STRATEGY_FIELDS: Final[dict[str, Field[Any]]] = {
    "mode": one_of(*MODES),
    "on_status_codes": CODES,
    "conditions": list_of(struct({"query": _QUERY, "then": text()}, required=("query", "then"))),
    "default": text(),
    "sticky": STICKY,
    "cb_config": BREAKER,
}
_STRATEGY_SHAPE: Final = struct(STRATEGY_FIELDS, required=("mode",))
STRATEGY: Final = then(_STRATEGY_SHAPE, lambda value, path: (_strategy(value, path), value.get("cb_config")))
"""Gives the strategy and the circuit breaker that may be written inside it."""

PARAMETERS: Final = map_of(anything())

_FEEDBACK: Final = struct(
    {
        "feedback": struct(
            {"value": number(-MAX_COUNT, MAX_COUNT), "weight": number(0, MAX_COUNT), "metadata": any_object()}
        )
    }
)
_HOOK: Final[dict[str, Field[Any]]] = {
    "id": text(),
    "type": one_of("guardrail", "mutator"),
    "guardrail_version_id": text(),
    "deny": boolean(),
    "async": boolean(),
    "sequential": boolean(),
    "on_success": _FEEDBACK,
    "on_fail": _FEEDBACK,
}
_CHECK: Final = struct({"id": text(), "parameters": any_object(), "is_enabled": boolean()}, required=("id",))
_GUARDRAILS: Final = not_available(
    list_of(
        either(
            "a guardrail's id, or an object of checks",
            text(),
            struct(_HOOK, others=any_object()),
            form=by_first('"{'),
        )
    ),
    "guardrails are",
)
_HOOKS: Final = not_available(list_of(struct({**_HOOK, "checks": list_of(_CHECK)})), "guardrails are")

_NAMES: Final = then(
    either("a list of header names", list_of(text(high=256)), text(low=0), form=by_first('["')), header_names
)

FIELDS: Final[dict[str, Field[Any]]] = {
    "strategy": STRATEGY,
    "targets": list_of(anything(), low=1),
    "name": text(high=256),
    "weight": number(0, MAX_COUNT),
    "on_status_codes": CODES,
    "provider": text(high=256),
    "api_key": text(low=0),
    "virtual_key": text(high=256),
    "custom_host": then(text(), host),
    "forward_headers": _NAMES,
    "override_params": PARAMETERS,
    "default_params": PARAMETERS,
    "drop_params": list_of(text(high=1024)),
    "retry": RETRY,
    "cache": CACHE,
    "cb_config": BREAKER,
    "request_timeout": integer(1, DAY_MS),
    "strict_open_ai_compliance": boolean(),
    "fetch_integrated_models": boolean(),
    "input_guardrails": _GUARDRAILS,
    "output_guardrails": _GUARDRAILS,
    "before_request_hooks": _HOOKS,
    "after_request_hooks": _HOOKS,
    "input_mutators": _GUARDRAILS,
    "output_mutators": _GUARDRAILS,
    "prompt_id": not_available(text(), "prompts are"),
    "passthrough": not_available(
        either("true, false or an object", boolean(), boolean(), any_object(), form=by_first("tf{")),
        "passthrough targets are",
    ),
}
"""Every key of a config, and of a target, which is a config again."""

ALSO: Final = {"strict_openai_compliance": "strict_open_ai_compliance"}
"""Other documented spellings, in snake_case."""

OLD: Final = ("mode", "options")
"""Keys of the config format before December 2023."""

_DEPLOYMENT: Final = struct(
    {"deployment_id": text(), "alias": text(), "api_version": text(), "is_default": boolean()},
    required=("deployment_id", "alias", "api_version"),
)
_OPTION_TEXT: Final = text(low=0)
_OPTION_JSON: Final = either(
    "a JSON object, or its text",
    Field("a text", lambda kept, path: msgspec.json.decode(kept, type=str), {"type": "string"}),
    Field("an object", lambda kept, path: bytes(kept).decode(), {"type": "object"}),
    form=by_first('"{'),
)
_OPTION_DEPLOYMENTS: Final = then(list_of(_DEPLOYMENT, low=1), _deployments)


def option(spelling: str) -> Field[str]:
    """What an option of a provider accepts: a text, but for those that are JSON by their name."""
    if spelling.endswith("_json"):
        return _OPTION_JSON
    return _OPTION_DEPLOYMENTS if spelling.endswith("deployments") else _OPTION_TEXT
