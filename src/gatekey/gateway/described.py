"""What the description of the API says that no table of the running gateway knows: fields, answers, words.

Data only. `openapi` puts it together with the tables that serve; nothing here is used to serve a request.
Sources of the fields: portkey-api.md 4.1 and 4.2.
"""

from typing import Any, Final

Schema = dict[str, Any]


def _null(**schema: Any) -> Schema:
    """A schema that null fits too."""
    return {**schema, "type": [schema["type"], "null"]}


def _number(low: float, high: float, about: str) -> Schema:
    return _null(type="number", minimum=low, maximum=high, description=about)


def _integer(low: int, high: int | None, about: str) -> Schema:
    bounds = {"minimum": low} if high is None else {"minimum": low, "maximum": high}
    return _null(type="integer", description=about, **bounds)


def _flag(about: str) -> Schema:
    return _null(type="boolean", description=about)


def _object(fields: dict[str, Schema], *required: str, about: str = "") -> Schema:
    """An object that may hold more than its fields."""
    schema: Schema = {"type": "object", "properties": fields}
    if required:
        schema["required"] = list(required)
    return {**schema, "description": about} if about else schema


def _list(items: Schema, **bounds: Any) -> Schema:
    return {"type": "array", "items": items, **bounds}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Final[Schema] = {"type": "string"}
_TOKEN: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_COUNT: Final[Schema] = {"type": "integer"}
_STRINGS: Final = _list(_TEXT)
_CREATED: Final[Schema] = {"type": "integer", "description": "Seconds since 1970."}
_INDEX: Final[Schema] = {"type": "integer", "minimum": 0}

_GENERATING: Final = _object(
    {
        "model": {
            "type": "string",
            "description": "The provider's name of the model. May be missing where the config sets it, or where the "
            "provider has a default.",
        },
        "frequency_penalty": _number(-2, 2, "Above 0: what was often said is said less."),
        "logit_bias": {
            "type": ["object", "null"],
            "additionalProperties": {"type": "integer", "minimum": -100, "maximum": 100},
            "description": "Token id to bias.",
        },
        "max_tokens": _integer(0, None, "Most tokens of the answer."),
        "n": _integer(1, 128, "Answers to make."),
        "presence_penalty": _number(-2, 2, "Above 0: what was said is said less."),
        "seed": _null(type="integer", format="int64", description="Same seed, same answer, as far as possible."),
        "stop": {
            "anyOf": [_TEXT, _list(_TEXT, minItems=1, maxItems=4), {"type": "null"}],
            "description": "Where to stop.",
        },
        "stream": _flag("true: the answer comes as server-sent events."),
        "stream_options": {
            "anyOf": [
                _object({"include_usage": {"type": "boolean"}}),
                {"type": "null"},
            ],
            "description": "`include_usage`: a last chunk tells the usage.",
        },
        "temperature": _number(0, 2, "0: the likeliest; 2: the wildest."),
        "top_p": _number(0, 1, "Only tokens of this share of the likelihood."),
        "user": {"type": "string", "description": "Who asks, for the provider's own use."},
    },
    about="What both kinds of completions take. Further fields pass to providers of this dialect.",
)

_COMPLETION_REQUEST: Final = {
    "allOf": [
        _ref("Generating"),
        _object(
            {
                "prompt": {
                    "anyOf": [
                        _TEXT,
                        _STRINGS,
                        _list(_TOKEN, minItems=1),
                        _list(_list(_TOKEN, minItems=1), minItems=1),
                        {"type": "null"},
                    ],
                    "description": "A text; several texts or token ids where the provider has text completions. "
                    "May be missing where `messages` are sent, or where the config sets it.",
                },
                "best_of": _integer(0, 20, "Answers to make, of which the best `n` are given."),
                "echo": _flag("true: the answer begins with the prompt."),
                "logprobs": _integer(0, 5, "Likeliest tokens to tell."),
                "suffix": _null(type="string", description="What comes after the text to insert."),
                "messages": {**_list(_ref("Message")), "description": "Without a prompt: answered as a chat."},
            }
        ),
    ]
}

_MESSAGE: Final = _object(
    {
        "role": {"enum": ["system", "developer", "user", "assistant", "tool", "function"]},
        "content": {
            "anyOf": [_TEXT, _list(_object({"type": _TEXT}, "type")), {"type": "null"}],
            "description": "A text, or parts such as `text` and `image_url`.",
        },
        "name": _TEXT,
        "tool_call_id": _TEXT,
        "tool_calls": _list({"type": "object"}),
    },
    "role",
)

_CHAT_REQUEST: Final = {
    "allOf": [
        _ref("Generating"),
        _object(
            {
                "messages": {**_list(_ref("Message"), minItems=1), "description": "The conversation so far."},
                "logprobs": _flag("Tell the tokens' likelihood."),
                "top_logprobs": _integer(0, 20, "Likeliest tokens to tell."),
                "max_completion_tokens": _integer(0, None, "Most tokens of the answer, reasoning counted."),
                "response_format": _null(type="object", description="`text`, `json_object` or `json_schema`."),
                "thinking": _null(type="object", description="How much to think: `{type, budget_tokens}`."),
                "reasoning_effort": _null(type="string", description="How much to think, in a word."),
                "tools": {"type": ["array", "null"], "items": {"type": "object"}, "description": "What may be called."},
                "tool_choice": {
                    "anyOf": [_TEXT, {"type": "object"}, {"type": "null"}],
                    "description": "`none`, `auto`, `required`, or which.",
                },
                "parallel_tool_calls": _flag("Whether several tools may be called at once."),
                "functions": {**_list({"type": "object"}), "deprecated": True},
                "function_call": {"anyOf": [_TEXT, {"type": "object"}], "deprecated": True},
            },
            "messages",
        ),
    ]
}

_EMBEDDINGS_REQUEST: Final = _object(
    {
        "model": _TEXT,
        "input": {
            "anyOf": [_TEXT, _list({"anyOf": [_TEXT, _TOKEN, _list(_TOKEN), {"type": "object"}]}, minItems=1)],
            "description": "One text or several; token ids, and objects such as images, where the provider takes them.",
        },
        "encoding_format": {"enum": ["float", "base64"]},
        "dimensions": {"type": "integer", "minimum": 1},
        "user": _TEXT,
    },
    "input",
)

_USAGE: Final = _object({"prompt_tokens": _COUNT, "completion_tokens": _COUNT, "total_tokens": _COUNT})
_ENVELOPE: Final[dict[str, Schema]] = {
    "id": _TEXT,
    "object": _TEXT,
    "created": _CREATED,
    "model": _TEXT,
    "provider": {"type": "string", "description": "The provider's slug, where the answer was translated."},
    "usage": {"anyOf": [_ref("Usage"), {"type": "null"}]},
}
_FINISH: Final[Schema] = {"type": ["string", "null"], "description": "`stop`, `length`, `tool_calls`, ..."}


def _answer(choice: dict[str, Schema]) -> Schema:
    fields = {"index": _INDEX, **choice, "finish_reason": _FINISH}
    return _object({**_ENVELOPE, "choices": _list(_object(fields, "index"))}, "choices")


_VECTOR: Final[Schema] = {"anyOf": [_list({"type": "number"}), _TEXT]}
_FAULT: Final = _object(
    {
        "message": _TEXT,
        "type": _null(type="string"),
        "param": _null(type="string", description="The header, field or place in the config at fault."),
        "code": {"type": ["string", "integer", "null"]},
    },
    *("message", "type", "param", "code"),
)

SCHEMAS: Final[dict[str, Schema]] = {
    "Generating": _GENERATING,
    "Message": _MESSAGE,
    "CompletionRequest": _COMPLETION_REQUEST,
    "ChatRequest": _CHAT_REQUEST,
    "EmbeddingsRequest": _EMBEDDINGS_REQUEST,
    "Usage": _USAGE,
    "Completion": _answer({"text": _TEXT, "logprobs": _null(type="object")}),
    "Chat": _answer({"message": _ref("Message"), "logprobs": _null(type="object")}),
    "ChatChunk": _answer({"delta": _object({"role": _TEXT, "content": _null(type="string")})}),
    "Embeddings": _object(
        {
            "object": _TEXT,
            "model": _TEXT,
            "data": _list(_object({"index": _INDEX, "object": _TEXT, "embedding": _VECTOR}, "index", "embedding")),
            "usage": _ref("Usage"),
        },
        "data",
    ),
    "Models": _object(
        {"object": _TEXT, "data": _list(_object({"id": _TEXT, "object": _TEXT, "created": _CREATED}, "id"))}, "data"
    ),
    "Error": _object(
        {
            "error": _FAULT,
            "status": {"const": "failure"},
            "message": {"type": "string", "description": "The same message as inside `error`."},
            "provider": {"type": "string", "description": "The provider's slug, once one was tried."},
        },
        *("error", "status", "message"),
        about="One body for every client: `error` as OpenAI has it, `status` and `message` as Portkey has them.",
    ),
}
"""Components of the document, but for the config language."""

KINDS: Final[dict[str, tuple[str, str, str | None, str]]] = {
    "completions": ("Complete a text", "Completion", "CompletionRequest", "Completion"),
    "chat": ("Answer a conversation", "Chat", "ChatRequest", "ChatChunk"),
    "embeddings": ("Make vectors of texts", "Embeddings", "EmbeddingsRequest", ""),
    "models": ("List a provider's models", "Models", None, ""),
}
"""Kind of endpoint -> summary, schema of the answer, of the request, and of a chunk of its stream."""

EXAMPLES: Final[dict[str, Any]] = {
    "CompletionRequest": {"model": "gpt-3.5-turbo-instruct", "prompt": "Say this is a test"},
    "ChatRequest": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say this is a test"}]},
    "EmbeddingsRequest": {"model": "text-embedding-3-small", "input": "This is a test"},
}

ANSWERED: Final[dict[str, tuple[Schema, str]]] = {
    "x-portkey-trace-id": (_TEXT, "The caller's trace id, or one that was made. On every answer below /v1."),
    "x-portkey-retry-attempt-count": (
        {"type": "integer", "minimum": -1, "maximum": 5},
        "Retries of the target that answered; -1: all used up, and it still failed.",
    ),
    "x-portkey-cache-status": (
        {"enum": ["DISABLED", "MISS", "REFRESH"]},
        "DISABLED: the config asks for no cache. There is none yet, so that every look-up misses.",
    ),
    "x-portkey-last-used-option-index": (
        {"type": "string", "pattern": r"^config(\.targets\[\d+\])*$"},
        "The place in the config of the target that answered.",
    ),
    "x-portkey-provider": (_TEXT, "The slug of the provider that answered."),
    "x-gatekey-dropped-params": (_TEXT, "Parameters that the provider lacks and was not sent."),
    "x-gatekey-clamped-params": (_TEXT, "Parameters moved into the provider's range, with what was sent."),
    "x-gatekey-not-available": (_TEXT, "Parts of the request that this version lacks and that are safe to be absent."),
    "x-gatekey-failed-by": (
        {"enum": ["provider", "gateway"]},
        "Of an error: who failed; the provider also where it could not be reached or broke off.",
    ),
    "x-should-retry": (
        {"const": "false"},
        "The gateway has retried already: clients should not.",
    ),
    "x-ratelimit-limit-requests": (_COUNT, "The tightest rate of the caller's: how many requests it allows."),
    "x-ratelimit-remaining-requests": (_COUNT, "About how many are left of it."),
    "x-ratelimit-reset-requests": (_TEXT, "When it is whole again: `12ms`, `1s`, `6m0s`."),
    "x-ratelimit-limit-tokens": (_COUNT, "The same for tokens. Without such a rate the provider's own headers pass."),
    "x-ratelimit-remaining-tokens": (_COUNT, "About how many are left of it."),
    "x-ratelimit-reset-tokens": (_TEXT, "When it is whole again."),
}
"""Response headers of the gateway's own. Those of the provider pass beside them."""

STANDARD: Final[dict[str, str]] = {
    "traceparent": "W3C trace context: trace id and parent span, where `x-portkey-*` do not say them.",
    "baggage": "W3C baggage: 64 members at most are merged into the metadata; `x-portkey-metadata` wins.",
}
"""Standard request headers that are read too."""

ABOUT: Final = """\
One HTTP endpoint in front of every LLM provider.
Requests and answers are in the OpenAI dialect; headers and configs are those of Portkey.

## A first request
```sh
curl http://127.0.0.1:8787/v1/completions \\
  -H "x-portkey-api-key: $GATEKEY_KEY" \\
  -H "x-portkey-provider: openai" -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "gpt-3.5-turbo-instruct", "prompt": "Say this is a test"}'
```

## Who may call
Every request below `/v1/` needs the gateway key: in `x-portkey-api-key`, or as `Authorization: Bearer` where the
provider's key does not travel there. The first start of `gatekey serve` makes one and keeps it in `data/admin-key`.

## Who answers
Either `x-portkey-provider` names a provider and `Authorization` carries its key, or `x-portkey-config` carries a
routing config as JSON: fallback, load balance, conditions, retries, time-outs, parameters. Both go together.
`x-portkey-custom-host` sends the request to another server of the same dialect.

## What comes back
A success is in the OpenAI dialect whoever answered; `x-portkey-*` headers say who that was and what it took.
With `"stream": true` it comes as server-sent events that end with `data: [DONE]`; a stream that fails after its first
content ends with `event: error` and without `[DONE]`.
A failure has one shape and names the header, field or place in the config at fault.
"""

FORWARDED: Final = """\
Any other path below `/v1/` is forwarded as it is to the provider that the headers or the config name, with any method
and any body. The path may have several segments (`/v1/images/generations`), which this format cannot say.
The answer is the provider's, bytes as they came; what the gateway refuses has the schema `Error`, as everywhere.
A path whose first segment is one of these is never forwarded, and answered with 404: {reserved}.
"""
