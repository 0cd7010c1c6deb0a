"""Every case x every provider: exactly what is sent."""

import json
from typing import Any

import pytest

from gatekey.errors import GatekeyError
from gatekey.providers import Shaped
from gatekey.wire import body
from tests.conformance.material import CASES, CATALOG, GOLDEN, HINT, SLUGS, UPDATE, ask, case, kind_of

PAIRS = [(slug, name) for slug in SLUGS for name in CASES if case(name, slug) is not None]


def sent(slug: str, name: str) -> dict[str, Any]:
    """What a case becomes, or how it is refused."""
    try:
        shaped = ask(slug, kind_of(name), case(name, slug) or b"")
    except GatekeyError as error:
        return {"error": {"status": error.status, "param": error.param, "message": error.message}}
    return {
        "method": shaped.method,
        "url": shaped.url,
        "headers": {**shaped.provider.auth("KEY"), **shaped.headers},
        "body": content(shaped),
        "dropped": list(shaped.dropped),
        "clamped": list(shaped.clamped),
    }


def content(shaped: Shaped) -> Any:
    """The body: its text where it passes as it came, so that every digit shows; decoded where it is translated."""
    if shaped.endpoint.params is None:
        return shaped.body.decode()
    return json.loads(shaped.body)


@pytest.mark.parametrize(("slug", "name"), PAIRS, ids=[f"{slug}/{name}" for slug, name in PAIRS])
def test_what_is_sent(slug: str, name: str) -> None:
    golden = GOLDEN / "requests" / slug / f"{name}.json"
    text = json.dumps(sent(slug, name), indent=2, ensure_ascii=False) + "\n"
    if UPDATE:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert golden.exists(), f"{golden} is missing: {HINT}"
    assert golden.read_text() == text, HINT


def test_no_golden_file_is_left_over() -> None:
    there = {(path.parent.name, path.stem) for path in (GOLDEN / "requests").glob("*/*.json")}
    assert there <= set(PAIRS), f"of no case or no provider: {there - set(PAIRS)}"


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("name", ["chat-exact", "completions-exact", "embeddings-list"])
def test_what_speaks_our_dialect_gets_the_very_bytes(slug: str, name: str) -> None:
    """Digits, nulls, order, fields that nobody here knows: only what the provider's file says it refuses is gone."""
    given = case(name, slug)
    assert given is not None
    kind = kind_of(name)
    endpoint = CATALOG.provider(slug).endpoints.get(kind)  # type: ignore[call-overload]
    if endpoint is None or endpoint.params is not None:
        return
    shaped = ask(slug, kind, given)
    if shaped.text:  # a model that only chat serves: its prompt has become a message
        return
    kept = {key: value for key, value in body.decode(given).items() if key not in endpoint.lacks}
    if endpoint.model is not None:
        kept["model"] = body.decode(shaped.body)["model"]
    assert shaped.body == body.encode(kept)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_lost_is_reported(slug: str) -> None:
    """A field that a translation does not know never vanishes in silence."""
    given = case("chat-exact", slug)
    assert given is not None
    shaped = ask(slug, "chat", given)
    if shaped.endpoint.params is not None:
        assert "a_field_of_tomorrow" in shaped.dropped
