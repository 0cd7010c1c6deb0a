"""Sheets: what each process of a gateway has counted, in a file of its own, so that one scrape adds up all of them.

A process replaces its sheet whole, about once a second. A sheet is locked as long as its process lives, and the kernel
gives the lock back; what a dead one has left is added to `past`, exactly once, so that no count ever goes backwards.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from gatekey.observe.families import BY_NAME
from gatekey.observe.figures import OTHER, ROWS, Counts, Row

SUFFIX = ".sheet"
PAST = "past"
LOCK = "lock"

log = logging.getLogger("gatekey")

Kept = dict[str, list[tuple[Row, list[int]]]]
"""Counts as they are kept in a file."""


class Sheet(Struct):
    """What one process tells. `now`: family -> its value at this moment, of which nothing is left when it dies."""

    counts: Kept = {}
    now: dict[str, float] = {}


class _Past(Struct):
    """What dead processes have left. `names`: sheets that are in it and may not be deleted yet."""

    counts: Kept = {}
    names: list[str] = []


_Kind = TypeVar("_Kind", Sheet, _Past)


class Own:
    """This process's sheet. Raises nothing: what cannot be written is told with the next one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"{os.getpid()}-{time.time_ns()}{SUFFIX}"
        self._file = -1
        self._last = b""

    def write(self, counts: Counts, now: dict[str, float]) -> None:
        """Replace it, if it is not as it was."""
        data = msgspec.json.encode(Sheet({name: list(found.items()) for name, found in counts.items()}, now))
        if data == self._last:
            return
        hidden = self._path.with_suffix(".new")
        file = -1
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            # Locked before it can be seen: else its process could be taken for dead.
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.write(file, data) != len(data):
                raise OSError("the disk is full")
            hidden.rename(self._path)
        except OSError as error:
            log.debug("Metrics cannot be told to other workers: %s", error)
            if file >= 0:
                os.close(file)
            return
        self.close()
        self._file, self._last = file, data

    def close(self) -> None:
        """The process ends, or another sheet is in this one's place."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def begin(folder: Path) -> None:
    """A gateway starts: nothing is left of the one before."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)


def added_up(folder: Path) -> tuple[Counts, list[dict[str, float]]]:
    """The counts of all processes, those that died too; and what each living one says of this moment."""
    counts: Counts = {}
    living: list[dict[str, float]] = []
    with _locked(folder):
        past = _decoded(_read(folder / PAST), _Past)
        add(counts, past.counts)
        dead: list[tuple[Path, Sheet]] = []
        for path in sorted(folder.glob("*" + SUFFIX)):
            sheet, lives = _looked_at(path)
            if lives:
                living.append(sheet.now)
            elif path.name in past.names:
                path.unlink(missing_ok=True)
                continue
            else:
                dead.append((path, sheet))
            add(counts, sheet.counts)
        if dead:
            _bury(folder, past, dead)
    return counts, living


def _bury(folder: Path, past: _Past, dead: list[tuple[Path, Sheet]]) -> None:
    """Add dead processes' sheets to the past. After a crash at any point none is counted twice, and none is lost."""
    counts: Counts = {}
    for kept in (past.counts, *(sheet.counts for _, sheet in dead)):
        add(counts, kept)
    names = [name for name in past.names if (folder / name).exists()] + [path.name for path, _ in dead]
    new = folder / f"{PAST}.new"
    try:
        new.write_bytes(
            msgspec.json.encode(_Past({name: list(found.items()) for name, found in counts.items()}, names))
        )
        new.replace(folder / PAST)
        for path, _ in dead:
            path.unlink(missing_ok=True)
    except OSError as error:
        log.debug("Metrics of workers that have ended stay where they are: %s", error)


def add(counts: Counts, kept: Kept) -> None:
    """Add to `counts`, in place. Sets of labels beyond `ROWS` become one; what another version kept is left out."""
    for name, rows in kept.items():
        family = BY_NAME.get(name)
        if family is None:
            continue
        size = len(family.buckets) + 2 if family.buckets else 1
        found = counts.setdefault(name, {})
        for row, values in rows:
            if len(values) != size:
                continue
            if row not in found and len(found) >= ROWS:
                row = (OTHER,) * len(row)
            there = found.get(row)
            found[row] = list(values) if there is None else [a + b for a, b in zip(there, values, strict=True)]


def _looked_at(path: Path) -> tuple[Sheet, bool]:
    """A sheet, and whether its process lives."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Sheet(), True
    try:
        data = os.read(file, os.fstat(file).st_size)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            # One that was replaced while it was read is no longer locked, and its process lives.
            lives = os.fstat(file).st_nlink == 0
        except BlockingIOError:
            lives = True
    finally:
        os.close(file)
    return _decoded(data, Sheet), lives


def _read(path: Path) -> bytes:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b"{}"


def _decoded(data: bytes, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        log.warning("Metrics of a worker cannot be read: %s", error)
        return kind()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One looks at the sheets at a time."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
