"""A client of an application: no socket, the same answers, and whoever leaves is gone for the application too."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gatekey.cli import keeper
from gatekey.cli.embedded import gateway
from gatekey.cli.settings import BadSettings
from portkey_ai import APIConnectionError, APITimeoutError, AsyncPortkey, AuthenticationError, Portkey
from tests.fake import Fake, chat, chat_stream, wait_until
from tests.fake import json as answered
from tests.sdk.conftest import leading
from tests.sdk.ways import WAYS, Evented, Way

KEY = "gk-of-a-notebook"
HELLO: Any = [{"role": "user", "content": "Hello"}]


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="m", messages=HELLO, **more)


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """The gateway sets the collector's thresholds for a process of its own."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture(params=WAYS)
def inside(request: pytest.FixtureRequest, fake: Fake) -> Iterator[Way]:
    """A client of the gateway in this process."""
    app = gateway(admin_key=KEY, trusted_hosts="127.0.0.1")
    made = WAYS[request.param](app=app, **{**leading(fake), "api_key": KEY})
    yield made
    made.end()


def test_it_keeps_logs(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SOON", 0.0)
    app = gateway(admin_key=KEY, trusted_hosts="127.0.0.1")
    with Portkey(app=app, **{**leading(fake), "api_key": KEY}) as client:
        ask(client)
        wait_until(lambda: client.get("/logs")["total"] == 1, 20, "the record is stored")


def test_the_gateway_without_a_socket(inside: Way, fake: Fake) -> None:
    assert inside(ask).choices[0].message.content == "This is a test."
    chunks = inside.items(inside(lambda client: ask(client, stream=True)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "This is a test."
    assert inside(lambda client: client.configs.list()).total == 0
    with pytest.raises(AuthenticationError):
        inside(lambda client: ask(client.with_options(api_key="gk-wrong")))
    content = bytes(range(256)) * 8000
    fake.answer(answered({}))
    inside(lambda client: client.post("/files", files={"file": content}))
    assert content in fake.requests[-1].body
    fake.answer(chat_stream().stalled(3))
    stream = inside(lambda client: ask(client, stream=True))
    inside.first(stream)
    inside.close(stream)
    assert fake.requests[-1].closed.wait(5)
    fake.answer(chat().late(20.0))
    with pytest.raises(APITimeoutError):
        inside(lambda client: ask(client, timeout=0.2))
    assert fake.requests[-1].closed.wait(5)


def test_settings_are_checked() -> None:
    with pytest.raises(BadSettings, match="unknown field"):
        gateway(prot=1)
    with pytest.raises(BadSettings, match="shorter than 8"):
        gateway(admin_key="short")


class App:
    """A small application that tells what has happened to it. `pieces`: of the answer's body."""

    def __init__(self, pieces: int = 3, *, lifespan: bool = True, endless: bool = False, fails: str = "") -> None:
        self.seen: list[str] = []
        self.left = threading.Event()
        self._pieces, self._lifespan, self._endless, self._fails = pieces, lifespan, endless, fails

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            assert self._lifespan, "none here"
            for kind in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{kind}"
                self.seen.append(kind)
                said = "failed" if self._fails == kind else "complete"
                await send({"type": f"lifespan.{kind}.{said}", "message": "No room."})
            return
        self.seen.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}")
        while (await receive()).get("more_body"):
            pass
        if self._fails == "head":
            raise ZeroDivisionError
        kind = b"text/event-stream" if self._pieces else b"application/json"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", kind)]})
        for number in range(self._pieces):
            event = b'data: {"number": %d}\n\n' % number
            await send({"type": "http.response.body", "body": event, "more_body": True})
        if self._fails == "body":
            raise ZeroDivisionError
        if self._endless:
            await receive()
            self.left.set()
            return
        await send({"type": "http.response.body", "body": b"" if self._pieces else b'{"a": 1}'})


@pytest.fixture(params=WAYS)
def of(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes clients of small applications."""
    made: list[Way] = []

    def make(app: Any) -> Way:
        made.append(WAYS[request.param](app=app))
        return made[-1]

    yield make
    for way in made:
        way.end()


def test_an_application_is_started_and_ended(of: Any) -> None:
    app = App(0)
    way = of(app)
    assert app.seen == []
    assert way(lambda client: client.get("/a b", c="d")) == {"a": 1}
    assert way(lambda client: client.with_options(trace_id="t").get("/e")) == {"a": 1}
    way(lambda client: client.close())
    assert app.seen == ["startup", "GET /v1/a b?c=d", "GET /v1/e?", "shutdown"]


def test_an_application_without_a_lifespan(of: Any) -> None:
    assert of(App(0, lifespan=False))(lambda client: client.get("/x")) == {"a": 1}


def test_an_application_that_does_not_start(of: Any) -> None:
    with pytest.raises(APIConnectionError, match="did not start: No room"):
        of(App(0, fails="startup"))(lambda client: client.with_options(max_retries=0).get("/x"))


@pytest.mark.parametrize("place", ["head", "body"])
def test_an_application_that_fails(of: Any, place: str) -> None:
    way = of(App(fails=place))
    with pytest.raises(APIConnectionError, match="broke off") as failure:
        way.items(way(lambda client: client.post("/x", stream=True)))
    assert isinstance(failure.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("pieces", [1, 100])
@pytest.mark.parametrize("leave", ["close", "letting go"])
def test_whoever_leaves_is_gone_for_the_application(of: Any, pieces: int, leave: str) -> None:
    app = App(pieces, endless=True)
    way = of(app)
    stream = way(lambda client: client.post("/x", stream=True))
    way.first(stream)
    if leave == "close":
        way.close(stream)
    del stream
    if isinstance(way, Evented):
        way.run(asyncio.sleep(0.05))
    assert app.left.wait(5)


def test_a_stream_is_read_as_it_comes_and_the_application_waits(of: Any) -> None:
    way = of(App(100, endless=True))
    stream = way(lambda client: client.post("/x", stream=True))
    assert [item.number for item in way.first(stream, 100)] == list(range(100))
    way.close(stream)


def test_cancelling(fake: Fake) -> None:
    app = App(1, endless=True)

    async def main() -> None:
        async with AsyncPortkey(app=app) as client:

            async def read() -> None:
                async for _ in await client.post("/x", stream=True):
                    pass

            task = asyncio.ensure_future(read())
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(main())
    assert app.left.is_set()


def test_its_thread_ends_with_the_client() -> None:
    with Portkey(app=App(0)) as client:
        client.get("/x")
        assert "portkey_ai" in [thread.name for thread in threading.enumerate()]
    wait_until(lambda: "portkey_ai" not in [thread.name for thread in threading.enumerate()])


def test_threads_share_it() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Portkey(app=App(0)) as client, ThreadPoolExecutor(4) as pool:
        began = time.monotonic()
        assert list(pool.map(lambda _: client.get("/x"), range(40))) == [{"a": 1}] * 40
        assert time.monotonic() - began < 20


def test_it_has_no_address_for_other_clients() -> None:
    with pytest.raises(TypeError, match="has no address"):
        Portkey(app=App()).openai()
