"""Resources of what the gateway has seen: logs, feedback, analytics, the audit trail."""

from __future__ import annotations

from typing import Any

from portkey_ai import types
from portkey_ai._async.resource import AsyncResource
from portkey_ai._calls import path


class AsyncLogExports(AsyncResource):
    """Logs as files."""

    async def create(self, **fields: Any) -> types.Result:
        """Prepare one, of `filters` and `requested_data`."""
        return await self._send(types.Result, "POST", "/logs/exports", fields)

    async def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", "/logs/exports", query)

    async def retrieve(self, export_id: str, **query: Any) -> types.Result:
        """How far one is."""
        return await self._send(types.Result, "GET", path("/logs/exports/{}", export_id), query)

    async def update(self, export_id: str, **fields: Any) -> types.Result:
        """Change one that has not begun."""
        return await self._send(types.Result, "PUT", path("/logs/exports/{}", export_id), fields)

    async def start(self, export_id: str, **fields: Any) -> types.Result:
        """Begin one."""
        return await self._send(types.Result, "POST", path("/logs/exports/{}/start", export_id), fields)

    async def cancel(self, export_id: str, **fields: Any) -> types.Result:
        """End one."""
        return await self._send(types.Result, "POST", path("/logs/exports/{}/cancel", export_id), fields)

    async def download(self, export_id: str, **query: Any) -> types.Result:
        """Where the file of one is."""
        return await self._send(types.Result, "GET", path("/logs/exports/{}/download", export_id), query)


class AsyncLogs(AsyncResource):
    """Logs of requests."""

    @property
    def exports(self) -> AsyncLogExports:
        """Logs as files."""
        return AsyncLogExports(self._client)

    async def create(self, *, request: Any, response: Any, metadata: Any = None, **fields: Any) -> types.Result:
        """Add a request that did not go through the gateway."""
        told = {"request": request, "response": response, "metadata": metadata or {}, **fields}
        return await self._send(types.Result, "POST", "/logs", told)

    async def list(self, **query: Any) -> types.Page:
        """A page of them, newest first."""
        return await self._send(types.Page, "GET", "/logs", query)

    async def retrieve(self, log_id: str, **query: Any) -> types.Result:
        """One of them."""
        return await self._send(types.Result, "GET", path("/logs/{}", log_id), query)


class AsyncFeedback(AsyncResource):
    """What callers think of answers."""

    async def create(
        self, *, trace_id: str, value: int, weight: float = 1.0, metadata: dict[str, Any] | None = None, **fields: Any
    ) -> types.FeedbackGiven:
        """Value an answer from -10 to 10, by its trace id."""
        told = {"trace_id": trace_id, "value": value, "weight": weight, "metadata": metadata or {}, **fields}
        return await self._send(types.FeedbackGiven, "POST", "/feedback", told)

    async def bulk_create(self, *, feedbacks: list[dict[str, Any]]) -> types.FeedbackGiven:
        """Value several."""
        return await self._send(types.FeedbackGiven, "POST", "/feedback", feedbacks)

    async def update(self, feedback_id: str, **fields: Any) -> types.FeedbackGiven:
        """Change one."""
        return await self._send(types.FeedbackGiven, "PUT", path("/feedback/{}", feedback_id), fields)


class AsyncAuditLogs(AsyncResource):
    """The trail of changes."""

    async def list(self, **query: Any) -> types.AuditTrail:
        """A page of it, newest first."""
        return await self._send(types.AuditTrail, "GET", "/audit-logs", query)


class AsyncGraphs(AsyncResource):
    """Figures over time: `time_of_generation_min` and `time_of_generation_max`, and other filters."""

    async def requests(self, **query: Any) -> types.Analytics:
        """Requests."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/requests", query)

    async def requests_rescued(self, **query: Any) -> types.Analytics:
        """Requests that a retry or a fallback has rescued."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/requests/rescued", query)

    async def cost(self, **query: Any) -> types.Analytics:
        """Cost, in cents."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/cost", query)

    async def latency(self, **query: Any) -> types.Analytics:
        """Latency, in ms."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/latency", query)

    async def tokens(self, **query: Any) -> types.Analytics:
        """Tokens."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/tokens", query)

    async def users(self, **query: Any) -> types.Analytics:
        """Users."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/users", query)

    async def users_requests(self, **query: Any) -> types.Analytics:
        """Requests of each user."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/users/requests", query)

    async def errors(self, **query: Any) -> types.Analytics:
        """Errors."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/errors", query)

    async def errors_rate(self, **query: Any) -> types.Analytics:
        """Errors, in per cent."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/errors/rate", query)

    async def errors_stacks(self, **query: Any) -> types.Analytics:
        """Errors, by status over time."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/errors/stacks", query)

    async def errors_status_codes(self, **query: Any) -> types.Analytics:
        """Errors, by status."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/errors/status-codes", query)

    async def cache_hit_rate(self, **query: Any) -> types.Analytics:
        """Answers out of the cache, in per cent."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/cache/hit-rate", query)

    async def cache_latency(self, **query: Any) -> types.Analytics:
        """Latency of answers out of the cache, in ms."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/cache/latency", query)

    async def feedbacks(self, **query: Any) -> types.Analytics:
        """Feedback."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks", query)

    async def feedbacks_scores(self, **query: Any) -> types.Analytics:
        """Feedback, by score."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks/scores", query)

    async def feedbacks_weighted(self, **query: Any) -> types.Analytics:
        """Feedback, weighted."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks/weighted", query)

    async def feedbacks_ai_models(self, **query: Any) -> types.Analytics:
        """Feedback, by model."""
        return await self._send(types.Analytics, "GET", "/analytics/graphs/feedbacks/ai-models", query)


class AsyncSummary(AsyncResource):
    """Figures in sum."""

    async def cache(self, **query: Any) -> types.Analytics:
        """What the cache has spared."""
        return await self._send(types.Analytics, "GET", "/analytics/summary/cache", query)


class AsyncGroups(AsyncResource):
    """Figures by what requests have in common."""

    async def group_by(self, group_by: str, **query: Any) -> types.Analytics:
        """By anything that there is a group of."""
        return await self._send(types.Analytics, "GET", path("/analytics/groups/{}", group_by), query)

    async def workspaces(self, **query: Any) -> types.Analytics:
        """By workspace."""
        return await self._send(types.Analytics, "GET", "/analytics/groups/workspaces", query)

    async def users(self, **query: Any) -> types.Analytics:
        """By user."""
        return await self._send(types.Analytics, "GET", "/analytics/groups/users", query)

    async def ai_models(self, **query: Any) -> types.Analytics:
        """By model."""
        return await self._send(types.Analytics, "GET", "/analytics/groups/ai-models", query)

    async def metadata(self, metadata_key: str, **query: Any) -> types.Analytics:
        """By a key of the metadata."""
        return await self._send(types.Analytics, "GET", path("/analytics/groups/metadata/{}", metadata_key), query)


class AsyncAnalytics(AsyncResource):
    """Figures."""

    @property
    def graphs(self) -> AsyncGraphs:
        """Over time."""
        return AsyncGraphs(self._client)

    @property
    def summary(self) -> AsyncSummary:
        """In sum."""
        return AsyncSummary(self._client)

    @property
    def groups(self) -> AsyncGroups:
        """By what requests have in common."""
        return AsyncGroups(self._client)
