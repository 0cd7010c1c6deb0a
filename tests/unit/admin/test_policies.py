"""Policies through the API, as the data plane then has them, and what is told of their spending."""

from typing import Any

from gatekey.limits.limit import Limit
from gatekey.limits.policy import Policy, group, group_id
from gatekey.store.workspaces import DEFAULT
from tests.unit.admin.asking import Ask, Control, key_of, trail

USAGE, RATE = "/policies/usage-limits", "/policies/rate-limits"
BY_USER: dict[str, Any] = {
    "name": "per user",
    "conditions": [{"key": "metadata.team", "value": "search"}],
    "group_by": [{"key": "metadata._user"}],
    "type": "cost",
    "credit_limit": 10,
}
A_RATE: dict[str, Any] = {"conditions": [], "group_by": [{"key": "api_key"}], "unit": "rpm", "value": 60}


def made(ask: Ask, path: str = USAGE, **more: Any) -> str:
    status, answer = ask("POST", path, {**(BY_USER if path == USAGE else A_RATE), **more})
    assert status == 200, answer
    assert answer["object"] == ("policy_usage_limits" if path == USAGE else "policy_rate_limits")
    return str(answer["id"])


def known(control: Control, id: str, workspace: str = DEFAULT) -> Policy | None:
    """A policy as requests of a workspace are held against it."""
    return next((policy for policy in control.directory.policies(workspace) if policy.id == id), None)


def held(control: Control, id: str, **facts: str) -> Limit:
    """The limit that a request falls under."""
    policy = known(control, id)
    limit = policy and policy.applied({name.replace("__", "."): value for name, value in facts.items()})
    assert limit is not None
    return limit


def user(name: str) -> dict[str, str]:
    return {"metadata__team": "search", "metadata___user": name}


def test_a_budget_is_made_found_changed_and_deleted(control: Control, ask: Ask) -> None:
    id = made(ask, alert_threshold=8, periodic_reset="monthly", workspace_id="default")
    place = f"{USAGE}/{id}"
    shown = ask("GET", place)[1]
    assert (shown["name"], shown["status"], shown["object"]) == ("per user", "active", "policy_usage_limits")
    assert (shown["conditions"], shown["group_by"]) == (BY_USER["conditions"], BY_USER["group_by"])
    assert (shown["type"], shown["credit_limit"], shown["alert_threshold"]) == ("cost", 10, 8)
    assert (shown["periodic_reset"], shown["workspace_id"], shown["target"]) == ("monthly", DEFAULT, "llm")
    assert ask("GET", USAGE) == (200, {"object": "list", "total": 1, "data": [shown]})
    limit = held(control, id, **user("bob"))
    assert (limit.amount, limit.counts, limit.period) == (10_000_000_000, "cost", "monthly")
    assert limit.account == f"policy/{id}/metadata._user:bob"
    assert limit.owner == "policy 'per user'"
    changed = ask("PUT", place, {"credit_limit": 2.5, "name": None, "alert_threshold": None})[1]
    assert (changed["credit_limit"], changed["name"], changed["alert_threshold"]) == (2.5, "", None)
    assert (changed["periodic_reset"], changed["conditions"]) == ("monthly", BY_USER["conditions"])
    assert held(control, id, **user("bob")).amount == 2_500_000_000
    assert ask("DELETE", place) == (200, {})
    assert known(control, id) is None
    assert (ask("GET", USAGE)[1]["total"], ask("GET", f"{USAGE}?status=archived")[1]["total"]) == (0, 1)
    assert ask("GET", place)[1]["status"] == "archived"
    for method, more in (("PUT", ""), ("DELETE", ""), ("GET", "/entities"), ("PUT", "/entities/x/reset")):
        assert ask(method, place + more, {})[0] == 404


def test_a_rate_is_made_found_changed_and_deleted(control: Control, ask: Ask) -> None:
    id = made(ask, RATE, type="tokens", unit="rpw", value=0, name="none")
    shown = ask("GET", f"{RATE}/{id}")[1]
    assert (shown["type"], shown["unit"], shown["value"]) == ("tokens", "rpw", 0)
    assert held(control, id, api_key="k").per == 604_800
    changed = ask("PUT", f"{RATE}/{id}", {"unit": "rps", "value": 5})[1]
    assert (changed["type"], changed["unit"], changed["value"], changed["name"]) == ("tokens", "rps", 5, "none")
    assert ask("GET", RATE)[1]["data"] == [changed]
    assert (ask("GET", f"{RATE}?type=requests")[1]["total"], ask("GET", f"{RATE}?type=tokens")[1]["total"]) == (0, 1)
    assert ask("GET", USAGE)[1]["total"] == 0
    assert ask("GET", f"{USAGE}/{id}")[0] == 404
    assert ask("GET", f"{RATE}/{id}/entities")[0] == 404
    assert ask("DELETE", f"{RATE}/{id}") == (200, {})
    assert known(control, id) is None


def test_another_kind_of_limit_begins_at_nothing_and_another_amount_does_not(control: Control, ask: Ask) -> None:
    rate = made(ask, RATE, type="tokens", value=1_000_000, unit="rpd")
    control.ledger.spend(held(control, rate, api_key="k"), 900_000)
    ask("PUT", f"{RATE}/{rate}", {"type": "requests", "value": 10, "unit": "rpm"})
    assert control.run(control.ledger.usage([held(control, rate, api_key="k")]))[0].spent == 0
    budget = made(ask)
    control.ledger.spend(held(control, budget, **user("bob")), 4_000_000_000)
    for change, left in (
        ({"credit_limit": 20}, 4_000_000_000),
        ({"conditions": [{"key": "metadata.team", "value": ["search", "sales"]}]}, 4_000_000_000),
        ({"periodic_reset": "weekly"}, 0),
    ):
        assert ask("PUT", f"{USAGE}/{budget}", change)[0] == 200
        assert control.run(control.ledger.usage([held(control, budget, **user("bob"))]))[0].spent == left
    control.ledger.spend(held(control, budget, **user("bob")), 1_000_000_000)
    assert ask("PUT", f"{USAGE}/{budget}", {"type": "tokens"})[1]["error"]["param"] == "credit_limit"
    changed = ask("PUT", f"{USAGE}/{budget}", {"type": "tokens", "credit_limit": 100})[1]
    assert (changed["type"], changed["credit_limit"], changed["periodic_reset"]) == ("tokens", 100, "weekly")
    assert control.run(control.ledger.usage([held(control, budget, **user("bob"))]))[0].spent == 0


TOLD: list[tuple[Any, Any]] = [
    ({"key": "model", "value": "gpt-4o*"}, None),
    ({"key": "model", "value": ["a", "b"], "excludes": "c"}, None),
    ({"key": "model", "value": ["a"], "excludes": []}, {"key": "model", "value": "a"}),
    ({"key": "model", "value": "a*", "excludes": ["ab", "ac"]}, None),
    ({"key": "model", "value": ["*", "a"]}, {"key": "model", "value": "*"}),
    ({"key": "metadata._user", "value": "*", "excludes": None}, {"key": "metadata._user", "value": "*"}),
    ({"key": "metadata.a", "value": "b", "excludes": True}, {"key": "metadata.a", "value": "*", "excludes": "b"}),
    ({"key": "metadata.a", "value": "b", "excludes": False}, {"key": "metadata.a", "value": "b"}),
    ({"key": "metadata.a", "value": "b", "excludes": []}, {"key": "metadata.a", "value": "b"}),
    ({"key": "provider", "value": ["open-ai", "a*"]}, {"key": "provider", "value": ["openai", "a*"]}),
    ({"key": "virtual_key", "value": "@main"}, {"key": "virtual_key", "value": "main"}),
    ({"key": "workspace_id", "value": "default"}, {"key": "workspace_id", "value": DEFAULT}),
    ({"key": "organisation_id", "value": "of-another-gateway"}, {"key": "organisation_id", "value": "*"}),
]  # fmt: skip


def test_conditions_are_told_as_they_are_held(ask: Ask) -> None:
    for given, told in TOLD:
        place = f"{USAGE}/{made(ask, conditions=[given])}"
        assert ask("GET", place)[1]["conditions"] == [told or given]
        again = ask("PUT", place, {"conditions": [told or given]})[1]
        assert again["conditions"] == [told or given]


def test_nobody_gets_past_a_policy_by_leaving_out_what_it_looks_at(control: Control, ask: Ask) -> None:
    id = made(ask, conditions=[{"key": "metadata._user", "value": "*"}])
    assert held(control, id, metadata___user="bob").account.endswith("/metadata._user:bob")
    assert held(control, id).account.endswith("/metadata._user:")
    known_ones = made(ask, conditions=[{"key": "metadata._user", "value": "*", "excludes": ["bob"]}])
    assert known(control, known_ones).applied({"metadata._user": "bob"}) is None  # type: ignore[union-attr]
    without = made(ask, conditions=[{"key": "metadata._user", "value": "*", "excludes": True}])
    assert known(control, without).applied({"metadata._user": "bob"}) is None  # type: ignore[union-attr]
    assert held(control, without)


def test_what_is_counted_is_told_group_by_group_and_begins_again_alone(control: Control, ask: Ask) -> None:
    id = made(ask)
    place = f"{USAGE}/{id}"
    assert ask("GET", f"{place}/entities") == (200, {"object": "list", "total": 0, "data": []})
    for name, spent in (("bob", 10_000_000_000), ("ann", 250_000_000)):
        control.ledger.spend(held(control, id, **user(name)), spent)
    entities = ask("GET", f"{place}/entities")[1]
    ann, bob = entities["data"]
    assert entities["total"] == 2
    assert (ann["value_key"], ann["current_usage"], ann["status"]) == ("metadata._user:ann", 0.25, "active")
    assert (bob["value_key"], bob["current_usage"], bob["status"]) == ("metadata._user:bob", 10, "exhausted")
    assert bob["id"] == group_id("metadata._user:bob")
    assert ask("GET", f"{place}/entities?page_size=1&current_page=1")[1] == {**entities, "data": [bob]}
    assert ask("GET", f"{place}/entities?value_key=metadata._user:b")[1]["data"] == [bob]
    usage = {"metadata._user:ann": 0.25, "metadata._user:bob": 10}
    assert ask("GET", f"{place}?include_usage=true")[1]["value_key_usage_map"] == usage
    (listed,) = ask("GET", f"{USAGE}?include_usage=true")[1]["data"]
    assert listed["value_key_usage_map"] == usage
    assert "value_key_usage_map" not in ask("GET", f"{USAGE}?include_usage=false")[1]["data"][0]
    status, told = ask("PUT", f"{place}/entities/{bob['id']}/reset")
    assert (status, told) == (200, {**bob, "current_usage": 0, "status": "active"})
    assert ask("GET", f"{place}/entities")[1]["data"] == [ann, told]
    assert held(control, id, **user("bob")).since > held(control, id, **user("ann")).since
    status, answer = ask("PUT", f"{place}/entities/nobody/reset")
    assert (status, answer["error"]["param"]) == (404, "entityId")
    assert ask("PUT", place, {"reset_usage": True})[0] == 200
    assert {one["current_usage"] for one in ask("GET", f"{place}/entities")[1]["data"]} == {0}


def test_groups_of_several_facts_and_of_any_text_are_told_apart(control: Control, ask: Ask) -> None:
    id = made(ask, conditions=[], group_by=[{"key": "metadata._user"}, {"key": "model"}])
    facts = [{"metadata._user": one, "model": "m"} for one in ("a,model:b", "a", "é/%", "x" * 500)]
    for one in facts:
        limit = known(control, id).applied(one)  # type: ignore[union-attr]
        assert limit is not None
        control.ledger.spend(limit, 1)
    names = {group(("metadata._user", "model"), one) for one in facts}
    told = ask("GET", f"{USAGE}/{id}/entities")[1]["data"]
    assert {one["value_key"] for one in told} == names
    assert len(names) == 4
    for one in told:
        assert ask("PUT", f"{USAGE}/{id}/entities/{one['id']}/reset")[0] == 200


def test_without_the_ledger_what_is_set_can_be_read_and_what_is_spent_cannot(control: Control, ask: Ask) -> None:
    place = f"{USAGE}/{made(ask)}"
    control.ledger.down = True
    assert ask("GET", f"{place}?include_usage=true")[1]["value_key_usage_map"] is None
    assert ask("GET", f"{place}/entities")[0] == 503
    assert ask("PUT", f"{place}/entities/x/reset")[0] == 503
    assert ask("PUT", place, {"credit_limit": 1})[0] == 200


def test_a_policy_without_a_workspace_holds_in_all_of_them(control: Control, ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "other"})[1]["id"]
    whole, own = made(ask), made(ask, workspace_id=other)
    assert [policy.id for policy in control.directory.policies(DEFAULT)] == [whole]
    assert [policy.id for policy in control.directory.policies(other)] == [own, whole]
    assert (ask("GET", USAGE)[1]["total"], ask("GET", f"{USAGE}?workspace_id={other}")[1]["total"]) == (2, 1)
    refused = ask("DELETE", f"/admin/workspaces/{other}")
    assert (refused[0], "policies 'per user'" in refused[1]["message"]) == (409, True)
    assert ask("DELETE", f"/admin/workspaces/{other}", {"force_delete": True})[0] == 200
    assert [policy.id for policy in control.directory.policies(other)] == [whole]


def test_policies_of_others_are_not_seen(control: Control, ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "other"})[1]["id"]
    here, there = key_of(DEFAULT), key_of(other)
    own = ask("POST", USAGE, BY_USER, there)[1]["id"]
    assert ask("GET", f"{USAGE}/{own}")[1]["workspace_id"] == other
    ways = (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/entities"), ("PUT", "/entities/x/reset"))
    for id in (made(ask), made(ask, workspace_id=DEFAULT)):
        for method, more in ways:
            status, answer = ask(method, f"{USAGE}/{id}{more}", {}, there)
            assert (status, answer["data"]["errorCode"]) == (403, "AB03")
    assert [one["id"] for one in ask("GET", USAGE, None, there)[1]["data"]] == [own]
    assert ask("GET", f"{USAGE}?status=archived", None, there)[1]["total"] == 0
    assert ask("GET", f"{USAGE}?workspace_id={DEFAULT}", None, there)[0] == 403
    assert ask("POST", USAGE, {**BY_USER, "workspace_id": DEFAULT}, there)[0] == 403
    assert ask("DELETE", f"{USAGE}/{own}", None, here)[0] == 403
    assert ask("DELETE", f"{USAGE}/{own}", None, there)[0] == 200


def test_scopes_are_asked_for(ask: Ask) -> None:
    id = made(ask)
    reader = key_of("", "policies.read")
    assert ask("GET", f"{USAGE}/{id}", None, reader)[0] == 200
    assert ask("GET", f"{USAGE}/{id}/entities", None, reader)[0] == 200
    for method, path in (
        ("GET", USAGE), ("POST", USAGE), ("PUT", f"{USAGE}/{id}"), ("DELETE", f"{USAGE}/{id}"),
        ("PUT", f"{USAGE}/{id}/entities/x/reset"), ("GET", RATE), ("POST", RATE),
    ):  # fmt: skip
        assert ask(method, path, {}, reader)[0] == 403


def test_the_trail_has_every_change_with_its_keys(control: Control, ask: Ask) -> None:
    id = made(ask)
    control.ledger.spend(held(control, id, **user("bob")), 1)
    ask("PUT", f"{USAGE}/{id}", {"credit_limit": 1})
    ask("PUT", f"{USAGE}/{id}/entities/{group_id('metadata._user:bob')}/reset")
    ask("DELETE", f"{USAGE}/{id}")
    ask("PUT", f"{USAGE}/{id}", {"credit_limit": -1})
    kept = trail(control)
    told = [(row["resource_type"], row["action"], row["response_status_code"]) for row in kept]
    assert sorted(told) == [("policies", action, status) for action, status in (
        ("create", 200), ("delete", 200), ("reset", 200), ("update", 200), ("update", 404))]  # fmt: skip
    (body,) = [row["request_body"] for row in kept if row["action"] == "create"]
    assert '"key":"metadata.team"' in body and '"key":"metadata._user"' in body


NO_POLICY: list[tuple[dict[str, Any], str]] = [
    ({"conditions": None}, "conditions"),
    ({"conditions": {}}, "conditions"),
    ({"conditions": [{"key": "metadata.a"}]}, "conditions[0].value"),
    ({"conditions": [{"value": "a"}]}, "conditions[0].key"),
    ({"conditions": [{"key": "metadata.a", "value": 5}]}, "conditions[0].value"),
    ({"conditions": [{"key": "metadata.a", "value": ""}]}, "conditions[0].value"),
    ({"conditions": [{"key": "metadata.a", "value": []}]}, "conditions[0].value"),
    ({"conditions": [{"key": "metadata.a", "value": [["a"]]}]}, "conditions[0].value[0]"),
    ({"conditions": [{"key": "metadata.a", "value": "a", "exclude": "b"}]}, "conditions[0].exclude"),
    ({"conditions": [{"key": "metadata.a", "value": "x" * 1025}]}, "conditions[0].value"),
    ({"conditions": [{"key": "metadata.", "value": "a"}]}, "conditions[0].key"),
    ({"conditions": [{"key": "user", "value": "a"}]}, "conditions[0].key"),
    ({"conditions": [{"key": "mcp_tool", "value": "a"}]}, "conditions[0].key"),
    ({"conditions": [{"key": "provider", "value": ["nobody"]}]}, "conditions[0].value"),
    ({"conditions": [{"key": "provider", "value": "@main"}]}, "conditions[0].value"),
    ({"conditions": [{"key": "model", "value": "a"}] * 21}, "conditions"),
    ({"group_by": None}, "group_by"),
    ({"group_by": ["metadata._user"]}, "group_by[0]"),
    ({"group_by": [{"key": "api_key"}, {"key": "api_key"}]}, "group_by[1].key"),
    ({"group_by": [{"key": "nonsense"}]}, "group_by[0].key"),
    ({"name": "n" * 256}, "name"),
    ({"name": "n\0"}, "name"),
    ({"target": "mcp_tools"}, "target"),
    ({"target": "x"}, "target"),
    ({"nonsense": 1}, "nonsense"),
    ({"workspace_id": "ws-none"}, "workspace_id"),
    ({"conditions": [{"key": "workspace_id", "value": "*", "excludes": "ws-none"}]}, "conditions"),
]


def test_what_no_policy_can_be_is_refused_by_name(ask: Ask) -> None:
    for path, body in ((USAGE, BY_USER), (RATE, A_RATE)):
        for change, param in NO_POLICY:
            status, answer = ask("POST", path, {**body, **change})
            assert (status in (400, 404), answer["error"]["param"]) == (True, param), answer
        assert ask("GET", path)[1]["total"] == 0


NO_BUDGET: list[tuple[bytes, str]] = [
    (b'{"credit_limit": -1}', "credit_limit"),
    (b'{"credit_limit": 1e300}', "credit_limit"),
    (b'{"credit_limit": 1e300000000}', "credit_limit"),
    (b'{"credit_limit": 1e-300}', "credit_limit"),
    (b'{"credit_limit": "NaN"}', "credit_limit"),
    (b'{"credit_limit": null}', "credit_limit"),
    (b'{"credit_limit": true}', "credit_limit"),
    (b'{"credit_limit": {"a": 1}}', "credit_limit"),
    (b'{"credit_limit": 1.0000000001}', "credit_limit"),
    (b'{"type": "tokens", "credit_limit": 1.5}', "credit_limit"),
    (b'{"type": "euros"}', "type"),
    (b'{"alert_threshold": 10.1}', "alert_threshold"),
    (b'{"alert_threshold": -1}', "alert_threshold"),
    (b'{"periodic_reset": "daily"}', "periodic_reset"),
    (b'{"periodic_reset_days": 0}', "periodic_reset_days"),
    (b'{"periodic_reset_days": 366}', "periodic_reset_days"),
    (b'{"periodic_reset": "weekly", "periodic_reset_days": 7}', "periodic_reset_days"),
    (b'{"allow_unpriced": 1}', "allow_unpriced"),
    (b'{"conditions": null}', "conditions"),
    (b'{"unit": "rpm"}', "unit"),
]


def test_no_such_budget_is_made_nor_made_of_another(ask: Ask) -> None:
    place = f"{USAGE}/{made(ask)}"
    before = ask("GET", place)[1]
    for body, param in NO_BUDGET:
        whole = b'{"conditions": [], "group_by": [], "credit_limit": 10, ' + body[1:]
        for status, answer in (ask("POST", USAGE, whole), ask("PUT", place, body)):
            assert (status, answer["error"]["param"]) == (400, param), (body, answer)
    assert ask("GET", USAGE)[1]["data"] == [before]


NO_RATE: list[tuple[bytes, str]] = [
    (b'{"value": -1}', "value"),
    (b'{"value": 1.5}', "value"),
    (b'{"value": 1e300}', "value"),
    (b'{"value": 9007199254740992}', "value"),
    (b'{"value": "60"}', "value"),
    (b'{"unit": "rpy"}', "unit"),
    (b'{"type": "cost"}', "type"),
    (b'{"credit_limit": 1}', "credit_limit"),
    (b'{"reset_usage": true}', "reset_usage"),
]


def test_no_such_rate_is_made_nor_made_of_another(ask: Ask) -> None:
    place = f"{RATE}/{made(ask, RATE)}"
    before = ask("GET", place)[1]
    for body, param in NO_RATE:
        whole = b'{"conditions": [], "group_by": [], "unit": "rpm", "value": 1, ' + body[1:]
        for status, answer in (ask("POST", RATE, whole), ask("PUT", place, body)):
            assert (status, answer["error"]["param"]) == (400, param), (body, answer)
    assert ask("GET", RATE)[1]["data"] == [before]


NO_LIST: list[tuple[str, str]] = [
    ("status=gone", "status"),
    ("type=euros", "type"),
    ("include_usage=yes", "include_usage"),
    ("include_usage=true&page_size=51", "page_size"),
    ("page_size=0", "page_size"),
    ("workspace_id=ws-none", "workspace_id"),
]


def test_what_a_list_cannot_be_asked_is_refused_by_name(ask: Ask) -> None:
    for query, param in NO_LIST:
        assert ask("GET", f"{USAGE}?{query}")[1]["error"]["param"] == param
