"""Trace headers: what becomes of them on their way."""

import pytest

from tests.asking import CHAT, CHATS, at
from tests.fake import Fake
from tests.gateway import Gateway

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
GIVEN = {"traceparent": PARENT, "baggage": "team=blue", "x-portkey-span-id": "s"}


def test_a_provider_is_told_nothing_of_a_trace_unless_that_is_asked_for(gateway: Gateway, fake: Fake) -> None:
    assert gateway.call("POST", CHATS, at(fake) | GIVEN, CHAT).headers["x-portkey-trace-id"] == TRACE
    asked = at(fake, x_portkey_forward_headers="traceparent") | GIVEN
    assert gateway.call("POST", CHATS, asked, CHAT).status == 200
    assert gateway.call("POST", "/v1/responses", at(fake) | GIVEN, CHAT).status == 404  # which the fake does not have
    told = [[request.header(name) for name in GIVEN] for request in fake.requests]
    assert told == [[None, None, None], [PARENT, None, None], [PARENT, "team=blue", None]]


@pytest.mark.parametrize("value", ["", "00", "x" * 10_000, f"ff-{TRACE}-{SPAN}-01", "\xff\xfe"])
def test_a_malformed_one_is_as_none(gateway: Gateway, fake: Fake, value: str) -> None:
    answer = gateway.call("POST", CHATS, at(fake, traceparent=value, baggage=value), CHAT)
    assert answer.status == 200
    assert answer.headers["x-portkey-trace-id"] != TRACE
