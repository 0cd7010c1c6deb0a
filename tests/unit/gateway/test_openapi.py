"""The description names whatever the tables hold."""

import json
from typing import Any

import pytest

from gatekey import errors
from gatekey.catalog import Catalog
from gatekey.gateway import described, headers, rates, respond
from gatekey.gateway.app import FIXED, KINDS, RESERVED
from gatekey.gateway.call import Call
from gatekey.gateway.openapi import ELSEWHERE, document
from gatekey.routing.plan import Outcome

CATALOG = Catalog()
DOCUMENT: dict[str, Any] = json.loads(document(CATALOG))


def named(parameters: list[dict[str, Any]]) -> set[str]:
    """The headers that a path's parameters refer to."""
    return {DOCUMENT["components"]["parameters"][one["$ref"].rpartition("/")[2]]["name"] for one in parameters}


def references(part: Any) -> set[str]:
    """Every reference in the document, the config's own to itself left out."""
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_route_is_there() -> None:
    there = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert {*KINDS, *FIXED} <= there


@pytest.mark.parametrize("path", [path for _, path in KINDS])
def test_every_header_is_there(path: str) -> None:
    found = named(DOCUMENT["paths"][path]["parameters"])
    own = {name for slug in CATALOG.slugs() for name in CATALOG.provider(slug).key_headers}
    options = {f"x-portkey-{name.replace('_', '-')}" for name in CATALOG.option_names().values()}
    # The gateway key is a security scheme.
    assert found >= (headers.TABLE.keys() - {"x-portkey-api-key"}) | own | options


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    parts = ("schemas", "parameters", "headers", "responses")
    there = {f"#/components/{kind}/{name}" for kind in parts for name in DOCUMENT["components"][kind]}
    assert references(DOCUMENT) == there


def test_the_response_headers_are_those_that_are_written() -> None:
    head = headers.Head(headers.Options(), {})
    call = Call("chat", "POST", "/chat/completions", "/v1/chat/completions", head, "t", 0)
    outcome = Outcome(500, "gateway", "config", "openai", retries=-1, dropped=("a",), clamped=("b=1",))
    written = respond.headers(call, outcome, cache="MISS", unavailable=("cache",))
    told = {name for names in rates.NAMES.values() for name in names}
    assert {name.decode() for name in told | dict(written).keys()} == described.ANSWERED.keys()


def test_the_gateways_own_statuses_are_there() -> None:
    there = DOCUMENT["paths"]["/v1/completions"]["post"]["responses"].keys()
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {str(kind.status) for kind in kinds if kind.status not in ELSEWHERE} <= there


def test_what_is_never_forwarded_is_named() -> None:
    told = DOCUMENT["paths"]["/v1/{path}"]["post"]["description"]
    assert all(f"`{name}`" in told for name in RESERVED)


def test_it_is_made_once() -> None:
    assert document(CATALOG) is document(CATALOG)
