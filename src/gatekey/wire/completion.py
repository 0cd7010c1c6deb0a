"""Text completions served by chat: the request on its way there, the reply and the stream on their way back.

A prompt becomes one user message. Several prompts, or token ids, cannot: they are refused, never dropped.
"""

from typing import Any

from gatekey.errors import BadBody
from gatekey.wire.body import NULL, Json, raw, value

_NOT_IN_CHAT = ("prompt", "echo", "suffix", "best_of", "logprobs")
_MEANINGLESS = {"suffix": (None, ""), "best_of": (None, 1), "logprobs": (None, False)}


def is_chat(body: Json) -> bool:
    """Whether a body sent to the text endpoint is a chat request: `messages`, and no prompt beside them."""
    return "messages" in body and body.get("prompt", NULL) == NULL


def to_chat(body: Json) -> tuple[Json, list[str]]:
    """The chat request, and the names of parameters that chat cannot honour. Raises `BadBody` naming `prompt`."""
    text = prompt(body)
    chat: Json = {key: kept for key, kept in body.items() if key not in _NOT_IN_CHAT}
    chat["messages"] = raw([{"role": "user", "content": text}])
    lost = [name for name, harmless in _MEANINGLESS.items() if value(body, name) not in harmless]
    return chat, lost


def prompt(body: Json) -> str:
    """The one prompt. Raises `BadBody`."""
    given = value(body, "prompt")
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if isinstance(given, str):
        return given
    if given is None:
        raise BadBody("`prompt` is missing: send a string.", param="prompt")
    raise BadBody(
        "This model has only a chat endpoint, which takes one text prompt: send `prompt` as a single string, "
        "one request for each prompt, and no token ids.",
        param="prompt",
    )


def echoed(body: Json) -> str:
    """The text that `echo` puts before each choice; empty where it is not asked for."""
    return prompt(body) if value(body, "echo") is True else ""


def from_chat(reply: dict[str, Any], echo: str) -> dict[str, Any]:
    """A chat completion as a text completion."""
    choices = [
        {
            "text": echo + _text(choice.get("message")),
            "index": choice.get("index", index),
            "logprobs": None,
            "finish_reason": choice.get("finish_reason"),
        }
        for index, choice in enumerate(reply.get("choices") or [])
    ]
    return {**reply, "object": "text_completion", "choices": choices}


def _text(message: dict[str, Any] | None) -> str:
    """What a message or a delta says; of a list of parts (reasoning models of some providers), the text parts."""
    content = (message or {}).get("content") or ""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if part.get("type") == "text")
    return str(content)


class FromChat:
    """Chat chunks as text completion chunks. Chunks that hold no text, no end and no usage vanish."""

    def __init__(self, echo: str) -> None:
        self._echo = echo
        self._echoed: set[int] = set()

    def chunk(self, chunk: dict[str, Any]) -> dict[str, Any] | None:
        """The text chunk, or None where there is nothing to tell."""
        choices = []
        for choice in chunk.get("choices") or []:
            index = choice.get("index", 0)
            text = _text(choice.get("delta"))
            finish = choice.get("finish_reason")
            if not text and not finish:
                continue
            if index not in self._echoed:
                self._echoed.add(index)
                text = self._echo + text
            choices.append({"text": text, "index": index, "logprobs": None, "finish_reason": finish})
        if not choices and not chunk.get("usage"):
            return None
        return {**chunk, "object": "text_completion", "choices": choices}
