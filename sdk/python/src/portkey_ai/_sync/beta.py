# Made of _async/beta.py by generate.py: change it there.
"""Assistants and threads, which the gateway forwards to the provider."""

from __future__ import annotations

from typing import Any

from portkey_ai import types
from portkey_ai._sync.resource import Resource
from portkey_ai._calls import path


class Assistants(Resource):
    """Assistants at the provider."""

    def create(self, *, model: str, **fields: Any) -> types.Result:
        """Make one."""
        return self._send(types.Result, "POST", "/assistants", {"model": model, **fields})

    def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", "/assistants", query)

    def retrieve(self, assistant_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return self._send(types.Result, "GET", path("/assistants/{}", assistant_id), query)

    def update(self, assistant_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return self._send(types.Result, "POST", path("/assistants/{}", assistant_id), fields)

    def delete(self, assistant_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/assistants/{}", assistant_id), query)


class ThreadMessages(Resource):
    """Messages of a thread."""

    def create(self, thread_id: str, *, role: str, content: Any, **fields: Any) -> types.Result:
        """Add one."""
        asked = {"role": role, "content": content, **fields}
        return self._send(types.Result, "POST", path("/threads/{}/messages", thread_id), asked)

    def list(self, thread_id: str, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", path("/threads/{}/messages", thread_id), query)

    def retrieve(self, message_id: str, *, thread_id: str, **query: Any) -> types.Result:
        """One of them."""
        return self._send(types.Result, "GET", path("/threads/{}/messages/{}", thread_id, message_id), query)

    def update(self, message_id: str, *, thread_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return self._send(types.Result, "POST", path("/threads/{}/messages/{}", thread_id, message_id), fields)

    def delete(self, message_id: str, *, thread_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/threads/{}/messages/{}", thread_id, message_id), query)


class RunSteps(Resource):
    """Steps of a run."""

    def list(self, run_id: str, *, thread_id: str, **query: Any) -> types.Page:
        """Those that were made."""
        return self._send(types.Page, "GET", path("/threads/{}/runs/{}/steps", thread_id, run_id), query)

    def retrieve(self, step_id: str, *, thread_id: str, run_id: str, **query: Any) -> types.Result:
        """One of them."""
        where = path("/threads/{}/runs/{}/steps/{}", thread_id, run_id, step_id)
        return self._send(types.Result, "GET", where, query)


class Runs(Resource):
    """Runs of an assistant on a thread. With `stream=True` they are streams."""

    @property
    def steps(self) -> RunSteps:
        """Their steps."""
        return RunSteps(self._client)

    def create(self, thread_id: str, *, assistant_id: str, stream: bool | None = None, **fields: Any) -> Any:
        """Begin one."""
        asked = {"assistant_id": assistant_id, **fields}
        return self._streamed(types.Result, types.Result, path("/threads/{}/runs", thread_id), stream, asked)

    def list(self, thread_id: str, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", path("/threads/{}/runs", thread_id), query)

    def retrieve(self, run_id: str, *, thread_id: str, **query: Any) -> types.Result:
        """How far one is."""
        return self._send(types.Result, "GET", path("/threads/{}/runs/{}", thread_id, run_id), query)

    def update(self, run_id: str, *, thread_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return self._send(types.Result, "POST", path("/threads/{}/runs/{}", thread_id, run_id), fields)

    def cancel(self, run_id: str, *, thread_id: str, **fields: Any) -> types.Result:
        """End one."""
        return self._send(types.Result, "POST", path("/threads/{}/runs/{}/cancel", thread_id, run_id), fields)

    def submit_tool_outputs(
        self, run_id: str, *, thread_id: str, tool_outputs: Any, stream: bool | None = None, **fields: Any
    ) -> Any:
        """Give one what its tools have answered."""
        where = path("/threads/{}/runs/{}/submit_tool_outputs", thread_id, run_id)
        asked = {"tool_outputs": tool_outputs, **fields}
        return self._streamed(types.Result, types.Result, where, stream, asked)


class Threads(Resource):
    """Conversations at the provider."""

    @property
    def messages(self) -> ThreadMessages:
        """Their messages."""
        return ThreadMessages(self._client)

    @property
    def runs(self) -> Runs:
        """Their runs."""
        return Runs(self._client)

    def create(self, **fields: Any) -> types.Result:
        """Begin one."""
        return self._send(types.Result, "POST", "/threads", fields)

    def create_and_run(self, *, assistant_id: str, stream: bool | None = None, **fields: Any) -> Any:
        """Begin one, and a run on it."""
        asked = {"assistant_id": assistant_id, **fields}
        return self._streamed(types.Result, types.Result, "/threads/runs", stream, asked)

    def retrieve(self, thread_id: str, **query: Any) -> types.Result:
        """What is known of one."""
        return self._send(types.Result, "GET", path("/threads/{}", thread_id), query)

    def update(self, thread_id: str, **fields: Any) -> types.Result:
        """Change one."""
        return self._send(types.Result, "POST", path("/threads/{}", thread_id), fields)

    def delete(self, thread_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/threads/{}", thread_id), query)


class Beta(Resource):
    """What OpenAI's clients have under this name."""

    @property
    def assistants(self) -> Assistants:
        """Assistants."""
        return Assistants(self._client)

    @property
    def threads(self) -> Threads:
        """Conversations."""
        return Threads(self._client)
