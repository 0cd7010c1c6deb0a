"""`/logs/exports`: made, started, taken away by an address of their own, stopped."""

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatekey.admin.rooms import exports
from tests.unit.admin.asking import Control, key_of
from tests.unit.admin.logging import Logged
from tests.unit.admin.test_logs import made

ALL = {"filters": {}, "requested_data": ["id", "cost", "request", "ai_model", "metadata"]}


@pytest.fixture
def logged(control: Control, tmp_path: Path) -> Iterator[Logged]:
    yield Logged(control, tmp_path)


def started(logged: Logged, **more: Any) -> str:
    status, told = logged.ask("POST", "/logs/exports", {**ALL, **more})
    assert status == 200, told
    assert logged.ask("POST", f"/logs/exports/{told['id']}/start")[1]["status"] == "success"
    return str(told["id"])


def address(logged: Logged, id: str, kind: str = "jsonl") -> str:
    status, told = logged.ask("GET", f"/logs/exports/{id}/download?format={kind}")
    assert status == 200, told
    assert told["signed_url"].startswith("http://gw.example:8787/v1/logs/exports/")
    return str(told["signed_url"]).removeprefix("http://gw.example:8787/v1")


def test_from_a_draft_to_a_file(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PIECE", 2)
    logged.put(*(made(id=str(number), created_at=1_800_000_000_000 + number) for number in range(5)))
    status, told = logged.ask("POST", "/logs/exports", ALL)
    assert (status, told["total"], told["object"]) == (200, 5, "export")
    one = f"/logs/exports/{told['id']}"
    assert logged.ask("GET", f"{one}/download")[0] == 409, "it has not started"
    assert logged.ask("GET", one)[1]["status"] == "draft"
    logged.put(made(id="5", created_at=1_800_000_000_005))
    _, going = logged.ask("POST", f"{one}/start")
    assert (going["status"], going["total"], going["requested_data"]) == ("success", 6, ALL["requested_data"])
    logged.put(made(id="later", created_at=1_800_000_000_003))
    _, text = logged.ask("GET", address(logged, told["id"]))
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["id"] for line in lines] == ["5", "4", "3", "2", "1", "0"]
    assert list(lines[0]) == ALL["requested_data"]
    assert lines[0]["cost"] == 0.0075 and lines[0]["request"]["body"] == {"model": "gpt-4o"}
    assert logged.ask("POST", f"{one}/start")[0] == 409
    assert logged.ask("PUT", one, {"description": "late"})[0] == 409
    assert logged.ask("POST", f"{one}/cancel")[1]["status"] == "stopped"
    assert logged.ask("GET", f"{one}/download")[0] == 409


def test_csv_and_what_spreadsheets_would_run(logged: Logged) -> None:
    logged.put(made(id="a", model="=1+1", cost=None), made(id="b", model='x,"y"\n', created_at=1))
    _, text = logged.ask("GET", address(logged, started(logged), "csv"))
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ALL["requested_data"]
    assert rows[1][:2] == ["a", ""] and rows[1][3:] == ["'=1+1", '{"team":"x"}']
    assert json.loads(rows[1][2])["url"] == "/v1/chat/completions"
    assert rows[2][3] == 'x,"y"\n'


def test_nothing_to_export(logged: Logged) -> None:
    id = started(logged)
    assert logged.ask("GET", address(logged, id)) == (200, "")
    assert logged.ask("GET", address(logged, id, "csv")) == (200, ",".join(ALL["requested_data"]) + "\r\n")


def test_filters_and_pages(logged: Logged) -> None:
    logged.put(
        *(made(id=str(number), created_at=1_800_000_000_000 + number, status=200 + number) for number in range(6))
    )
    for filters, wanted in (
        ({"page_size": 2, "current_page": 1}, ["3", "2"]),
        ({"page_size": 4, "current_page": 1}, ["1", "0"]),
        ({"page_size": 4, "currentPage": 9}, []),
        ({"status_code": [201, 203]}, ["3", "1"]),
        ({"ai_model": "openai__gpt-4o", "metadata": {"team": "x"}, "status_code": "205"}, ["5"]),
        ({"time_of_generation_min": "2027-01-15T08:00:00.002Z", "time_of_generation_max": "2027-01-15T08:00:00.004Z"},
         ["3", "2"]),
    ):  # fmt: skip
        _, text = logged.ask("GET", address(logged, started(logged, filters=filters)))
        assert [json.loads(line)["id"] for line in text.splitlines()] == wanted, filters


def test_an_address_is_one_files_and_good_for_an_hour(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    logged.put(made())
    place = address(logged, started(logged))
    other = address(logged, started(logged))
    assert logged.ask("GET", place)[0] == 200
    swapped = place.split("?")[0] + "?" + other.split("?")[1]
    for wrong in (place[:-1], place.replace("jsonl", "csv"), swapped, place.replace("expires=1", "expires=2"),
                  place.split("?")[0], place.split("signature=")[0] + "signature=%C3%BC"):  # fmt: skip
        assert logged.ask("GET", wrong)[0] == 403, wrong
    now = time.time()
    monkeypatch.setattr(exports.time, "time", lambda: now + exports.HOUR + 1)
    assert logged.ask("GET", place)[0] == 403


def test_nothing_of_another_workspace(logged: Logged, control: Control) -> None:
    _, other = control.ask("POST", "/admin/workspaces", {"name": "other"})
    mine, theirs = key_of("ws-default"), key_of(other["id"])
    logged.put(made(), made(id="theirs", workspace=other["id"]))
    assert logged.ask("POST", "/logs/exports", {**ALL, "workspace_id": other["id"]}, mine)[0] == 403
    _, told = logged.ask("POST", "/logs/exports", ALL, theirs)
    assert told["total"] == 1
    one = f"/logs/exports/{told['id']}"
    for method, path, body in (("GET", one, None), ("PUT", one, {}), ("POST", f"{one}/start", None),
                               ("POST", f"{one}/cancel", None), ("GET", f"{one}/download", None)):  # fmt: skip
        assert logged.ask(method, path, body, mine)[0] == 403
        assert logged.ask(method, path, body, key_of(other["id"], "logs.list"))[0] == 403
    assert logged.ask("GET", "/logs/exports", principal=mine)[1]["total"] == 0
    assert logged.ask("GET", "/logs/exports", principal=theirs)[1]["data"][0]["workspace_id"] == other["id"]
    assert logged.ask("GET", "/logs/exports")[1]["total"] == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"filters": {}}, "requested_data"),
        ({**ALL, "requested_data": ["secret"]}, "requested_data"),
        ({**ALL, "filters": {"what": 1}}, "filters.what"),
        ({**ALL, "filters": {"page_size": 50_001}}, "filters.page_size"),
        ({**ALL, "filters": {"status_code": "x"}}, "filters.status_code"),
        ({**ALL, "filters": {"cost_min": {}, "time_of_generation_min": "soon"}}, "filters.time_of_generation_min"),
        ({**ALL, "other": 1}, "other"),
    ],
)
def test_bad_exports(logged: Logged, body: Any, param: str) -> None:
    status, refused = logged.ask("POST", "/logs/exports", body)
    assert (status, refused["error"]["param"]) == (400, param), refused


def test_a_draft_changes(logged: Logged) -> None:
    logged.put(made(), made(id="failed", status=500))
    _, told = logged.ask("POST", "/logs/exports", ALL)
    one = f"/logs/exports/{told['id']}"
    status, changed = logged.ask("PUT", one, {"filters": {"status_code": 500}, "description": "d"})
    assert (status, changed["total"], changed["description"]) == (200, 1, "d")
    assert (changed["filters"], changed["requested_data"]) == ({"status_code": 500}, ALL["requested_data"])
    assert logged.ask("PUT", one, {"requested_data": ["id"]})[1]["requested_data"] == ["id"]
    assert logged.ask("GET", "/logs/exports/nowhere")[0] == 404
    assert logged.ask("GET", f"{one}/download?format=xml")[0] == 400
