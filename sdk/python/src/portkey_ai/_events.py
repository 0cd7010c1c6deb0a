"""Server-sent events out of bytes, however these are cut. No I/O."""

from typing import NamedTuple

MAX_EVENT = 16 * 1024 * 1024
"""Bytes of one event: the gateway passes 8 MB."""


class Event(NamedTuple):
    """An event: its name (mostly empty) and its data."""

    name: str
    data: str


class Events:
    """Takes bytes in, gives the events that they complete."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """Pieces of a line that has no end yet."""
        self._lines: list[bytes] = []
        self._size = 0
        self._returned = False
        """What came last is a CR: an LF that follows belongs to it."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises ValueError for one over `MAX_EVENT`."""
        if self._returned and data.startswith(b"\n"):
            data = data[1:]
            self._returned = False
        if not data:
            return []
        self._returned = data.endswith(b"\r")
        self._size += len(data)
        self._rest.append(data)
        found = self._complete() if b"\n" in data or b"\r" in data else []
        if self._size > MAX_EVENT:
            raise ValueError(f"an event of the stream has more than {MAX_EVENT} bytes")
        return found

    def _complete(self) -> list[Event]:
        lines = b"".join(self._rest).splitlines(keepends=True)
        self._rest = [] if lines[-1].endswith((b"\n", b"\r")) else [lines.pop()]
        found = []
        for line in map(_bare, lines):
            if line:
                self._lines.append(line)
                continue
            event = _event(self._lines)
            self._lines = []
            self._size = sum(map(len, self._rest))
            if event is not None:
                found.append(event)
        return found


def _bare(line: bytes) -> bytes:
    return line.rstrip(b"\r\n")


def _event(lines: list[bytes]) -> Event | None:
    name, data = "", []
    for line in lines:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return Event(name, b"\n".join(data).decode("utf-8", "replace")) if any(data) else None
