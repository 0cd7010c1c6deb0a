"""Results: dicts with attributes, whose headers survive whatever is done with them."""

import copy
import json
import pickle
from typing import Any

import pytest

from portkey_ai import Content, types
from portkey_ai._results import Result, loads

CHAT = json.dumps(
    {
        "id": "chat-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "extra": {"items": [1]}}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        "provider_said": [{"deep": [{"er": None}]}],
    }
)
HEADERS = {"x-portkey-trace-id": "t-1", "x-portkey-provider": "openai", "content-type": "application/json"}


@pytest.fixture
def answer() -> types.ChatCompletion:
    found: types.ChatCompletion = loads(CHAT, types.ChatCompletion)._with(HEADERS)
    return found


def test_attributes_and_items_are_the_same(answer: Any) -> None:
    assert answer.choices[0].message.content == answer["choices"][0]["message"]["content"] == "Hi"
    assert answer == json.loads(CHAT)
    assert answer.provider_said[0].deep[0].er is None
    assert answer.choices[0].message.extra["items"] == [1]


def test_what_a_class_names_has_its_class(answer: types.ChatCompletion) -> None:
    assert type(answer) is types.ChatCompletion
    assert type(answer.choices[0]) is types.ChatChoice
    assert type(answer.choices[0].message) is types.ChatMessage
    assert type(answer.usage) is types.Usage


def test_a_field_that_did_not_come(answer: Any) -> None:
    assert answer.choices[0].message.tool_calls is None
    assert answer.model is None
    with pytest.raises(AttributeError, match=r"ChatCompletion has no field 'chioces'\. Did you mean 'choices'\?"):
        _ = answer.chioces
    with pytest.raises(AttributeError, match=r"has no field 'qqq'\.$"):
        _ = answer.qqq
    assert not hasattr(answer, "__array__")


def test_it_can_be_changed(answer: Any) -> None:
    answer.note = "mine"
    assert answer["note"] == "mine"
    del answer.note
    assert "note" not in answer
    with pytest.raises(AttributeError, match="note"):
        del answer.note


def test_printing_is_json_and_changes_nothing(answer: types.ChatCompletion) -> None:
    for _ in range(2):
        assert json.loads(str(answer)) == json.loads(CHAT)
        assert repr(answer).startswith("ChatCompletion({'id': 'chat-1'")
    assert answer.get_headers() == {"trace-id": "t-1", "provider": "openai"}


def test_plain_dicts(answer: types.ChatCompletion) -> None:
    plain = answer.model_dump()
    assert type(plain) is type(plain["choices"][0]) is dict
    assert json.loads(answer.model_dump_json()) == plain == dict(answer)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies(answer: types.ChatCompletion, again: Any) -> None:
    other = again(answer)
    assert other == answer
    assert type(other) is types.ChatCompletion
    assert other.get_headers() == answer.get_headers()


def test_what_is_no_answer_itself_has_no_headers(answer: types.ChatCompletion) -> None:
    assert answer.choices[0].get_headers() == {}


def test_fields_show_up_where_they_are_looked_for(answer: Any) -> None:
    assert {"choices", "provider_said", "get_headers"} <= set(dir(answer))


def test_content(tmp_path: Any) -> None:
    sound = Content("größe".encode())._with(HEADERS)
    assert sound == sound.read() == sound.content == "größe".encode()
    assert sound.text == "größe"
    assert sound.get_headers()["trace-id"] == "t-1"
    sound.write_to_file(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == sound


def test_the_text_of_a_response() -> None:
    said = {"type": "message", "content": [{"type": "output_text", "text": "a"}, {"type": "other"}]}
    made = loads(json.dumps({"output": [said, {"type": "reasoning"}, said]}), types.Response)
    assert made.output_text == "aa"
    assert types.Response().output_text == ""


def test_every_type_is_exported() -> None:
    made = [
        name for name, kind in vars(types).items() if isinstance(kind, type) and issubclass(kind, (Result, Content))
    ]
    assert sorted(made) == sorted(types.__all__)
