"""Every method of the client, how it is called, and the request that it is: `name -> (call, route)`.

A call is given the resource's method. Bodies that matter are in `BODIES`. A test walks the client's classes and holds
that no method is missing here.
"""

from collections.abc import Callable
from typing import Any

HELLO: Any = [{"role": "user", "content": "Hello"}]
FILE = ("a.txt", b"bytes")
Asked = tuple[Callable[[Any], Any], str]

INFERENCE: dict[str, Asked] = {
    "completions.create": (lambda do: do(model="m", prompt="Hi"), "POST /completions"),
    "chat.completions.create": (lambda do: do(model="m", messages=HELLO), "POST /chat/completions"),
    "embeddings.create": (lambda do: do(model="m", input="Hi"), "POST /embeddings"),
    "models.list": (lambda do: do(), "GET /models"),
}
FORWARDED: dict[str, Asked] = {
    "chat.completions.retrieve": (lambda do: do("c"), "GET /chat/completions/c"),
    "chat.completions.update": (lambda do: do("c", metadata={}), "POST /chat/completions/c"),
    "chat.completions.list": (lambda do: do(limit=2), "GET /chat/completions?limit=2"),
    "chat.completions.delete": (lambda do: do("c"), "DELETE /chat/completions/c"),
    "chat.completions.messages.list": (lambda do: do("c"), "GET /chat/completions/c/messages"),
    "models.retrieve": (lambda do: do("a/b"), "GET /models/a%2Fb"),
    "models.delete": (lambda do: do("m"), "DELETE /models/m"),
    "moderations.create": (lambda do: do(input="Hi"), "POST /moderations"),
    "responses.create": (lambda do: do(model="m", input="Hi"), "POST /responses"),
    "responses.retrieve": (lambda do: do("r"), "GET /responses/r"),
    "responses.delete": (lambda do: do("r"), "DELETE /responses/r"),
    "responses.cancel": (lambda do: do("r"), "POST /responses/r/cancel"),
    "responses.compact": (lambda do: do(model="m", input="Hi"), "POST /responses/compact"),
    "responses.input_items.list": (lambda do: do("r"), "GET /responses/r/input_items"),
    "responses.input_tokens.count": (lambda do: do(model="m", input="Hi"), "POST /responses/input_tokens"),
    "messages.create": (lambda do: do(model="m", messages=HELLO, max_tokens=9), "POST /messages"),
    "messages.count_tokens": (lambda do: do(model="m", messages=HELLO), "POST /messages/count_tokens"),
    "images.generate": (lambda do: do(prompt="a cat"), "POST /images/generations"),
    "images.edit": (lambda do: do(image=FILE, prompt="a cat"), "POST /images/edits"),
    "images.create_variation": (lambda do: do(image=FILE), "POST /images/variations"),
    "audio.speech.create": (lambda do: do(model="m", input="Hi", voice="v"), "POST /audio/speech"),
    "audio.transcriptions.create": (lambda do: do(model="m", file=FILE), "POST /audio/transcriptions"),
    "audio.translations.create": (lambda do: do(model="m", file=FILE), "POST /audio/translations"),
    "files.create": (lambda do: do(file=FILE, purpose="batch"), "POST /files"),
    "files.list": (lambda do: do(), "GET /files"),
    "files.retrieve": (lambda do: do("f"), "GET /files/f"),
    "files.content": (lambda do: do("f"), "GET /files/f/content"),
    "files.retrieve_content": (lambda do: do("f"), "GET /files/f/content"),
    "files.delete": (lambda do: do("f"), "DELETE /files/f"),
    "batches.create": (lambda do: do(input_file_id="f", endpoint="/v1/completions"), "POST /batches"),
    "batches.list": (lambda do: do(), "GET /batches"),
    "batches.retrieve": (lambda do: do("b"), "GET /batches/b"),
    "batches.output": (lambda do: do("b"), "GET /batches/b/output"),
    "batches.cancel": (lambda do: do("b"), "POST /batches/b/cancel"),
    "fine_tuning.jobs.create": (lambda do: do(model="m", training_file="f"), "POST /fine_tuning/jobs"),
    "fine_tuning.jobs.list": (lambda do: do(), "GET /fine_tuning/jobs"),
    "fine_tuning.jobs.retrieve": (lambda do: do("j"), "GET /fine_tuning/jobs/j"),
    "fine_tuning.jobs.cancel": (lambda do: do("j"), "POST /fine_tuning/jobs/j/cancel"),
    "fine_tuning.jobs.list_events": (lambda do: do("j"), "GET /fine_tuning/jobs/j/events"),
    "fine_tuning.jobs.checkpoints.list": (lambda do: do("j"), "GET /fine_tuning/jobs/j/checkpoints"),
    "vector_stores.create": (lambda do: do(name="v"), "POST /vector_stores"),
    "vector_stores.list": (lambda do: do(), "GET /vector_stores"),
    "vector_stores.retrieve": (lambda do: do("v"), "GET /vector_stores/v"),
    "vector_stores.update": (lambda do: do("v", name="w"), "POST /vector_stores/v"),
    "vector_stores.delete": (lambda do: do("v"), "DELETE /vector_stores/v"),
    "vector_stores.files.create": (lambda do: do("v", file_id="f"), "POST /vector_stores/v/files"),
    "vector_stores.files.list": (lambda do: do("v"), "GET /vector_stores/v/files"),
    "vector_stores.files.retrieve": (lambda do: do("f", vector_store_id="v"), "GET /vector_stores/v/files/f"),
    "vector_stores.files.delete": (lambda do: do("f", vector_store_id="v"), "DELETE /vector_stores/v/files/f"),
    "vector_stores.file_batches.create": (lambda do: do("v", file_ids=["f"]), "POST /vector_stores/v/file_batches"),
    "vector_stores.file_batches.retrieve": (
        lambda do: do("b", vector_store_id="v"),
        "GET /vector_stores/v/file_batches/b",
    ),
    "vector_stores.file_batches.cancel": (
        lambda do: do("b", vector_store_id="v"),
        "POST /vector_stores/v/file_batches/b/cancel",
    ),
    "vector_stores.file_batches.list_files": (
        lambda do: do("b", vector_store_id="v"),
        "GET /vector_stores/v/file_batches/b/files",
    ),
    "beta.assistants.create": (lambda do: do(model="m"), "POST /assistants"),
    "beta.assistants.list": (lambda do: do(), "GET /assistants"),
    "beta.assistants.retrieve": (lambda do: do("a"), "GET /assistants/a"),
    "beta.assistants.update": (lambda do: do("a", name="b"), "POST /assistants/a"),
    "beta.assistants.delete": (lambda do: do("a"), "DELETE /assistants/a"),
    "beta.threads.create": (lambda do: do(), "POST /threads"),
    "beta.threads.create_and_run": (lambda do: do(assistant_id="a"), "POST /threads/runs"),
    "beta.threads.retrieve": (lambda do: do("t"), "GET /threads/t"),
    "beta.threads.update": (lambda do: do("t", metadata={}), "POST /threads/t"),
    "beta.threads.delete": (lambda do: do("t"), "DELETE /threads/t"),
    "beta.threads.messages.create": (lambda do: do("t", role="user", content="Hi"), "POST /threads/t/messages"),
    "beta.threads.messages.list": (lambda do: do("t"), "GET /threads/t/messages"),
    "beta.threads.messages.retrieve": (lambda do: do("m", thread_id="t"), "GET /threads/t/messages/m"),
    "beta.threads.messages.update": (lambda do: do("m", thread_id="t"), "POST /threads/t/messages/m"),
    "beta.threads.messages.delete": (lambda do: do("m", thread_id="t"), "DELETE /threads/t/messages/m"),
    "beta.threads.runs.create": (lambda do: do("t", assistant_id="a"), "POST /threads/t/runs"),
    "beta.threads.runs.list": (lambda do: do("t"), "GET /threads/t/runs"),
    "beta.threads.runs.retrieve": (lambda do: do("r", thread_id="t"), "GET /threads/t/runs/r"),
    "beta.threads.runs.update": (lambda do: do("r", thread_id="t"), "POST /threads/t/runs/r"),
    "beta.threads.runs.cancel": (lambda do: do("r", thread_id="t"), "POST /threads/t/runs/r/cancel"),
    "beta.threads.runs.submit_tool_outputs": (
        lambda do: do("r", thread_id="t", tool_outputs=[]),
        "POST /threads/t/runs/r/submit_tool_outputs",
    ),
    "beta.threads.runs.steps.list": (lambda do: do("r", thread_id="t"), "GET /threads/t/runs/r/steps"),
    "beta.threads.runs.steps.retrieve": (
        lambda do: do("s", thread_id="t", run_id="r"),
        "GET /threads/t/runs/r/steps/s",
    ),
}


def _kept(name: str, where: str, made: Callable[[Any], Any], id: str = "x") -> dict[str, Asked]:
    """The five methods of what is stored."""
    return {
        f"{name}.create": (made, f"POST {where}"),
        f"{name}.list": (lambda do: do(page_size=5), f"GET {where}?page_size=5"),
        f"{name}.retrieve": (lambda do: do(id), f"GET {where}/{id}"),
        f"{name}.update": (lambda do: do(id, name="b"), f"PUT {where}/{id}"),
        f"{name}.delete": (lambda do: do(id), f"DELETE {where}/{id}"),
    }


CONTROL: dict[str, Asked] = {
    **_kept("configs", "/configs", lambda do: do(name="a", config={})),
    "configs.versions": (lambda do: do("x"), "GET /configs/x/versions"),
    **_kept("virtual_keys", "/virtual-keys", lambda do: do(name="a", provider="openai", key="k")),
    **_kept("providers", "/providers", lambda do: do(name="a", integration_id="i")),
    **_kept("integrations", "/integrations", lambda do: do(name="a", ai_provider_id="openai")),
    "integrations.models.list": (lambda do: do("x"), "GET /integrations/x/models"),
    "integrations.models.update": (lambda do: do("x", models=[]), "PUT /integrations/x/models"),
    "integrations.models.delete": (
        lambda do: do("x", slugs=["a", "b"]),
        "DELETE /integrations/x/models?slugs=a%2Cb",
    ),
    "integrations.workspaces.list": (lambda do: do("x"), "GET /integrations/x/workspaces"),
    "integrations.workspaces.update": (lambda do: do("x", workspaces=[]), "PUT /integrations/x/workspaces"),
    **_kept("api_keys", "/api-keys", lambda do: do(type="workspace", sub_type="service", name="a", scopes=["s"])),
    "api_keys.create": (
        lambda do: do(type="workspace", sub_type="service", name="a", scopes=["s"]),
        "POST /api-keys/workspace/service",
    ),
    "api_keys.rotate": (lambda do: do("x"), "POST /api-keys/x/rotate"),
    **_kept("admin.workspaces", "/admin/workspaces", lambda do: do(name="a")),
    "model_configs.pricing": (lambda do: do("openai", "a/b"), "GET /model-configs/pricing/openai/a%2Fb"),
    "audit_logs.list": (lambda do: do(method="PUT"), "GET /audit-logs?method=PUT"),
    **_kept("policies.usage_limits", "/policies/usage-limits", lambda do: do(type="cost", credit_limit=1)),
    "policies.usage_limits.entities.list": (lambda do: do("x"), "GET /policies/usage-limits/x/entities"),
    "policies.usage_limits.entities.reset": (
        lambda do: do("e", policy_id="x"),
        "PUT /policies/usage-limits/x/entities/e/reset",
    ),
    **_kept("policies.rate_limits", "/policies/rate-limits", lambda do: do(type="requests", unit="rpm", value=1)),
    "logs.create": (lambda do: do(request={}, response={}), "POST /logs"),
    "logs.list": (lambda do: do(page_size=5), "GET /logs?page_size=5"),
    "logs.retrieve": (lambda do: do("x"), "GET /logs/x"),
    "logs.exports.create": (lambda do: do(filters={}), "POST /logs/exports"),
    "logs.exports.list": (lambda do: do(), "GET /logs/exports"),
    "logs.exports.retrieve": (lambda do: do("x"), "GET /logs/exports/x"),
    "logs.exports.update": (lambda do: do("x", filters={}), "PUT /logs/exports/x"),
    "logs.exports.start": (lambda do: do("x"), "POST /logs/exports/x/start"),
    "logs.exports.cancel": (lambda do: do("x"), "POST /logs/exports/x/cancel"),
    "logs.exports.download": (lambda do: do("x"), "GET /logs/exports/x/download"),
    "feedback.create": (lambda do: do(trace_id="t", value=1), "POST /feedback"),
    "feedback.bulk_create": (lambda do: do(feedbacks=[{"trace_id": "t", "value": 1}]), "POST /feedback"),
    "feedback.update": (lambda do: do("x", value=1), "PUT /feedback/x"),
    "analytics.summary.cache": (lambda do: do(), "GET /analytics/summary/cache"),
    "analytics.groups.users": (lambda do: do(), "GET /analytics/groups/users"),
    "analytics.groups.ai_models": (lambda do: do(), "GET /analytics/groups/ai-models"),
    "analytics.groups.workspaces": (lambda do: do(), "GET /analytics/groups/workspaces"),
    "analytics.groups.metadata": (lambda do: do("team"), "GET /analytics/groups/metadata/team"),
    "analytics.groups.group_by": (lambda do: do("provider"), "GET /analytics/groups/provider"),
    **{
        f"analytics.graphs.{name}": (
            lambda do: do(status_code=[200, 201]),
            f"GET /analytics/graphs/{where}?status_code=200%2C201",
        )
        for name, where in {
            "requests": "requests",
            "requests_rescued": "requests/rescued",
            "cost": "cost",
            "latency": "latency",
            "tokens": "tokens",
            "users": "users",
            "users_requests": "users/requests",
            "errors": "errors",
            "errors_rate": "errors/rate",
            "errors_stacks": "errors/stacks",
            "errors_status_codes": "errors/status-codes",
            "cache_hit_rate": "cache/hit-rate",
            "cache_latency": "cache/latency",
            "feedbacks": "feedbacks",
            "feedbacks_scores": "feedbacks/scores",
            "feedbacks_weighted": "feedbacks/weighted",
            "feedbacks_ai_models": "feedbacks/ai-models",
        }.items()
    },
}
SURFACE = {**INFERENCE, **FORWARDED, **CONTROL}


def method(client: Any, name: str) -> Any:
    """A client's method by its name."""
    found = client
    for part in name.split("."):
        found = getattr(found, part)
    return found
