"""A log as the API shows it: in a list, whole (portkey-api.md 7.1), and field by field in an export (7.7).

Costs are US cents, times ms. What is not known is null.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Raw

from gatekey.admin.questions import CENT
from gatekey.admin.route import Answer
from gatekey.admin.visit import moment
from gatekey.observe.record import NOTHING, Record, Tried
from gatekey.store.rows import Row, value
from gatekey.wire.usage import Usage

FORWARDED = "proxy"
"""The kind of a request that was passed on as it came."""
PORTKEY = "x-portkey-"


def told(row: Row) -> Answer:
    """A row of the log, as lists have it. `number` counts logs in the order in which they were stored."""
    return {
        "id": row["id"],
        "number": row["number"],
        "created_at": moment(row["created_at"]),
        "trace_id": row["trace_id"],
        "span_id": row["span_id"] or None,
        "workspace_id": row["workspace_id"],
        "api_key_id": row["api_key_id"],
        "is_success": bool(row["success"]),
        "response_status_code": row["status"],
        "response_time": ms(row["total_us"]),
        "ai_org": row["provider"] or None,
        "ai_model": row["model"] or None,
        "virtual_key": row["virtual_key"] or None,
        "mode": row["kind"],
        "config": row["config"] or None,
        "prompt_slug": row["prompt"] or None,
        "cache_status": row["cache_status"] or None,
        "retry_success_count": max(row["retries"], 0) if row["success"] else 0,
        "is_fallback": bool(row["fell_back"]),
        "req_units": row["prompt_tokens"],
        "res_units": row["completion_tokens"],
        "total_units": row["total_tokens"],
        "cost": cents(row["cost"]),
        "cost_currency": "USD",
        "metadata": metadata(row),
        "object": "log",
    }


def whole(row: Row, record: Record) -> Answer:
    """A log with everything that is known of its request: the documented `LogObject`, and what the gateway adds."""
    last = record.attempts[-1] if record.attempts else None
    return {
        "_id": record.id,
        "id": record.id,
        "organisation_id": None,
        "workspace_id": record.workspace,
        "created_at": moment(record.created_at),
        "request": request(record),
        "response": response(record),
        "finalUntransformedRequest": None,
        "transformedRequest": None if last is None else {"url": last.url, "method": record.method, **_UNKNOWN},
        "originalResponse": None,
        "metrics": _metrics(row, record),
        "error": record.error or None,
        "priced": record.priced,
        "usage": usage(record.usage),
        "attempts": [_attempt(tried) for tried in record.attempts],
        "seed": record.seed,
        "cut": record.cut,
        "first_token_time": ms(record.first_us),
        "object": "log",
    }


_UNKNOWN: Answer = {"headers": None, "body": None}


def request(record: Record) -> Answer:
    """What was asked. Without bodies, headers and body are null."""
    headers = record.request_headers
    return {
        "url": record.path,
        "method": record.method,
        "headers": headers or None,
        "body": body(record.request),
        "portkeyHeaders": {name: text for name, text in headers.items() if name.startswith(PORTKEY)} or None,
    }


def response(record: Record) -> Answer:
    """What was answered."""
    return {
        "status": record.status,
        "headers": record.response_headers or None,
        "body": body(record.response),
        "responseTime": ms(record.total_us),
        "lastUsedOptionJsonPath": record.option or None,
    }


def _metrics(row: Row, record: Record) -> Answer:
    last = record.attempts[-1] if record.attempts else None
    return {
        "id": record.id, "organisation_id": None, "organisation_name": None, "workspace_slug": record.workspace,
        "prompt_id": None, "prompt_version_id": None, "prompt_slug": record.prompt or None,
        "config": record.config or None, "config_id": record.config or None, "config_version_id": None,
        "created_at": moment(record.created_at), "is_success": record.ok,
        "ai_org": record.provider or None, "ai_model": record.model or None, "virtual_key": record.virtual_key or None,
        "req_units": row["prompt_tokens"], "res_units": row["completion_tokens"], "total_units": row["total_tokens"],
        "cost": cents(record.cost), "cost_currency": "USD",
        "request_url": last.url if last is not None else None, "request_method": record.method,
        "response_status_code": record.status, "response_time": ms(record.total_us),
        "is_proxy_call": record.kind == FORWARDED, "mode": record.kind, "stream_mode": int(record.stream),
        "cache_status": record.cache_status or None, "cache_type": None,
        "retry_success_count": max(record.retries, 0) if record.ok else 0,
        "trace_id": record.trace_id, "span_id": record.span_id or None, "span_name": record.span_name or None,
        "parent_span_id": record.parent_span_id or None, "internal_trace_id": record.id,
        "source": None, "runtime": record.request_headers.get("x-stainless-runtime"),
        "runtime_version": record.request_headers.get("x-stainless-runtime-version"), "sdk_version": record.sdk or None,
        "last_used_option_index": record.option or None, "log_store_file_path_format": None,
        "metadata.key": list(record.metadata), "metadata.value": list(record.metadata.values()),
        "api_key_id": record.api_key,
        "request_parsing_time": ms(record.queue_us), "pre_processing_time": None, "cache_processing_time": None,
        "response_parsing_time": None, "gateway_processing_time": ms(record.overhead_us),
        "upstream_response_time": ms(record.upstream_us),
    }  # fmt: skip


def _attempt(tried: Tried) -> Answer:
    return {
        "path": tried.path,
        "provider": tried.provider,
        "virtual_key": tried.virtual_key or None,
        "model": tried.model or None,
        "url": tried.url or None,
        "status": tried.status,
        "by": tried.by,
        "retries": tried.retries,
        "error": tried.error or None,
        "refused": tried.refused or None,
        "connect_time": ms(tried.connect_us),
        "head_time": ms(tried.head_us),
        "first_token_time": ms(tried.first_us),
        "response_time": ms(tried.total_us),
        "usage": usage(tried.usage),
        "cost": cents(tried.cost),
        "priced": tried.priced,
    }


FIELDS: dict[str, Callable[[Row, Record], Any]] = {
    "id": lambda row, record: record.id,
    "trace_id": lambda row, record: record.trace_id,
    "created_at": lambda row, record: moment(record.created_at),
    "request": lambda row, record: request(record),
    "response": lambda row, record: response(record),
    "is_success": lambda row, record: record.ok,
    "ai_org": lambda row, record: record.provider or None,
    "ai_model": lambda row, record: record.model or None,
    "req_units": lambda row, record: row["prompt_tokens"],
    "res_units": lambda row, record: row["completion_tokens"],
    "total_units": lambda row, record: row["total_tokens"],
    "request_url": lambda row, record: record.attempts[-1].url if record.attempts else None,
    "cost": lambda row, record: cents(record.cost),
    "cost_currency": lambda row, record: "USD",
    "response_time": lambda row, record: ms(record.total_us),
    "response_status_code": lambda row, record: record.status,
    "mode": lambda row, record: record.kind,
    "config": lambda row, record: record.config or None,
    "prompt_slug": lambda row, record: record.prompt or None,
    "metadata": lambda row, record: record.metadata,
}
"""What an export may have of each log, as documented."""


def cents(nano: int | None) -> float | None:
    """Nano-dollars as cents; null where the cost is not known, which is not zero."""
    return None if nano is None else nano / CENT


def ms(us: int) -> float:
    """us as ms."""
    return us / 1000


def body(raw: Raw) -> Raw | None:
    """A body that was kept."""
    return None if bytes(raw) == bytes(NOTHING) else raw


def usage(found: Usage | None) -> Answer | None:
    """Tokens by class, those that there are."""
    if found is None:
        return None
    return {name: much for name in found.__struct_fields__ if (much := getattr(found, name)) not in (0, False, None)}


def metadata(row: Row) -> Any:
    """A row's metadata, whichever way the database gives them."""
    found = row["metadata"]
    return value(found) if isinstance(found, str) else found
