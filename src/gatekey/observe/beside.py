"""What a process beside the workers tells of itself: its counts, in a sheet that a thread of its own writes."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from gatekey.observe.families import Family
from gatekey.observe.metrics import EVERY
from gatekey.observe.sheets import Own


class Beside:
    """While it is entered, it tells. `counts`: families without labels, and what each has come to."""

    def __init__(self, folder: Path, counts: Mapping[Family, Callable[[], int]]) -> None:
        """`folder`: of the sheets."""
        self._own = Own(folder)
        self._counts = {family.name: count for family, count in counts.items()}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gatekey-sheet", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """A last time."""
        self._ending.set()
        self._thread.join()
        self._write()
        self._own.close()

    def _run(self) -> None:
        while not self._ending.wait(EVERY):
            self._write()

    def _write(self) -> None:
        self._own.write({name: {(): [count()]} for name, count in self._counts.items()}, {})
