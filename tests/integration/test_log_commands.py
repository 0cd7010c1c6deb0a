"""`gatekey logs` on a running gateway: shown, followed, taken away."""

import csv
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from tests.asking import CHAT, CHATS, at
from tests.fake import Fake, error, wait_until
from tests.gateway import KEY, PATIENCE, Gateway
from tests.integration.test_key_commands import done, gatekey
from tests.records import listed, trace

PROGRAM = str(Path(sys.executable).with_name("gatekey"))


def asked(gateway: Gateway, fake: Fake, mine: str, *statuses: int) -> None:
    """Requests with a trace id, which have their records."""
    for status in statuses:
        if status != 200:
            fake.answer(error(status, "No such thing."))
        headers = at(fake, x_portkey_trace_id=mine, x_portkey_metadata='{"team":"x"}')
        assert gateway.call("POST", CHATS, headers, CHAT).status == status
    listed(gateway, mine, len(statuses))


def test_a_table_and_one_of_it(gateway: Gateway, fake: Fake) -> None:
    mine = trace()
    asked(gateway, fake, mine, 400, 200)
    heading, *lines = done(gateway, "logs", "--trace", mine, "--since", "1h", "--metadata", "team=x").splitlines()
    assert heading.split()[:4] == ["Time", "Status", "ms", "Provider"]
    assert [line.split()[2] for line in lines] == ["400", "200"], "the latest last"
    [failed] = json.loads(done(gateway, "logs", "--trace", mine, "--status", "400", "--json"))["data"]
    shown = done(gateway, "logs", "show", failed["id"])
    assert "No such thing." in shown and "Say this is a test" in shown and mine in shown
    assert done(gateway, "logs", "--trace", "nobodys") == "None."
    assert done(gateway, "logs", "--trace", mine, "--until", "2020-01-01") == "None."
    for words in (("show", "nothing"), ("--since", "soon"), ("--status", "x"), ("--metadata", "x")):
        ended = gatekey(gateway, "logs", *words)
        assert ended.returncode == 2 and ended.stderr.startswith("gatekey: "), words


def test_an_export(gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    mine = trace()
    asked(gateway, fake, mine, 200, 200, 200)
    lines = done(gateway, "logs", "export", "--trace", mine, "-n", "2").splitlines()
    assert [json.loads(line)["trace_id"] for line in lines] == [mine, mine]
    file = tmp_path / "logs.csv"
    words = ("--format", "csv", "--fields", "id,cost,metadata", "-o", str(file))
    assert done(gateway, "logs", "export", "--trace", mine, *words) == ""
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 3 and rows[0]["metadata"] == '{"team":"x"}'


def test_following(gateway: Gateway, fake: Fake) -> None:
    mine = trace()
    asked(gateway, fake, mine, 200)
    environ = {"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_URL": gateway.url, "PYTHONUNBUFFERED": "1"}
    command = [PROGRAM, "logs", "--follow", "--trace", mine, "--json"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["trace_id"] == mine
        headers = at(fake, x_portkey_trace_id=mine)
        assert gateway.call("POST", CHATS, headers, CHAT).status == 200
        assert json.loads(following.stdout.readline())["number"] > 0
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE) == 0


def test_colours_are_for_terminals(gateway: Gateway, fake: Fake) -> None:
    mine = trace()
    asked(gateway, fake, mine, 500)
    assert "\x1b" not in done(gateway, "logs", "--trace", mine)
    for further, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        environ = {"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_URL": gateway.url, "TERM": "xterm", **further}
        with subprocess.Popen([PROGRAM, "logs", "--trace", mine], env=environ, stdout=theirs) as showing:
            assert showing.wait(PATIENCE) == 0
        os.close(theirs)
        text = os.read(ours, 65536).decode()
        os.close(ours)
        assert mine in text
        assert ("\x1b[31m" in text) is coloured


def test_a_reader_who_leaves(gateway: Gateway, fake: Fake) -> None:
    mine = trace()
    asked(gateway, fake, mine, 200)
    environ = {"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_URL": gateway.url, "PYTHONUNBUFFERED": "1"}
    command = [PROGRAM, "logs", "--follow", "--trace", mine]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None and following.stderr is not None
        following.stdout.readline()
        following.stdout.close()
        assert gateway.call("POST", CHATS, at(fake, x_portkey_trace_id=mine), CHAT).status == 200
        wait_until(lambda: following.poll() is not None, PATIENCE, "it ends")
        assert "Traceback" not in following.stderr.read()
