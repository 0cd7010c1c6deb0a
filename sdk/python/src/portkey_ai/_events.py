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
        self._rest = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises ValueError for one over `MAX_EVENT`."""
        self._size += len(data)
        if b"\n" not in data and b"\r" not in data and self._size <= MAX_EVENT:
            self._rest += data
            return []
        *lines, self._rest = self._split(self._rest + data)
        found = []
        for line in lines:
            if line:
                self._lines.append(line)
            elif self._lines:
                event = _event(self._lines)
                self._lines = []
                self._size = len(self._rest)
                if event is not None:
                    found.append(event)
        if self._size > MAX_EVENT:
            raise ValueError(f"an event of the stream has more than {MAX_EVENT} bytes")
        return found

    def _split(self, data: bytes) -> list[bytes]:
        """Lines, and what is none yet. A CR at the end may be half of a CRLF: it waits."""
        held = b"\r" if data.endswith(b"\r") else b""
        lines = data[: len(data) - len(held)].splitlines(keepends=True)
        rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        return [*(line.rstrip(b"\r\n") for line in lines), rest + held]


def _event(lines: list[bytes]) -> Event | None:
    name, data = "", []
    for line in lines:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return Event(name, b"\n".join(data).decode("utf-8", "replace")) if data else None
