"""The description of the control plane names whatever its routes hold."""

import json
from typing import Any

from gatekey.admin.app import routes
from gatekey.admin.described import FAILING, control_plane
from gatekey.catalog import Catalog
from gatekey.gateway.app import RESERVED
from gatekey.gateway.openapi import document

DOCUMENT: dict[str, Any] = json.loads(document(Catalog(), control_plane))
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_route_is_there_with_its_scopes() -> None:
    for route in routes():
        operation = OPERATIONS[route.method, f"/v1{route.path}"]
        assert bool(operation["security"]) is not route.signed
        assert route.signed or all(f"`{scope}`" in operation["description"] for scope in route.scopes)
        assert {str(status) for status in FAILING} < operation["responses"].keys()
        assert ("requestBody" in operation) == (route.body is not None)
        assert [query["name"] for query in operation["parameters"]] == [query.name for query in route.query]


def test_every_route_is_below_a_reserved_name() -> None:
    assert {route.path.split("/")[1] for route in routes()} <= RESERVED


def test_each_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    there = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    found = {ref for ref in references(DOCUMENT) if ref.startswith("#/components/schemas/")}
    assert found == there


def test_fields_of_a_provider_are_let_into_the_bodies_that_take_them() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert "additionalProperties" not in schemas["control.virtual_keys.New"]
    assert schemas["control.configs.New"]["additionalProperties"] is False
    assert schemas["control.virtual_keys.New"]["properties"]["key"]["anyOf"][0]["writeOnly"] is True
