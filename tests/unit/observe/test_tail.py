"""The reading side: every complete line once, whoever writes, however the file ends."""

import fcntl
import random
from pathlib import Path

import pytest

from gatekey.observe import tail as tails
from gatekey.observe.spool import Spool
from gatekey.observe.tail import Tail


def read(tail: Tail, rows: int = 1000, size: int = 10_000_000) -> list[bytes]:
    """The next lines, which have been through."""
    lines = tail.lines(rows, size)
    tail.advance({line.file: line.end for line in lines})
    return [line.data for line in lines]


def test_no_folder_no_lines(tmp_path: Path) -> None:
    assert Tail(tmp_path / "nowhere", {}).lines(10, 1000) == []


def test_lines_come_once_they_have_been_through(tmp_path: Path) -> None:
    spool, tail = Spool(tmp_path), Tail(tmp_path, {})
    spool.write(b"1")
    spool.write(b"2")
    for _ in range(2):
        assert [line.data for line in tail.lines(10, 1000)] == [b"1", b"2"], "until it is told that they are through"
    assert read(tail) == [b"1", b"2"]
    assert read(tail) == []
    spool.write(b"3")
    assert read(tail) == [b"3"]


def test_another_reader_goes_on_where_the_first_was(tmp_path: Path) -> None:
    spool, tail = Spool(tmp_path), Tail(tmp_path, {})
    for number in range(4):
        spool.write(b"%d" % number)
    lines = tail.lines(2, 1000)
    tail.close()
    assert [line.data for line in lines] == [b"0", b"1"]
    assert read(Tail(tmp_path, {lines[-1].file: lines[-1].end})) == [b"2", b"3"]


def test_rows_and_bytes_are_bounded(tmp_path: Path) -> None:
    spool, tail = Spool(tmp_path), Tail(tmp_path, {})
    for number in range(10):
        spool.write(b"%010d" % number)
    assert len(tail.lines(3, 1000)) == 3
    assert len(tail.lines(100, 25)) == 3, "no more once they have that many bytes"
    assert len(tail.lines(100, 1)) == 1, "but always one"


def test_a_file_is_deleted_once_it_is_through_and_ended(tmp_path: Path) -> None:
    spool, tail = Spool(tmp_path, segment=3), Tail(tmp_path, {})
    spool.write(b"12")  # which ends the first file
    spool.write(b"3")
    assert read(tail) == [b"12", b"3"]
    assert read(tail) == []
    [left] = tmp_path.iterdir()
    assert left.read_bytes() == b"3\n", "it may still grow"
    spool.close()
    assert read(tail) == []
    assert list(tmp_path.iterdir()) == []


def test_a_torn_end_is_counted_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "7-1000-0.jsonl").write_bytes(b'{"id":"1"}\n{"id":"2')
    tail = Tail(tmp_path, {})
    assert read(tail) == [b'{"id":"1"}']
    assert (read(tail), tail.torn) == ([], 1)
    assert "torn" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_an_end_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "7-1000-0.jsonl"
    with path.open("wb", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(b"12")
        tail = Tail(tmp_path, {})
        assert (read(tail), tail.torn) == ([], 0)
        file.write(b"3\n")
        assert read(tail) == [b"123"]
    assert (read(tail), tail.torn) == ([], 0)


def test_files_come_in_the_order_of_their_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "OPEN", 2)
    for name in ("9-1000-1", "9-1000-0", "10-999-0", "9-1000-10", "8-1001-2", "strange"):
        (tmp_path / f"{name}.jsonl").write_bytes(name.encode() + b"\n")
    tail, found = Tail(tmp_path, {}), []
    while lines := read(tail):
        found += lines
    assert found == [b"strange", b"10-999-0", b"9-1000-0", b"9-1000-1", b"9-1000-10", b"8-1001-2"]


def test_lines_longer_than_a_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "CHUNK", 64)
    spool, tail = Spool(tmp_path), Tail(tmp_path, {})
    dice = random.Random(1)
    wanted = [b"x" * dice.choice([1, 10, 63, 64, 65, 200, 1000]) for _ in range(200)]
    found: list[bytes] = []
    for line in wanted:
        spool.write(line)
        if dice.random() < 0.3:
            found += read(tail, dice.randint(1, 5), dice.randint(1, 500))
    while lines := read(tail):
        found += lines
    assert found == wanted


def test_what_is_no_file_of_the_spool_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "writer").write_text("id")
    (tmp_path / "rejected").write_text("{}\n")
    (tmp_path / "7-1000-0.new").write_text("")
    assert read(Tail(tmp_path, {})) == []
    assert len(list(tmp_path.iterdir())) == 3
