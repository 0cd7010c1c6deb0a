"""Stream codecs: bytes in, events out. Pure.

A decoder has `feed(data) -> [Event, ...]` and `close() -> [Event, ...]`, the events that the end of input completes.
Bytes may be cut anywhere: the events are the same. One event may have `MAX_EVENT` bytes; more is `Nonsense`.
"""
