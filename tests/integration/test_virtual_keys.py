"""Stored credentials on a running gateway: made by the command line, used by name, rotated, and found nowhere."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import CHAT, CHATS, refusing
from tests.fake import Fake, chat, error
from tests.fake import json as json_reply
from tests.gateway import KEY, Gateway


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as made:
        yield made


def gatekey(running: Gateway, *words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("gatekey"))
    known = {"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_DATA": str(running.data), "PATH": "/usr/bin:/bin", **env}
    return subprocess.run([program, *words], input=stdin, env=known, capture_output=True, text=True, check=False)


def done(running: Gateway, *words: str, stdin: str = "", **env: str) -> str:
    ended = gatekey(running, *words, stdin=stdin, **env)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def stored(running: Gateway, fake: Fake, key: str = "sk-stored", *more: str) -> str:
    options = ("--provider", "openai", "--key-env", "PROVIDER_KEY", "--custom-host", fake.base, *more)
    return done(running, "virtual-keys", "create", "Main", *options, PROVIDER_KEY=key)


def test_it_is_made_used_rotated_and_deleted(running: Gateway, fake: Fake) -> None:
    slug = stored(running, fake)
    assert slug in done(running, "virtual-keys", "list")
    for headers, body in (
        ({"x-portkey-virtual-key": slug}, CHAT),
        ({"x-portkey-config": json.dumps({"virtual_key": slug})}, CHAT),
        ({}, {**CHAT, "model": f"@{slug}/m"}),
    ):
        assert running.call("POST", CHATS, headers, body).status == 200
        assert fake.requests[-1].header("authorization") == "Bearer sk-stored"
        assert fake.requests[-1].json["model"] == "m"
    done(running, "virtual-keys", "update", slug, "--key", "-", stdin="sk-rotated\n")
    assert running.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT).status == 200
    assert fake.requests[-1].header("authorization") == "Bearer sk-rotated"
    shown = json.loads(done(running, "virtual-keys", "show", slug, "--json"))
    assert shown["model_config"] == {"custom_host": fake.base}
    done(running, "virtual-keys", "delete", slug)
    assert running.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT).status == 400


def test_an_integration_and_its_provider(running: Gateway, fake: Fake) -> None:
    options = ("--provider", "openai", "--key", "sk-shared", "--slug", "shared", "--custom-host", fake.base)
    done(running, "integrations", "create", "Shared", *options)
    assert done(running, "providers", "create", "Second", "--integration", "shared", "--slug", "second") == "second"
    for slug in ("shared", "second"):
        assert running.call("POST", CHATS, {}, {**CHAT, "model": f"@{slug}/m"}).status == 200
        assert fake.requests[-1].header("authorization") == "Bearer sk-shared"
    refused = gatekey(running, "integrations", "delete", "shared")
    assert (refused.returncode, "@second" in refused.stderr) == (2, True)
    for slug in ("shared", "second"):
        done(running, "providers", "delete", slug)
    done(running, "integrations", "delete", "shared")
    assert done(running, "integrations", "list") == "None."


def test_an_integrations_models_and_workspaces(running: Gateway, fake: Fake) -> None:
    team = json.loads(done(running, "workspaces", "create", "Team", "--slug", "team", "--json"))["id"]
    options = ("--provider", "openai", "--key", "k", "--slug", "shared", "--custom-host", fake.base)
    done(running, "integrations", "create", "Shared", *options)

    def asked(model: str) -> int:
        return running.call("POST", CHATS, {}, {**CHAT, "model": f"@shared/{model}"}).status

    models, workspaces = ("integrations", "models"), ("integrations", "workspaces")
    assert done(running, *models, "list", "shared") == "All models are allowed."
    assert gatekey(running, *models, "update", "shared", "--disable", "a").returncode == 2
    told = done(
        running, *models, "update", "shared", "--enable", "a", "--enable", "b", "--disable", "c", "--only-listed"
    )
    assert [line.split() for line in told.splitlines()[2:]] == [["a", "yes"], ["b", "yes"], ["c", "no"]]
    assert [asked(model) == 200 for model in "abcd"] == [True, True, False, False]
    assert "b" not in done(running, *models, "delete", "shared", "b", "c").split()
    assert [asked(model) == 200 for model in "ab"] == [True, False]
    assert done(running, *models, "update", "shared", "--all").startswith("All models are allowed.")
    assert asked("b") == 200

    assert team not in done(running, *workspaces, "list", "shared")
    assert team in done(running, *workspaces, "update", "shared", "--give", "team")
    assert done(running, "providers", "list", "--workspace", "team").splitlines()[1].startswith("shared")
    refused = gatekey(running, *workspaces, "update", "shared", "--take", "team")
    assert (refused.returncode, "@shared" in refused.stderr) == (2, True)
    done(running, "providers", "delete", "shared", "--workspace", "team")
    assert team not in done(running, *workspaces, "update", "shared", "--take", "team")
    everywhere = done(running, *workspaces, "update", "shared", "--everywhere", "--give", "team", "--no-provider")
    assert everywhere == "All workspaces may use it."
    assert done(running, "providers", "list", "--workspace", "team") == "None."
    shown = json.loads(done(running, *workspaces, "update", "shared", "--not-everywhere", "--json"))
    assert shown["global_workspace_access"]["enabled"] is False
    done(running, "workspaces", "delete", "team", "--force")
    done(running, "providers", "delete", "shared")
    done(running, "integrations", "delete", "shared")


def test_its_test_says_in_words_whether_it_works(running: Gateway, fake: Fake) -> None:
    slug = stored(running, fake)
    fake.answer(json_reply(b'{"object":"list","data":[{"id":"a"},{"id":"b"}]}'))
    assert done(running, "virtual-keys", "test", slug) == f"{slug} works. It may use 2 models."
    fake.answer(chat("o"))
    assert done(running, "virtual-keys", "test", slug, "--model", "m") == f"{slug} works."
    assert fake.requests[-1].json["max_tokens"] == 1
    fake.answer(error(401, "Incorrect API key"))
    refused = gatekey(running, "virtual-keys", "test", slug)
    assert refused.returncode == 1
    assert refused.stdout.startswith(f"{slug} does not work: the provider refuses its credential.")
    fake.answer(error(429, "Slow down"))
    busy = gatekey(running, "virtual-keys", "test", slug)
    assert (busy.returncode, "was not tested: the provider answers 429" in busy.stdout) == (1, True)
    assert "was not tested" in gatekey(running, "virtual-keys", "test", "nobody").stdout
    done(running, "virtual-keys", "update", slug, "--custom-host", refusing(), "--key", "k")
    assert "was not tested" in gatekey(running, "virtual-keys", "test", slug).stdout
    done(running, "virtual-keys", "delete", slug)


def test_it_is_tested_in_its_own_workspace(running: Gateway, fake: Fake) -> None:
    done(running, "workspaces", "create", "Team", "--slug", "team")
    slug = stored(running, fake, "sk-team", "--workspace", "team")
    assert "was not tested" in gatekey(running, "virtual-keys", "test", slug).stdout
    fake.answer(json_reply(b'{"object":"list","data":[{"id":"a"}]}'))
    tested = done(running, "virtual-keys", "test", slug, "--workspace", "team")
    assert tested == f"{slug} works. It may use 1 models."
    assert fake.requests[-1].header("authorization") == "Bearer sk-team"
    assert done(running, "keys", "list") == "None."
    nowhere = gatekey(running, "virtual-keys", "test", slug, "--workspace", "nowhere")
    assert (nowhere.returncode, "nowhere" in nowhere.stderr) == (2, True)
    done(running, "workspaces", "delete", "team", "--force")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--key", "a", "--key-env", "B"), "give one of them"),
        (("--key-env", "NOT_SET"), "NOT_SET"),
        (("--key", "-"), "standard input"),
        (("--key", "k", "--option", "nonsense"), "NAME=VALUE"),
        (("--key", "k", "--option", "resource_name=x"), "resource_name"),
    ],
)
def test_what_cannot_be_read_is_said(running: Gateway, words: tuple[str, ...], said: str) -> None:
    ended = gatekey(running, "virtual-keys", "create", "x", "--provider", "openai", *words)
    assert (ended.returncode, said in ended.stderr, ended.stdout) == (2, True, "")


def test_the_master_key_is_rotated_under_a_gateway_that_goes_on(fake: Fake) -> None:
    with Gateway() as first:
        slug = stored(first, fake)
        asked = {"x-portkey-virtual-key": slug}
        assert first.call("POST", CHATS, asked, CHAT).status == 200
        file = first.data / "master-key"
        old = file.read_text().strip()
        for keys in (1, 2):
            assert done(first, "vault", "rotate").startswith(f"{1} credentials")
            present, before = file.read_text().strip().split(",")
            assert (present != old, before == old, file.stat().st_mode & 0o777) == (True, True, 0o600), keys
            old = present
        assert first.call("POST", CHATS, asked, CHAT).status == 200
        # What it reads again and what it seals from now on are under the new key, without being started again.
        later = stored(first, fake, "sk-later")
        assert first.call("PUT", f"/v1/virtual-keys/{slug}", body={"name": "renamed"}).status == 200
        for name in (slug, later):
            assert first.call("POST", CHATS, {"x-portkey-virtual-key": name}, CHAT).status == 200
        env = {"GATEKEY_DATABASE_URL": f"sqlite:///{first.data / 'gatekey.db'}", "GATEKEY_MASTER_KEY": present}
        with Gateway(env=env) as second:
            assert second.call("POST", CHATS, asked, CHAT).status == 200
            assert fake.requests[-1].header("authorization") == "Bearer sk-stored"
            assert second.call("POST", CHATS, {"x-portkey-virtual-key": later}, CHAT).status == 200
            assert fake.requests[-1].header("authorization") == "Bearer sk-later"
        with Gateway(env={**env, "GATEKEY_MASTER_KEY": secrets.token_hex(32)}) as foreign:
            assert "GATEKEY_MASTER_KEY" in foreign.call("POST", CHATS, asked, CHAT).error["message"]
        new = secrets.token_hex(32)
        alone = gatekey(first, "vault", "rotate", GATEKEY_MASTER_KEY=new)
        assert (alone.returncode, "NEW,OLD" in alone.stderr) == (2, True)
        wrong = gatekey(first, "vault", "rotate", GATEKEY_MASTER_KEY=f"{new},{secrets.token_hex(32)}")
        assert (wrong.returncode, "GATEKEY_MASTER_KEY" in wrong.stderr) == (2, True)
        done(first, "vault", "rotate", GATEKEY_MASTER_KEY=f"{new},{present}")
        with Gateway(env={**env, "GATEKEY_MASTER_KEY": new}) as third:
            assert third.call("POST", CHATS, asked, CHAT).status == 200
    nothing = gatekey(first, "vault", "rotate")
    assert (nothing.returncode, "nothing to rotate" in nothing.stderr) == (2, True)


def test_no_secret_is_found_anywhere(fake: Fake) -> None:
    key, second, header, option, misspelt, refused = [f"canary-{secrets.token_hex(12)}" for _ in range(6)]
    said = b""
    with Gateway() as running:

        def call(method: str, path: str, body: object = None) -> int:
            nonlocal said
            answer = running.call(method, path, None, body)  # type: ignore[arg-type]
            said += answer.body + repr(answer.headers).encode()
            return answer.status

        host = {"custom_host": fake.base, "custom_headers": {"x-key": header}}
        made = {"name": "n", "slug": "vk", "provider": "azure-openai", "key": key, "azure_ad_token": option, **host}
        made["resourceName"] = "contoso"
        assert call("POST", "/v1/virtual-keys", made) == 200
        assert call("POST", "/v1/virtual-keys", made) == 409
        assert call("POST", "/v1/virtual-keys", {"name": "n", "provider": "openai", "kye": misspelt}) == 400
        for wrong in (
            {"custom_host": f"https://u:{refused}@host/v1"},
            {"key": f"{refused}\n"},
            {"nope": {"a": refused}},
        ):
            assert call("POST", "/v1/virtual-keys", {"name": "n", "provider": "openai", "key": key, **wrong}) == 400
        assert call("PUT", "/v1/virtual-keys/vk", {"key": second}) == 200
        whole = {"name": "n", "slug": "i", "ai_provider_id": "openai", "key": key, "configurations": host}
        assert call("POST", "/v1/integrations", whole) == 200
        for path in ("virtual-keys", "virtual-keys/vk", "providers", "providers/vk", "integrations", "integrations/i"):
            assert call("GET", f"/v1/{path}") == 200
        assert call("GET", "/v1/integrations/i/models") == 200
        assert call("GET", "/v1/integrations/i/workspaces") == 200
        assert running.call("POST", CHATS, {}, {**CHAT, "model": "@vk/m"}).status == 200
        assert fake.requests[-1].header("x-key") == header
        fake.answer(error(401, "no"))
        said += running.call("POST", CHATS, {"x-portkey-virtual-key": "vk"}, CHAT).body
        audited = running.call("GET", "/v1/audit-logs")
        assert (audited.status, b"virtual-keys" in audited.body) == (200, True)
        said += audited.body
        said += done(running, "virtual-keys", "list", "--json").encode()
        said += done(running, "virtual-keys", "show", "vk").encode()
        kept = {file.name: file.read_bytes() for file in running.data.rglob("*") if file.is_file()}
        log = running.log.encode()
    assert {"gatekey.db", "gatekey.db-wal"} <= kept.keys()
    for secret in (key, second, header, option, misspelt, refused):
        assert secret.encode() not in said
        assert secret.encode() not in log
        assert [name for name, data in kept.items() if secret.encode() in data] == []
