"""Servers that a provider needs, run as child processes: started on first use, watched, ended with the gateway.

A child is `python -m <module>`. It prints one line of JSON with its `url` when it is ready, and exits when its
standard input ends, so that it cannot outlive its parent, however that died.
The workers that share a data folder share one child per module (see `share`): its owner gives the share up as soon
as the child is gone, and whoever needs the child next starts another. Must not know what a module serves.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from pathlib import Path

from gatekey import errors
from gatekey.upstream.share import Share

START_SECONDS = 60
"""Longest wait for a child's line, its own start or another worker's."""
STOP_SECONDS = 3
"""From SIGTERM to SIGKILL."""
STARTS_PER_MINUTE = 5
"""Of one module by one worker; beyond it callers are told to come back later."""
LOOK_SECONDS = 0.05
"""Between two looks at whether another worker's child is ready."""
TAIL_BYTES = 2000
"""Of the child's standard error, kept for the error message."""


class Children:
    """The children of one worker, by module. `data` is the folder that workers share; None where there is one."""

    def __init__(self, data: Path | None) -> None:
        self._data = data
        self._children: dict[str, _Child] = {}

    async def url(self, module: str) -> str:
        """The base URL of the server run as `python -m <module>`, started if need be.

        Raises `Unreachable` where it does not come up, and `Overloaded` where it keeps dying.
        """
        child = self._children.get(module)
        if child is None:
            child = self._children[module] = _Child(module, Share(self._data, module))
        return child.known() or await child.find()

    async def close(self) -> None:
        """End the children that this worker owns."""
        children, self._children = list(self._children.values()), {}
        await asyncio.gather(*(child.close() for child in children))


class _Child:
    """One module's server, owned by this worker or by another one."""

    def __init__(self, module: str, share: Share) -> None:
        self._module = module
        self._share = share
        self._url: str | None = None
        self._search: asyncio.Task[str] | None = None
        self._life: asyncio.Task[None] | None = None
        self._starts: deque[float] = deque(maxlen=STARTS_PER_MINUTE)

    def known(self) -> str | None:
        """The address of a server that runs already."""
        return self._url or self._share.published()

    async def find(self) -> str:
        """The address, waiting for the server. All callers wait for one search; it goes on when one of them leaves."""
        if self._search is None or self._search.done():
            self._search = asyncio.create_task(self._find())
            self._search.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._search)

    async def close(self) -> None:
        for task in (self._search, self._life):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in (self._search, self._life) if task), return_exceptions=True)
        self._share.close()

    async def _find(self) -> str:
        if self._life is not None:
            await asyncio.wait({self._life})  # the last of the child before: it still gives the share up
        give_up = time.monotonic() + START_SECONDS
        while not self._share.take():
            if url := self._share.published():
                return url
            if time.monotonic() > give_up:
                raise errors.Unreachable(f"{self._module} is being started by another worker, for too long: try again.")
            await asyncio.sleep(LOOK_SECONDS)
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(ready))
        return await ready

    async def _live(self, ready: asyncio.Future[str]) -> None:
        """A child from its start to its end: `ready` is given its address, or why there is none."""
        try:
            self._count_start()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
            )
            tail = _Tail()
            reading = asyncio.create_task(tail.read(process))
            try:
                self._url = await self._ready(process, reading, tail)
                self._share.publish(self._url)
                if not ready.done():
                    ready.set_result(self._url)
                await _discard(process)
                await process.wait()
            finally:
                self._url = None
                await _end(process, reading)
        except errors.GatekeyError as error:
            if not ready.done():
                ready.set_exception(error)
        except OSError as error:
            if not ready.done():
                ready.set_exception(errors.Unreachable(f"{self._module} could not be started: {error.strerror}."))
        finally:
            ready.cancel()
            self._share.release()

    def _count_start(self) -> None:
        now = time.monotonic()
        if len(self._starts) == STARTS_PER_MINUTE and now - self._starts[0] < 60:
            raise errors.Overloaded(
                f"{self._module} has been started {STARTS_PER_MINUTE} times within a minute and does not stay up: "
                f"it is tried again in {60 - now + self._starts[0]:.0f} s. Run `python -m {self._module}` to see why."
            )
        self._starts.append(now)

    async def _ready(self, process: Process, reading: asyncio.Task[None], tail: "_Tail") -> str:
        assert process.stdout is not None
        line, why = b"", "it said nothing before its end"
        try:
            async with asyncio.timeout(START_SECONDS):
                line = await process.stdout.readline()
            return str(json.loads(line)["url"])
        except TimeoutError:
            why = f"it was not ready within {START_SECONDS} s"
        except (ValueError, KeyError, TypeError):
            if line:
                why = "its first line is not JSON with a `url`"
        await _end(process, reading)
        raise errors.Unreachable(
            f"{self._module} could not be started: {tail.text() or why}\nRun `python -m {self._module}` to see why."
        )


class _Tail:
    """The last of what a child writes to its standard error."""

    def __init__(self) -> None:
        self._bytes = b""

    async def read(self, process: Process) -> None:
        assert process.stderr is not None
        while chunk := await process.stderr.read(4096):
            self._bytes = (self._bytes + chunk)[-TAIL_BYTES:]

    def text(self) -> str:
        return "\n".join(self._bytes.decode(errors="replace").strip().splitlines()[-5:])


async def _discard(process: Process) -> None:
    """Keep standard output from filling up; returns when the child has closed it."""
    assert process.stdout is not None
    while await process.stdout.read(4096):
        pass


async def _end(process: Process, reading: asyncio.Task[None]) -> None:
    """SIGTERM, then SIGKILL; nothing where it has ended of itself. `reading` ends with it."""
    assert process.stdin is not None
    process.stdin.close()
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    await asyncio.wait({reading}, timeout=1)  # a process of the child's own may hold its standard error open
    reading.cancel()
