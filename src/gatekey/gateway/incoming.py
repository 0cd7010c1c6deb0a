"""The answer to an attempt: read whole, relayed, or streamed to the caller event by event."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime

from gatekey.errors import InBand, Nonsense, UpstreamError
from gatekey.gateway.call import Call
from gatekey.gateway.clock import Clock
from gatekey.gateway.meter import Meter
from gatekey.gateway.respond import EVENTS, JSON, Pairs, Reply, relayed
from gatekey.providers import Provider, Shaped, Tally, reading
from gatekey.routing.plan import Outcome
from gatekey.upstream.transport import Headers, Response
from gatekey.wire import error

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that is read whole."""
MAX_HELD = 16 * 1024 * 1024
"""Bytes of a stream that are held back until its first content."""
LINGER = 1.0
"""s in which a stream's connection must end after the stream itself has; else it is closed."""


class Incoming:
    """Takes the answer in. `headers` makes the caller's response headers; `silence` in s."""

    def __init__(self, reply: Reply, headers: Callable[[Outcome], Pairs], silence: float) -> None:
        self._reply = reply
        self._headers = headers
        self._silence = silence

    async def inference(self, response: Response, shaped: Shaped, outcome: Outcome, clock: Clock, meter: Meter) -> None:
        """The answer of an inference route: a stream is written at once, anything else goes into the outcome."""
        outcome.headers = relayed(response.headers)
        if not outcome.ok:
            return await self._refused(response, shaped.provider, outcome, clock)
        if shaped.asked.stream and "json" not in (kind := _header(response, "content-type")):
            if kind.startswith("text/html"):
                raise Nonsense(f"{shaped.provider.slug} answered a stream request with a page ({kind}).")
            return await self._stream(response, shaped, outcome, clock, meter)
        data = await response.whole(MAX_ANSWER, clock.heard)
        try:
            answer = reading.reply(shaped, data)
        except InBand:
            outcome.usage = reading.reported(data)
            raise
        if shaped.asked.stream:
            outcome.headers += _stream_headers()
            outcome.body = reading.replay(shaped, answer.body)
        else:
            outcome.headers.append(("content-type", JSON))
            outcome.body = answer.body
        outcome.usage, outcome.model = answer.usage, answer.model
        return None

    async def forwarded(self, response: Response, call: Call, outcome: Outcome, clock: Clock) -> None:
        """The answer of a forwarded request: a success is relayed as it arrives, bytes as they came."""
        outcome.headers = relayed(response.headers, untouched=True)
        if not outcome.ok or outcome.status == 204:
            outcome.retry_after = retry_after(response.headers)
            outcome.headers = [pair for pair in outcome.headers if pair[0] != "content-length"]
            outcome.body = await response.whole(MAX_ANSWER, clock.heard)
            return
        await self._reply.head(outcome.status, self._headers(outcome))
        tally = Tally(_header(response, "content-type"), call.path, call.asked)
        outcome.counted = False
        try:
            async for data in response.chunks():
                clock.wind(self._silence)
                tally.feed(data)
                if response.ended:
                    # The record is written before the last byte that the caller waits for.
                    _sum_up(tally, outcome)
                    await self._reply.end(data)
                    return
                await self._reply.content(data)
            _sum_up(tally, outcome)
        finally:
            outcome.usage, outcome.model = tally.usage, tally.model
        await self._reply.end()

    async def _refused(self, response: Response, provider: Provider, outcome: Outcome, clock: Clock) -> None:
        if outcome.status < 400:
            raise Nonsense(f"{provider.slug} answered with status {outcome.status}: redirects are not followed.")
        outcome.retry_after = retry_after(response.headers)
        outcome.headers.append(("content-type", JSON))
        outcome.body = error.body(
            reading.failure(provider, await response.whole(MAX_ANSWER, clock.heard)), provider=provider.slug
        )

    async def _stream(self, response: Response, shaped: Shaped, outcome: Outcome, clock: Clock, meter: Meter) -> None:
        """Frames are held back until the first content, and passed on at once from then on."""
        outcome.headers += _stream_headers()
        stream = reading.Stream(shaped)
        held: list[bytes] = []
        size, begun, outcome.counted = 0, False, False
        chunks = response.chunks()
        try:
            async for data in chunks:
                frames = stream.feed(data)
                outcome.usage, outcome.model, outcome.counted = stream.so_far, stream.model, stream.counted
                if not begun:
                    held += frames
                    size += len(data)
                    if stream.failure is not None:
                        raise stream.failure
                    if size > MAX_HELD:
                        raise Nonsense(f"{shaped.provider.slug} sent {MAX_HELD} bytes without any content.")
                    if not stream.started:
                        continue
                    meter.first()
                    await self._reply.head(outcome.status, self._headers(outcome))
                    frames, begun = held, True
                if frames:
                    await self._reply.content(b"".join(frames))
                if stream.failure is not None:
                    raise stream.failure
                clock.wind(self._silence)
                if stream.done:
                    break
        except UpstreamError:
            if not stream.complete:
                raise
        frames = stream.close()
        outcome.usage, outcome.counted = stream.so_far, stream.counted
        if stream.failure is not None:
            raise stream.failure
        if not begun:
            await self._reply.head(outcome.status, self._headers(outcome))
            frames = held + frames
        await self._reply.end(b"".join(frames))
        if stream.done and not response.ended:
            await _rest(chunks)


def _sum_up(tally: Tally, outcome: Outcome) -> None:
    """A forwarded answer is over: what it told is all."""
    tally.close()
    outcome.usage, outcome.model, outcome.counted = tally.usage, tally.model, True


def retry_after(headers: Headers) -> float | None:
    """s that the provider asks to wait: `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after` (s or a date)."""
    given = dict(headers)
    for name, unit in (("retry-after-ms", 1000), ("x-ms-retry-after-ms", 1000), ("retry-after", 1)):
        text = given.get(name, "").strip()
        try:
            return max(float(text), 0.0) / unit
        except ValueError:
            pass
        if name == "retry-after" and text:
            try:
                return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
            except ValueError:
                return None
    return None


def _stream_headers() -> Headers:
    return [("content-type", EVENTS), ("cache-control", "no-cache"), ("x-accel-buffering", "no")]


def _header(response: Response, name: str) -> str:
    return next((value.lower() for key, value in response.headers if key == name), "")


async def _rest(chunks: AsyncIterator[bytes]) -> None:
    """Read what follows the end that a stream declared, which is next to nothing: its connection can be used again."""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(LINGER):
            async for _ in chunks:
                pass
