"""Budgets and rates through the API, wherever they may be set: as sent, as told, as spent, and as refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gatekey.admin.limits import UsageLimit, budget, shown
from gatekey.admin.visit import milliseconds, moment
from gatekey.errors import BadBody
from gatekey.limits.limit import MOST, Limit
from gatekey.store.workspaces import DEFAULT
from tests.unit.admin.asking import Ask, Control, held, key_of, trail

KEY = {"name": "k", "scopes": ["completions.write"]}
CREDENTIAL = {"key": "sk-1", "name": "n"}
BUDGET = {"credit_limit": 10, "type": "cost", "alert_threshold": 8, "periodic_reset": "monthly"}
RATES = [{"type": "requests", "unit": "rpm", "value": 60}, {"type": "tokens", "unit": "rpd", "value": 0}]
THINGS = ("api-keys", "virtual-keys", "providers", "admin/workspaces")


def made(ask: Ask, thing: str, **limits: Any) -> str:
    """The path of a new one."""
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "api-keys": ("/api-keys/workspace/service", KEY),
        "virtual-keys": ("/virtual-keys", {**CREDENTIAL, "provider": "openai"}),
        "providers": ("/providers", {"name": "n", "integration_id": "i"}),
        "admin/workspaces": ("/admin/workspaces", {"name": "w"}),
    }
    if thing == "providers":
        whole = {**CREDENTIAL, "ai_provider_id": "openai", "slug": "i", "create_default_provider": False}
        ask("POST", "/integrations", whole)
    path, body = bodies[thing]
    status, answer = ask("POST", path, {**body, **limits})
    assert status == 200, answer
    return f"/{thing}/{answer['id'] if thing in ('api-keys', 'admin/workspaces') else answer['slug']}"


def enforced(control: Control, ask: Ask, place: str) -> tuple[Limit, ...]:
    """The limits as requests meet them."""
    shown = ask("GET", place)[1]
    if place.startswith("/api-keys"):
        return next(known.limits for known, _ in control.directory._keys.values() if known.id == shown["id"])
    if place.startswith("/admin"):
        return control.directory.limits(shown["id"])
    return held(control, DEFAULT, shown["slug"]).limits


def listed(limits: Any) -> list[Any]:
    return limits if isinstance(limits, list) else [limits]


@pytest.mark.parametrize("thing", THINGS)
def test_limits_are_set_told_changed_and_taken_away(control: Control, ask: Ask, thing: str) -> None:
    place = made(ask, thing, usage_limits=BUDGET, rate_limits=RATES)
    budget, by_minute, by_day = enforced(control, ask, place)
    assert (budget.counts, budget.amount, budget.period) == ("cost", 10_000_000_000, "monthly")
    assert (budget.alert_threshold, budget.since > 0) == (8_000_000_000, True)
    assert (by_minute.counts, by_minute.amount, by_minute.per) == ("requests", 60, 60)
    assert (by_day.counts, by_day.amount, by_day.per) == ("tokens", 0, 86_400)
    shown = ask("GET", place)[1]
    (told,) = listed(shown["usage_limits"])
    assert told.items() >= {**BUDGET, "current_usage": 0, "remaining": 10, "status": "active"}.items()
    assert told["next_usage_reset_at"].endswith("-01T00:00:00.000Z")
    assert (shown["rate_limits"], shown["status"]) == (RATES, "active")
    # What was told may come back as it is, and nothing begins anew.
    back = {name: shown[name] for name in ("usage_limits", "rate_limits")}
    assert ask("PUT", place, back)[0] == 200
    assert enforced(control, ask, place) == (budget, by_minute, by_day)
    assert ask("PUT", place, {"name": "other"})[0] == 200
    assert enforced(control, ask, place) == (budget, by_minute, by_day)
    assert ask("PUT", place, {"rate_limits": RATES[0]})[0] == 200
    assert enforced(control, ask, place) == (budget, by_minute)
    assert ask("PUT", place, {"usage_limits": {"credit_limit": 2.5}})[0] == 200
    decimal, rate = enforced(control, ask, place)
    assert (decimal.amount, decimal.period, rate) == (2_500_000_000, "", by_minute)
    several = [{"credit_limit": 100, "type": "tokens"}, {"credit_limit": "0.000000001", "periodic_reset_days": 7}]
    assert ask("PUT", place, {"usageLimits": several, "rateLimits": []})[0] == 200
    assert [(one.counts, one.amount, one.period) for one in enforced(control, ask, place)] == [
        ("tokens", 100, ""),
        ("cost", 1, 7),
    ]
    assert [one["credit_limit"] for one in ask("GET", place)[1]["usage_limits"]] == [100, 1e-09]
    assert ask("PUT", place, {"usage_limits": None, "rate_limits": None})[0] == 200
    assert enforced(control, ask, place) == ()
    assert ask("GET", place)[1]["rate_limits"] is None


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_spent_is_told_and_more_or_a_reset_makes_it_active(control: Control, ask: Ask, thing: str) -> None:
    place = made(ask, thing, usage_limits=BUDGET)

    def state() -> tuple[Any, ...]:
        shown = ask("GET", place)[1]
        (budget,) = listed(shown["usage_limits"])
        # A workspace itself is active whatever is spent: its budgets say.
        assert shown["status"] == ("active" if thing == "admin/workspaces" else budget["status"])
        return budget["status"], budget["current_usage"], budget["remaining"], budget["alerted"]

    control.ledger.spend(enforced(control, ask, place)[0], 8_250_000_000)
    assert state() == ("active", 8.25, 1.75, True)
    control.ledger.refuse(enforced(control, ask, place)[0], 2_000_000_000)
    assert state() == ("exhausted", 8.25, 1.75, True)
    ask("PUT", place, {"usage_limits": {**BUDGET, "credit_limit": 20}})
    assert state() == ("active", 8.25, 11.75, True)
    control.ledger.spend(enforced(control, ask, place)[0], 12_000_000_000)
    assert state() == ("exhausted", 20.25, 0, True)
    control.ledger.down = True
    assert state() == ("active", None, None, False)
    control.ledger.down = False
    before = enforced(control, ask, place)[0]
    assert ask("PUT", place, {"reset_usage": True})[0] == 200
    assert state() == ("active", 0, 20, False)
    assert ask("PUT", place, {"reset_usage": True})[0] == 200
    assert enforced(control, ask, place)[0].since > before.since + 1


def test_another_type_or_period_begins_at_nothing(control: Control, ask: Ask) -> None:
    place = made(ask, "api-keys", usage_limits={"credit_limit": 10})
    control.ledger.spend(enforced(control, ask, place)[0], 5_000_000_000)
    assert ask("GET", place)[1]["usage_limits"]["current_usage"] == 5
    changed = ask("PUT", place, {"usage_limits": {"credit_limit": 10, "periodic_reset": "weekly"}})[1]
    assert changed["usage_limits"]["current_usage"] == 0
    # Back again: what was spent before is not remembered.
    changed = ask("PUT", place, {"usage_limits": {"credit_limit": 10}})[1]
    assert changed["usage_limits"]["current_usage"] == 0


def test_the_integrations_share_is_set_told_and_reset(control: Control, ask: Ask) -> None:
    there = ask("POST", "/admin/workspaces", {"name": "t", "slug": "there"})[1]["id"]
    ask("POST", "/integrations", {**CREDENTIAL, "ai_provider_id": "openai", "slug": "i"})
    place = "/integrations/i/workspaces"
    own = {"id": "there", "enabled": True, "usage_limits": [BUDGET], "rate_limits": RATES[:1]}
    whole = {"enabled": True, "usage_limits": {"credit_limit": 3}, "rate_limits": RATES[1:]}
    told = ask("PUT", place, {"workspaces": [own], "global_workspace_access": whole})[1]
    by_id = {one["id"]: one for one in told["workspaces"]}
    assert by_id[there]["usage_limits"][0]["credit_limit"] == 10
    assert by_id[DEFAULT]["usage_limits"][0]["credit_limit"] == 3
    assert (by_id[there]["rate_limits"], by_id[DEFAULT]["rate_limits"]) == (RATES[:1], RATES[1:])
    assert told["global_workspace_access"]["usage_limits"][0]["credit_limit"] == 3
    control.ledger.spend(held(control, there, "i").limits[0], 10_000_000_000)
    assert ask("GET", "/providers/i?workspace_id=there")[1]["status"] == "exhausted"
    assert ask("GET", "/providers/i")[1]["status"] == "active"
    status, answer = ask("PUT", place, {"workspaces": [{"id": DEFAULT, "enabled": True, "reset_usage": True}]})
    assert (status, answer["error"]["param"]) == (400, "workspaces[0].reset_usage")
    reset = {"id": "there", "enabled": True, "reset_usage": True}
    assert ask("PUT", place, {"workspaces": [reset]})[0] == 200
    assert ask("GET", "/providers/i?workspace_id=there")[1]["status"] == "active"
    ask("PUT", place, {"workspaces": [{"id": "there", "enabled": True, "usage_limits": None}]})
    assert held(control, there, "i").limits[0].amount == 3_000_000_000
    for wrong, param in (
        ({"workspaces": [{**own, "rate_limits": [{"value": -1}]}]}, "workspaces[0].rate_limits[0].value"),
        ({"global_workspace_access": {**whole, "usage_limits": {"credit_limit": 1e300}}},
         "global_workspace_access.usage_limits.credit_limit"),
    ):  # fmt: skip
        status, answer = ask("PUT", place, wrong)
        assert (status, answer["error"]["param"]) == (400, param)


WRONG: list[tuple[bytes, str]] = [
    (b'{"usage_limits": 10}', "usage_limits"),
    (b'{"usage_limits": {}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 0}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": -1}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 1e300}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 1e300000000}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 1e999999999999999999999}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 1e-300}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": "NaN"}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": "sNaN"}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": "-Infinity"}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": "ten"}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": true}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": null}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": [1]}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": {"credit_limit": 1}}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 0.0000000001}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 9007199.254740992}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 1.5, "type": "tokens"}}', "usage_limits.credit_limit"),
    (b'{"usage_limits": {"credit_limit": 1, "type": "euros"}}', "usage_limits.type"),
    (b'{"usage_limits": {"credit_limit": 1, "alert_threshold": 2}}', "usage_limits.alert_threshold"),
    (b'{"usage_limits": {"credit_limit": 1, "alert_threshold": -1}}', "usage_limits.alert_threshold"),
    (b'{"usage_limits": {"credit_limit": 1, "alert_threshold": 0}}', "usage_limits.alert_threshold"),
    (b'{"usage_limits": {"credit_limit": 1, "periodic_reset": "daily"}}', "usage_limits.periodic_reset"),
    (b'{"usage_limits": {"credit_limit": 1, "periodic_reset_days": 0}}', "usage_limits.periodic_reset_days"),
    (b'{"usage_limits": {"credit_limit": 1, "periodic_reset_days": 1.5}}', "usage_limits.periodic_reset_days"),
    (b'{"usage_limits": {"credit_limit": 1, "periodic_reset": "weekly", "periodic_reset_days": 7}}',
     "usage_limits.periodic_reset_days"),
    (b'{"usage_limits": {"credit_limit": 1, "next_usage_reset_at": "2999-01-01"}}', "usage_limits.next_usage_reset_at"),
    (b'{"usage_limits": {"credit_limit": 1, "next_usage_reset_at": "soon"}}', "usage_limits.next_usage_reset_at"),
    (b'{"usage_limits": {"credit_limit": 1, "budget": 1}}', "usage_limits.budget"),
    (b'{"usage_limits": [{"credit_limit": 1}, {"credit_limit": 2}]}', "usage_limits"),
    (b'{"usage_limits": [{"credit_limit": 1}, {"credit_limit": -2}]}', "usage_limits[1].credit_limit"),
    (b'{"usage_limits": [[{"credit_limit": 1}]]}', "usage_limits[0]"),
    (b'{"rate_limits": [{"unit": "rpm"}]}', "rate_limits[0].value"),
    (b'{"rate_limits": [{"unit": "rpm", "value": -1}]}', "rate_limits[0].value"),
    (b'{"rate_limits": [{"unit": "rpm", "value": 1.5}]}', "rate_limits[0].value"),
    (b'{"rate_limits": [{"unit": "rpm", "value": 1e300}]}', "rate_limits[0].value"),
    (b'{"rate_limits": [{"unit": "rpm", "value": 9007199254740992}]}', "rate_limits[0].value"),
    (b'{"rate_limits": [{"unit": "rpm", "value": "1"}]}', "rate_limits[0].value"),
    (b'{"rate_limits": [{"unit": "rpm", "value": 1, "type": "cost"}]}', "rate_limits[0].type"),
    (b'{"rate_limits": [{"unit": "rpm", "value": 1}, {"unit": "rpm", "value": 2}]}', "rate_limits"),
    (b'{"rate_limits": {"unit": "rpy", "value": 1}}', "rate_limits.unit"),
    (b'{"rate_limits": "60rpm"}', "rate_limits"),
    (b'{"reset_usage": "yes"}', "reset_usage"),
]  # fmt: skip


def test_what_no_limit_can_be_is_refused_by_name_and_changes_nothing(control: Control, ask: Ask) -> None:
    place = made(ask, "api-keys", usage_limits=BUDGET, rate_limits=RATES)
    before = enforced(control, ask, place)
    for body, param in WRONG:
        status, answer = ask("PUT", place, body)
        assert (status, answer["error"]["param"]) == (400, param), (body, answer)
        assert param in answer["message"]
    many = [{"credit_limit": 1, "periodic_reset_days": days} for days in range(1, 12)]
    assert ask("PUT", place, {"usage_limits": many})[1]["error"]["param"] == "usage_limits"
    assert enforced(control, ask, place) == before
    kept = [row["response_status_code"] for row in trail(control) if row["action"] == "update"]
    assert kept == [400] * (len(WRONG) + 1)


def test_the_largest_and_the_smallest_are_kept_to_the_last_nano_dollar(control: Control, ask: Ask) -> None:
    place = made(ask, "api-keys")
    for text, amount in (
        (b"9007199.254740991", 2**53 - 1),
        (b"1e-9", 1),
        (b'"12.5"', 12_500_000_000),
        (b"1e3", 10**12),
    ):
        assert ask("PUT", place, b'{"usage_limits": {"credit_limit": ' + text + b"}}")[0] == 200
        assert enforced(control, ask, place)[0].amount == amount


@given(st.integers(1, MOST))
def test_every_amount_is_told_as_it_is_asked(nano: int) -> None:
    told = bytes(shown(nano, Limit("x", "cost", nano)))  # type: ignore[arg-type]
    assert budget(msgspec.json.decode(b'{"credit_limit": ' + told + b"}", type=UsageLimit), "x").amount == nano


def test_who_may_not_change_a_key_does_not_limit_it(ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "other"})[1]["id"]
    place = made(ask, "api-keys", usage_limits=BUDGET)
    for caller in (key_of(other), key_of(DEFAULT, "workspace_service_api_keys.read")):
        assert ask("PUT", place, {"usage_limits": None}, caller)[0] == 403
    assert ask("GET", place)[1]["usage_limits"]["credit_limit"] == 10


def test_every_moment_comes_back_as_the_same_one() -> None:
    for told in (1_763_995_403_123 + 7 * number for number in range(5_000)):
        assert milliseconds(moment(told), "x") == told


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "soon", "2027-13-01"])
def test_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadBody, match="x: expected a date"):
        milliseconds(text, "x")


def test_a_reset_is_later_than_any_before(control: Control, ask: Ask) -> None:
    place = made(ask, "api-keys", usage_limits=BUDGET)
    seen = []
    for _ in range(5):
        ask("PUT", place, {"reset_usage": True})
        (limit,) = enforced(control, ask, place)
        seen.append(limit.since)
        assert limit == replace(limit, amount=10_000_000_000)
    assert seen == sorted(set(seen))
