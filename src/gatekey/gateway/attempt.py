"""One attempt: one exchange with one target, over when its answer is over, the stream included.

Whatever may go wrong becomes an Outcome; only cancellation passes through.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gatekey.errors import GatekeyError, Limited, Silent, TimedOut, UpstreamError
from gatekey.gateway import outgoing
from gatekey.gateway.aim import Aim
from gatekey.gateway.call import Call
from gatekey.gateway.clock import Clock
from gatekey.gateway.entry import Entry
from gatekey.gateway.incoming import Incoming
from gatekey.gateway.mask import mask
from gatekey.gateway.meter import Meter
from gatekey.gateway.money import Money
from gatekey.gateway.respond import JSON, Pairs, Reply
from gatekey.routing.plan import Attempt, Outcome, Sent
from gatekey.upstream.children import Children
from gatekey.upstream.transport import Transport
from gatekey.wire import error


@dataclass(frozen=True, slots=True)
class Upstream:
    """What attempts need of the world. `silence`: s without a byte after which an upstream is given up."""

    transport: Transport
    children: Children
    silence: float = 300.0


class Exchange:
    """Makes the attempts of one call, inside `task`. `headers` makes the caller's headers out of an outcome."""

    def __init__(
        self,
        call: Call,
        aims: Mapping[str, Aim],
        upstream: Upstream,
        reply: Reply,
        headers: Callable[[Outcome], Pairs],
        task: "asyncio.Task[Any]",
        entry: Entry,
        money: Money,
    ) -> None:
        self._task = task
        self._entry = entry
        self._money = money
        self._counted: set[str] = set()
        self._call = call
        self._aims = aims
        self._upstream = upstream
        self._reply = reply
        self._incoming = Incoming(reply, headers, upstream.silence)

    async def __call__(self, attempt: Attempt) -> Outcome:
        """Carry one attempt out."""
        aim = self._aims[attempt.target.path]
        outcome = Outcome(
            status=0, by="gateway", path=attempt.target.path, provider=aim.provider.slug, retries=attempt.retries
        )
        meter = Meter(self._call, aim, outcome, self._entry, self._money)
        seconds = self._upstream.silence if aim.timeout is None else aim.timeout / 1000
        try:
            with Clock(self._task, seconds, total=aim.timeout is not None) as clock:
                await self._exchange(aim, outcome, clock, meter)
        except GatekeyError as failure:
            _fail(outcome, failure)
        except TimeoutError:
            _fail(outcome, self._too_late(aim))
        finally:
            meter.close()
        outcome.sent = self._reply.sent
        if aim.secrets and not (outcome.ok and outcome.error is None):
            mask(outcome, aim.secrets)
        return outcome

    async def _exchange(self, aim: Aim, outcome: Outcome, clock: Clock, meter: Meter) -> None:
        if aim.refusal is not None:
            raise aim.refusal
        host, trusted = aim.host, False
        if aim.provider.server and not host:
            host, trusted = await self._upstream.children.url(aim.provider.server), True
        if self._call.kind == "proxy":
            request, shaped = outgoing.forwarded(self._call, aim, host), None
        else:
            request, shaped = outgoing.inference(self._call, aim, host)
            outcome.dropped, outcome.clamped = shaped.dropped, shaped.clamped
        request.trusted = trusted
        await meter.reserve(request, shaped, self._counted)
        meter.sending()
        response = await self._upstream.transport.send(request)
        meter.headed()
        try:
            outcome.status, outcome.by = response.status, "provider"
            if shaped is None:
                await self._incoming.forwarded(response, self._call, outcome, clock)
            else:
                await self._incoming.inference(response, shaped, outcome, clock, meter)
        finally:
            await response.close()

    def _too_late(self, aim: Aim) -> GatekeyError:
        if aim.timeout is not None and self._reply.sent is Sent.NOTHING:
            return TimedOut(f"Request exceeded the timeout sent in the request: {aim.timeout}ms")
        return Silent(f"{aim.provider.slug} sent nothing for {self._upstream.silence:g} s.")


def _fail(outcome: Outcome, failure: GatekeyError) -> None:
    """What went wrong, as the answer it would be."""
    outcome.status, outcome.by, outcome.error = failure.status, "gateway", failure
    outcome.retryable = isinstance(failure, UpstreamError)
    outcome.headers = [("content-type", JSON)]
    if isinstance(failure, Limited):
        outcome.headers.append(("retry-after", str(failure.retry_after)))
    outcome.body = error.body(error.of(failure), provider=outcome.provider)
