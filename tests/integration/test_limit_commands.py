"""Limits and policies from the command line, on a running gateway."""

import pytest

from tests.fake import Fake
from tests.gateway import Gateway
from tests.integration.test_key_commands import done, gatekey, told
from tests.stored import virtual_key


def test_a_keys_limits_are_set_shown_changed_and_taken_away(gateway: Gateway) -> None:
    budget = ("--budget", "10", "--budget-period", "monthly", "--alert-at", "8.5", "--allow-unpriced")
    done(gateway, "keys", "create", "limited", *budget, "--rate", "60rpm", "--rate", "100000tpm")
    (key,) = (row for row in told(gateway, "keys", "list")["data"] if row["name"] == "limited")
    limits = key["usage_limits"]
    assert (limits["credit_limit"], limits["periodic_reset"], limits["alert_threshold"]) == (10, "monthly", 8.5)
    assert limits["allow_unpriced"] is True
    assert [rate["value"] for rate in key["rate_limits"]] == [60, 100_000]
    shown = done(gateway, "keys", "show", key["id"])
    assert "$10 monthly" in shown
    assert "60rpm, 100000tpm" in shown
    changed = told(gateway, "keys", "update", key["id"], "--budget", "20.5", "--rate", "0rps")
    limits = changed["usage_limits"]
    assert (limits["credit_limit"], limits["periodic_reset"], limits["alert_threshold"]) == (20.5, "monthly", 8.5)
    assert changed["rate_limits"] == [{"type": "requests", "unit": "rps", "value": 0}]
    assert "$20.5 in 7 days" in done(gateway, "keys", "update", key["id"], "--budget-period", "7d", "--reset-usage")
    changed = told(gateway, "keys", "update", key["id"], "--budget", "none", "--rate", "none")
    assert changed["usage_limits"] is changed["rate_limits"] is None
    done(gateway, "keys", "delete", key["id"])


def test_limits_of_virtual_keys_and_workspaces(gateway: Gateway, fake: Fake) -> None:
    done(gateway, "workspaces", "create", "Team", "--slug", "limited", "--budget", "500", "--rate", "5rps")
    assert "$500" in done(gateway, "workspaces", "show", "limited")
    assert "$600" in done(gateway, "workspaces", "update", "limited", "--budget", "600", "--reset-usage")
    slug = virtual_key(gateway, fake, workspace_id="limited")
    within = ("--workspace", "limited")
    done(gateway, "virtual-keys", "update", slug, "--budget", "5000tokens", "--rate", "9tpd", *within)
    done(gateway, "virtual-keys", "update", slug, "--budget-period", "weekly", *within)
    shown = done(gateway, "virtual-keys", "show", slug, *within)
    assert "5000 tokens weekly" in shown
    assert "9tpd" in shown
    assert "5000 tokens weekly" in done(gateway, "providers", "show", slug, *within)
    stored = ("--provider", "openai", "--key", "k", "--custom-host", fake.base, "--budget", "1", *within)
    made = done(gateway, "virtual-keys", "create", "second", *stored)
    assert "$1" in done(gateway, "virtual-keys", "show", made, *within)
    done(gateway, "workspaces", "delete", "limited", "--force")


def test_a_policy_from_its_first_moment_to_its_last(gateway: Gateway) -> None:
    wanted = (
        "--if",
        "metadata.team=search",
        "--if",
        "metadata.team=sales-*",
        "--unless",
        "model=o3",
        "--by",
        "api_key",
    )
    id = done(gateway, "policies", "create", "per key", *wanted, "--budget", "10", "--budget-period", "monthly")
    rate = done(gateway, "policies", "create", "slow", "--rate", "10rpm")
    try:
        listed = done(gateway, "policies", "list").splitlines()
        assert [line.split()[0] for line in listed[1:]] == [id, rate]
        assert "metadata.team=search|sales-*, model=* but o3" in listed[1]
        assert ("$10 monthly" in listed[1], "10rpm" in listed[2]) == (True, True)
        assert "None." in done(gateway, "policies", "show", "per key")
        assert told(gateway, "policies", "show", id)["conditions"][0]["value"] == ["search", "sales-*"]
        assert "$10 monthly" in done(gateway, "policies", "update", id, "--name", "each key", "--by", "model")
        changed = told(gateway, "policies", "update", "each key", "--budget", "20", "--if", "model=a", "--reset-usage")
        assert (changed["credit_limit"], changed["periodic_reset"]) == (20, "monthly")
        assert changed["conditions"] == [{"key": "model", "value": "a"}]
        assert changed["group_by"] == [{"key": "model"}]
        assert "5tps" in done(gateway, "policies", "update", "slow", "--rate", "5tps")
        assert "5tps" in done(gateway, "policies", "show", rate)
        refused = gatekey(gateway, "policies", "update", "slow", "--budget", "1")
        assert (refused.returncode, "sets a rate" in refused.stderr) == (2, True)
    finally:
        for policy in (id, rate):
            assert done(gateway, "policies", "delete", policy) == f"Deleted {policy}."
    assert done(gateway, "policies", "list") == "None."
    assert id in done(gateway, "policies", "list", "--archived")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("keys", "create", "k", "--budget", "0"), "usage_limits.credit_limit"),
        (("policies", "create", "p"), "--budget or --rate"),
        (("policies", "create", "p", "--rate", "1rps", "--if", "model"), "--if model"),
        (("policies", "create", "p", "--rate", "1rps", "--by", "nonsense"), "group_by[0].key"),
        (("policies", "show", "nobody"), "nobody"),
    ],
)
def test_what_is_refused_is_one_line(gateway: Gateway, words: tuple[str, ...], said: str) -> None:
    ended = gatekey(gateway, *words)
    assert (ended.returncode, ended.stdout, said in ended.stderr) == (2, "", True), ended.stderr
    assert ended.stderr.count("\n") == 1
