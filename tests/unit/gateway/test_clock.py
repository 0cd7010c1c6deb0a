"""A clock cancels what runs too long, and may be given more time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gatekey.gateway.clock import Clock


async def under(clock: Callable[["asyncio.Task[object]"], Clock], work: Callable[[Clock], Awaitable[object]]) -> object:
    task = asyncio.current_task()
    assert task is not None
    with clock(task) as running:
        return await work(running)


async def forever(clock: Clock) -> None:
    await asyncio.Event().wait()


def test_what_ends_in_time_is_left_alone() -> None:
    async def work(clock: Clock) -> str:
        await asyncio.sleep(0)
        return "done"

    assert asyncio.run(under(lambda task: Clock(task, 60), work)) == "done"


def test_what_does_not_is_a_time_out() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(under(lambda task: Clock(task, 0.001), forever))


@pytest.mark.parametrize("total", [False, True])
def test_a_clock_can_be_wound_back(total: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatekey.gateway.clock.TICK", 0.001)

    async def work(clock: Clock) -> None:
        clock.wind(0.001)
        await forever(clock)

    with pytest.raises(TimeoutError):
        asyncio.run(under(lambda task: Clock(task, 3600, total=total), work))


@pytest.mark.parametrize("total", [False, True])
def test_what_is_heard_gives_more_time_unless_the_time_is_a_total(total: bool) -> None:
    async def work(clock: Clock) -> bool:
        before = clock.left
        clock.wind(1)
        clock.heard()
        return clock.left > before - 60

    assert asyncio.run(under(lambda task: Clock(task, 3600, total=total), work)) is not total


def test_a_cancellation_of_somebody_else_is_no_time_out() -> None:
    async def outer() -> None:
        task = asyncio.create_task(under(lambda task: Clock(task, 3600), forever))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(outer())
