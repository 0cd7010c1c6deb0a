"""Who owns a module's server, and where it listens: a lock and a file in the data folder that workers share.

The owner holds the lock on `<module>.lock` as long as its server lives and publishes the address in `<module>.json`.
The kernel gives the lock back when the owner dies. Must not start or stop anything.
"""

import fcntl
import json
import os
from pathlib import Path


class Share:
    """One module's, as one worker sees it. `data` is the folder that workers share; without it all is its own."""

    def __init__(self, data: Path | None, module: str) -> None:
        self._file = data / f"{module}.json" if data else None
        self._lock: int | None = None
        if data is not None:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(data / f"{module}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._mine = False

    def take(self) -> bool:
        """Try to become the owner. True also where this worker is it already."""
        if self._lock is not None and not self._mine:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._withdraw()  # what a dead owner left
        self._mine = True
        return True

    def published(self) -> str | None:
        """The address that another worker's server has; None while it starts, and to the owner.

        Where the owner is gone, this worker becomes the owner.
        """
        if self._file is None or self._mine or self.take():
            return None
        try:
            return str(json.loads(self._file.read_bytes())["url"])
        except (FileNotFoundError, ValueError):
            return None

    def publish(self, url: str) -> None:
        """Tell the other workers the address of this worker's server."""
        if self._file is not None:
            new = self._file.with_suffix(".new")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump({"url": url}, file)
            new.replace(self._file)

    def release(self) -> None:
        """No longer be the owner: the server is gone."""
        if self._mine and self._lock is not None:
            self._withdraw()
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._mine = False

    def close(self) -> None:
        """Let go of the lock's file too."""
        self.release()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _withdraw(self) -> None:
        if self._file is not None:
            self._file.unlink(missing_ok=True)
