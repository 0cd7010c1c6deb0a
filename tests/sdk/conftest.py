"""The client, told of a gateway and of a fake provider behind it; or of a fake in the gateway's place."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.asking import PROVIDER_KEY
from tests.fake import Fake
from tests.gateway import KEY, Gateway
from tests.sdk.ways import WAYS, Way


def leading(fake: Fake) -> dict[str, Any]:
    """Options that lead to the fake by name, with a key."""
    return {"api_key": KEY, "provider": "openai", "custom_host": fake.base, "authorization": PROVIDER_KEY}


@pytest.fixture(autouse=True)
def _told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment that the tests run in tells the client anything."""
    for name in ("PORTKEY_API_KEY", "PORTKEY_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        with suppress(KeyError):
            monkeypatch.delenv(name.lower())


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, gateway: Gateway, fake: Fake) -> Iterator[Way]:
    """A client of the gateway whose calls lead to the fake."""
    made = WAYS[request.param](base_url=f"{gateway.url}/v1", **leading(fake))
    yield made
    made.end()


@pytest.fixture(params=WAYS)
def near(request: pytest.FixtureRequest, fake: Fake) -> Iterator[Way]:
    """A client that takes the fake for its gateway."""
    made = WAYS[request.param](base_url=fake.base, api_key=KEY)
    yield made
    made.end()
