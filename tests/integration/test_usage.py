"""From calls through a running gateway to what analytics and `gatekey usage` tell of them."""

import json
from typing import Any

from typer.testing import CliRunner

from gatekey.cli.commands import app
from tests.asking import CHAT, CHATS, MESSAGES, at
from tests.fake import Fake, error, wait_until
from tests.gateway import KEY, Gateway
from tests.integration.test_key_commands import done, gatekey
from tests.stored import api_key, ask, workspace


def analytics(gateway: Gateway, path: str, key: str = KEY) -> Any:
    return ask(gateway, "GET", f"/analytics/{path}", key=key)


def told(gateway: Gateway, *words: str) -> Any:
    """The JSON that the command prints, without a process for each."""
    ended = CliRunner().invoke(app, [*words, "--json"], env={"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_URL": gateway.url})
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


def test_calls_become_graphs_and_a_bill(gateway: Gateway, fake: Fake) -> None:
    """Two priced calls of one user, one call whose model has no price, one that fails; in a workspace of their own."""
    team = workspace(gateway, slug="of-usage")
    number, key = api_key(
        gateway, name="of usage", workspace_id=team, scopes=["completions.write", "analytics.view", "logs.write"]
    )
    priced = {"model": "gpt-4o-mini", "messages": MESSAGES, "user": "ann"}
    for body, status in ((priced, 200), (priced, 200), (CHAT, 200), (CHAT, 400)):
        if status == 400:
            fake.answer(error(400, "It cannot be."))
        trace = {"x-portkey-trace-id": "of-usage"}
        assert gateway.call("POST", CHATS, {**at(fake), **trace}, body, key=key).status == status
    given = ask(gateway, "POST", "/feedback", {"trace_id": "of-usage", "value": 5}, key=key)
    wait_until(lambda: analytics(gateway, "graphs/requests", key)["summary"] == {"total": 4}, 10, "calls are stored")

    cost = analytics(gateway, "graphs/cost", key)["summary"]
    assert cost["unpriced"] == 1
    assert cost["total"] > 0
    assert analytics(gateway, "graphs/errors/status-codes", key)["data_points"] == [{"status_code": 400, "count": 1}]
    assert analytics(gateway, "graphs/feedbacks", key)["summary"] == {"total": 1}
    points = analytics(gateway, "graphs/feedbacks/ai-models", key)["data_points"]
    models = {point["ai_model"]: point["total"] for point in points}
    assert models == {"gpt-4o-mini": 1, "m": 1}
    assert len(given["feedback_ids"]) == 1

    asked = ("usage", "--workspace", "of-usage", "--days", "2")
    found = told(gateway, *asked, "--by", "model")
    assert [(row["value"], row["requests"], row["unpriced"]) for row in found["data"]] == [
        ("openai/gpt-4o-mini", 2, 0), ("openai/m", 2, 1)
    ]  # fmt: skip
    assert found["total"] == {"value": "total", "requests": 4, "tokens": 36, "cents": cost["total"], "unpriced": 1}
    (row,) = told(gateway, *asked)["data"]
    assert (row["value"], row["name"], row["tokens"]) == (number, "of usage", 36)
    for by, values in [
        ("user", ["ann"]), ("workspace", ["of-usage"]), ("provider", ["openai"]), ("status", ["200", "400"]),
        ("config", []),
    ]:  # fmt: skip
        assert [row["value"] for row in told(gateway, *asked, "--by", by)["data"]] == values
    days = told(gateway, *asked, "--by", "day")["data"]
    assert sum(row["requests"] for row in days) == 4
    page = done(gateway, *asked)
    assert f"of usage ({number})" in page
    assert page.endswith("Not in it: 1 without a known price.")
    assert "In 2 days: 4 requests, 36 tokens, $0.0000" in page
    done(gateway, "workspaces", "delete", team, "--force")


def test_what_is_asked_wrongly_is_one_line(gateway: Gateway) -> None:
    ended = gatekey(gateway, "usage", "--workspace", "nowhere")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("gatekey: workspace_slug: ")
    assert gatekey(gateway, "usage", "--by", "colour").returncode == 2
    assert done(gateway, "usage", "--days", "1", "--by", "config").partition("\n")[0]
