"""Newline-delimited JSON: every line is an event without a name. It does not look into the JSON.

Lines end in LF or CRLF. White space around a line is dropped, and lines that hold nothing else are skipped.
The last line needs no line end.
"""

from gatekey.streaming.event import MAX_EVENT, Event, too_large

_SPACE = b" \t\r"


class Decoder:
    """Lines from bytes, in linear time."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()
        """The line that has not ended yet."""

    @property
    def empty(self) -> bool:
        """Whether nothing is held: what comes next begins an event."""
        return not self._held

    def feed(self, data: bytes) -> list[Event]:
        """The lines that `data` ends. Raises `Nonsense`."""
        held = self._held
        if held and b"\n" in data:
            held += data
            data = bytes(held)
            held.clear()
        lines = data.split(b"\n")
        tail = lines.pop()
        if len(held) + len(tail) > MAX_EVENT:
            raise too_large()
        held += tail
        return _events(lines)

    def close(self) -> list[Event]:
        """The last line, where it has no line end."""
        last = bytes(self._held)
        self._held.clear()
        return _events([last])


def _events(lines: list[bytes]) -> list[Event]:
    events = []
    for line in lines:
        if len(line) > MAX_EVENT:
            raise too_large()
        if data := line.strip(_SPACE):
            events.append(Event(data))
    return events
