"""Start processes on a chosen core, stop every one of them, and read what they cost from /proc. Linux only.

What is read is always a whole process tree: a supervisor and its workers count as one system.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_CORES = sorted(os.sched_getaffinity(0))
MEASURED_CORE, LOAD_CORE = _CORES[0], _CORES[-1]
"""What is measured runs on the one; wrk and the fake upstreams on the other, where there is another."""

_TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")
"""Microseconds in one unit of utime and stime."""

_PATIENCE = 30.0
"""Seconds that a process may take to answer for the first time."""


@dataclass(slots=True)
class Running:
    """A process that answers at `port`. `startup`: seconds from its start to its first answer."""

    port: int
    child: subprocess.Popen[bytes]
    startup: float = 0.0

    def cpu(self) -> float:
        """Microseconds of CPU that the tree has used so far, in user and kernel mode."""
        return sum(_ticks(pid) for pid in _tree(self.child.pid)) * _TICK

    def memory(self) -> tuple[int, int]:
        """(resident now, highest resident), in bytes. A page that several processes share counts once now, and as often
        as it is shared in the highest."""
        found = [_memory(pid) for pid in _tree(self.child.pid)]
        return sum(now for now, _ in found), sum(peak for _, peak in found)

    def stop(self) -> None:
        """Ask it to go, and end it 5 s later if it has not gone."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGTERM)
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()


class DidNotStart(Exception):
    """A process ended, or did not answer in time. The text has the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a run takes place: a scratch folder, and the processes that end with it."""

    scratch: Path
    stack: ExitStack

    def start(
        self,
        name: str,
        command: list[str],
        port: int,
        *,
        core: int = MEASURED_CORE,
        health: str = "/health",
        env: Mapping[str, str] | None = None,
    ) -> Running:
        """Start `command` and wait until GET `health` at `port` answers anything. Raises `DidNotStart`."""
        log = self.scratch / f"{name}.log"
        began = time.perf_counter()
        with log.open("wb") as sink:
            child = subprocess.Popen(
                pinned(command, core),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        running = Running(port, child)
        self.stack.callback(running.stop)
        while not _answers(f"http://127.0.0.1:{port}{health}"):
            if child.poll() is not None or time.perf_counter() - began > _PATIENCE:
                raise DidNotStart(f"{' '.join(command)}\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)
        running.startup = time.perf_counter() - began
        return running


@contextmanager
def ground() -> Iterator[Ground]:
    """A scratch folder, gone at the end together with every process that was started on it."""
    with tempfile.TemporaryDirectory(prefix="gatekey-bench-") as folder, ExitStack() as stack:
        yield Ground(Path(folder), stack)


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pinned(command: list[str], core: int) -> list[str]:
    """The command, held to one core where there is a choice of cores."""
    return ["taskset", "-c", str(core), *command] if len(_CORES) > 1 else command


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _tree(root: int) -> Iterator[int]:
    yield root
    try:
        tasks = list(Path(f"/proc/{root}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _memory(pid: int) -> tuple[int, int]:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text() + Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    now, peak = (int(lines.get(key, "0 kB").split()[0]) * 1024 for key in ("Pss", "VmHWM"))
    return now, peak
