"""The reading side of the spool: complete lines of all files, each with where it ends.

Whoever reads keeps the positions up to which it has been through, and is given the lines behind them; a file that is
consumed and that nobody writes any more is deleted. A last line without an end is being written, or was torn by the
end of its process: then it is counted, and skipped.
"""

import fcntl
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from gatekey.observe.spool import LINE, SUFFIX

CHUNK = 1024 * 1024
"""Bytes of a file that are read at once, where its lines are not longer."""
OPEN = 64
"""Files that are read at a time, the oldest first."""

log = logging.getLogger("gatekey")


class Line(NamedTuple):
    """A line, without its newline. `end`: the position behind it in its file."""

    file: str
    end: int
    data: bytes


class _File(Struct):
    path: Path
    descriptor: int
    position: int


class Tail:
    """All files of a spool's folder, for one reader. `torn` counts last lines that never got their end."""

    def __init__(self, folder: Path, positions: Mapping[str, int]) -> None:
        """`positions`: by file name, how many bytes of it have been through."""
        self.torn = 0
        self._folder = folder
        self._known = dict(positions)
        self._files: dict[str, _File] = {}

    def lines(self, rows: int, size: int) -> list[Line]:
        """The next lines: at most `rows`, and no more once they have `size` bytes. Deletes files that are done."""
        while True:
            self._look()
            before = len(self._files)
            found = self._next(rows, size)
            # Files that are deleted make room for others: nothing is all that there is only where none was.
            if found or len(self._files) == before:
                return found

    def _next(self, rows: int, size: int) -> list[Line]:
        found: list[Line] = []
        for name, file in list(self._files.items()):
            if rows <= 0 or size <= 0:
                break
            data = self._complete(file) or self._last(name, file)
            end = file.position
            for line in data.split(b"\n")[:-1][:rows]:
                end += len(line) + 1
                found.append(Line(name, end, line))
                rows, size = rows - 1, size - len(line)
                if size <= 0:
                    break
        return found

    def advance(self, ends: Mapping[str, int]) -> None:
        """The lines up to these positions have been through."""
        for name, end in ends.items():
            self._files[name].position = end

    def close(self) -> None:
        """Let go of every file."""
        for file in self._files.values():
            os.close(file.descriptor)
        self._files.clear()

    def _look(self) -> None:
        """Open files that are new, the oldest first."""
        try:
            there = {entry.name for entry in os.scandir(self._folder) if entry.name.endswith(SUFFIX)}
        except FileNotFoundError:
            return
        for name in sorted(there - self._files.keys(), key=_age)[: OPEN - len(self._files)]:
            path = self._folder / name
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._files[name] = _File(path, descriptor, self._known.pop(name, 0))

    def _complete(self, file: _File) -> bytes:
        """Complete lines from the position on; nothing where there is none yet."""
        data = os.pread(file.descriptor, CHUNK, file.position)
        if len(data) == CHUNK and b"\n" not in data:
            data = os.pread(file.descriptor, LINE, file.position)
        return data[: data.rfind(b"\n") + 1]

    def _last(self, name: str, file: _File) -> bytes:
        """The end of a file that nobody writes any more: lines that came meanwhile. It is deleted once it is empty."""
        try:
            fcntl.flock(file.descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return b""
        data = self._complete(file)
        if not data:
            rest = os.fstat(file.descriptor).st_size - file.position
            if rest:
                self.torn += 1
                log.warning("%s ends with a torn record of %d bytes, which is skipped.", file.path, rest)
            file.path.unlink(missing_ok=True)
            os.close(file.descriptor)
            del self._files[name]
        return data


def _age(name: str) -> tuple[int, ...]:
    """Sorts `<pid>-<start>-<n>` by start, then number."""
    parts = name.removesuffix(SUFFIX).split("-")[1:]
    return tuple(int(part) if part.isdigit() else 0 for part in parts)
