"""The control plane of a running gateway, through the client: stored, used, changed, gone."""

from collections.abc import Iterator
from typing import Any

import pytest

import portkey_ai
from portkey_ai import types
from tests.fake import Fake, wait_until
from tests.gateway import KEY, Gateway
from tests.sdk.ways import WAYS, Way

SECRET = "sk-kept-by-the-gateway"


@pytest.fixture(params=WAYS)
def admin(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Way]:
    """A client with the admin key, and nothing else."""
    made = WAYS[request.param](base_url=f"{gateway.url}/v1", api_key=KEY)
    yield made
    made.end()


def test_from_a_key_to_an_answer_and_back(admin: Way, fake: Fake) -> None:
    made = admin(
        lambda client: client.virtual_keys.create(name="a", provider="openai", key=SECRET, custom_host=fake.base)
    )
    assert type(made) is types.VirtualKey
    slug = made.slug
    saved = admin(
        lambda client: client.configs.create(
            name="b", config={"virtual_key": slug, "override_params": {"temperature": 0}}
        )
    )
    place = saved.data.slug if "data" in saved else saved.slug
    key = admin(
        lambda client: client.api_keys.create(
            type="workspace", sub_type="service", name="c", scopes=["completions.write"], defaults={"config_id": place}
        )
    )
    found = admin(
        lambda client: client.with_options(api_key=key.key).chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}]
        )
    )
    assert found.choices[0].message.content == "This is a test."
    assert fake.requests[0].json["temperature"] == 0
    assert fake.requests[0].header("authorization") == f"Bearer {SECRET}"
    with pytest.raises(portkey_ai.PermissionDeniedError) as refused:
        admin(lambda client: client.with_options(api_key=key.key).virtual_keys.list())
    assert (refused.value.by, refused.value.status_code) == ("gateway", 403)

    assert admin(lambda client: client.configs.retrieve(place)).name == "b"
    admin(lambda client: client.configs.update(place, config={"virtual_key": slug}))
    assert admin(lambda client: client.configs.versions(place)).total == 2
    with pytest.raises(portkey_ai.ConflictError, match="is used by"):
        admin(lambda client: client.configs.delete(place))
    again = admin(lambda client: client.api_keys.rotate(key.id, key_transition_period_ms=3_600_000))
    assert again.key != key.key
    admin(lambda client: client.api_keys.delete(key.id))
    with pytest.raises(portkey_ai.AuthenticationError):
        admin(lambda client: client.with_options(api_key=again.key).models.list())
    admin(lambda client: client.configs.delete(place))
    admin(lambda client: client.virtual_keys.update(slug, note="n"))
    assert admin(lambda client: client.virtual_keys.retrieve(slug)).note == "n"
    assert SECRET not in str(admin(lambda client: client.virtual_keys.list(page_size=1000)))
    admin(lambda client: client.virtual_keys.delete(slug))
    with pytest.raises(portkey_ai.NotFoundError):
        admin(lambda client: client.virtual_keys.retrieve(slug))
    trail = admin(lambda client: client.audit_logs.list(page_size=5))
    assert [record.action for record in trail.records][:1] == ["delete"]


def test_integrations_and_workspaces(admin: Way) -> None:
    credential = {"name": "i", "ai_provider_id": "openai", "key": SECRET, "create_default_provider": False}
    made = admin(lambda client: client.integrations.create(**credential))
    room = admin(lambda client: client.admin.workspaces.create(name="w"))
    listed = admin(lambda client: client.admin.workspaces.list(page_size=1000))
    assert room.id in [workspace.id for workspace in listed.data]
    admin(
        lambda client: client.integrations.workspaces.update(
            made.slug, workspaces=[{"id": room.id, "enabled": True}], create_default_provider=False
        )
    )
    assert admin(lambda client: client.integrations.workspaces.list(made.slug))
    models = [{"slug": "m-1", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}]
    admin(lambda client: client.integrations.models.update(made.slug, models=models))
    assert "m-1" in str(admin(lambda client: client.integrations.models.list(made.slug)))
    admin(lambda client: client.integrations.models.delete(made.slug, slugs=["m-1"]))
    provider = admin(lambda client: client.providers.create(name="p", integration_id=made.slug, workspace_id=room.id))
    assert admin(lambda client: client.providers.retrieve(provider.slug, workspace_id=room.id)).name == "p"
    admin(lambda client: client.providers.delete(provider.slug, workspace_id=room.id))
    admin(lambda client: client.integrations.delete(made.slug))
    admin(lambda client: client.admin.workspaces.delete(room.id, force_delete=True))


def test_prices(admin: Way) -> None:
    assert admin(lambda client: client.model_configs.pricing("openai", "gpt-4o"))
    with pytest.raises(portkey_ai.NotFoundError):
        admin(lambda client: client.model_configs.pricing("openai", "not/there"))


def test_limits(admin: Way) -> None:
    made = admin(
        lambda client: client.policies.rate_limits.create(
            name="r",
            conditions=[{"key": "metadata.team", "value": "a"}],
            group_by=[{"key": "api_key"}],
            type="requests",
            unit="rpm",
            value=10,
        )
    )
    assert admin(lambda client: client.policies.rate_limits.retrieve(made.id)).value == 10
    admin(lambda client: client.policies.rate_limits.update(made.id, value=20))
    assert admin(lambda client: client.policies.rate_limits.list()).data
    admin(lambda client: client.policies.rate_limits.delete(made.id))


def test_logs_feedback_and_figures(admin: Way, fake: Fake) -> None:
    def ask(client: Any) -> Any:
        told = client.with_options(provider="openai", authorization=SECRET, custom_host=fake.base, trace_id="of-a-log")
        return told.completions.create(model="m", prompt="Hello")

    admin(ask)
    given = admin(lambda client: client.feedback.create(trace_id="of-a-log", value=5))
    assert given.status == "success"
    assert len(given.feedback_ids) == 1
    admin(lambda client: client.feedback.update(given.feedback_ids[0], value=-5))
    wait_until(lambda: admin(lambda client: client.logs.list(trace_id="of-a-log")).data, 20, "the log is there")
    times = {"time_of_generation_min": "2020-01-01T00:00:00Z", "time_of_generation_max": "2100-01-01T00:00:00Z"}
    assert admin(lambda client: client.analytics.graphs.requests(**times))
    assert admin(lambda client: client.analytics.groups.ai_models(**times))
    assert admin(lambda client: client.analytics.summary.cache(**times))
