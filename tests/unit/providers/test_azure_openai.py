import json

import pytest
from shaping import catalog, sent, shaped

from gatekey.errors import BadBody, BadConfig, NotAvailable

DATED = {"azure_resource_name": "contoso", "azure_deployment_id": "mine", "azure_api_version": "2024-10-21"}
CHAT = {"model": "gpt-4o", "messages": [], "stream": True}


def test_a_dated_version_names_the_deployment_in_the_path_and_leaves_the_model() -> None:
    call = shaped("azure-openai", "chat", CHAT, DATED)
    where = "https://contoso.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert call.url == where
    assert json.loads(call.body)["model"] == "gpt-4o"


@pytest.mark.parametrize(
    ("version", "url"),
    [
        ("", "https://contoso.openai.azure.com/openai/v1/embeddings"),
        ("v1", "https://contoso.openai.azure.com/openai/v1/embeddings"),
        ("preview", "https://contoso.openai.azure.com/openai/v1/embeddings?api-version=preview"),
    ],
)
def test_v1_is_the_default_and_names_the_deployment_in_the_model(version: str, url: str) -> None:
    call = shaped(
        "azure-openai", "embeddings", {"model": "gpt-4o", "input": "x"}, {**DATED, "azure_api_version": version}
    )
    assert call.url == url
    assert json.loads(call.body)["model"] == "mine"


def test_the_body_names_the_deployment_where_no_option_does() -> None:
    options = {"azure_resource_name": "contoso", "azure_api_version": "2024-10-21"}
    assert "/deployments/gpt-4o/completions?" in shaped("azure-openai", "completions", {"model": "gpt-4o"}, options).url
    with pytest.raises(BadBody) as caught:
        shaped("azure-openai", "completions", {"prompt": "x"}, options)
    assert caught.value.param == "model"


@pytest.mark.parametrize(("model", "deployment"), [("fast", "d1"), ("d2", "d2"), ("other", "d2"), ("", "d2")])
def test_one_of_several_deployments_is_picked_by_its_alias(model: str, deployment: str) -> None:
    several = [
        {"deployment_id": "d1", "alias": "fast", "api_version": "2024-06-01"},
        {"deployment_id": "d2", "alias": "good", "is_default": True},
    ]
    options = {**DATED, "azure_deployments": json.dumps(several)}
    url = shaped("azure-openai", "chat", {**CHAT, "model": model}, options).url
    version = "2024-06-01" if deployment == "d1" else "2024-10-21"
    assert f"/deployments/{deployment}/chat/completions?api-version={version}" in url


def test_a_deployment_cannot_climb_out_of_the_path() -> None:
    assert (
        "/deployments/..%2Fx%3F/" in shaped("azure-openai", "chat", CHAT, {**DATED, "azure_deployment_id": "../x?"}).url
    )


@pytest.mark.parametrize("version", ["2024-10-21", "2025-01-01-preview", "v1"])
def test_usage_is_asked_for_where_the_version_knows_it(version: str) -> None:
    body = sent("azure-openai", "chat", CHAT, {**DATED, "azure_api_version": version})
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("version", ["2024-06-01", "2023-05-15"])
def test_usage_is_not_asked_for_where_the_version_would_refuse_it(version: str) -> None:
    assert "stream_options" not in sent("azure-openai", "chat", CHAT, {**DATED, "azure_api_version": version})


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"azure_resource_name": ""}, "azure_resource_name"),
        ({"azure_resource_name": "evil.example/x"}, "azure_resource_name"),
        ({"azure_resource_name": "a@b"}, "azure_resource_name"),
        ({"azure_resource_name": "-a"}, "azure_resource_name"),
        ({"azure_resource_name": "contoso\n"}, "azure_resource_name"),
        ({"azure_api_version": "2024-10-21&x=y"}, "azure_api_version"),
        ({"azure_deployments": "{"}, "azure_deployments"),
        ({"azure_deployments": "[{}]"}, "azure_deployments"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, str], param: str) -> None:
    with pytest.raises(BadConfig) as caught:
        shaped("azure-openai", "chat", CHAT, {**DATED, **options})
    assert caught.value.param == param
    assert param in caught.value.message


def test_a_custom_host_needs_no_resource() -> None:
    url = shaped("azure-openai", "chat", CHAT, {"azure_deployment_id": "mine"}, host="https://apim.example/openai").url
    assert url == "https://apim.example/openai/v1/chat/completions"


def test_keys_and_tokens() -> None:
    assert catalog.provider("azure-openai").auth("KEY") == {"api-key": "KEY"}
    call = shaped("azure-openai", "chat", CHAT, {**DATED, "azure_ad_token": "Bearer T", "openai_beta": "b"})
    assert call.headers == {"authorization": "Bearer T", "openai-beta": "b"}
    with pytest.raises(NotAvailable) as caught:
        shaped("azure-openai", "chat", CHAT, {**DATED, "azure_auth_mode": "managed"})
    assert caught.value.param == "azure_auth_mode"
