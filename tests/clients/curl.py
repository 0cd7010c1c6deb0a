"""Command lines of curl, run as a shell runs them: by curl itself, or sent by us where it is missing."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tests.gateway import PATIENCE, Answer, Gateway

WAYS = ("read", "curl") if shutil.which("curl") else ("read",)
"""`curl`: by curl. `read`: the command is read here and sent by the tests."""

_variable = re.compile(r"\$([A-Z_]+)")


def run(way: str, command: str, environ: Mapping[str, str], gateway: Gateway, scratch: Path) -> Answer:
    """What a command line is answered. Nothing of it is changed; `environ` has its variables."""
    return _curl(command, environ, scratch) if way == "curl" else _read(command, environ, gateway)


def _curl(command: str, environ: Mapping[str, str], scratch: Path) -> Answer:
    # Its own settings file makes curl show the head, so that the command can stay as it is.
    (scratch / ".curlrc").write_text("silent\nshow-error\ninclude\n")
    done = subprocess.run(
        ["sh", "-c", command],
        env={"PATH": os.environ["PATH"], "CURL_HOME": str(scratch), "HOME": str(scratch), **environ},
        capture_output=True,
        timeout=PATIENCE * 3,
    )
    assert done.returncode == 0, done.stderr.decode()
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(status.split(" ")[1]), headers, body)


def _read(command: str, environ: Mapping[str, str], gateway: Gateway) -> Answer:
    words = [_variable.sub(lambda found: environ[found[1]], word) for word in shlex.split(command.replace("\\\n", ""))]
    assert words.pop(0) == "curl"
    url, headers, body = "", {}, ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(":")
            headers[name] = value.strip()
        elif word == "-d":
            body = words.pop(0)
        else:
            url = word
    return gateway.call("POST", urlsplit(url).path, headers, body, key=None, timeout=PATIENCE * 3)
