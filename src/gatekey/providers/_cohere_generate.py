"""Cohere's first text endpoint, which is all that the models of its time have, and what both endpoints share.

It takes one prompt and answers, streamed, in lines of JSON whose last one bears the finish reasons.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gatekey.errors import InBand
from gatekey.providers import Asked, Chunk, Endpoint, Theirs, To
from gatekey.providers._usage import Told, counted, part
from gatekey.streaming.sse import Event
from gatekey.wire import answer, body, completion
from gatekey.wire.usage import Usage

FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "USER_CANCEL": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
FAILED = {"ERROR": 502, "TIMEOUT": 504}
MODELS = ("command", "command-light", "command-nightly", "command-light-nightly")


def as_list(value: Any) -> Any:
    """A value that may come alone, as a list."""
    return value if isinstance(value, list) else [value]


def finish(theirs: Any, asked: Asked, told: Any = None) -> Any:
    """Their finish reason in our words. Raises `InBand` where the answer broke off."""
    if theirs in FAILED:
        raise InBand(f"cohere error: {told or f'the generation ended with {theirs}'}", status=FAILED[theirs])
    return FINISH.get(theirs, "stop") if asked.strict else theirs


def usage(theirs: Any) -> dict[str, Any] | None:
    """Counted tokens, or else billed units; None where there are neither. What is billed is kept, as it is less."""
    counted = (theirs or {}).get("tokens") or (theirs or {}).get("billed_units")
    if not counted:
        return None
    given, made = int(counted.get("input_tokens") or 0), int(counted.get("output_tokens") or 0)
    ours: dict[str, Any] = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}
    if theirs.get("cached_tokens") is not None:
        ours["prompt_tokens_details"] = {"cached_tokens": int(theirs["cached_tokens"])}
    if theirs.get("billed_units"):
        ours["billed_units"] = theirs["billed_units"]
    return ours


def counts(theirs: Told) -> Usage | None:
    """What is billed, where that is told, of a usage as `usage` makes it or of Cohere's own; else what was counted.
    Pictures to embed are beside the text.

    Source: https://docs.cohere.com/docs/how-does-cohere-pricing-work
    """
    told = part(theirs, "billed_units", "tokens") or theirs
    text, seen = told.get("input_tokens"), told.get("image_tokens")
    if isinstance(seen, int | float) and seen:
        both = seen + text if isinstance(text, int | float) else seen
        told = {**told, "images": None, "input_tokens": both, "input_tokens_details": {"image_tokens": seen}}
    return counted(told)


def _prompt(ours: Any) -> str:
    return completion.prompt({"prompt": body.raw(ours)})


def _echo(asked: Asked) -> str:
    return _prompt(asked.ours.get("prompt")) if asked.ours.get("echo") is True else ""


def _translate(ours: Mapping[str, Any], theirs: Theirs, asked: Asked) -> list[str]:
    theirs["prompt"] = _prompt(ours.get("prompt"))
    return []


def _choice(index: int, text: str, reason: Any) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": reason}


def _answer(theirs: Theirs, choices: list[dict[str, Any]], asked: Asked) -> dict[str, Any]:
    ours = {
        "id": theirs.get("id") or f"cmpl-{asked.id}",
        "object": "text_completion",
        "created": asked.created,
        "model": asked.model,
        "choices": choices,
    }
    counted = usage(theirs.get("meta"))
    return {**ours, "usage": counted} if counted else ours


def _reply(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    echo = _echo(asked)
    choices = [
        _choice(made.get("index", index), echo + made["text"], finish(made.get("finish_reason"), asked))
        for index, made in enumerate(theirs["generations"])
    ]
    return _answer(theirs, choices, asked)


def _stream(asked: Asked) -> Callable[[Event], list[Chunk]]:
    echo = _echo(asked)
    echoed: set[int] = set()

    def read(event: Event) -> list[Chunk]:
        theirs = answer.fields(event.data)
        index = theirs.get("index", 0)
        if not theirs["is_finished"]:
            text = theirs["text"] if index in echoed else echo + theirs["text"]
            echoed.add(index)
            return [_answer({}, [_choice(index, text, None)], asked)]
        if "response" not in theirs:
            raise InBand(f"cohere error: {theirs.get('err') or theirs.get('finish_reason')}")
        last = theirs["response"]
        made = last.get("generations") or [{"finish_reason": theirs.get("finish_reason")}]
        choices = [
            _choice(one.get("index", at), "", finish(one.get("finish_reason") or theirs.get("finish_reason"), asked))
            for at, one in enumerate(made)
        ]
        ended = _answer({}, choices, asked)
        counted = usage(last.get("meta"))
        return [ended, {**ended, "choices": [], "usage": counted}] if counted else [ended]

    return read


generate = Endpoint(
    path="/v1/generate",
    params={
        "model": To("model"),
        "prompt": None,
        "echo": None,
        "stream": To("stream"),
        "max_tokens": To("max_tokens", low=1),
        "temperature": To("temperature", low=0, high=5),
        "top_p": To("p", low=0.01, high=0.99),
        "p": To("p", low=0.01, high=0.99),
        "top_k": To("k", low=0, high=500),
        "k": To("k", low=0, high=500),
        "frequency_penalty": To("frequency_penalty", low=0, high=1),
        "presence_penalty": To("presence_penalty", low=0, high=1),
        "n": To("num_generations", low=1, high=5),
        "stop": To("end_sequences", via=as_list),
        "seed": To("seed"),
        "truncate": To("truncate"),
    },
    translate=_translate,
    reply=_reply,
    stream=_stream,
    framing="ndjson",
    serves=lambda model: model in MODELS,
)
