"""Options: the header that each becomes, laid over one another without a trace, and what is no option."""

import json
import os
import re
from typing import Any

import pytest

import portkey_ai
from gatekey.catalog import Catalog
from gatekey.gateway import headers as gateways
from portkey_ai import AsyncPortkey, Portkey, createHeaders
from portkey_ai._options import DEFAULT_URL, ELSEWHERE, HeaderOptions, Options

NAMED = ("headers", "Authorization", "authorization", "forward_headers", "sensitive_headers")
"""Options with a way of their own."""
PREFIXED = sorted(HeaderOptions.__annotations__.keys() - set(NAMED))
DOCUMENTED = set(
    re.findall(
        r"\w+",
        """
    api_key virtual_key config provider trace_id metadata cache_namespace cache_force_refresh debug custom_host
    request_timeout strict_open_ai_compliance forward_headers openai_project openai_organization aws_secret_access_key
    aws_access_key_id aws_session_token aws_region vertex_project_id vertex_region workers_ai_account_id
    azure_resource_name azure_deployment_id azure_api_version azure_endpoint_name huggingface_base_url anthropic_beta
    anthropic_version mistral_fim_completion vertex_storage_bucket_name provider_file_name provider_model aws_s3_bucket
    aws_s3_object_key aws_bedrock_model fireworks_account_id Authorization base_url span_id span_name parent_span_id
""",
    )
)


def test_the_documented_options_are_there() -> None:
    assert not DOCUMENTED - Options.__annotations__.keys()


@pytest.mark.parametrize("name", PREFIXED)
def test_an_option_is_the_header_of_its_name(name: str) -> None:
    header = "x-portkey-" + name.replace("_", "-")
    assert createHeaders(**{name: "12"}) == {header: "12"}
    assert Portkey(**{name: "12"}).headers[header] == "12"


def test_the_gateway_knows_the_headers() -> None:
    """But for those of providers that it does not have, which it ignores."""
    known = {*gateways.TABLE, *(f"x-portkey-{name}" for name in Catalog().option_names().values())}
    ours = {"x-portkey-" + name.replace("_", "-") for name in (*PREFIXED, "forward_headers", "sensitive_headers")}
    providers = r"x-portkey-(aws|azure|vertex|openai|anthropic|fireworks|huggingface|workers-ai|databricks|snowflake|"
    providers += r"mistral|provider)-.+"
    assert not [name for name in ours - known if not re.fullmatch(providers, name)]
    lacking = {name for name in gateways.TABLE if name.startswith("x-portkey-")} - ours
    assert lacking <= {"x-portkey-strict-openai-compliance", "x-portkey-gateway-transport"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"config": {"strategy": {"mode": "single"}}}, '{"strategy":{"mode":"single"}}'),
        ({"metadata": {"_user": "Jürgen"}}, '{"_user":"J\\u00fcrgen"}'),
        ({"metadata": '{"a":"b"}'}, '{"a":"b"}'),
        ({"metadata": {}}, "{}"),
        ({"debug": False}, "false"),
        ({"cache_force_refresh": True}, "true"),
        ({"request_timeout": 1500}, "1500"),
        ({"azure_deployments": [{"a": 1}]}, '[{"a":1}]'),
        ({"forward_headers": ["X-One", "two"]}, "X-One,two"),
        ({"sensitive_headers": ("a",)}, "a"),
        ({"provider": "@openai-prod"}, "@openai-prod"),
    ],
    ids=str,
)
def test_values(given: Any, sent: str) -> None:
    assert list(createHeaders(**given).values()) == [sent]


@pytest.mark.parametrize("given", [None, ""])
def test_nothing_is_sent_of_nothing(given: Any) -> None:
    assert createHeaders(trace_id=given, config=given, headers=None) == {}


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
@pytest.mark.parametrize(
    ("given", "sent"), [("sk-1", "Bearer sk-1"), ("Bearer sk-1", "Bearer sk-1"), ("Basic eA==", "Basic eA==")]
)
def test_authorization(name: Any, given: str, sent: str) -> None:
    assert createHeaders(**{name: given}) == {"authorization": sent}


def test_the_last_authorization_counts() -> None:
    client = Portkey(authorization="sk-1").with_options(Authorization="sk-2")
    assert client.headers["authorization"] == "Bearer sk-2"
    assert client.with_options(authorization="sk-3").headers["authorization"] == "Bearer sk-3"


def test_forwarded_headers_are_sent_by_their_own_names() -> None:
    made: Any = createHeaders
    assert made(forward_headers=["x_custom", "Traced-By"], x_custom="1", traced_by="me") == {
        "x-portkey-forward-headers": "x_custom,Traced-By",
        "x-custom": "1",
        "traced-by": "me",
    }


def test_other_headers_are_sent_as_they_are() -> None:
    assert createHeaders(headers={"X-Mine": "1"}) == {"x-mine": "1"}


@pytest.mark.parametrize("wrong", [{"a b": "1"}, {"": "1"}, {"a:b": "1"}, {"ä": "1"}, {"a": "1\r\nb: 2"}, {"a": "\0"}])
def test_no_option_breaks_out_of_its_header(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        createHeaders(headers=wrong)
    for text in wrong.values():
        if text != "1":
            with pytest.raises(ValueError, match="line break"):
                Portkey(trace_id=text)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("virtualkey", "virtual_key"),
        ("confg", "config"),
        ("traceID", "trace_id"),
        ("api_kei", "api_key"),
        ("timeouts", "timeout"),
        ("metdata", "metadata"),
    ],
)
@pytest.mark.parametrize("make", [Portkey, AsyncPortkey, Portkey().with_options, AsyncPortkey().with_options])
def test_an_unknown_option_is_named_with_the_nearest(make: Any, given: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"There is no option '{given}'. Did you mean '{meant}'?"):
        make(**{given: "x"})


def test_headers_are_no_place_for_other_options() -> None:
    made: Any = createHeaders
    with pytest.raises(TypeError, match="There is no option 'timeout'"):
        made(timeout=3)
    with pytest.raises(TypeError, match=r"There is no option 'xyzzy'. Other headers go into headers=\{...\}"):
        made(xyzzy=3)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_options_of_other_clients_say_what_stands_in_their_place(name: str) -> None:
    made: Any = Portkey
    with pytest.raises(TypeError, match=re.escape(ELSEWHERE[name])):
        made(**{name: None})


@pytest.mark.parametrize("make", [Portkey, AsyncPortkey])
class TestClients:
    """What both clients make of options."""

    def test_the_address(self, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        assert make().base_url == DEFAULT_URL == "http://127.0.0.1:8787/v1"
        monkeypatch.setenv("PORTKEY_BASE_URL", "https://gateway.example/v1/")
        assert make().base_url == "https://gateway.example/v1"
        assert make(base_url="http://10.0.0.1:8000/v1").base_url == "http://10.0.0.1:8000/v1"
        assert make(base_url=None).base_url == "https://gateway.example/v1"

    @pytest.mark.parametrize(
        "wrong", ["gateway.example/v1", "ftp://a/v1", "http://", "http://u:p@a/v1", "http://a/v1?b=c"]
    )
    def test_what_is_no_address(self, make: Any, wrong: str) -> None:
        with pytest.raises(ValueError, match="base_url"):
            make(base_url=wrong)

    def test_the_key(self, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "x-portkey-api-key" not in make().headers
        monkeypatch.setenv("PORTKEY_API_KEY", "gk-environment")
        assert make().headers["x-portkey-api-key"] == "gk-environment"
        assert make(api_key="gk-given").headers["x-portkey-api-key"] == "gk-given"
        assert "x-portkey-api-key" not in make(api_key="").headers

    def test_compliance_is_off_unless_it_is_asked_for(self, make: Any) -> None:
        name = "x-portkey-strict-open-ai-compliance"
        assert make().headers[name] == "false"
        assert make(strict_open_ai_compliance=True).headers[name] == "true"
        assert (
            make(strict_open_ai_compliance=True).with_options(strict_open_ai_compliance=False).headers[name] == "false"
        )

    def test_options_are_laid_over_one_another_and_leave_no_trace(self, make: Any) -> None:
        client = make(api_key="gk-1", config="pc-1", metadata={"a": "b"})
        before = client.headers
        other = client.with_options(config="pc-2", trace_id="t")
        assert type(other) is type(client)
        assert other.headers == {**before, "x-portkey-config": "pc-2", "x-portkey-trace-id": "t"}
        assert client.headers == before
        other.headers["x-portkey-config"] = "pc-3"
        assert other.headers["x-portkey-config"] == "pc-2"

    def test_a_dict_of_options(self, make: Any) -> None:
        client = make(config="pc-1")
        assert client.with_options({"config": "pc-2"}).headers == client.with_options(config="pc-2").headers
        assert client.with_options({"config": "a", "trace_id": "t"}, config="b").headers["x-portkey-config"] == "b"
        with pytest.raises(TypeError, match="Did you mean 'config'"):
            client.with_options({"confg": "pc-2"})

    @pytest.mark.parametrize("name", PREFIXED)
    def test_what_is_on_can_be_switched_off(self, make: Any, name: str) -> None:
        header = "x-portkey-" + name.replace("_", "-")
        client = make(**{name: "12"})
        off = client.with_options(**{name: None}).headers.get(header)
        assert off == ("false" if name == "strict_open_ai_compliance" else None)
        assert client.headers[header] == "12"

    def test_switched_off_and_false_differ(self, make: Any) -> None:
        client = make(debug=True)
        assert client.with_options(debug=False).headers["x-portkey-debug"] == "false"
        assert "x-portkey-debug" not in client.with_options(debug=None).headers

    def test_the_options_given_are_not_kept_hold_of(self, make: Any) -> None:
        config = {"provider": "openai"}
        client = make(config=config)
        config["provider"] = "groq"
        assert json.loads(client.headers["x-portkey-config"]) == {"provider": "openai"}

    def test_it_says_where_it_leads_and_not_with_which_key(self, make: Any) -> None:
        assert repr(make(api_key="gk-secret")) == f"{make.__name__}(base_url='{DEFAULT_URL}')"

    def test_time_outs_and_retries(self, make: Any) -> None:
        assert make()._settings.timeout == 600
        assert make(timeout=3)._settings.timeout == 3
        assert make(timeout=None)._settings.timeout is None
        assert make(request_timeout=900_000)._settings.timeout == 910
        assert make()._settings.max_retries == make(max_retries=None)._settings.max_retries == 2
        assert make(max_retries=0)._settings.max_retries == 0


def test_the_address_for_other_clients() -> None:
    assert os.environ.get("PORTKEY_BASE_URL", DEFAULT_URL) == portkey_ai.PORTKEY_GATEWAY_URL
