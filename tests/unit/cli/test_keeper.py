"""The writer's process runs as long as it is kept, whatever befalls it, and no longer."""

import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekey.cli import keeper as keepers
from gatekey.cli.keeper import Keeper
from gatekey.cli.writer import Job
from gatekey.observe.told import heard
from gatekey.store.writer import Writer
from tests import databases
from tests.fake import wait_until

SOON = 30.0
"""s that a process may take to start. Only failing tests wait so long."""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    monkeypatch.setattr(keepers, "SOON", 0.0)
    with databases.migrated("sqlite", tmp_path) as url:
        yield Job(str(tmp_path / "spool"), url, 30, 365, str(tmp_path / "metrics"), None)


def running(job: Job, but: int = 0) -> int:
    """The writer's process, once there is one."""

    def pid() -> int:
        told = heard(Path(job.folder))
        return told.pid if told is not None else but

    wait_until(lambda: pid() != but, SOON, "a writer runs")
    return pid()


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_another_is_started_when_it_dies(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "gatekey"):
        with Keeper(job) as keeper:
            first = running(job)
            assert os.getpriority(os.PRIO_PROCESS, first) > os.getpriority(os.PRIO_PROCESS, 0)
            os.kill(first, signal.SIGKILL)
            second = running(job, first)
            assert f"It ended with {-signal.SIGKILL}" in caplog.text
            caplog.clear()
        assert gone(second) and not caplog.records, "it ends with its keeper, and nothing is said of that"
    assert keeper is not None


def test_it_waits_for_the_one_before(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    """Such as that of a gateway which is about to end."""
    before = Writer(Path(job.folder), job.database)
    with caplog.at_level(logging.WARNING, "gatekey"), Keeper(job):
        with before.alone():
            wait_until(lambda: "Another process" in caplog.text, SOON, "it is said")
            assert heard(Path(job.folder)) is None
        assert not gone(running(job))


def test_it_is_told_nothing_that_it_need_not_know(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "sk-1")
    with Keeper(job, hidden=["A_SECRET"]):
        pid = running(job)
        assert b"sk-1" not in Path(f"/proc/{pid}/environ").read_bytes()
        assert job.database.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_one_that_does_not_end_is_killed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "END", 0.3)
    with Keeper(job):
        pid = running(job)
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
    assert gone(pid)
    assert time.monotonic() - began < SOON
    assert json.loads((Path(job.folder) / "writer.json").read_bytes())["pid"] == pid
