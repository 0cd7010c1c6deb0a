# Made of _async/client.py by generate.py: change it there.
"""The client."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from portkey_ai import _network_sync as network
from portkey_ai import _retries
from portkey_ai._sync.http import Http, Reply, Transport, whole
from portkey_ai._sync.resources import Resources
from portkey_ai._sync.stream import Stream
from portkey_ai._calls import Call, Request, call, meaning
from portkey_ai._errors import APIConnectionError, APIResponseError, of_status
from portkey_ai._options import Options, merged
from portkey_ai._raw import RawResponse
from portkey_ai._results import Result
from portkey_ai._settings import Settings

if TYPE_CHECKING:
    from anthropic import Anthropic
    from openai import AsyncOpenAI, OpenAI


class Portkey(Resources):
    """A client of a gateway.

    Options are what the gateway is told with each request (`provider`, `virtual_key`, `config`, `metadata`, ...), and:

    - `api_key`: the gateway key, else `PORTKEY_API_KEY`.
    - `base_url`: with `/v1`, else `PORTKEY_BASE_URL`, else a gateway on this machine.
    - `timeout`: s that the gateway may be silent (600), None for ever; connecting takes at most 5.
    - `max_retries`: of what did not reach a gateway (2); the gateway itself makes the retries that a config asks for.
    - `ssl_context`: in place of the system's certificates. `app`: an ASGI application in place of an address.

    Raises TypeError for an option that there is not. A client is made once, and shared.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self._settings = Settings(options, os.environ)
        self._transport = _transport(self._settings)

    def with_options(self, options: Options | None = None, /, **more: Unpack[Options]) -> Self:
        """A client with these options on top, over the same connections. None switches an option off."""
        given: dict[str, Any] = {**(options or {}), **more}
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._settings = Settings(merged(self._settings.options, given), os.environ)
        if given.keys() & {"app", "ssl_context"}:
            made._transport = _transport(made._settings)
        return made

    copy = with_options

    @property
    def base_url(self) -> str:
        """The address, with `/v1`."""
        return self._settings.base_url

    @property
    def headers(self) -> dict[str, str]:
        """What the gateway is told with each request."""
        return dict(self._settings.told)

    def send(self, asked: Call, *, raw: bool = False) -> Any:
        """Carry a call out: its result, its stream, or with `raw` a `RawResponse`. Raises `APIError`."""
        reply = self._reply(self._settings.request(asked))
        try:
            if reply.status >= 400:
                raise of_status(reply.status, reply.headers, whole(reply))
            if asked.chunk is None or reply.status >= 300:
                content = whole(reply)
                parsed = meaning(asked, reply.status, reply.headers, content)
            elif "text/event-stream" in reply.headers.get("content-type", ""):
                content, parsed = b"", Stream(reply, asked.chunk)
            else:
                raise APIResponseError("A stream was asked for, but the answer is none.", headers=reply.headers)
        except BaseException:
            reply.close()
            raise
        return RawResponse(reply.status, reply.headers, content, parsed) if raw else parsed

    def _reply(self, request: Request) -> Reply:
        """The answer, after the retries that are ours to make."""
        made, most = 0, self._settings.max_retries
        while True:
            try:
                reply = self._transport.send(request)
            except APIConnectionError as failure:
                pause = _retries.after_failure(failure, request.method, made, most)
                if pause is None:
                    raise
            else:
                pause = _retries.after_answer(reply.status, reply.headers, made, most)
                if pause is None:
                    return reply
                reply.close()
            made += 1
            network.sleep(pause)

    def get(self, path: str, **query: Any) -> Any:
        """GET any path below `base_url`."""
        return self.send(call("GET", path, Result, query))

    def post(self, url: str, body: Any = None, *, files: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        """POST to any path below `base_url`: the fields, or `body`, as JSON; with `files` as a form."""
        return self.send(_with_body("POST", url, body, fields, files))

    def put(self, path: str, body: Any = None, **fields: Any) -> Any:
        """PUT to any path below `base_url`."""
        return self.send(_with_body("PUT", path, body, fields, None))

    def patch(self, path: str, body: Any = None, **fields: Any) -> Any:
        """PATCH any path below `base_url`."""
        return self.send(_with_body("PATCH", path, body, fields, None))

    def delete(self, path: str, **query: Any) -> Any:
        """DELETE any path below `base_url`."""
        return self.send(call("DELETE", path, Result, query))

    def openai(self, **arguments: Any) -> "OpenAI":
        """The client of the package openai, told of the gateway. `arguments` are its own."""
        from openai import OpenAI

        from portkey_ai._adapters import adapted

        return OpenAI(**adapted(self._settings, arguments, base_url=self.base_url))

    def async_openai(self, **arguments: Any) -> "AsyncOpenAI":
        """The same, for asyncio."""
        from openai import AsyncOpenAI

        from portkey_ai._adapters import adapted

        return AsyncOpenAI(**adapted(self._settings, arguments, base_url=self.base_url))

    def anthropic(self, **arguments: Any) -> "Anthropic":
        """The client of the package anthropic, told of the gateway. `arguments` are its own."""
        from anthropic import Anthropic

        from portkey_ai._adapters import adapted

        return Anthropic(**adapted(self._settings, arguments, base_url=self.base_url.removesuffix("/v1")))

    def close(self) -> None:
        """Close the connections, those of clients made by `with_options` too."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"


def _transport(settings: Settings) -> Transport:
    app = settings.options.get("app")
    if app is None:
        return Http(settings.options.get("ssl_context"))
    from portkey_ai._in_process_sync import InProcess

    return InProcess(app)


def _with_body(method: str, path: str, body: Any, fields: Mapping[str, Any], files: Mapping[str, Any] | None) -> Call:
    if isinstance(body, list):
        return call(method, path, Result, body)
    whole = {**(body or {}), **fields}
    chunk = Result if whole.get("stream") is True else None
    return call(method, path, Result, whole, files=files, chunk=chunk)
