"""Errors: one tree, whose members say what happened and whose fault it was."""

import copy
import json
import pickle
from typing import Any

import pytest

import portkey_ai
from portkey_ai import APIError, APIStatusError
from portkey_ai._errors import BY_STATUS, of_event, of_network, of_status

HEADERS = {"x-portkey-trace-id": "t-1", "x-request-id": "req-1", "x-portkey-provider": "openai"}
BODY = {
    "error": {"message": "openai error: No.", "type": "invalid_request_error", "param": "model", "code": "none"},
    "status": "failure",
    "message": "openai error: No.",
}


def test_the_tree() -> None:
    kinds = {kind for name, kind in vars(portkey_ai).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert all(issubclass(kind, APIError) for kind in kinds)
    assert {kind for kind in kinds if issubclass(kind, APIStatusError)} == {
        APIStatusError,
        portkey_ai.InternalServerError,
        *BY_STATUS.values(),
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *BY_STATUS.items(),
        (418, APIStatusError),
        (500, portkey_ai.InternalServerError),
        (529, portkey_ai.InternalServerError),
    ],
)
def test_a_status(status: int, kind: type[APIError]) -> None:
    failure = of_status(status, {**HEADERS, "x-gatekey-failed-by": "provider"}, json.dumps(BODY).encode())
    assert type(failure) is kind
    assert (failure.status_code, failure.message, str(failure)) == (status, "openai error: No.", "openai error: No.")
    assert (failure.code, failure.type, failure.param) == ("none", "invalid_request_error", "model")
    assert (failure.trace_id, failure.request_id, failure.provider) == ("t-1", "req-1", "openai")
    assert (failure.by, failure.body, failure.headers["x-request-id"]) == ("provider", BODY, "req-1")


def test_without_a_request_id_the_trace_id_is_it() -> None:
    assert of_status(500, {"x-portkey-trace-id": "t-1"}, b"{}").request_id == "t-1"
    assert of_status(500, {}, b"{}").request_id is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"message": "Said so."}', "Said so."),
        (b'{"success": false, "data": {"message": "inner"}, "message": "outer"}', "outer"),
        (b'{"error": "text"}', 'status 502: {"error": "text"}'),
        (b"<html>Bad gateway", "status 502: <html>Bad gateway"),
        (b"\xff", "status 502: \ufffd"),
        (b"", "status 502: "),
        (b"[]", "status 502: []"),
        (b'{"error": {"message": 7}}', 'status 502: {"error": {"message": 7}}'),
        (b"x" * 10_000, "status 502: " + "x" * 500),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_of_any_kind(content: bytes, message: str) -> None:
    failure = of_status(502, {}, content)
    assert failure.message == message
    assert failure.by is None


@pytest.mark.parametrize("again", [copy.copy, lambda failure: pickle.loads(pickle.dumps(failure))])
def test_an_error_of_another_process(again: Any) -> None:
    failure = again(of_status(429, HEADERS, json.dumps(BODY).encode()))
    assert type(failure) is portkey_ai.RateLimitError
    assert (failure.message, failure.code, failure.trace_id, failure.status_code) == (
        "openai error: No.",
        "none",
        "t-1",
        429,
    )


def test_an_event() -> None:
    failure = of_event(json.dumps({**BODY, "failed_by": "provider"}), HEADERS)
    assert (type(failure), failure.message, failure.by) == (portkey_ai.APIStreamError, "openai error: No.", "provider")
    assert failure.status_code is None
    assert of_event("gone", {}).message == "gone"


def test_the_network() -> None:
    refused = of_network(ConnectionRefusedError(111, "Connection refused"), "a:1", connecting=True)
    assert str(refused) == "a:1 could not be reached (is the gateway running there?): Connection refused."
    assert refused.unsent
    late = of_network(TimeoutError(), "a:1")
    assert isinstance(late, portkey_ai.APITimeoutError)
    assert (late.message, late.unsent) == ("a:1 was silent for longer than `timeout`.", False)
    assert of_network(TimeoutError(), "a:1", connecting=True).message == "a:1 could not be reached in time."
    assert of_network(ConnectionResetError(), "a:1").message == "a:1 broke the connection: ConnectionResetError."
