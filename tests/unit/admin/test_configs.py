"""Saved configs through the API, and as the data plane then sees them."""

import json
from typing import Any

import pytest

from gatekey.store import rows as store_rows
from gatekey.store import tables
from gatekey.store.workspaces import DEFAULT
from tests.unit.admin.asking import Ask, Control, key_of, trail

FALLBACK = {"strategy": {"mode": "fallback"}, "targets": [{"provider": "openai"}, {"provider": "cohere"}]}


def make(ask: Ask, config: Any = FALLBACK, **more: Any) -> Any:
    status, answer = ask("POST", "/configs", {"name": "My Config", "config": config, **more})
    assert status == 200, answer
    return answer["data"]


def workspace(ask: Ask) -> str:
    return str(ask("POST", "/admin/workspaces", {"name": "Other"})[1]["id"])


def provider(control: Control, slug: str, workspace: str = DEFAULT) -> None:
    """A stored provider, past the API."""

    def add(write: Any) -> None:
        named = {"slug": slug, "name": slug, "ai_provider_id": "openai", "credential": ""}
        integration = store_rows.add(write, tables.integrations, workspace_id=workspace, **named)
        store_rows.add(
            write, tables.providers, workspace_id=workspace, slug=slug, name=slug, integration_id=integration["id"]
        )

    control.write(add)


def test_a_config_is_made_listed_read_changed_and_deleted(ask: Ask, control: Control) -> None:
    made = make(ask)
    assert made["slug"].startswith("pc-my-config-")
    assert made["object"] == "config"
    status, found = ask("GET", f"/configs/{made['slug']}")
    assert (status, found["success"]) == (200, True)
    assert (found["data"]["config"], found["data"]["status"], found["data"]["is_default"]) == (FALLBACK, "active", 0)
    assert ask("GET", f"/configs/{made['id']}") == (200, found)
    status, listed = ask("GET", "/configs?")
    assert (status, listed["total"], listed["object"]) == (200, 1, "list")
    assert "config" not in listed["data"][0]
    status, changed = ask("PUT", f"/configs/{made['slug']}", {"config": {"provider": "openai"}})
    assert (status, changed["success"]) == (200, True)
    assert changed["data"]["version_id"] != made["version_id"]
    assert control.directory.config(DEFAULT, made["slug"]) == '{"provider":"openai"}'
    assert ask("DELETE", f"/configs/{made['slug']}") == (200, {})
    assert ask("GET", f"/configs/{made['slug']}")[0] == 404
    assert control.directory.config(DEFAULT, made["slug"]) is None
    assert control.directory.config(DEFAULT, made["id"]) is None


def test_the_text_is_kept_as_it_was_given_without_blanks(ask: Ask, control: Control) -> None:
    text = '{"provider": "openai",\n "override_params": {"seed": 1152921504606846976, "x": 0.12345678901234567890}}'
    compact = text.replace("\n ", "").replace(": ", ":").replace(", ", ",")
    for body in (f'{{"name": "c", "config": {text}}}'.encode(), {"name": "c", "config": text}):
        slug = ask("POST", "/configs", body)[1]["data"]["slug"]
        assert control.directory.config(DEFAULT, slug) == compact


@pytest.mark.parametrize(("sent", "shown"), [(1, 1), (True, 1), (0, 0), (False, 0), (None, 0)])
@pytest.mark.parametrize("spelling", ["is_default", "isDefault"])
def test_one_config_of_a_workspace_is_its_default(ask: Ask, spelling: str, sent: Any, shown: int) -> None:
    first, second = make(ask, is_default=1), make(ask, **{spelling: sent})

    def default(config: Any) -> int:
        return int(ask("GET", f"/configs/{config['slug']}")[1]["data"]["is_default"])

    assert (default(first), default(second)) == (1 - shown, shown)
    ask("PUT", f"/configs/{first['slug']}", {spelling: sent})
    assert default(first) == (1 if sent is None and not shown else shown)


def test_versions_are_numbered_and_never_change(ask: Ask) -> None:
    made = make(ask, {"provider": "openai"})
    path = f"/configs/{made['slug']}"
    assert ask("PUT", path, {"slug": made["slug"], "name": "Another"})[1]["data"]["version_id"] == made["version_id"]
    assert ask("PUT", path, {"status": "active"})[1]["data"]["version_id"] == made["version_id"]
    same = ask("PUT", path, {"config": ' {"provider" : "openai"} '})
    assert same[1]["data"]["version_id"] == made["version_id"]
    second = ask("PUT", path, {"config": {"provider": "cohere"}})[1]["data"]["version_id"]
    third = ask("PUT", path, {"config": {"provider": "openai"}})[1]["data"]["version_id"]
    status, answer = ask("GET", f"{path}/versions")
    assert (status, answer["total"]) == (200, 3)
    assert [row["version_id"] for row in answer["data"]] == [third, second, made["version_id"]]
    assert [row["version"] for row in answer["data"]] == [3, 2, 1]
    assert [row["status"] for row in answer["data"]] == ["active", "archived", "archived"]
    assert answer["data"][1]["config"] == '{"provider":"cohere"}'
    page = ask("GET", f"{path}/versions?current_page=1&page_size=2")[1]
    assert ([row["version"] for row in page["data"]], page["total"]) == ([1], 3)
    assert ask("GET", path)[1]["data"]["name"] == "Another"


@pytest.mark.parametrize(
    ("config", "param", "words"),
    [
        ({"targets": [{}, {"retry": {"attempts": "x"}}]}, "config.targets[1].retry.attempts", "expected an integer"),
        ('{"targets": [{"retyr": {}}]}', "config.targets[0].retyr", 'did you mean "retry"?'),
        ({"provider": "opnai"}, "config.provider", 'did you mean "openai"?'),
        ({"prompt_id": "p"}, "config.prompt_id", "not available yet"),
        ("pc-123", "config", "not valid JSON"),
        ([], "config", "expected an object"),
        (None, "config", "expected an object"),
        ({"api_key": "sk-CANARY"}, "config.api_key", "make a virtual key"),
        ('{"targets": [{"provider": "openai", "apiKey": "sk-CANARY"}]}', "config.targets[0].apiKey", "make a virtual"),
        (
            {"provider": "azure-openai", "azure_ad_token": "sk-CANARY"},
            "config.azure_ad_token",
            "a saved config holds no credential",
        ),
        ({"provider": "azure-openai", "azureAuthToken": "sk-CANARY"}, "config.azureAuthToken", "holds no credential"),
        ({"virtual_key": "nobody"}, "config.virtual_key", "there is no virtual key or provider 'nobody'"),
        ({"targets": [{}, {"provider": "@nobody"}]}, "config.targets[1].provider", "'nobody'"),
        ({"overrideParams": {"model": "@nobody/gpt"}}, "config.overrideParams.model", "'nobody'"),
    ],
)
def test_what_is_wrong_with_a_config_is_refused_with_its_path(
    ask: Ask, control: Control, config: Any, param: str, words: str
) -> None:
    made = make(ask)
    for method, path in (("POST", "/configs"), ("PUT", f"/configs/{made['slug']}")):
        if (method, config) == ("PUT", None):
            continue  # null is not said
        status, answer = ask(method, path, {"name": "c", "config": config})
        assert (status, answer["error"]["param"]) == (400, param)
        assert answer["message"].startswith(f"{param}: ")
        assert words in answer["message"]
    assert ask("GET", "/configs")[1]["total"] == 1
    assert ask("GET", f"/configs/{made['slug']}")[1]["data"]["config"] == FALLBACK
    assert "CANARY" not in json.dumps(trail(control))


@pytest.mark.parametrize(
    ("method", "body", "param"),
    [
        ("POST", {"config": {}}, "name"),
        ("POST", {"name": "c"}, "config"),
        ("POST", {"name": "", "config": {}}, "name"),
        ("POST", {"name": "x" * 256, "config": {}}, "name"),
        ("POST", {"name": "c", "config": {}, "is_default": 2}, "is_default"),
        ("POST", {"name": "c", "config": {}, "nmae": "c"}, "nmae"),
        ("POST", {"name": "c", "config": {}, "workspace_id": "nowhere"}, "workspace_id"),
        ("PUT", {"status": "archived"}, "status"),
        ("PUT", {"slug": "pc-other"}, "slug"),
        ("PUT", {"name": 5}, "name"),
    ],
)
def test_what_is_wrong_with_a_body_is_refused_with_its_field(ask: Ask, method: str, body: Any, param: str) -> None:
    path = "/configs" if method == "POST" else f"/configs/{make(ask)['slug']}"
    status, answer = ask(method, path, body)
    assert (status, answer["error"]["param"]) == (404 if param == "workspace_id" else 400, param)
    assert ask("GET", "/configs")[1]["total"] == (method == "PUT")


def test_what_a_config_names_must_be_in_its_workspace(ask: Ask, control: Control) -> None:
    other = workspace(ask)
    provider(control, "here")
    provider(control, "there", other)
    make(ask, {"targets": [{"virtual_key": "here"}, {"override_params": {"model": "@here/gpt"}}]})
    make(ask, {"virtual_key": "there"}, workspace_id=other)
    assert ask("POST", "/configs", {"name": "c", "config": {"virtual_key": "there"}})[0] == 400
    assert ask("POST", "/configs", {"name": "c", "config": {"virtual_key": "here"}, "workspace_id": other})[0] == 400


def test_a_workspaces_key_sees_and_touches_its_workspace_only(ask: Ask) -> None:
    other = workspace(ask)
    mine, theirs = make(ask, workspace_id=other), make(ask)
    key = key_of(other)
    assert [row["id"] for row in ask("GET", "/configs", None, key)[1]["data"]] == [mine["id"]]
    assert ask("GET", f"/configs/{mine['slug']}", None, key)[0] == 200
    for method, more, body in (("GET", "", None), ("GET", "/versions", None), ("PUT", "", {}), ("DELETE", "", None)):
        for name in (theirs["slug"], theirs["id"]):
            assert ask(method, f"/configs/{name}{more}", body, key)[0] == 403
    assert ask("GET", f"/configs?workspace_id={DEFAULT}", None, key)[0] == 403
    assert ask("POST", "/configs", {"name": "c", "config": {}, "workspace_id": DEFAULT}, key)[0] == 403
    assert ask("GET", "/configs")[1]["total"] == 2
    assert ask("GET", f"/configs?workspace_id={other}")[1]["total"] == 1


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/configs", "configs.create"),
        ("GET", "/configs", "configs.list"),
        ("GET", "/configs/{}", "configs.read"),
        ("GET", "/configs/{}/versions", "configs.read"),
        ("PUT", "/configs/{}", "configs.update"),
        ("DELETE", "/configs/{}", "configs.delete"),
    ],
)
def test_each_route_has_its_scope(ask: Ask, method: str, path: str, scope: str) -> None:
    path = path.format(make(ask)["slug"])
    body = {"name": "c", "config": {}} if method in ("POST", "PUT") else None
    assert ask(method, path, body, key_of("", "completions.write"))[0] == 403
    assert ask(method, path, body, key_of("", scope))[0] == 200


@pytest.mark.parametrize("by", ["slug", "id"])
def test_what_is_in_use_cannot_be_deleted(ask: Ask, control: Control, by: str) -> None:
    made = make(ask)

    def use(write: Any) -> None:
        common = {"workspace_id": DEFAULT, "scopes": "[]", "masked": "gk-***", "type": "workspace-service"}
        defaults = store_rows.text({"config_id": made[by]})
        store_rows.add(write, tables.api_keys, name="the app's", defaults=defaults, **common)
        store_rows.change(
            write, tables.workspaces, DEFAULT, defaults=store_rows.text({"user_api_key_config": made[by]})
        )

    control.write(use)
    status, answer = ask("DELETE", f"/configs/{made['id']}")
    assert status == 409
    assert 'the API key "the app\'s"' in answer["message"]
    assert "the workspace '" in answer["message"]
    assert ask("GET", f"/configs/{made['slug']}")[0] == 200


def test_every_change_is_in_the_trail_and_no_credential_is(ask: Ask, control: Control) -> None:
    made = make(ask)
    ask("PUT", f"/configs/{made['slug']}", {"name": "n"})
    ask("PUT", f"/configs/{made['slug']}", {"config": '{"api_key": "sk-CANARY"}'})
    ask("DELETE", f"/configs/{made['slug']}")
    found = [row for row in trail(control) if row["resource_type"] == "configs"]
    assert sorted((row["action"], row["response_status_code"]) for row in found) == [
        ("create", 200),
        ("delete", 200),
        ("update", 200),
        ("update", 400),
    ]
    assert "CANARY" not in json.dumps(found)
