"""What the providers of our dialect have of their own, beside what is recorded in tests/golden."""

import pytest
from shaping import frames, shaped


def test_perplexity_frames_lines_by_crlf_and_ends_without_done() -> None:
    data = (
        b'data: {"model":"sonar","choices":[{"index":0,"finish_reason":null,"delta":{"content":"Hi"}}]}\r\n\r\n'
        b'data: {"model":"sonar","choices":[{"index":0,"finish_reason":"stop","delta":{"content":""}}]}\r\n\r\n'
    )
    first, last, done = frames(shaped("perplexity-ai", "chat", {"model": "sonar", "stream": True}), data)
    assert first["choices"][0]["delta"] == {"content": "Hi"}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert done == "[DONE]"


@pytest.mark.parametrize(
    ("slug", "asks"),
    [
        *(
            (slug, True)
            for slug in ("groq", "together-ai", "fireworks-ai", "deepseek", "x-ai", "ollama", "huggingface")
        ),
        *((slug, False) for slug in ("openrouter", "perplexity-ai", "mistral-ai")),
    ],
)
def test_usage_is_asked_for_where_it_must_and_may_be(slug: str, asks: bool) -> None:
    body = shaped(slug, "chat", {"model": "m", "messages": [], "stream": True}).body
    assert (b'"stream_options":{"include_usage":true}' in body) is asks


def test_bodies_pass_as_they_came() -> None:
    body = b'{"seed":1152921504606846976,"model":"m","temperature":0.12345678901234567,"user":null,"top_k":900}'
    for slug in ("groq", "together-ai", "fireworks-ai", "deepseek", "openrouter", "perplexity-ai", "x-ai", "ollama"):
        assert shaped(slug, "chat", body).body == body, slug


def test_groq_refuses_three_fields_that_are_dropped_and_named() -> None:
    call = shaped("groq", "chat", {"model": "m", "logprobs": True, "top_logprobs": 2, "logit_bias": {}, "n": 1})
    assert call.body == b'{"model":"m","n":1}'
    assert call.dropped == ("logprobs", "logit_bias", "top_logprobs")


@pytest.mark.parametrize(
    ("model", "host", "url"),
    [
        ("deepseek-chat", "", "https://api.deepseek.com/beta/completions"),
        ("deepseek-chat", "https://proxy.example/v1", "https://proxy.example/v1/completions"),
        ("deepseek-reasoner", "", "https://api.deepseek.com/chat/completions"),
    ],
)
def test_deepseek_fills_in_at_a_path_of_its_own(model: str, host: str, url: str) -> None:
    assert shaped("deepseek", "completions", {"model": model, "prompt": "x"}, host=host).url == url
