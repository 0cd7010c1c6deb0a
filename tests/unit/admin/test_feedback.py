"""Feedback through the API: given on traces, one or several at a time, changed, kept apart by workspace."""

from typing import Any

from gatekey.store import feedback
from tests.unit.admin.asking import Ask, Control, key_of, trail

GOOD = {"trace_id": "t-1", "value": 5, "weight": 0.5, "metadata": {"by": "a test", "stars": 4, "more": {"a": [1]}}}


def kept(control: Control, id: str) -> Any:
    """A row without its times."""
    row = control.read(feedback.find, id)
    return {name: row[name] for name in ("workspace_id", "trace_id", "value", "weight", "metadata", "api_key_id")}


def test_one_is_given_and_changed(control: Control, ask: Ask) -> None:
    status, answer = ask("POST", "/feedback", GOOD, key_of("ws-default", "logs.write"))
    assert (status, answer["status"], answer["message"]) == (200, "success", "Feedback successfully saved")
    (id,) = answer["feedback_ids"]
    row = kept(control, id)
    assert row.pop("metadata") == '{"by":"a test","stars":4,"more":{"a":[1]}}'
    assert row == {"workspace_id": "ws-default", "trace_id": "t-1", "value": 5, "weight": 0.5,
                   "api_key_id": "key-of-the-test"}  # fmt: skip
    status, answer = ask("PUT", f"/feedback/{id}", {"value": -10})
    assert (status, answer["status"], answer["feedback_ids"]) == (200, "success", [id])
    assert {name: kept(control, id)[name] for name in ("value", "weight")} == {"value": -10, "weight": 0.5}
    assert ask("PUT", f"/feedback/{id}", {"value": 1, "weight": 0, "metadata": {}})[0] == 200
    assert {name: kept(control, id)[name] for name in ("weight", "metadata")} == {"weight": 0, "metadata": "{}"}


def test_several_are_given_in_any_spelling(control: Control, ask: Ask) -> None:
    """As an array, and as the Node client writes one; a trace may get more than one, and each keeps its place."""
    array = [{"trace_id": "t-1", "value": -10}, {"traceID": "t-1", "value": 10, "weight": None}]
    for body in (array, {str(number): item for number, item in enumerate(array)}):
        status, answer = ask("POST", "/feedback", body)
        assert status == 200, answer
        rows = [kept(control, id) for id in answer["feedback_ids"]]
        assert [(row["trace_id"], row["value"], row["weight"]) for row in rows] == [("t-1", -10, 1), ("t-1", 10, 1)]
    status, answer = ask("POST", "/feedback", [{"trace_id": f"t-{number}", "value": 1} for number in range(1000)])
    assert (status, len(answer["feedback_ids"])) == (200, 1000)


def test_bounds_are_held_and_the_field_is_named(ask: Ask) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"value": 11}, "value"), ({"value": -11}, "value"), ({"value": 1.5}, "value"), ({"value": "5"}, "value"),
        ({"value": None}, "value"), ({"weight": 1.01}, "weight"), ({"weight": -0.1}, "weight"),
        ({"trace_id": ""}, "trace_id"), ({"trace_id": "a\0b"}, "trace_id"), ({"trace_id": None}, "trace_id"),
        ({"metadata": "text"}, "metadata"), ({"rating": 5}, "rating"),
        ({"metadata": {str(number): 1 for number in range(65)}}, "metadata"),
    ]  # fmt: skip
    for change, param in cases:
        status, answer = ask("POST", "/feedback", {**GOOD, **change})
        assert (status, answer["error"]["param"].partition(".")[0]) == (400, param), change
        status, answer = ask("POST", "/feedback", [GOOD, {**GOOD, **change}])
        assert (status, answer["error"]["param"].partition(".")[0]) == (400, "[1]"), change
    for body in ({}, [], {"value": 1}, {"trace_id": "t"}, b"nothing", b"", [GOOD] * 1001):
        assert ask("POST", "/feedback", body)[0] == 400, body


def test_one_of_several_that_is_refused_refuses_all(ask: Ask) -> None:
    assert ask("POST", "/feedback", [GOOD, {**GOOD, "value": 11}])[0] == 400
    assert ask("GET", "/analytics/graphs/feedbacks")[1]["summary"] == {"total": 0}


def test_it_belongs_to_a_workspace_and_needs_the_scope(control: Control, ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "other"})[1]["id"]
    theirs, ours = key_of(other, "logs.write"), key_of("ws-default", "logs.write")
    (id,) = ask("POST", "/feedback", GOOD, theirs)[1]["feedback_ids"]
    assert kept(control, id)["workspace_id"] == other
    assert ask("PUT", f"/feedback/{id}", {"value": 1}, ours)[0] == 403
    assert ask("PUT", f"/feedback/{id}", {"value": 1}, key_of(other, "logs.view"))[0] == 403
    assert ask("POST", "/feedback", GOOD, key_of(other, "completions.write"))[0] == 403
    assert ask("PUT", f"/feedback/{id}", {"value": 1}, theirs)[0] == 200
    assert ask("PUT", f"/feedback/{id}", {"value": 1}, key_of("", "logs.write"))[0] == 200
    assert ask("PUT", "/feedback/nobody", {"value": 1}, theirs)[0] == 404


def test_what_it_is_about_stays(ask: Ask) -> None:
    """The Node client repeats the id in the body."""
    (id,) = ask("POST", "/feedback", GOOD)[1]["feedback_ids"]
    assert ask("PUT", f"/feedback/{id}", {"feedbackID": id, "traceID": "t-1", "value": 2})[0] == 200
    for name, value in (("feedback_id", "other"), ("trace_id", "t-2")):
        status, answer = ask("PUT", f"/feedback/{id}", {name: value, "value": 2})
        assert (status, answer["error"]["param"]) == (400, name)
    for body in ({}, {"weight": 1}, {"value": 12}):
        assert ask("PUT", f"/feedback/{id}", body)[0] == 400


def test_the_audit_trail_has_what_is_refused_alone(control: Control, ask: Ask) -> None:
    ask("POST", "/feedback", GOOD)
    ask("POST", "/feedback", {**GOOD, "value": 11})
    assert [row["response_status_code"] for row in trail(control)] == [400]
