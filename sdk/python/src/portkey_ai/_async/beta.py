"""Assistants and threads, which the gateway forwards to the provider."""

from __future__ import annotations

from typing import Any

from portkey_ai import types
from portkey_ai._async.resource import AsyncResource
from portkey_ai._calls import path


class AsyncAssistants(AsyncResource):
    """Assistants at the provider."""

    async def create(self, *, model: str, **fields: Any) -> types.Result:
        """Make one."""
        return await self._send(types.Result, "POST", "/assistants", {"model": model, **fields})

    async def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", "/assistants", query)

    async def retrieve(self, assistant_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return await self._send(types.Result, "GET", path("/assistants/{}", assistant_id), query)

    async def update(self, assistant_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return await self._send(types.Result, "POST", path("/assistants/{}", assistant_id), fields)

    async def delete(self, assistant_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/assistants/{}", assistant_id), query)


class AsyncThreadMessages(AsyncResource):
    """Messages of a thread."""

    async def create(self, thread_id: str, *, role: str, content: Any, **fields: Any) -> types.Result:
        """Add one."""
        asked = {"role": role, "content": content, **fields}
        return await self._send(types.Result, "POST", path("/threads/{}/messages", thread_id), asked)

    async def list(self, thread_id: str, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", path("/threads/{}/messages", thread_id), query)

    async def retrieve(self, message_id: str, *, thread_id: str, **query: Any) -> types.Result:
        """One of them."""
        return await self._send(types.Result, "GET", path("/threads/{}/messages/{}", thread_id, message_id), query)

    async def update(self, message_id: str, *, thread_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return await self._send(types.Result, "POST", path("/threads/{}/messages/{}", thread_id, message_id), fields)

    async def delete(self, message_id: str, *, thread_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/threads/{}/messages/{}", thread_id, message_id), query)


class AsyncRunSteps(AsyncResource):
    """Steps of a run."""

    async def list(self, run_id: str, *, thread_id: str, **query: Any) -> types.Page:
        """Those that were made."""
        return await self._send(types.Page, "GET", path("/threads/{}/runs/{}/steps", thread_id, run_id), query)

    async def retrieve(self, step_id: str, *, thread_id: str, run_id: str, **query: Any) -> types.Result:
        """One of them."""
        where = path("/threads/{}/runs/{}/steps/{}", thread_id, run_id, step_id)
        return await self._send(types.Result, "GET", where, query)


class AsyncRuns(AsyncResource):
    """Runs of an assistant on a thread. With `stream=True` they are streams."""

    @property
    def steps(self) -> AsyncRunSteps:
        """Their steps."""
        return AsyncRunSteps(self._client)

    async def create(self, thread_id: str, *, assistant_id: str, stream: bool | None = None, **fields: Any) -> Any:
        """Begin one."""
        asked = {"assistant_id": assistant_id, **fields}
        return await self._streamed(types.Result, types.Result, path("/threads/{}/runs", thread_id), stream, asked)

    async def list(self, thread_id: str, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", path("/threads/{}/runs", thread_id), query)

    async def retrieve(self, run_id: str, *, thread_id: str, **query: Any) -> types.Result:
        """How far one is."""
        return await self._send(types.Result, "GET", path("/threads/{}/runs/{}", thread_id, run_id), query)

    async def update(self, run_id: str, *, thread_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return await self._send(types.Result, "POST", path("/threads/{}/runs/{}", thread_id, run_id), fields)

    async def cancel(self, run_id: str, *, thread_id: str, **fields: Any) -> types.Result:
        """End one."""
        return await self._send(types.Result, "POST", path("/threads/{}/runs/{}/cancel", thread_id, run_id), fields)

    async def submit_tool_outputs(
        self, run_id: str, *, thread_id: str, tool_outputs: Any, stream: bool | None = None, **fields: Any
    ) -> Any:
        """Give one what its tools have answered."""
        where = path("/threads/{}/runs/{}/submit_tool_outputs", thread_id, run_id)
        asked = {"tool_outputs": tool_outputs, **fields}
        return await self._streamed(types.Result, types.Result, where, stream, asked)


class AsyncThreads(AsyncResource):
    """Conversations at the provider."""

    @property
    def messages(self) -> AsyncThreadMessages:
        """Their messages."""
        return AsyncThreadMessages(self._client)

    @property
    def runs(self) -> AsyncRuns:
        """Their runs."""
        return AsyncRuns(self._client)

    async def create(self, **fields: Any) -> types.Result:
        """Begin one."""
        return await self._send(types.Result, "POST", "/threads", fields)

    async def create_and_run(self, *, assistant_id: str, stream: bool | None = None, **fields: Any) -> Any:
        """Begin one, and a run on it."""
        asked = {"assistant_id": assistant_id, **fields}
        return await self._streamed(types.Result, types.Result, "/threads/runs", stream, asked)

    async def retrieve(self, thread_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return await self._send(types.Result, "GET", path("/threads/{}", thread_id), query)

    async def update(self, thread_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return await self._send(types.Result, "POST", path("/threads/{}", thread_id), fields)

    async def delete(self, thread_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/threads/{}", thread_id), query)


class AsyncBeta(AsyncResource):
    """What OpenAI's clients have under this name."""

    @property
    def assistants(self) -> AsyncAssistants:
        """Assistants."""
        return AsyncAssistants(self._client)

    @property
    def threads(self) -> AsyncThreads:
        """Conversations."""
        return AsyncThreads(self._client)
