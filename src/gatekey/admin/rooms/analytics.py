"""`/analytics`: graphs, a summary, groups, portkey-api.md 7.6. What clients call otherwise is served, too."""

from collections.abc import Awaitable, Callable

from gatekey.admin import graphs, groups, questions
from gatekey.admin.graphs import Graph
from gatekey.admin.route import Answer, Handler, Query, Route
from gatekey.admin.visit import Visit
from gatekey.errors import BadHeader, NotFound

GRAPHS: dict[str, tuple[Graph, str]] = {
    "requests": (graphs.requests, "Requests, by time."),
    "cost": (graphs.cost, "What requests cost, in cents, by time."),
    "latency": (graphs.latency, "How long requests took, in ms, by time."),
    "tokens": (graphs.tokens, "Tokens of requests and answers, by time."),
    "users": (graphs.users, "Different users, by time."),
    "users/requests": (graphs.users_requests, "Requests per user, by time."),
    "errors": (graphs.errors, "Requests that failed, by time."),
    "errors/rate": (graphs.errors_rate, "Requests that failed, in percent, by time."),
    "errors/stacks": (graphs.errors_stacks, "Requests that failed, by time and status."),
    "errors/status-codes": (graphs.errors_status_codes, "Requests that failed, by status."),
    "requests/rescued": (graphs.requests_rescued, "Requests that retries or another target rescued, by time."),
    "cache/hit-rate": (graphs.cache_hit_rate, "Answers out of the cache and what they saved, by time."),
    "cache/latency": (graphs.cache_latency, "How long answers out of the cache took, in ms, by time."),
    "feedbacks": (graphs.feedbacks, "Feedback given, by time."),
    "feedbacks/scores": (graphs.feedbacks_scores, "Feedback given, by value."),
    "feedbacks/weighted": (graphs.feedbacks_weighted, "Value times weight of feedback on average, by time."),
    "feedbacks/ai-models": (graphs.feedbacks_ai_models, "Feedback, by the models that answered."),
}
ALIASES = {
    "users-requests": "users/requests",
    "errors-rate": "errors/rate",
    "errors-stack": "errors/stacks",
    "errors-status-code": "errors/status-codes",
    "requests-rescued": "requests/rescued",
    "cache-hit-rate": "cache/hit-rate",
    "cache-latency": "cache/latency",
    "feedbacks/score": "feedbacks/scores",
}
"""As the Node client asks for them."""
UNSTEPPED = frozenset({"errors/status-codes", "feedbacks/scores", "feedbacks/ai-models"})
"""Graphs that are not by time."""


async def cache_summary(visit: Visit) -> Answer:
    """The cache in the whole range."""
    return await visit.read(graphs.cache_summary, await questions.question(visit))


async def ai_models(visit: Visit) -> Answer:
    """A page of models."""
    return await visit.read(groups.ai_models, await questions.question(visit), questions.page(visit))


async def users(visit: Visit) -> Answer:
    """A page of users."""
    return await visit.read(groups.users, await questions.question(visit), questions.page(visit))


async def workspaces(visit: Visit) -> Answer:
    """A page of workspaces."""
    return await _groups(visit, "workspace")


async def metadata(visit: Visit) -> Answer:
    """A page of the values of a key."""
    key = questions.metadata_key(visit.parameters["key"], "key")
    return await visit.read(groups.metadata, await questions.question(visit), questions.page(visit), key)


async def grouped(visit: Visit) -> Answer:
    """A page of groups of any kind."""
    kind = visit.parameters["group_by"]
    if kind not in groups.KINDS:
        raise NotFound(f"There are no groups by {kind!r}: by {', '.join(groups.KINDS)}.", param="group_by")
    return await _groups(visit, kind)


async def _groups(visit: Visit, kind: str) -> Answer:
    given = visit.query.get("columns", "")
    columns = [name.strip() for name in given.split(",") if name.strip()] or list(groups.USUAL)
    for name in columns:
        if name not in groups.COLUMNS and name not in groups.SHARES:
            raise BadHeader(f"columns: there is no column {name[:60]!r}.", param="columns")
    return await visit.read(groups.of, await questions.question(visit), questions.page(visit), kind, columns)


def _graph(name: str) -> Callable[[Visit], Awaitable[Answer]]:
    graph, _ = GRAPHS[name]

    async def handler(visit: Visit) -> Answer:
        return await visit.read(graph, await questions.question(visit, stepped=name not in UNSTEPPED))

    return handler


def _route(path: str, handler: Handler, about: str, *more: Query, action: str = "view") -> Route:
    return Route(
        method="GET",
        path=f"/analytics/{path}",
        handler=handler,
        scope="analytics.view",
        about=about,
        resource="analytics",
        action=action,
        query=(*questions.PARAMETERS, *more),
    )


def _routes() -> list[Route]:
    served = {name: name for name in GRAPHS} | ALIASES
    every = [
        _route(f"graphs/{path}", _graph(name), GRAPHS[name][1], *(() if name in UNSTEPPED else (questions.STEP,)))
        for path, name in served.items()
    ]
    every.append(_route("summary/cache", cache_summary, "Hits and speed of the cache in the whole range."))
    columns = Query("columns", f"By commas, of {', '.join((*groups.COLUMNS, *groups.SHARES))}.")
    for path, handler, about, more in (
        ("users", users, "What users asked for and cost.", ()),
        ("ai-models", ai_models, "What models were asked for and cost.", ()),
        ("workspaces", workspaces, "What workspaces asked for and cost.", (columns,)),
        ("metadata/{key}", metadata, "What requests by the values of a key of metadata came to.", ()),
        ("{group_by}", grouped, f"What requests by {', '.join(groups.KINDS)} came to.", (columns,)),
    ):
        every.append(_route(f"groups/{path}", handler, about, *questions.PAGE, *more, action="list"))
    return every


routes = tuple(_routes())
