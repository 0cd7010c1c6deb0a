"""Newline-delimited JSON, read as events without a type."""

from gatekey.streaming.sse import MAX_EVENT, Event, Nonsense


class Decoder:
    """Reads lines; blank ones are skipped."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """The lines that `data` completes. Raises `Nonsense`."""
        *lines, rest = data.split(b"\n")
        events = []
        for line in lines:
            whole = b"".join([*self._line, line]).strip()
            self._line.clear()
            self._size = 0
            if whole:
                events.append(Event(whole))
        if rest:
            self._line.append(rest)
            self._size += len(rest)
            if self._size > MAX_EVENT:
                raise Nonsense(f"The provider sent a line of more than {MAX_EVENT // (1024 * 1024)} MB.")
        return events

    def close(self) -> list[Event]:
        """The last line, where it had no end."""
        return self.feed(b"\n")
