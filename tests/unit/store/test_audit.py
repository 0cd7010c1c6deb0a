"""What the audit trail hides, and what it keeps."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.store.audit import HIDDEN, masked

SECRET = "s3cr3t-of-the-caller"


@pytest.mark.parametrize(
    "name",
    [
        "key", "Key", "api_key", "apiKey", "API_KEY", "secret", "client_secret", "clientSecret", "token", "authToken",
        "password", "credential", "credentials", "authorization", "Authorization", "awsAccessKeyId",
        "awsSecretAccessKey", "aws_secret_access_key", "awsSessionToken", "azure_entra_client_secret",
        "vertex_service_account_json", "private_key", "custom_headers", "x-api-key", "x-portkey-api-key",
    ],
)  # fmt: skip
def test_what_is_named_as_a_credential_is_hidden(name: str) -> None:
    assert masked({name: SECRET}) == {name: HIDDEN}
    assert masked([{"a": [{name: {"deep": SECRET}}]}]) == [{"a": [{name: HIDDEN}]}]


@pytest.mark.parametrize(
    "name", ["name", "slug", "note", "virtual_key", "api_key_id", "max_tokens", "key_transition_period_ms", "monkey"]
)
def test_what_is_not_stays(name: str) -> None:
    assert masked({name: "x"}) == {name: "x"}


def test_what_a_policy_looks_at_is_no_credential() -> None:
    policy = {"conditions": [{"key": "metadata._user", "value": "bob"}], "group_by": [{"key": "api_key"}]}
    assert masked(policy) == policy
    assert masked({"conditions": [{"key": SECRET}], "api_key": "metadata.x"}) == {
        "conditions": [{"key": HIDDEN}],
        "api_key": HIDDEN,
    }


def test_a_text_of_json_is_looked_into() -> None:
    text = masked({"config": json.dumps({"api_key": SECRET, "provider": "openai"})})["config"]
    assert json.loads(text) == {"api_key": HIDDEN, "provider": "openai"}
    assert masked({"config": '{"api_key": "' + SECRET}) == {"config": HIDDEN}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(_json, st.sampled_from(["key", "apiKey", "password", "custom_headers"]))
def test_no_depth_hides_a_secret_from_it(around: Any, name: str) -> None:
    value: Any = {name: SECRET}
    for wrapper in (lambda inner: [around, inner], lambda inner: {"x": inner, "y": around}):
        value = wrapper(value)
    assert SECRET not in json.dumps(masked(value))


@given(_json)
def test_masking_twice_is_masking_once(value: Any) -> None:
    assert masked(masked(value)) == masked(value)
