"""What the reference says beside the tables. Data only; tests hold that every key has its words."""

PROVIDERS = """\
A provider speaks OpenAI's dialect, and bodies pass as they came, or its own, and they are translated.
Translated means: only what its table names is sent.
A parameter that is not in the table is dropped and named in `x-gatekey-dropped-params`.
A number out of range is moved into it and named in `x-gatekey-clamped-params`.
`x-portkey-custom-host` or `custom_host` replaces the address; the paths stay.
Text completions of a provider that has none go through its chat.
"""

SETTINGS = """\
The settings of `gatekey serve`.
The first that speaks wins: a flag, a variable, the TOML file, the default.
The file is named by `--settings` or `GATEKEY_SETTINGS`; its keys are the names below.
`GATEKEY_LOCAL_MODEL` is read by the [local model](../guides/local-model.md).
Any other variable `GATEKEY_*` is reported at the start and ignored.
"""

REQUEST_HEADERS = """\
Values are UTF-8 or Latin-1.
A header that cannot be read is 400 and named in the error.
Other `x-portkey-*` headers are ignored, for SDKs send many, but those of [providers' options](providers.md).
No `x-portkey-*` header reaches a provider.
"""
RESPONSE_HEADERS = """\
A failure before any attempt bears the trace id only.
The headers of the provider's answer pass too, but never one that begins like these.
"""
RESERVED = """\
A path below `/v1/` that is no endpoint is forwarded to the provider, unless it begins with one of these.
They belong to the control plane; what it does not serve yet is 404.
"""

_LOGS = " There are no logs yet: without effect."
_CACHE = " There is no cache yet."
_NAMED = " Not available yet: named in `x-gatekey-not-available`."
HEADERS_NOT_YET = {
    "x-portkey-cache-force-refresh": _CACHE + " With `cache` in the config, the cache status is REFRESH.",
    "x-portkey-cache-namespace": _CACHE,
    "x-portkey-debug": _LOGS,
    "x-portkey-sensitive-headers": _LOGS,
    "x-portkey-fetch-integrated-models": _NAMED,
    "x-portkey-beta": _NAMED,
    "x-portkey-gateway-transport": _NAMED,
    "x-portkey-provider-responses-proxy": " Without effect: other paths always go through as they are.",
}

CONFIG_HEAD = """\
A config is a JSON object in the header `x-portkey-config`.
It is a target, or a strategy over targets, each of which is a config again.
Keys may also be written in camelCase; null means absent; any other key is refused, with its path.
[By example](../guides/configs.md).

"Inherited" tells what a target takes from the configs around it.
Nearest: the innermost that says it.
Merged: key by key, the inner one wins.
With the provider: only as long as no inner config names another provider or virtual key.
"""
CONFIG_LIMITS = """\
At most {root} targets at the root ({conditional} in the mode conditional) and {nested} below any other.
Parameters change the body in this order: default, override, drop.
"""

NOT_AVAILABLE = (
    *("prompt_id", "passthrough", "input_guardrails", "output_guardrails"),
    *("before_request_hooks", "after_request_hooks", "input_mutators", "output_mutators"),
)
LATER = "Checked and then refused with 400: not available yet, and unsafe to ignore."

_BREAKER_TEXT = "Circuit breaker. Accepted, without effect yet, and named in `x-gatekey-not-available`."
_BREAKER = {
    "": (_BREAKER_TEXT, "nearest"),
    ".failure_threshold": ("Failures that open it.", ""),
    ".failure_threshold_percentage": ("Share of failures that opens it.", ""),
    ".minimum_requests": ("Requests before the share counts.", ""),
    ".cooldown_interval": ("ms that it stays open; default 30000.", ""),
    ".failure_status_codes": ("What is a failure; default 500 and above.", ""),
}
_SPELLING = ("Another spelling.", "")

CONFIG: dict[str, tuple[str, str]] = {
    "strategy": ("How the targets are used.", "no"),
    "strategy.mode": ("Without a strategy the first target is used: single.", ""),
    "strategy.on_status_codes": ("Fallback goes on at these; default: whatever is not 2xx.", ""),
    "strategy.conditions": ("Conditional: the first that holds decides.", ""),
    "strategy.conditions[].query": (
        "Keys `metadata.<key>`, `params.<field>`, `url.pathname`; `$eq $ne $in $nin $gt $gte $lt $lte $regex`, "
        "`$and $or`. For a missing key only `$ne` and `$nin` hold. RE2 patterns.",
        "",
    ),
    "strategy.conditions[].then": ("The name of a target.", ""),
    "strategy.default": ("Conditional: the target's name where no condition holds.", ""),
    "strategy.sticky": ("Load balance: the same caller keeps its target.", ""),
    "strategy.sticky.enabled": ("Default false.", ""),
    "strategy.sticky.hash_fields": ("What makes a caller, such as `metadata.user_id`.", ""),
    "strategy.sticky.ttl": ("s. Accepted and not needed: the choice is a hash, and does not expire.", ""),
    **{f"strategy.cb_config{key}": said for key, said in _BREAKER.items()},
    "targets": ("At least one.", "no"),
    "name": ("Unique among its neighbours; conditions refer to it, and a sticky balance keeps to it.", "no"),
    "weight": ("Load balance: share of the requests; default 1; 0 gets none.", "no"),
    "on_status_codes": ("The same as in the strategy, beside it.", "no"),
    "provider": (
        "Slug of a [provider](providers.md), or `@` and the slug of a stored one. "
        "Without one, `override_params.model` written `@slug/model` names it, else the request's headers.",
        "nearest",
    ),
    "virtual_key": (
        "Slug of a stored provider, with its credential. It stands above `provider`; with `api_key` it is refused.",
        "nearest",
    ),
    "api_key": (
        "The provider's key. Without one, the key in `Authorization` where it can only be meant for this.",
        "with the provider",
    ),
    "custom_host": (
        "Base URL in place of the provider's, with its version. Not for a stored credential.",
        "with the provider",
    ),
    "forward_headers": ("Headers of the request that are sent on.", "nearest"),
    "override_params": (
        "Fields of the body that are set. Where no plain provider is named, a `model` written `@slug/model` names a "
        "stored provider.",
        "merged",
    ),
    "default_params": ("Fields of the body that are set where they are missing.", "merged"),
    "drop_params": ("Fields of the body to remove: `key`, `a.b`, `a[0].b`, `a[*].b`.", "all of them"),
    "retry": ("Tries of the same target after the first one.", "nearest"),
    "retry.attempts": ("How many; 0 is none.", ""),
    "retry.on_status_codes": ("Default 429, 500, 502, 503, 504, 529.", ""),
    "retry.use_retry_after_headers": ("Wait as long as the provider asks, 60 s in all at most; default false.", ""),
    "retry.use_retry_after_header": _SPELLING,
    "cache": ("Accepted, without effect yet, and named in `x-gatekey-not-available`.", "nearest"),
    "cache.mode": ("How requests are compared.", ""),
    "cache.max_age": ("s; default 604800.", ""),
    **{f"cb_config{key}": said for key, said in _BREAKER.items()},
    "request_timeout": ("ms that a try may take until its answer begins; then it is 408.", "nearest"),
    "strict_open_ai_compliance": ("Default true. false: what a provider adds is passed on.", "nearest"),
    "fetch_integrated_models": ("Accepted, without effect yet, and named in `x-gatekey-not-available`.", "no"),
}
"""Key -> what it is for, and what becomes of it further down."""

ERRORS = """\
Every failure has one body: `{"error": {"message", "type", "param", "code"}, "status": "failure", "message"}`.
`param` names the header, the field or the place in the config at fault.
`provider` is added once a provider was tried.
The header `x-gatekey-failed-by` says who failed, `gateway` or `provider`; in the error event that ends a broken stream,
`failed_by` does.
A provider's own error keeps its status, its text, type and code; the message begins with the provider's slug.
What to do about them: [operate](../guides/operate.md).

These are the gateway's own.
"""

CONTROL_PLANE = """\
Paths are below `/v1`; bodies and answers are JSON.
The caller's key goes into `x-portkey-api-key`, or into `Authorization` as a bearer; the admin key may do everything.
Needed fields bear a star; at the top level a field may also be written in camelCase.
A field that is not listed is 400 and named.
Mail, planned rotation, members and references to secrets are not available yet: not empty, they are 400 and named.
What budgets, rates and policies are: [limits](../guides/limits.md); prices: [prices](../guides/prices.md).
Of several scopes any one lets in; for API keys it must be the one of the key's kind.
A key of a workspace sees that workspace only: what belongs to another one is 403, or 404 where a slug is looked for.
Lists are paged by `current_page` (from 0) and `page_size` (at most 1000).
A refusal has `success: false` and, in `data`, `errorCode` beside the gateway's usual [error](errors.md).
Each change, a refused one too, is a record of the audit trail, with what may be secret hidden.
The headings are its `resource_type`.
The same in short steps: [keys](../guides/keys.md).
"""
REFUSED_FIELDS = frozenset({
    "rotation_policy", "alert_emails", "secret_mappings", "users", "models[].configurations",
})  # fmt: skip
"""Fields that are read only to be refused."""

CLIENTS = """\
What you have works with another base URL and another key.
`URL` is the gateway's address with `/v1`, `http://127.0.0.1:8787/v1`.
`KEY` is an API key of the gateway that has a config of its own ([keys](guides/keys.md)); without one, `MODEL` names a
virtual key too: `@openai-main/gpt-4o-mini`.

Each of these is tried against a running gateway, with a provider of the OpenAI dialect and, the program unchanged,
with Anthropic's.
The gateway has a client of its own, too, for all that it serves: [the Python client](guides/python-sdk.md).
"""
FEATURES = {
    "plain": "whole answers", "streamed": "streams", "tools": "tools", "structured": "structured output",
    "error": "its own errors", "cancel": "leaving ends the provider's work",
}  # fmt: skip
CHANGES = """\
Headers of the gateway (`x-portkey-*`, [all of them](reference/headers.md)) are default headers of these clients.
curl, and the embeddings, models and text completions of the clients of OpenAI and Portkey are tried as well.

## What changes
"""
