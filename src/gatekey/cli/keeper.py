"""Keeps the writer running beside the workers: starts its process, starts it again when it dies, ends it last.

It has a thread of its own, since the main one runs the server, or watches over the workers.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

import msgspec

from gatekey.cli.writer import BUSY, Job

AGAIN = (0.2, 5.0)
"""s until a writer that died is started again: at first, and at most."""
SOON = 0.5
"""s until the first one is started: the workers' own start comes first."""
STEADY = 30.0
"""s that a writer must have lived for its end to count as the first one."""
END = 10.0
"""s from SIGTERM to SIGKILL: longer than the writer may drain."""

log = logging.getLogger("gatekey")


class Keeper:
    """While it is entered, a writer runs. `hidden`: variables that it needs not know."""

    def __init__(self, job: Job, hidden: Iterable[str] = ()) -> None:
        self._line = msgspec.json.encode(job) + b"\n"
        self._hidden = frozenset(hidden)
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="gatekey-writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._ending.set()
            if self._process is not None:
                self._process.terminate()
        self._thread.join(END)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join(END)

    def _keep(self) -> None:
        wait = AGAIN[0]
        self._ending.wait(SOON)
        while True:
            with self._lock:
                if self._ending.is_set():
                    return
                try:
                    self._process = self._started()
                except OSError as error:  # no process, no memory: perhaps later
                    log.error("The writer of records cannot be started: %s", error)
                    self._process = None
            began = time.monotonic()
            code = self._finished(self._process) if self._process is not None else 1
            if self._ending.is_set():
                return
            if time.monotonic() - began > STEADY:
                wait = AGAIN[0]
            why = "Another process writes the records of this data folder" if code == BUSY else f"It ended with {code}"
            log.warning("No writer of records runs: they wait in the spool. %s; next try in %g s.", why, wait)
            self._ending.wait(wait)
            wait = min(2 * wait, AGAIN[1])

    def _started(self) -> subprocess.Popen[bytes]:
        environ = {name: value for name, value in os.environ.items() if name not in self._hidden}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gatekey.cli.writer"], stdin=subprocess.PIPE, env=environ
        )
        assert process.stdin is not None
        with suppress(OSError):  # it has died already, which is noticed
            process.stdin.write(self._line)
            process.stdin.flush()
        return process

    def _finished(self, process: subprocess.Popen[bytes]) -> int:
        """The exit code. Its standard input stays open until then."""
        code = process.wait()
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        return code
