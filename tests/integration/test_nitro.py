"""`x-portkey-nitro-mode`: bytes passed as they are, and refused with whatever would have to read or repeat them."""

from typing import Any

import pytest

from tests.asking import CHAT, CHATS, PROVIDER_KEY, STREAM, at, by, fallback, target
from tests.fake import Fake, error, json, stream
from tests.gateway import Gateway

NITRO = {"x-portkey-nitro-mode": "true"}


@pytest.mark.parametrize("path", [CHATS, "/v1/embeddings", "/v1/completions"])
def test_bytes_both_ways(gateway: Gateway, fake: Fake, path: str) -> None:
    body, reply = b'{ "model":"m", "a":1, "a":2 }', b'{ "anything" : 1152921504606846976 }'
    fake.answer(json(reply))
    answer = gateway.call("POST", path, at(fake) | NITRO, body)
    assert (answer.status, answer.body) == (200, reply)
    assert fake.requests[0].body == body
    assert fake.requests[0].path == path
    assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert answer.headers["x-portkey-provider"] == "openai"


def test_a_stream_is_not_read(gateway: Gateway, fake: Fake) -> None:
    fake.answer(stream([b"data: nonsense\r\n\r\n", b": comment\n\n"]))
    answer = gateway.call("POST", CHATS, at(fake) | NITRO, STREAM)
    assert answer.body == b"data: nonsense\r\n\r\n: comment\n\n"
    assert fake.requests[0].json == STREAM


def test_an_error_as_it_came(gateway: Gateway, fake: Fake) -> None:
    fake.answer(error(429, "slow"))
    answer = gateway.call("POST", CHATS, at(fake) | NITRO, CHAT)
    assert (answer.status, answer.error["message"]) == (429, "slow")
    assert len(fake.requests) == 1


def test_a_config_of_one_target(gateway: Gateway, fake: Fake) -> None:
    assert gateway.call("POST", CHATS, by(target(fake)) | NITRO, CHAT).status == 200
    assert gateway.call("POST", CHATS, by(target(fake, request_timeout=5000)) | NITRO, CHAT).status == 200


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"override_params": {"a": 1}}, "override_params"),
        ({"default_params": {"a": 1}}, "default_params"),
        ({"drop_params": ["a"]}, "drop_params"),
        ({"retry": {"attempts": 1}}, "retry"),
        ({"provider": "anthropic"}, "provider"),
        ({"provider": "azure-openai"}, "provider"),
    ],
)
def test_what_does_not_go_with_it(gateway: Gateway, fake: Fake, more: dict[str, Any], param: str) -> None:
    answer = gateway.call("POST", CHATS, by(target(fake, **more)) | NITRO, CHAT)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert "x-portkey-nitro-mode" in answer.error["message"]
    assert fake.requests == []


def test_several_targets_do_not_go_with_it(gateway: Gateway, fake: Fake) -> None:
    answer = gateway.call("POST", CHATS, by(fallback(target(fake), target(fake))) | NITRO, CHAT)
    assert answer.status == 400
    assert fake.requests == []


def test_it_is_off_where_it_says_false(gateway: Gateway, fake: Fake) -> None:
    config = target(fake, override_params={"model": "o"})
    assert gateway.call("POST", CHATS, by(config, x_portkey_nitro_mode="False"), CHAT).status == 200
    assert fake.requests[0].json["model"] == "o"


def test_the_checks_are_the_same(gateway: Gateway, fake: Fake) -> None:
    assert gateway.call("POST", CHATS, at(fake) | NITRO, CHAT, key=None).status == 401
    refused = at(fake, x_portkey_custom_host="http://10.0.0.1/v1") | NITRO
    assert gateway.call("POST", CHATS, refused, CHAT).status == 400
    assert fake.requests == []
