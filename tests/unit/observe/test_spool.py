"""What is written is there, line by line, whatever happens in between."""

import fcntl
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gatekey.observe import spool as spools
from gatekey.observe.spool import Spool

Write = Callable[[int, bytes], int]


def lines(folder: Path) -> list[bytes]:
    """All complete lines, file by file in the order of their making."""
    files = sorted(folder.glob("*.jsonl"), key=lambda file: int(file.stem.rpartition("-")[2]))
    return [line for file in files for line in file.read_bytes().splitlines()]


def test_a_record_is_there_as_soon_as_it_is_written(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert spool.write(b'{"id":"1"}')
    assert lines(tmp_path / "spool") == [b'{"id":"1"}']
    assert spool.write(b'{"id":"2"}')
    assert lines(tmp_path / "spool") == [b'{"id":"1"}', b'{"id":"2"}']
    assert (spool.written, spool.lost) == (2, 0)


def test_a_body_with_newlines_is_one_line(tmp_path: Path) -> None:
    Spool(tmp_path).write(b'{"request":{\n  "a": 1\n}}')
    assert lines(tmp_path) == [b'{"request":{   "a": 1 }}']


def test_files_are_nobody_elses_business(tmp_path: Path) -> None:
    Spool(tmp_path / "spool").write(b"{}")
    [file] = (tmp_path / "spool").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_full_segment_is_ended_and_the_next_begun(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment=20)
    for number in range(5):
        assert spool.write(b'{"id":"%d"}' % number)
    assert len(list(tmp_path.glob("*.jsonl"))) == 3
    assert lines(tmp_path) == [b'{"id":"%d"}' % number for number in range(5)]


def test_a_file_is_locked_as_long_as_it_grows(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"{}")
    [file] = tmp_path.iterdir()
    with file.open("rb") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        spool.close()
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_file_that_rests_is_ended(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"1")
    spool.rest()
    spool.write(b"2")
    spool.rest()
    assert len(list(tmp_path.iterdir())) == 1
    spool.rest()
    spool.write(b"3")
    assert len(list(tmp_path.iterdir())) == 2


def test_over_the_bound_records_are_lost_counted_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(spools.time, "monotonic", lambda: now)
    spool = Spool(tmp_path, bound=25, segment=10)
    with caplog.at_level(logging.WARNING, "gatekey"):
        kept = [spool.write(b'{"id":"%d"}' % number) for number in range(6)]
        assert kept == [True, True, True, False, False, False]
        assert (spool.written, spool.lost) == (3, 3)
        assert len(caplog.records) == 1 and caplog.records[0].levelname == "ERROR"
        for file in tmp_path.iterdir():
            file.unlink()
        assert not spool.write(b"{}"), "the folder is not looked at for every record"
        now += spools.AGAIN
        assert spool.write(b"{}")
    assert len(caplog.records) == 2 and "4 were lost" in caplog.records[1].getMessage()
    assert lines(tmp_path) == [b"{}"]


def test_a_short_write_does_not_touch_the_next_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(spools.time, "monotonic", lambda: now)
    spool = Spool(tmp_path)
    spool.write(b'{"id":"1"}')
    real: Write = os.write
    for refused in (lambda file, data: real(file, data[:4]), _full):
        monkeypatch.setattr(spools.os, "write", refused)
        assert not spool.write(b'{"id":"2"}')
        monkeypatch.setattr(spools.os, "write", real)
        now += spools.AGAIN
        assert spool.write(b'{"id":"3"}')
    assert lines(tmp_path) == [b'{"id":"1"}', b'{"id":"3"}', b'{"id":"3"}']
    assert spool.lost == 2


def _full(file: int, data: bytes) -> int:
    raise OSError(28, "No space left on device")


def test_a_record_without_end_is_lost_and_the_others_are_not(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.write(b"1")
    assert not spool.write(b"x" * spools.LINE)
    assert spool.write(b"2")
    assert lines(tmp_path) == [b"1", b"2"]


def test_a_folder_that_cannot_be_written_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool")
    assert not spool.write(b"{}")
    assert spool.lost == 1
