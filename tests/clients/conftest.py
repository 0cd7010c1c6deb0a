"""Clients in environments of their own, and how the fake provider is reached through the gateway."""

import functools
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.clients import environment
from tests.clients.asking import arguments
from tests.clients.environment import Run
from tests.fake import Fake
from tests.gateway import Gateway


@pytest.fixture(scope="session")
def _portkey() -> environment.Runner:
    return environment.portkey_python()


@pytest.fixture(scope="session")
def _node() -> environment.Runner:
    return environment.portkey_node()


@pytest.fixture
def portkey(_portkey: environment.Runner, gateway: Gateway, fake: Fake) -> Run:
    """Runs a script with the Portkey client of PyPI."""
    return _addressed(_portkey, gateway, fake)


@pytest.fixture
def node(_node: environment.Runner, gateway: Gateway, fake: Fake) -> Run:
    """Runs a script with the clients of npm."""
    return _addressed(_node, gateway, fake)


def _addressed(run: environment.Runner, gateway: Gateway, fake: Fake) -> Run:
    # The client's own variables are set, too: a script that forgets the address must not reach anybody's real gateway.
    url = f"{gateway.url}/v1"
    return functools.partial(run, URL=url, FAKE=fake.base, PORTKEY_BASE_URL=url, PORTKEY_PROXY=url)


@pytest.fixture
def told(gateway: Gateway, fake: Fake) -> dict[str, Any]:
    """How the openai client is told of the gateway, the provider and its host."""
    return arguments(gateway, provider="openai", custom_host=fake.base)


@pytest.fixture
def client(told: dict[str, Any]) -> Iterator[openai.OpenAI]:
    """The openai client, told so."""
    with openai.OpenAI(**told) as made:
        yield made
