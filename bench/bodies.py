"""The requests that are sent and the answers that come back. Data only: nothing here opens a socket.

Sizes follow what the reports call them: a request of about 360 bytes, one of about 3 kB, an answer of about
345 bytes, a stream of 64 chunks.
"""

import json

CHUNKS = 64
FIRST_WORD, LAST_WORD = b" word0", b" word61"

_QUESTION = (
    "Summarise the following note in one sentence, keep every number as it is, and answer in plain English: "
    "the shipment of 40 crates left on Monday, 3 were opened at the border, 37 arrived on Thursday, and the "
    "remaining paperwork is expected within 10 working days."
)


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _chat(messages: list[dict[str, str]], **more: object) -> bytes:
    return _dump({"model": "gpt-4o-mini", "messages": messages, "temperature": 0.7, **more})


def _long() -> list[dict[str, str]]:
    turns = [{"role": ("user", "assistant")[turn % 2], "content": f"{turn}. {_QUESTION}"} for turn in range(9)]
    return [{"role": "system", "content": "You are a careful clerk."}, *turns]


COMPLETION = _dump({"model": "gpt-3.5-turbo-instruct", "prompt": _QUESTION, "max_tokens": 64, "temperature": 0.7})
CHAT = _chat([{"role": "user", "content": _QUESTION}])
LONG_CHAT = _chat(_long())
STREAMED_CHAT = _chat([{"role": "user", "content": _QUESTION}], stream=True)

_USAGE = {"prompt_tokens": 58, "completion_tokens": 21, "total_tokens": 79}
SENTENCE = "Of 40 crates that left on Monday, 37 arrived on Thursday after 3 were opened at the border."

COMPLETION_ANSWER = _dump(
    {
        "id": "cmpl-9mZ4aVb7Qx2LkT",
        "object": "text_completion",
        "created": 1730000000,
        "model": "gpt-3.5-turbo-instruct",
        "choices": [{"text": SENTENCE, "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
)
CHAT_ANSWER = _dump(
    {
        "id": "chatcmpl-9mZ4aVb7Qx2LkT",
        "object": "chat.completion",
        "created": 1730000000,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": SENTENCE}, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
)


def _event(choice: dict[str, object]) -> bytes:
    head = {"id": "chatcmpl-9mZ4aVb7Qx2LkT", "object": "chat.completion.chunk", "created": 1730000000}
    return b"data: " + _dump({**head, "model": "gpt-4o-mini", "choices": [{"index": 0, **choice}]}) + b"\n\n"


def events() -> list[bytes]:
    """The 64 server-sent events of one stream: a role, the words, the finish reason with `[DONE]`."""
    words = [_event({"delta": {"content": f" word{n}"}, "finish_reason": None}) for n in range(CHUNKS - 2)]
    first = _event({"delta": {"role": "assistant", "content": ""}, "finish_reason": None})
    last = _event({"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n"
    return [first, *words, last]
