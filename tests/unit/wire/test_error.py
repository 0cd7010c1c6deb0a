import json
from typing import Any

import pytest

from gatekey.errors import BadHeader
from gatekey.wire import error
from gatekey.wire.error import MAX_TEXT, Fault


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            {"error": {"message": "No", "type": "t", "param": "p", "code": "c"}},
            Fault("No", "t", "p", "c"),
        ),
        ({"error": {"message": "No", "code": 429}}, Fault("No", code=429, status=429)),
        ({"error": {"message": "No", "code": 7}}, Fault("No", code=7)),
        ({"error": {"message": "No", "status": "BUSY", "code": 429}}, Fault("No", "BUSY", None, 429, 429)),
        ([{"error": {"message": "No"}}], Fault("No")),
        ({"error": "No", "code": "c"}, Fault("No", code="c")),
        ({"message": "No", "type": "t"}, Fault("No", "t")),
        ({"detail": "No"}, Fault("No")),
        ({"detail": [{"loc": ["body"], "msg": "No"}]}, Fault("body: No")),
        ({"message": {"detail": [{"loc": ["body", "tools", 0], "msg": "No"}]}}, Fault("tools.0: No", None, "tools.0")),
        ("<html><title> 502 Bad Gateway </title><h1>x</h1></html>", Fault("502 Bad Gateway")),
        ({"error": {"reason": "No"}}, Fault('{"reason":"No"}')),
        ({"what": 1}, Fault('{"what":1}')),
        ("Bad Gateway", Fault("Bad Gateway")),
        ("", Fault("no explanation")),
        (None, Fault("no explanation")),
        ([], Fault("[]")),
        ({"error": {"message": {"deep": "No"}}}, Fault('{"deep":"No"}')),
        ({"error": {"message": "No", "code": True, "type": 3, "param": []}}, Fault("No")),
    ],
)  # fmt: skip
def test_every_shape_is_read(body: Any, fault: Fault) -> None:
    assert error.read(body) == fault


@pytest.mark.parametrize("body", ["x" * 9000, {"error": "x" * 9000}, {"error": {"message": "x" * 9000}}])
def test_a_long_message_is_cut(body: Any) -> None:
    assert error.read(body).message == "x" * MAX_TEXT


def test_one_body_for_every_client() -> None:
    assert json.loads(error.body(Fault("No", "t", "p", "c"), provider="acme")) == {
        "error": {"message": "No", "type": "t", "param": "p", "code": "c"},
        "status": "failure",
        "message": "No",
        "provider": "acme",
    }


def test_of_our_own() -> None:
    fault = error.of(BadHeader("x-h: bad", param="x-h"))
    assert fault == Fault("x-h: bad", "invalid_request_error", "x-h", "invalid_header")


def test_of_a_provider_says_whose_it_is() -> None:
    fault = error.of_provider("acme", Fault("No", "t", "p", 429, 429))
    assert fault == Fault("acme error: No", "t", "p", 429, 429)
