"""`gatekey keys` and `gatekey workspaces` on a running gateway, from the first workspace to the last key."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, by
from tests.fake import Fake
from tests.gateway import KEY, Gateway
from tests.stored import config, virtual_key


def gatekey(gateway: Gateway, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command prints, and how it ends."""
    program = str(Path(sys.executable).with_name("gatekey"))
    environ = {"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_URL": gateway.url}
    return subprocess.run([program, *words], env=environ, capture_output=True, text=True, timeout=30, check=False)


def done(gateway: Gateway, *words: str) -> str:
    """What it prints where it succeeds."""
    ended = gatekey(gateway, *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def told(gateway: Gateway, *words: str) -> Any:
    """The JSON that it prints."""
    return json.loads(done(gateway, *words, "--json"))


def test_a_key_from_its_first_use_to_its_end(gateway: Gateway, fake: Fake) -> None:
    team = told(gateway, "workspaces", "create", "Team", "--metadata", "team=a")
    slug = virtual_key(gateway, fake, workspace_id=team["id"])
    saved = config(gateway, {"virtual_key": slug}, workspace_id=team["id"])
    key = done(gateway, "keys", "create", "web", "--workspace", team["slug"], "--config", saved, "--no-override")

    def status(secret: str, headers: dict[str, str] | None = None) -> int:
        return gateway.call("POST", CHATS, headers, CHAT, key=secret).status

    assert (status(key), status(key, by({"virtual_key": slug}))) == (200, 400)
    (listed,) = told(gateway, "keys", "list", "--workspace", team["id"])["data"]
    number = listed["id"]
    assert key not in done(gateway, "keys", "list")
    assert key not in done(gateway, "keys", "show", number)
    assert "web" in done(gateway, "keys", "show", number)

    second = done(gateway, "keys", "rotate", number, "--overlap", "60")
    assert (status(key), status(second)) == (200, 200)
    changed = told(gateway, "keys", "update", number, "--name", "site", "--override", "--expires-at", "2020-01-01")
    assert (changed["name"], changed["status"], changed["defaults"]["config_id"]) == ("site", "expired", saved)
    assert status(second) == 401
    for owner, name in (("keys", number), ("workspaces", team["id"])):
        assert told(gateway, owner, "update", name, "--no-log-bodies")["defaults"]["log_bodies"] is False
        assert told(gateway, owner, "update", name, "--log-bodies")["defaults"]["log_bodies"] is True
    done(gateway, "keys", "update", number, "--expires-at", "", "--scope", "configs.read")
    assert status(second) == 403
    done(gateway, "keys", "update", number, "--scope", "completions.write", "--config", "")
    assert status(second) == 400
    assert done(gateway, "keys", "delete", number) == f"Deleted {number}."
    assert status(second) == 401
    done(gateway, "workspaces", "delete", team["id"], "--force")


def test_a_workspace_is_made_changed_and_deleted(gateway: Gateway) -> None:
    made = told(gateway, "workspaces", "create", "Team", "--slug", "crew", "--description", "of the test")
    assert made["slug"] == "crew"
    assert "crew" in done(gateway, "workspaces", "list")
    assert "of the test" in done(gateway, "workspaces", "show", "crew")
    changed = told(gateway, "workspaces", "update", "crew", "--name", "Crew", "--metadata", "a=b")
    assert (changed["name"], changed["description"]) == ("Crew", "of the test")
    assert changed["defaults"]["metadata"] == {"a": "b"}
    saved = config(gateway, {"provider": "openai"}, workspace_id=made["id"])
    changed = told(gateway, "workspaces", "update", "crew", "--user-config", saved)
    assert changed["defaults"] == {"metadata": {"a": "b"}, "user_api_key_config": saved}
    done(gateway, "keys", "create", "k", "--workspace", "crew")
    refused = gatekey(gateway, "workspaces", "delete", "crew")
    assert (refused.returncode, "'k'" in refused.stderr) == (2, True)
    assert done(gateway, "workspaces", "delete", "crew", "--force") == "Deleted crew."
    assert gatekey(gateway, "workspaces", "show", "crew").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("keys", "create", "k", "--scope", "nothing"), "scopes"),
        (("keys", "create", "k", "--expires-at", "soon"), "expires_at"),
        (("keys", "create", "k", "--metadata", "a"), "NAME=VALUE"),
        (("keys", "create", "k", "--workspace", "nowhere"), "nowhere"),
        (("keys", "rotate", "nobody"), "nobody"),
        (("keys", "rotate", "nobody", "--overlap", "1"), "key_transition_period_ms"),
        (("workspaces", "create", "w", "--slug", "a b"), "slug"),
        (("workspaces", "delete", "default", "--force"), "default"),
    ],
)
def test_what_is_refused_is_one_line(gateway: Gateway, words: tuple[str, ...], said: str) -> None:
    ended = gatekey(gateway, *words)
    assert (ended.returncode, ended.stdout, said in ended.stderr) == (2, "", True), ended.stderr
    assert ended.stderr.count("\n") == 1
