"""Several workers, one ledger, and everything that may come between them: nothing is overspent, nothing leaks.

A message to the ledger may be lost, or done long after the worker has given it up; so may its answer. Workers die,
or are taken for dead; limits change; periods end; calls come, wait, leave, and cost more than they could.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule
from msgspec.structs import replace

from gatekey.errors import GatekeyError, LedgerDown
from gatekey.limits.account import Ask, Reply
from gatekey.limits.leases import FORGET, Grant, Leases, Waiter
from gatekey.limits.ledger import LIFE, Gone
from gatekey.limits.limit import DAY, Limit
from tests.unit.limits.twin import Books

BUDGET = Limit("budget", "cost", 100)
DAILY = Limit("daily", "tokens", 60, period=1)
RATE = Limit("rate", "requests", 5, per=10)


@dataclass(eq=False)
class Message:
    """What a worker has asked: `replies` once the ledger has answered, or that it is `gone`."""

    name: str
    number: int
    asks: list[Ask]
    replies: list[Reply] | None = None
    gone: bool = False


@dataclass(eq=False)
class Running:
    """A call with a grant: what of which account's epoch it may spend."""

    grant: Grant
    parts: list[tuple[str, int, int]]


@dataclass(eq=False)
class Worker:
    """One worker, as a purse would run it."""

    name: str
    leases: Leases = field(default_factory=lambda: Leases(lambda: None))
    joined: bool = False
    number: int = 0
    message: Message | None = None
    running: list[Running] = field(default_factory=list)
    waiting: list[Waiter] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    """The world. `spent`, `most`: of every epoch of an account, what was really spent, and the largest amount."""

    workers = Bundle("workers")

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.began = self.books.now
        self.limits = {"budget": BUDGET, "daily": replace(DAILY, since=self.began), "rate": RATE}
        self.all: list[Worker] = []
        self.late: list[Message] = []
        self.spent: dict[tuple[str, int], int] = {}
        self.most: dict[str, int] = {name: limit.amount for name, limit in self.limits.items()}
        self.over = 0
        self.requests = 0
        self.crashed = False
        self.names = 0

    @property
    def s(self) -> float:
        """The workers' clock."""
        return self.books.now / 1000

    @initialize(target=workers)
    def first(self) -> Worker:
        return self.start()

    @rule(target=workers)
    def start(self) -> Worker:
        self.names += 1
        self.all.append(worker := Worker(f"w{self.names}"))
        return worker

    @rule(
        worker=workers,
        cost=st.integers(0, 40),
        tokens=st.integers(0, 25),
        which=st.sampled_from(("bdr", "b", "d", "bd", "r")),
    )
    def call(self, worker: Worker, cost: int, tokens: int, which: str) -> None:
        wanted = {"b": ("budget", cost), "d": ("daily", tokens), "r": ("rate", 1)}
        asked = [(self.limits[name], amount) for name, amount in (wanted[each] for each in which)]
        grant = worker.leases.take(asked, self.s)
        if grant is not None:
            self.granted(worker, grant)
            return
        waiter = worker.leases.queue(asked, self.s)
        worker.waiting.append(waiter)
        self.look(worker)

    def granted(self, worker: Worker, grant: Grant) -> None:
        parts = [(lease.limit.account, lease.epoch, amount) for lease, amount in grant._parts]
        self.requests += sum(amount for name, _, amount in parts if name == "rate")
        worker.running.append(Running(grant, parts))

    def look(self, worker: Worker) -> None:
        """Take from the waiters those that have their outcome."""
        for waiter in [each for each in worker.waiting if each.outcome is not None]:
            worker.waiting.remove(waiter)
            if isinstance(waiter.outcome, Grant):
                self.granted(worker, waiter.outcome)
            else:
                assert isinstance(waiter.outcome, GatekeyError)

    @rule(worker=workers, data=st.data())
    def leave(self, worker: Worker, data: Any) -> None:
        """A caller that waits leaves."""
        if worker.waiting:
            waiter = data.draw(st.sampled_from(worker.waiting))
            worker.waiting.remove(waiter)
            waiter.left = True

    @rule(worker=workers, data=st.data(), more=st.sampled_from((0, 0, 0, 0, 7)))
    def settle(self, worker: Worker, data: Any, more: int) -> None:
        if worker.running:
            running = data.draw(st.sampled_from(worker.running))
            worker.running.remove(running)
            amounts = [data.draw(st.integers(0, amount)) + (more if amount else 0) for _, _, amount in running.parts]
            self.end(running, amounts)

    def end(self, running: Running, amounts: list[int]) -> None:
        for (name, epoch, bound), amount in zip(running.parts, amounts, strict=True):
            if name != "rate":
                self.spent[name, epoch] = self.spent.get((name, epoch), 0) + amount
                self.over += max(0, amount - bound)
        running.grant.settle(amounts)

    @rule(worker=workers)
    def ask(self, worker: Worker) -> None:
        if worker.message is None:
            asks = worker.leases.round(self.s)
            self.look(worker)
            if asks:
                worker.number += 1
                if not worker.joined:
                    self.names += 1
                    worker.name, worker.joined = f"h{self.names}", True
                    self.books.join(worker.name)
                worker.message = Message(worker.name, worker.number, asks)

    @rule(worker=workers)
    def deliver(self, worker: Worker) -> None:
        if worker.message is not None and worker.message.replies is None:
            self.do(worker.message)

    def do(self, message: Message) -> None:
        try:
            message.replies = self.books.exchange(message.name, message.number, message.asks)
        except Gone:
            message.gone = True

    @rule(worker=workers)
    def hear(self, worker: Worker) -> None:
        message = worker.message
        if message is None or (message.replies is None and not message.gone):
            return
        worker.message = None
        if message.gone:
            worker.joined = False
            worker.leases.forget()
        else:
            assert message.replies is not None
            worker.leases.answered(message.asks, message.replies, self.s)
        self.look(worker)

    @rule(worker=workers)
    def give_up(self, worker: Worker) -> None:
        """The time for an exchange is over; whether it was done, or is done later, nobody knows."""
        if worker.message is not None:
            if worker.message.replies is None:
                self.late.append(worker.message)
            worker.leases.failed(worker.message.asks, lambda: LedgerDown("down"))
            worker.message = None
            self.look(worker)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def arrive_late(self, data: Any) -> None:
        message = data.draw(st.sampled_from(self.late))
        self.late.remove(message)
        self.do(message)

    @rule(ms=st.sampled_from((10, 60, 250, 1100, 2500, 12_000, LIFE // 2, 70_000)))
    def wait(self, ms: int) -> None:
        self.books.now += ms

    @rule()
    def sweep(self) -> None:
        self.books.sweep()

    @rule()
    def next_day(self) -> None:
        self.books.now += DAY

    @rule(name=st.sampled_from(("budget", "daily")), amount=st.integers(0, 150))
    def set_amount(self, name: str, amount: int) -> None:
        self.limits[name] = replace(self.limits[name], amount=amount)
        self.most[name] = max(self.most[name], amount)

    @rule(name=st.sampled_from(("budget", "daily")))
    def reset(self, name: str) -> None:
        self.limits[name] = replace(self.limits[name], since=max(self.books.now, self.limits[name].since + 1))

    @rule(worker=consumes(workers), data=st.data())
    def crash(self, worker: Worker, data: Any) -> None:
        """It dies; what its calls had begun is spent all the same, and nobody tells."""
        self.crashed = True
        self.all.remove(worker)
        for running in worker.running:
            for name, epoch, bound in running.parts:
                if name != "rate":
                    amount = data.draw(st.integers(0, bound))
                    self.spent[name, epoch] = self.spent.get((name, epoch), 0) + amount

    @invariant()
    def never_more_than_the_amount(self) -> None:
        running = {}
        for worker in self.all:
            for each in worker.running:
                for name, epoch, bound in each.parts:
                    running[name, epoch] = running.get((name, epoch), 0) + bound
        for name, epoch in {*self.spent, *running} - {("rate", 0)}:
            really = self.spent.get((name, epoch), 0) + running.get((name, epoch), 0)
            assert name == "rate" or really <= self.most[name] + self.over, (name, really)
        elapsed = (self.books.now - self.began) / 1000
        assert self.requests <= RATE.amount + RATE.amount * elapsed / RATE.per

    @invariant()
    def the_books_are_right(self) -> None:
        for name, account in self.books.accounts.items():
            held = [each[name] for each in self.books.leases.values() if name in each]
            assert account.held == sum(lease.held for lease in held if lease.epoch == account.epoch)
            assert account.spent + account.held <= self.most[name] + self.over

    def teardown(self) -> None:
        """Every call ends, every worker rests: nothing is held any more, and what is spent is known."""
        for message in self.late:
            self.do(message)
        for worker in self.all:
            for waiter in worker.waiting:
                waiter.left = True
            worker.waiting = []
            for running in worker.running:
                self.end(running, [amount // 2 for _, _, amount in running.parts])
        for _ in range(12):
            self.books.now += int(FORGET * 1000 / 4)
            for worker in self.all:
                for step in (self.ask, self.deliver, self.hear):
                    step(worker)
            self.books.sweep()
        for worker in self.all:
            assert len(worker.leases) == 0
        for name, account in self.books.accounts.items():
            assert account.held == 0, name
            if name != "rate":
                really = self.spent.get((name, account.epoch), 0)
                assert account.spent >= really
                assert account.spent == really or self.books.written_off or self.over


Machine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestMachine = Machine.TestCase
