"""What the API answers, as types. At run time all of them are dicts: see `Result`.

Where a provider leaves a field out, it is None. Fields that are not named here are there too, as `Any`.
"""

from __future__ import annotations

from typing import Any

from portkey_ai._results import Content, Result

__all__ = [
    "Analytics", "ApiKey", "ApiKeyMade", "AuditRecord", "AuditTrail", "Batch", "ChatChoice", "ChatCompletion",
    "ChatCompletionChunk", "ChatMessage", "ChoiceDelta", "ChunkChoice", "Completion", "CompletionChoice", "Config",
    "ConfigMade", "Content", "Deleted", "Embedding", "Embeddings", "FeedbackGiven", "File", "FineTuningJob", "Function",
    "Image", "Images", "Integration", "Message", "Model", "Moderation", "Page", "Provider", "Response", "Result",
    "ToolCall", "Transcription", "Usage", "VectorStore", "VirtualKey", "Workspace",
]  # fmt: skip


class Usage(Result):
    """Tokens of a call."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Function(Result):
    """A function that the model calls; `arguments` is JSON."""

    name: str
    arguments: str


class ToolCall(Result):
    """A call of a tool. In a stream `index` says which one a piece belongs to."""

    id: str
    type: str
    function: Function
    index: int | None


class CompletionChoice(Result):
    """One of the texts."""

    index: int
    text: str
    finish_reason: str | None
    logprobs: Any


class Completion(Result):
    """The answer of `completions`; in a stream, a piece of it."""

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None


class ChatMessage(Result):
    """What the model said."""

    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None
    tool_calls: list[ToolCall] | None


class ChatChoice(Result):
    """One of the messages."""

    index: int
    message: ChatMessage
    finish_reason: str | None
    logprobs: Any


class ChatCompletion(Result):
    """The answer of `chat.completions`."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage | None


class ChoiceDelta(Result):
    """A piece of a message."""

    role: str | None
    content: str | None
    refusal: str | None
    reasoning_content: str | None
    tool_calls: list[ToolCall] | None


class ChunkChoice(Result):
    """A piece of one of the messages."""

    index: int
    delta: ChoiceDelta
    finish_reason: str | None
    logprobs: Any


class ChatCompletionChunk(Result):
    """A piece of a streamed answer. The last one may have usage and no choices."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None


class Embedding(Result):
    """A vector."""

    index: int
    embedding: list[float]


class Embeddings(Result):
    """Vectors in the order of the inputs."""

    data: list[Embedding]
    model: str
    usage: Usage | None


class Model(Result):
    """A model."""

    id: str
    object: str


class Response(Result):
    """The answer of `responses`; in a stream, one of its events."""

    id: str
    type: str
    status: str | None
    model: str
    output: list[Any]
    usage: Any
    delta: Any

    @property
    def output_text(self) -> str:
        """All of its text."""
        items = (part for item in self.output or () for part in item.get("content") or ())
        return "".join(part.get("text", "") for part in items if part.get("type") == "output_text")


class Message(Result):
    """The answer of `messages`, in Anthropic's dialect; in a stream, one of its events."""

    id: str
    type: str
    role: str
    model: str
    content: list[Any]
    stop_reason: str | None
    usage: Any
    delta: Any


class Moderation(Result):
    """Judgements of texts."""

    id: str
    model: str
    results: list[Any]


class Image(Result):
    """An image, by its address or as base64."""

    url: str | None
    b64_json: str | None
    revised_prompt: str | None


class Images(Result):
    """Images that were made."""

    created: int
    data: list[Image]


class Transcription(Result):
    """What was said."""

    text: str


class File(Result):
    """A file that the provider has."""

    id: str
    filename: str
    bytes: int
    purpose: str
    status: str | None


class Batch(Result):
    """Many requests in a file."""

    id: str
    status: str
    endpoint: str
    input_file_id: str
    output_file_id: str | None


class FineTuningJob(Result):
    """A model in the making."""

    id: str
    status: str
    model: str
    fine_tuned_model: str | None


class VectorStore(Result):
    """A store of vectors, or a file of one."""

    id: str
    status: str
    name: str | None


class Page(Result):
    """A list. `total`: of all pages, where the gateway counts them; `has_more` where a provider says so."""

    object: str
    total: int | None
    data: list[Any]
    has_more: bool | None


class Deleted(Result):
    """What a deletion answers."""

    id: str | None
    deleted: bool | None


class ConfigMade(Result):
    """A config that was saved; it is used by its `slug`."""

    id: str
    slug: str
    version_id: str


class Config(Result):
    """A saved config."""

    id: str
    slug: str
    name: str
    config: Any
    status: str
    is_default: Any
    workspace_id: str


class VirtualKey(Result):
    """A provider's key that the gateway holds; it is used by its `slug`, and its secret is never shown."""

    id: str
    slug: str
    name: str
    provider: str | None
    note: str | None
    status: str | None


class Provider(Result):
    """A provider of a workspace, used by its `slug`."""

    id: str
    slug: str
    name: str
    integration_id: str
    status: str | None


class Integration(Result):
    """A provider's credential, for one workspace or several."""

    id: str
    slug: str
    name: str
    ai_provider_id: str
    status: str | None


class ApiKeyMade(Result):
    """A new key of the gateway. `key` is shown this once."""

    id: str
    key: str


class ApiKey(Result):
    """A key of the gateway, without its secret."""

    id: str
    name: str
    type: str
    status: str
    scopes: list[str]
    workspace_id: str | None


class Workspace(Result):
    """A workspace."""

    id: str
    slug: str
    name: str
    description: str | None


class AuditRecord(Result):
    """A change that was asked for."""

    timestamp: str
    method: str
    uri: str
    request_id: str
    resource_type: str
    action: str
    response_status_code: int


class AuditTrail(Result):
    """Changes, newest first."""

    records: list[AuditRecord]
    total: int


class FeedbackGiven(Result):
    """Feedback that was taken."""

    status: str
    message: str
    feedback_ids: list[str]


class Analytics(Result):
    """A graph, a summary or groups."""

    object: str
    summary: Any
    data_points: list[Any]
    data: list[Any]
    total: int | None
