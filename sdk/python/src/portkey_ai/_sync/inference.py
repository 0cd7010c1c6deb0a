# Made of _async/inference.py by generate.py: change it there.
"""Resources of inference: texts, chats, vectors, models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from portkey_ai import types
from portkey_ai._sync.resource import Resource
from portkey_ai._calls import path

if TYPE_CHECKING:
    from typing import Unpack

    from portkey_ai._sync.stream import Stream
    from portkey_ai.params import (
        ChatParams,
        CompletionParams,
        EmbeddingParams,
        Extra,
        MessageList,
        MessageParams,
        Prompt,
        ResponseParams,
    )  # fmt: skip


class Completions(Resource):
    """Text completions."""

    @overload
    def create(
        self, *, prompt: Prompt, stream: Literal[False] | None = ..., **fields: Unpack[CompletionParams]
    ) -> types.Completion: ...
    @overload
    def create(
        self, *, prompt: Prompt, stream: Literal[True], **fields: Unpack[CompletionParams]
    ) -> Stream[types.Completion]: ...
    @overload
    def create(
        self, *, prompt: Prompt, stream: bool, **fields: Unpack[CompletionParams]
    ) -> types.Completion | Stream[types.Completion]: ...
    @overload
    def create(
        self, *, messages: MessageList, stream: Literal[False] | None = ..., **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion: ...
    @overload
    def create(
        self, *, messages: MessageList, stream: Literal[True], **fields: Unpack[ChatParams]
    ) -> Stream[types.ChatCompletionChunk]: ...
    @overload
    def create(
        self, *, messages: MessageList, stream: bool, **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion | Stream[types.ChatCompletionChunk]: ...
    def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Complete a prompt. With `messages` in its place, the same route answers as a chat."""
        chat = "prompt" not in fields and "messages" in fields
        kind, chunk = (
            (types.ChatCompletion, types.ChatCompletionChunk) if chat else (types.Completion, types.Completion)
        )
        return self._streamed(kind, chunk, "/completions", stream, fields)


class ChatMessages(Resource):
    """Messages of a stored chat."""

    def list(self, completion_id: str, **query: Any) -> types.Page:
        """Those that it began with."""
        return self._send(types.Page, "GET", path("/chat/completions/{}/messages", completion_id), query)


class ChatCompletions(Resource):
    """Chats. What is beside `create` is for those that the provider stored."""

    @property
    def messages(self) -> ChatMessages:
        """The messages of stored ones."""
        return ChatMessages(self._client)

    @overload
    def create(
        self, *, messages: MessageList, stream: Literal[False] | None = ..., **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion: ...
    @overload
    def create(
        self, *, messages: MessageList, stream: Literal[True], **fields: Unpack[ChatParams]
    ) -> Stream[types.ChatCompletionChunk]: ...
    @overload
    def create(
        self, *, messages: MessageList, stream: bool, **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion | Stream[types.ChatCompletionChunk]: ...
    def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Answer to messages."""
        where = "/chat/completions"
        return self._streamed(types.ChatCompletion, types.ChatCompletionChunk, where, stream, fields)

    def retrieve(self, completion_id: str, **query: Any) -> types.ChatCompletion:
        """A stored one."""
        return self._send(types.ChatCompletion, "GET", path("/chat/completions/{}", completion_id), query)

    def update(self, completion_id: str, **fields: Any) -> types.ChatCompletion:
        """Change the metadata of a stored one."""
        return self._send(types.ChatCompletion, "POST", path("/chat/completions/{}", completion_id), fields)

    def list(self, **query: Any) -> types.Page:
        """Those that are stored."""
        return self._send(types.Page, "GET", "/chat/completions", query)

    def delete(self, completion_id: str, **query: Any) -> types.Deleted:
        """Delete a stored one."""
        return self._send(types.Deleted, "DELETE", path("/chat/completions/{}", completion_id), query)


class Chat(Resource):
    """Chats."""

    @property
    def completions(self) -> ChatCompletions:
        """Chats."""
        return ChatCompletions(self._client)


class Embeddings(Resource):
    """Vectors of texts."""

    def create(self, *, input: Any, **fields: Unpack[EmbeddingParams]) -> types.Embeddings:
        """Vectors, as lists of numbers; as text where `encoding_format` says base64."""
        return self._send(types.Embeddings, "POST", "/embeddings", {"input": input, **fields})


class Models(Resource):
    """Models."""

    def list(self, **query: Any) -> types.Page:
        """The provider's; without a provider, those that the workspace's stored providers may be used with."""
        return self._send(types.Page, "GET", "/models", query)

    def retrieve(self, model: str, **query: Any) -> types.Model:
        """One of the provider's."""
        return self._send(types.Model, "GET", path("/models/{}", model), query)

    def delete(self, model: str, **query: Any) -> types.Deleted:
        """Delete one that was made for the caller."""
        return self._send(types.Deleted, "DELETE", path("/models/{}", model), query)


class Moderations(Resource):
    """Judgements of texts."""

    def create(self, *, input: Any, **fields: Any) -> types.Moderation:
        """Judge."""
        return self._send(types.Moderation, "POST", "/moderations", {"input": input, **fields})


class InputItems(Resource):
    """What a stored response was made of."""

    def list(self, response_id: str, **query: Any) -> types.Page:
        """All of it."""
        return self._send(types.Page, "GET", path("/responses/{}/input_items", response_id), query)


class InputTokens(Resource):
    """How large an input is."""

    def count(self, **fields: Unpack[ResponseParams]) -> types.Result:
        """Its tokens."""
        return self._send(types.Result, "POST", "/responses/input_tokens", fields)


class Responses(Resource):
    """OpenAI's Responses."""

    @property
    def input_items(self) -> InputItems:
        """What stored ones were made of."""
        return InputItems(self._client)

    @property
    def input_tokens(self) -> InputTokens:
        """How large an input is."""
        return InputTokens(self._client)

    @overload
    def create(
        self, *, stream: Literal[False] | None = ..., **fields: Unpack[ResponseParams]
    ) -> types.Response: ...
    @overload
    def create(
        self, *, stream: Literal[True], **fields: Unpack[ResponseParams]
    ) -> Stream[types.Response]: ...
    @overload
    def create(
        self, *, stream: bool, **fields: Unpack[ResponseParams]
    ) -> types.Response | Stream[types.Response]: ...
    def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Respond."""
        return self._streamed(types.Response, types.Response, "/responses", stream, fields)

    def retrieve(self, response_id: str, **query: Any) -> types.Response:
        """A stored one."""
        return self._send(types.Response, "GET", path("/responses/{}", response_id), query)

    def delete(self, response_id: str, **query: Any) -> types.Deleted:
        """Delete a stored one."""
        return self._send(types.Deleted, "DELETE", path("/responses/{}", response_id), query)

    def cancel(self, response_id: str, **fields: Any) -> types.Response:
        """End one that is made in the background."""
        return self._send(types.Response, "POST", path("/responses/{}/cancel", response_id), fields)

    def compact(self, **fields: Unpack[ResponseParams]) -> types.Response:
        """A shorter input that says the same."""
        return self._send(types.Response, "POST", "/responses/compact", fields)


class Messages(Resource):
    """Anthropic's Messages."""

    @overload
    def create(
        self,
        *,
        messages: MessageList,
        max_tokens: int,
        stream: Literal[False] | None = ...,
        **fields: Unpack[MessageParams],
    ) -> types.Message: ...
    @overload
    def create(
        self, *, messages: MessageList, max_tokens: int, stream: Literal[True], **fields: Unpack[MessageParams]
    ) -> Stream[types.Message]: ...
    @overload
    def create(
        self, *, messages: MessageList, max_tokens: int, stream: bool, **fields: Unpack[MessageParams]
    ) -> types.Message | Stream[types.Message]: ...
    def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Answer to messages."""
        return self._streamed(types.Message, types.Message, "/messages", stream, fields)

    def count_tokens(self, *, messages: MessageList, **fields: Unpack[Extra]) -> types.Result:
        """How many tokens they are."""
        return self._send(types.Result, "POST", "/messages/count_tokens", {"messages": messages, **fields})
