"""`/metrics`: what a worker tells of itself, to anybody who may reach it."""

from tests.asking import CHAT, CHATS, at
from tests.fake import Fake, Gate, chat
from tests.gateway import Gateway


def values(gateway: Gateway) -> dict[str, float]:
    answer = gateway.call("GET", "/metrics", key=None)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in answer.body.decode().splitlines() if not line.startswith("#")]
    return {name.partition("{")[0]: float(value) for name, _, value in lines}


def test_a_worker_tells_what_it_does(gateway: Gateway, fake: Fake) -> None:
    before = values(gateway)
    assert before["gatekey_calls_running"] == 0
    assert 0 <= before["gatekey_store_behind_seconds"] < 5
    gate = Gate()
    fake.answer(chat("hi").late(gate))
    with gateway.open("POST", CHATS, at(fake), CHAT) as stream:
        fake.wait(1)
        assert values(gateway)["gatekey_calls_running"] == 1
        gate.set()
        stream.rest()
    assert values(gateway)["gatekey_calls_running"] == 0
