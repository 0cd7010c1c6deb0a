"""From what a provider answers to what the caller reads: whole replies, errors and streams.

A stream is read by feeding bytes and taking frames. Frames come out at once; whoever sends them holds them back
until `started`, the first content, for until then a failure is a failed attempt like any other. `close` says
whether the stream really ended: a truncated answer never looks complete.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from gatekey.errors import GatekeyError, InBand, Nonsense, Truncated
from gatekey.providers._shape import Shaped
from gatekey.providers._spec import Chunk, Provider
from gatekey.streaming import ndjson, sse
from gatekey.streaming.sse import Event
from gatekey.wire import answer, completion, embedding, error
from gatekey.wire import body as json
from gatekey.wire.error import Fault
from gatekey.wire.replay import chunks

DONE = b"data: [DONE]\n\n"
BLANK = b"\n\n"
PIECE = b'"finish_reason":null'


class Answer(Struct):
    """A whole answer in our dialect, and what it says of itself: the usage (any value) and the model, empty if none."""

    body: bytes
    usage: Any = None
    model: str = ""


def reply(shaped: Shaped, data: bytes) -> Answer:
    """An unstreamed 2xx body in our dialect. Raises `Nonsense` or `InBand`."""
    endpoint, asked = shaped.endpoint, shaped.asked
    if endpoint.reply is None and not shaped.text:
        seen = answer.whole(data)
        if seen.error:
            raise _in_band(shaped.provider, answer.fields(data))
        _check_choices(shaped, seen.choices or ())
        if asked.strict and endpoint.finish:
            data = answer.with_finish_reasons(data, _needles(shaped))
        if seen.model in (None, msgspec.UNSET) and asked.kind in ("completions", "chat"):
            data = answer.with_model(data, asked.model)
        if asked.encoding_format == "base64" and embedding.has_numbers(data):
            data = json.encode(embedding.encoded(answer.fields(data), "base64"))
        return Answer(data, seen.usage, _name(seen.model))
    ours = answer.fields(data)
    if endpoint.reply is None:
        if ours.get("error"):
            raise _in_band(shaped.provider, ours)
        _check_choices(shaped, answer.whole(data).choices or ())
    else:
        ours = _translated(endpoint.reply, ours, shaped)
    if shaped.text:
        ours = completion.from_chat(ours, shaped.echo)
    if asked.kind == "embeddings":
        ours = embedding.encoded(ours, asked.encoding_format)
    if asked.kind != "models":
        ours.setdefault("provider", asked.provider)
    return Answer(json.encode(ours), ours.get("usage"), _name(ours.get("model")))


def reported(data: bytes) -> Any:
    """The usage that a failed answer of our dialect tells all the same; falsy where it tells none."""
    try:
        return answer.whole(data).usage
    except Nonsense:
        return None


def _name(model: Any) -> str:
    return model if isinstance(model, str) else ""


def replay(shaped: Shaped, data: bytes) -> bytes:
    """A reply of ours as the whole stream that it stands for. Raises `Nonsense`."""
    try:
        told = chunks(answer.fields(data), usage=shaped.asked.usage)
    except (KeyError, TypeError):
        raise Nonsense(f"{shaped.provider.slug} answered a stream request with something else.") from None
    return b"".join(sse.encode(sse.escape_separators(json.encode(chunk))) for chunk in told) + DONE


def _translated(read: Any, theirs: dict[str, Any], shaped: Shaped) -> dict[str, Any]:
    try:
        ours: dict[str, Any] = read(theirs, shaped.asked)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError):
        raise Nonsense(f"{shaped.provider.slug} answered something that is not its documented format.") from None
    return ours


def failure(provider: Provider, data: bytes) -> Fault:
    """What an error answer says, whatever its shape, and whose it is."""
    try:
        decoded: Any = answer.any_value(data)
    except Nonsense:
        decoded = data[: error.MAX_TEXT].decode("utf-8", "replace").strip()
    return error.of_provider(provider.slug, provider.error(decoded))


def _in_band(provider: Provider, theirs: Any) -> InBand:
    fault = error.of_provider(provider.slug, provider.error(theirs))
    code = None if fault.code is None else str(fault.code)
    return InBand(fault.message, param=fault.param, status=fault.status or 502, type=fault.type, code=code)


def _check_choices(shaped: Shaped, choices: Iterable[answer.End]) -> None:
    for choice in choices:
        if choice.error:
            raise _in_band(shaped.provider, {"error": choice.error})
        if choice.finish_reason in shaped.endpoint.failed:
            told = f"the answer broke off (finish_reason {choice.finish_reason!r})"
            raise _in_band(shaped.provider, {"error": {"message": told}})


def _needles(shaped: Shaped) -> dict[bytes, str]:
    return {bytes(json.raw(theirs)): ours for theirs, ours in shaped.endpoint.finish.items()}


class Stream:
    """A streamed answer, read."""

    def __init__(self, shaped: Shaped) -> None:
        self._shaped = shaped
        self._decoder = ndjson.Decoder() if shaped.endpoint.framing == "ndjson" else sse.Decoder()
        self._read = shaped.endpoint.stream(shaped.asked) if shaped.endpoint.stream else None
        self._finish = _needles(shaped) if shaped.asked.strict and self._read is None else {}
        self._text = completion.FromChat(shaped.echo) if shaped.text else None
        # Of several choices each end must be seen, so each chunk is read.
        self._as_it_came = self._read is None and not shaped.text and not self._finish and not shaped.asked.several
        self._seen: set[Any] = set()
        self._ended: set[Any] = set()
        self.done = False
        """Whether the provider has said that its stream is over."""
        self.started = False
        """Whether the caller has something to see: content, or the end of an answer without any."""
        self.usage: Any = None
        """The last usage that was reported, decoded."""
        self.model = ""
        """The model that answers, by the provider's name."""
        self.failure: GatekeyError | None = None
        """What went wrong; nothing is read after it."""

    @property
    def complete(self) -> bool:
        """Whether nothing of the answer is missing: every choice has ended, or the provider said so."""
        return self.done or bool(self._ended and self._seen <= self._ended)

    @property
    def counted(self) -> bool:
        """Whether the usage was reported at the end of the answer, so that it is of the whole."""
        return bool(self.usage) and self.complete

    @property
    def so_far(self) -> Any:
        """The usage as far as it was reported, in our words or the provider's; falsy where it was not."""
        return self.usage or getattr(self._read, "so_far", None)

    def feed(self, data: bytes) -> list[bytes]:
        """Frames for the caller: those before the `failure` too, if there is one."""
        frames: list[bytes] = []
        if self.failure is None:
            try:
                if self._as_it_came and not self.done:
                    data = self._skim(data, frames)
                for event in self._decoder.feed(data):
                    self._event(event, frames)
            except GatekeyError as failure:
                self.failure = failure
        return _escaped(frames)

    def _skim(self, data: bytes, frames: list[bytes]) -> bytes:
        """Pass on what may pass as it came, without reading it; the rest of `data`, which is to be read.

        Before it, events are read one by one to the first content, or to the end of one that has begun.
        """
        start = 0
        while not (self.started and self._decoder.empty) and (end := data.find(BLANK, start)) >= 0:
            end += len(BLANK)
            for event in self._decoder.feed(data[start:end]):
                self._event(event, frames)
            start = end
            if self.started:
                break
        if self.started and not self.done and self._decoder.empty:
            end = start + _plain(data[start:])
            if end > start:
                frames.append(data[start:end])
                start = end
        return data[start:]

    def close(self) -> list[bytes]:
        """The last frames, after the provider has ended its answer; `failure` says where that was too early."""
        frames: list[bytes] = []
        if self.failure is None:
            try:
                for event in self._decoder.close():
                    self._event(event, frames)
                if not self.complete:
                    raise Truncated(f"{self._shaped.provider.slug} ended its stream before the answer was complete.")
                frames.append(DONE)
            except GatekeyError as failure:
                self.failure = failure
        return _escaped(frames)

    def _event(self, event: Event, frames: list[bytes]) -> None:
        if self.done or not event.data:
            return
        if event.data == b"[DONE]":
            if not self.started:
                raise Truncated(f"{self._shaped.provider.slug} ended its stream before any content.")
            self.done = True
            return
        if self._read is None:
            if event.name == "error":
                raise _in_band(self._shaped.provider, _loose(event.data))
            chunks = [event.data]
        else:
            chunks = [json.encode(chunk) for chunk in self._translate(event)]
        for chunk in chunks:
            self._chunk(chunk, frames)

    def _translate(self, event: Event) -> list[Chunk]:
        assert self._read is not None
        try:
            return self._read(event)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError):
            slug = self._shaped.provider.slug
            raise Nonsense(f"{slug} sent a stream event that is not its documented format.") from None

    def _chunk(self, data: bytes, frames: list[bytes]) -> None:
        """Look into one chunk of our dialect, change what must change, and frame it."""
        seen = answer.going(data) if self.started else answer.opening(data)
        if seen.error:
            raise _in_band(self._shaped.provider, _loose(data))
        self.usage = seen.usage or self.usage
        _check_choices(self._shaped, seen.choices or ())
        if not self.started and isinstance(seen, answer.Opening):
            self.started = seen.has_content()
            self.model = self.model or _name(seen.model)
        for choice in seen.choices or ():
            (self._ended if choice.finish_reason else self._seen).add(choice.index)
        if seen.usage and not seen.choices and not self._shaped.asked.usage:
            return
        if self._finish:
            data = answer.with_finish_reasons(data, self._finish)
        if self._text is not None:
            chunk = self._text.chunk(answer.fields(data))
            if chunk is None:
                return
            data = json.encode(chunk)
        frames.append(sse.encode(data))


def _plain(data: bytes) -> int:
    """How many bytes of `data` are whole events that are plain pieces of an answer: no end, no usage, no error.

    It is told by counting words, at a small part of what decoding costs; whoever writes them with other spacing is
    read. Inside a JSON string the words have backslashes, so that an answer cannot imitate them.
    """
    last = data.rfind(PIECE, 0, data.rfind(BLANK) + 1)
    run = data[: data.find(BLANK, last) + len(BLANK)] if last >= 0 else b""
    events = run.count(PIECE)
    plain = (
        run.startswith(b"data: {")
        and run.endswith(b"}\n\n")
        and run.count(b"}\n\ndata: {") == events - 1
        and run.count(b"\n") == 2 * events
        and b"\r" not in run
        and b'"error"' not in run
        and (b'"usage"' not in run or run.count(b'"usage"') == run.count(b'"usage":null'))
    )
    return len(run) if plain else 0


def _escaped(frames: list[bytes]) -> list[bytes]:
    together = b"".join(frames)
    if sse.escape_separators(together) is together:
        return frames
    return [sse.escape_separators(frame) for frame in frames]


def _loose(data: bytes) -> Any:
    try:
        return answer.any_value(data)
    except Nonsense:
        return data[: error.MAX_TEXT].decode("utf-8", "replace")
