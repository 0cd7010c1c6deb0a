"""What a record has of a call: always one, with what was said where that is kept, and no credential."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatekey.gateway import headers
from gatekey.gateway.call import Call
from gatekey.gateway.call import Spool as Body
from gatekey.gateway.entry import LEFT, MAX_BODY, Entry, Journal, now
from gatekey.observe.record import Record, decode
from gatekey.observe.spool import Spool
from gatekey.secret import Secret
from gatekey.store.directory import Principal
from gatekey.wire import body as wire

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
OK = b'{"choices": []}'
JSON = [(b"content-type", b"application/json")]


class Book:
    """A journal on a spool of its own, and what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counted: list[Record] = []
        self.journal = Journal(Spool(folder), self.counted.append)

    def records(self) -> list[Record]:
        return [decode(line) for file in self.folder.glob("*.jsonl") for line in file.read_bytes().splitlines()]

    @property
    def record(self) -> Record:
        [found] = self.records()
        return found


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    yield Book(tmp_path / "spool")


def call(body: Any = CHAT, kind: Any = "chat", **sent: str) -> Call:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
    made = Call(kind, "POST", "/x?key=1", "/v1/x", headers.read(raw), "trace", 7, Principal(id="k", workspace="w"))
    if kind != "proxy":
        made.text = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            made.body = wire.decode(made.text)
        except Exception:
            made.body = {}
    return made


def answered(book: Book, made: Call, status: int = 200, data: bytes = OK, **facts: Any) -> Record:
    """The record of a call that was answered so."""
    entry = Entry(made, book.journal, now())
    for name, value in facts.items():
        setattr(entry, name, value)
    entry.status, entry.headers = status, JSON
    entry.saw(data)
    entry.write()
    entry.write()
    return book.record


def said(record: Record) -> tuple[Any, Any]:
    return json.loads(bytes(record.request)), json.loads(bytes(record.response))


def test_once_with_what_was_said(book: Book) -> None:
    record = answered(book, call())
    assert said(record) == (CHAT, {"choices": []})
    assert (record.status, record.ok, record.cut) == (200, True, False)
    assert (record.workspace, record.api_key, record.trace_id, record.path) == ("w", "k", "trace", "/v1/x")
    assert record.model == "m", "of a call that has had no attempt, what was asked for"
    assert record.request_headers == {} and record.response_headers == {"content-type": "application/json"}
    assert len(book.counted) == 1


def test_without_bodies_where_the_caller_says_so(book: Book) -> None:
    record = answered(book, call(x_portkey_debug="false", user_agent="me"))
    assert said(record) == ("", "")
    assert record.request_headers == record.response_headers == {}


def test_a_failed_answer_is_kept_though(book: Book) -> None:
    record = answered(book, call(x_portkey_debug="false", user_agent="me"), 400, b'{"error":{"message":"No."}}')
    assert said(record) == ("", {"error": {"message": "No."}})
    assert record.request_headers == {} and record.response_headers == {"content-type": "application/json"}


def test_nothing_at_all_where_key_or_workspace_say_so(book: Book) -> None:
    made = call()
    made.keeps_bodies = False
    record = answered(book, made, 400, b'{"error":{"message":"No."}}')
    assert said(record) == ("", "")
    assert record.request_headers == record.response_headers == {}


def test_headers_are_named_and_few_of_them_shown(book: Book) -> None:
    record = answered(
        book,
        call(
            user_agent="me", authorization="Bearer sk-1", x_portkey_trace_id="t", x_custom="c", cookie="c",
            x_portkey_aws_secret_access_key="s", x_portkey_config="{}", x_stainless_lang="python",
            x_portkey_sensitive_headers="User-Agent", x_portkey_metadata='{"team":"ü","token":"sk-2"}',
        ),
    )  # fmt: skip
    shown = {name: value for name, value in record.request_headers.items() if value != "***"}
    assert shown == {
        "x-portkey-trace-id": "t",
        "x-stainless-lang": "python",
        "x-portkey-sensitive-headers": "User-Agent",
        "x-portkey-metadata": '{"team":"ü","token":"***"}',
    }
    assert (len(record.request_headers), record.sdk) == (10, "")
    assert record.metadata == {"team": "ü", "token": "***"}


def test_headers_of_answers(book: Book) -> None:
    entry = Entry(call(), book.journal, now())
    entry.status, entry.headers = 200, [(b"set-cookie", b"s=1"), (b"x-ratelimit-remaining-tokens", b"5")]
    entry.saw(OK)
    entry.write()
    assert book.record.response_headers == {"set-cookie": "***", "x-ratelimit-remaining-tokens": "5"}


@pytest.mark.parametrize(
    "body", [{**CHAT, "api_key": "sk-canary"}, {**CHAT, "tools": [{"authorization": "sk-canary"}]}]
)
def test_credentials_in_bodies(book: Book, body: Any) -> None:
    assert b"sk-canary" not in bytes(answered(book, call(body)).request)


@pytest.mark.parametrize(
    "body",
    [b'{"api_key": "sk-canary"', b"api_key=sk-canary", b"{'api_key': 'sk-canary'}", b'["x", {"token":"sk-canary"'],
)
def test_credentials_in_what_is_no_json(book: Book, body: bytes) -> None:
    record = answered(book, call(body), 400)
    assert b"sk-canary" not in bytes(record.request)
    assert isinstance(said(record)[0], str)


def test_the_callers_and_the_stored_keys_wherever_they_are(book: Book) -> None:
    made = call({"model": "m", "messages": [{"content": 'My key is sk/"caller', "role": "user"}]})
    made.credential = Secret('sk/"caller')
    made.gateway_key = "gk-of-the-caller"
    record = answered(book, made, 200, b'{"a": "sk/\\"caller", "b": "sk\\/\\"caller", "c": "gk-of-the-caller"}')
    assert said(record)[1] == {"a": "[secret]", "b": "[secret]", "c": "[secret]"}
    assert "caller" not in json.dumps(said(record)[0])


@pytest.mark.parametrize(
    "data", [b'{"a":"\xff"}', b'{"a":[{"b":"\xc3"}]}', b"\xff\xfe", b'{"a":' + b"[" * 5000, b"not JSON", b""]
)
def test_whatever_comes_the_record_can_be_read(book: Book, data: bytes) -> None:
    for number, made in enumerate((call(data), call()), 1):
        entry = Entry(made, book.journal, now())
        entry.status, entry.headers = 200, JSON
        entry.saw(data)
        entry.write()
        assert len(book.records()) == number


def test_long_bodies_are_cut(book: Book) -> None:
    record = answered(book, call({**CHAT, "x": "y" * MAX_BODY}), 200, b'{"a":"' + b"z" * MAX_BODY + b'"}')
    asked, got = said(record)
    assert record.cut
    assert isinstance(asked, str) and len(asked) == MAX_BODY and asked.startswith('{"model"')
    assert isinstance(got, str) and len(got) == MAX_BODY


def test_streams_are_kept_as_text(book: Book) -> None:
    record = answered(book, call(), 200, b'data: {"a":1}\n\ndata: [DONE]\n\n', stream=True)
    assert said(record)[1] == 'data: {"a":1}\n\ndata: [DONE]\n\n'


def test_forwarded_bodies(book: Book) -> None:
    async def pieces(data: bytes) -> Any:
        yield data

    for data, kept in ((b'{"token":"sk-1"}', '{"token":"***"}'), (b"RIFF\0\0wave", "(10 bytes that are no text)")):
        made = call(kind="proxy")
        made.spool = asyncio.run(Body.of(pieces(data)))
        entry = Entry(made, book.journal, now())
        entry.status, entry.headers = 200, []
        entry.saw(data)
        entry.write()
        assert said(book.records()[-1]) == (kept, kept)
        made.spool.close()


def test_who_left(book: Book) -> None:
    record = answered(book, call(), 200, b"data: x\n\n", left=True)
    assert (record.status, record.ok, record.error) == (LEFT, False, "The caller left.")
