"""Sheets are added up: of the living and of the dead, each exactly once, whatever happens in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatekey.observe import families, sheets
from gatekey.observe.figures import OTHER, ROWS, Counts

NAME = families.UNPRICED.name
PROGRAM = """
import sys
from pathlib import Path
from gatekey.observe.sheets import Own
own = Own(Path(sys.argv[1]))
for line in sys.stdin:
    own.write({sys.argv[2]: {(): [int(line)]}}, {"gatekey_workers": 1.0})
    print(flush=True)
"""


class Process:
    """Another process with a sheet, whose only count is what it was told last."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", PROGRAM, str(folder), NAME]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tell(self, number: int) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(b"%d\n" % number)
        self._process.stdin.flush()
        self._process.stdout.readline()

    def die(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


@contextmanager
def processes(folder: Path, count: int) -> Iterator[list[Process]]:
    running = [Process(folder) for _ in range(count)]
    try:
        yield running
    finally:
        for each in running:
            each.die()


def found(folder: Path) -> tuple[int, int]:
    """The sum of all counts, and how many live."""
    counts, living = sheets.added_up(folder)
    return counts.get(NAME, {}).get((), [0])[0], len(living)


def test_the_living_and_the_dead(tmp_path: Path) -> None:
    assert found(tmp_path) == (0, 0)
    own = sheets.Own(tmp_path)
    own.write({NAME: {(): [100]}}, {})
    with processes(tmp_path, 2) as (one, other):
        one.tell(1)
        other.tell(10)
        assert found(tmp_path) == (111, 3)
        one.tell(3)
        assert found(tmp_path) == (113, 3)
        one.die()
        for _ in range(3):
            assert found(tmp_path) == (113, 2)
        other.tell(20)
        other.die()
        assert found(tmp_path) == (123, 1)
    own.close()
    assert found(tmp_path) == (123, 0)
    assert {path.name for path in tmp_path.iterdir()} == {sheets.PAST, sheets.LOCK}


def test_a_crash_between_two_steps_counts_nothing_twice(tmp_path: Path) -> None:
    """The past has been replaced, the dead sheet is still there."""
    own = sheets.Own(tmp_path)
    own.write({NAME: {(): [5]}}, {})
    own.close()
    path = next(tmp_path.glob("*.sheet"))
    data = path.read_bytes()
    assert found(tmp_path) == (5, 0)
    path.write_bytes(data)
    for _ in range(2):
        assert found(tmp_path) == (5, 0)
    assert not path.exists()


def test_a_sheet_that_was_replaced_while_it_was_read_is_of_the_living(tmp_path: Path) -> None:
    own = sheets.Own(tmp_path)
    own.write({NAME: {(): [5]}}, {})
    path = next(tmp_path.glob("*.sheet"))
    before = os.open(path, os.O_RDONLY)
    own.write({NAME: {(): [6]}}, {})
    assert os.fstat(before).st_nlink == 0  # what it goes by
    os.close(before)
    assert found(tmp_path) == (6, 1)


def test_nothing_is_written_where_nothing_has_changed(tmp_path: Path) -> None:
    own = sheets.Own(tmp_path)
    own.write({NAME: {(): [5]}}, {})
    written = next(tmp_path.glob("*.sheet")).stat()
    own.write({NAME: {(): [5]}}, {})
    assert next(tmp_path.glob("*.sheet")).stat().st_ino == written.st_ino


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    own = sheets.Own(tmp_path / "file")
    own.write({NAME: {(): [5]}}, {})
    own.close()


def test_what_cannot_be_read_and_what_another_version_kept_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "1-1.sheet").write_bytes(b"{nonsense")
    counts: Counts = {}
    sheets.add(counts, {"gone": [((), [1])], families.OVERHEAD.name: [(("chat", "false"), [1, 2])]})
    assert not counts.get(families.OVERHEAD.name)
    assert found(tmp_path) == (0, 0)


def test_sets_of_labels_are_bounded(tmp_path: Path) -> None:
    counts: Counts = {}
    for worker in "ab":
        sheets.add(counts, {families.ATTEMPTS.name: [((f"{worker}{n}", "200", "x"), [1]) for n in range(ROWS)]})
    assert len(counts[families.ATTEMPTS.name]) == ROWS + 1
    assert counts[families.ATTEMPTS.name][(OTHER,) * 3] == [ROWS]


def test_a_start_leaves_nothing_of_before(tmp_path: Path) -> None:
    own = sheets.Own(tmp_path)
    own.write({NAME: {(): [5]}}, {})
    own.close()
    sheets.begin(tmp_path)
    assert found(tmp_path) == (0, 0)
    sheets.begin(tmp_path / "none")
