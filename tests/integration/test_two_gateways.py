"""Two gateways on one PostgreSQL: what one is told the other knows, and traffic goes on while it is down."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from gatekey.vault import new_key
from tests import databases
from tests.asking import CHAT, CHATS
from tests.fake import Fake, wait_until
from tests.gateway import PATIENCE, Gateway
from tests.stored import SECRET, api_key, ask, config, virtual_key

SECOND = 1.0
"""s in which the other gateway has seen a change."""


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of gateways on one database."""
    with databases.empty("postgresql", tmp_path) as url:
        yield {"GATEKEY_DATABASE_URL": url, "GATEKEY_MASTER_KEY": new_key()}


def _soon(seen: Callable[[], bool], timeout: float = SECOND) -> None:
    wait_until(seen, timeout, "the change is seen")


def test_each_sees_what_the_other_changes(shared: dict[str, str], fake: Fake) -> None:
    with Gateway(env=shared) as one, Gateway(env=shared) as other:

        def status(headers: dict[str, str], key: str) -> int:
            return other.call("POST", CHATS, headers, CHAT, key=key).status

        slug = virtual_key(one, fake)
        saved = config(one, {"virtual_key": slug, "override_params": {"model": "first"}})
        number, key = api_key(one)
        named = {"x-portkey-config": saved}
        _soon(lambda: status(named, key) == 200)
        assert fake.requests[-1].header("authorization") == f"Bearer {SECRET}"
        ask(other, "PUT", f"/configs/{saved}", {"config": {"virtual_key": slug, "override_params": {"model": "next"}}})
        _soon(lambda: one.call("POST", CHATS, named, CHAT, key=key).json()["model"] == "next")
        ask(one, "PUT", f"/virtual-keys/{slug}", {"key": "sk-the-new-one"})
        _soon(
            lambda: status(named, key) == 200 and fake.requests[-1].header("authorization") == "Bearer sk-the-new-one"
        )
        ask(one, "DELETE", f"/configs/{saved}")
        _soon(lambda: status(named, key) == 400)
        ask(one, "DELETE", f"/api-keys/{number}")
        _soon(lambda: status({"x-portkey-virtual-key": slug}, key) == 401)


def test_both_may_make_the_layout(shared: dict[str, str]) -> None:
    """Started at one moment on a database with nothing in it."""
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        for gateway in pool.map(stack.enter_context, [Gateway(env=shared), Gateway(env=shared)]):
            ask(gateway, "GET", "/virtual-keys")


def test_a_database_that_is_down(shared: dict[str, str], fake: Fake) -> None:
    with Gateway(env=shared) as one, Gateway(env=shared) as other:
        slug = virtual_key(one, fake)
        saved = config(one, {"virtual_key": slug})
        key = api_key(one)[1]
        ways = [{"x-portkey-virtual-key": slug}, {"x-portkey-config": saved}, {"x-portkey-provider": f"@{slug}"}]
        _soon(lambda: other.call("POST", CHATS, ways[0], CHAT, key=key).status == 200)
        databases.postgres().execute("CHECKPOINT")  # this server writes nothing to the disk before it must
        databases.postgres().stop()
        try:
            for gateway in (one, other):
                for way in ways:
                    assert gateway.call("POST", CHATS, way, CHAT, key=key).status == 200
                for method, path, body in (
                    ("GET", "/v1/virtual-keys", None),
                    ("POST", "/v1/configs", {"name": "late", "config": {"virtual_key": slug}}),
                    ("DELETE", f"/v1/virtual-keys/{slug}", None),
                ):
                    answer = gateway.call(method, path, body=body)
                    assert answer.status == 503, (method, path, answer.body)
                    assert answer.json()["data"]["errorCode"] == "AB04"
                assert gateway.call("POST", CHATS, ways[0], CHAT, key="unknown-key").status == 401
                wait_until(lambda gateway=gateway: "out of reach" in gateway.log, PATIENCE, "the log says so")
                assert gateway.call("GET", "/ready").status == 200  # it serves what it knows
        finally:
            databases.postgres().start()
        wait_until(lambda: one.call("GET", "/v1/virtual-keys").status == 200, PATIENCE, "the control plane is back")
        another = virtual_key(one, fake)
        named = {"x-portkey-virtual-key": another}
        wait_until(lambda: other.call("POST", CHATS, named, CHAT, key=key).status == 200, PATIENCE, "the other is back")
        assert "Traceback" not in one.log + other.log
