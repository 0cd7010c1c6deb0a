"""The guide's programs, run one after the other as a reader would."""

import re
from pathlib import Path
from typing import Any

import pytest

import portkey_ai
from portkey_ai._options import DEFAULT_URL
from portkey_ai._retries import DEFAULT, LONGEST
from portkey_ai._settings import TIMEOUT
from tests.fake import Fake
from tests.gateway import KEY, Gateway
from tests.sdk.surface import SURFACE
from tests.stored import virtual_key

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/python-sdk.md").read_text()
README = (ROOT / "sdk/python/README.md").read_text()
_program = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_programs_run(
    gateway: Gateway, fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTKEY_API_KEY", KEY)
    monkeypatch.setenv("PORTKEY_BASE_URL", f"{gateway.url}/v1")
    slug = virtual_key(gateway, fake, slug="openai-main")
    space: dict[str, Any] = {}
    try:
        for text in _program.findall(GUIDE):
            exec(compile(text, "<guide>", "exec"), space)
    finally:
        space["client"].close()
        space["portkey"].configs.delete(space["saved"].slug or space["saved"].data.slug)
        space["portkey"].virtual_keys.delete(slug)
        space["portkey"].close()
    told = capsys.readouterr().out
    assert "This is a test.\n" in told
    assert "gateway 400" in told or "gateway 404" in told
    assert type(space["client"]).__module__.startswith("openai")


def test_what_it_says_is_so() -> None:
    assert f"`{DEFAULT_URL}`" in GUIDE
    assert f"`max_retries={DEFAULT}`" in GUIDE
    assert f"... {LONGEST:g} s" in GUIDE
    assert f"`timeout={TIMEOUT:g}` s" in GUIDE
    named = set(re.findall(r"`([\w.]+)`", GUIDE.partition("## The rest of the API")[2].partition("```")[0]))
    there = {name.partition(".")[0] for name in SURFACE}
    assert {name.partition(".")[0] for name in named} >= there - {"completions", "chat"}
    for name in re.findall(r"\b[A-Z]\w+Error\b", GUIDE):
        assert hasattr(portkey_ai, name) or name == "TypeError"


def test_the_readme_is_the_same_client() -> None:
    assert _program.findall(README)
    assert "docs/guides/python-sdk.md" in README
