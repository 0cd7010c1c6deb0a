"""The control plane answers whatever may come as `/v1/openapi.json` says, on things that exist and on none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gatekey.admin.described import control_plane
from gatekey.catalog import Catalog
from gatekey.gateway.openapi import document
from gatekey.vault import new_key
from tests import databases
from tests.gateway import KEY, Gateway

QUICK = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/configs/": ("/v1/configs", {"name": "c", "config": {"provider": "openai"}}),
    "/v1/virtual-keys/": ("/v1/virtual-keys", {"name": "v", "provider": "openai", "key": "sk-1"}),
    "/v1/integrations/": ("/v1/integrations", {"name": "i", "ai_provider_id": "openai", "key": "sk-1"}),
    "/v1/providers/": ("/v1/virtual-keys", {"name": "p", "provider": "openai", "key": "sk-1"}),
    "/v1/api-keys/{id}": ("/v1/api-keys/organisation/service", {"name": "k", "scopes": ["completions.write"]}),
    "/v1/admin/workspaces/": ("/v1/admin/workspaces", {"name": "w"}),
    "/v1/logs/exports/": ("/v1/logs/exports", {"filters": {}, "requested_data": ["id"]}),
    "/v1/logs/{id}": ("/v1/logs", {"request": {"url": "x", "body": {}}, "response": {"body": {}}}),
    "/v1/feedback/": ("/v1/feedback", {"trace_id": "t", "value": 5}),
    "/v1/policies/usage-limits/": (
        "/v1/policies/usage-limits",
        {"conditions": [], "group_by": [{"key": "metadata._user"}], "credit_limit": 1000},
    ),
    "/v1/policies/rate-limits/": (
        "/v1/policies/rate-limits",
        {"conditions": [], "group_by": [], "unit": "rps", "value": 1000},
    ),
}
"""Paths of one thing -> how to make such a thing."""

whole = json.loads(document(Catalog(), control_plane))
whole["paths"] = control_plane()[0]
schema = schemathesis.openapi.from_dict(whole, config=QUICK)

few = settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),  # the gateway is shared on purpose
)


many = settings(few, max_examples=25)


@pytest.fixture(scope="module")
def own() -> Iterator[Gateway]:
    """A gateway whose store may fill with anything."""
    with Gateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The same on PostgreSQL, which takes fewer texts and numbers than SQLite does."""
    with (
        databases.empty("postgresql", tmp_path_factory.mktemp("empty")) as url,
        Gateway(env={"GATEKEY_DATABASE_URL": url, "GATEKEY_MASTER_KEY": new_key()}) as gateway,
    ):
        yield gateway


def hold(case: schemathesis.Case[Any], own: Gateway) -> None:
    """Send it, and hold the answer against the description."""
    response = case.call(base_url=own.url, headers={"x-portkey-api-key": KEY})
    case.validate_response(response, checks=CHECKS)


@schema.exclude(path_regex="/analytics/").parametrize()
@many
def test_answers_are_as_described(case: schemathesis.Case[Any], own: Gateway) -> None:
    hold(case, own)


@schema.include(path_regex="/analytics/").parametrize()
@few
def test_answers_of_analytics_are_as_described(case: schemathesis.Case[Any], own: Gateway) -> None:
    """Of which there are many alike."""
    hold(case, own)


@schema.parametrize()
@few
def test_answers_are_as_described_on_postgresql(case: schemathesis.Case[Any], strict: Gateway) -> None:
    hold(case, strict)


@schema.include(path_regex=r"\{(slug|id|workspace)\}").parametrize()
@many
def test_answers_about_what_exists_are_as_described(case: schemathesis.Case[Any], own: Gateway) -> None:
    path, body = next(made for prefix, made in BODIES.items() if case.path.startswith(prefix))
    answer = own.call("POST", path, {}, body)
    assert answer.status == 200, answer.body
    made = answer.json()
    made = made.get("data", made)
    for name in case.path_parameters:
        several = made.get("ids") or made.get("feedback_ids") or [made.get("slug") or made.get("id")]
        case.path_parameters[name] = several[0]
    hold(case, own)


def test_nothing_has_been_broken_by_all_that(own: Gateway) -> None:
    paths = ("configs", "virtual-keys", "providers", "integrations", "api-keys", "admin/workspaces", "audit-logs",
             "policies/usage-limits", "policies/rate-limits")  # fmt: skip
    for path in paths:
        answer = own.call("GET", f"/v1/{path}?page_size=1000")
        assert answer.status == 200, answer.body
