# Made of _async/observed.py by generate.py: change it there.
"""Resources of what the gateway has seen: logs, feedback, analytics, the audit trail."""

from __future__ import annotations

from typing import Any

from portkey_ai import types
from portkey_ai._sync.resource import Resource
from portkey_ai._calls import path


class LogExports(Resource):
    """Logs as files."""

    def create(self, **fields: Any) -> types.Result:
        """Prepare one, of `filters` and `requested_data`."""
        return self._send(types.Result, "POST", "/logs/exports", fields)

    def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", "/logs/exports", query)

    def retrieve(self, export_id: str, **query: Any) -> types.Result:
        """How far one is."""
        return self._send(types.Result, "GET", path("/logs/exports/{}", export_id), query)

    def update(self, export_id: str, **fields: Any) -> types.Result:
        """Change one that has not begun."""
        return self._send(types.Result, "PUT", path("/logs/exports/{}", export_id), fields)

    def start(self, export_id: str, **fields: Any) -> types.Result:
        """Begin one."""
        return self._send(types.Result, "POST", path("/logs/exports/{}/start", export_id), fields)

    def cancel(self, export_id: str, **fields: Any) -> types.Result:
        """End one."""
        return self._send(types.Result, "POST", path("/logs/exports/{}/cancel", export_id), fields)

    def download(self, export_id: str, **query: Any) -> types.Result:
        """Where the file of one is."""
        return self._send(types.Result, "GET", path("/logs/exports/{}/download", export_id), query)


class Logs(Resource):
    """Logs of requests."""

    @property
    def exports(self) -> LogExports:
        """Logs as files."""
        return LogExports(self._client)

    def create(self, *, request: Any, response: Any, metadata: Any = None, **fields: Any) -> types.Result:
        """Add a request that did not go through the gateway."""
        told = {"request": request, "response": response, "metadata": metadata or {}, **fields}
        return self._send(types.Result, "POST", "/logs", told)

    def list(self, **query: Any) -> types.Page:
        """A page of them, newest first."""
        return self._send(types.Page, "GET", "/logs", query)

    def retrieve(self, log_id: str, **query: Any) -> types.Result:
        """One of them."""
        return self._send(types.Result, "GET", path("/logs/{}", log_id), query)


class Feedback(Resource):
    """What callers think of answers."""

    def create(
        self, *, trace_id: str, value: int, weight: float = 1.0, metadata: dict[str, Any] | None = None, **fields: Any
    ) -> types.FeedbackGiven:
        """Value an answer from -10 to 10, by its trace id."""
        told = {"trace_id": trace_id, "value": value, "weight": weight, "metadata": metadata or {}, **fields}
        return self._send(types.FeedbackGiven, "POST", "/feedback", told)

    def bulk_create(self, *, feedbacks: list[dict[str, Any]]) -> types.FeedbackGiven:
        """Value several."""
        return self._send(types.FeedbackGiven, "POST", "/feedback", feedbacks)

    def update(self, feedback_id: str, **fields: Any) -> types.FeedbackGiven:
        """Change one."""
        return self._send(types.FeedbackGiven, "PUT", path("/feedback/{}", feedback_id), fields)


class AuditLogs(Resource):
    """The trail of changes."""

    def list(self, **query: Any) -> types.AuditTrail:
        """A page of it, newest first."""
        return self._send(types.AuditTrail, "GET", "/audit-logs", query)


class Graphs(Resource):
    """Figures over time: `time_of_generation_min` and `time_of_generation_max`, and other filters."""

    def requests(self, **query: Any) -> types.Analytics:
        """Requests."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/requests", query)

    def requests_rescued(self, **query: Any) -> types.Analytics:
        """Requests that a retry or a fallback has rescued."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/requests/rescued", query)

    def cost(self, **query: Any) -> types.Analytics:
        """Cost, in cents."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/cost", query)

    def latency(self, **query: Any) -> types.Analytics:
        """Latency, in ms."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/latency", query)

    def tokens(self, **query: Any) -> types.Analytics:
        """Tokens."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/tokens", query)

    def users(self, **query: Any) -> types.Analytics:
        """Users."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/users", query)

    def users_requests(self, **query: Any) -> types.Analytics:
        """Requests of each user."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/users/requests", query)

    def errors(self, **query: Any) -> types.Analytics:
        """Errors."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/errors", query)

    def errors_rate(self, **query: Any) -> types.Analytics:
        """Errors, in per cent."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/errors/rate", query)

    def errors_stacks(self, **query: Any) -> types.Analytics:
        """Errors, by status over time."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/errors/stacks", query)

    def errors_status_codes(self, **query: Any) -> types.Analytics:
        """Errors, by status."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/errors/status-codes", query)

    def cache_hit_rate(self, **query: Any) -> types.Analytics:
        """Answers out of the cache, in per cent."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/cache/hit-rate", query)

    def cache_latency(self, **query: Any) -> types.Analytics:
        """Latency of answers out of the cache, in ms."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/cache/latency", query)

    def feedbacks(self, **query: Any) -> types.Analytics:
        """Feedback."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks", query)

    def feedbacks_scores(self, **query: Any) -> types.Analytics:
        """Feedback, by score."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks/scores", query)

    def feedbacks_weighted(self, **query: Any) -> types.Analytics:
        """Feedback, weighted."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks/weighted", query)

    def feedbacks_ai_models(self, **query: Any) -> types.Analytics:
        """Feedback, by model."""
        return self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks/ai-models", query)


class Summary(Resource):
    """Figures in sum."""

    def cache(self, **query: Any) -> types.Analytics:
        """What the cache has spared."""
        return self._send(types.Analytics, "GET", "/analytics/summary/cache", query)


class Groups(Resource):
    """Figures by what requests have in common."""

    def group_by(self, group_by: str, **query: Any) -> types.Analytics:
        """By anything that there is a group of."""
        return self._send(types.Analytics, "GET", path("/analytics/groups/{}", group_by), query)

    def workspaces(self, **query: Any) -> types.Analytics:
        """By workspace."""
        return self._send(types.Analytics, "GET", "/analytics/groups/workspaces", query)

    def users(self, **query: Any) -> types.Analytics:
        """By user."""
        return self._send(types.Analytics, "GET", "/analytics/groups/users", query)

    def ai_models(self, **query: Any) -> types.Analytics:
        """By model."""
        return self._send(types.Analytics, "GET", "/analytics/groups/ai-models", query)

    def metadata(self, metadata_key: str, **query: Any) -> types.Analytics:
        """By a key of the metadata."""
        return self._send(types.Analytics, "GET", path("/analytics/groups/metadata/{}", metadata_key), query)


class Analytics(Resource):
    """Figures."""

    @property
    def graphs(self) -> Graphs:
        """Over time."""
        return Graphs(self._client)

    @property
    def summary(self) -> Summary:
        """In sum."""
        return Summary(self._client)

    @property
    def groups(self) -> Groups:
        """By what requests have in common."""
        return Groups(self._client)
