"""What is stored outlives the process, and is the same for every worker."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.asking import CHAT, CHATS
from tests.fake import Fake, wait_until
from tests.gateway import KEY, PATIENCE, Gateway
from tests.stored import SECRET, api_key, ask, config, virtual_key

SECOND = 1.0
"""s in which every worker has seen a change."""


def test_a_restart_keeps_everything(fake: Fake, tmp_path: Path) -> None:
    with Gateway(data=tmp_path / "data") as first:
        slug = virtual_key(first, fake)
        saved = config(first, {"virtual_key": slug, "override_params": {"model": "saved"}})
        number, key = api_key(first, defaults={"config_id": saved})
        gone = virtual_key(first, fake)
        ask(first, "DELETE", f"/virtual-keys/{gone}")
    with Gateway(data=tmp_path / "data") as second:
        assert second.call("POST", CHATS, {}, CHAT, key=key).status == 200
        assert second.call("POST", CHATS, {"x-portkey-virtual-key": gone}, CHAT).status == 400
        assert ask(second, "GET", f"/api-keys/{number}")["defaults"]["config_id"] == saved
        trail = ask(second, "GET", "/audit-logs")["records"]
        assert f"/v1/virtual-keys/{gone}" in [record["uri"] for record in trail]
    [received] = fake.requests
    assert received.header("authorization") == f"Bearer {SECRET}"
    assert received.json["model"] == "saved"


def test_what_one_worker_changes_all_of_them_see(fake: Fake) -> None:
    """Connections stay with the worker that took them, so each worker is asked by itself."""
    with Gateway(args=("--workers", "2")) as gateway, _each_worker(gateway) as (one, other):
        slug = virtual_key(gateway, fake)

        def status(connection: http.client.HTTPConnection, key: str = KEY) -> int:
            headers = {"x-portkey-api-key": key, "content-type": "application/json", "x-portkey-virtual-key": slug}
            connection.request(
                "POST", CHATS, '{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}', headers
            )
            answer = connection.getresponse()
            answer.read()
            return answer.status

        for connection in (one, other):
            _soon(lambda connection=connection: status(connection) == 200)
        number, key = api_key(gateway)
        for connection in (one, other):
            _soon(lambda connection=connection: status(connection, key) == 200)
        ask(gateway, "PUT", f"/virtual-keys/{slug}", {"models": ["another"]})
        for connection in (one, other):
            _soon(lambda connection=connection: status(connection, key) == 403)
        ask(gateway, "DELETE", f"/api-keys/{number}")
        for connection in (one, other):
            _soon(lambda connection=connection: status(connection, key) == 401)


def _soon(seen: Callable[[], bool]) -> None:
    wait_until(seen, SECOND, "the change is seen")


@contextmanager
def _each_worker(gateway: Gateway) -> Iterator[list[http.client.HTTPConnection]]:
    """A connection to each of two workers."""
    opened: list[http.client.HTTPConnection] = []
    found: dict[str, http.client.HTTPConnection] = {}
    end = time.monotonic() + PATIENCE
    try:
        while len(found) < 2:
            assert time.monotonic() < end, "one worker takes every connection"
            connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=PATIENCE)
            connection.request("GET", "/ready")
            connection.getresponse().read()
            opened.append(connection)
            found[_worker(gateway, connection)] = connection
        yield list(found.values())
    finally:
        for connection in opened:
            connection.close()


def _worker(gateway: Gateway, connection: http.client.HTTPConnection) -> str:
    """The process that has the other end of a connection."""
    port = connection.sock.getsockname()[1]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [inode] = [row[9] for row in rows if int(row[1][-4:], 16) == gateway.port and int(row[2][-4:], 16) == port]
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split()
    for child in children:
        if any(_link(file) == f"socket:[{inode}]" for file in Path(f"/proc/{child}/fd").iterdir()):
            return child
    raise AssertionError("no worker has the connection")


def _link(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:
        return ""
