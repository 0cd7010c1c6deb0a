"""The documentation's page of the text completions, `completions.md`: its examples for Python, run as they are printed.

They run with our own client, which is set up beside the gateway, as a notebook would run them: one after the other in
one namespace, with `await` at the top. The gateway has the page's key, virtual key and config. `FAULTS` are the page's
own, each with what it should say; nothing else is changed. (`messages` on `completions.create` is no fault: it is sent
to `/completions`, which answers as a chat.)
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekey.store.database import engine
from tests.clients import environment
from tests.fake import Fake
from tests.gateway import Gateway
from tests.stored import SECRET, config, virtual_key

PAGE = Path(__file__).with_name("completions.md").read_text()
KEY, VIRTUAL_KEY, CONFIG = "PORTKEY_API_KEY", "VIRTUAL_KEY", "sample-7g5tr4"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PLAIN, WITH_CONFIG, STREAMED = EXAMPLES
FAULTS = (
    ("        stream=True\n    })\n", "        stream=True\n    )\n", "a brace that nothing opens"),
    ("for chunk in completion:", "for chunk in completion_stream:", "a name that is not there"),
)
NOTEBOOK = """
import ast, asyncio, inspect, sys

space = {"__name__": "__main__"}
for cell in sys.stdin.read().split("# ---- next cell\\n"):
    made = eval(compile(cell, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), space)
    if inspect.isawaitable(made):
        asyncio.run(made)
"""
"""Runs cells as a notebook does."""
MODEL = {"model": "gpt-3.5-turbo-instruct"}
HELLO = {"messages": [{"role": "user", "content": "Say this is a test"}]}


@pytest.fixture
def known(fake: Fake, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that knows the page's key, virtual key and config."""
    with Gateway(env={"GATEKEY_ADMIN_KEY": KEY}, data=tmp_path) as gateway:
        virtual_key(gateway, fake, by=KEY, slug=VIRTUAL_KEY)
        saved = config(gateway, {"virtual_key": VIRTUAL_KEY, "override_params": {"temperature": 0}}, by=KEY)
    renamed(tmp_path, saved, CONFIG)
    with Gateway(env={"GATEKEY_ADMIN_KEY": KEY}, data=tmp_path) as gateway:
        yield gateway


def renamed(data: Path, slug: str, name: str) -> None:
    """Give a saved config the slug that the page says: slugs are the gateway's to make."""
    url = f"sqlite:///{data / 'gatekey.db'}"
    database = engine(url)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE configs SET slug = ? WHERE slug = ?", (name, slug))
    database.dispose()


def mended(text: str) -> str:
    for wrong, right, _ in FAULTS:
        text = text.replace(wrong, right)
    return text


def printed(cells: list[str], gateway: Gateway) -> str:
    """What a notebook of these cells prints that is told of the gateway by its environment."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOTEBOOK],
        input="# ---- next cell\n".join(cells),
        env={"PATH": "", "PORTKEY_BASE_URL": f"{gateway.url}/v1"},
        capture_output=True,
        text=True,
        timeout=environment.RUNNING,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_faults_are_the_pages_and_are_all_of_them() -> None:
    for wrong, _, fault in FAULTS:
        assert PAGE.count(wrong) == 1, fault
        assert wrong in STREAMED, fault
    with pytest.raises(SyntaxError):
        ast.parse(STREAMED.partition("\nawait ")[0])
    for text in EXAMPLES:
        compile(mended(text), "<page>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_examples(known: Gateway, fake: Fake) -> None:
    told = printed([mended(text) for text in EXAMPLES], known)
    assert told.count('"text": "This is a test."') == 1
    assert told.count('"content": "This is a test."') == 1
    deltas = [line for line in told.splitlines() if line.startswith('  "content": ')]
    assert deltas == ['  "content": ""', *(f'  "content": "{word}"' for word in ("This", " is", " a", " test."))], told
    assert [received.path for received in fake.requests] == ["/v1/completions", *["/v1/chat/completions"] * 2]
    plain, overridden, streamed = [received.json for received in fake.requests]
    assert plain == {"prompt": "Say this is a test", **MODEL}
    assert overridden == {**HELLO, **MODEL, "temperature": 0}
    assert {name: streamed[name] for name in ("messages", "model", "stream")} == {**HELLO, **MODEL, "stream": True}
    assert {received.header("authorization") for received in fake.requests} == {f"Bearer {SECRET}"}
