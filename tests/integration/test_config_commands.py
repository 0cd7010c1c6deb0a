"""`gatekey configs` on a running gateway, and `check` without one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fake import Fake
from tests.gateway import KEY, Gateway

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}


def configs(
    *arguments: str, gateway: Gateway | None = None, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """What a command prints, and how it ends."""
    environ = {"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_URL": gateway.url if gateway else "", "PYTHONIOENCODING": "utf-8"}
    command = [str(Path(sys.executable).with_name("gatekey")), "configs", *arguments]
    return subprocess.run(command, env=environ, input=given, capture_output=True, text=True, timeout=30, check=False)


def told(*arguments: str, gateway: Gateway, given: str | None = None) -> Any:
    """The JSON that a command prints."""
    done = configs(*arguments, "--json", gateway=gateway, given=given)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_config_is_saved_used_changed_and_deleted(gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"provider": "openai", "custom_host": fake.base, "override_params": {"model": "one"}}))
    made = configs("create", "Wörk", str(file), gateway=gateway)
    assert (made.returncode, made.stderr) == (0, "")
    slug = made.stdout.strip()
    assert slug.startswith("pc-")

    def model() -> str:
        headers = {"x-portkey-config": slug, "authorization": "Bearer sk-of-the-caller"}
        assert gateway.call("POST", "/v1/chat/completions", headers, CHAT).status == 200
        return str(fake.requests[-1].json["model"])

    assert model() == "one"
    shown = configs("show", slug, gateway=gateway).stdout
    assert slug in shown
    assert "Wörk" in shown
    content = told("show", slug, gateway=gateway)["data"]["config"]
    content["override_params"]["model"] = "two"
    told("update", slug, "-", gateway=gateway, given=json.dumps(content))
    assert model() == "two"
    told("update", slug, "--name", "Other", gateway=gateway)
    assert [row["version"] for row in told("versions", slug, gateway=gateway)["data"]] == [2, 1]
    assert "archived" in configs("versions", slug, gateway=gateway).stdout
    assert slug in configs("list", gateway=gateway).stdout
    assert slug in [row["slug"] for row in told("list", gateway=gateway)["data"]]
    assert configs("delete", slug, gateway=gateway).stdout == f"Deleted {slug}.\n"
    assert configs("show", slug, gateway=gateway).returncode == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('{"targets": [{}, {"retry": {"attempts": "x"}}]}', "config.targets[1].retry.attempts: expected an integer"),
        ('{"api_key": "sk-CANARY"}', "make a virtual key"),
        ("{", "config: not valid JSON"),
    ],
)
def test_what_is_refused_is_one_line(gateway: Gateway, given: str, words: str) -> None:
    done = configs("create", "c", "-", gateway=gateway, given=given)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr
    assert "CANARY" not in done.stderr


def test_check_needs_no_gateway(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"cache": {"mode": "simple"}, "targets": [{"name": "a", "virtual_key": "v"}, {}]}')
    done = configs("check", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["Target", "Name", "Provider"],
        ["config.targets[0]", "a", "@v"],
        ["config.targets[1]", "-", "-"],
        ["Without", "effect", "yet:", "cache."],
    ]
    found = json.loads(configs("check", str(file), "--json").stdout)
    assert found["targets"][0] == {"path": "config.targets[0]", "name": "a", "provider": "@v"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('{"targets": [{"retyr": {}}]}', 'targets[0].retyr: unknown key; did you mean "retry"?'),
        ("", "config: not valid JSON"),
    ],
)
def test_check_says_what_is_wrong(given: str, words: str) -> None:
    done = configs("check", "-", given=given)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff")
    assert "cannot be read: it is not UTF-8." in configs("check", str(binary)).stderr
    assert "cannot be read: No such file" in configs("check", str(tmp_path / "none")).stderr
