"""`/feedback`: what callers think of answers, portkey-api.md 4.5 and 7.9.

It is no change to the gateway: what is accepted is kept as feedback, with the key that gave it, and not in the audit
trail besides.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from gatekey.admin.route import Answer, Route
from gatekey.admin.visit import Visit
from gatekey.errors import BadBody
from gatekey.store import feedback
from gatekey.store.feedback import Opinion

Trace = Annotated[str, Meta(pattern=r"^[^\x00]{1,4096}$")]
Value = Annotated[int, Meta(ge=-10, le=10)]
Weight = Annotated[float, Meta(ge=0, le=1)]
Metadata = Annotated[dict[str, Any], Meta(max_length=64)]


class New(Struct, forbid_unknown_fields=True):
    """Feedback on a trace. A trace may get several."""

    trace_id: Trace
    value: Value
    weight: Weight | None = None
    metadata: Metadata | None = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change. `feedback_id` and `trace_id` may be repeated, and stay."""

    value: Value
    weight: Weight | None = None
    metadata: Metadata | None = None
    feedback_id: str | None = None
    trace_id: str | None = None


async def create(visit: Visit) -> Answer:
    """Take one, or several."""
    asked: list[New] = visit.content
    opinions = [
        Opinion(each.trace_id, each.value, 1.0 if each.weight is None else each.weight, each.metadata or {})
        for each in asked
    ]
    made = await visit.house.database.write(
        lambda write: feedback.add(write, opinions, workspace=visit.principal.home, api_key=visit.principal.id)
    )
    return _told("Feedback successfully saved", made)


async def update(visit: Visit) -> Answer:
    """Change one."""
    id, asked = visit.parameters["id"], visit.content
    found = await visit.read(feedback.find, id)
    visit.inside(found["workspace_id"])
    for name, wanted in (("feedback_id", id), ("trace_id", found["trace_id"])):
        if getattr(asked, name) not in (None, wanted):
            raise BadBody(f"{name}: it cannot be changed.", param=name)
    given = {"value": asked.value, "weight": asked.weight, "metadata": asked.metadata}
    columns = {name: value for name, value in given.items() if value is not None}
    await visit.house.database.write(lambda write: feedback.change(write, id, **columns))
    return _told("Feedback successfully updated", [id])


def _told(message: str, ids: list[str]) -> Answer:
    return {"status": "success", "message": message, "feedback_ids": ids}


routes = (
    Route(method="POST", path="/feedback", handler=create, scope="logs.write", body=New, several=True,
          about="Give feedback on a trace, or on several.", resource="feedback", action="create"),
    Route(method="PUT", path="/feedback/{id}", handler=update, scope="logs.write", body=Change,
          about="Change feedback.", resource="feedback", action="update"),
)  # fmt: skip
