"""A call as data: what a method asks for, the request that it becomes, what its answer means. No sockets, no clock."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from portkey_ai._errors import APIResponseError
from portkey_ai._http1 import Origin
from portkey_ai._options import check_header
from portkey_ai._results import Content, Result, loads

T = TypeVar("T")

MAX_ANSWER = 512 * 1024 * 1024
"""Bytes of an answer that is read whole."""
PIECE = 64 * 1024
"""Bytes of a file that are sent at a time."""


class Part(NamedTuple):
    """A file to be sent: an open one from `start` on, or a path."""

    source: Any
    start: int = 0

    def pieces(self) -> Iterator[bytes]:
        """Its bytes; each time anew."""
        if hasattr(self.source, "__fspath__"):
            with open(self.source, "rb") as file:  # noqa: PTH123 (pathlib would double the time of the import)
                yield from Part(file).pieces()
            return
        self.source.seek(self.start)
        while piece := self.source.read(PIECE):
            yield piece


class Body(NamedTuple):
    """What is sent; it can be sent again. `length` in bytes."""

    parts: tuple[bytes | Part, ...] = ()
    length: int = 0

    def pieces(self) -> Iterator[bytes]:
        """The bytes, from the beginning."""
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part.pieces()


class Request(NamedTuple):
    """A request. `timeout`: s that the other side may be silent; None: for ever."""

    origin: Origin
    method: str
    target: str
    headers: dict[str, str]
    body: Body
    timeout: float | None


class Call(NamedTuple):
    """What a method asks for. `chunk`: the class of a stream's events; None: the answer is read whole, as a `kind`."""

    method: str
    path: str
    kind: type[Any]
    body: Any = None
    query: Mapping[str, Any] | None = None
    files: Mapping[str, Any] | None = None
    chunk: type[Result] | None = None
    headers: Mapping[str, str] | None = None
    timeout: float | None = -1
    """s, or None; below 0: the client's."""


def path(template: str, *values: str) -> str:
    """A path with values in the places of `{}`. Raises ValueError for one that would lead elsewhere."""
    for value in values:
        if not isinstance(value, str) or value in ("", ".", ".."):
            raise ValueError(f"{value!r} is no name or id: the path is {template}.")
    return template.format(*(quote(value, safe="") for value in values))


def call(
    method: str,
    where: str,
    kind: type[Any],
    fields: Mapping[str, Any] | list[Any] | None = None,
    *,
    files: Mapping[str, Any] | None = None,
    chunk: type[Result] | None = None,
) -> Call:
    """A call whose fields are its body (which may also be a list), or its query where it has no body.

    Four fields are for the call itself: `extra_headers`, `extra_query`, `extra_body` and `timeout`.
    """
    if isinstance(fields, list):
        return Call(method, where, kind, fields)
    rest = dict(fields or {})
    headers, query, more = rest.pop("extra_headers", None), rest.pop("extra_query", None), rest.pop("extra_body", None)
    timeout = rest.pop("timeout", -1)
    rest.update(more or {})
    if method in ("GET", "DELETE"):
        return Call(method, where, kind, None, {**rest, **(query or {})}, None, chunk, headers, timeout)
    body = rest if fields is not None or more else None
    return Call(method, where, kind, body, query, files, chunk, headers, timeout)


def request(asked: Call, origin: Origin, base: str, sent: Mapping[str, str], timeout: float | None) -> Request:
    """The request of a call. `base`: what paths begin with; `sent` and `timeout`: the client's headers and its s."""
    headers = {**sent, "accept": "text/event-stream" if asked.chunk else "*/*"}
    if asked.files is not None:
        body, headers["content-type"] = _multipart(asked.body or {}, asked.files)
    elif asked.body is not None:
        data = json.dumps(asked.body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        body, headers["content-type"] = Body((data,), len(data)), "application/json"
    else:
        body = Body()
    if body.parts or asked.method not in ("GET", "DELETE", "HEAD"):
        headers["content-length"] = str(body.length)
    for name, value in (asked.headers or {}).items():
        check_header(name, str(value))
        headers[name.lower()] = str(value)
    where = base + (asked.path if asked.path.startswith("/") else f"/{asked.path}")
    query = _query(asked.query)
    if query:
        where += ("&" if "?" in where else "?") + query
    if not where.isascii() or any(letter <= " " for letter in where):
        where = quote(where, safe="/?&=%:@!$'()*+,;~#[]")
    if asked.timeout is None or asked.timeout >= 0:
        timeout = asked.timeout
    return Request(origin, asked.method, where, headers, body, timeout)


def _query(query: Mapping[str, Any] | None) -> str:
    """As the control plane reads it: lists separated by commas, booleans in lower case; None is not sent."""
    pairs = []
    for name, value in (query or {}).items():
        if isinstance(value, list | tuple):
            value = ",".join(map(str, value))
        elif isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, Mapping):
            value = json.dumps(value)
        if value is not None:
            pairs.append((name, value))
    return urlencode(pairs, quote_via=quote)


def _multipart(fields: Mapping[str, Any], files: Mapping[str, Any]) -> tuple[Body, str]:
    """The body of a form (RFC 7578) and its content type."""
    from secrets import token_hex

    boundary = token_hex(16)
    parts: list[bytes | Part] = []
    length = 0
    for name, text in _flat(fields):
        shown = text if isinstance(text, str) else json.dumps(text)
        parts.append(f"{_opening(boundary, name)}\r\n\r\n{shown}\r\n".encode())
        length += len(parts[-1])
    for name, value in _flat(files):
        filename, content, media = _file(value)
        part, size = _measured(content)
        named = f'{_opening(boundary, name)}; filename="{_escaped(filename)}"\r\nContent-Type: {media}\r\n\r\n'.encode()
        parts += [named, part, b"\r\n"]
        length += len(named) + size + 2
    end = f"--{boundary}--\r\n".encode()
    return Body((*parts, end), length + len(end)), f"multipart/form-data; boundary={boundary}"


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a form: several for a list, none for None."""
    for name, value in fields.items():
        if isinstance(value, list):
            yield from ((f"{name}[]", item) for item in value)
        elif value is not None:
            yield name, value


def _opening(boundary: str, name: str) -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'


def _escaped(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _file(value: Any) -> tuple[str, Any, str]:
    """Name, content and media type of a file."""
    if isinstance(value, tuple):
        name, content, *media = value
        return str(name), content, media[0] if media else "application/octet-stream"
    if isinstance(value, str):
        raise TypeError("A file is a pathlib.Path, an open file, bytes, or (name, content), not a str.")
    named = value if hasattr(value, "__fspath__") else getattr(value, "name", "file")
    return str(named).replace("\\", "/").rpartition("/")[2], value, "application/octet-stream"


def _measured(content: Any) -> tuple[bytes | Part, int]:
    """What is sent, and how many bytes that are. What cannot be read twice is read now."""
    if hasattr(content, "__fspath__"):
        from os import stat

        return Part(content), stat(content).st_size  # noqa: PTH116
    if hasattr(content, "read") and isinstance(content.read(0), str):
        raise TypeError("A file has to be open for bytes: open(name, 'rb').")
    if hasattr(content, "seekable") and content.seekable():
        start = content.tell()
        return Part(content, start), content.seek(0, 2) - start
    data = content.read() if hasattr(content, "read") else content
    data = data.encode() if isinstance(data, str) else bytes(data)
    return data, len(data)


def meaning(asked: Call, status: int, headers: dict[str, str], content: bytes) -> Any:
    """What an answer below 400 is: a `kind` where it is JSON, else its bytes. Raises `APIResponseError`."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if asked.kind is not Content and (media.endswith("json") or (not media and content[:1] in (b"{", b"["))):
        try:
            value = loads(content, asked.kind)
        except (ValueError, RecursionError) as error:
            told = f"The answer says that it is JSON, but is not: {error}."
            raise APIResponseError(told, status_code=status, headers=headers) from None
        return value._with(headers) if isinstance(value, Result) else value
    if asked.kind in (Content, Result) or not content:
        return Content(content)._with(headers) if content or asked.kind is Content else asked.kind()._with(headers)
    if media == "text/plain" and asked.files:  # a transcription may be asked for as text
        return asked.kind(text=content.decode("utf-8", "replace"))._with(headers)
    told = f"The answer (status {status}) is {media or 'of no type'}, not JSON: is a gateway at base_url?"
    raise APIResponseError(told, status_code=status, headers=headers, body=content[:1000].decode("utf-8", "replace"))
