"""A record is the same after its way through the spool, and small where it says little."""

from msgspec import Raw

from gatekey.observe.record import Record, Tried, decode, encode
from gatekey.wire.usage import Usage


def tried(path: str, status: int) -> Tried:
    return Tried(path=path, provider="p", status=status, by="provider")


def test_there_and_back() -> None:
    record = Record(
        id="a", created_at=1, kind="chat", method="POST", path="/v1/chat/completions", status=200,
        metadata={"k": "v"}, usage=Usage(input=3, output=4), cost=12, priced=True,
        attempts=[tried("config.targets[0]", 500), tried("config.targets[1]", 200)],
        request=Raw(b'{"z":1,"a":1.50}'), response=Raw(b'"text"'),
    )  # fmt: skip
    again = decode(encode(record))
    assert (bytes(again.request), bytes(again.response)) == (b'{"z":1,"a":1.50}', b'"text"'), "as it came"
    again.request, again.response = record.request, record.response
    assert again == record


def test_what_is_not_said_is_not_written() -> None:
    line = encode(Record(id="a", created_at=1, kind="chat", method="POST", path="/"))
    assert b"metadata" not in line and b"cost" not in line
    assert decode(line).cost is None


def test_a_newer_version_may_say_more() -> None:
    assert decode(b'{"id":"a","created_at":1,"kind":"k","method":"M","path":"/","new":[1]}').id == "a"


def test_success() -> None:
    record = Record(id="a", created_at=1, kind="chat", method="POST", path="/", status=200)
    assert record.ok
    record.error = "It broke off."
    assert not record.ok
    assert not Record(id="a", created_at=1, kind="chat", method="POST", path="/", status=404).ok


def test_falling_back() -> None:
    record = Record(id="a", created_at=1, kind="chat", method="POST", path="/", status=200)
    record.attempts = [tried("a", 500), tried("a", 200)]
    assert not record.fell_back, "a retry of the same target"
    record.attempts = [tried("a", 500), tried("b", 200)]
    assert record.fell_back
    record.status = 500
    assert not record.fell_back
