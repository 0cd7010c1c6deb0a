"""A streamed answer, event by event."""

from types import TracebackType
from typing import Generic, Self, TypeVar

from portkey_ai._async.http import AsyncReply
from portkey_ai._errors import APIResponseError, of_event
from portkey_ai._events import Event, Events
from portkey_ai._results import Result, loads, told

C = TypeVar("C", bound=Result)


class AsyncStream(Generic[C]):
    """The events of an answer, as they come.

    Read to its end, or leave it: by `close`, at the end of a `with` block, or by letting go of it. Whoever leaves ends
    the exchange, down to the provider. Raises `APIStreamError` where the stream ends with an error, and
    `APIConnectionError` where it breaks off.
    """

    def __init__(self, reply: AsyncReply, kind: type[C]) -> None:
        self._reply = reply
        self._kind = kind
        self._events = Events()
        self._waiting: list[Event] = []
        self.headers = reply.headers

    def get_headers(self) -> dict[str, str]:
        """The gateway's response headers, without their prefix: `trace-id`, `provider`, `cache-status` and others."""
        return told(self.headers)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> C:
        # No generator, which would keep the stream alive that keeps it: whoever lets go of a stream has left it.
        try:
            while not self._waiting:
                data = await self._reply.more()
                if not data:
                    raise StopAsyncIteration
                self._waiting = self._feed(data)
            event = self._waiting.pop(0)
            if event.data == "[DONE]":
                self._waiting.clear()
                await self._reply.finish()
                raise StopAsyncIteration
            return self._item(event)
        except BaseException:
            await self._reply.close()
            raise

    def _feed(self, data: bytes) -> list[Event]:
        try:
            return self._events.feed(data)
        except ValueError as error:
            raise APIResponseError(f"The stream cannot be read: {error}.", headers=self.headers) from None

    def _item(self, event: Event) -> C:
        if event.name == "error":
            raise of_event(event.data, self.headers)
        try:
            item = loads(event.data, self._kind)
        except (ValueError, RecursionError):
            item = None
        if not isinstance(item, self._kind):
            told = f"An event of the stream is no JSON object: {event.data[:200]!r}."
            raise APIResponseError(told, headers=self.headers)
        if item.get("error") and "choices" not in item and not event.name:
            raise of_event(event.data, self.headers)
        return item

    async def close(self) -> None:
        """Leave the stream."""
        self._waiting.clear()
        await self._reply.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
