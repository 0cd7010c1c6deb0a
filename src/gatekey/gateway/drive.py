"""Carries a plan out. The only place that awaits between two tries."""

import asyncio
from collections.abc import Awaitable, Callable

from gatekey.routing.plan import Attempt, Outcome, Plan, Wait


async def drive(
    plan: Plan,
    exchange: Callable[[Attempt], Awaitable[Outcome]],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Outcome:
    """Send each Attempt, sleep each Wait, and return the Outcome that the plan settles on.

    However it ends, cancellation included, the plan is closed.
    """
    try:
        step = next(plan)
        while True:
            if isinstance(step, Wait):
                await sleep(step.seconds)
                step = plan.send(None)
            else:
                step = plan.send(await exchange(step))
    except StopIteration as settled:
        outcome: Outcome = settled.value
        return outcome
    finally:
        plan.close()
