"""Records become rows, each exactly once, whatever fails in between."""

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from gatekey.observe.record import Record, encode
from gatekey.observe.spool import Spool
from gatekey.observe.told import heard
from gatekey.store import writer as writers
from gatekey.store.database import engine
from gatekey.store.retention import Retention
from gatekey.store.tables import log_records, logs, spool_positions
from gatekey.store.writer import Busy, Writer
from tests import databases
from tests.fake import wait_until


def record(id: str, **more: Any) -> Record:
    return Record(id=id, created_at=1_000, kind="chat", method="POST", path="/v1/chat/completions", status=200, **more)


class Shop:
    """A spool, its writer, and what the database has."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder / "spool", url
        self.spool = Spool(self.folder)
        self.engine = engine(url)

    def put(self, *ids: str, **more: Any) -> None:
        for id in ids:
            assert self.spool.write(encode(record(id, **more)))

    def writer(self, **options: Any) -> Writer:
        return Writer(self.folder, self.url, **options)

    def serve(self, **options: Any) -> Writer:
        """A writer that drains the spool and ends."""
        made, stop = self.writer(**options), threading.Event()
        stop.set()
        made.run(stop)
        return made

    def ids(self) -> list[str]:
        with self.engine.connect() as connection:
            joined = select(logs.c.id).join(log_records, logs.c.number == log_records.c.number)
            return list(connection.execute(joined.order_by(logs.c.number)).scalars())

    def positions(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(spool_positions)).scalar_one())


@pytest.fixture
def shop(tmp_path: Path, url: str) -> Iterator[Shop]:
    made = Shop(tmp_path, url)
    yield made
    made.engine.dispose()


def test_records_become_rows_in_their_order(shop: Shop) -> None:
    shop.put(*"abc")
    writer = shop.serve()
    assert shop.ids() == list("abc")
    assert writer.counts.stored == 3
    told = heard(shop.folder)
    assert told is not None and told.counts.stored == 3
    shop.put(*"de")
    shop.serve()
    assert shop.ids() == list("abcde")


def test_many_in_several_transactions(shop: Shop) -> None:
    wanted = [f"{number:04}" for number in range(2 * writers.ROWS + 1)]
    shop.put(*wanted)
    shop.serve()
    assert shop.ids() == wanted


class Patience(threading.Event):
    """Waits for nothing, and keeps how long it was asked to."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.asked: list[float] = []
        self._rounds = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout or 0.0)
        if len(self.asked) >= self._rounds:
            self.set()
        return self.is_set()


@pytest.mark.parametrize(("calm", "rests"), [(writers.CALM, 3), (0, 0)])
def test_it_rests_unless_much_is_waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch, calm: int, rests: int) -> None:
    monkeypatch.setattr(writers, "ROWS", 2)
    monkeypatch.setattr(writers, "CALM", calm)
    shop.put(*"abcdef")
    stop = Patience(4 if calm else 1)
    shop.writer().run(stop)
    assert shop.ids() == list("abcdef")
    assert len([took for took in stop.asked if took != writers.POLL]) == rests


def test_one_writer_for_a_spool(shop: Shop) -> None:
    stop, first = threading.Event(), shop.writer()
    thread = threading.Thread(target=first.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: heard(shop.folder) is not None)
        with pytest.raises(Busy):
            shop.serve()
        shop.put("a")
        wait_until(lambda: shop.ids() == ["a"])
    finally:
        stop.set()
        thread.join(10)
    shop.put("b")
    shop.serve()
    assert shop.ids() == ["a", "b"]


def test_a_batch_is_all_or_nothing_and_comes_again(shop: Shop) -> None:
    """The database fails after the rows were written: neither rows nor sums nor the position stay."""
    seen: list[int] = []

    def failing(connection: Connection, records: Sequence[Record]) -> None:
        seen.append(len(records))
        if len(seen) < 3:
            raise OperationalError("INSERT", {}, Exception("gone"))

    shop.put(*"abc")
    writer = shop.writer(also=[failing])
    with writer.alone():
        for _ in range(2):
            with pytest.raises(OperationalError):
                writer.step()
            assert shop.ids() == []
        writer.step()
    assert (shop.ids(), seen) == (list("abc"), [3, 3, 3])


def test_a_commit_that_seemed_to_fail(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks when the database has committed, before it has said so."""
    commit = Writer._commit
    broken: list[int] = []

    def breaking(self: Writer, batch: Any) -> None:
        commit(self, batch)
        if not broken:
            broken.append(len(batch))
            raise OperationalError("COMMIT", {}, Exception("the connection was lost"))

    monkeypatch.setattr(Writer, "_commit", breaking)
    monkeypatch.setattr(writers, "AGAIN", (0.01, 0.01))
    shop.put(*"abc")
    stop, writer = threading.Event(), shop.writer()
    thread = threading.Thread(target=writer.run, args=(stop,))
    thread.start()
    wait_until(lambda: writer.counts.away == 1)
    shop.put("d")
    wait_until(lambda: shop.ids() == list("abcd"))
    stop.set()
    thread.join(10)
    assert (shop.ids(), broken) == (list("abcd"), [3])


def test_a_record_that_cannot_be_stored_is_put_aside(shop: Shop) -> None:
    shop.put("a")
    deep = b'{"id":"deep","created_at":1,"kind":"k","method":"M","path":"/","request":' + b"[" * 9000 + b"]" * 9000
    for line in (b"{", b'{"id":"b"}', b'"\xff"', deep + b"}", encode(record("huge", cost=2**70))):
        assert shop.spool.write(line)
    shop.put("c")
    writer = shop.serve()
    assert shop.ids() == ["a", "c"]
    assert (writer.counts.stored, writer.counts.aside) == (2, 5)
    rejected = (shop.folder / "rejected").read_bytes().splitlines()
    assert rejected[:3] == [b"{", b'{"id":"b"}', b'"\xff"']
    assert json.loads(rejected[-1])["id"] == "huge"
    shop.serve()
    assert shop.ids() == ["a", "c"]
    assert len((shop.folder / "rejected").read_bytes().splitlines()) == 5, "once"


def test_what_callers_may_write_is_stored(shop: Shop) -> None:
    odd = {"user": "\0nul", "trace_id": "x" * 1000, "metadata": {"a\0b": "c\0d", "": "", "ü": "😀" * 128}}
    odd |= {"model": "'; DROP TABLE logs; --", "error": "\0"}
    shop.put("a", **odd)
    writer = shop.serve()
    assert (shop.ids(), writer.counts.aside) == (["a"], 0)


def test_positions_of_files_that_are_gone_are_forgotten(shop: Shop) -> None:
    shop.spool = Spool(shop.folder, segment=10)
    shop.put(*"abc")
    writer = shop.writer()
    with writer.alone():
        assert writer.step() == 3
        assert shop.positions() == 3
        writer.step()
    assert not list(shop.folder.glob("*.jsonl"))
    shop.serve()
    assert shop.positions() == 0


def test_what_is_too_old_is_deleted_step_by_step(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatekey.store.retention.STEP", 2)
    shop.put(*"abcde")
    shop.serve()
    care = Retention(logs=1000, sums=1000)
    writer = shop.writer(care=[care.logs, care.sums])
    left = []
    with writer.alone():
        for _ in range(4):
            writer.step()
            left.append(len(shop.ids()))
    assert left == [3, 1, 0, 0]
    with shop.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(log_records)).scalar_one() == 0
    shop.put("young")
    care = Retention(logs=10**15, sums=10**15)
    shop.serve(care=[care.logs, care.sums])
    assert shop.ids() == ["young"]


def test_sinks_are_told_of_what_is_stored(shop: Shop) -> None:
    told: list[str] = []

    def sink(records: Sequence[Record]) -> None:
        told.extend(record.id for record in records)
        raise RuntimeError("somebody else's trouble")

    shop.put(*"ab")
    shop.serve(sinks=[sink])
    assert (told, shop.ids()) == (["a", "b"], ["a", "b"])


def test_a_copied_spool_is_the_other_databases_news(shop: Shop, tmp_path: Path) -> None:
    """Positions are the database's own: another one, empty, gets what the files still have."""
    shop.put(*"ab")
    shop.serve()
    (tmp_path / "other").mkdir()
    with databases.migrated("sqlite", tmp_path / "other") as url:
        other = Shop(tmp_path, url)
        other.spool.close()
        other.serve()
        assert other.ids() == ["a", "b"]
        other.engine.dispose()


def test_the_database_is_away(tmp_path: Path) -> None:
    """A real PostgreSQL that is stopped, and comes back."""
    with databases.migrated("postgresql", tmp_path) as url:
        shop = Shop(tmp_path, url)
        stop, writer = threading.Event(), shop.writer()
        thread = threading.Thread(target=writer.run, args=(stop,))
        thread.start()
        try:
            shop.put("before")
            wait_until(lambda: shop.ids() == ["before"])
            databases.postgres().stop()
            shop.put("a", "b")
            wait_until(lambda: writer.counts.away > 0, 20)
            databases.postgres().start()
            shop.engine.dispose()
            wait_until(lambda: shop.ids() == ["before", "a", "b"], 20)
        finally:
            stop.set()
            thread.join(20)
        shop.engine.dispose()
