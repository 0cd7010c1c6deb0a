"""Graphs of analytics, portkey-api.md 7.6: a summary of the range, and a point for each bucket.

Each is a function of a connection and a question. Costs are cents, latencies ms, rates percent.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from gatekey.admin.questions import CENT
from gatekey.admin.route import Answer
from gatekey.admin.visit import moment
from gatekey.store import analytics, cells, feedback_sums
from gatekey.store.analytics import Facts, Question
from gatekey.store.cells import HITS

Graph = Callable[[Connection, Question], Answer]
Told = Callable[[Sequence[Any]], Answer]
"""What some rows come to."""


def requests(connection: Connection, question: Question) -> Answer:
    """How many."""
    return _summed(connection, question, Facts(("requests",)), lambda rows: {"total": total(rows, "requests")})


def cost(connection: Connection, question: Question) -> Answer:
    """What they cost. `unpriced` counts those that are not in it, as their price is not known."""
    return _summed(connection, question, Facts(("requests", "cost", "unpriced")), _cost)


def latency(connection: Connection, question: Question) -> Answer:
    """How long they took, the gateway's own time included."""
    sums = _by_time(analytics.answer(connection, question, Facts(("requests", "total_us"))))
    spread = analytics.answer(connection, question, Facts(("requests",), keys=("bucket",)))
    buckets = _by_time(spread)

    def told(rows: Sequence[Any], spread: Sequence[Any]) -> Answer:
        mean = _over(total(rows, "total_us"), total(rows, "requests")) / 1000
        return {"avg": mean, **{f"p{share}": percentile(spread, share) for share in (50, 90, 99)}}

    points = [_point(at, told(sums.get(at, []), buckets.get(at, []))) for at in question.buckets()]
    return _graph(told([row for rows in sums.values() for row in rows], spread), points)


def tokens(connection: Connection, question: Question) -> Answer:
    """What went in and came out, together."""
    return _summed(connection, question, Facts(("requests", "prompt_tokens", "completion_tokens")), _tokens)


def users(connection: Connection, question: Question) -> Answer:
    """How many different users there were."""
    rows, whole = analytics.distinct(connection, question, "user")
    return _points(question, rows, lambda found: {"total": total(found, "values")}, {"total": whole.values or 0})


def users_requests(connection: Connection, question: Question) -> Answer:
    """How many requests a user made."""
    rows, whole = analytics.distinct(connection, question, "user")
    asked, unique = whole.requests or 0, whole.values or 0
    summary = {"total": asked, "unique": unique, "avg": _over(asked, unique)}
    return _points(
        question, rows, lambda found: {"avg": _over(total(found, "requests"), total(found, "values"))}, summary
    )


def errors(connection: Connection, question: Question) -> Answer:
    """How many failed, those that broke off in the middle included."""
    return _summed(connection, question, Facts(("errors",)), lambda rows: {"total": total(rows, "errors")})


def errors_rate(connection: Connection, question: Question) -> Answer:
    """How many in a hundred failed."""
    return _summed(connection, question, Facts(("requests", "errors")), lambda rows: {"rate": _rate(rows, "errors")})


def errors_stacks(connection: Connection, question: Question) -> Answer:
    """With which statuses they failed, bucket by bucket."""
    rows = _failed(connection, question)
    return _points(question, rows, lambda found: {"stats": [
        {"response_status_code": code, "count": count} for code, count in _counted(found).items()
    ]}, {"total": total(rows, "errors")})  # fmt: skip


def errors_status_codes(connection: Connection, question: Question) -> Answer:
    """With which statuses they failed, the most frequent first."""
    found = _counted(_failed(connection, question))
    points = [
        {"status_code": code, "count": count}
        for code, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
    return _graph({"total_errors": sum(found.values()), "unique_error_codes": len(found)}, points)


def requests_rescued(connection: Connection, question: Question) -> Answer:
    """How many succeeded only as they were tried again, by how often, or as another target was asked."""
    rows = analytics.answer(connection, question, Facts(("requests", "fallbacks"), keys=("retries",)))

    def retried(found: Iterable[Any]) -> list[Answer]:
        counts: dict[int, int] = {}
        for row in found:
            if row.retries:
                counts[row.retries] = counts.get(row.retries, 0) + row.requests
        return [{"retry_success_count": tries, "count": count} for tries, count in sorted(counts.items())]

    summary = {"retry": sum(each["count"] for each in retried(rows)), "fallback": total(rows, "fallbacks")}
    return _points(
        question, rows, lambda found: {"retry": retried(found), "fallback": total(found, "fallbacks")}, summary
    )


def cache_hit_rate(connection: Connection, question: Question) -> Answer:
    """What came out of the cache, and what that saved: each answer what one of a provider cost on average, in this
    range."""
    rows = analytics.answer(connection, question, Facts(("requests", "errors", "cost"), keys=("cache_status",)))
    bought = [row for row in rows if row.cache_status not in HITS]
    each = _over(total(bought, "cost"), total(bought, "requests") - total(bought, "errors")) / CENT
    saved = dict.fromkeys(HITS, 0.0)

    def told(found: Sequence[Any]) -> Answer:
        hits = {status: total([row for row in found if row.cache_status == status], "requests") for status in HITS}
        for status, count in hits.items():
            saved[status] += count * each
        simple, semantic = HITS
        return {
            "simple_hits": hits[simple],
            "semantic_hits": hits[semantic],
            "rate": _over(100 * sum(hits.values()), total(found, "requests")),
            "cumulative_simple_cache_savings": saved[simple],
            "cumulative_semantic_cache_savings": saved[semantic],
        }

    hit = total([row for row in rows if row.cache_status in HITS], "requests")
    return _points(question, rows, told, {"total": hit, "rate": _over(100 * hit, total(rows, "requests"))})


def cache_latency(connection: Connection, question: Question) -> Answer:
    """How long answers out of the cache took."""
    rows = analytics.answer(connection, question, Facts(("requests", "total_us"), keys=("cache_status",)))
    hits = [row for row in rows if row.cache_status in HITS]
    return _points(question, hits, _mean_ms, _mean_ms(hits))


def feedbacks(connection: Connection, question: Question) -> Answer:
    """How much feedback was given."""
    rows = feedback_sums.totals(connection, question)
    return _points(question, rows, lambda found: {"total": total(found, "many")}, {"total": total(rows, "many")})


def feedbacks_scores(connection: Connection, question: Question) -> Answer:
    """How often each value was given."""
    rows = feedback_sums.scores(connection, question)
    return _graph({"total": total(rows, "many")}, [{"score": row.value, "total": row.many} for row in rows])


def feedbacks_weighted(connection: Connection, question: Question) -> Answer:
    """Value times weight, on average; null where there is none."""
    rows = feedback_sums.totals(connection, question)
    return _points(question, rows, _weighted, _weighted(rows))


def feedbacks_ai_models(connection: Connection, question: Question) -> Answer:
    """What feedback the models got; one for a trace counts for each model that was asked for it."""
    rows = feedback_sums.models(connection, question)
    points = [
        {"ai_model": row.model, "ai_org": row.provider, "total": row.many, "avg_weighted_feedback": float(row.average)}
        for row in rows
    ]
    return _graph({"total": sum(point["total"] for point in points)}, points)


def cache_summary(connection: Connection, question: Question) -> Answer:
    """The cache in the whole range. `cache_speedup`: how many times as long an answer of a provider took."""
    rows = analytics.answer(connection, question, Facts(("requests", "total_us"), keys=("cache_status",)))
    hits = [row for row in rows if row.cache_status in HITS]
    ours, others = (_mean_ms(found)["avg"] for found in (hits, [row for row in rows if row.cache_status not in HITS]))
    return {
        "summary": {
            "hits": total(hits, "requests"),
            "avg_latency": ours,
            "total_requests": total(rows, "requests"),
            "cache_speedup": _over(others, ours),
        },
        "object": "analytics-summary",
    }


def percentile(rows: Iterable[Any], percent: int) -> float:
    """ms that this share of the requests did not exceed, out of `bucket` and `requests`; 3.2 % off at most."""
    counts: dict[int, int] = {}
    for row in rows:
        counts[row.bucket] = counts.get(row.bucket, 0) + row.requests
    left = math.ceil(sum(counts.values()) * percent / 100)
    for bucket, count in sorted(counts.items()):
        left -= count
        if left <= 0:
            return cells.middle(bucket) / 1000
    return 0.0


def total(rows: Iterable[Any], name: str) -> Any:
    """The sum of a column."""
    return sum(getattr(row, name) for row in rows)


def _summed(connection: Connection, question: Question, facts: Facts, told: Told) -> Answer:
    rows = analytics.answer(connection, question, facts)
    return _points(question, rows, told, told(rows))


def _points(question: Question, rows: Sequence[Any], told: Told, summary: Answer) -> Answer:
    found = _by_time(rows)
    return _graph(summary, [_point(at, told(found.get(at, []))) for at in question.buckets()])


def _graph(summary: Answer, points: list[Answer]) -> Answer:
    return {"summary": summary, "data_points": points, "object": "analytics-graph"}


def _point(at: int, told: Answer) -> Answer:
    return {"timestamp": moment(at), **told}


def _by_time(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.at, []).append(row)
    return found


def _failed(connection: Connection, question: Question) -> list[Any]:
    rows = analytics.answer(connection, question, Facts(("errors",), keys=("status",)))
    return [row for row in rows if row.errors]


def _counted(rows: Iterable[Any]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for row in sorted(rows, key=lambda row: int(row.status)):
        counts[row.status] = counts.get(row.status, 0) + row.errors
    return counts


def _cost(rows: Sequence[Any]) -> Answer:
    cents = total(rows, "cost") / CENT
    return {"total": cents, "avg": _over(cents, total(rows, "requests")), "unpriced": total(rows, "unpriced")}


def _tokens(rows: Sequence[Any]) -> Answer:
    found = total(rows, "prompt_tokens") + total(rows, "completion_tokens")
    return {"total": found, "avg": _over(found, total(rows, "requests"))}


def _mean_ms(rows: Sequence[Any]) -> Answer:
    return {"avg": _over(total(rows, "total_us"), total(rows, "requests")) / 1000}


def _weighted(rows: Sequence[Any]) -> Answer:
    many = total(rows, "many")
    return {"avg": sum(row.average * row.many for row in rows) / many if many else None}


def _rate(rows: Sequence[Any], name: str) -> float:
    return _over(100 * total(rows, name), total(rows, "requests"))


def _over(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
