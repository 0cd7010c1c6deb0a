"""Resources of inference: texts, chats, vectors, models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from portkey_ai import types
from portkey_ai._async.resource import AsyncResource
from portkey_ai._calls import path

if TYPE_CHECKING:
    from typing import Unpack

    from portkey_ai._async.stream import AsyncStream
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


class AsyncCompletions(AsyncResource):
    """Text completions."""

    @overload
    async def create(
        self, *, prompt: Prompt, stream: Literal[False] | None = ..., **fields: Unpack[CompletionParams]
    ) -> types.Completion: ...
    @overload
    async def create(
        self, *, prompt: Prompt, stream: Literal[True], **fields: Unpack[CompletionParams]
    ) -> AsyncStream[types.Completion]: ...
    @overload
    async def create(
        self, *, prompt: Prompt, stream: bool, **fields: Unpack[CompletionParams]
    ) -> types.Completion | AsyncStream[types.Completion]: ...
    @overload
    async def create(
        self, *, messages: MessageList, stream: Literal[False] | None = ..., **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion: ...
    @overload
    async def create(
        self, *, messages: MessageList, stream: Literal[True], **fields: Unpack[ChatParams]
    ) -> AsyncStream[types.ChatCompletionChunk]: ...
    @overload
    async def create(
        self, *, messages: MessageList, stream: bool, **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion | AsyncStream[types.ChatCompletionChunk]: ...
    async def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Complete a prompt. With `messages` in its place, the same route answers as a chat."""
        chat = "prompt" not in fields and "messages" in fields
        kind, chunk = (
            (types.ChatCompletion, types.ChatCompletionChunk) if chat else (types.Completion, types.Completion)
        )
        return await self._streamed(kind, chunk, "/completions", stream, fields)


class AsyncChatMessages(AsyncResource):
    """Messages of a stored chat."""

    async def list(self, completion_id: str, **query: Any) -> types.Page:
        """Those that it began with."""
        return await self._send(types.Page, "GET", path("/chat/completions/{}/messages", completion_id), query)


class AsyncChatCompletions(AsyncResource):
    """Chats. What is beside `create` is for those that the provider stored."""

    @property
    def messages(self) -> AsyncChatMessages:
        """The messages of stored ones."""
        return AsyncChatMessages(self._client)

    @overload
    async def create(
        self, *, messages: MessageList, stream: Literal[False] | None = ..., **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion: ...
    @overload
    async def create(
        self, *, messages: MessageList, stream: Literal[True], **fields: Unpack[ChatParams]
    ) -> AsyncStream[types.ChatCompletionChunk]: ...
    @overload
    async def create(
        self, *, messages: MessageList, stream: bool, **fields: Unpack[ChatParams]
    ) -> types.ChatCompletion | AsyncStream[types.ChatCompletionChunk]: ...
    async def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Answer to messages."""
        where = "/chat/completions"
        return await self._streamed(types.ChatCompletion, types.ChatCompletionChunk, where, stream, fields)

    async def retrieve(self, completion_id: str, **query: Any) -> types.ChatCompletion:
        """A stored one."""
        return await self._send(types.ChatCompletion, "GET", path("/chat/completions/{}", completion_id), query)

    async def update(self, completion_id: str, **fields: Any) -> types.ChatCompletion:
        """Change the metadata of a stored one."""
        return await self._send(types.ChatCompletion, "POST", path("/chat/completions/{}", completion_id), fields)

    async def list(self, **query: Any) -> types.Page:
        """Those that are stored."""
        return await self._send(types.Page, "GET", "/chat/completions", query)

    async def delete(self, completion_id: str, **query: Any) -> types.Deleted:
        """Delete a stored one."""
        return await self._send(types.Deleted, "DELETE", path("/chat/completions/{}", completion_id), query)


class AsyncChat(AsyncResource):
    """Chats."""

    @property
    def completions(self) -> AsyncChatCompletions:
        """Chats."""
        return AsyncChatCompletions(self._client)


class AsyncEmbeddings(AsyncResource):
    """Vectors of texts."""

    async def create(self, *, input: Any, **fields: Unpack[EmbeddingParams]) -> types.Embeddings:
        """Vectors, as lists of numbers; as text where `encoding_format` says base64."""
        return await self._send(types.Embeddings, "POST", "/embeddings", {"input": input, **fields})


class AsyncModels(AsyncResource):
    """Models."""

    async def list(self, **query: Any) -> types.Page:
        """The provider's; without a provider, those that the workspace's stored providers may be used with."""
        return await self._send(types.Page, "GET", "/models", query)

    async def retrieve(self, model: str, **query: Any) -> types.Model:
        """One of the provider's."""
        return await self._send(types.Model, "GET", path("/models/{}", model), query)

    async def delete(self, model: str, **query: Any) -> types.Deleted:
        """Delete one that was made for the caller."""
        return await self._send(types.Deleted, "DELETE", path("/models/{}", model), query)


class AsyncModerations(AsyncResource):
    """Judgements of texts."""

    async def create(self, *, input: Any, **fields: Any) -> types.Moderation:
        """Judge."""
        return await self._send(types.Moderation, "POST", "/moderations", {"input": input, **fields})


class AsyncInputItems(AsyncResource):
    """What a stored response was made of."""

    async def list(self, response_id: str, **query: Any) -> types.Page:
        """All of it."""
        return await self._send(types.Page, "GET", path("/responses/{}/input_items", response_id), query)


class AsyncInputTokens(AsyncResource):
    """How large an input is."""

    async def count(self, **fields: Unpack[ResponseParams]) -> types.Result:
        """Its tokens."""
        return await self._send(types.Result, "POST", "/responses/input_tokens", fields)


class AsyncResponses(AsyncResource):
    """OpenAI's Responses."""

    @property
    def input_items(self) -> AsyncInputItems:
        """What stored ones were made of."""
        return AsyncInputItems(self._client)

    @property
    def input_tokens(self) -> AsyncInputTokens:
        """How large an input is."""
        return AsyncInputTokens(self._client)

    @overload
    async def create(
        self, *, stream: Literal[False] | None = ..., **fields: Unpack[ResponseParams]
    ) -> types.Response: ...
    @overload
    async def create(
        self, *, stream: Literal[True], **fields: Unpack[ResponseParams]
    ) -> AsyncStream[types.Response]: ...
    @overload
    async def create(
        self, *, stream: bool, **fields: Unpack[ResponseParams]
    ) -> types.Response | AsyncStream[types.Response]: ...
    async def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Respond."""
        return await self._streamed(types.Response, types.Response, "/responses", stream, fields)

    async def retrieve(self, response_id: str, **query: Any) -> types.Response:
        """A stored one."""
        return await self._send(types.Response, "GET", path("/responses/{}", response_id), query)

    async def delete(self, response_id: str, **query: Any) -> types.Deleted:
        """Delete a stored one."""
        return await self._send(types.Deleted, "DELETE", path("/responses/{}", response_id), query)

    async def cancel(self, response_id: str, **fields: Any) -> types.Response:
        """End one that is made in the background."""
        return await self._send(types.Response, "POST", path("/responses/{}/cancel", response_id), fields)

    async def compact(self, **fields: Unpack[ResponseParams]) -> types.Response:
        """A shorter input that says the same."""
        return await self._send(types.Response, "POST", "/responses/compact", fields)


class AsyncMessages(AsyncResource):
    """Anthropic's Messages."""

    @overload
    async def create(
        self,
        *,
        messages: MessageList,
        max_tokens: int,
        stream: Literal[False] | None = ...,
        **fields: Unpack[MessageParams],
    ) -> types.Message: ...
    @overload
    async def create(
        self, *, messages: MessageList, max_tokens: int, stream: Literal[True], **fields: Unpack[MessageParams]
    ) -> AsyncStream[types.Message]: ...
    @overload
    async def create(
        self, *, messages: MessageList, max_tokens: int, stream: bool, **fields: Unpack[MessageParams]
    ) -> types.Message | AsyncStream[types.Message]: ...
    async def create(self, *, stream: bool | None = None, **fields: Any) -> Any:
        """Answer to messages."""
        return await self._streamed(types.Message, types.Message, "/messages", stream, fields)

    async def count_tokens(self, *, messages: MessageList, **fields: Unpack[Extra]) -> types.Result:
        """How many tokens they are."""
        return await self._send(types.Result, "POST", "/messages/count_tokens", {"messages": messages, **fields})
