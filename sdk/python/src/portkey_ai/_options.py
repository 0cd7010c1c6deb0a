"""Options of a client, and the request headers that they become. No I/O; the environment comes in as an argument.

`provider="openai"` is `x-portkey-provider: openai`: the name with its prefix and dashes. A mapping or a list is sent as
JSON, a boolean as `true` or `false`; None is not sent.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, Unpack

PREFIX = "x-portkey-"
DEFAULT_URL = "http://127.0.0.1:8787/v1"
"""Where a gateway listens that was told nothing."""


class HeaderOptions(TypedDict, total=False):
    """What is sent with each request. `request_timeout` in ms; `headers` are sent as they are."""

    api_key: str | None
    Authorization: str | None
    authorization: str | None
    headers: Mapping[str, str] | None
    forward_headers: list[str] | tuple[str, ...] | None
    sensitive_headers: list[str] | tuple[str, ...] | None
    virtual_key: str | None
    config: str | Mapping[str, Any] | None
    provider: str | None
    custom_host: str | None
    trace_id: str | None
    span_id: str | None
    span_name: str | None
    parent_span_id: str | None
    metadata: str | Mapping[str, Any] | None
    cache_namespace: str | None
    cache_force_refresh: bool | None
    debug: bool | None
    request_timeout: int | None
    strict_open_ai_compliance: bool | None
    fetch_integrated_models: bool | None
    nitro_mode: bool | None
    beta: str | None
    provider_responses_proxy: bool | None
    provider_model: str | None
    provider_file_name: str | None
    openai_organization: str | None
    openai_project: str | None
    openai_beta: str | None
    anthropic_beta: str | None
    anthropic_version: str | None
    azure_resource_name: str | None
    azure_deployment_id: str | None
    azure_deployment_name: str | None
    azure_deployment_type: str | None
    azure_deployments: str | Mapping[str, Any] | list[Any] | None
    azure_api_version: str | None
    azure_model_name: str | None
    azure_endpoint_name: str | None
    azure_foundry_url: str | None
    azure_region: str | None
    azure_ad_token: str | None
    azure_auth_mode: str | None
    aws_access_key_id: str | None
    aws_secret_access_key: str | None
    aws_session_token: str | None
    aws_region: str | None
    aws_role_arn: str | None
    aws_external_id: str | None
    aws_auth_type: str | None
    aws_s3_bucket: str | None
    aws_s3_object_key: str | None
    aws_bedrock_model: str | None
    vertex_project_id: str | None
    vertex_region: str | None
    vertex_auth_type: str | None
    vertex_service_account_json: str | Mapping[str, Any] | None
    vertex_storage_bucket_name: str | None
    workers_ai_account_id: str | None
    fireworks_account_id: str | None
    databricks_workspace: str | None
    snowflake_account: str | None
    huggingface_base_url: str | None
    mistral_fim_completion: str | bool | None


class Options(HeaderOptions, total=False):
    """All that a client can be told. `timeout` in s; see `Portkey`."""

    base_url: str | None
    timeout: float | None
    max_retries: int | None
    ssl_context: Any
    app: Any


_HEADERS = frozenset(HeaderOptions.__annotations__)
_ALL = frozenset(Options.__annotations__)
ELSEWHERE = {
    "http_client": "Connections are the client's own; an `ssl_context` says whom they trust, HTTPS_PROXY the way.",
    "instrumentation": "The gateway keeps the records.",
    "calculate_audio_duration": "Sounds are sent as they are.",
    "websocket_base_url": "There are no websockets.",
    "webhook_secret": "There are no webhooks.",
    "mode": "A `config` says it.",
}
"""Options that other clients of this API have, and what stands in their place."""


def merged(given: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`more` on top of `given`. Raises TypeError for an option that there is not."""
    found = {**given, **more}
    if "authorization" in more or "Authorization" in more:
        found.pop("authorization" if "Authorization" in more else "Authorization", None)
    _check(found, _ALL)
    return found


def createHeaders(**options: Unpack[HeaderOptions]) -> dict[str, str]:  # noqa: N802 (documented so)
    """The headers for these options, for any client that takes headers. Raises TypeError for an unknown option."""
    _check(options, _HEADERS)
    return headers(options)


def headers(options: Mapping[str, Any]) -> dict[str, str]:
    """The headers that checked options become, names in lower case. Raises ValueError where one cannot be sent."""
    forwarded = _forwarded(options)
    found: dict[str, str] = {}
    for name, value in options.items():
        if value is None or value == "":
            continue
        if name == "headers":
            found.update((key.lower(), str(text)) for key, text in value.items())
        elif name in ("Authorization", "authorization"):
            found["authorization"] = value if " " in value else f"Bearer {value}"
        elif name in ("forward_headers", "sensitive_headers"):
            found[PREFIX + _dashed(name)] = ",".join(value)
        elif name in _HEADERS:
            found[PREFIX + _dashed(name)] = _text(value)
        elif _dashed(name) in forwarded:
            found[_dashed(name)] = _text(value)
    for name, text in found.items():
        check_header(name, text)
    return found


def check_header(name: str, value: str) -> None:
    """Raises ValueError for a header that would not stay one."""
    if not name or not name.isascii() or any(ord(letter) <= 32 or letter == ":" for letter in name):
        raise ValueError(f"{name!r} is no name of a header.")
    if any(letter in value for letter in "\r\n\0"):
        raise ValueError(f"The value of the header {name} has a line break in it.")


def _check(options: Mapping[str, Any], known: frozenset[str]) -> None:
    forwarded = _forwarded(options)
    for name in options:
        if name not in known and _dashed(name) not in forwarded:
            told = ELSEWHERE.get(name) or f"{meant(name, known)}Other headers go into headers={{...}}."
            raise TypeError(f"There is no option {name!r}. {told}")


def meant(name: str, known: Iterable[str]) -> str:
    """The known name that is nearest, as a question and a space; empty where none is near."""
    from difflib import get_close_matches  # only for who has mistyped

    near = get_close_matches(name, known, 1, 0.5)
    return f"Did you mean {near[0]!r}? " if near else ""


def _forwarded(options: Mapping[str, Any]) -> set[str]:
    """Headers that the caller names in `forward_headers`: options of these names are sent without the prefix."""
    return {_dashed(name) for name in options.get("forward_headers") or ()}


def _dashed(name: str) -> str:
    return name.replace("_", "-").lower()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":"))


def base_url(options: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The option, `PORTKEY_BASE_URL`, or a gateway on this machine; without a slash at its end."""
    return str(options.get("base_url") or environ.get("PORTKEY_BASE_URL") or DEFAULT_URL).rstrip("/")
