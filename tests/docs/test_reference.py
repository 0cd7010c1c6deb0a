"""The reference is what the code says, and leaves nothing out."""

import re
from pathlib import Path

import pytest

from docs import generate, words
from gatekey import errors
from gatekey.admin.app import routes
from gatekey.catalog import Catalog
from gatekey.cli import settings
from gatekey.config import language
from gatekey.gateway import described, headers

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def page(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def rows(name: str) -> set[str]:
    """The first cells of a page's tables, without their marks."""
    return {cell.strip("` ") for cell in re.findall(r"^\|([^|]*)\|", page(name), re.MULTILINE)}


@pytest.mark.parametrize("name", generate.PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert page(name) == generate.PAGES[name](), "run scripts/fix"


def test_every_page_is_generated() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {name for name in generate.PAGES if "/" not in name}


def test_every_setting_is_there() -> None:
    assert settings.fields().keys() <= rows("settings.md")


def test_every_header_is_there() -> None:
    assert headers.TABLE.keys() | described.ANSWERED.keys() <= rows("headers.md")


def test_every_route_of_the_control_plane_is_there() -> None:
    assert {f"{route.method} {route.path}" for route in routes()} <= rows("control-plane.md")


def test_the_fields_of_bodies_are_there_and_those_that_are_refused_are_not() -> None:
    text = page("control-plane.md")
    assert "`defaults.config_id`" in text and "`models[].slug`*" in text
    assert not [name for name in words.REFUSED_FIELDS if f"`{name}`" in text]


def test_every_key_of_a_config_is_there() -> None:
    assert language.FIELDS.keys() <= rows("config.md")


def test_every_key_has_its_words_and_no_words_are_left_over() -> None:
    assert generate.config_keys().keys() == words.CONFIG.keys() | set(words.NOT_AVAILABLE)
    assert words.HEADERS_NOT_YET.keys() <= headers.TABLE.keys()


def test_every_error_is_there() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert {kind.__name__ for kind in generate.error_classes()} == kinds
    assert all(f"| `{name}` |" in page("errors.md") for name in kinds)


def test_every_provider_is_there_with_its_options() -> None:
    catalog = Catalog()
    assert all(f": `{slug}`\n" in page("providers.md") for slug in catalog.slugs())
    assert set(catalog.option_names().values()) <= rows("providers.md")
