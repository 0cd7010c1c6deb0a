"""Limits as callers meet them: what is refused, what is counted of calls that end in any way, what answers say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, STREAM, at, by, fallback, refusing, target
from tests.fake import Fake, wait_until
from tests.fake.openai import chat, chat_stream, error
from tests.fake.reply import json as answer
from tests.gateway import Answer, Gateway
from tests.stored import api_key, ask, virtual_key, workspace

COST = 70_000
"""Nano-dollars of a call, and its bound: 7 tokens of the answer at 10 dollars a million; what goes in is free."""
FLAT = {**CHAT, "model": "flat", "max_tokens": 7}
PRICES = {
    "flat": {"input": 0, "output": 10},
    "both": {"input": 10, "output": 10},
    "picture": {"image": 0.01},
    "embed": {"input": 10},
}


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose prices are known."""
    file: Path = tmp_path_factory.mktemp("prices") / "prices.json"
    file.write_text(json.dumps({"providers": {"openai": PRICES}}))
    with Gateway(env={"GATEKEY_PRICES": str(file)}) as gateway:
        yield gateway


def budget(nano: int, **more: Any) -> dict[str, Any]:
    """A budget in money."""
    return {"type": "cost", "credit_limit": nano / 1e9, **more}


def tokens(count: int) -> dict[str, Any]:
    """A budget in tokens."""
    return {"type": "tokens", "credit_limit": count}


def rate(count: int, unit: str = "rpm", kind: str = "requests") -> dict[str, Any]:
    """A rate."""
    return {"type": kind, "unit": unit, "value": count}


class Key:
    """An API key with limits, and what is spent of its first budget."""

    def __init__(self, gateway: Gateway, *budgets: dict[str, Any], **more: Any) -> None:
        self._gateway = gateway
        self.id, self.key = api_key(gateway, usage_limits=list(budgets) or None, **more)

    def call(self, headers: dict[str, str], body: Any = FLAT, path: str = CHATS, method: str = "POST") -> Answer:
        """One request."""
        return self._gateway.call(method, path, headers, body, key=self.key)

    @property
    def spent(self) -> Any:
        """Nano-dollars or tokens, as far as the ledger has been told."""
        limits = ask(self._gateway, "GET", f"/api-keys/{self.id}")["usage_limits"]
        first = limits[0] if isinstance(limits, list) else limits
        return round(first["current_usage"] * 1e9) if first["type"] == "cost" else first["current_usage"]

    def has_spent(self, amount: int) -> None:
        """Wait until the ledger has been told so much, and see that it is no more."""
        wait_until(lambda: self.spent >= amount, 5, f"{amount} are spent")
        assert self.spent == amount


def test_an_exhausted_key(priced: Gateway, fake: Fake) -> None:
    key = Key(priced, budget(2 * COST + 1))
    assert [key.call(at(fake)).status for _ in range(3)] == [200, 200, 412]
    refused = key.call(at(fake))
    assert refused.error["type"] == "budget_exhausted_error"
    assert refused.error["code"] == "budget_exhausted"
    assert (
        "what is left, $0.000000001, does not pay for this call, which may come to $0.00007" in refused.error["message"]
    )
    assert len(fake.requests) == 2
    key.has_spent(2 * COST)
    ask(priced, "PUT", f"/api-keys/{key.id}", {"usage_limits": [budget(3 * COST)]})
    assert [key.call(at(fake)).status for _ in range(2)] == [200, 412]
    ask(priced, "PUT", f"/api-keys/{key.id}", {"reset_usage": True})
    assert key.call(at(fake)).status == 200
    key.has_spent(COST)


def test_it_is_not_tried_again_but_fallback_goes_on(priced: Gateway, fake: Fake) -> None:
    poor, rich = virtual_key(priced, fake, usage_limits=budget(COST - 1)), virtual_key(priced, fake)
    retried = {"virtual_key": poor, "retry": {"attempts": 3, "on_status_codes": [412, 429]}}
    refused = priced.call("POST", CHATS, by(retried), FLAT)
    assert (refused.status, refused.headers["x-portkey-retry-attempt-count"]) == (412, "0")
    for codes, status in (({}, 200), ({"on_status_codes": [412]}, 200), ({"on_status_codes": [429]}, 412)):
        config = fallback({"virtual_key": poor}, {"virtual_key": rich}, **codes)
        assert priced.call("POST", CHATS, by(config), FLAT).status == status


def test_requests_are_counted_once_and_tokens_for_each_attempt(priced: Gateway, fake: Fake) -> None:
    key = Key(priced, tokens(100_000), rate_limits=[rate(2)])
    config = by(fallback(target(fake), target(fake)))
    used = {"usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}}
    for _ in range(2):
        fake.answer(error(500), chat(**used))
        assert key.call(config).status == 200
    limited = key.call(config)
    assert (limited.status, limited.error["code"]) == (429, "rate_limited")
    assert 25 <= int(limited.headers["retry-after"]) <= 30
    assert limited.headers["x-ratelimit-limit-requests"] == "2"
    assert limited.headers["x-ratelimit-remaining-requests"] == "0"
    key.has_spent(24)


@pytest.mark.parametrize(
    ("name", "spent"),
    [("well", COST), ("refused", 0), ("failed", 0), ("unreachable", 0), ("late", COST), ("cut", 20_000)],
)
def test_every_way_out_settles(priced: Gateway, fake: Fake, name: str, spent: int) -> None:
    """What is not spent can be spent by the next call. Of an answer that never came nobody knows what it cost."""
    key = Key(priced, budget(spent + COST))
    headers, body = at(fake), FLAT
    if name == "refused":
        fake.answer(error(400))
    elif name == "failed":
        fake.answer(error(500))
    elif name == "unreachable":
        headers = by(target(refusing()))
    elif name == "late":
        headers = headers | {"x-portkey-request-timeout": "500"}
        fake.answer(chat().late(5))
    elif name == "cut":
        body = {**STREAM, "model": "flat", "max_tokens": 7}
        fake.answer(chat_stream(("four", "more")).cut_after(3))
    key.call(headers, body)
    assert key.call(at(fake)).status == 200, name
    assert key.call(at(fake)).status == 412
    key.has_spent(spent + COST)


def test_a_caller_that_leaves_pays_for_what_passed(priced: Gateway, fake: Fake) -> None:
    key = Key(priced, budget(20_000 + COST))
    fake.answer(chat_stream(("four", "more")).stalled(3))
    with priced.open("POST", CHATS, at(fake), {**STREAM, "model": "flat", "max_tokens": 7}, key=key.key) as stream:
        events = stream.events()
        for _ in range(3):
            next(events)
    wait_until(lambda: key.spent == 20_000, 5, "what passed is counted")
    assert [key.call(at(fake)).status for _ in range(2)] == [200, 412]


def test_a_caller_that_leaves_a_forwarded_stream_too(priced: Gateway, fake: Fake) -> None:
    key = Key(priced, budget(10**9))
    fake.on("/v1/anything", chat_stream(("four", "more")).stalled(3))
    with priced.open("POST", "/v1/anything", at(fake), {"model": "flat", "max_tokens": 7}, key=key.key) as stream:
        events = stream.events()
        for _ in range(3):
            next(events)
    wait_until(lambda: key.spent == 20_000, 5, "what passed is counted")


def test_a_caller_that_leaves_before_the_answer(priced: Gateway, fake: Fake) -> None:
    """It was sent, and nobody will ever know what it cost: it counts as what it could."""
    key = Key(priced, budget(2 * COST))
    fake.answer(chat().late(5))
    with priced.open("POST", CHATS, at(fake), FLAT, key=key.key) as stream:
        fake.wait()
        stream.leave()
    key.has_spent(COST)


def test_a_budget_in_money_wants_a_price(priced: Gateway, fake: Fake) -> None:
    unknown = {**FLAT, "model": "nobody-knows"}
    refused = Key(priced, budget(10**9)).call(at(fake), unknown)
    assert (refused.status, refused.error["code"]) == (412, "unpriced_model")
    lenient = Key(priced, budget(COST, allow_unpriced=True))
    assert lenient.call(at(fake), unknown).status == 200
    assert [lenient.call(at(fake)).status for _ in range(2)] == [200, 412]
    lenient.has_spent(COST)


@pytest.mark.parametrize(
    ("more", "passes"),
    [
        ({}, 1),
        ({"n": 2}, 0),
        ({"n": 2.0}, 0),
        ({"max_tokens": 8}, 0),
        ({"max_completion_tokens": 8}, 0),
        ({"max_tokens": None}, 0),
    ],
)
def test_what_an_answer_can_come_to(priced: Gateway, fake: Fake, more: dict[str, Any], passes: int) -> None:
    assert Key(priced, budget(COST)).call(at(fake), {**FLAT, **more}).status == (200 if passes else 412)


def test_what_a_config_sets_is_reserved(priced: Gateway, fake: Fake) -> None:
    config = by(target(fake, override_params={"max_tokens": 8}))
    key = Key(priced, budget(COST))
    assert key.call(config).status == 412
    assert key.call(config, path="/v1/anything").status == 412


def test_the_model_that_a_config_sets_is_paid(priced: Gateway, fake: Fake) -> None:
    """Also where the request is only forwarded."""
    fake.on("/v1/anything", answer({"usage": {"input_tokens": 3, "output_tokens": 4}}))
    key = Key(priced, budget(10**9))
    for name, more in (("override_params", {"model": "embed"}), ("default_params", {})):
        config = by(target(fake, **{name: {"model": "both"}}))
        assert key.call(config, {"max_output_tokens": 9, **more}, "/v1/anything").status == 200
    key.has_spent(140_000)


def test_several_prompts(priced: Gateway, fake: Fake) -> None:
    texts = {"model": "flat", "max_tokens": 7, "prompt": ["a", "b"]}
    assert Key(priced, budget(2 * COST - 1)).call(at(fake), texts, "/v1/completions").status == 412
    assert Key(priced, budget(2 * COST)).call(at(fake), texts, "/v1/completions").status == 200


def test_what_is_forwarded_counts(priced: Gateway, fake: Fake) -> None:
    key = Key(priced, budget(50_000_000), rate_limits=[rate(100)])
    fake.on("/v1/images/generations", answer({"created": 1, "data": [{"url": "a"}, {"url": "b"}]}))
    assert key.call(at(fake), {"model": "picture", "prompt": "x", "n": 6}, "/v1/images/generations").status == 412
    made = key.call(at(fake), {"model": "picture", "prompt": "x", "n": 2}, "/v1/images/generations")
    assert (made.status, made.headers["x-ratelimit-remaining-requests"]) == (200, "99")
    key.has_spent(20_000_000)
    fake.on("/v1/files", answer({"object": "list", "data": []}))
    assert key.call(at(fake), None, "/v1/files", "GET").headers["x-ratelimit-remaining-requests"] == "98"
    assert key.call(at(fake), {"model": "nobody-knows"}, "/v1/anything").error["code"] == "unpriced_model"
    fake.on("/v1/anything", answer({"model": "both", "usage": {"input_tokens": 3, "output_tokens": 4}}))
    assert key.call(at(fake), {"model": "both", "max_output_tokens": 9}, "/v1/anything").status == 200
    key.has_spent(20_070_000)


def test_every_limit_applies(priced: Gateway, fake: Fake) -> None:
    """The key's, the workspace's, the provider's: the first that is spent refuses, and nothing of the others is."""
    home = workspace(priced, usage_limits=[tokens(10_000)])
    slug = virtual_key(priced, fake, workspace_id=home, usage_limits=tokens(1_000))
    key = Key(priced, tokens(100_000), workspace_id=home)
    named = {"x-portkey-virtual-key": slug}
    assert key.call(named).status == 200
    for limit in (1_000, 10_000, 100_000):
        refused = key.call(named, {**FLAT, "max_tokens": limit})
        assert refused.status == 412
    assert " budget of the " in refused.error["message"]
    key.has_spent(12)


def test_policies(priced: Gateway, fake: Fake) -> None:
    """Each user has a counter; who names none has one too; other models are no business of the policy's."""
    policy = {
        "conditions": [{"key": "model", "value": "flat"}, {"key": "metadata.team", "value": "red"}],
        "group_by": [{"key": "metadata._user"}],
        **budget(COST),
    }
    id = ask(priced, "POST", "/policies/usage-limits", policy)["id"]

    def status(metadata: dict[str, str], model: str = "flat") -> int:
        headers = at(fake, x_portkey_metadata=json.dumps(metadata))
        return priced.call("POST", CHATS, headers, {**FLAT, "model": model}).status

    assert [status({"team": "red", "_user": "a"}) for _ in range(2)] == [200, 412]
    assert [status({"team": "red", "_user": "b"}) for _ in range(2)] == [200, 412]
    assert [status({"team": "red"}) for _ in range(2)] == [200, 412]
    assert [status({"team": "blue", "_user": "a"}) for _ in range(2)] == [200, 200]
    assert status({"team": "red", "_user": "a"}, "both") == 200
    ask(priced, "DELETE", f"/policies/usage-limits/{id}")
    assert status({"team": "red", "_user": "a"}) == 200


def test_a_policy_knows_a_config_however_it_is_named(priced: Gateway, fake: Fake) -> None:
    content = {"virtual_key": virtual_key(priced, fake)}
    made = ask(priced, "POST", "/configs", {"name": "of a test", "config": content})["data"]
    policy = {"conditions": [{"key": "config", "value": made["slug"]}], "group_by": [{"key": "config"}], **budget(COST)}
    id = ask(priced, "POST", "/policies/usage-limits", policy)["id"]
    names = (made["slug"], made["id"], made["slug"])
    assert [priced.call("POST", CHATS, {"x-portkey-config": name}, FLAT).status for name in names] == [200, 412, 412]
    ask(priced, "DELETE", f"/policies/usage-limits/{id}")


def test_rates_of_tokens(priced: Gateway, fake: Fake) -> None:
    key = Key(priced, rate_limits=[rate(300, "rpm", "tokens"), rate(10, "rph")])
    first = key.call(at(fake))
    assert first.headers["x-ratelimit-limit-tokens"] == "300"
    assert 250 <= int(first.headers["x-ratelimit-remaining-tokens"]) <= 288
    assert first.headers["x-ratelimit-reset-tokens"].endswith("s")
    assert first.headers["x-ratelimit-limit-requests"] == "10"
    limited = key.call(at(fake), {**FLAT, "max_tokens": 300})
    assert (limited.status, limited.error["type"]) == (429, "rate_limit_error")
    assert 1 <= int(limited.headers["retry-after"]) <= 60


def test_whose_rates_answers_tell(priced: Gateway, fake: Fake) -> None:
    """The provider's pass where the caller has none of that kind."""
    theirs = {f"x-ratelimit-remaining-{kind}": "77" for kind in ("requests", "tokens")}
    fake.on(CHATS, answer(json.loads(chat().parts[0]) if isinstance(chat().parts[0], bytes) else {}, headers=theirs))
    free = Key(priced).call(at(fake)).headers
    assert [free[name] for name in theirs] == ["77", "77"]
    bound = Key(priced, rate_limits=[rate(5)]).call(at(fake)).headers
    assert [bound[name] for name in theirs] == ["4", "77"]


def test_no_use_at_all(priced: Gateway, fake: Fake) -> None:
    assert Key(priced, rate_limits=[rate(0)]).call(at(fake)).status == 429
    assert fake.requests == []
