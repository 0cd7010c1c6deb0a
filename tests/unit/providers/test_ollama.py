import pytest
from shaping import shaped


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://localhost:11434/v1/chat/completions"),
        ("http://gpu:11434", "http://gpu:11434/v1/chat/completions"),
        ("http://gpu:11434/", "http://gpu:11434/v1/chat/completions"),
        ("http://gpu:11434/v1", "http://gpu:11434/v1/chat/completions"),
        ("https://gpu/ollama/v1/", "https://gpu/ollama/v1/chat/completions"),
    ],
)
def test_the_version_is_added_where_the_host_has_none(host: str, url: str) -> None:
    assert shaped("ollama", "chat", {"model": "llama3.2", "messages": []}, host=host).url == url


def test_a_server_of_ones_own_at_hugging_face() -> None:
    for own in ("https://x.endpoints.huggingface.cloud", "https://x.endpoints.huggingface.cloud/v1/"):
        call = shaped("huggingface", "chat", {"model": "m"}, {"huggingface_base_url": own})
        assert call.url == "https://x.endpoints.huggingface.cloud/v1/chat/completions"
    assert shaped("huggingface", "chat", {"model": "m"}).url == "https://router.huggingface.co/v1/chat/completions"
