"""A running gateway, as the commands that manage it see it: its REST API, found by its data folder or named.

Must not reach into the store: what a command can do, a caller of the API can do.
"""

import datetime
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import typer

from gatekey.errors import GatekeyError

SECONDS = 30
"""s that an answer is waited for."""
SPREAD = 1.0
"""s within which every worker has seen a change."""
PAGE = 1000
"""Rows that are asked for at once."""

Url = Annotated[str | None, typer.Option("--url", help="The gateway. [default: $GATEKEY_URL, or DATA/address]")]
Data = Annotated[Path | None, typer.Option("--data", help="Data folder of the gateway. [default: data]")]
Json = Annotated[bool, typer.Option("--json", help="Print the API's JSON.")]


class Refused(GatekeyError):
    """The gateway cannot be asked, or says no; the message says what to do."""


class Remote:
    """A running gateway and a key for it."""

    def __init__(self, url: str, key: str) -> None:
        """`url`: where it listens, with or without `/v1`. Raises `Refused`."""
        parts = urlsplit(url)
        try:
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError
            self._port = parts.port
        except ValueError:
            raise Refused(f"{url!r} is no address of a gateway: it looks like http://127.0.0.1:8787.") from None
        self.url = url.rstrip("/").removesuffix("/v1")
        self._secure, self._host = parts.scheme == "https", parts.hostname
        self._base = parts.path.rstrip("/").removesuffix("/v1")
        self._key = key

    @classmethod
    def find(cls, url: str | None, data: Path | None) -> "Remote":
        """The gateway that is named, or that runs on this data folder, with its admin key. Raises `Refused`."""
        folder = data or Path(os.environ.get("GATEKEY_DATA") or "data")
        address = url or os.environ.get("GATEKEY_URL") or _text(folder / "address")
        if not address:
            raise Refused(
                f"No gateway has run on the data folder {folder}: start one with `gatekey serve`, or name a "
                "running one with --url, its data folder with --data."
            )
        key = os.environ.get("GATEKEY_ADMIN_KEY") or _text(folder / "admin-key")
        if not key:
            raise Refused(f"There is no admin key in {folder}: set GATEKEY_ADMIN_KEY, or name the folder with --data.")
        return cls(address, key)

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer's JSON. `path` is below `/v1`; of `query` what is None is left out. Raises `Refused`."""
        given = urlencode({name: value for name, value in query.items() if value is not None})
        status, data = self._exchange(method, f"{self._base}/v1{path}{'?' if given else ''}{given}", body)
        try:
            answer = json.loads(data)
        except ValueError:
            raise Refused(f"{self.url} answers {status}, but not as a gateway does: is the address right?") from None
        if status >= 400:
            raise Refused(_refusal(status, answer))
        return answer

    def through(self, virtual_key: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of what a provider answers, asked through a virtual key. Raises `Refused`."""
        headers = {"x-portkey-virtual-key": virtual_key}
        status, data = self._exchange(method, f"{self._base}/v1{path}", body, headers)
        try:
            return status, json.loads(data)
        except ValueError:
            return status, {}

    @contextmanager
    def within(self, workspace: str) -> Iterator["Remote"]:
        """The same gateway with a key of the workspace's own, for a while: the admin key completes in the default one.

        Raises `Refused`.
        """
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=4 * SECONDS)
        made = self.ask(
            "POST",
            "/api-keys/workspace/service",
            {
                "name": "for a test from the command line",
                "scopes": ["completions.write"],
                "workspace_id": workspace,
                "expires_at": until.isoformat(),
            },
        )
        try:
            time.sleep(SPREAD)
            yield Remote(self.url, made["key"])
        finally:
            self.ask("DELETE", f"/api-keys/{segment(made['id'])}")

    def every(self, path: str, **query: Any) -> Any:
        """A list with the rows of all its pages. Raises `Refused`."""
        whole = self.ask("GET", path, current_page=0, page_size=PAGE, **query)
        number = 1
        while len(whole["data"]) < whole.get("total", 0):
            more = self.ask("GET", path, current_page=number, page_size=PAGE, **query)["data"]
            if not more:
                break
            whole["data"] += more
            number += 1
        return whole

    def fetch(self, path: str) -> Iterator[bytes]:
        """A file, piece by piece. `path` is below `/v1`. Raises `Refused`."""
        import http.client

        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(str(self._host), self._port, timeout=SECONDS)
        try:
            connection.request("GET", f"{self._base}/v1{path}")
            answer = connection.getresponse()
            if answer.status != 200:
                raise Refused(f"{self.url} answers {answer.status} where a file should be.")
            while piece := answer.read1(65536):
                yield piece
        except (OSError, http.client.HTTPException) as failure:
            raise Refused(f"{self.url} broke off ({type(failure).__name__}): the file is not whole.") from None
        finally:
            connection.close()

    def _exchange(
        self, method: str, target: str, body: Any, further: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        import http.client

        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(str(self._host), self._port, timeout=SECONDS)
        headers = {"x-portkey-api-key": self._key, "content-type": "application/json", **(further or {})}
        try:
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as failure:
            reason = getattr(failure, "strerror", None) or type(failure).__name__
            raise Refused(f"{self.url} does not answer ({reason}): start it with `gatekey serve`.") from None
        except ValueError:
            raise Refused("The admin key has characters that no key has: look at GATEKEY_ADMIN_KEY.") from None
        finally:
            connection.close()


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def pairs(given: list[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` options as a dict. Raises `Refused`."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise Refused(f"{option} {text}: it looks like {option} NAME=VALUE.")
        found[name] = value
    return found


def given(**options: Any) -> dict[str, Any]:
    """The options that were given: those that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def _refusal(status: int, answer: Any) -> str:
    message = str(answer.get("message") if isinstance(answer, dict) else "") or f"The gateway answers {status}."
    if status == 401:
        return f"{message} It was sent from GATEKEY_ADMIN_KEY, or else from the file admin-key in the data folder."
    return message


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
