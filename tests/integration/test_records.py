"""Every accepted request has one record, which says what became of it, whatever that was."""

import json
import time
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, STREAM, TEXTS, at, by, fallback, refusing, target
from tests.fake import Fake, chat, chat_stream, error, silence
from tests.fake import json as answering
from tests.gateway import KEY, Answer, Gateway
from tests.records import listed, recorded, trace
from tests.stored import api_key, ask, config, virtual_key, workspace

PRICED = {**CHAT, "model": "gpt-4o"}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
WHOLE = {
    "id": "a", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06", "usage": USAGE,
    "choices": [CHOICE],
}  # fmt: skip


def asked(gateway: Gateway, path: str, headers: dict[str, str], body: Any, **more: Any) -> tuple[Answer, Any]:
    """An answer, and the record of its request."""
    mine = trace()
    answer = gateway.call("POST", path, {**headers, "x-portkey-trace-id": mine}, body, **more)
    return answer, recorded(gateway, mine)


def statuses(record: Any) -> list[int]:
    return [attempt["status"] for attempt in record["attempts"]]


def test_a_plain_request(gateway: Gateway, fake: Fake) -> None:
    fake.answer(answering(WHOLE))
    headers = at(fake, x_portkey_metadata='{"team":"x"}', user_agent="me", x_portkey_span_name="here")
    answer, record = asked(gateway, CHATS, headers, PRICED)
    assert (answer.status, record["response"]["status"], statuses(record)) == (200, 200, [200])
    metrics = record["metrics"]
    assert (metrics["ai_org"], metrics["ai_model"], metrics["mode"]) == ("openai", "gpt-4o", "chat")
    assert (metrics["req_units"], metrics["res_units"], metrics["total_units"]) == (1000, 100, 1100)
    assert (metrics["cost"], record["priced"]) == (0.35, True), "cents: 1000 x $2.50 and 100 x $10 for a million"
    assert (metrics["metadata.key"], metrics["metadata.value"]) == (["team"], ["x"])
    assert (metrics["span_name"], metrics["cache_status"], metrics["stream_mode"]) == ("here", "DISABLED", 0)
    assert record["request"]["body"] == PRICED
    assert record["response"]["body"]["usage"] == USAGE
    shown = record["request"]["headers"]
    assert (shown["user-agent"], shown["authorization"], shown["x-portkey-api-key"]) == ("me", "***", "***")
    assert record["attempts"][0]["url"] == f"{fake.base}/chat/completions"
    times = (metrics["upstream_response_time"], metrics["gateway_processing_time"], metrics["request_parsing_time"])
    assert all(took > 0 for took in times) and sum(times) <= metrics["response_time"] * 1.01 + 0.01


def test_a_stream(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream(["a", "b"]).slowly(0, 0, 0.05))
    answer, record = asked(gateway, CHATS, at(fake), STREAM)
    assert (answer.status, statuses(record), record["metrics"]["stream_mode"]) == (200, [200], 1)
    assert record["response"]["body"] == answer.body.decode()
    [attempt] = record["attempts"]
    assert 0 < attempt["head_time"] <= attempt["first_token_time"] < attempt["response_time"]
    assert record["usage"]["input"] > 0 and record["usage"]["output"] > 0


def test_a_stream_that_breaks_off(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream(["a", "b"]).cut_after(3, "reset"))
    answer, record = asked(gateway, CHATS, at(fake), STREAM)
    assert answer.status == 200
    assert (record["metrics"]["is_success"], record["response"]["status"]) == (False, 200)
    assert record["error"]
    assert record["usage"]["estimated"] is True, "counted from what passed"


def test_a_failure(gateway: Gateway, fake: Fake) -> None:
    fake.answer(error(400, "No such thing."))
    answer, record = asked(gateway, TEXTS, at(fake, x_portkey_debug="false"), {"model": "m", "prompt": "x"})
    assert (answer.status, statuses(record)) == (400, [400])
    assert "No such thing." in record["error"]
    assert record["request"]["body"] is record["request"]["headers"] is None
    assert "No such thing." in record["response"]["body"]["error"]["message"], "a failed answer is kept"
    assert record["metrics"]["cost"] == 0, "a refusal costs nothing"


def test_a_request_that_is_not_to_be_kept(gateway: Gateway, fake: Fake) -> None:
    _, record = asked(gateway, CHATS, at(fake, x_portkey_debug="false"), CHAT)
    assert record["request"]["body"] is record["response"]["body"] is record["response"]["headers"] is None
    assert record["metrics"]["total_units"] > 0


def test_a_fallback_with_retries(gateway: Gateway, fake: Fake) -> None:
    fake.answer(error(503), error(503), error(500))
    first = target(fake, retry={"attempts": 1, "on_status_codes": [503]})
    answer, record = asked(gateway, CHATS, by(fallback(first, target(refusing()), target(fake), target(fake))), CHAT)
    assert (answer.status, statuses(record)) == (200, [503, 503, 502, 500, 200])
    assert [attempt["path"] for attempt in record["attempts"]] == [
        f"config.targets[{number}]" for number in (0, 0, 1, 2, 3)
    ]
    assert [attempt["by"] for attempt in record["attempts"]] == [
        "provider", "provider", "gateway", "provider", "provider",
    ]  # fmt: skip
    assert (record["metrics"]["is_success"], record["response"]["lastUsedOptionJsonPath"]) == (
        True, "config.targets[3]",
    )  # fmt: skip
    [row] = listed(gateway, record["metrics"]["trace_id"])
    assert row["is_fallback"] is True


def test_a_time_out(gateway: Gateway, fake: Fake) -> None:
    fake.answer(silence())
    answer, record = asked(gateway, CHATS, at(fake, x_portkey_request_timeout="100"), CHAT)
    assert (answer.status, statuses(record), record["response"]["status"]) == (408, [408], 408)
    assert 100 <= record["metrics"]["response_time"] < 5000


@pytest.mark.parametrize("streamed", [False, True])
def test_a_caller_who_leaves(gateway: Gateway, fake: Fake, streamed: bool) -> None:
    mine = trace()
    fake.answer(chat_stream(["a", "b"]).stalled(3) if streamed else silence())
    body = STREAM if streamed else CHAT
    with gateway.open("POST", CHATS, at(fake, x_portkey_trace_id=mine), body) as caller:
        fake.wait()
        if streamed:
            next(caller.events())
        caller.leave()
    record = recorded(gateway, mine)
    assert (record["response"]["status"], record["metrics"]["is_success"]) == (499, False)
    assert record["error"] == "The caller left."


def test_a_caller_who_leaves_while_sending(gateway: Gateway, fake: Fake) -> None:
    mine = trace()
    lines = [
        f"{name}: {value}" for name, value in {**at(fake), "x-portkey-api-key": KEY, "x-portkey-trace-id": mine}.items()
    ]
    head = "\r\n".join([f"POST {CHATS} HTTP/1.1", "host: x", *lines, "content-length: 1000", "", '{"model"'])
    with gateway.send(head.encode()):
        time.sleep(0.1)
    record = recorded(gateway, mine)
    assert (record["response"]["status"], record["attempts"]) == (499, [])


def test_refusals(gateway: Gateway, fake: Fake) -> None:
    """What is refused before any attempt: no right, a config that is none, a body that is none."""
    _, key = api_key(gateway, scopes=["logs.list"])
    for status, headers, body, more in (
        (403, at(fake), CHAT, {"key": key}),
        (400, {"x-portkey-config": '{"strategy": 1}'}, CHAT, {}),
        (400, {"x-portkey-config": "no-such-config"}, CHAT, {}),
        (400, at(fake), '{"model": "m", "api_key": "sk-1', {}),
        (400, {"x-portkey-provider": "nobody"}, CHAT, {}),
    ):
        answer, record = asked(gateway, CHATS, headers, body, **more)
        assert (answer.status, record["response"]["status"], record["attempts"]) == (status, status, [])
        assert record["error"] == answer.error["message"]
        assert (record["metrics"]["cost"], record["response"]["body"]) == (0, answer.json())
    assert record["metrics"]["ai_org"] is None
    unknown = trace()
    assert gateway.call("POST", CHATS, {"x-portkey-trace-id": unknown}, CHAT, key="gk-nobodys").status == 401
    asked(gateway, CHATS, at(fake), CHAT)
    assert ask(gateway, "GET", f"/logs?trace_id={unknown}")["total"] == 0, "who is not known has no record"


def test_too_large(fake: Fake) -> None:
    with Gateway(env={"GATEKEY_MAX_BODY_MB": "0.001"}) as gateway:
        answer, record = asked(gateway, CHATS, at(fake), {**CHAT, "user": "x" * 5000})
        assert (answer.status, record["response"]["status"], record["attempts"]) == (413, 413, [])


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"input": "x", "api_key": "sk-1", "model": "m"}, {"input": "x", "api_key": "***", "model": "m"}),
        (b"RIFF\0\0" + b"x" * 2_000_000, "(2000006 bytes that are no text)"),
    ],
    ids=["JSON", "sound"],
)
def test_a_forwarded_request(gateway: Gateway, fake: Fake, body: Any, kept: Any) -> None:
    fake.on("/v1/responses", answering({"model": "gpt-4o", "usage": {"input_tokens": 1000, "output_tokens": 100}}))
    answer, record = asked(gateway, "/v1/responses?key=sk-1", at(fake), body)
    assert (answer.status, statuses(record), record["metrics"]["is_proxy_call"]) == (200, [200], True)
    said = record["request"]["body"]
    assert (json.loads(said) if isinstance(kept, dict) else said) == kept
    assert (record["metrics"]["req_units"], record["metrics"]["res_units"]) == (1000, 100)
    assert "sk-1" not in json.dumps(record)


def test_of_the_stored_and_the_saved(gateway: Gateway, fake: Fake) -> None:
    slug = virtual_key(gateway, fake)
    saved = config(gateway, {"virtual_key": slug})
    _, record = asked(gateway, CHATS, {"x-portkey-config": saved}, CHAT)
    assert (record["metrics"]["config"], record["metrics"]["virtual_key"]) == (saved, slug)


def test_keys_and_workspaces_that_keep_nothing_of_what_was_said(gateway: Gateway, fake: Fake) -> None:
    quiet = workspace(gateway, defaults={"log_bodies": False})
    for more in ({"workspace_id": quiet}, {"defaults": {"log_bodies": False}}):
        _, key = api_key(gateway, **more)
        fake.answer(error(400, "You said: it is secret."), chat())
        for status in (400, 200):
            answer, record = asked(gateway, CHATS, at(fake), CHAT, key=key)
            assert answer.status == status
            assert record["request"]["body"] is record["response"]["body"] is record["request"]["headers"] is None
            assert "it is secret" not in json.dumps(record)
            assert record["error"] == (f"It failed with {status}." if status == 400 else None)
