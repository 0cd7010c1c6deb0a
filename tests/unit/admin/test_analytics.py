"""Analytics through the API: every graph and group, in the shapes that are documented, for who may see them."""

from typing import Any
from urllib.parse import urlencode

import pytest

from gatekey.admin.rooms.analytics import ALIASES, GRAPHS
from gatekey.observe.record import Tried
from gatekey.store.feedback import Opinion, add
from gatekey.wire.usage import Usage
from tests.unit.admin.asking import Ask, Control, key_of
from tests.unit.store.recorded import START, record, store

HOUR = 3_600_000
RANGE = {"time_of_generation_min": "2027-01-15T08:00:00Z", "time_of_generation_max": "2027-01-15T11:00:00Z"}
"""Three hours from `START` on."""
STAMPS = [f"2027-01-15T{hour}:00:00.000Z" for hour in ("08", "09", "10")]

TWO = [Tried("config.targets[0]", "openai", 500, "provider"), Tried("config.targets[1]", "groq", 200, "provider")]
RECORDS = [
    record(id="a", trace_id="t1", user="ann", api_key="k1", config="pc-1", metadata={"team": "red"}, cost=20_000_000),
    record(id="b", trace_id="t2", user="bob", api_key="k2", metadata={"team": "red"}, retries=2, cost=40_000_000,
           created_at=START + 60_000, total_us=3000),
    record(id="c", trace_id="t2", user="ann", api_key="k1", provider="groq", model="llama", metadata={"team": "blue"},
           usage=Usage(input=100), cost=None, created_at=START + 2 * HOUR, total_us=5000, attempts=TWO),
    record(id="d", trace_id="t3", user="", api_key="k2", status=429, usage=None, cost=0,
           created_at=START + 2 * HOUR + 1, total_us=7000),
    record(id="e", trace_id="t4", user="ann", api_key="k2", cache_status="HIT", cost=0, usage=None,
           created_at=START + 2 * HOUR + 2, total_us=100),
    record(id="f", trace_id="t5", user="eve", workspace="ws-2", cost=70_000_000, created_at=START + HOUR),
]  # fmt: skip


@pytest.fixture
def filled(control: Control) -> Ask:
    """A control plane with the records, feedback on some, and a second workspace that has one of them."""
    from gatekey.store import rows, tables

    control.write(lambda write: rows.add(write, tables.workspaces, id="ws-2", slug="second", name="Second"))
    control.write(lambda write: store(write.connection, RECORDS))

    def rate(write: Any) -> None:
        write.now = START + HOUR
        opinions = [Opinion("t2", 10, 0.5), Opinion("t2", -5), Opinion("t1", 5), Opinion("unknown", 5, 0.0)]
        add(write, opinions, workspace="ws-default", api_key="k1")
        add(write, [Opinion("t5", -10)], workspace="ws-2", api_key="k1")

    control.write(rate)
    return control.ask


def graph(ask: Ask, name: str, workspace: str = "default", **query: str) -> tuple[Any, list[Any]]:
    """The summary and the points."""
    asked = {**RANGE, **({"workspace_slug": workspace} if workspace else {}), **query}
    status, answer = ask("GET", f"/analytics/graphs/{name}?{urlencode(asked)}")
    assert status == 200, answer
    assert answer.keys() == {"summary", "data_points", "object"}
    assert answer["object"] == "analytics-graph"
    return answer["summary"], answer["data_points"]


def by_time(ask: Ask, name: str, **query: str) -> tuple[Any, list[Any]]:
    """The same of a graph by the hour, its points without their times."""
    summary, points = graph(ask, name, **query)
    assert [point.pop("timestamp") for point in points] == STAMPS
    return summary, points


def group(ask: Ask, name: str, workspace: str = "default", **query: str) -> list[Any]:
    """The rows, all of which are on the page."""
    asked = {**RANGE, **({"workspace_slug": workspace} if workspace else {}), **query}
    status, answer = ask("GET", f"/analytics/groups/{name}?{urlencode(asked)}")
    assert status == 200, answer
    assert (answer["object"], answer["total"]) == ("list", len(answer["data"]))
    for row in answer["data"]:
        assert row.pop("object") == "analytics-group"
    return list(answer["data"])


def test_requests_cost_and_tokens(filled: Ask) -> None:
    assert by_time(filled, "requests") == ({"total": 5}, [{"total": 2}, {"total": 0}, {"total": 3}])
    summary, points = by_time(filled, "cost")
    assert summary == {"total": 6.0, "avg": 1.2, "unpriced": 1}
    assert points == [
        {"total": 6.0, "avg": 3.0, "unpriced": 0}, {"total": 0, "avg": 0, "unpriced": 0},
        {"total": 0, "avg": 0, "unpriced": 1},
    ]  # fmt: skip
    summary, points = by_time(filled, "tokens")
    assert summary == {"total": 130, "avg": 26}
    assert points == [{"total": 30, "avg": 15}, {"total": 0, "avg": 0}, {"total": 100, "avg": pytest.approx(100 / 3)}]


def test_latencies_are_ms_and_near(filled: Ask) -> None:
    summary, points = by_time(filled, "latency")
    assert summary["avg"] == (1000 + 3000 + 5000 + 7000 + 100) / 5 / 1000
    found = [summary[name] for name in ("p50", "p90", "p99")]
    assert found == pytest.approx([3.0, 7.0, 7.0], rel=0.032)
    assert points[0] == {"avg": 2.0, "p50": pytest.approx(1.0, rel=0.032), "p90": pytest.approx(3.0, rel=0.032),
                         "p99": pytest.approx(3.0, rel=0.032)}  # fmt: skip
    assert points[1] == {"avg": 0, "p50": 0, "p90": 0, "p99": 0}


def test_users(filled: Ask) -> None:
    assert by_time(filled, "users") == ({"total": 2}, [{"total": 2}, {"total": 0}, {"total": 1}])
    assert by_time(filled, "users/requests") == (
        {"total": 4, "unique": 2, "avg": 2}, [{"avg": 1}, {"avg": 0}, {"avg": 2}]
    )  # fmt: skip


def test_errors(filled: Ask) -> None:
    assert by_time(filled, "errors") == ({"total": 1}, [{"total": 0}, {"total": 0}, {"total": 1}])
    assert by_time(filled, "errors/rate") == (
        {"rate": 20}, [{"rate": 0}, {"rate": 0}, {"rate": pytest.approx(100 / 3)}]
    )  # fmt: skip
    stats = [{"response_status_code": 429, "count": 1}]
    assert by_time(filled, "errors/stacks") == ({"total": 1}, [{"stats": []}, {"stats": []}, {"stats": stats}])
    assert graph(filled, "errors/status-codes") == (
        {"total_errors": 1, "unique_error_codes": 1}, [{"status_code": 429, "count": 1}]
    )  # fmt: skip


def test_what_retries_and_other_targets_rescued(filled: Ask) -> None:
    summary, points = by_time(filled, "requests/rescued")
    assert summary == {"retry": 1, "fallback": 1}
    assert points[0] == {"retry": [{"retry_success_count": 2, "count": 1}], "fallback": 0}
    assert points[2] == {"retry": [], "fallback": 1}


def test_the_cache(filled: Ask) -> None:
    """The hit saved what an answer of a provider cost on average: 6 cents for 3 that succeeded."""
    summary, points = by_time(filled, "cache/hit-rate")
    assert summary == {"total": 1, "rate": 20}
    assert points[2] == {
        "simple_hits": 1, "semantic_hits": 0, "rate": pytest.approx(100 / 3),
        "cumulative_simple_cache_savings": 2, "cumulative_semantic_cache_savings": 0,
    }  # fmt: skip
    assert points[0]["cumulative_simple_cache_savings"] == 0
    assert by_time(filled, "cache/latency") == ({"avg": 0.1}, [{"avg": 0}, {"avg": 0}, {"avg": 0.1}])
    status, answer = filled("GET", f"/analytics/summary/cache?{urlencode({**RANGE, 'workspace_slug': 'default'})}")
    assert (status, answer["object"]) == (200, "analytics-summary")
    assert answer["summary"] == {"hits": 1, "avg_latency": 0.1, "total_requests": 5, "cache_speedup": 40}


def test_feedback(filled: Ask) -> None:
    assert by_time(filled, "feedbacks") == ({"total": 4}, [{"total": 0}, {"total": 4}, {"total": 0}])
    assert graph(filled, "feedbacks/scores") == (
        {"total": 4}, [{"score": -5, "total": 1}, {"score": 5, "total": 2}, {"score": 10, "total": 1}]
    )  # fmt: skip
    assert by_time(filled, "feedbacks/weighted") == ({"avg": 1.25}, [{"avg": None}, {"avg": 1.25}, {"avg": None}])
    summary, points = graph(filled, "feedbacks/ai-models")
    assert summary == {"total": 5}
    assert points == [
        {"ai_model": "gpt-4o", "ai_org": "openai", "total": 3, "avg_weighted_feedback": pytest.approx(5 / 3)},
        {"ai_model": "llama", "ai_org": "groq", "total": 2, "avg_weighted_feedback": 0},
    ]


def test_feedback_of_requests_that_match(filled: Ask) -> None:
    """What is asked of requests, one of the trace must fulfil; a model's feedback is then that for it alone."""
    assert graph(filled, "feedbacks", ai_org_model="groq__llama")[0] == {"total": 2}
    assert graph(filled, "feedbacks", metadata='{"team": "red"}')[0] == {"total": 3}
    assert graph(filled, "feedbacks", api_key_ids="nobody")[0] == {"total": 0}
    assert [point["ai_model"] for point in graph(filled, "feedbacks/ai-models", api_key_ids="k2")[1]] == ["gpt-4o"]


def test_groups(filled: Ask) -> None:
    assert group(filled, "users") == [
        {"user": "ann", "requests": 3, "cost": 2.0}, {"user": "bob", "requests": 1, "cost": 4.0}
    ]  # fmt: skip
    assert group(filled, "ai-models") == [
        {"ai_model": "gpt-4o", "ai_org": "openai", "requests": 4, "cost": 6.0},
        {"ai_model": "llama", "ai_org": "groq", "requests": 1, "cost": 0},
    ]
    assert group(filled, "metadata/team") == [
        {"metadata_value": "red", "requests": 2, "cost": 6.0, "avg_tokens": 15,
         "last_seen": "2027-01-15T08:01:00.000Z", "avg_weighted_feedback": pytest.approx(5 / 3),
         "requests_with_feedback": 2},
        {"metadata_value": "blue", "requests": 1, "cost": 0, "avg_tokens": 100,
         "last_seen": "2027-01-15T10:00:00.000Z", "avg_weighted_feedback": 0, "requests_with_feedback": 1},
    ]  # fmt: skip
    assert group(filled, "metadata/nothing") == []
    assert group(filled, "workspaces", workspace="") == [
        {"workspace": "default", "workspace_id": "ws-default", "requests": 5, "cost": 6.0},
        {"workspace": "second", "workspace_id": "ws-2", "requests": 1, "cost": 7.0},
    ]


def test_groups_of_any_kind(filled: Ask) -> None:
    every: dict[str, dict[Any, int]] = {
        "ai_service": {"openai": 4, "groq": 1},
        "model": {"gpt-4o": 4, "llama": 1},
        "api_key": {"k2": 3, "k1": 2},
        "config": {"pc-1": 1},
        "workspace": {"default": 5},
        "provider": {},
        "prompt": {},
        "user": {"ann": 3, "bob": 1},
        "status_code": {200: 4, 429: 1},
    }
    for kind, values in every.items():
        rows = group(filled, kind, columns="requests,p95_latency,p99_latency")
        assert {row[kind]: row["requests"] for row in rows} == values
        assert all(row["p95_latency"] > 0 for row in rows)


def test_columns_of_groups(filled: Ask) -> None:
    every = (
        "requests,cost,total_tokens,avg_tokens,avg_input_tokens,avg_output_tokens,avg_latency,p95_latency,p99_latency,"
        "success_rate,error_count,cache_hit_rate,last_seen,first_seen,unpriced"
    )
    found = {row["api_key"]: row for row in group(filled, "api_key", columns=every)}
    assert found["k2"] == {
        "api_key": "k2", "requests": 3, "cost": 4.0, "total_tokens": 15, "avg_tokens": 5,
        "avg_input_tokens": pytest.approx(10 / 3), "avg_output_tokens": pytest.approx(5 / 3),
        "avg_latency": pytest.approx(10.1 / 3), "p95_latency": pytest.approx(7, rel=0.032),
        "p99_latency": pytest.approx(7, rel=0.032), "success_rate": pytest.approx(200 / 3), "error_count": 1,
        "cache_hit_rate": pytest.approx(100 / 3), "last_seen": "2027-01-15T10:00:00.002Z",
        "first_seen": "2027-01-15T08:01:00.000Z", "unpriced": 0,
    }  # fmt: skip
    assert found["k1"]["unpriced"] == 1


def test_groups_come_in_pages_and_any_order(filled: Ask) -> None:
    def keys(**query: str) -> list[str]:
        asked = {**RANGE, "workspace_slug": "default", **query}
        status, answer = filled("GET", f"/analytics/groups/api_key?{urlencode(asked)}")
        assert (status, answer["total"]) == (200, 2)
        return [row["api_key"] for row in answer["data"]]

    assert keys() == ["k2", "k1"]
    assert keys(page_size="1", current_page="1") == ["k1"]
    assert keys(page_size="1", current_page="7") == []
    for order, first in [
        ("cost", "k2"), ("total_tokens", "k1"), ("avg_tokens", "k1"), ("avg_input_tokens", "k1"),
        ("avg_output_tokens", "k1"), ("avg_latency", "k2"), ("success_rate", "k1"), ("error_count", "k2"),
        ("cache_hit_rate", "k2"), ("last_seen", "k2"), ("first_seen", "k2"), ("unpriced", "k1"),
    ]:  # fmt: skip
        assert keys(order_by=order)[0] == first, order
        assert keys(order_by=order, order_by_type="asc")[1] == first, order


FILTERS: list[tuple[dict[str, str], int]] = [
    ({"status_code": "429,500"}, 1),
    ({"status_code": "200"}, 4),
    ({"total_units_min": "15", "total_units_max": "99"}, 2),
    ({"prompt_token_min": "11"}, 1),
    ({"completion_token_max": "0"}, 3),
    ({"cost_min": "2", "cost_max": "3.99"}, 1),
    ({"cost_min": "2.00001"}, 1),
    ({"weighted_feedback_min": "1"}, 1),
    ({"weighted_feedback_max": "0"}, 2),
    ({"weighted_feedback_min": "-10", "weighted_feedback_max": "10"}, 3),
    ({"configs": "pc-1"}, 1),
    ({"api_key_ids": "k1,nobody"}, 2),
    ({"metadata": '{"team": "red"}'}, 2),
    ({"metadata": '{"team": "red", "other": "x"}'}, 0),
    ({"ai_org_model": "groq__llama,openai__gpt-4o"}, 5),
    ({"trace_id": "t2"}, 2),
    ({"span_id": "none"}, 0),
    ({"prompt_slug": "none"}, 0),
    ({"cache_status": "hit"}, 1),
    ({"api_key_ids": "k2", "status_code": "429"}, 1),
    ({"api_key_ids": "k2", "metadata": '{"team": "red"}'}, 1),
    ({"virtual_keys": "none"}, 0),
]
"""Parameters, and how many of the records match."""


def test_every_filter(filled: Ask) -> None:
    for query, found in FILTERS:
        assert graph(filled, "requests", **query)[0] == {"total": found}, query
        assert graph(filled, "requests", step="minute", **query)[0] == {"total": found}, query


UNREADABLE = [
    ("time_of_generation_min", "yesterday"),
    ("time_of_generation_max", "1999-12-31T23:59:59Z"),
    ("time_of_generation_max", "2027-01-15T08:00:00Z"),
    ("time_of_generation_min", "9999-12-31T23:59:59-23:59"),
    ("workspace_slug", "nowhere"),
    ("total_units_min", "-1"),
    ("prompt_token_max", "many"),
    ("completion_token_min", "1.5"),
    ("cost_min", "free"),
    ("cost_max", "-1"),
    ("cost_max", "1e30"),
    ("weighted_feedback_min", "11"),
    ("weighted_feedback_max", "nan"),
    ("status_code", "ok"),
    ("ai_org_model", "gpt-4o"),
    ("metadata", "team"),
    ("metadata", '{"team": 1}'),
    ("metadata", '{"a\\"b": "1"}'),
    ("api_key_ids", ",".join(map(str, range(101)))),
    ("configs", ","),
    ("step", "second"),
]


def test_what_cannot_be_read_is_named(ask: Ask) -> None:
    for name, value in UNREADABLE:
        status, answer = ask("GET", f"/analytics/graphs/cost?{urlencode({**RANGE, name: value})}")
        assert (status, answer["error"]["param"]) == (400, name), value


def test_what_groups_cannot_do_is_named(ask: Ask) -> None:
    for query in ("order_by=p95_latency", "order_by_type=up", "columns=colour", "page_size=0"):
        status, answer = ask("GET", f"/analytics/groups/model?{query}")
        assert (status, answer["error"]["param"]) == (400, query.partition("=")[0])
    assert ask("GET", "/analytics/groups/colour")[0] == 404
    assert ask("GET", "/analytics/groups/metadata/a%22b")[0] == 400
    assert ask("GET", "/analytics/graphs/colour")[0] == 404


def test_without_a_range_it_is_the_last_day(ask: Ask) -> None:
    points = ask("GET", "/analytics/graphs/requests")[1]["data_points"]
    assert len(points) in (24, 25)
    assert all(point["timestamp"].endswith(":00:00.000Z") for point in points)


RANGES = [
    ("2027-01-15T09:00:00Z", "", 60, "2027-01-15T08:00:00.000Z"),
    ("2027-01-15T13:30:00+05:30", "", 0, ""),
    ("2027-01-16T13:30:00+05:30", "", 24, "2027-01-15T08:00:00.000Z"),
    ("2027-01-29T08:00:00Z", "", 336, "2027-01-15T08:00:00.000Z"),
    ("2027-02-15T08:00:00Z", "", 32, "2027-01-15T00:00:00.000Z"),
    ("2029-01-15T08:00:00Z", "", 106, "2027-01-11T00:00:00.000Z"),
    ("2027-01-29T08:00:00Z", "week", 3, "2027-01-11T00:00:00.000Z"),
    ("2027-01-29T08:00:00Z", "minute", 0, ""),
    ("2099-12-31T00:00:00Z", "", 74, "2026-10-26T00:00:00.000Z"),
]
"""Until when, a step, how many points (0: refused), and the time of the first."""


def test_buckets_suit_the_range_unless_they_are_named(ask: Ask) -> None:
    """Weeks begin on Mondays. An offset may come with its plus sign unescaped."""
    for until, step, number, first in RANGES:
        asked = f"time_of_generation_min=2027-01-15T08:00:00Z&time_of_generation_max={until}&step={step}"
        status, answer = ask("GET", f"/analytics/graphs/requests?{asked}")
        points = answer.get("data_points", [])
        assert (status, len(points)) == (200 if number else 400, number), until
        assert not number or points[0]["timestamp"] == first, until


def test_what_the_node_client_asks_for_is_the_same(filled: Ask) -> None:
    for alias, name in ALIASES.items():
        assert graph(filled, alias) == graph(filled, name)


def test_a_key_sees_its_workspace_and_needs_the_scope(filled: Ask) -> None:
    path = f"/analytics/graphs/requests?{urlencode(RANGE)}"

    def seen(principal: Any, more: str = "") -> Any:
        status, answer = filled("GET", path + more, None, principal)
        return answer["summary"]["total"] if status == 200 else status

    assert seen(key_of("", "analytics.view")) == 6
    assert seen(key_of("", "analytics.view"), "&workspace_slug=second") == 1
    assert seen(key_of("ws-2", "analytics.view")) == 1
    assert seen(key_of("ws-2", "analytics.view"), "&workspace_slug=second") == 1
    assert seen(key_of("ws-2", "analytics.view"), "&workspace_slug=default") == 403
    assert seen(key_of("ws-2", "analytics.view"), "&workspace_slug=nowhere") == 403
    assert seen(key_of("ws-2", "logs.view")) == 403
    own = key_of("ws-2", "analytics.view")
    for name in GRAPHS:
        status, answer = filled("GET", f"/analytics/graphs/{name}?{urlencode(RANGE)}&page_size=5", None, own)
        assert status == 200, answer
    rows = filled("GET", f"/analytics/groups/workspaces?{urlencode(RANGE)}", None, own)[1]["data"]
    assert [row["workspace"] for row in rows] == ["second"]
    models = filled("GET", f"/analytics/graphs/feedbacks/ai-models?{urlencode(RANGE)}", None, own)[1]["data_points"]
    assert [(point["total"], point["avg_weighted_feedback"]) for point in models] == [(1, -10)]
