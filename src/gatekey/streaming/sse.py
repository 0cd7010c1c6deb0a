"""Server-sent events (WHATWG HTML, section 9.2.6), read and written.

Differences from the standard, since providers differ from it: an event that the end of input cuts off before its
blank line is dispatched when its last line is complete or the input simply ends, for many leave that line out.
"""

import re

import msgspec

from gatekey.errors import Nonsense

MAX_EVENT = 16 * 1024 * 1024
"""Bytes that one event may have."""

_BOM = b"\xef\xbb\xbf"
_separators = re.compile(rb"\xe2\x80[\xa8\xa9]|\xc2\x85|[\x0b\x0c]")
_escapes = {
    b"\xe2\x80\xa8": rb"\u2028",
    b"\xe2\x80\xa9": rb"\u2029",
    b"\xc2\x85": rb"\u0085",
    b"\x0b": rb"\u000b",
    b"\x0c": rb"\u000c",
}


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event: its data, undecoded, lines joined by LF; and its type, empty where none is given."""

    data: bytes
    name: str = ""


class Decoder:
    """Reads a stream of events."""

    def __init__(self) -> None:
        self._begun = False
        self._after_cr = False
        self._line: list[bytes] = []  # pieces of a line that has not ended
        self._data: list[bytes] = []
        self._name = ""
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises `Nonsense`."""
        if not self._begun:
            data = self._begin(data)
        events: list[Event] = []
        if self._after_cr or b"\r" in data:
            data = self._plain(data)
        if not self._size and not self._name and data.startswith(b"data: ") and data.endswith(b"\n\n"):
            # Nearly always: whole events of one line each.
            for piece in data[:-2].split(b"\n\n"):
                if piece.startswith(b"data: ") and b"\n" not in piece:
                    if len(piece) > 6:
                        events.append(Event(piece[6:]))
                else:
                    self._lines(piece + b"\n\n", events)
        elif data:
            self._lines(data, events)
        return events

    def close(self) -> list[Event]:
        """The event that the end of input completes, if there is one."""
        events: list[Event] = []
        if not self._begun and self._line:
            self._begun = True
        self._lines(b"\n\n", events)
        return events

    def _begin(self, data: bytes) -> bytes:
        """Without a byte order mark, which may come in pieces."""
        data = b"".join(self._line) + data
        self._line.clear()
        self._size = 0
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._line.append(data)
            return b""
        self._begun = True
        return data.removeprefix(_BOM)

    def _plain(self, data: bytes) -> bytes:
        """With every line end as LF. A CR at the end may be half of a CRLF."""
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _lines(self, data: bytes, events: list[Event]) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            if self._line:
                self._line.append(line)
                line = b"".join(self._line)
                self._line.clear()
            self._take(line, events)
        if rest:
            self._line.append(rest)
            self._grow(len(rest))

    def _take(self, line: bytes, events: list[Event]) -> None:
        if not line:
            if self._data and self._data != [b""]:
                events.append(Event(b"\n".join(self._data), self._name))
            self._data.clear()
            self._name, self._size = "", 0
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._grow(len(value) + 1)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > 2 * MAX_EVENT:
            raise Nonsense(f"The provider sent a stream event of more than {MAX_EVENT // (1024 * 1024)} MB.")


def encode(data: bytes, name: str = "") -> bytes:
    """One event as a frame."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ") + b"\n\n"


def escape_separators(data: bytes) -> bytes:
    """JSON text in which no character splits lines: two widespread clients take U+2028 and its like for line ends."""
    if data.isascii() and b"\x0b" not in data and b"\x0c" not in data:
        return data
    return _separators.sub(lambda found: _escapes[found[0]], data)
