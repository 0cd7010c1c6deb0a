"""A time limit that is cheap to start and next to free to give more time, since streams do so with every chunk."""

import asyncio
from types import TracebackType
from typing import Any


class Clock:
    """Cancels what `task` runs inside once its time has passed, and raises TimeoutError then."""

    def __init__(self, task: "asyncio.Task[Any]", seconds: float, *, total: bool = False) -> None:
        """`total`: what is heard meanwhile gives no more time."""
        self._seconds = 0.0 if total else seconds
        self._loop = task.get_loop()
        self._task = task
        self._rang = False
        self._deadline = self._armed = self._loop.time() + seconds
        self._timer = self._loop.call_at(self._armed, self._ring)

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
        if self._deadline < self._armed:
            self._arm()

    def __enter__(self) -> "Clock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._rang and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise TimeoutError from None

    def _arm(self) -> None:
        self._timer.cancel()
        self._armed = self._deadline
        self._timer = self._loop.call_at(self._armed, self._ring)

    def _ring(self) -> None:
        if self._loop.time() < self._deadline:
            self._arm()
        else:
            self._rang = True
            self._task.cancel()
