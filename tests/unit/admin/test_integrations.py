"""Integrations and providers through the API, and as the data plane then finds them."""

from typing import Any

import pytest

from gatekey.secret import Secret
from gatekey.store.workspaces import DEFAULT
from tests.unit.admin.asking import Ask, Control, held, key_of

OPENAI = {"name": "OpenAI", "ai_provider_id": "openai", "key": "sk-1", "slug": "openai-prod"}


def other(ask: Ask, slug: str = "other") -> str:
    return str(ask("POST", "/admin/workspaces", {"name": slug, "slug": slug})[1]["id"])


def test_an_integration_has_a_provider_from_the_first_moment(control: Control, ask: Ask) -> None:
    status, made = ask("POST", "/integrations", OPENAI)
    assert (status, made["slug"], made["type"], made["object"]) == (200, "openai-prod", "organisation", "integration")
    assert ask("GET", "/integrations/openai-prod") == (200, made)
    assert ask("GET", f"/integrations/{made['id']}") == (200, made)
    assert ask("GET", "/integrations")[1]["data"] == [made]
    provider = ask("GET", "/providers/openai-prod")[1]
    assert (provider["integration_id"], provider["ai_provider_id"]) == (made["id"], "openai")
    assert (provider["status"], provider["object"]) == ("active", "provider")
    assert held(control, DEFAULT, "openai-prod").key == Secret("sk-1")


def test_none_where_none_is_wanted(ask: Ask) -> None:
    assert ask("POST", "/integrations", {**OPENAI, "create_default_provider": False})[0] == 200
    assert ask("GET", "/providers")[1]["total"] == 0


def test_a_change_reaches_every_provider_of_it(control: Control, ask: Ask) -> None:
    made = ask("POST", "/integrations", {**OPENAI, "default_provider_slug": "first"})[1]
    second = {"name": "Second", "integration_id": "openai-prod", "slug": "second", "note": "n"}
    assert ask("POST", "/providers", second)[1]["slug"] == "second"
    changed = {"key": "sk-2", "description": "d", "configurations": {"openai_project": "p"}}
    status, told = ask("PUT", "/integrations/openai-prod", changed)
    assert (status, told["description"], told["configurations"]) == (200, "d", {"openai_project": "p"})
    for slug in ("first", "second"):
        stored = held(control, DEFAULT, slug)
        assert (stored.key, stored.options) == (Secret("sk-2"), {"openai_project": "p"})
    status, answer = ask("DELETE", f"/integrations/{made['id']}")
    assert (status, answer["data"]["errorCode"]) == (409, "AB07")
    assert "@first" in answer["message"]
    assert "@second" in answer["message"]
    for slug in ("first", "second"):
        assert ask("DELETE", f"/providers/{slug}") == (200, {})
        assert control.directory.provider(DEFAULT, slug) is None
    assert ask("DELETE", "/integrations/openai-prod") == (200, {})
    assert ask("GET", "/integrations/openai-prod")[0] == 404
    assert ask("POST", "/integrations", {**OPENAI, "key": "sk-3"})[0] == 200
    assert held(control, DEFAULT, "openai-prod").key == Secret("sk-3")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**OPENAI, "ai_provider_id": "nobody"}, "ai_provider_id"),
        ({**OPENAI, "slug": "a/b"}, "slug"),
        ({**OPENAI, "key": None}, "key"),
        ({**OPENAI, "configurations": {"azure_resource_name": "x"}}, "azure_resource_name"),
        ({**OPENAI, "configurations": {"custom_host": "http://10.0.0.1"}}, "custom_host"),
        ({**OPENAI, "configurations": []}, "configurations"),
        ({**OPENAI, "pricing_adjustments": {"multiplier": {"default": -1}}}, "pricing_adjustments.multiplier.default"),
        ({**OPENAI, "pricing_adjustments": {"multiplier": {"nonsense": 1}}}, "pricing_adjustments.multiplier.nonsense"),
        ({**OPENAI, "pricing_adjustments": {}}, "pricing_adjustments.multiplier"),
        ({**OPENAI, "nonsense": 1}, "nonsense"),
    ],
)
def test_what_cannot_be_stored_is_refused_naming_the_field(ask: Ask, body: dict[str, Any], param: str) -> None:
    status, answer = ask("POST", "/integrations", body)
    assert (status, answer["error"]["param"]) == (400, param), answer
    assert ask("GET", "/integrations")[1]["total"] == 0


def test_models_are_listed_changed_and_taken_off(control: Control, ask: Ask) -> None:
    ask("POST", "/integrations", OPENAI)
    place = "/integrations/openai-prod/models"
    two = [{"slug": "gpt-4o", "enabled": True}, {"slug": "mine", "enabled": True, "is_custom": True}]
    status, told = ask("PUT", place, {"models": two, "allow_all_models": False})
    assert (status, told["total"], told["allow_all_models"]) == (200, 2, False)
    assert held(control, DEFAULT, "openai-prod").models == frozenset({"gpt-4o", "mine"})
    assert ask("PUT", place, {"models": [{"slug": "gpt-4o", "enabled": False}]})[0] == 200
    assert held(control, DEFAULT, "openai-prod").models == frozenset({"mine"})
    listed = ask("GET", place)[1]["models"]
    assert [(model["slug"], model["enabled"], model["is_custom"]) for model in listed] == [
        ("gpt-4o", False, False),
        ("mine", True, True),
    ]
    assert ask("DELETE", f"{place}?slugs=%5B%27mine%27%5D")[1]["total"] == 1
    assert held(control, DEFAULT, "openai-prod").models == frozenset()
    assert ask("PUT", place, {"models": [], "allow_all_models": True})[0] == 200
    assert held(control, DEFAULT, "openai-prod").models is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"models": [{"slug": "a", "enabled": False}]}, "models[0].enabled"),
        (
            {"models": [{"slug": "a", "enabled": True, "pricing_config": {"type": "static"}}]},
            "models[0].pricing_config.pay_as_you_go",
        ),
        (
            {"models": [{"slug": "a", "enabled": True, "configurations": {"custom_host": "x"}}]},
            "models[0].configurations",
        ),
        ({"models": [{"enabled": True}]}, "models[0].slug"),
    ],
)
def test_what_a_model_cannot_have_is_refused(ask: Ask, body: dict[str, Any], param: str) -> None:
    ask("POST", "/integrations", OPENAI)
    status, answer = ask("PUT", "/integrations/openai-prod/models", body)
    assert (status, answer["error"]["param"]) == (400, param)
    assert ask("DELETE", "/integrations/openai-prod/models")[1]["error"]["param"] == "slugs"
    assert ask("GET", "/integrations/openai-prod/models")[1]["total"] == 0


def test_an_integration_is_given_to_workspaces_and_taken_back(control: Control, ask: Ask) -> None:
    there = other(ask)
    ask("POST", "/integrations", OPENAI)
    place, caller = "/integrations/openai-prod/workspaces", key_of(there)
    wanted = {"name": "Mine", "integration_id": "openai-prod", "slug": "mine"}
    assert ask("POST", "/providers", wanted, caller)[0] == 403
    assert ask("GET", "/integrations", None, caller)[1]["total"] == 0
    assert ask("GET", "/integrations/openai-prod", None, caller)[0] == 403
    given = {"workspaces": [{"id": "other", "enabled": True, "default_provider_slug": "given"}]}
    status, told = ask("PUT", place, given)
    assert status == 200
    assert {one["id"] for one in told["workspaces"]} == {DEFAULT, there}
    assert ask("GET", place) == (200, told)
    assert held(control, there, "given").key == Secret("sk-1")
    assert ask("POST", "/providers", wanted, caller)[0] == 200
    assert ask("GET", "/integrations", None, caller)[1]["total"] == 1
    status, answer = ask("PUT", place, {"workspaces": [{"id": there, "enabled": False}]})
    assert (status, "@mine" in answer["message"]) == (409, True)
    assert len(ask("GET", place)[1]["workspaces"]) == 2
    for slug in ("mine", "given"):
        assert ask("DELETE", f"/providers/{slug}", None, caller)[0] == 200
    assert ask("PUT", place, {"workspaces": [{"id": there, "enabled": False}]})[0] == 200
    assert ask("POST", "/providers", wanted, caller)[0] == 403


def test_it_may_be_given_to_all(ask: Ask) -> None:
    there = other(ask)
    ask("POST", "/integrations", OPENAI)
    told = ask("PUT", "/integrations/openai-prod/workspaces", {"global_workspace_access": {"enabled": True}})[1]
    assert told["global_workspace_access"]["enabled"] is True
    wanted = {"name": "Mine", "integration_id": "openai-prod"}
    assert ask("POST", "/providers", wanted, key_of(there))[0] == 200
    assert ask("GET", "/integrations", None, key_of(there))[1]["total"] == 1
    limited = {"global_workspace_access": {"enabled": True, "rate_limits": [{"value": 1}]}}
    refused = ask("PUT", "/integrations/openai-prod/workspaces", limited)[1]
    assert refused["error"]["param"] == "global_workspace_access.rate_limits[0].unit"


def test_what_the_organisation_gives_is_not_the_workspaces_to_change(ask: Ask) -> None:
    ask("POST", "/integrations", OPENAI)
    caller = key_of(DEFAULT)
    assert ask("GET", "/integrations/openai-prod", None, caller)[0] == 200
    for method, place, body in (
        ("PUT", "", {"key": "mine"}),
        ("DELETE", "", None),
        ("PUT", "/models", {"allow_all_models": False}),
        ("DELETE", "/models?slugs=a", None),
        ("PUT", "/workspaces", {}),
    ):
        assert ask(method, f"/integrations/openai-prod{place}", body, caller)[0] == 403


def test_a_workspaces_own_integration_comes_before_the_organisations(control: Control, ask: Ask) -> None:
    there = other(ask)
    ask("POST", "/integrations", OPENAI)
    made = ask("POST", "/integrations", {**OPENAI, "key": "sk-own"}, key_of(there))[1]
    assert (made["type"], made["workspace_id"]) == ("workspace", there)
    assert held(control, there, "openai-prod").key == Secret("sk-own")
    assert ask("GET", "/integrations/openai-prod", None, key_of(there))[1]["id"] == made["id"]
    assert ask("GET", "/integrations/openai-prod?workspace_id=other")[1]["id"] == made["id"]
    assert ask("PUT", f"/integrations/{made['id']}/workspaces", {"workspaces": []})[0] == 409


def test_a_virtual_key_is_a_provider_and_hides_its_integration(control: Control, ask: Ask) -> None:
    ask("POST", "/virtual-keys", {"name": "vk", "provider": "openai", "key": "k", "slug": "vk"})
    assert ask("GET", "/integrations")[1]["total"] == 0
    shown = ask("GET", "/providers/vk")[1]
    assert shown["ai_provider_id"] == "openai"
    assert ask("GET", f"/integrations/{shown['integration_id']}")[0] == 404
    assert ask("POST", "/providers", {"name": "x", "integration_id": shown["integration_id"]})[0] == 404
    ask("POST", "/integrations", OPENAI)
    assert ask("GET", "/virtual-keys/openai-prod")[0] == 404
    assert ask("PUT", "/providers/vk", {"note": "n", "expires_at": "2020-01-01"})[0] == 200
    assert ask("GET", "/virtual-keys/vk")[1]["status"] == "expired"
    assert ask("DELETE", "/providers/vk") == (200, {})
    assert ask("GET", "/virtual-keys")[1]["total"] == 0
    assert control.directory.provider(DEFAULT, "vk") is None
