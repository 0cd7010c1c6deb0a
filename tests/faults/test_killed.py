"""Whoever is killed, and whenever: every answered request has one record, and none has two."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from uuid import uuid4

from gatekey.vault import new_key
from tests import databases
from tests.asking import CHAT, CHATS, STREAM, at
from tests.fake import Fake, wait_until
from tests.gateway import PATIENCE, Gateway
from tests.stored import ask


class Crowd:
    """Callers who ask on and on, and know which of their requests were answered whole."""

    def __init__(self, gateway: Gateway, fake: Fake, callers: int = 4) -> None:
        self.name = uuid4().hex
        self.answered: list[str] = []
        self._gateway, self._fake = gateway, fake
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(callers)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def wait(self, count: int) -> None:
        wait_until(lambda: len(self.answered) >= count, PATIENCE, f"{count} answers")

    def _ask(self, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            mine = f"{self.name}-{number}-{count}"
            streamed = count % 3 == 0
            try:
                headers = at(self._fake, x_portkey_trace_id=mine)
                answer = self._gateway.call("POST", CHATS, headers, STREAM if streamed else CHAT, timeout=3)
            except (OSError, ValueError, AssertionError):
                time.sleep(0.02)
                continue
            except Exception:  # the answer broke off
                continue
            if answer.status == 200 and (not streamed or answer.body.rstrip().endswith(b"[DONE]")):
                self.answered.append(mine)


def traces(gateway: Gateway) -> list[str]:
    """The trace id of every record, in all pages."""
    found: list[str] = []
    while rows := ask(gateway, "GET", f"/logs?page_size=1000&current_page={len(found) // 1000}")["data"]:
        found += [row["trace_id"] for row in rows]
        if len(rows) < 1000:
            break
    return found


def hold(gateway: Gateway, crowd: Crowd) -> None:
    """Each answered request has its record; no request has two."""
    wanted = set(crowd.answered)
    assert len(wanted) >= 20
    wait_until(lambda: wanted <= set(traces(gateway)), PATIENCE, "every answered request is recorded")
    found = settled(gateway)
    assert len(found) == len(set(found)), "none twice"
    requests = ask(gateway, "GET", "/analytics/graphs/requests")["summary"]["total"]
    assert requests == len(found), "nor are the sums"


def settled(gateway: Gateway) -> list[str]:
    """The same, once none has come for a while."""
    before, found = -1, traces(gateway)
    while len(found) != before:
        before = len(found)
        time.sleep(0.7)
        found = traces(gateway)
    return found


def family(gateway: Gateway) -> list[int]:
    """The gateway's process and all below it."""
    told = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in told.splitlines())}
    found = [gateway.process.pid]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def writer(gateway: Gateway) -> int:
    """The writer's process."""
    told = gateway.data / "spool" / "writer.json"
    wait_until(told.exists, PATIENCE, "a writer runs")
    return int(json.loads(told.read_bytes())["pid"])


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_the_whole_group(fake: Fake, tmp_path: Path) -> None:
    """At once and in the middle of everything; the next start finds all that was answered."""
    gateway = Gateway(args=("--workers", "2"), data=tmp_path / "data")
    gateway.__enter__()
    try:
        with Crowd(gateway, fake) as crowd:
            crowd.wait(40)
            kill(*family(gateway))
    finally:
        gateway._end()
    with Gateway(data=tmp_path / "data") as again:
        hold(again, crowd)


def test_the_writer_alone_in_the_middle_of_its_work(fake: Fake) -> None:
    with Gateway() as gateway, Crowd(gateway, fake) as crowd:
        dead: set[int] = set()
        for _ in range(2):
            wait_until(lambda: writer(gateway) not in dead, PATIENCE, "another writer runs")
            seen = len(crowd.answered)
            crowd.wait(seen + 15)
            dead.add(writer(gateway))
            kill(writer(gateway))
        crowd.__exit__()
        hold(gateway, crowd)
        assert writer(gateway) not in dead
        assert "No writer of records runs" in gateway.log


def test_a_worker(fake: Fake) -> None:
    with Gateway(args=("--workers", "2")) as gateway, Crowd(gateway, fake) as crowd:
        crowd.wait(15)
        scribe = writer(gateway)
        # The server's parent has a process beside its workers that tracks what they share.
        workers = [pid for pid in family(gateway)[1:] if pid != scribe and b"spawn_main" in _command(pid)]
        assert len(workers) == 2
        kill(workers[0])
        seen = len(crowd.answered)
        crowd.wait(seen + 30)
        crowd.__exit__()
        hold(gateway, crowd)


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_parent_alone_takes_the_writer_along(fake: Fake) -> None:
    gateway = Gateway()
    gateway.__enter__()
    try:
        with Crowd(gateway, fake) as crowd:
            crowd.wait(20)
            scribe = writer(gateway)
            kill(gateway.process.pid)
        gateway.process.wait()
        wait_until(lambda: not Path(f"/proc/{scribe}").exists(), PATIENCE, "the writer has ended by itself")
        with Gateway(data=gateway.data) as again:
            hold(again, crowd)
    finally:
        gateway._end()


def test_the_database_is_away(fake: Fake, tmp_path: Path) -> None:
    """Traffic goes on, and its records arrive when the database is back."""
    with (
        databases.empty("postgresql", tmp_path) as url,
        Gateway(env={"GATEKEY_DATABASE_URL": url, "GATEKEY_MASTER_KEY": new_key()}) as gateway,
    ):
        writer(gateway)
        databases.postgres().stop()
        try:
            with Crowd(gateway, fake, callers=2) as crowd:
                crowd.wait(30)
        finally:
            databases.postgres().start()
        wait_until(lambda: gateway.call("GET", "/v1/logs").status == 200, PATIENCE, "the database is back")
        hold(gateway, crowd)


def test_what_is_left_when_it_ends_is_stored_before(fake: Fake, tmp_path: Path) -> None:
    with Gateway(data=tmp_path) as gateway, Crowd(gateway, fake) as crowd:
        writer(gateway)
        crowd.wait(50)
        crowd.__exit__()
    assert not list((tmp_path / "spool").glob("*.jsonl"))


def test_a_signal_to_the_whole_group(fake: Fake, tmp_path: Path) -> None:
    """As from a service manager: whoever ends first, no record is lost."""
    with Gateway(data=tmp_path) as gateway, Crowd(gateway, fake) as crowd:
        writer(gateway)
        crowd.wait(20)
        for pid in family(gateway):
            os.kill(pid, signal.SIGTERM)
        gateway.process.wait(PATIENCE)
        crowd.__exit__()
    with Gateway(data=tmp_path) as again:
        hold(again, crowd)
