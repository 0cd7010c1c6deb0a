"""API keys through the API."""

import hashlib
import json
import time
from typing import Any

import pytest

from gatekey.store import rows, tables
from gatekey.store.database import Write
from tests.unit.admin.asking import Ask, Control, key_of, trail

WORKSPACE = "/api-keys/workspace/service"
ORGANISATION = "/api-keys/organisation/service"
NEW = {"name": "k", "scopes": ["completions.write"]}
DEFAULTS = {"metadata": {}, "config_id": None, "allow_config_override": True}


def known(control: Control, secret: str) -> Any:
    """Whom the data plane takes the bearer of this secret for."""
    return control.directory.principal(hashlib.sha256(secret.encode()).digest(), time.time())


def made(ask: Ask, path: str = WORKSPACE, **more: Any) -> dict[str, Any]:
    status, answer = ask("POST", path, {**NEW, **more})
    assert status == 200, answer
    return answer  # type: ignore[no-any-return]


def add_config(write: Write, workspace: str = "ws-default") -> None:
    columns = {"workspace_id": workspace, "slug": "pc-main", "name": "main", "version_id": "v1", "config": "{}"}
    rows.add(write, tables.configs, id="config-1", is_default=False, status="active", **columns)


def test_a_key_works_at_once_and_is_shown_once(ask: Ask, control: Control) -> None:
    key = made(ask, workspace_id="ws-default", defaults={"metadata": {"team": "a"}})
    assert set(key) == {"id", "key", "object"}
    assert key["object"] == "api-key"
    assert key["key"].startswith("gk-") and len(key["key"]) >= 46
    principal = known(control, key["key"])
    assert (principal.id, principal.workspace, principal.metadata) == (key["id"], "ws-default", {"team": "a"})
    assert principal.scopes == {"completions.write"}
    status, shown = ask("GET", f"/api-keys/{key['id']}")
    assert status == 200
    assert shown["type"] == "workspace-service"
    assert shown["key"] == f"{key['key'][:5]}*******{key['key'][-2:]}"
    assert ask("GET", "/api-keys") == (200, {"object": "list", "total": 1, "data": [shown]})


def test_what_real_clients_send_makes_a_key(ask: Ask) -> None:
    body = {"type": "workspace", "sub-type": "service", "name": "k", "workspace_id": "default", "scopes": ["logs.list"]}
    assert ask("POST", WORKSPACE, body)[0] == 200
    assert ask("POST", WORKSPACE, {**body, "description": None, "expires_at": None, "usage_limits": None})[0] == 200


def test_the_secret_is_kept_nowhere(ask: Ask, control: Control) -> None:
    key = made(ask)
    rotated = ask("POST", f"/api-keys/{key['id']}/rotate", {})[1]

    def everything(connection: Any) -> str:
        found = [connection.execute(table.select()).all() for table in tables.metadata.sorted_tables]
        return json.dumps(found, default=str)

    stored = control.read(everything)
    assert key["id"] in stored
    assert key["key"] not in stored
    assert rotated["key"] not in stored


def test_a_key_of_the_organisation_works_in_the_default_workspace(ask: Ask, control: Control) -> None:
    key = made(ask, ORGANISATION, scopes=["workspaces.list", "completions.write"])
    principal = known(control, key["key"])
    assert (principal.workspace, principal.home) == ("", "ws-default")
    assert ask("GET", f"/api-keys/{key['id']}")[1]["workspace_id"] is None


def test_a_users_key_says_whose_it_is(ask: Ask, control: Control) -> None:
    key = made(ask, "/api-keys/workspace/user", user_id="u-1")
    assert known(control, key["key"]).user == "u-1"
    assert ask("GET", f"/api-keys/{key['id']}")[1]["user_id"] == "u-1"


def test_scopes_lose_their_prefix_and_their_doubles(ask: Ask) -> None:
    key = made(ask, scopes=["portkey.configs.read", "configs.read", "completions.write"])
    assert ask("GET", f"/api-keys/{key['id']}")[1]["scopes"] == ["completions.write", "configs.read"]


def test_a_key_may_be_made_expired_and_is_refused(ask: Ask, control: Control) -> None:
    key = made(ask, expires_at="2020-01-01T00:00:00Z")
    assert ask("GET", f"/api-keys/{key['id']}")[1]["status"] == "expired"
    with pytest.raises(Exception, match="expired"):
        known(control, key["key"])
    changed = ask("PUT", f"/api-keys/{key['id']}", {"expires_at": None})[1]
    assert (changed["status"], changed["expires_at"]) == ("active", None)
    assert known(control, key["key"]).id == key["id"]


def test_the_default_config_must_exist_in_the_workspace(ask: Ask, control: Control) -> None:
    status, answer = ask("POST", WORKSPACE, {**NEW, "defaults": {"config_id": "pc-main"}})
    assert (status, answer["error"]["param"]) == (400, "defaults.config_id")
    control.write(add_config)
    by_id, by_slug = (made(ask, defaults={"config_id": name}) for name in ("config-1", "pc-main"))
    for key in (by_id, by_slug):
        assert ask("GET", f"/api-keys/{key['id']}")[1]["defaults"] == {**DEFAULTS, "config_id": "pc-main"}
        assert known(control, key["key"]).config == "pc-main"
    other = ask("POST", "/admin/workspaces", {"name": "other"})[1]["id"]
    assert ask("POST", WORKSPACE, {**NEW, "workspace_id": other, "defaults": {"config_id": "pc-main"}})[0] == 400


def test_what_is_not_named_in_a_change_stays(ask: Ask, control: Control) -> None:
    control.write(add_config)
    start = {"config_id": "pc-main", "allow_config_override": False, "metadata": {"a": "b"}}
    key = made(ask, description="d", defaults=start, expires_at="2999-01-01T00:00:00Z")
    path = f"/api-keys/{key['id']}"
    before = ask("GET", path)[1]
    changed = ask("PUT", path, {"name": "other", "defaults": {"metadata": {"c": "d"}}})[1]
    same = {name: before[name] for name in before.keys() - {"name", "defaults", "last_updated_at"}}
    assert {name: changed[name] for name in same} == same
    assert (changed["name"], changed["defaults"]) == ("other", {**start, "metadata": {"c": "d"}})
    assert not known(control, key["key"]).allow_config_override
    assert ask("PUT", path, {"defaults": {"config_id": None}})[1]["defaults"]["config_id"] is None


def test_a_rotated_key_overlaps_with_the_one_before_and_no_more(ask: Ask, control: Control) -> None:
    first = made(ask)
    second = ask("POST", f"/api-keys/{first['id']}/rotate", {"key_transition_period_ms": 1_800_000})[1]
    assert second["id"] == first["id"]
    assert second["key_transition_expires_at"] > "2026"
    assert known(control, first["key"]).id == known(control, second["key"]).id == first["id"]
    digest = hashlib.sha256(first["key"].encode()).digest()
    with pytest.raises(Exception, match="expired"):
        control.directory.principal(digest, time.time() + 1801)
    assert control.directory.principal(hashlib.sha256(second["key"].encode()).digest(), time.time() + 1801)
    third = ask("POST", f"/api-keys/{first['id']}/rotate")[1]
    assert known(control, first["key"]) is None
    assert known(control, second["key"]).id == known(control, third["key"]).id == first["id"]
    assert len(control.read(lambda connection: connection.execute(tables.api_key_secrets.select()).all())) == 2


def test_a_deleted_key_opens_nothing_and_leaves_no_digest(ask: Ask, control: Control) -> None:
    key = made(ask)
    assert ask("DELETE", f"/api-keys/{key['id']}", {}) == (200, {})
    assert known(control, key["key"]) is None
    assert control.read(lambda connection: connection.execute(tables.api_key_secrets.select()).all()) == []
    for method, more in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/rotate")):
        assert ask(method, f"/api-keys/{key['id']}{more}", {})[0] == 404


def test_deleting_a_workspace_forgets_its_keys(ask: Ask, control: Control) -> None:
    workspace = ask("POST", "/admin/workspaces", {"name": "w"})[1]["id"]
    key = made(ask, workspace_id=workspace)
    refused = ask("DELETE", f"/admin/workspaces/{workspace}")
    assert refused[0] == 409
    assert "'k'" in refused[1]["message"]
    assert ask("DELETE", f"/admin/workspaces/{workspace}", {"force_delete": True})[0] == 200
    assert known(control, key["key"]) is None
    assert control.read(lambda connection: connection.execute(tables.api_key_secrets.select()).all()) == []


def test_a_key_of_a_workspace_reaches_nothing_outside(ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "other"})[1]["id"]
    foreign, wide = made(ask, workspace_id=other)["id"], made(ask, ORGANISATION)["id"]
    caller = key_of("ws-default")
    for id in (foreign, wide):
        for method, more in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/rotate")):
            status, answer = ask(method, f"/api-keys/{id}{more}", {}, caller)
            assert (status, answer["data"]["errorCode"]) == (403, "AB03")
    assert ask("GET", "/api-keys", None, caller)[1]["total"] == 0
    assert ask("GET", f"/api-keys?workspace_id={other}", None, caller)[0] == 403
    assert ask("GET", f"/api-keys?workspace_id={other}")[1]["total"] == 1
    assert ask("POST", ORGANISATION, NEW, caller)[0] == 403
    assert ask("POST", WORKSPACE, {**NEW, "workspace_id": other}, caller)[0] == 403
    assert ask("GET", "/api-keys")[1]["total"] == 2


def test_nobody_gives_a_scope_that_it_lacks(ask: Ask) -> None:
    strong = made(ask, scopes=["completions.write", "virtual_keys.create"])["id"]
    weak = made(ask, scopes=["completions.write"])["id"]
    mine = [f"workspace_service_api_keys.{action}" for action in ("create", "update", "rotate", "read")]
    caller = key_of("ws-default", "completions.write", *mine)
    assert ask("POST", WORKSPACE, {**NEW, "scopes": ["virtual_keys.create"]}, caller)[0] == 403
    assert ask("PUT", f"/api-keys/{weak}", {"scopes": ["virtual_keys.create"]}, caller)[0] == 403
    assert ask("POST", f"/api-keys/{strong}/rotate", {}, caller)[0] == 403
    assert ask("POST", WORKSPACE, NEW, caller)[0] == 200
    assert ask("POST", f"/api-keys/{weak}/rotate", {}, caller)[0] == 200
    assert ask("GET", f"/api-keys/{strong}")[1]["scopes"] == ["completions.write", "virtual_keys.create"]


def test_each_kind_of_key_has_scopes_of_its_own(ask: Ask) -> None:
    service, user = made(ask)["id"], made(ask, "/api-keys/workspace/user", user_id="u")["id"]
    caller = key_of("ws-default", "workspace_user_api_keys.read", "workspace_user_api_keys.list")
    assert ask("GET", f"/api-keys/{user}", None, caller)[0] == 200
    status, answer = ask("GET", f"/api-keys/{service}", None, caller)
    assert (status, "workspace_service_api_keys.read" in answer["message"]) == (403, True)
    assert [row["id"] for row in ask("GET", "/api-keys", None, caller)[1]["data"]] == [user]
    assert ask("DELETE", f"/api-keys/{user}", None, caller)[0] == 403
    assert ask("GET", "/api-keys", None, key_of("ws-default", "configs.list"))[0] == 403


@pytest.mark.parametrize(
    ("path", "change", "status", "param"),
    [
        (WORKSPACE, {"scopes": ["nothing.at.all"]}, 400, "scopes"),
        (WORKSPACE, {"scopes": ["workspaces.create"]}, 400, "scopes"),
        (WORKSPACE, {"scopes": []}, 400, "scopes"),
        (WORKSPACE, {"scopes": None}, 400, "scopes"),
        (WORKSPACE, {"name": ""}, 400, "name"),
        (WORKSPACE, {"name": "n" * 256}, 400, "name"),
        (WORKSPACE, {"type": "organisation"}, 400, "type"),
        (WORKSPACE, {"sub-type": "user"}, 400, "sub-type"),
        (WORKSPACE, {"user_id": "u"}, 400, "user_id"),
        ("/api-keys/workspace/user", {}, 400, "user_id"),
        ("/api-keys/organisation/user", {"user_id": "u"}, 404, "type"),
        (ORGANISATION, {"workspace_id": "ws-default"}, 400, "workspace_id"),
        (WORKSPACE, {"workspace_id": "ws-none"}, 404, "workspace_id"),
        (WORKSPACE, {"expires_at": "tomorrow"}, 400, "expires_at"),
        (WORKSPACE, {"defaults": {"metadata": {"a": 1}}}, 400, "defaults.metadata[...]"),
        (WORKSPACE, {"rate_limits": [{"type": "requests", "unit": "rpy", "value": 1}]}, 400, "rate_limits[0].unit"),
        (WORKSPACE, {"usage_limits": {"credit_limit": 0}}, 400, "usage_limits.credit_limit"),
        (WORKSPACE, {"rotation_policy": {"rotation_period": "weekly"}}, 400, "rotation_policy"),
        (WORKSPACE, {"alert_emails": ["a@example.com"]}, 400, "alert_emails"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_makes_nothing(
    ask: Ask, path: str, change: Any, status: int, param: str
) -> None:
    answered, answer = ask("POST", path, {**NEW, **change})
    assert (answered, answer["error"]["param"]) == (status, param), answer
    assert ask("GET", "/api-keys")[1]["total"] == 0


def test_unknown_fields_and_malformed_bodies_are_refused(ask: Ask) -> None:
    status, answer = ask("POST", WORKSPACE, {**NEW, "budget": 1})
    assert (status, "budget" in answer["message"]) == (400, True)
    assert ask("POST", WORKSPACE, b"{")[0] == 400
    assert ask("POST", WORKSPACE, [1])[0] == 400
    assert ask("GET", "/api-keys?page_size=0")[0] == 400
    key = made(ask)["id"]
    status, answer = ask("POST", f"/api-keys/{key}/rotate", {"key_transition_period_ms": 1000})
    assert (status, answer["error"]["param"]) == (400, "key_transition_period_ms")


def test_pages_come_in_order_and_whole(ask: Ask) -> None:
    names = [f"k{number}" for number in range(5)]
    for name in names:
        made(ask, name=name)
    pages = [ask("GET", f"/api-keys?current_page={page}&page_size=2")[1] for page in range(3)]
    assert [page["total"] for page in pages] == [5, 5, 5]
    assert sorted(row["name"] for page in pages for row in page["data"]) == names


def test_every_change_leaves_a_record_and_refused_ones_too(ask: Ask, control: Control) -> None:
    key = made(ask)
    ask("POST", f"/api-keys/{key['id']}/rotate", {})
    ask("DELETE", f"/api-keys/{key['id']}")
    ask("DELETE", f"/api-keys/{key['id']}")
    found = [(row["action"], row["response_status_code"]) for row in reversed(trail(control))]
    assert sorted(found) == [("create", 200), ("delete", 200), ("delete", 404), ("rotate", 200)]
