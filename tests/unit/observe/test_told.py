"""What the writer tells is heard whole, or not at all."""

import os
import time
from pathlib import Path

from gatekey.observe.told import FILE, Counts, heard, tell


def test_what_is_told_is_heard(tmp_path: Path) -> None:
    began = time.time() * 1000
    tell(tmp_path, Counts(stored=3, aside=1, torn=2, away=4), 512)
    told = heard(tmp_path)
    assert told is not None
    assert told.counts == Counts(stored=3, aside=1, torn=2, away=4)
    assert (told.waiting, told.pid) == (512, os.getpid())
    assert began - 1 <= told.at <= time.time() * 1000
    tell(tmp_path, Counts(stored=4), 0)
    told = heard(tmp_path)
    assert told is not None and told.counts.stored == 4
    assert [file.name for file in tmp_path.iterdir()] == [FILE], "nothing else is left"
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_nothing_was_told(tmp_path: Path) -> None:
    assert heard(tmp_path) is None
    assert heard(tmp_path / "nowhere") is None
    (tmp_path / FILE).write_bytes(b'{"at"')
    assert heard(tmp_path) is None
    tell(tmp_path / "nowhere", Counts(), 0)  # raises nothing
