"""What is set is held, and what is held is told: limits on a running gateway, seen through its API."""

from typing import Any

from tests.asking import CHAT, CHATS
from tests.fake import Fake, wait_until
from tests.gateway import Gateway
from tests.stored import api_key, ask, config, virtual_key


def test_a_spent_budget_is_told_and_more_of_it_helps(gateway: Gateway, fake: Fake) -> None:
    saved = config(gateway, {"virtual_key": virtual_key(gateway, fake)})
    id, key = api_key(gateway, defaults={"config_id": saved}, usage_limits={"type": "requests", "credit_limit": 2})

    def status() -> int:
        return gateway.call("POST", CHATS, {}, CHAT, key=key).status

    def told() -> tuple[Any, ...]:
        shown = ask(gateway, "GET", f"/api-keys/{id}")
        return shown["status"], shown["usage_limits"]["current_usage"], shown["usage_limits"]["remaining"]

    assert told() == ("active", 0, 2)
    assert [status() for _ in range(3)] == [200, 200, 412]
    wait_until(lambda: told() == ("exhausted", 2, 0))
    ask(gateway, "PUT", f"/api-keys/{id}", {"usage_limits": {"type": "requests", "credit_limit": 3}})
    assert told()[0] == "active"
    assert [status() for _ in range(2)] == [200, 412]
    ask(gateway, "PUT", f"/api-keys/{id}", {"reset_usage": True})
    assert told() == ("active", 0, 3)
    assert status() == 200
    ask(gateway, "PUT", f"/api-keys/{id}", {"rate_limits": {"unit": "rpm", "value": 0}})
    assert status() == 429
    ask(gateway, "PUT", f"/api-keys/{id}", {"rate_limits": None, "usage_limits": None})
    assert [status() for _ in range(4)] == [200] * 4


def test_a_policy_counts_each_user_apart(gateway: Gateway, fake: Fake) -> None:
    saved = config(gateway, {"virtual_key": virtual_key(gateway, fake)})
    _, key = api_key(gateway, defaults={"config_id": saved})
    place = "/policies/usage-limits"
    body = {
        "name": "per user",
        "conditions": [{"key": "metadata.team", "value": "search"}],
        "group_by": [{"key": "metadata._user"}],
        "type": "requests",
        "credit_limit": 1,
    }
    id = ask(gateway, "POST", place, body)["id"]

    def asked(user: str, team: str = "search") -> Any:
        metadata = {"x-portkey-metadata": f'{{"team": "{team}", "_user": "{user}"}}'}
        return gateway.call("POST", CHATS, metadata, CHAT, key=key)

    def told() -> list[Any]:
        entities = ask(gateway, "GET", f"{place}/{id}/entities")["data"]
        return [(one["value_key"], one["current_usage"], one["status"]) for one in entities]

    try:
        answers = [asked("bob"), asked("bob"), asked("ann"), asked("bob", "sales")]
        assert [answer.status for answer in answers] == [200, 412, 200, 200]
        assert "policy 'per user'" in answers[1].error["message"]
        spent = [("metadata._user:ann", 1, "exhausted"), ("metadata._user:bob", 1, "exhausted")]
        wait_until(lambda: told() == spent)
        bob = ask(gateway, "GET", f"{place}/{id}/entities?value_key=metadata._user:bob")["data"][0]["id"]
        ask(gateway, "PUT", f"{place}/{id}/entities/{bob}/reset")
        assert [asked("bob").status, asked("ann").status] == [200, 412]
    finally:
        ask(gateway, "DELETE", f"{place}/{id}")
    assert asked("ann").status == 200
