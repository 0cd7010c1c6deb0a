"""What an exchange costs, by each provider's documented way of counting: a file in `cost/` for each case.

A file holds a `usage` as the provider's page (`source`) shows it, the `classes` that it comes to, a `price`, and the
`nano_dollars` that both make, worked out by hand; null: unpriced.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatekey.pricing import Table, cost
from gatekey.providers import usage
from gatekey.wire.usage import Usage
from tests.conformance.material import CATALOG, GOLDEN

CASES = sorted((Path(__file__).parent / "cost").glob("*.json"))


def case(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text())
    return read


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_documented_usage_costs_what_it_should(path: Path) -> None:
    told = case(path)
    found = usage(CATALOG.provider(told["provider"]), told["usage"])
    assert found == msgspec.convert(told["classes"], Usage)
    price = None
    if told["price"] is not None:
        data = {"providers": {told["provider"]: {told["model"]: told["price"]}}}
        price = Table.parse(json.dumps(data).encode()).find(told["provider"], told["model"])
        assert price is not None
    assert cost(found, price) == told["nano_dollars"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_bound_of_what_was_used_is_no_less_than_its_cost(path: Path) -> None:
    told = case(path)
    found = msgspec.convert(told["classes"], Usage)
    if told["price"] is None or found.told is not None or told["nano_dollars"] is None:
        return
    data = {"providers": {"p": {"m": told["price"]}}}
    price = Table.parse(json.dumps(data).encode()).find("p", "m")
    assert price is not None
    units = {"images": found.images, "audio_ms": found.audio_ms, "characters": found.characters}
    bound = price.bound(found.prompt, found.completion, **units)
    assert bound is not None
    assert bound >= told["nano_dollars"]


def test_every_provider_and_every_class_has_a_case() -> None:
    assert {case(path)["provider"] for path in CASES} == set(CATALOG.slugs())
    classes = {name for path in CASES for name in case(path)["classes"]}
    assert set(Usage.__struct_fields__) - {"estimated"} <= classes


def reported() -> list[tuple[str, dict[str, Any]]]:
    """The usage of every recorded answer, as callers get it."""
    found = []
    for path in sorted((GOLDEN / "replies").glob("*/*.txt")):
        ours = path.read_text().partition("--------\n")[2]
        if ours.startswith("{") and (told := json.loads(ours).get("usage")):
            found.append((path.parent.name, told))
    for path in sorted((GOLDEN / "streams").glob("*/*.txt")):
        for line in path.read_text().partition("--------\n")[2].splitlines():
            if line.startswith("data: {") and (told := json.loads(line[6:]).get("usage")):
                found.append((path.parent.name, told))
    return found


@pytest.mark.parametrize(("slug", "told"), reported())
def test_the_classes_of_every_recorded_answer_add_up_to_its_totals(slug: str, told: dict[str, Any]) -> None:
    found = usage(CATALOG.provider(slug), told)
    if not told.get("total_tokens"):
        assert found is None  # it was not told, and our dialect demands the field
        return
    assert found is not None
    assert not found.doubtful
    billed = told.get("billed_units")
    if billed:
        assert (found.prompt, found.completion) == (billed["input_tokens"], billed.get("output_tokens", 0))
        return
    assert found.prompt == told["prompt_tokens"]
    assert found.total == told["total_tokens"]
    assert found.total == found.prompt + found.completion
