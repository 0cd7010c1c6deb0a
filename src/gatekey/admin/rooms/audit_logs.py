"""`/audit-logs`: who asked for which change, portkey-api.md 4.5."""

from gatekey.admin.rooms.workspaces import PAGE
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import Visit, milliseconds, moment
from gatekey.errors import BadBody, BadHeader
from gatekey.store import audit, rows
from gatekey.store.rows import Row

FILTERS = {
    "method": "POST, PUT or DELETE.",
    "uri": "Path of the request, whole.",
    "request_id": "Trace id of the request.",
    "user_id": "Who asked.",
    "user_type": "`user` or `api_key`.",
    "workspace_id": "Workspace of the key that asked.",
    "resource_type": "What it was about, such as `api_keys`.",
    "action": "What was to be done, such as `create`.",
    "client_ip": "Address that the connection came from.",
}
"""Query parameters that a column must equal."""


async def every(visit: Visit) -> Answer:
    """A page of the trail, newest first."""
    filters: Row = {name: visit.query[name] for name in FILTERS if visit.query.get(name)}
    code = visit.query.get("response_status_code", "")
    if code:
        if not (code.isascii() and code.isdigit() and len(code) == 3):
            name = "response_status_code"
            raise BadHeader(f"{name}: expected a status such as 200, got {code[:60]!r}.", param=name)
        filters["response_status_code"] = int(code)
    if visit.query.get("country"):
        return _answer([], 0)  # where a request came from is not looked up, so that none matches
    number, size = visit.page()
    found, total = await visit.read(
        audit.search, filters, _moment(visit, "start_time"), _moment(visit, "end_time"), number, size
    )
    return _answer([told(row) for row in found], total)


def _moment(visit: Visit, name: str) -> int | None:
    try:
        return milliseconds(visit.query.get(name), name)
    except BadBody as failure:
        raise BadHeader(failure.message, param=name) from None


def _answer(records: list[Answer], total: int) -> Answer:
    return {"object": "list", "total": total, "records": records}


def told(row: Row) -> Answer:
    """A record as the API shows it."""
    return {
        "id": row["id"],
        "timestamp": moment(row["timestamp"]),
        "method": row["method"],
        "uri": row["uri"],
        "request_id": row["request_id"],
        "request_body": rows.value(row["request_body"]),
        "query_params": rows.value(row["query_params"]),
        "request_headers": rows.value(row["request_headers"]),
        "user_id": row["user_id"],
        "user_type": row["user_type"],
        "organisation_id": None,
        "workspace_id": row["workspace_id"],
        "response_status_code": row["response_status_code"],
        "resource_type": row["resource_type"],
        "action": row["action"],
        "client_ip": row["client_ip"],
        "country": None,
    }


routes = (
    Route(method="GET", path="/audit-logs", handler=every, scope="audit_logs.list", organisation=True,
          about="The audit trail: every change that was asked for, newest first.",
          resource="audit_logs", action="list",
          query=(
              *PAGE,
              *(Query(name, about) for name, about in FILTERS.items()),
              Query("start_time", "From this moment on, such as 2027-01-31T00:00:00Z."),
              Query("end_time", "Until this moment."),
              Query("response_status_code", "What was answered.", {"type": "integer"}),
              Query("country", "Not looked up: nothing matches."),
              Query("organisation_id", "Ignored: there is one organisation."),
          )),
)  # fmt: skip
