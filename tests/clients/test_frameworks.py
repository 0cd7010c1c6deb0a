"""LangChain and LlamaIndex as the guide of our client tells them of the gateway: by its headers and its address."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.clients import environment
from tests.fake import Fake
from tests.gateway import KEY, Gateway
from tests.stored import SECRET, ask, virtual_key

pytestmark = pytest.mark.timeout(900)  # an environment may have to be made

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/python-sdk.md").read_text()
PROGRAMS = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
ENVIRONMENTS = {"langchain": "openai-3", "llamaindex": "openai-2"}


def test_the_guide_has_both() -> None:
    assert PROGRAMS.keys() == ENVIRONMENTS.keys()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_framework(name: str, gateway: Gateway, fake: Fake) -> None:
    slug = virtual_key(gateway, fake, slug="openai-main")
    interpreter = environment.python(ENVIRONMENTS[name])
    folder = interpreter.parents[1]
    # Our client has no dependencies: its source is all that it takes. Nobody is reached by https.
    told = {
        "PYTHONPATH": str(ROOT / "sdk/python/src"),
        "PORTKEY_BASE_URL": f"{gateway.url}/v1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    try:
        done = subprocess.run(
            [str(interpreter), "-c", PROGRAMS[name].replace('"KEY"', repr(KEY))],
            cwd=folder,
            env=environment.bare(folder, told),
            capture_output=True,
            text=True,
            timeout=environment.RUNNING,
        )
    finally:
        ask(gateway, "DELETE", f"/virtual-keys/{slug}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "This is a test.\n"
    [received] = fake.requests
    assert (received.path, received.header("authorization")) == ("/v1/chat/completions", f"Bearer {SECRET}")
    assert KEY not in str(received.headers)
