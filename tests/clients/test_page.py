"""The documentation's page of the text completions, `completions.md`: its examples for node, run as they are printed.

The gateway has the key and the virtual key of the page. What is not as it is printed:

- `import Portkey` becomes `import { Portkey }`: node gives a module the whole of this CommonJS package as its default.
- `custom-config-123` becomes the slug of a saved config, which the gateway makes.
- `chunk.content` is printed as undefined: a chunk is given as it came, with its text in `choices[0].text`.
"""

import html
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import environment, test_curl
from tests.fake import Fake
from tests.gateway import Gateway
from tests.stored import SECRET, config, virtual_key

pytestmark = pytest.mark.timeout(900)  # the environment may have to be made

PAGE = Path(__file__).with_name("completions.md").read_text()
KEY, VIRTUAL_KEY, CONFIG = "PORTKEY_API_KEY", "VIRTUAL_KEY", "custom-config-123"
IMPORT = ("import Portkey from", "import { Portkey } from")
PLAIN, STREAMED, WITH_CONFIG = re.findall(r"^```javascript\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def known(fake: Fake) -> Iterator[Gateway]:
    """A gateway that knows the page's keys."""
    with Gateway(env={"GATEKEY_ADMIN_KEY": KEY}) as gateway:
        virtual_key(gateway, fake, by=KEY, slug=VIRTUAL_KEY)
        yield gateway


def printed(text: str, gateway: Gateway) -> str:
    """What a program prints that is told of the gateway by its environment."""
    assert text.count(IMPORT[0]) == 1
    folder = environment.CLIENTS / "node"
    done = subprocess.run(
        [*environment.node("node"), "--eval", text.replace(*IMPORT)],
        cwd=folder,
        env=environment.bare(folder, {"PORTKEY_BASE_URL": f"{gateway.url}/v1"}),
        capture_output=True,
        text=True,
        timeout=environment.RUNNING,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_examples(known: Gateway, fake: Fake) -> None:
    saved = config(known, {"virtual_key": VIRTUAL_KEY, "override_params": {"temperature": 0}}, by=KEY)
    assert WITH_CONFIG.count(CONFIG) == 1
    told = printed(PLAIN + STREAMED + WITH_CONFIG.replace(CONFIG, saved), known)
    assert told.count("text: 'This is a test.'") == 2
    assert told.count("object: 'text_completion'") == 2
    assert told.count("undefined\n") == 5
    model = {"model": "gpt-3.5-turbo-instruct"}
    assert [received.json for received in fake.requests] == [
        {"prompt": "Say this is a test", **model},
        {"prompt": "Continuously stream this test", **model, "stream": True, "stream_options": {"include_usage": True}},
        {"prompt": "Say this is a test with specific config", **model, "temperature": 0},
    ]
    assert {received.header("authorization") for received in fake.requests} == {f"Bearer {SECRET}"}


def test_the_text_of_a_stream(known: Gateway, fake: Fake) -> None:
    """The streamed example, with the field where the text is."""
    assert STREAMED.count("chunk.content") == 1
    first, _, _ = PLAIN.partition("// Generate a text completion")
    assert printed(first + STREAMED.replace("chunk.content", "chunk.choices[0].text"), known) == (
        "This\n is\n a\n test.\n\n"
    )


@pytest.mark.parametrize("name", ["PROVIDER", "VIRTUAL_KEY", "CONFIG", "THREE_MORE"])
def test_the_commands_of_curl_are_the_pages(name: str) -> None:
    assert getattr(test_curl, name) in html.unescape(re.sub(r"</?(strong|pre|code)\b[^>]*>", "", PAGE))
