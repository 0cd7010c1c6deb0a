"""What is served is what `/v1/openapi.json` says: requests made of the description, answers held against it."""

import json
from collections.abc import Iterator

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
from tests.fake import Fake, Received, Reply, error
from tests.gateway import KEY, Gateway

DOCUMENT = document(Catalog())
# Its coverage phase makes thousands of requests for so many headers: drawn ones reach as far in a minute.
QUICK = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT), config=QUICK)


class Provider(Fake):
    """Answers whatever may come: well, or with 400 where it makes no sense."""

    def choose(self, request: Received) -> Reply:
        try:
            return super().choose(request)
        except (AttributeError, TypeError):
            return error(400, "That makes no sense.", type="invalid_request_error")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider for all examples."""
    with Provider() as fake:
        yield fake.base


bounded = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),  # the gateway is shared on purpose
)


def hold(case: schemathesis.Case, gateway: Gateway, provider: str) -> None:
    """Send it, and hold the answer against the description."""
    # Waits and time-outs have tests of their own: here they would make answers depend on the clock.
    case.headers.pop("x-portkey-request-timeout", None)
    if {"retry", "request_timeout"} & set(str(case.headers.get("x-portkey-config", "")).split('"')):
        del case.headers["x-portkey-config"]
    headers = {"x-portkey-api-key": KEY, "x-portkey-provider": "openai", "x-portkey-custom-host": provider}
    response = case.call(base_url=gateway.url, headers=headers)
    case.validate_response(response, checks=CHECKS)


@schema.parametrize()
@bounded
def test_answers_are_as_described(case: schemathesis.Case, gateway: Gateway, provider: str) -> None:
    hold(case, gateway, provider)


@schema.include(path_regex="completions").parametrize()
@bounded
def test_streams_are_as_described(case: schemathesis.Case, gateway: Gateway, provider: str) -> None:
    if isinstance(case.body, dict):
        case.body["stream"] = True
    hold(case, gateway, provider)


def test_it_is_served_to_anybody(gateway: Gateway) -> None:
    answer = gateway.call("GET", "/v1/openapi.json", key=None)
    assert answer.status == 200
    assert answer.body == document(Catalog(), control_plane)
