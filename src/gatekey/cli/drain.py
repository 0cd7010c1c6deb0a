"""Ends a worker so that no connection is lost behind a load balancer: it says that it is not ready, then closes."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any


def announce(drain: Callable[[], None], seconds: float) -> None:
    """On SIGTERM call `drain`, and `seconds` later do what would have been done at once; on a second one do it then.

    To be called in the main thread, with the loop running.
    """
    loop = asyncio.get_running_loop()
    end = signal.getsignal(signal.SIGTERM)
    draining = False

    def begin(number: int, frame: Any) -> None:
        nonlocal draining
        drain()
        if callable(end):
            if draining or not seconds:
                end(number, frame)
            else:
                loop.call_soon_threadsafe(loop.call_later, seconds, end, number, None)
        draining = True

    signal.signal(signal.SIGTERM, begin)
