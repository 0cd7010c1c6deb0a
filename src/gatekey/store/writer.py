"""The writer: takes records out of the spool into the database, each exactly once.

One transaction has the rows, whatever is added up of them, and how far each file has been read: after a crash at any
point, what was committed is not read again, and what was not is. One writer serves a spool; it may be a process or a
thread. While the database is away the spool keeps what comes. A record that cannot be stored is put aside.
"""

import fcntl
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from gatekey.observe.record import Record, decode
from gatekey.observe.spool import waiting
from gatekey.observe.tail import Line, Tail
from gatekey.observe.told import EVERY, Counts, tell
from gatekey.store import logs
from gatekey.store.database import engine
from gatekey.store.tables import spool_positions

ROWS = 500
"""Records in a transaction: the database's lock is held for some milliseconds."""
BYTES = 4 * 1024 * 1024
"""Bytes after which a transaction takes no more records."""
POLL = 0.1
"""s between two looks at a spool that had nothing."""
REST = 2.0
"""How long the writer rests after a batch, in times of what it took, so that workers have the processor to themselves;
not while more than `CALM` waits."""
CALM = 32 * 1024 * 1024
"""Bytes of the spool's files up to which nothing is pressing: a few seconds of a busy gateway."""
AGAIN = (0.2, 5.0)
"""s until a database that was away is tried again: at first, and at most."""
DRAIN = 5.0
"""s that may be spent on what is left when the gateway ends. The spool keeps the rest for the next start."""
CARE = 60.0
"""s between two looks for what is too old. While there is more of it, one step follows the other."""
ASIDE = 64 * 1024 * 1024
"""Bytes of records that are put aside; any more are only counted."""

Also = Callable[[Connection, Sequence[Record]], None]
"""What else is written in the transaction of a batch."""
Sink = Callable[[Sequence[Record]], None]
"""What is told of a batch once it is stored."""
Care = Callable[[Connection, int], bool]
"""Deletes some of what is too old, given the time in ms since the epoch. Whether there is more."""

log = logging.getLogger("gatekey")


class Busy(Exception):
    """Another writer serves this spool."""


class _Read(NamedTuple):
    line: Line
    record: Record | None


class Writer:
    """Serves one spool. `counts` may be read at any time."""

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        also: Sequence[Also] = (),
        sinks: Sequence[Sink] = (),
        care: Sequence[Care] = (),
    ) -> None:
        """`folder`: the spool's; `url`: the database's."""
        self.counts = Counts()
        self._folder = folder
        self._engine = engine(url)
        self._also, self._sinks, self._care = also, sinks, care
        self._next_care = self._next_told = 0.0
        self._aside: set[tuple[str, int]] = set()
        self._id = ""
        self._torn = 0
        self._tail: Tail | None = None

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop`, then drain. Raises `Busy`."""
        with self.alone():
            again, end = AGAIN[0], None
            while True:
                if stop.is_set():
                    end = end or time.monotonic() + DRAIN
                began, took = time.monotonic(), 0.0
                try:
                    more = self.step() > 0
                    took = time.monotonic() - began
                    again = AGAIN[0]
                except SQLAlchemyError as error:
                    self._away(error)
                    more = not stop.wait(again)
                    again = min(2 * again, AGAIN[1])
                if time.monotonic() >= self._next_told:
                    self._say()
                if end and (not more or time.monotonic() > end):
                    break
                if not more:
                    stop.wait(POLL)
                elif not end and waiting(self._folder) < CALM:
                    stop.wait(REST * took)
            self._say()

    def step(self) -> int:
        """One batch, if there is one; how many lines it had. Only while `alone`.

        Raises `SQLAlchemyError` where the database is away.
        """
        if self._tail is None:
            self._tail = self._open()
        lines = self._tail.lines(ROWS, BYTES)
        self.counts.torn = self._torn + self._tail.torn
        if lines:
            self._keep(self._tail, [_Read(line, self._decoded(line)) for line in lines])
        if time.monotonic() >= self._next_care:
            self._next_care = time.monotonic() + (0.0 if self._clean() else CARE)
        return len(lines)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the spool's lock, which has the spool's name in the database. Raises `Busy`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / "writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._id = os.pread(lock, 64, 0).decode()
            if not self._id:
                self._id = uuid.uuid4().hex
                os.pwrite(lock, self._id.encode(), 0)
            yield
        except BlockingIOError:
            raise Busy from None
        finally:
            os.close(lock)
            self._close()
            self._engine.dispose()

    def _open(self) -> Tail:
        table = spool_positions
        with self._engine.connect() as connection:
            found = connection.execute(select(table.c.file, table.c.position).where(table.c.spool == self._id))
            return Tail(self._folder, {row.file: row.position for row in found})

    def _close(self) -> None:
        """Read again from where the database says: it may have kept a batch whose commit seemed to fail."""
        if self._tail is not None:
            self._torn += self._tail.torn
            self._tail.close()
            self._tail = None

    def _decoded(self, line: Line) -> Record | None:
        try:
            return decode(line.data)
        except Exception as error:  # whatever a line holds, the next one is read
            self._put_aside(line, error)
            return None

    def _keep(self, tail: Tail, batch: list[_Read]) -> None:
        """Store a batch. If it cannot be stored, its halves are, down to the record which is the reason."""
        try:
            self._commit(batch)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError):
                raise  # no record is the reason
            if len(batch) > 1:
                self._keep(tail, batch[: len(batch) // 2])
                self._keep(tail, batch[len(batch) // 2 :])
                return
            self._put_aside(batch[0].line, error)
            batch = [_Read(batch[0].line, None)]
            self._commit(batch)
        tail.advance(_ends(batch))
        self._aside.difference_update((read.line.file, read.line.end) for read in batch)
        self._tell([read.record for read in batch if read.record is not None])

    def _commit(self, batch: list[_Read]) -> None:
        kept = [(read.record, read.line.data.decode()) for read in batch if read.record is not None]
        with self._engine.begin() as connection:
            if kept:
                logs.add(connection, kept)
            for also in self._also if kept else ():
                also(connection, [record for record, _ in kept])
            for file, end in _ends(batch).items():
                self._stand(connection, file, end)

    def _stand(self, connection: Connection, file: str, end: int) -> None:
        """The file has been read up to there."""
        table = spool_positions
        key = (table.c.spool == self._id, table.c.file == file)
        if not connection.execute(update(table).where(*key).values(position=end)).rowcount:
            connection.execute(insert(table).values(spool=self._id, file=file, position=end))

    def _tell(self, records: list[Record]) -> None:
        self.counts.stored += len(records)
        for sink in self._sinks if records else ():
            try:
                sink(records)
            except Exception:
                log.exception("Records are stored, but what should be told of them failed.")

    def _put_aside(self, line: Line, error: Exception) -> None:
        """Keep a line that is no record, or one that the database does not take; once, however often it is tried."""
        if (line.file, line.end) in self._aside:
            return
        self._aside.add((line.file, line.end))
        self.counts.aside += 1
        path = self._folder / "rejected"
        if self.counts.aside.bit_count() == 1:  # the 1st, 2nd, 4th, 8th ...: it may be all of them
            log.error(
                "A record cannot be stored; it is put aside in %s (%d so far): %s", path, self.counts.aside, error
            )
        try:
            path.touch(0o600)
            with path.open("ab") as file:
                if file.tell() + len(line.data) < ASIDE:
                    file.write(line.data + b"\n")
        except OSError as failure:
            log.error("It could not be put aside either: %s", failure)

    def _clean(self) -> bool:
        """One step of what keeps the database small. Whether there is more to do."""
        now = int(time.time() * 1000)
        more = False
        for care in self._care or (_careless,):
            with self._engine.begin() as connection:
                # The first statement writes: SQLite would refuse at once to let a reader write after another writer.
                self._forget(connection)
                more = care(connection, now) or more
        return more

    def _forget(self, connection: Connection) -> None:
        """Positions in files that are gone."""
        there = [file.name for file in self._folder.iterdir()]
        table = spool_positions
        connection.execute(delete(table).where(table.c.spool == self._id, table.c.file.not_in(there)))

    def _say(self) -> None:
        """Tell the workers how it goes."""
        self._next_told = time.monotonic() + EVERY
        tell(self._folder, self.counts, waiting(self._folder))

    def _away(self, error: SQLAlchemyError) -> None:
        self._close()
        self.counts.away += 1
        if self.counts.away.bit_count() == 1:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            log.warning("The database cannot be written; records wait in %s: %s", self._folder, reason)


def _careless(connection: Connection, now: int) -> bool:
    """Nothing ever becomes too old."""
    return False


def _ends(batch: Iterable[_Read]) -> dict[str, int]:
    """How far the batch comes in each file."""
    return {read.line.file: read.line.end for read in batch}
