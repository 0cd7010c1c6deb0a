"""A provider that speaks our dialect is one file of a few lines, and no other edit."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gatekey
from tests.fake import Fake
from tests.gateway import Gateway

FILE = '''\
"""Acme, whose models answer in the OpenAI dialect."""

from gatekey.providers import compatible

provider = compatible(
    slug="acme-ai",
    name="Acme",
    docs="https://acme.example/docs",
    base="https://api.acme.example/v1",
)
'''


@pytest.fixture(scope="module")
def with_acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for PYTHONPATH with the package as it is, and the one file."""
    folder = tmp_path_factory.mktemp("source")
    package = folder / "gatekey"
    shutil.copytree(Path(gatekey.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "providers" / "acme_ai.py").write_text(FILE)
    yield folder
    shutil.rmtree(folder)


SHAPE = """
import json
from gatekey.catalog import Catalog
from gatekey.providers import Asked, shape
from gatekey.wire import body

catalog = Catalog()
assert catalog.known("acme-ai")
chat = body.decode(b'{"model":"m","messages":[],"new":1.50}')
shaped = shape(catalog.provider("acme-ai"), "chat", chat, Asked(kind="chat", provider="acme-ai"))
print(json.dumps([shaped.method, shaped.url, shaped.body.decode(), shaped.provider.auth("KEY")]))
"""


def test_it_is_found_and_speaks(with_acme: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SHAPE],
        env={**os.environ, "PYTHONPATH": str(with_acme), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [
        "POST",
        "https://api.acme.example/v1/chat/completions",
        '{"model":"m","messages":[],"new":1.50}',
        {"authorization": "Bearer KEY"},
    ]


def test_a_call_goes_through_it(with_acme: Path) -> None:
    headers = {"x-portkey-provider": "acme-ai", "authorization": "Bearer sk-acme"}
    ask = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    with Fake() as fake, Gateway(env={"PYTHONPATH": str(with_acme)}) as gateway:
        answer = gateway.call("POST", "/v1/chat/completions", {**headers, "x-portkey-custom-host": fake.base}, ask)
    assert answer.status == 200, answer.body
    assert answer.headers["x-portkey-provider"] == "acme-ai"
    assert answer.json()["choices"][0]["message"]["content"] == "This is a test."
    assert fake.requests[0].header("authorization") == "Bearer sk-acme"
    assert fake.requests[0].json == ask


def test_the_file_is_small() -> None:
    code = FILE.split('"""\n', 1)[1].split()
    assert len(FILE.splitlines()) <= 10
    assert len(code) < 15
