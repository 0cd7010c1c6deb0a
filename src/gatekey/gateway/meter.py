"""What one attempt may spend and what it spent: the limits that apply, the reservation, the usage, the cost.

The reservation is the most that the attempt can come to; it is settled with what it came to, however it ends.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gatekey.errors import GatekeyError, InBand
from gatekey.gateway.aim import Aim
from gatekey.gateway.call import READABLE, Call
from gatekey.gateway.entry import LEFT, Entry, now
from gatekey.gateway.money import Money
from gatekey.limits.limit import Limit
from gatekey.observe.record import Tried
from gatekey.pricing import Price, cost
from gatekey.providers import Shaped, bound, model_in, passed, read, stores, usage
from gatekey.routing.plan import Outcome
from gatekey.upstream.transport import Request
from gatekey.wire import body as json
from gatekey.wire.usage import Usage

if TYPE_CHECKING:
    from gatekey.gateway.purse import Grant
    from gatekey.secret import Secret

LOOKING = ("GET", "HEAD", "OPTIONS", "DELETE")
"""Methods of forwarded requests that make no model work."""


class Meter:
    """One attempt's. Closed once, before the answer's last bytes or when the attempt ends, whichever is first."""

    def __init__(self, call: Call, aim: Aim, outcome: Outcome, entry: Entry, money: Money) -> None:
        self._call = call
        self._aim = aim
        self._outcome = outcome
        self._entry = entry
        self._money = money
        self._model = ""
        self._request: Request | None = None
        self._limits: list[Limit] = []
        self.limits: Sequence[Limit] = ()
        """All that the attempt falls under."""
        self._grant: Grant | None = None
        self._closed = False
        self._sent = 0.0
        self.began = now()
        self.ended = self.began
        self.upstream = 0.0
        """s in which the provider had the word."""
        self.secrets: tuple[Secret, ...] = (*aim.secrets, *((aim.key,) if aim.key is not None else ()))
        self.tried = Tried(
            path=outcome.path,
            provider=outcome.provider,
            status=0,
            by="gateway",
            virtual_key=aim.stored,
            retries=outcome.retries,
        )
        entry.meters.append(self)

    async def reserve(self, request: Request, shaped: Shaped | None, counted: set[str]) -> None:
        """Ask for what the attempt may cost. `counted`: accounts on which this call has been counted as a request.

        Raises `Exhausted`, `UnpricedModel`, `Limited` or `LedgerDown`.
        """
        call, aim = self._call, self._aim
        self._request = request
        self._model = shaped.asked.model if shaped is not None else _asked_for(call, aim)
        self._entry.stream = shaped is not None and shaped.asked.stream
        self.tried.model, self.tried.url = self._model, request.url.partition("?")[0]
        self.limits = self._money.limits(call, aim, self._model, self._entry.config)
        asked = self._asked(shaped, counted) if self.limits else []
        if not asked:
            return
        self._limits = [limit for limit, _ in asked]
        try:
            self._grant = await self._money.purse.reserve(asked)
        except GatekeyError as refusal:
            self.tried.refused = refusal.code or refusal.type
            raise
        counted.update(limit.account for limit in self._limits if limit.counts == "requests")

    @property
    def _free(self) -> bool:
        """Whether it cannot cost anything: it only looks, or takes away, or stores a file."""
        call = self._call
        return call.kind == "models" or (call.kind == "proxy" and (call.method in LOOKING or stores(call.path)))

    def _asked(self, shaped: Shaped | None, counted: set[str]) -> list[tuple[Limit, int | None]]:
        """What to reserve of each limit. Its requests are counted once for a call, the rest for each attempt."""
        asked: list[tuple[Limit, int | None]] = []
        most: dict[str, int | None] = {}
        for limit in self.limits:
            if limit.counts == "requests":
                if limit.account not in counted:
                    asked.append((limit, 1))
            elif not self._free:
                most = most or self._bounds(shaped)
                asked.append((limit, most[limit.counts]))
        return asked

    def _bounds(self, shaped: Shaped | None) -> dict[str, int | None]:
        """The most that it can come to, by what limits count; None: the price is not known."""
        price = self._money.price(self._call, self._aim, self._model)
        most = self._most(shaped, price.max_output if price is not None else None)
        cost = None if price is None else _cost(most, price, forwarded=shaped is None)
        return {"tokens": most.input + most.output, "cost": cost}

    def _most(self, shaped: Shaped | None, most_out: int | None) -> bound.Most:
        call = self._call
        if shaped is not None:
            return bound.inference(call.kind, shaped.body, shaped.asked.ours, most_out)
        fields, size = call.fields(), call.spool.length if call.spool is not None else 0
        sent = self._request.body if self._request is not None else b""
        if isinstance(sent, bytes):
            # With what the config has set.
            body, size, fields = sent, len(sent), json.decode(sent) if fields else fields
        else:
            body = call.spool.read() if call.spool is not None and size <= READABLE else b""
        return bound.forwarded(body, size, partial(json.value, fields), most_out)

    def sending(self) -> None:
        """The request is about to leave: from now on it may cost something."""
        self._sent = now()

    def headed(self) -> None:
        """The provider's head is here."""
        self.tried.head_us = self._since(now())
        if self._request is not None and self._request.connected:
            self.tried.connect_us = self._since(self._request.connected)

    def first(self) -> None:
        """The first content is here."""
        self.tried.first_us = self._since(now())

    def close(self) -> None:
        """The attempt is over: say what it came to, and settle."""
        if self._closed:
            return
        self._closed = True
        outcome, tried = self._outcome, self.tried
        self.ended = now()
        if self._sent:
            self.upstream = self.ended - self._sent
        tried.total_us = self._since(self.ended)
        tried.status, tried.by = outcome.status or LEFT, outcome.by
        if outcome.error is not None:
            tried.error = outcome.error.message[:1000]
        elif not outcome.ok and outcome.by == "provider":
            tried.error = outcome.body[:1000].decode("utf-8", "replace")
        amounts: list[int | None] = []
        try:
            used = self._used()
            if used is None:
                tried.cost, tried.priced = (0, True) if self._costless else (None, False)
            else:
                price = self._money.price(self._call, self._aim, self._model, outcome.model)
                tried.usage, tried.cost = used, cost(used, price)
                tried.priced = tried.cost is not None
            tried.model = tried.model or outcome.model
            amounts += self._amounts()
        finally:
            if self._grant is not None:
                self._grant.settle(amounts)

    def _amounts(self) -> Iterator[int | None]:
        """What each limit is settled with; None: nobody knows, and what was reserved counts.

        Of an answer that passes as it is made, what has passed tells. Of any other that did not come, nothing does.
        """
        used, cost = self.tried.usage, self.tried.cost
        came = self._outcome.ok and self._outcome.body
        lost = used is not None and used.estimated and not came and not self._streams
        for limit in self._limits:
            if limit.counts == "tokens":
                yield None if lost else used.total if used is not None else 0 if self._costless else None
            else:
                yield None if lost else cost

    @property
    def _streams(self) -> bool:
        """Whether the answer passes as it is made."""
        return self._entry.stream or any(
            name == "content-type" and kind.startswith("text/event-stream") for name, kind in self._outcome.headers
        )

    @property
    def _costless(self) -> bool:
        """Whether it has cost nothing for certain: it was not sent, or the provider refused it, or it only looked.

        An error inside an answer is a refusal where nothing came before it.
        """
        outcome = self._outcome
        if self._request is None or not self._request.sent or self._free:
            return True
        if isinstance(outcome.error, InBand):
            return not self._entry.answered
        return outcome.by == "provider" and outcome.status >= 300

    def _used(self) -> Usage | None:
        """What was consumed: as the provider told, else counted from what passed; None where nothing is known."""
        outcome = self._outcome
        told = usage(self._aim.provider, outcome.usage) if outcome.usage else None
        if (told is not None and outcome.counted) or (told is None and self._costless):
            return told
        out = self._passed()
        if told is not None:
            # It was told at the start of the answer, or in the middle: what came after is beside it.
            more = out - told.completion
            return told if more <= 0 else replace(told, output=told.output + more, estimated=True, told=None)
        asked = self._request.body if self._request is not None and isinstance(self._request.body, bytes) else b""
        if self._call.kind == "proxy" and not out:
            return None  # it may be anything
        return Usage(input=read(asked), output=out, estimated=True)

    def _passed(self) -> int:
        """About how many tokens of the answer have passed."""
        entry, outcome = self._entry, self._outcome
        if not entry.kept:
            return passed(outcome.body) if outcome.ok else 0
        return passed(b"".join(entry.kept), entry.answered)

    def _since(self, moment: float) -> int:
        return max(int((moment - self.began) * 1_000_000), 0)


def _cost(most: bound.Most, price: Price, *, forwarded: bool) -> int | None:
    """The most that it can cost. What is forwarded may be for a model that puts nothing out which has a price."""

    def by(output: int) -> int | None:
        return price.bound(most.input, output, images=most.images, audio_ms=most.audio_ms, characters=most.characters)

    found = by(most.output)
    return by(0) if found is None and forwarded else found


def _asked_for(call: Call, aim: Aim) -> str:
    """The model of a forwarded request, as the config sets it, in its body or in its path."""
    settings, fields = aim.target.settings, call.fields()
    if fields and "model" in settings.override_params:
        named = json.value(settings.override_params, "model")
    else:
        named = call.model()
    if not named and fields and "model" in settings.default_params:
        named = json.value(settings.default_params, "model")
    named = named if isinstance(named, str) else ""
    return named.removeprefix(f"@{aim.stored}/") or model_in(call.path)
