"""What calls may be given, as types: the documented fields of requests. Anything else goes into `extra_body`.

At run time nothing is checked: what the provider does not know, it refuses, or the gateway drops and names it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

MessageList = Iterable[Mapping[str, Any]]
"""`{"role": ..., "content": ...}` and its kin."""
Prompt = str | list[str] | list[int] | list[list[int]]
"""A text, several, or tokens."""


class Extra(TypedDict, total=False):
    """Of the one call: headers, query and body fields beside those of the method, and s that it may be silent."""

    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: float | None


class Sampling(Extra, total=False):
    """What completions and chats share."""

    model: str
    frequency_penalty: float | None
    logit_bias: Mapping[str, float] | None
    max_tokens: int | None
    n: int | None
    presence_penalty: float | None
    seed: int | None
    stop: str | list[str] | None
    stream_options: Mapping[str, Any] | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    user: str


class CompletionParams(Sampling, total=False):
    """Of `completions.create`, beside `prompt` and `stream`."""

    best_of: int | None
    echo: bool | None
    logprobs: int | None
    suffix: str | None


class ChatParams(Sampling, total=False):
    """Of `chat.completions.create`, beside `messages` and `stream`."""

    audio: Mapping[str, Any] | None
    function_call: Any
    functions: Iterable[Mapping[str, Any]]
    logprobs: bool | None
    max_completion_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: list[str] | None
    parallel_tool_calls: bool
    prediction: Mapping[str, Any] | None
    reasoning_effort: str | None
    response_format: Mapping[str, Any]
    service_tier: str | None
    store: bool | None
    thinking: Mapping[str, Any]
    tool_choice: Any
    tools: Iterable[Mapping[str, Any]]
    top_logprobs: int | None
    web_search_options: Mapping[str, Any]


class EmbeddingParams(Extra, total=False):
    """Of `embeddings.create`, beside `input`."""

    model: str
    dimensions: int
    encoding_format: str
    user: str


class ResponseParams(Extra, total=False):
    """Of `responses.create`, beside `stream`."""

    model: str
    input: Any
    include: list[str] | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Mapping[str, str] | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    prompt: Mapping[str, Any] | None
    reasoning: Mapping[str, Any] | None
    service_tier: str | None
    store: bool | None
    temperature: float | None
    text: Mapping[str, Any]
    tool_choice: Any
    tools: Iterable[Mapping[str, Any]]
    top_p: float | None
    truncation: str | None
    user: str


class MessageParams(Extra, total=False):
    """Of `messages.create`, beside `messages`, `max_tokens` and `stream`."""

    model: str
    metadata: Mapping[str, Any]
    stop_sequences: list[str]
    system: Any
    temperature: float
    thinking: Mapping[str, Any]
    tool_choice: Mapping[str, Any]
    tools: Iterable[Mapping[str, Any]]
    top_k: int
    top_p: float
