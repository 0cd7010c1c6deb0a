# Made of _async/resource.py by generate.py: change it there.
"""What all resources have in common: a client, and the way to call it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from portkey_ai._calls import call
from portkey_ai._raw import RawResponse
from portkey_ai._results import Result

if TYPE_CHECKING:
    from portkey_ai._sync.client import Portkey

T = TypeVar("T")


class Resource:
    """A group of methods. Beside its own fields each takes `extra_headers`, `extra_query`, `extra_body`, `timeout`."""

    def __init__(self, client: "Portkey") -> None:
        self._client = client
        self._raw = False

    @property
    def with_raw_response(self) -> "Raw":
        """The same methods, each giving a `RawResponse`."""
        return Raw(self)

    def _send(
        self,
        kind: type[T],
        method: str,
        path: str,
        fields: Mapping[str, Any] | list[Any] | None = None,
        *,
        files: Mapping[str, Any] | None = None,
        chunk: type[Result] | None = None,
    ) -> T:
        found: T = self._client.send(call(method, path, kind, fields, files=files, chunk=chunk), raw=self._raw)
        return found

    def _streamed(
        self, kind: type[Result], chunk: type[Result], path: str, stream: bool | None, fields: Mapping[str, Any]
    ) -> Any:
        """POST what may be streamed: a `kind`, or a stream of `chunk`."""
        if stream is not None:
            fields = {**fields, "stream": stream}
        return self._send(kind, "POST", path, fields, chunk=chunk if stream else None)


class Raw:
    """The methods of a resource, each giving a `RawResponse`."""

    def __init__(self, resource: Resource) -> None:
        self._resource = type(resource)(resource._client)
        self._resource._raw = True

    def __getattr__(self, name: str) -> Callable[..., RawResponse]:
        found: Callable[..., RawResponse] = getattr(self._resource, name)
        return found
