"""The spool: records on their way to the database, as lines in files, so that no record waits for SQL or dies with
its process.

Each worker appends to a file of its own, with one `write` for a record and no fsync: what is written survives the
process, however that dies; a crash of the whole machine may lose the last moments. A file is locked as long as it
grows, and the kernel gives the lock back: whoever can take it knows that no line will follow.
"""

import fcntl
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

SEGMENT = 4 * 1024 * 1024
"""Bytes after which a worker begins another file."""
BOUND = 1024 * 1024 * 1024
"""Bytes that all files together may take. It is looked at whenever a file is begun, so that each worker may go over it
by a segment."""
LINE = 16 * 1024 * 1024
"""Bytes of the longest record."""
AGAIN = 1.0
"""s between two tries to begin a file, while the spool or the disk is full."""
SUFFIX = ".jsonl"

log = logging.getLogger("gatekey")


class Spool:
    """The writing side, of one worker. `written` and `lost` count records: one that finds no room is lost, counted, and
    said in the log. Nothing raises."""

    def __init__(self, folder: Path, bound: int = BOUND, segment: int = SEGMENT) -> None:
        """`bound` and `segment` in bytes."""
        self.written = 0
        self.lost = 0
        self._folder = folder
        self._bound = bound
        self._segment = segment
        self._name = f"{os.getpid()}-{time.time_ns() // 1_000_000}"
        self._files = 0
        self._file = -1
        self._size = 0
        self._next_try = 0.0
        self._lost_before = 0
        self._rested_at = 0

    def write(self, line: bytes) -> bool:
        """Append a record: JSON, whose newlines can only be space between its values. Whether it is kept."""
        # A body that was sent with newlines is in the record as it came.
        line = line.replace(b"\n", b" ") + b"\n"
        if len(line) > LINE or (self._file < 0 and not self._begin()):
            return self._lose("it is too long" if len(line) > LINE else "the spool is full or cannot be written")
        try:
            whole = os.write(self._file, line) == len(line)
        except OSError:
            whole = False
        if not whole:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            self._end()
            self._next_try = time.monotonic() + AGAIN
            return self._lose("the disk is full")
        self.written += 1
        self._size += len(line)
        if self._size >= self._segment:
            self._end()
        return True

    def rest(self) -> None:
        """End the file if nothing was written since the last call, so that it can be deleted. For a slow timer."""
        if self._rested_at == self.written:
            self._end()
        self._rested_at = self.written

    def close(self) -> None:
        """No record follows."""
        self._end()

    def _begin(self) -> bool:
        """Begin a file; whether there is room for one."""
        if time.monotonic() < self._next_try:
            return False
        self._next_try = time.monotonic() + AGAIN
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if waiting(self._folder) >= self._bound:
                return False
            path = self._folder / f"{self._name}-{self._files}{SUFFIX}"
            # Locked before it can be seen: else it could be taken for one that has ended.
            hidden = path.with_suffix(".new")
            self._file = os.open(hidden, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            hidden.rename(path)
        except OSError:
            self._end()
            return False
        self._files += 1
        self._size = 0
        self._next_try = 0.0
        if self._lost_before != self.lost:
            log.warning("Records are kept again; %d were lost.", self.lost - self._lost_before)
            self._lost_before = self.lost
        return True

    def _end(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _lose(self, why: str) -> bool:
        if self.lost == self._lost_before:
            log.error("Records are lost: %s (%s). GET /metrics counts them.", why, self._folder)
        self.lost += 1
        return False


def waiting(folder: Path) -> int:
    """Bytes in the spool's files."""
    total = 0
    with os.scandir(folder) as found:
        for file in found:
            with suppress(FileNotFoundError):  # consumed meanwhile
                total += file.stat().st_size if file.name.endswith(SUFFIX) else 0
    return total
