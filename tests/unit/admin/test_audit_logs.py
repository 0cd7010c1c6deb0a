"""The audit trail through the API."""

import time

from gatekey.admin.visit import moment
from tests.unit.admin.asking import PEER, TRACE, Ask, key_of


def fill(ask: Ask) -> None:
    ask("POST", "/admin/workspaces", {"name": "a"})
    ask("POST", "/admin/workspaces", {"name": "b"})
    ask("POST", "/admin/workspaces", {"name": ""})
    ask("DELETE", "/admin/workspaces/ws-default", None, key_of("", "workspaces.delete", user="u-1"))


def test_a_record_says_who_asked_for_what(ask: Ask) -> None:
    fill(ask)
    status, answer = ask("GET", "/audit-logs?resource_type=workspaces&response_status_code=200&page_size=1")
    assert (status, answer["object"], answer["total"]) == (200, "list", 2)
    (record,) = answer["records"]
    assert record["request_body"] == {"name": "b"} or record["request_body"] == {"name": "a"}
    expected = {"method": "POST", "uri": "/v1/admin/workspaces", "request_id": TRACE, "action": "create"}
    assert {name: record[name] for name in expected} == expected
    assert (record["user_id"], record["user_type"], record["resource_type"]) == ("admin", "api_key", "workspaces")
    assert record["request_headers"]["x-portkey-trace-id"] == TRACE
    assert record["client_ip"] == PEER


def test_a_trace_id_of_any_length_stops_no_change(ask: Ask) -> None:
    trace = "t" * 4000
    assert ask("POST", "/admin/workspaces", {"name": "a"}, trace=trace)[0] == 200
    assert ask("POST", "/admin/workspaces", {"name": ""}, trace=trace)[0] == 400
    assert [record["request_id"] for record in ask("GET", "/audit-logs")[1]["records"]] == ["t" * 255] * 2


def test_it_is_filtered_by_any_field(ask: Ask) -> None:
    fill(ask)

    def total(query: str) -> int:
        status, answer = ask("GET", f"/audit-logs?{query}")
        assert status == 200, answer
        assert len(answer["records"]) == answer["total"]
        return int(answer["total"])

    assert total("") == total("organisation_id=any") == total("start_time=2020-01-01T00:00:00Z") == 4
    assert total(f"client_ip={PEER}") == 4
    assert total("method=DELETE") == total("user_id=u-1") == total("user_type=user") == total("action=delete") == 1
    assert total("response_status_code=400") == total("response_status_code=409") == 1
    assert total("method=POST&response_status_code=200") == 2
    assert total("uri=/v1/admin/workspaces") == 3
    assert total("end_time=2020-01-01T00:00:00Z") == total("country=DE") == total("client_ip=1.2.3.4") == 0
    later = moment(int(time.time() * 1000) + 60_000)
    assert total(f"start_time={later}") == 0
    assert total(f"end_time={later}") == 4


def test_pages_are_bounded_and_the_newest_comes_first(ask: Ask) -> None:
    fill(ask)
    pages = [ask("GET", f"/audit-logs?page_size=3&current_page={page}")[1]["records"] for page in range(2)]
    assert [len(page) for page in pages] == [3, 1]
    stamps = [record["timestamp"] for page in pages for record in page]
    assert stamps == sorted(stamps, reverse=True)


def test_what_cannot_be_read_is_named(ask: Ask) -> None:
    for query in ("start_time=yesterday", "end_time=x", "response_status_code=ok", "page_size=0"):
        status, answer = ask("GET", f"/audit-logs?{query}")
        assert (status, answer["error"]["param"]) == (400, query.partition("=")[0])


def test_it_is_for_the_organisation_alone(ask: Ask) -> None:
    assert ask("GET", "/audit-logs", None, key_of("ws-default"))[0] == 403
    assert ask("GET", "/audit-logs", None, key_of("", "workspaces.list"))[0] == 403
    assert ask("GET", "/audit-logs", None, key_of("", "audit_logs.list"))[0] == 200
    assert ask("POST", "/audit-logs", {})[0] == 405
