"""Server-sent events, read and written: the `text/event-stream` format of the WHATWG HTML standard, section 9.2.

Read as the standard says, but for three things.
An event that the end of the input ends is given where it has data, for many providers leave out the last blank line.
`id` and `retry` are for clients that connect again, and are ignored like any unknown field.
Data stays bytes: it is neither checked nor decoded.
"""

import re

from gatekey.streaming.event import MAX_EVENT, Event, too_large

__all__ = ["Decoder", "Event", "encode", "escape_separators"]

_MARK = b"\xef\xbb\xbf"
_BLANK = b"\n\n"
_PLAIN = b"data: "


class Decoder:
    """Events from bytes, in linear time: the input is cut at its blank lines, and each block between is one event.

    What is held is always part of one block and contains no blank line, so a blank line can only be in the new bytes,
    or between the two.
    """

    __slots__ = ("_after_cr", "_held", "_start")

    def __init__(self) -> None:
        self._start: bytes | None = b""
        """What has come of a byte order mark, until something else comes; None after that."""
        self._after_cr = False
        """Whether the input so far ends in CR: it was taken for a line end, and an LF that follows belongs to it."""
        self._held = bytearray()
        """The block that has not ended yet, every line end an LF."""

    @property
    def empty(self) -> bool:
        """Whether nothing is held: what comes next begins an event."""
        return not self._held and self._start is None and not self._after_cr

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` ends. Raises `Nonsense`."""
        if self._start is not None:
            data = self._without_mark(data)
        if self._after_cr or b"\r" in data:
            data = self._with_lf(data)
        held = self._held
        if held and (_BLANK in data or (data.startswith(b"\n") and held.endswith(b"\n"))):
            held += data
            data = bytes(held)
            held.clear()
        blocks = data.split(_BLANK)
        if tail := blocks.pop():
            # One more than the largest event: the first half of its blank line.
            if len(held) + len(tail) > MAX_EVENT + 1:
                raise too_large()
            held += tail
        if len(data) > MAX_EVENT and any(len(block) > MAX_EVENT for block in blocks):
            raise too_large()
        events = []
        for block in blocks:
            if block.startswith(_PLAIN) and b"\n" not in block:
                # What nearly every block is, at two thirds of the cost.
                events.append(Event(block[len(_PLAIN) :]))
            elif found := _event(block):
                events.append(found)
        return events

    def close(self) -> list[Event]:
        """The last event, where no blank line follows it and it has data. Raises `Nonsense`."""
        block = bytes(self._held).removesuffix(b"\n")
        self._held.clear()
        if len(block) > MAX_EVENT:
            raise too_large()
        last = _event(block)
        return [last] if last and last.data else []

    def _without_mark(self, data: bytes) -> bytes:
        assert self._start is not None
        start = self._start + data
        if _MARK.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_MARK)

    def _with_lf(self, data: bytes) -> bytes:
        """The same lines with LF at every end."""
        if not data:
            return data
        ends = data.endswith(b"\r")
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = ends
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _event(block: bytes) -> Event | None:
    """The event of the lines between two blank lines; None where none of them is data."""
    name = b""
    data: bytearray | None = None
    start = 0
    # Never a list of all lines: of very short ones it would take many times the memory of the block.
    while start < len(block):
        end = block.find(b"\n", start)
        if end < 0:
            end = len(block)
        field, _, value = block[start:end].partition(b":")
        value = value.removeprefix(b" ")
        start = end + 1
        if field == b"event":
            name = value
        elif field == b"data":
            if data is None:
                data = bytearray(value)
            else:
                data += b"\n" + value
    return None if data is None else Event(bytes(data), name.decode("utf-8", "replace"))


def encode(data: bytes, name: str = "") -> bytes:
    """One event as it is sent. Every line end in `data` starts a data line, and is read back as LF.

    Raises `ValueError` for a line end in `name`, which would start a field of its own.
    """
    if "\n" in name or "\r" in name:
        raise ValueError("The name of an event holds a line end.")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\n" in data:
        data = data.replace(b"\n", b"\ndata: ")
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + _PLAIN + data + _BLANK


_SEPARATOR = re.compile(rb"[\x0b\x0c]|\xc2\x85|\xe2\x80[\xa8\xa9]")
_ESCAPES = {
    b"\x0b": rb"\u000b",
    b"\x0c": rb"\u000c",
    b"\xc2\x85": rb"\u0085",
    b"\xe2\x80\xa8": rb"\u2028",
    b"\xe2\x80\xa9": rb"\u2029",
}


def escape_separators(data: bytes) -> bytes:
    """JSON text of the same value without VT, FF, U+0085, U+2028 and U+2029, where widespread clients split lines.

    Only inside JSON strings may these stand at all, so no parsing is needed.
    """
    # Searches of fixed bytes are many times as fast as the pattern, and nearly always find nothing.
    if b"\x0b" not in data and b"\x0c" not in data:
        if data.isascii():
            return data
        if b"\xe2\x80\xa8" not in data and b"\xe2\x80\xa9" not in data and b"\xc2\x85" not in data:
            return data
    return _SEPARATOR.sub(lambda found: _ESCAPES[found[0]], data)
