"""HTTP/1.1 as a client speaks it: a request as bytes, a response out of bytes. No I/O.

answer = Answer("POST")
while not answer.done:
    pieces = answer.feed(connection.read())  # b"" where the connection has ended
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

MAX_HEAD = 256 * 1024
"""Bytes of a response's head, and of all of its trailers."""
MAX_LINE = 4096
"""Bytes of the line before a chunk."""
MAX_INTERIM = 100
"""Interim responses (1xx) before the answer."""


class ProtocolError(Exception):
    """What came is not HTTP/1.1."""


class Origin(NamedTuple):
    """Where to connect to."""

    secure: bool
    host: str
    port: int

    @property
    def name(self) -> str:
        """The value of `Host`."""
        whole = self.authority
        return whole.rpartition(":")[0] if self.port == (443 if self.secure else 80) else whole

    @property
    def authority(self) -> str:
        """Host and port, as `CONNECT` wants them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def origin(url: str) -> tuple[Origin, str]:
    """Where a base URL leads, and the path that it begins with. Raises ValueError."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ValueError(f"base_url: {url!r} is no address such as http://127.0.0.1:8787/v1.")
    if split.username is not None or split.query or split.fragment:
        raise ValueError("base_url: a name, a password, a query or a fragment has no place in it.")
    secure = split.scheme == "https"
    return Origin(secure, split.hostname, split.port or (443 if secure else 80)), split.path.rstrip("/")


def head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """The head of a request. The headers have been checked; their values are sent as UTF-8."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"{method} {target} HTTP/1.1\r\n{fields}\r\n".encode()


class Answer:
    """Reads one response. `status` is 0 until its head is there; names of headers are in lower case.

    `done`: the response is complete. `reusable`: and its connection may be used again.
    """

    def __init__(self, method: str) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.done = False
        self.reusable = False
        self._method = method
        self._buffer = b""
        self._left: int | None = 0
        """Bytes of the body, or of the chunk, that are still to come. None: all until the connection ends."""
        self._chunked = False
        self._interim = 0
        self._trailers = 0
        self._step = self._read_head

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of the body in `data`; b"" says that the connection has ended. Raises `ProtocolError`."""
        if not data:
            self._ended()
            return []
        self._buffer = self._buffer + data if self._buffer else data
        pieces: list[bytes] = []
        while not self.done and self._buffer and self._step(pieces):
            pass
        if self.done and self._buffer:
            self.reusable = False  # whatever this is, it is no answer to anything
        return pieces

    def _ended(self) -> None:
        if not self.status:
            raise ProtocolError("The connection was closed before an answer came.")
        if not self.done and self._left is not None:
            raise ProtocolError("The answer broke off: the connection was closed in the middle of it.")
        self.done, self.reusable = True, False

    def _read_head(self, pieces: list[bytes]) -> bool:
        text, found, rest = self._buffer.partition(b"\r\n\r\n")
        if len(text) > MAX_HEAD:
            raise ProtocolError(f"The head of the answer has more than {MAX_HEAD} bytes.")
        if not found:
            if not b"HTTP/1.".startswith(self._buffer[:7]):
                raise ProtocolError(f"The answer is not HTTP/1.1: it begins with {self._buffer[:20]!r}.")
            return False
        self._buffer = rest
        first, *lines = text.decode("latin-1").split("\r\n")
        version, _, after = first.partition(" ")
        code = after[:3]
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (code.isascii() and code.isdigit() and len(code) == 3):
            raise ProtocolError(f"The answer is not HTTP/1.1: it begins with {first[:40]!r}.")
        if code[0] == "1":  # an interim response: the answer follows
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise ProtocolError(f"More than {MAX_INTERIM} interim answers came before the answer.")
            return True
        self.headers = _fields(lines)
        self.status = int(code)
        self._frame(version)
        return True

    def _frame(self, version: str) -> None:
        """What the head says about the body's end (RFC 9112, section 6.3)."""
        connection = self.headers.get("connection", "").lower()
        self.reusable = "close" not in connection and (version == "HTTP/1.1" or "keep-alive" in connection)
        coding, length = self.headers.get("transfer-encoding"), self.headers.get("content-length")
        if self._method == "HEAD" or self.status in (204, 304) or (self._method == "CONNECT" and self.status < 300):
            self.done = True
        elif coding is not None:
            if coding.strip().lower() != "chunked" or length is not None:
                raise ProtocolError("The answer's length is not clear: Transfer-Encoding is not chunked alone.")
            self._chunked, self._step = True, self._read_size
        elif length is not None:
            self._left, self._step = _length(length), self._read_body
            self.done = self._left == 0
        else:
            self._left, self._step = None, self._read_body

    def _read_body(self, pieces: list[bytes]) -> bool:
        if self._left is None:
            pieces.append(self._buffer)
            self._buffer = b""
            return False
        piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        pieces.append(piece)
        self._left -= len(piece)
        if self._left:
            return False
        if self._chunked:
            self._step = self._read_chunk_end
        else:
            self.done = True
        return True

    def _read_size(self, pieces: list[bytes]) -> bool:
        line = self._line(MAX_LINE)
        if line is None:
            return False
        size = line.partition(b";")[0].strip(b" \t")
        if not size or len(size) > 15 or size.strip(b"0123456789abcdefABCDEF"):
            raise ProtocolError(f"The size of a chunk is not a number: {size[:20]!r}.")
        self._left = int(size, 16)
        self._step = self._read_body if self._left else self._read_trailers
        return True

    def _read_chunk_end(self, pieces: list[bytes]) -> bool:
        line = self._line(0)
        if line is None:
            return False
        self._step = self._read_size
        return True

    def _read_trailers(self, pieces: list[bytes]) -> bool:
        line = self._line(MAX_HEAD - self._trailers)
        if line is None:
            return False
        self._trailers += len(line)
        self.done = not line
        return True

    def _line(self, most: int) -> bytes | None:
        """The next line, if all of it is there. Raises `ProtocolError` for one of more than `most` bytes."""
        line, found, rest = self._buffer.partition(b"\r\n")
        if len(line) > most + (not found):
            raise ProtocolError("The answer's chunks are not framed as they should be.")
        if not found:
            return None
        self._buffer = rest
        return line


def _fields(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ProtocolError(f"A header of the answer is none: {line[:40]!r}.")
        name, value = name.lower(), value.strip(" \t")
        if name in found:
            if name == "content-length" and found[name] != value:
                raise ProtocolError("The answer has two lengths.")
            value = value if name == "content-length" else f"{found[name]}, {value}"
        found[name] = value
    return found


def _length(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise ProtocolError(f"The answer's Content-Length is not a number: {value[:20]!r}.")
    return int(value)
