"""Stream codecs: bytes as they arrive, cut anywhere, into events; and events into bytes.

All decoders share one contract, `Decoder`:
`feed(data)` gives the events that are complete with these bytes, as soon as they are;
`close()` gives what the end of the input completes, and is called once, after the last `feed`.
How the input is cut never changes the events. Both raise `Nonsense` once an event is larger than `MAX_EVENT`,
complete or not, so that nothing here buffers more than that; the decoder is of no use afterwards.

The codecs know framing only: no JSON, no provider, no input or output, no clock.
"""

from gatekey.streaming.event import MAX_EVENT, Decoder, Event

__all__ = ["MAX_EVENT", "Decoder", "Event"]
