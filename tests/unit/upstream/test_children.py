import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop

from gatekey import errors
from gatekey.upstream.children import STARTS_PER_MINUTE, Children

T = TypeVar("T")
MODULES = Path(__file__).parent / "modules"


@pytest.fixture(autouse=True)
def starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file in which the fake server writes a line at each start."""
    monkeypatch.setenv("PYTHONPATH", str(MODULES))
    monkeypatch.setenv("FAKE_STARTS", str(tmp_path / "starts"))
    return tmp_path / "starts"


def with_children(data: Path | None, talk: Callable[[Children], Awaitable[T]]) -> T:
    async def run() -> T:
        children = Children(data)
        try:
            return await talk(children)
        finally:
            await children.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the gateway's loop; `worker` has the other
        return runner.run(run())


def pid(url: str) -> int:
    """Who answers at the address."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.read())


def answers(url: str) -> bool:
    try:
        return pid(url) > 0
    except (OSError, http.client.HTTPException):
        return False


def wait_until(what: Callable[[], bool]) -> None:
    """Fails after a time that no working machine needs."""
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


async def another(children: Children, old: str) -> str:
    """The address of the server that comes after a death: the death is noticed a moment later."""
    async with asyncio.timeout(30):
        while (url := await children.url("fake_server")) == old:
            await asyncio.sleep(0.01)
    return url


@contextmanager
def worker(data: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("again\n")
    process.stdin.flush()
    return line(process)


@pytest.mark.parametrize("shared", [False, True])
def test_starts_on_the_first_use_and_once_for_concurrent_callers(shared: bool, tmp_path: Path, starts: Path) -> None:
    async def talk(children: Children) -> set[str]:
        assert not starts.exists()
        urls = set(await asyncio.gather(*(children.url("fake_server") for _ in range(8))))
        assert pid(next(iter(urls))) > 0
        return urls | {await children.url("fake_server")}

    urls = with_children(tmp_path / "data" if shared else None, talk)
    assert len(urls) == 1
    assert len(starts.read_text().splitlines()) == 1
    assert not answers(urls.pop())


def test_a_caller_that_leaves_does_not_take_the_start_along(starts: Path) -> None:
    async def talk(children: Children) -> None:
        leaving = asyncio.create_task(children.url("fake_server"))
        staying = asyncio.create_task(children.url("fake_server"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert answers(await staying)
        assert leaving.cancelled()

    with_children(None, talk)
    assert len(starts.read_text().splitlines()) == 1


@pytest.mark.parametrize("shared", [False, True])
def test_starts_again_after_a_death(shared: bool, tmp_path: Path) -> None:
    async def talk(children: Children) -> None:
        first = await children.url("fake_server")
        os.kill(pid(first), signal.SIGKILL)
        assert answers(await another(children, first))

    with_children(tmp_path if shared else None, talk)


def test_does_not_start_over_and_over() -> None:
    async def talk(children: Children) -> None:
        url = ""
        for _ in range(STARTS_PER_MINUTE):
            url = await another(children, url)
            os.kill(pid(url), signal.SIGKILL)
        with pytest.raises(errors.Overloaded, match=r"fake_server has been started 5 times within a minute"):
            await another(children, url)

    with_children(None, talk)


@pytest.mark.parametrize("shared", [False, True])
def test_says_why_a_server_does_not_start(shared: bool, tmp_path: Path) -> None:
    async def talk(children: Children) -> str:
        with pytest.raises(errors.Unreachable) as failure:
            await children.url("broken_server")
        return failure.value.message

    message = with_children(tmp_path if shared else None, talk)
    assert message == (
        "broken_server could not be started: The weights are missing: fetch them first.\n"
        "Run `python -m broken_server` to see why."
    )


@pytest.mark.parametrize(
    ("module", "why"),
    [("mute_server", "its first line is not JSON with a `url`"), ("no_such_module", "No module named no_such_module")],
)
def test_a_module_that_is_no_server(module: str, why: str) -> None:
    async def talk(children: Children) -> None:
        with pytest.raises(errors.Unreachable, match=why):
            await children.url(module)

    with_children(None, talk)


def test_the_address_is_published_for_the_owner_s_eyes_and_withdrawn(tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = data / "fake_server.json"

    async def talk(children: Children) -> None:
        url = await children.url("fake_server")
        assert json.loads(file.read_text()) == {"url": url}
        assert file.stat().st_mode & 0o777 == 0o600
        assert data.stat().st_mode & 0o777 == 0o700

    with_children(data, talk)
    assert not file.exists()


def test_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with worker(tmp_path) as parent:
        url = line(parent)
        assert answers(url)
        parent.kill()
        wait_until(lambda: not answers(url))


def test_two_workers_share_one_child(tmp_path: Path, starts: Path) -> None:
    with worker(tmp_path) as one, worker(tmp_path) as two:
        assert line(one) == line(two) == ask(one) == ask(two)
        assert len(starts.read_text().splitlines()) == 1


def test_another_worker_takes_over_from_one_that_is_killed(tmp_path: Path) -> None:
    with worker(tmp_path) as one:
        first = line(one)
        with worker(tmp_path) as two:
            assert line(two) == first
            one.kill()
            wait_until(lambda: not answers(first))
            second = ask(two)
            assert second != first
            assert answers(second)


def test_another_worker_takes_over_a_child_that_died(tmp_path: Path) -> None:
    """The worker that owned it may never be asked again."""
    with worker(tmp_path) as one:
        first = line(one)
        with worker(tmp_path) as two:
            assert line(two) == first
            os.kill(pid(first), signal.SIGKILL)
            wait_until(lambda: ask(two) != first)
            second = ask(two)
            assert answers(second)
            assert ask(one) == second
