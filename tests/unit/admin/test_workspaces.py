"""Workspaces through the API."""

import hashlib
import time
from typing import Any

import pytest

from tests.unit.admin.asking import Ask, Control, key_of

DEFAULTS = {"metadata": {"team": "a"}, "user_api_key_config": None}


def test_a_workspace_is_made_listed_changed_and_deleted(ask: Ask, control: Control) -> None:
    status, made = ask("POST", "/admin/workspaces", {"name": "Team A", "defaults": {"metadata": {"team": "a"}}})
    assert (status, made["name"], made["defaults"]) == (200, "Team A", DEFAULTS)
    assert made["slug"].startswith("team-a-")
    assert control.directory.metadata(made["id"]) == {"team": "a"}
    assert ask("GET", "/admin/workspaces")[1]["total"] == 2
    assert ask("GET", f"/admin/workspaces/{made['slug']}") == (200, made)
    status, changed = ask("PUT", f"/admin/workspaces/{made['id']}", {"name": "Team B", "description": "of the team"})
    assert (status, changed["description"], changed["name"]) == (200, "of the team", "Team B")
    assert changed["defaults"] == made["defaults"]
    assert ask("DELETE", f"/admin/workspaces/{made['id']}") == (200, {})
    assert ask("GET", f"/admin/workspaces/{made['id']}")[0] == 404
    assert control.directory.metadata(made["id"]) == {}


def test_the_default_one_is_there_and_stays(ask: Ask) -> None:
    listed = ask("GET", "/admin/workspaces?currentPage=0&pageSize=1")[1]
    assert [row["id"] for row in listed["data"]] == ["ws-default"]
    status, answer = ask("DELETE", "/admin/workspaces/default", {"force_delete": True})
    assert (status, answer["data"]["errorCode"]) == (409, "AB07")
    assert ask("GET", "/admin/workspaces/default")[0] == 200


def test_users_keys_without_a_config_have_their_workspaces(ask: Ask, control: Control) -> None:
    workspace = ask("POST", "/admin/workspaces", {"name": "w", "defaults": {"metadata": {"team": "a"}}})[1]
    path = f"/admin/workspaces/{workspace['id']}"
    own, its = (
        ask("POST", "/configs", {"name": name, "config": {"provider": "openai"}, "workspace_id": workspace["id"]})[1]
        for name in ("own", "its")
    )

    def config(kind: str, **more: Any) -> str:
        body = {"name": "k", "scopes": ["completions.write"], "workspace_id": workspace["id"], **more}
        secret = ask("POST", f"/api-keys/workspace/{kind}", body)[1]["key"]
        principal = control.directory.principal(hashlib.sha256(secret.encode()).digest(), time.time())
        assert principal is not None
        return principal.config

    changed = ask("PUT", path, {"defaults": {"user_api_key_config": its["data"]["id"]}})[1]
    slug = changed["defaults"]["user_api_key_config"]
    assert slug.startswith("pc-its-")
    assert changed["defaults"]["metadata"] == {"team": "a"}
    assert (config("user", user_id="u"), config("service")) == (slug, "")
    assert config("user", user_id="u", defaults={"config_id": own["data"]["id"]}).startswith("pc-own-")
    status, answer = ask("DELETE", f"/configs/{slug}")
    assert (status, "the workspace 'w'" in answer["message"]) == (409, True)
    assert ask("PUT", path, {"defaults": {"user_api_key_config": None}})[0] == 200
    assert config("user", user_id="u") == ""
    assert ask("DELETE", f"/configs/{slug}")[0] == 200
    status, answer = ask("PUT", path, {"defaults": {"user_api_key_config": slug}})
    assert (status, answer["error"]["param"]) == (400, "defaults.user_api_key_config")
    taken = {"name": "x", "defaults": {"user_api_key_config": own["data"]["id"]}}
    assert ask("POST", "/admin/workspaces", taken)[0] == 400


def test_a_slug_is_taken_once_and_free_again(ask: Ask) -> None:
    body = {"name": "a", "slug": "team"}
    assert ask("POST", "/admin/workspaces", body)[0] == 200
    status, answer = ask("POST", "/admin/workspaces", body)
    assert (status, answer["error"]["param"]) == (409, "slug")
    assert ask("DELETE", "/admin/workspaces/team")[0] == 200
    assert ask("POST", "/admin/workspaces", body)[0] == 200


def test_a_key_of_a_workspace_sees_its_own_and_changes_none(ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "other"})[1]["id"]
    caller = key_of("ws-default")
    assert [row["id"] for row in ask("GET", "/admin/workspaces", None, caller)[1]["data"]] == ["ws-default"]
    assert ask("GET", "/admin/workspaces/ws-default", None, caller)[0] == 200
    for method, path in (
        ("GET", f"/admin/workspaces/{other}"),
        ("PUT", f"/admin/workspaces/{other}"),
        ("DELETE", f"/admin/workspaces/{other}"),
        ("PUT", "/admin/workspaces/ws-default"),
        ("POST", "/admin/workspaces"),
    ):
        assert ask(method, path, {"name": "x"}, caller)[0] == 403
    assert ask("GET", f"/admin/workspaces/{other}")[1]["name"] == "other"
    assert ask("GET", "/admin/workspaces", None, key_of("", "workspaces.read"))[0] == 403


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": "n" * 256}, "name"),
        ({"name": "n\0"}, "name"),
        ({"name": "n", "description": "\0"}, "description"),
        ({"name": "n", "slug": "a b"}, "slug"),
        ({"name": "n", "description": "d" * 4097}, "description"),
        ({"name": "n", "defaults": {"metadata": {"a": {}}}}, "defaults.metadata[...]"),
        ({"name": "n", "usage_limits": [{"credit_limit": -1}]}, "usage_limits"),
        ({"name": "n", "rate_limits": [{"value": 1}]}, "rate_limits"),
        ({"name": "n", "users": ["u"]}, "users"),
    ],
)
def test_what_cannot_be_is_refused_by_name(ask: Ask, body: Any, param: str) -> None:
    status, answer = ask("POST", "/admin/workspaces", body)
    assert (status, param in answer["message"]) == (400, True), answer
    assert answer["success"] is False
    assert ask("GET", "/admin/workspaces")[1]["total"] == 1


def test_a_removal_that_says_what_nobody_knows_removes_nothing(ask: Ask) -> None:
    made = ask("POST", "/admin/workspaces", {"name": "a"})[1]["id"]
    for body, param in (({"force": True}, "force"), ({"force_delete": "yes"}, "force_delete")):
        status, answer = ask("DELETE", f"/admin/workspaces/{made}", body)
        assert (status, answer["error"]["param"]) == (400, param)
    assert ask("GET", f"/admin/workspaces/{made}")[0] == 200
    assert ask("DELETE", f"/admin/workspaces/{made}", {"forceDelete": True})[0] == 200


def test_a_nul_character_is_named_where_it_is(ask: Ask) -> None:
    for method, path, param in (
        ("GET", "/admin/workspaces/a%00b", "workspace"),
        ("DELETE", "/admin/workspaces/%00", "workspace"),
        ("GET", "/virtual-keys?workspace_id=%00", "workspace_id"),
    ):
        status, answer = ask(method, path)
        assert (status, answer["error"]["param"]) == (400, param)


def test_routes_that_do_not_exist_say_so(ask: Ask) -> None:
    assert ask("PATCH", "/admin/workspaces")[0] == 405
    assert ask("GET", "/admin/users")[0] == 404
