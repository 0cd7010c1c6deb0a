import sys

import pytest

from gatekey.catalog import Catalog
from gatekey.providers import Provider


def test_slugs_are_known_without_importing_a_provider() -> None:
    for name in [name for name in sys.modules if name.startswith("gatekey.providers.") and name[18] != "_"]:
        del sys.modules[name]
    catalog = Catalog()
    slugs = catalog.slugs()
    assert list(slugs) == sorted(slugs)
    assert {"openai", "local"} <= set(slugs)
    assert catalog.known("openai")
    assert not catalog.known("nobody")
    assert "gatekey.providers.openai" not in sys.modules


def test_a_provider_is_imported_once() -> None:
    catalog = Catalog()
    provider = catalog.provider("openai")
    assert isinstance(provider, Provider)
    assert catalog.provider("openai") is provider
    assert sys.modules["gatekey.providers.openai"].provider is provider


def test_an_unknown_provider() -> None:
    with pytest.raises(KeyError):
        Catalog().provider("nobody")


def test_options_map_every_spelling_to_its_name() -> None:
    catalog = Catalog()
    options = catalog.options("openai")
    assert options["openai_organization"] == "openai_organization"
    assert options.items() <= catalog.option_names().items()
