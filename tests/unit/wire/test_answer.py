import pytest

from gatekey.errors import Nonsense
from gatekey.wire import answer


@pytest.mark.parametrize(
    ("choice", "content"),
    [
        ('{"delta":{"role":"assistant","content":""}}', False),
        ('{"delta":{"role":"assistant","content":null,"tool_calls":[]}}', False),
        ('{"delta":{}}', False),
        ('{"delta":null}', False),
        ('{"text":""}', False),
        ('{"delta":{"content":"a"}}', True),
        ('{"delta":{"reasoning_content":"a"}}', True),
        ('{"delta":{"reasoning":"a"}}', True),
        ('{"delta":{"tool_calls":[{"index":0}]}}', True),
        ('{"delta":{"function_call":{"name":"f"}}}', True),
        ('{"delta":{"audio":{"id":"a"}}}', True),
        ('{"delta":{"refusal":"no"}}', True),
        ('{"delta":{"images":[{}]}}', True),
        ('{"delta":{},"finish_reason":"stop"}', True),
        ('{"text":"a"}', True),
        ('{"delta":{"content":""},"finish_reason":null},{"index":1,"delta":{"content":"b"}}', True),
    ],
)
def test_what_counts_as_content(choice: str, content: bool) -> None:
    chunk = f'{{"id":"1","choices":[{choice}],"usage":null}}'.encode()
    assert answer.opening(chunk).has_content() is content


@pytest.mark.parametrize("chunk", [b'{"choices":[]}', b'{"choices":null}', b'{"usage":{"total_tokens":1}}', b"{}"])
def test_a_chunk_without_choices_is_no_content(chunk: bytes) -> None:
    assert answer.opening(chunk).has_content() is False


def test_going_sees_ends_usage_and_errors() -> None:
    seen = answer.going(
        b'{"choices":[{"index":2,"finish_reason":"stop","delta":"whatever"}],"usage":{"a":1},"error":{"m":1}}'
    )
    assert seen.choices is not None
    assert [(choice.index, choice.finish_reason) for choice in seen.choices] == [(2, "stop")]
    assert (seen.usage, seen.error) == ({"a": 1}, {"m": 1})


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'"text"', b'{"a":', b'{"choices":7}', b'{"choices":[1]}'])
def test_what_is_not_the_protocol(data: bytes) -> None:
    with pytest.raises(Nonsense):
        answer.opening(data)
    with pytest.raises(Nonsense):
        answer.going(data)


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"null", b"1", b'{"a":"\xff"}', b"[" * 100_000])
def test_what_is_no_object(data: bytes) -> None:
    with pytest.raises(Nonsense):
        answer.fields(data)


def test_whole() -> None:
    seen = answer.whole(b'{"id":"1","model":"m","choices":[{"index":1,"finish_reason":"stop","big":1}]}')
    assert seen.choices is not None
    assert (seen.model, seen.choices[0].finish_reason, bool(seen.error)) == ("m", "stop", False)
    with pytest.raises(Nonsense):
        answer.whole(b"[]")


FINISH = {b'"eos"': "stop", b'"limit"': "length"}


def test_finish_reasons_are_replaced_and_nothing_else() -> None:
    data = b'{"n":1.50,"choices":[{"finish_reason":"eos","x":1e9,"text":"eos"},{"finish_reason":null}],"u":null}'
    assert answer.with_finish_reasons(data, FINISH) == (
        b'{"n":1.50,"choices":[{"finish_reason":"stop","x":1e9,"text":"eos"},{"finish_reason":null}],"u":null}'
    )


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices": [{"finish_reason": "stop"}]}',
        b'{"id": "1"}',
    ],
)
def test_without_their_reasons_the_bytes_stay(data: bytes) -> None:
    assert answer.with_finish_reasons(data, FINISH) is data


def test_their_reason_as_text_without_choices_stays() -> None:
    data = b'{"id": "eos"}'
    assert answer.with_finish_reasons(data, FINISH) == data


def test_an_answer_without_choices_stays() -> None:
    data = b'{"choices":null,"x":"eos"}'
    assert answer.with_finish_reasons(data, FINISH) is data


@pytest.mark.parametrize("data", [b'{"choices":[1],"x":"eos"}', b'{"choices":{},"x":"eos"}', b'["eos"]'])
def test_choices_that_are_none_are_nonsense(data: bytes) -> None:
    with pytest.raises(Nonsense):
        answer.with_finish_reasons(data, FINISH)


def test_model_is_filled_in() -> None:
    assert answer.with_model(b'{"id":"1","model":null,"n":1.50}', "m") == b'{"id":"1","model":"m","n":1.50}'
    assert answer.with_model(b'{"id":"1"}', "m") == b'{"id":"1","model":"m"}'
