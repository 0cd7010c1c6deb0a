"""Start processes on a chosen core, and read what they cost from /proc. Linux only.

What is read is always a whole process tree: a supervisor and its workers count as one gateway.
"""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")
"""Microseconds in one unit of utime and stime."""

_PATIENCE = 30.0
"""Seconds that a process may take to answer for the first time."""


@dataclass(slots=True)
class Running:
    """A process that answers at `port`. `startup`: seconds from its start to its first answer."""

    port: int
    child: subprocess.Popen[bytes]
    startup: float

    def cpu(self) -> float:
        """Microseconds of CPU that the tree has used so far, in user and kernel mode."""
        return sum(_ticks(pid) for pid in _tree(self.child.pid)) * _TICK

    def memory(self) -> tuple[int, int]:
        """(resident now, highest resident), in bytes. Pages shared by two processes count twice."""
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


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pinned(command: list[str], core: int) -> list[str]:
    """The command, held to one core where the machine has more than one."""
    return ["taskset", "-c", str(core), *command] if (os.cpu_count() or 1) > 1 else command


def start(
    command: list[str], port: int, log: Path, *, core: int, health: str = "/health", env: Mapping[str, str] | None = None
) -> Running:
    """Start `command` and wait until GET `health` at `port` answers anything. RuntimeError where it does not."""
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
    running = Running(port, child, 0.0)
    while not _answers(f"http://127.0.0.1:{port}{health}"):
        if child.poll() is not None or time.perf_counter() - began > _PATIENCE:
            running.stop()
            raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.01)
    running.startup = time.perf_counter() - began
    return running


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
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    except OSError:
        return 0, 0
    return _kilobytes(lines.get("VmRSS", "0")), _kilobytes(lines.get("VmHWM", "0"))


def _kilobytes(text: str) -> int:
    return int(text.split()[0]) * 1024
