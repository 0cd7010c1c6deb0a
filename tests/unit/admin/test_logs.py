"""`/logs`: listed, shown, brought by callers, each in its workspace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from gatekey.observe.record import Record, Tried
from gatekey.store.directory import Principal
from gatekey.wire.usage import Usage
from tests.unit.admin.asking import Control, key_of, trail
from tests.unit.admin.logging import Logged

TRIED = Tried(
    path="config", provider="openai", status=200, by="provider", model="gpt-4o", url="https://api.example/v1/chat",
    usage=Usage(input=10, output=5), cost=75_000, priced=True, total_us=9000,
)  # fmt: skip
RECORD = Record(
    id="one", created_at=1_800_000_000_000, kind="chat", method="POST", path="/v1/chat/completions",
    workspace="ws-default", api_key="k", trace_id="t", status=200, provider="openai", model="gpt-4o", option="config",
    usage=Usage(input=10, output=5), cost=75_000, priced=True, total_us=10_500, overhead_us=400, upstream_us=9000,
    metadata={"team": "x"}, attempts=[TRIED], request=Raw(b'{"model":"gpt-4o"}'), response=Raw(b'{"id":"a"}'),
    request_headers={"user-agent": "me", "x-portkey-trace-id": "t"}, response_headers={"a": "b"},
)  # fmt: skip
INSERT = {
    "request": {"url": "https://u:p@api.example/v1/chat?key=sk-1", "provider": "openai", "method": "post",
                "headers": {"Authorization": "Bearer sk-1", "User-Agent": "me"},
                "body": {"model": "gpt-4o", "messages": [], "api_key": "sk-1"}},
    "response": {"status": 200, "body": {"model": "gpt-4o-2024", "usage": {"prompt_tokens": 1000,
                 "completion_tokens": 100, "total_tokens": 1100}}, "response_time": 12.5, "streamingMode": False},
    "metadata": {"traceId": "brought", "spanId": "s", "spanName": "n", "team": "x", "_user": "u", "n": 5},
}  # fmt: skip


def made(**more: Any) -> Record:
    from msgspec.structs import replace

    return replace(RECORD, **more)


@pytest.fixture
def logged(control: Control, tmp_path: Path) -> Iterator[Logged]:
    yield Logged(control, tmp_path)


def test_a_list_and_one_of_it(logged: Logged) -> None:
    assert logged.ask("GET", "/logs") == (200, {"object": "list", "total": 0, "data": []})
    logged.put(made(), made(id="two", created_at=RECORD.created_at + 1, status=500, cost=None, priced=False))
    status, listed = logged.ask("GET", "/logs")
    assert (status, listed["total"], [each["id"] for each in listed["data"]]) == (200, 2, ["two", "one"])
    two, one = listed["data"]
    assert (one["cost"], one["total_units"], one["response_time"], one["metadata"]) == (0.0075, 15, 10.5, {"team": "x"})
    assert (two["cost"], two["is_success"], one["is_success"]) == (None, False, True), "unpriced is not zero"
    status, shown = logged.ask("GET", "/logs/one")
    assert status == 200
    assert (shown["_id"], shown["created_at"]) == ("one", "2027-01-15T08:00:00.000Z")
    assert shown["request"]["body"] == {"model": "gpt-4o"}
    assert shown["request"]["portkeyHeaders"] == {"x-portkey-trace-id": "t"}
    assert shown["response"] == {
        "status": 200, "headers": {"a": "b"}, "body": {"id": "a"}, "responseTime": 10.5,
        "lastUsedOptionJsonPath": "config",
    }  # fmt: skip
    metrics = shown["metrics"]
    assert (metrics["metadata.key"], metrics["metadata.value"]) == (["team"], ["x"])
    assert (metrics["cost"], metrics["gateway_processing_time"], metrics["stream_mode"]) == (0.0075, 0.4, 0)
    [attempt] = shown["attempts"]
    assert (attempt["url"], attempt["usage"], attempt["cost"]) == (TRIED.url, {"input": 10, "output": 5}, 0.0075)


def test_filters_pages_and_what_is_newer(logged: Logged) -> None:
    logged.put(*(made(id=str(number), created_at=RECORD.created_at + number, cost=number) for number in range(5)))
    for query, wanted in {
        "page_size=2&current_page=1": ["2", "1"],
        "after=3": ["3", "4"],
        "after=3&page_size=1": ["3"],
        "status_code=500": [],
        "ai_org_model=openai__gpt-4o&page_size=1": ["4"],
        'metadata={"team":"x"}&trace_id=t&page_size=1': ["4"],
        "time_of_generation_min=2027-01-15T08:00:00.003Z": ["4", "3"],
        "time_of_generation_max=2027-01-15T08:00:00.001Z": ["0"],
        "cost_max=0.0000001": ["1", "0"],
    }.items():
        status, listed = logged.ask("GET", f"/logs?{query}")
        assert (status, [each["id"] for each in listed["data"]]) == (200, wanted), query
    for query in ("after=x", "after=-1", "page_size=0", "status_code=x", "time_of_generation_min=soon", "metadata=[]"):
        status, refused = logged.ask("GET", f"/logs?{query}")
        assert (status, refused["error"]["param"]) == (400, query.partition("=")[0])


def test_nothing_of_another_workspace(logged: Logged, control: Control) -> None:
    _, other = control.ask("POST", "/admin/workspaces", {"name": "other"})
    logged.put(made(), made(id="theirs", workspace=other["id"]))
    mine, theirs = key_of("ws-default"), key_of(other["id"])
    assert [each["id"] for each in logged.ask("GET", "/logs", principal=mine)[1]["data"]] == ["one"]
    assert logged.ask("GET", "/logs/theirs", principal=theirs)[0] == 200
    gone = logged.ask("GET", "/logs/theirs", principal=mine)
    never = logged.ask("GET", "/logs/never", principal=mine)
    assert (gone[0], gone[1]["message"]) == (404, never[1]["message"].replace("never", "theirs"))
    assert logged.ask("GET", f"/logs?workspace_slug={other['slug']}", principal=mine)[0] in (400, 403)
    assert len(logged.ask("GET", "/logs")[1]["data"]) == 2, "a key of the organisation sees all"


@pytest.mark.parametrize(
    ("method", "path", "scope"), [("GET", "/logs", "logs.list"), ("GET", "/logs/one", "logs.view")]
)
def test_scopes(logged: Logged, method: str, path: str, scope: str) -> None:
    logged.put(made())
    assert logged.ask(method, path, principal=key_of("ws-default", "logs.write"))[0] == 403
    assert logged.ask(method, path, principal=key_of("ws-default", scope))[0] == 200


def test_what_callers_bring(logged: Logged, control: Control) -> None:
    status, told = logged.ask("POST", "/logs", INSERT)
    assert status == 200
    logged.settle()
    [one] = logged.ask("GET", "/logs?trace_id=brought")[1]["data"]
    assert one["id"] == told["ids"][0]
    assert (one["ai_org"], one["ai_model"], one["req_units"], one["res_units"]) == ("openai", "gpt-4o", 1000, 100)
    assert one["cost"] == 0.35, "1000 x $2.50 and 100 x $10 for a million"
    assert (one["metadata"], one["span_id"]) == ({"team": "x", "_user": "u", "n": "5"}, "s")
    _, whole = logged.ask("GET", f"/logs/{one['id']}")
    assert whole["request"]["url"] == "https://api.example/v1/chat"
    assert whole["request"]["body"]["api_key"] == whole["request"]["headers"]["authorization"] == "***"
    assert whole["request"]["headers"]["user-agent"] == "me"
    assert (whole["response"]["responseTime"], whole["metrics"]["span_name"]) == (12.5, "n")
    assert trail(control) == []


def test_several_at_once_as_callbacks_write_them(logged: Logged) -> None:
    callback = {
        "request": {"url": "https://api.example/v1", "method": "POST", "provider": "nobody-knows", "body": {"a": 1}},
        "response": {"status": 500, "body": {"error": "No."}, "response_time": None},
        "trace_id": "callback", "span_id": "s", "parent_span_id": "p", "span_name": "llm", "start_time": 1_790_000_000,
    }  # fmt: skip
    status, told = logged.ask("POST", "/logs", [callback, INSERT])
    assert (status, len(told["ids"])) == (200, 2)
    logged.settle()
    [one] = logged.ask("GET", "/logs?trace_id=callback")[1]["data"]
    assert (one["ai_org"], one["is_success"], one["created_at"]) == ("nobody-knows", False, "2026-09-21T14:13:20.000Z")
    assert (one["cost"], one["total_units"]) == (0, 0), "a failure costs nothing"


def test_what_clients_leave_out(logged: Logged) -> None:
    """A span of an instrumented program, and a step of a chain: no URL, no body, times in ns and as texts."""
    span = {
        "request": {"method": "POST", "headers": {}, "body": {"name": "crew"}},
        "response": {"status": 200, "body": {}, "response_time": 12.5},
        "metadata": {"traceId": "span", "spanId": 2**63 + 7, "parentSpanId": None, "startTime": 1_790_000_000 * 10**9,
                     "_logType": "opentelemetry"},
    }  # fmt: skip
    step = {
        "request": {"name": "chain", "inputs": {"password": "x"}}, "response": {"outputs": 1, "response_time": "0123"},
        "trace_id": "step", "metadata": {},
    }  # fmt: skip
    assert logged.ask("POST", "/logs", [span, step])[0] == 200
    logged.settle()
    [one] = logged.ask("GET", "/logs?trace_id=span")[1]["data"]
    assert (one["span_id"], one["created_at"]) == (str(2**63 + 7), "2026-09-21T14:13:20.000Z")
    [two] = logged.ask("GET", "/logs?trace_id=step")[1]["data"]
    _, whole = logged.ask("GET", f"/logs/{two['id']}")
    assert whole["request"]["body"] == {"name": "chain", "inputs": {"password": "***"}}
    assert (whole["response"]["body"], whole["response"]["responseTime"]) == ({"outputs": 1}, 123)


def test_without_what_was_said_where_it_is_not_kept(logged: Logged) -> None:
    quiet = Principal(id="k", workspace="ws-default", log_bodies=False)
    _, told = logged.ask("POST", "/logs", INSERT, quiet)
    logged.settle()
    _, whole = logged.ask("GET", f"/logs/{told['ids'][0]}")
    assert (whole["request"]["body"], whole["response"]["body"], whole["request"]["headers"]) == (None, None, None)


def test_both_scopes_are_needed_to_bring_logs(logged: Logged) -> None:
    for scopes in (("logs.write",), ("completions.write",)):
        assert logged.ask("POST", "/logs", INSERT, key_of("ws-default", *scopes))[0] == 403
    assert logged.ask("POST", "/logs", INSERT, key_of("ws-default", "logs.write", "completions.write"))[0] == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "request"),
        ([], None),
        ([INSERT, {"request": {}}], "[1].response"),
        ({"request": {"url": 7}, "response": {}}, "[0].request.url"),
        ({"request": {}, "response": {"status": 7}}, "[0].response.status"),
        ({"request": {}, "response": {"response_time": "soon"}}, "[0].response.response_time"),
        ({"request": [], "response": {}}, "request"),
    ],
)
def test_bad_logs(logged: Logged, control: Control, body: Any, param: str | None) -> None:
    status, refused = logged.ask("POST", "/logs", body)
    assert (status, refused["error"]["param"]) == (400, param), refused
    assert trail(control) == [], "what somebody wants to be kept is nothing for the trail"
