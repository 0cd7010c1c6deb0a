"""Every recorded answer: exactly what the caller gets for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatekey.errors import GatekeyError
from gatekey.providers import reading
from gatekey.wire import error
from tests.conformance.material import CATALOG, Recorded, files, name, recorded


def given(record: Recorded) -> str:
    """What the caller gets, as text."""
    shaped = record.shaped(stream=False)
    if record.status >= 400:
        data = error.body(reading.failure(shaped.provider, record.theirs), provider=shaped.provider.slug)
    else:
        try:
            data = reading.reply(shaped, record.theirs).body
        except GatekeyError as failed:
            return f"!! {type(failed).__name__}: {failed.message}\n"
    return json.dumps(json.loads(data), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("path", files("replies"), ids=name)
def test_what_the_caller_gets(path: Path) -> None:
    record = recorded(path)
    record.check(given(record))


@pytest.mark.parametrize("path", files("replies"), ids=name)
def test_a_reply_has_our_shape(path: Path) -> None:
    record = recorded(path)
    text = given(record)
    if record.status >= 400:
        failure = json.loads(text)
        assert failure["status"] == "failure"
        assert failure["message"] == failure["error"]["message"]
        assert failure["message"].startswith(f"{record.slug} error: ")
    elif not text.startswith("!! "):
        translated = record.shaped(stream=False).endpoint.reply is not None
        look(json.loads(text), path.stem.partition("-")[0], translated=translated)


def look(reply: dict[str, Any], kind: str, *, translated: bool) -> None:
    """Fail where a reply is not what clients of our dialect expect. What passes as it came has its own `object`."""
    if kind in ("embeddings", "models"):
        assert reply["object"] == "list"
        assert isinstance(reply["data"], list)
        return
    if translated:
        assert reply["object"] == {"chat": "chat.completion", "completions": "text_completion"}[kind]
    assert isinstance(reply["id"], str)
    assert isinstance(reply["created"], int)
    assert isinstance(reply["model"], str)
    assert isinstance(reply["choices"], list)
    for choice in reply["choices"]:
        assert isinstance(choice["index"], int)
        if kind == "chat":
            assert choice["message"]["role"] == "assistant"
            for call in choice["message"].get("tool_calls") or ():
                assert isinstance(call["id"], str)
                json.loads(call["function"]["arguments"])
        else:
            assert isinstance(choice["text"], str)
    usage = reply.get("usage")
    if isinstance(usage, dict):
        assert usage["total_tokens"] >= usage["prompt_tokens"]


def test_every_provider_has_a_recorded_answer_and_a_recorded_error() -> None:
    records = [recorded(path) for path in files("replies")]
    good = {record.slug for record in records if record.status < 400}
    bad = {record.slug for record in records if record.status >= 400}
    translated = {
        slug
        for slug in CATALOG.slugs()
        if any(endpoint.params is not None for endpoint in CATALOG.provider(slug).endpoints.values())
    }
    assert translated <= good & bad
    assert good | bad <= set(CATALOG.slugs())
