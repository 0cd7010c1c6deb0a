"""Virtual keys through the API, and as the data plane then finds them."""

from typing import Any

import pytest

from gatekey.secret import Secret
from gatekey.store.workspaces import DEFAULT
from tests.unit.admin.asking import Ask, Control, held, key_of, trail

AZURE = {"name": "Azure", "provider": "azure-openai", "key": "azure-key", "resourceName": "contoso"}


def made(ask: Ask, **body: Any) -> str:
    status, answer = ask("POST", "/virtual-keys", {"name": "Main", "provider": "openai", "key": "sk-1", **body})
    assert status == 200, answer
    return str(answer["data"]["slug"])


def test_a_virtual_key_is_made_found_changed_and_deleted(control: Control, ask: Ask) -> None:
    status, answer = ask(
        "POST", "/virtual-keys", {"name": "Open AI", "provider": "openai", "key": "sk-1", "note": None}
    )
    assert (status, answer["success"]) == (200, True)
    slug = answer["data"]["slug"]
    assert slug.startswith("open-ai-")
    assert answer["slug"] == slug
    shown = ask("GET", f"/virtual-keys/{slug}")[1]
    assert (shown["name"], shown["provider"], shown["status"], shown["note"]) == ("Open AI", "openai", "active", "")
    assert (shown["model_config"], shown["allow_all_models"], shown["object"]) == ({}, True, "virtual-key")
    assert ask("GET", "/virtual-keys?") == (200, {"object": "list", "total": 1, "data": [shown]})
    assert held(control, DEFAULT, slug).key == Secret("sk-1")
    assert ask("PUT", f"/virtual-keys/{slug}", {"key": "sk-2", "note": "rotated"})[0] == 200
    stored = held(control, DEFAULT, slug)
    assert (stored.provider, stored.key, stored.broken) == ("openai", Secret("sk-2"), "")
    assert ask("GET", f"/virtual-keys/{shown['id']}")[1]["note"] == "rotated"
    assert ask("DELETE", f"/virtual-keys/{slug}") == (200, {})
    assert ask("GET", f"/virtual-keys/{slug}")[0] == 404
    assert control.directory.provider(DEFAULT, slug) is None


@pytest.mark.parametrize(
    ("spelling", "slug"), [("open-ai", "openai"), ("hugging-face", "huggingface"), ("groq", "groq")]
)
def test_documented_names_of_providers_are_aliases(ask: Ask, spelling: str, slug: str) -> None:
    assert ask("GET", f"/virtual-keys/{made(ask, provider=spelling)}")[1]["provider"] == slug


@pytest.mark.parametrize(
    "fields",
    [
        {"resourceName": "contoso", "deploymentName": "gpt", "apiVersion": "2024-10-21"},
        {"resource_name": "contoso", "deployment_name": "gpt", "api_version": "2024-10-21"},
        {
            "configurations": {
                "azure_resource_name": "contoso",
                "azure_deployment_id": "gpt",
                "api_version": "2024-10-21",
            }
        },
    ],
)
def test_options_are_read_in_every_spelling_and_kept_in_one(control: Control, ask: Ask, fields: dict[str, Any]) -> None:
    slug = made(ask, provider="azure-openai", **fields)
    options = {"azure_resource_name": "contoso", "azure_deployment_id": "gpt", "azure_api_version": "2024-10-21"}
    assert held(control, DEFAULT, slug).options == options
    assert ask("GET", f"/virtual-keys/{slug}")[1]["model_config"] == options


def test_deployments_are_read_as_documented(control: Control, ask: Ask) -> None:
    listed = [{"apiVersion": "2024-10-21", "deploymentName": "mine", "alias": "gpt-4o", "is_default": True}]
    slug = made(ask, provider="azure-openai", resourceName="contoso", deploymentConfig=listed)
    options = held(control, DEFAULT, slug).options
    assert options["azure_deployments"] == (
        '[{"deployment_id":"mine","alias":"gpt-4o","api_version":"2024-10-21","is_default":true}]'
    )


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": "x", "provider": "nobody", "key": "k"}, "provider"),
        ({"name": "x", "provider": "openai"}, "key"),
        ({"name": "x", "provider": "openai", "key": "a\nb"}, "key"),
        ({"name": "x", "provider": "openai", "key": 5}, "key"),
        ({"name": "", "provider": "openai", "key": "k"}, "name"),
        ({"provider": "openai", "key": "k"}, "name"),
        ({"name": "x" * 256, "provider": "openai", "key": "k"}, "name"),
        ({"name": "x", "provider": "openai", "key": "k", "slug": "a b"}, "slug"),
        ({"name": "x", "provider": "openai", "key": "k", "resourceName": "r"}, "resourceName"),
        ({"name": "x", "provider": "openai", "key": "k", "nonsense": 1}, "nonsense"),
        ({"name": "x", "provider": "openai", "key": "k", "expires_at": "soon"}, "expires_at"),
        ({"name": "x", "provider": "openai", "key": "k", "expiresAt": "a", "expires_at": "b"}, "expires_at"),
        ({"name": "x", "provider": "openai", "key": "k", "rate_limits": {"value": -1}}, "rate_limits.value"),
        ({"name": "x", "provider": "openai", "key": "k", "secretMappings": [{}]}, "secret_mappings"),
        ({"name": "x", "provider": "openai", "key": "k", "custom_host": "http://169.254.169.254/v1"}, "custom_host"),
        ({"name": "x", "provider": "openai", "key": "k", "custom_host": "https://u:p@example.com"}, "custom_host"),
        ({"name": "x", "provider": "openai", "key": "k", "custom_headers": {"host": "x"}}, "custom_headers"),
        ({"name": "x", "provider": "openai", "key": "k", "custom_headers": {"x-a": "b\r\nc: d"}}, "custom_headers.x-a"),
        ({"name": "x", "provider": "openai", "key": "k", "models": [5]}, "models[0]"),
        ({"name": "x", "provider": "openai", "key": "k", "workspace_id": "ws-none"}, "workspace_id"),
        ({"name": "x", "provider": "azure-openai", "key": "k"}, "azure_resource_name"),
        ({**AZURE, "apiVersion": "yesterday"}, "azure_api_version"),
        ({**AZURE, "api_version": "v1", "azure_api_version": "v1"}, "azure_api_version"),
        ({**AZURE, "deploymentConfig": [{"alias": "x"}]}, "deploymentConfig"),
        ({**AZURE, "azure_auth_mode": "entra"}, "azure_auth_mode"),
        ([], None),
    ],
)
def test_what_cannot_be_stored_is_refused_naming_the_field(ask: Ask, body: Any, param: str | None) -> None:
    status, answer = ask("POST", "/virtual-keys", body)
    assert 400 <= status < 500
    assert answer["error"]["param"] == param, answer
    assert (param or "").partition("_")[0] in answer["message"]
    assert ask("GET", "/virtual-keys")[1]["total"] == 0


def test_an_unknown_provider_is_told_with_those_that_are_known(ask: Ask) -> None:
    told = ask("POST", "/virtual-keys", {"name": "x", "provider": "nobody", "key": "k"})[1]["message"]
    assert "anthropic" in told
    assert "azure-openai" in told


def test_a_credential_does_not_follow_to_another_address(control: Control, ask: Ask) -> None:
    slug = made(ask)
    status, answer = ask("PUT", f"/virtual-keys/{slug}", {"custom_host": "https://api.groq.com/v1"})
    assert (status, answer["error"]["param"]) == (400, "key")
    assert held(control, DEFAULT, slug).custom_host == ""
    moved = {"custom_host": "https://elsewhere.example/v1", "key": "sk-of-elsewhere"}
    assert ask("PUT", f"/virtual-keys/{slug}", moved)[0] == 400  # .example is no public name
    moved["custom_host"] = "https://api.openai.com/v1"
    assert ask("PUT", f"/virtual-keys/{slug}", moved)[0] == 200
    stored = held(control, DEFAULT, slug)
    assert (stored.custom_host, stored.key) == ("https://api.openai.com/v1", Secret("sk-of-elsewhere"))


def test_nor_do_secret_options_and_headers(ask: Ask) -> None:
    slug = made(ask, **{**AZURE, "key": None, "azure_ad_token": "token"})
    status, answer = ask("PUT", f"/virtual-keys/{slug}", {"resourceName": "other"})
    assert (status, answer["error"]["param"]) == (400, "azure_ad_token")
    assert ask("PUT", f"/virtual-keys/{slug}", {"resourceName": "other", "azure_ad_token": "token"})[0] == 200
    slug = made(ask, provider="ollama", key=None, custom_headers={"X-Token": "t"}, custom_host="https://api.openai.com")
    status, answer = ask("PUT", f"/virtual-keys/{slug}", {"custom_host": "https://api.groq.com"})
    assert (status, answer["error"]["param"]) == (400, "custom_headers")


def test_options_are_changed_one_by_one_and_removed_by_null(control: Control, ask: Ask) -> None:
    slug = made(ask, openai_project="p", openai_organization="o", custom_headers={"X-Team": "a"})
    assert ask("PUT", f"/virtual-keys/{slug}", {"openai_project": None, "openai_beta": "b"})[0] == 200
    stored = held(control, DEFAULT, slug)
    assert stored.options == {"openai_organization": "o", "openai_beta": "b"}
    assert (stored.key, stored.custom_headers) == (Secret("sk-1"), {"x-team": "a"})
    assert ask("PUT", f"/virtual-keys/{slug}", {"custom_headers": None})[0] == 200
    assert held(control, DEFAULT, slug).custom_headers == {}


def test_models_may_be_named(control: Control, ask: Ask) -> None:
    slug = made(ask, models=["b", "a"])
    shown = ask("GET", f"/virtual-keys/{slug}")[1]
    assert (shown["models"], shown["allow_all_models"]) == (["a", "b"], False)
    assert held(control, DEFAULT, slug).models == frozenset({"a", "b"})
    assert ask("PUT", f"/virtual-keys/{slug}", {"models": None})[0] == 200
    assert held(control, DEFAULT, slug).models is None


def test_expiry_is_told_and_taken_back(control: Control, ask: Ask) -> None:
    slug = made(ask, expiresAt="2020-01-31T00:00:00Z")
    shown = ask("GET", f"/virtual-keys/{slug}")[1]
    assert (shown["status"], shown["expires_at"]) == ("expired", "2020-01-31T00:00:00.000Z")
    assert held(control, DEFAULT, slug).expires_at == 1580428800000
    assert ask("PUT", f"/virtual-keys/{slug}", {"expires_at": None})[0] == 200
    assert ask("GET", f"/virtual-keys/{slug}")[1]["status"] == "active"


def test_a_slug_is_one_virtual_keys_only_and_free_after_it(control: Control, ask: Ask) -> None:
    assert made(ask, slug="main") == "main"
    status, answer = ask("POST", "/virtual-keys", {"name": "x", "provider": "groq", "key": "k", "slug": "main"})
    assert (status, answer["error"]["param"], answer["data"]["errorCode"]) == (409, "slug", "AB07")
    assert ask("DELETE", "/virtual-keys/main")[0] == 200
    made(ask, slug="main", provider="groq", key="k")
    stored = held(control, DEFAULT, "main")
    assert (stored.provider, stored.key) == ("groq", Secret("k"))


def test_a_workspaces_virtual_keys_are_its_own(control: Control, ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "Other", "slug": "other"})[1]["id"]
    here, there = key_of(DEFAULT), key_of(other)
    slug = made(ask, slug="main")
    id = ask("GET", f"/virtual-keys/{slug}")[1]["id"]
    assert ask("GET", "/virtual-keys", None, there)[1]["total"] == 0
    assert ask("GET", "/virtual-keys", None, here)[1]["total"] == 1
    for method, body in (("GET", None), ("PUT", {"name": "mine"}), ("DELETE", None)):
        assert ask(method, f"/virtual-keys/{slug}", body, there)[0] == 404
        assert ask(method, f"/virtual-keys/{id}", body, there)[0] == 403
        assert ask(method, f"/virtual-keys/{slug}?workspace_id={DEFAULT}", body, there)[0] == 403
    assert ask("GET", f"/virtual-keys?workspace_id={DEFAULT}", None, there)[0] == 403
    body = {"name": "x", "provider": "openai", "key": "k", "slug": "main"}
    assert ask("POST", "/virtual-keys", {**body, "workspace_id": DEFAULT}, there)[0] == 403
    assert ask("POST", "/virtual-keys", body, there)[0] == 200
    assert ask("GET", "/virtual-keys/main?workspace_id=other")[1]["workspace_id"] == other
    assert ask("GET", "/virtual-keys")[1]["total"] == 2
    assert ask("GET", "/virtual-keys?workspace_id=other")[1]["total"] == 1
    assert held(control, DEFAULT, "main").key == Secret("sk-1")


def test_scopes_are_asked_for(ask: Ask) -> None:
    reader = key_of(DEFAULT, "virtual_keys.read", "virtual_keys.list")
    slug = made(ask)
    assert ask("GET", f"/virtual-keys/{slug}", None, reader)[0] == 200
    assert ask("DELETE", f"/virtual-keys/{slug}", None, reader)[0] == 403
    assert ask("POST", "/virtual-keys", {"name": "x", "provider": "openai", "key": "k"}, reader)[0] == 403
    assert ask("GET", "/providers", None, reader)[0] == 403


def test_the_trail_says_what_was_sent_but_no_option_and_no_key(control: Control, ask: Ask) -> None:
    ask("POST", "/virtual-keys", {"name": "Tracked", "provider": "openai", "key": "sk-canary", "kye": "sk-misspelt"})
    kept = trail(control)[0]
    assert kept["response_status_code"] == 400
    assert '"name":"Tracked"' in kept["request_body"]
    assert '"kye":"[secret]"' in kept["request_body"]
    assert "sk-" not in kept["request_body"]
