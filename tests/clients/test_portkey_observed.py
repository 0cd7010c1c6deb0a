"""The Portkey clients of PyPI and npm, reading analytics and giving feedback."""

import pytest

from tests.clients.environment import Run
from tests.fake import Fake

pytestmark = pytest.mark.timeout(900)  # their environments may have to be made

GRAPHS = {
    "requests": {"total": 3},
    "errors": {"total": 0},
    "users": {"total": 1},
    "feedbacks": {"total": 3},
    "errors_rate": {"rate": 0},
    "errors_stacks": {"total": 0},
    "errors_status_codes": {"total_errors": 0, "unique_error_codes": 0},
    "requests_rescued": {"retry": 0, "fallback": 0},
    "feedbacks_scores": {"total": 3},
    "users_requests": {"total": 3, "unique": 1, "avg": 3},
}
"""What some of its graphs sum up to, as the Python client names them."""


PYTHON = """
import time

admin = Portkey(api_key=KEY, base_url=URL)
made = admin.admin.workspaces.create(name="observed by python")
key = admin.api_keys.create(
    name="of the client", type="workspace", sub_type="service", workspace_id=made.id,
    scopes=["completions.write", "analytics.view", "logs.write"],
).key
client = Portkey(
    api_key=key, base_url=URL, config=INLINE, trace_id="of-python", metadata={"_user": "ann", "team": "red"}
)
for _ in range(3):
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])

one = client.feedback.create(trace_id="of-python", value=5, weight=0.5, metadata={"by": "me"})
many = client.feedback.bulk_create(
    feedbacks=[{"trace_id": "of-python", "value": -5}, {"trace_id": "of-python", "value": 10}]
)
changed = client.feedback.update(feedback_id=one.feedback_ids[0], value=8)
refused = failure(lambda: client.feedback.create(trace_id="of-python", value=11))

span = dict(time_of_generation_min="2020-01-01T00:00:00+05:30", time_of_generation_max="2099-01-01T00:00:00Z")
graphs, groups = client.analytics.graphs, client.analytics.groups
until = time.monotonic() + 10
while graphs.requests(**span).summary["total"] < 3 and time.monotonic() < until:
    time.sleep(0.05)
names = [name for name in dir(graphs) if not name.startswith("_") and callable(getattr(graphs, name))]
shown = {name: getattr(graphs, name)(**span) for name in names}
rows = {
    "users": groups.users(**span).data, "ai_models": groups.ai_models(**span).data,
    "workspaces": groups.workspaces(**span).data,
    "metadata": groups.metadata(metadata_key="team", **span).data,
    "model": groups.group_by(group_by="model", columns="requests,p95_latency", **span).data,
}
cache = client.analytics.summary.cache(**span)
filtered = graphs.requests(**span, metadata='{"team": "blue"}').summary
show(
    one=one.dict(), many=many.dict(), changed=changed.dict(), refused=type(refused).__name__,
    summaries={name: graph.summary for name, graph in shown.items()},
    objects=list({graph.object for graph in shown.values()}), rows=rows, cache=cache.summary,
    filtered=filtered, slug=made.slug, weighted=shown["feedbacks_weighted"].summary,
)
"""


def test_python(portkey: Run, fake: Fake) -> None:
    found = portkey(PYTHON)
    assert found["one"]["status"] == "success"
    assert len(found["many"]["feedback_ids"]) == 2
    assert found["changed"]["feedback_ids"] == found["one"]["feedback_ids"]
    assert found["refused"] == "BadRequestError"
    assert len(found["summaries"]) == 17
    assert found["objects"] == ["analytics-graph"]
    assert {name: found["summaries"][name] for name in GRAPHS} == GRAPHS
    assert found["summaries"]["cost"]["total"] > 0
    assert found["weighted"] == {"avg": 3}
    rows = found["rows"]
    assert [(row["user"], row["requests"]) for row in rows["users"]] == [("ann", 3)]
    assert [(row["ai_model"], row["requests"]) for row in rows["ai_models"]] == [("gpt-4o-mini", 3)]
    assert [row["workspace"] for row in rows["workspaces"]] == [found["slug"]]
    [team] = rows["metadata"]
    assert (team["metadata_value"], team["requests_with_feedback"], team["avg_weighted_feedback"]) == ("red", 3, 3)
    assert rows["model"][0]["p95_latency"] > 0
    assert found["cache"]["total_requests"] == 3
    assert found["filtered"] == {"total": 0}


def test_node(node: Run, fake: Fake) -> None:
    """It names eight graphs otherwise, and writes an array of feedback as an object."""
    found = node("""
        const admin = new Portkey({ apiKey, baseURL: url });
        const made = await admin.admin.workspaces.create({ name: 'observed by node' });
        const { key } = await admin.apiKeys.create({
          name: 'of the client', type: 'workspace', 'sub-type': 'service', workspace_id: made.id,
          scopes: ['completions.write', 'analytics.view', 'logs.write'],
        });
        const client = new Portkey({ apiKey: key, baseURL: url, config: inline, traceID: 'of-node' });
        const messages = [{ role: 'user', content: 'Hello' }];
        await client.chat.completions.create({ messages, model: 'gpt-4o-mini' });
        const one = await client.feedback.create({ traceID: 'of-node', value: 5, weight: 0.5 });
        const several = [{ traceID: 'of-node', value: -5 }, { traceID: 'of-node', value: 1 }];
        const many = await client.feedback.create(several);
        const changed = await client.feedback.update({ feedbackID: one.feedback_ids[0], value: 10 });
        const span = { time_of_generation_min: '2020-01-01T00:00:00Z', time_of_generation_max: '2099-01-01T00:00:00Z' };
        const { graphs, groups, summary } = client.analytics;
        const until = Date.now() + 10000;
        while ((await graphs.requests(span)).summary.total < 1 && Date.now() < until) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const [, ...names] = Object.getOwnPropertyNames(Object.getPrototypeOf(graphs));
        const objects = {};
        for (const name of names) objects[name] = (await graphs[name](span)).object;
        const scores = (await graphs.feedbacks_score(span)).data_points;
        show({
          ids: [one, many, changed].map((answer) => answer.feedback_ids.length), objects, scores,
          models: (await groups.aiModels(span)).data, cache: (await summary.cache(span)).summary,
        });
    """)
    assert found["ids"] == [1, 2, 1]
    assert len(found["objects"]) == 17
    assert set(found["objects"].values()) == {"analytics-graph"}
    assert found["scores"] == [{"score": -5, "total": 1}, {"score": 1, "total": 1}, {"score": 10, "total": 1}]
    assert [(row["ai_model"], row["requests"]) for row in found["models"]] == [("gpt-4o-mini", 1)]
    assert found["cache"]["hits"] == 0
