"""What all resources have in common: a client, and the way to call it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from portkey_ai._calls import call
from portkey_ai._raw import RawResponse
from portkey_ai._results import Result

if TYPE_CHECKING:
    from portkey_ai._async.client import AsyncPortkey

T = TypeVar("T")


class AsyncResource:
    """A group of methods. Beside its own fields each takes `extra_headers`, `extra_query`, `extra_body`, `timeout`."""

    def __init__(self, client: "AsyncPortkey") -> None:
        self._client = client
        self._raw = False

    @property
    def with_raw_response(self) -> "AsyncRaw":
        """The same methods, each giving a `RawResponse`."""
        return AsyncRaw(self)

    async def _send(
        self,
        kind: type[T],
        method: str,
        path: str,
        fields: Mapping[str, Any] | list[Any] | None = None,
        *,
        files: Mapping[str, Any] | None = None,
        chunk: type[Result] | None = None,
    ) -> T:
        found: T = await self._client.send(call(method, path, kind, fields, files=files, chunk=chunk), raw=self._raw)
        return found

    async def _streamed(
        self, kind: type[Result], chunk: type[Result], path: str, stream: bool | None, fields: Mapping[str, Any]
    ) -> Any:
        """POST what may be streamed: a `kind`, or a stream of `chunk`."""
        if stream is not None:
            fields = {**fields, "stream": stream}
        return await self._send(kind, "POST", path, fields, chunk=chunk if stream else None)


class AsyncRaw:
    """The methods of a resource, each giving a `RawResponse`."""

    def __init__(self, resource: AsyncResource) -> None:
        self._resource = type(resource)(resource._client)
        self._resource._raw = True

    def __getattr__(self, name: str) -> Callable[..., Awaitable[RawResponse]]:
        found: Callable[..., Awaitable[RawResponse]] = getattr(self._resource, name)
        return found
