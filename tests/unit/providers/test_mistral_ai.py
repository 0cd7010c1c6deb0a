import pytest
from shaping import read, sent, shaped

from gatekey.errors import Nonsense

FIM = {"mistral_fim_completion": "True"}


def test_what_its_schema_lacks_is_dropped_and_named_and_the_rest_passes() -> None:
    body = {"model": "m", "messages": [], "seed": 7, "user": "u", "random_seed": 8, "safe_prompt": True, "x": None}
    call = shaped("mistral-ai", "chat", body)
    assert call.body == b'{"model":"m","messages":[],"random_seed":8,"safe_prompt":true,"x":null}'
    assert call.dropped == ("seed", "user")


def test_usage_comes_unasked_so_asking_for_it_is_not_passed_on_nor_called_lost() -> None:
    call = shaped("mistral-ai", "chat", {"model": "m", "stream": True, "stream_options": {"include_usage": True}})
    assert call.body == b'{"model":"m","stream":true}'
    assert (call.dropped, call.asked.usage) == ((), True)


def test_text_completions_go_through_chat_unless_the_option_asks_for_filling_in() -> None:
    body = {"model": "codestral-latest", "prompt": "def f(", "suffix": "return a", "echo": True}
    chat = shaped("mistral-ai", "completions", body)
    assert (chat.url, chat.text, chat.dropped) == ("https://api.mistral.ai/v1/chat/completions", True, ("suffix",))
    fim = shaped("mistral-ai", "completions", body, FIM)
    assert (fim.url, fim.text, fim.dropped) == ("https://api.mistral.ai/v1/fim/completions", False, ("echo",))
    assert sent("mistral-ai", "completions", body, FIM) == {
        "model": "codestral-latest",
        "prompt": "def f(",
        "suffix": "return a",
    }


def test_an_answer_without_choices_is_nonsense() -> None:
    fim = shaped("mistral-ai", "completions", {"model": "m", "prompt": "x"}, FIM)
    with pytest.raises(Nonsense):
        read(fim, {"id": "x"})


@pytest.mark.parametrize(("strict", "finish"), [(True, "length"), (False, "model_length")])
def test_finish_reasons_are_ours_only_when_strict(strict: bool, finish: str) -> None:
    theirs = {"model": "m", "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "model_length"}]}
    for kind, options in (("chat", {}), ("completions", FIM)):
        call = shaped("mistral-ai", kind, {"model": "m", "prompt": "x"}, options, strict=strict)
        assert read(call, theirs)["choices"][0]["finish_reason"] == finish
