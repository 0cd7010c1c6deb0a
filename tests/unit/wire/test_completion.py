import pytest

from gatekey.errors import BadBody
from gatekey.wire import body, completion


def decoded(text: str) -> body.Json:
    return body.decode(text.encode())


@pytest.mark.parametrize(
    ("text", "is_chat"),
    [
        ('{"messages":[]}', True),
        ('{"messages":[],"prompt":null}', True),
        ('{"messages":[],"prompt":"x"}', False),
        ('{"prompt":"x"}', False),
        ("{}", False),
    ],
)
def test_messages_without_a_prompt_are_a_chat(text: str, is_chat: bool) -> None:
    assert completion.is_chat(decoded(text)) is is_chat


def test_a_prompt_becomes_one_user_message_and_the_rest_stays() -> None:
    chat, lost = completion.to_chat(
        decoded('{"model":"m","prompt":"Hi","seed":1152921504606846976,"stop":null,"new":{}}')
    )
    assert body.encode(chat) == (
        b'{"model":"m","seed":1152921504606846976,"stop":null,"new":{},"messages":[{"role":"user","content":"Hi"}]}'
    )
    assert lost == []


def test_what_chat_cannot_do_is_reported() -> None:
    chat, lost = completion.to_chat(decoded('{"prompt":"x","echo":true,"suffix":"end","best_of":3,"logprobs":2}'))
    assert lost == ["suffix", "best_of", "logprobs"]
    assert list(chat) == ["messages"]


def test_what_asks_for_nothing_is_not_reported() -> None:
    _, lost = completion.to_chat(decoded('{"prompt":"x","echo":false,"suffix":null,"best_of":1,"logprobs":null}'))
    assert lost == []


@pytest.mark.parametrize("prompt", ['"Hi"', '["Hi"]'])
def test_one_prompt(prompt: str) -> None:
    assert completion.prompt(decoded(f'{{"prompt":{prompt}}}')) == "Hi"


@pytest.mark.parametrize("prompt", ['["a","b"]', "[1,2,3]", "[[1,2]]", "[[1],[2]]", "[]", "7", "{}", "null", "[1]"])
def test_several_prompts_and_token_ids_are_refused(prompt: str) -> None:
    with pytest.raises(BadBody) as refused:
        completion.prompt(decoded(f'{{"prompt":{prompt}}}'))
    assert refused.value.param == "prompt"


def test_echo_is_asked_for_with_true_alone() -> None:
    assert completion.echoed(decoded('{"prompt":"Hi","echo":true}')) == "Hi"
    assert completion.echoed(decoded('{"prompt":"Hi","echo":false}')) == ""
    assert completion.echoed(decoded('{"prompt":"Hi"}')) == ""
    assert completion.echoed(decoded('{"prompt":"Hi","echo":"false"}')) == ""


def test_a_chat_reply_as_text() -> None:
    reply = {
        "id": "1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "one"}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": None, "tool_calls": []}, "finish_reason": "tool_calls"},
        ],
        "usage": {"total_tokens": 3},
        "system_fingerprint": "f",
    }
    assert completion.from_chat(reply, "Say: ") == {
        "id": "1",
        "object": "text_completion",
        "created": 7,
        "model": "m",
        "choices": [
            {"text": "Say: one", "index": 0, "logprobs": None, "finish_reason": "stop"},
            {"text": "Say: ", "index": 1, "logprobs": None, "finish_reason": "tool_calls"},
        ],
        "usage": {"total_tokens": 3},
        "system_fingerprint": "f",
    }


def chunk(*choices: dict[str, object], **more: object) -> dict[str, object]:
    return {"id": "1", "object": "chat.completion.chunk", "choices": list(choices), **more}


def delta(index: int = 0, content: str | None = None, finish: str | None = None) -> dict[str, object]:
    return {"index": index, "delta": {"content": content}, "finish_reason": finish}


def test_chunks_as_text_with_one_echo_for_each_choice() -> None:
    text = completion.FromChat("Say: ")
    assert text.chunk(chunk(delta(content=""))) is None
    first = text.chunk(chunk(delta(content="a"), delta(1, "b")))
    assert first == {
        "id": "1",
        "object": "text_completion",
        "choices": [
            {"text": "Say: a", "index": 0, "logprobs": None, "finish_reason": None},
            {"text": "Say: b", "index": 1, "logprobs": None, "finish_reason": None},
        ],
    }
    last = text.chunk(chunk(delta(content=None, finish="stop")))
    assert last is not None
    assert last["choices"] == [{"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}]


def test_usage_alone_is_kept() -> None:
    told = completion.FromChat("").chunk(chunk(usage={"total_tokens": 3}))
    assert told == {"id": "1", "object": "text_completion", "choices": [], "usage": {"total_tokens": 3}}
