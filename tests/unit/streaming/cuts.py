"""Ways to cut a transcript, and what a decoder makes of the pieces."""

from collections.abc import Iterable
from itertools import pairwise

from gatekey.streaming import Decoder, Event


def told(decoder: Decoder, pieces: Iterable[bytes]) -> list[Event]:
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


def sliced(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` in pieces, some of them empty."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]
