"""What every provider's file owes: facts that its neighbours can rely on."""

import re
from importlib import resources
from urllib.parse import urlsplit

import pytest

from gatekey.catalog import Catalog
from gatekey.providers import Provider, Where
from tests.conformance.material import MODELS, SLUGS

CATALOG = Catalog()
PROVIDERS = [CATALOG.provider(slug) for slug in SLUGS]

each = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.slug)


def file_of(slug: str) -> str:
    """The name of the module that declares a provider."""
    return slug.replace("-", "_")


@each
def test_the_file_is_named_after_the_slug(provider: Provider) -> None:
    folder = resources.files("gatekey.providers")
    text = (folder / f"{file_of(provider.slug)}.py").read_text(encoding="utf-8")
    assert text.count(f'    slug="{provider.slug}"') == 1
    assert text.lstrip().startswith('"""'), "it opens with what it is for"


@each
def test_it_is_what_its_slug_says(provider: Provider) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", provider.slug)
    assert provider.name
    assert len(provider.name) < 60
    docs = urlsplit(provider.docs)
    assert docs.scheme == "https"
    assert docs.hostname


def test_names_and_documentation_are_told_apart() -> None:
    assert len({provider.name for provider in PROVIDERS}) == len(PROVIDERS)


@each
def test_it_answers_chat(provider: Provider) -> None:
    assert "chat" in provider.endpoints
    assert set(provider.endpoints) <= {"chat", "completions", "embeddings", "models"}


@each
def test_its_address_and_paths(provider: Provider) -> None:
    models = MODELS[provider.slug]
    where = Where(model=models["chat"], options=models.get("options", {}))
    base = provider.base if isinstance(provider.base, str) else provider.base(where)
    if provider.server:
        assert provider.base == ""
    else:
        assert base.startswith(("https://", "http://localhost:", "http://127.0.0.1:"))
        assert urlsplit(base).query == ""
    for kind, endpoint in provider.endpoints.items():
        path = endpoint.path if isinstance(endpoint.path, str) else endpoint.path(where)
        assert path.startswith("/")
        assert endpoint.method == ("GET" if kind == "models" else "POST")


@each
def test_a_name_of_a_model_cannot_climb_out_of_its_path(provider: Provider) -> None:
    models = MODELS[provider.slug]
    where = Where(model="../../x?y#z", options=models.get("options", {}))
    for endpoint in provider.endpoints.values():
        if not isinstance(endpoint.path, str):
            path = endpoint.path(where)
            assert ".." not in path.split("/")
            assert "?y" not in path
            assert "#" not in path


@each
def test_its_key_goes_into_headers(provider: Provider) -> None:
    headers = provider.auth("KEY-1")
    assert any("KEY-1" in value for value in headers.values())
    for name in (*headers, *provider.key_headers):
        assert name == name.lower()


@each
def test_its_options_have_words(provider: Provider) -> None:
    for name, option in provider.options.items():
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)
        assert option.about.endswith(".")
        for header in option.headers:
            assert header == header.lower()
            assert not header.startswith("x-portkey-"), "that one follows from the name"


def test_an_option_header_belongs_to_one_option() -> None:
    owners: dict[str, set[str]] = {}
    for provider in PROVIDERS:
        for name, option in provider.options.items():
            for header in (f"x-portkey-{name.replace('_', '-')}", *option.headers):
                owners.setdefault(header, set()).add(name)
    assert not {header: names for header, names in owners.items() if len(names) > 1}


def test_a_spelling_in_a_config_belongs_to_one_option() -> None:
    owners: dict[str, set[str]] = {}
    for provider in PROVIDERS:
        for spelling, name in provider.option_names.items():
            owners.setdefault(spelling, set()).add(name)
    assert not {spelling: names for spelling, names in owners.items() if len(names) > 1}


def test_every_provider_has_its_models() -> None:
    assert set(MODELS) == set(SLUGS), "tests/conformance/models.json names a model for each provider"
