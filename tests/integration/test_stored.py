"""Stored credentials, keys and configs as requests use them, on running gateways."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, PROMPT, TEXTS, by, fallback, target
from tests.fake import Fake, error
from tests.gateway import KEY, Gateway
from tests.stored import SECRET, api_key, ask, config, virtual_key, workspace

EMBEDDING = {"model": "m", "input": "Hello"}
RESPONSE = {"model": "m", "input": "Hello"}
ROUTES = [(CHATS, CHAT), (TEXTS, PROMPT), ("/v1/embeddings", EMBEDDING), ("/v1/responses", RESPONSE)]


@pytest.fixture(scope="module")
def stocked() -> Iterator[Gateway]:
    """A gateway on which tests store what they like."""
    with Gateway() as running:
        yield running


@pytest.mark.parametrize(("path", "body"), ROUTES)
@pytest.mark.parametrize(
    "way", ["virtual key", "virtual key and model", "in a config", "provider", "model", "override", "saved", "plain"]
)
@pytest.mark.parametrize("authorization", ["", "Bearer dummy", "sk-of-somebody-else"])
def test_every_way_of_naming_it(
    stocked: Gateway, fake: Fake, path: str, body: dict[str, Any], way: str, authorization: str
) -> None:
    """The provider gets its own key and the bare model; what `Authorization` says is for nobody."""
    fake.on("/v1/responses", error(200, "unused"))
    slug = virtual_key(stocked, fake)
    named = {"model": f"@{slug}/m"}
    headers, body = {
        "virtual key": ({"x-portkey-virtual-key": slug}, body),
        "virtual key and model": ({"x-portkey-virtual-key": slug}, body | named),
        "in a config": (by({"virtual_key": slug}), body),
        "provider": ({"x-portkey-provider": f"@{slug}"}, body),
        "model": ({}, body | named),
        "override": (by({"override_params": named}), body),
        "saved": ({"x-portkey-config": config(stocked, {"virtual_key": slug})}, body),
        "plain": (by({"provider": f"@{slug}"}), body),
    }[way]
    answer = stocked.call("POST", path, headers | ({"authorization": authorization} if authorization else {}), body)
    assert answer.status == 200, answer.body
    assert answer.headers["x-portkey-last-used-option-index"] == "config"
    assert answer.headers["x-portkey-provider"] == "openai"
    [received] = fake.requests
    assert received.path == path
    assert received.header("authorization") == f"Bearer {SECRET}"
    assert received.json["model"] == "m"
    told = f"{received.headers} {received.body!r}"
    assert "somebody-else" not in told and "dummy" not in told and KEY not in told


def test_integration_and_provider(stocked: Gateway, fake: Fake) -> None:
    made = ask(stocked, "POST", "/integrations", {
        "name": "shared", "ai_provider_id": "openai", "key": SECRET, "create_default_provider": False,
        "configurations": {"custom_host": fake.base, "custom_headers": {"x-team": "of the integration"}},
    })  # fmt: skip
    slug = ask(stocked, "POST", "/providers", {"name": "mine", "integration_id": made["id"]})["slug"]
    answer = stocked.call("POST", CHATS, body={**CHAT, "model": f"@{slug}/org/model"})
    assert answer.status == 200
    assert answer.json()["model"] == "org/model"
    [received] = fake.requests
    assert received.json["model"] == "org/model"
    assert received.header("x-team") == "of the integration"
    assert received.header("authorization") == f"Bearer {SECRET}"


def test_fallbacks_and_nested_configs(stocked: Gateway, fake: Fake) -> None:
    first, second, third = (virtual_key(stocked, fake, key=f"sk-{name}-long") for name in ("first", "second", "third"))
    content = fallback(
        {"virtual_key": first, "override_params": {"model": "a"}},
        {"strategy": {"mode": "fallback"}, "targets": [
            {"provider": f"@{second}"},
            {"override_params": {"model": f"@{third}/c"}},
        ]},
    )  # fmt: skip
    for headers in (by(content), {"x-portkey-config": config(stocked, content)}):
        fake.requests.clear()
        fake.answer(error(500), error(429))
        answer = stocked.call("POST", CHATS, headers, CHAT)
        assert answer.status == 200
        assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1].targets[1]"
        keys = [received.header("authorization") for received in fake.requests]
        assert keys == ["Bearer sk-first-long", "Bearer sk-second-long", "Bearer sk-third-long"]
        assert [received.json["model"] for received in fake.requests] == ["a", "m", "c"]


def test_the_default_config_of_a_key(stocked: Gateway, fake: Fake) -> None:
    """The more specific one replaces: nothing of the key's own is merged into what a request brings."""
    slug, other = virtual_key(stocked, fake), virtual_key(stocked, fake, key="sk-of-another")
    held = config(stocked, {"virtual_key": slug, "override_params": {"temperature": 0.5}})
    free = api_key(stocked, defaults={"config_id": held})[1]
    bound = api_key(stocked, defaults={"config_id": held, "allow_config_override": False})[1]
    for key in (free, bound):
        fake.requests.clear()
        assert stocked.call("POST", CHATS, {}, CHAT, key=key).status == 200
        assert stocked.call("POST", CHATS, {"x-portkey-config": held}, CHAT, key=key).status == 200
        assert [received.json.get("temperature") for received in fake.requests] == [0.5, 0.5]
    fake.requests.clear()
    assert stocked.call("POST", CHATS, by({"virtual_key": other}), CHAT, key=free).status == 200
    [received] = fake.requests
    assert received.header("authorization") == "Bearer sk-of-another"
    assert "temperature" not in received.json
    for headers in (by({"virtual_key": other}), {"x-portkey-config": config(stocked, {"virtual_key": other})}):
        answer = stocked.call("POST", CHATS, headers, CHAT, key=bound)
        assert answer.status == 400
        assert answer.error["param"] == "x-portkey-config"
        assert "may not override" in answer.error["message"]
    assert len(fake.requests) == 1


def test_who_is_named_beside_the_config_of_a_key(stocked: Gateway, fake: Fake) -> None:
    """The config's targets count, so that a key's config can be relied on; a request names who none of them names."""
    slug, other = virtual_key(stocked, fake), virtual_key(stocked, fake, key="sk-of-another")
    names = [{"x-portkey-virtual-key": other}, {"x-portkey-provider": f"@{other}"}]
    for content, expected in (({"virtual_key": slug}, SECRET), ({"retry": {"attempts": 1}}, "sk-of-another")):
        key = api_key(stocked, defaults={"config_id": config(stocked, content)})[1]
        for headers in names:
            assert stocked.call("POST", CHATS, headers, CHAT, key=key).status == 200
            assert fake.requests[-1].header("authorization") == f"Bearer {expected}"
    named = {**CHAT, "model": f"@{other}/m"}
    assert stocked.call("POST", CHATS, {}, named, key=key).status == 200
    assert fake.requests[-1].header("authorization") == "Bearer sk-of-another"


def test_models_that_are_not_allowed(stocked: Gateway, fake: Fake) -> None:
    slug = virtual_key(stocked, fake, models=["m", "n"])
    for model, path in (("other", CHATS), (f"@{slug}/other", CHATS), ("other", "/v1/responses")):
        answer = stocked.call("POST", path, {"x-portkey-virtual-key": slug}, {**CHAT, "model": model})
        assert answer.status == 403
        assert answer.error["param"] == "model"
        assert "other is not allowed" in answer.error["message"]
    assert fake.requests == []
    assert stocked.call("POST", CHATS, {"x-portkey-virtual-key": slug}, {**CHAT, "model": "n"}).status == 200
    override = by({"virtual_key": slug, "override_params": {"model": "other"}})
    assert stocked.call("POST", CHATS, override, CHAT).status == 403
    listed = stocked.call("GET", "/v1/models").json()["data"]
    assert [model["id"] for model in listed if slug in model["id"]] == [f"@{slug}/m", f"@{slug}/n"]


def test_an_expired_virtual_key(stocked: Gateway, fake: Fake) -> None:
    old = virtual_key(stocked, fake, expires_at="2020-01-01T00:00:00Z")
    good = virtual_key(stocked, fake, expires_at="2999-01-01T00:00:00Z")
    answer = stocked.call("POST", CHATS, {"x-portkey-virtual-key": old}, CHAT)
    assert (answer.status, fake.requests) == (401, [])
    assert "has expired" in answer.error["message"]
    answer = stocked.call("POST", CHATS, by(fallback({"virtual_key": old}, {"virtual_key": good})), CHAT)
    assert answer.status == 200
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    assert len(fake.requests) == 1
    status = ask(stocked, "GET", f"/virtual-keys/{old}")["status"]
    assert status == "expired"


def test_another_workspace_has_none_of_it(stocked: Gateway, fake: Fake) -> None:
    here, there = workspace(stocked), workspace(stocked)
    mine, foreign = api_key(stocked, workspace_id=here)[1], api_key(stocked, workspace_id=there)[1]
    slug = virtual_key(stocked, fake, workspace_id=here)
    saved = config(stocked, {"virtual_key": slug}, workspace_id=here)
    ways: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({"x-portkey-virtual-key": slug}, CHAT),
        ({"x-portkey-config": saved}, CHAT),
        (by({"virtual_key": slug}), CHAT),
        (by(fallback({"virtual_key": slug}, {"virtual_key": slug})), CHAT),
        ({"x-portkey-provider": f"@{slug}"}, CHAT),
        ({}, {**CHAT, "model": f"@{slug}/m"}),
    ]
    for headers, body in ways:
        for key in (foreign, KEY):
            answer = stocked.call("POST", CHATS, headers, body, key=key)
            assert answer.status == 400
            assert "there is no" in answer.error["message"]
    assert fake.requests == []
    for headers, body in ways:
        assert stocked.call("POST", CHATS, headers, body, key=mine).status == 200


def test_a_stored_credential_goes_nowhere_else(stocked: Gateway, fake: Fake) -> None:
    """Neither to a host that a request or a config names, nor to an address that options are part of."""
    slug = virtual_key(stocked, fake)
    headers = virtual_key(stocked, fake, key=None, custom_headers={"x-secret": "of-the-stored"})
    azure = {"name": "azure", "provider": "azure-openai", "key": SECRET, "resource_name": "mine"}
    azured = ask(stocked, "POST", "/virtual-keys", azure)["slug"]
    with Fake() as thief:
        for asked in (
            {"x-portkey-virtual-key": slug, "x-portkey-custom-host": thief.base},
            {"x-portkey-provider": f"@{slug}", "x-portkey-custom-host": thief.base},
            {"x-portkey-virtual-key": headers, "x-portkey-custom-host": thief.base},
            by({"virtual_key": slug, "custom_host": thief.base}),
            by({"custom_host": thief.base, "targets": [{"virtual_key": slug}]}),
            by(fallback(target(fake), {"virtual_key": slug, "custom_host": thief.base})),
            by({"virtual_key": azured, "azure_resource_name": "theirs"}),
        ):
            answer = stocked.call("POST", CHATS, asked, CHAT)
            assert answer.status in (400, 403), (asked, answer.body)
            assert "only sent to its own host" in answer.error["message"]
        assert thief.requests == []
    assert fake.requests == []


def test_expired_and_unscoped_keys(stocked: Gateway, fake: Fake) -> None:
    slug = virtual_key(stocked, fake)
    number, old = api_key(stocked, expires_at="2020-01-01T00:00:00Z")
    answer = stocked.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT, key=old)
    assert answer.status == 401
    assert "expired" in answer.error["message"]
    ask(stocked, "PUT", f"/api-keys/{number}", {"expires_at": "2999-01-01T00:00:00Z"})
    assert stocked.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT, key=old).status == 200
    lesser = api_key(stocked, scopes=["virtual_keys.list"])[1]
    answer = stocked.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT, key=lesser)
    assert answer.status == 403
    assert "completions.write" in answer.error["message"]
    assert stocked.call("GET", "/v1/virtual-keys", key=lesser).status == 200
    assert stocked.call("DELETE", f"/v1/virtual-keys/{slug}", key=lesser).status == 403
    assert len(fake.requests) == 1


def test_both_secrets_of_a_rotated_key(stocked: Gateway, fake: Fake) -> None:
    slug = virtual_key(stocked, fake)
    number, old = api_key(stocked)
    new = ask(stocked, "POST", f"/api-keys/{number}/rotate", {})["key"]
    for key in (old, new):
        assert stocked.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT, key=key).status == 200
    ask(stocked, "DELETE", f"/api-keys/{number}")
    for key in (old, new):
        assert stocked.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT, key=key).status == 401


def test_metadata_of_workspace_key_and_request(stocked: Gateway, fake: Fake) -> None:
    """The workspace's wins over the key's, and that over the request's."""
    home = workspace(stocked, defaults={"metadata": {"a": "workspace"}})
    key = api_key(
        stocked, "workspace/user", user_id="anna", workspace_id=home,
        defaults={"metadata": {"a": "key", "b": "key"}},
    )[1]  # fmt: skip
    names = {"a": "workspace", "b": "key", "c": "request", "_user": "anna"}
    given = '{"a": "request", "b": "request", "c": "request"}'
    for name, wanted in names.items():
        conditions = [{"query": {f"metadata.{name}": {"$eq": wanted}}, "then": "right"}]
        content = {
            "strategy": {"mode": "conditional", "conditions": conditions, "default": "wrong"},
            "targets": [target(fake, name="wrong"), target(fake, name="right")],
        }
        answer = stocked.call("POST", CHATS, by(content, x_portkey_metadata=given), CHAT, key=key)
        assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]", name
    assert all(not name.startswith("x-portkey-") for received in fake.requests for name, _ in received.headers)


def test_changes_are_seen_at_once(stocked: Gateway, fake: Fake) -> None:
    slug = virtual_key(stocked, fake, key="sk-the-old-one")
    saved = config(stocked, {"virtual_key": slug, "override_params": {"model": "first"}})
    ask(stocked, "PUT", f"/virtual-keys/{slug}", {"key": "sk-the-new-one"})
    ask(stocked, "PUT", f"/configs/{saved}", {"config": {"virtual_key": slug, "override_params": {"model": "second"}}})
    assert stocked.call("POST", CHATS, {"x-portkey-config": saved}, CHAT).status == 200
    [received] = fake.requests
    assert received.header("authorization") == "Bearer sk-the-new-one"
    assert received.json["model"] == "second"
    refused = stocked.call("DELETE", f"/v1/virtual-keys/{slug}")
    assert refused.status == 409
    assert saved in refused.json()["message"]
    ask(stocked, "DELETE", f"/configs/{saved}")
    ask(stocked, "DELETE", f"/virtual-keys/{slug}")
    for headers in ({"x-portkey-config": saved}, {"x-portkey-virtual-key": slug}):
        answer = stocked.call("POST", CHATS, headers, CHAT)
        assert (answer.status, "there is no" in answer.error["message"]) == (400, True)
    assert len(fake.requests) == 1
