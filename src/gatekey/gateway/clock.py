"""A time limit that is next to free to start and to give more time, since streams do so with every chunk.

Long limits share one timer of the event loop, which looks every `TICK`; they may ring that much late. Short ones,
and those that somebody asked for, have a timer of their own.
"""

import asyncio
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

TICK = 0.5
"""s between two looks at the long limits."""
LONG = 30.0
"""s from which on a limit is a long one."""


class Clock:
    """Cancels what `task` runs inside once its time has passed, and raises TimeoutError then."""

    def __init__(self, task: "asyncio.Task[Any]", seconds: float, *, total: bool = False) -> None:
        """`total`: what is heard meanwhile gives no more time."""
        self._seconds = 0.0 if total else seconds
        self._loop = task.get_loop()
        self._task = task
        self._rang = False
        self._timer: asyncio.TimerHandle | None = None
        self._shared: set[Clock] | None = None
        self._deadline = self._loop.time() + seconds
        if seconds >= LONG and not total:
            self._shared = _shared(self._loop)
            self._shared.add(self)
        else:
            self._arm()

    @property
    def left(self) -> float:
        """s until it rings."""
        return self._deadline - self._loop.time()

    def heard(self) -> None:
        """Something came: unless the time is a total, all of it is given again."""
        if self._seconds:
            self.wind(self._seconds)

    def wind(self, seconds: float) -> None:
        """`seconds` from now."""
        self._deadline = self._loop.time() + seconds
        if self._timer is not None and self._deadline < self._timer.when():
            self._arm()

    def __enter__(self) -> "Clock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shared is not None:
            self._shared.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._rang and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise TimeoutError from None

    def look(self) -> None:
        """Ring, where the time has passed."""
        if not self._rang and self._loop.time() >= self._deadline:
            self._rang = True
            self._task.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self.look()
        if not self._rang:
            self._arm()


_clocks: WeakKeyDictionary[asyncio.AbstractEventLoop, set[Clock]] = WeakKeyDictionary()


def _shared(loop: asyncio.AbstractEventLoop) -> set[Clock]:
    """The long limits of an event loop, which are looked at from now on."""
    found = _clocks.get(loop)
    if found is None:
        found = _clocks[loop] = set()
        loop.call_later(TICK, _look, loop, found)
    return found


def _look(loop: asyncio.AbstractEventLoop, clocks: set[Clock]) -> None:
    for clock in tuple(clocks):
        clock.look()
    loop.call_later(TICK, _look, loop, clocks)
