"""What each key of the language refuses, in which words, and that the schema from the same table agrees."""

import jsonschema_rs
import pytest

from gatekey.config.load import load, schema
from gatekey.errors import BadConfig, NotAvailable


def refused(catalog, source, kind=BadConfig):
    with pytest.raises(kind) as caught:
        load(source, catalog)
    assert type(caught.value) is kind
    return caught.value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"targets": [{}, {"prompt_id": "p"}]}', "targets[1].prompt_id"),
        ('{"passthrough": true}', "passthrough"),
        ('{"passthrough": {"x": 1}}', "passthrough"),
        ('{"input_guardrails": ["pg-abc"]}', "input_guardrails"),
        (
            '{"inputGuardrails": [{"id": "pii", "default.contains": {"operator": "none"}, "deny": "True",'
            ' "async": false, "onFail": {"feedback": {"value": -5, "weight": 1, "metadata": {}}}}]}',
            "inputGuardrails",
        ),
        ('{"output_guardrails": ["pg-def"]}', "output_guardrails"),
        (
            '{"before_request_hooks": [{"type": "guardrail", "id": "g1", "checks": [{"id": "default.regexMatch",'
            ' "parameters": {"rule": "foo", "not": false}}], "deny": true}]}',
            "before_request_hooks",
        ),
        ('{"afterRequestHooks": [{"id": "pg-xyz"}]}', "afterRequestHooks"),
        ('{"input_mutators": [{"default.x": {}}]}', "input_mutators"),
        ('{"output_mutators": ["m"]}', "output_mutators"),
    ],
)
def test_what_is_unsafe_to_ignore_is_not_available(catalog, text, path):
    error = refused(catalog, text, NotAvailable)
    assert error.param == path
    assert error.message.startswith(f"{path}: ")
    assert "not available yet" in error.message


REFUSED = [
    (
        {"targets": [{}, {"retry": {"attempts": "x"}}]},
        "targets[1].retry.attempts",
        'expected an integer from 0 to 5, got "x"',
    ),
    ({"retry": {"attempts": 6}}, "retry.attempts", "expected an integer from 0 to 5, got 6"),
    ({"retry": {"attempts": 1.5}}, "retry.attempts", "expected an integer from 0 to 5, got 1.5"),
    ({"retry": {"attempts": True}}, "retry.attempts", "expected an integer from 0 to 5, got true"),
    ({"retry": {}}, "retry.attempts", "missing; expected an integer from 0 to 5"),
    ({"retry": 3}, "retry", "expected an object, got 3"),
    ({"retry": {"attempts": 1, "on_status_codes": [429, 99]}}, "retry.on_status_codes[1]", "from 100 to 599, got 99"),
    ({"retry": {"attempts": 1, "on_status_codes": 429}}, "retry.on_status_codes", "expected a list, got 429"),
    ({"retry": {"attempts": 1, "use_retry_after_headers": "yes"}}, "retry.use_retry_after_headers", "true or false"),
    ({"targets": [{"retyr": {}}]}, "targets[0].retyr", 'unknown key; did you mean "retry"?'),
    ({"zzzzzz": 1}, "zzzzzz", "unknown key"),
    ({"cache": {"mode": "fuzzy"}}, "cache.mode", 'expected one of "simple", "semantic", got "fuzzy"'),
    ({"cache": {"mode": "simple", "max_age": 59}}, "cache.max_age", "from 60 to 7776000, got 59"),
    ({"cache": {"mode": "simple", "age": 60}}, "cache.age", 'did you mean "max_age"?'),
    ({"request_timeout": 0}, "request_timeout", "expected an integer from 1 to 86400000, got 0"),
    ({"cb_config": {"cooldown_interval": 29999}}, "cb_config.cooldown_interval", "got 29999"),
    ({"cb_config": {"failure_threshold": 0}}, "cb_config.failure_threshold", "got 0"),
    ({"provider": "alhpa"}, "provider", 'unknown provider "alhpa"; did you mean "alpha"?'),
    ({"targets": [{"provider": "zzz"}]}, "targets[0].provider", 'unknown provider "zzz"'),
    ({"provider": "@"}, "provider", 'expected "@" and the slug of a stored provider'),
    ({"provider": "@a/gpt"}, "provider", 'expected "@" and the slug of a stored provider'),
    ({"provider": "@a", "virtual_key": "b"}, "provider", "names another one than virtual_key"),
    ({"targets": [{"virtualKey": "a", "apiKey": "k"}]}, "targets[0].apiKey", '"@a" is stored with its key'),
    ({"provider": "@a", "api_key": "k"}, "api_key", '"@a" is stored with its key'),
    ({"virtual_key": "a", "targets": [{"api_key": "k"}]}, "targets[0].api_key", '"@a" is stored with its key'),
    ({"virtual_key": "a", "provider": "zzz"}, "provider", 'unknown provider "zzz"'),
    ({"virtual_key": "a", "zzzzzz": 1}, "zzzzzz", "unknown key"),
    ({"virtual_key": 5}, "virtual_key", "a text, not empty, without control characters"),
    ({"provider": ""}, "provider", 'not empty, without control characters, got ""'),
    ({"mode": "single"}, "mode", "write strategy and targets"),
    ({"options": [{}]}, "options", "write strategy and targets"),
    ({"strategy": {"mode": "fallback"}}, "targets", "missing; a strategy needs targets"),
    ({"targets": [{"strategy": {"mode": "single"}}]}, "targets[0].targets", "missing; a strategy needs targets"),
    ({"targets": []}, "targets", "expected at least 1 item"),
    ({"targets": {}}, "targets", "expected a list, got an object"),
    ({"targets": [None]}, "targets[0]", "expected an object, got null"),
    ({"strategy": {}, "targets": [{}]}, "strategy.mode", "missing; expected one of"),
    ({"strategy": {"mode": "best"}, "targets": [{}]}, "strategy.mode", 'got "best"'),
    ({"targets": [{"weight": -1}]}, "targets[0].weight", "got -1"),
    ({"targets": [{"weight": "1"}]}, "targets[0].weight", 'got "1"'),
    ({"strategy": {"mode": "loadbalance"}, "targets": [{"weight": 0}, {"weight": 0}]}, "targets", "add up to 0"),
    ({"strategy": {"mode": "conditional"}, "targets": [{}]}, "strategy.conditions", "missing"),
    (
        {
            "strategy": {"mode": "conditional", "conditions": [{"query": {"metadata.x": 1}, "then": "a"}]},
            "targets": [{}],
        },
        "strategy.default",
        "missing",
    ),
    (
        {
            "strategy": {
                "mode": "conditional",
                "conditions": [{"query": {"metadata.x": 1}, "then": "bgi"}],
                "default": "big",
            },
            "targets": [{"name": "big"}],
        },
        "strategy.conditions[0].then",
        'no target has the name "bgi"; did you mean "big"?',
    ),
    (
        {
            "strategy": {
                "mode": "conditional",
                "conditions": [{"query": {"metadata.x": 1}, "then": "a"}],
                "default": "b",
            },
            "targets": [{"name": "a"}],
        },
        "strategy.default",
        'no target has the name "b"',
    ),
    (
        {
            "strategy": {
                "mode": "conditional",
                "conditions": [{"query": {"metadata.x": {"$regex": "("}}, "then": "a"}],
            },
            "targets": [{"name": "a"}],
        },
        "strategy.conditions[0].query.metadata.x.$regex",
        "not a regular expression",
    ),
    ({"targets": [{"name": "a"}, {"name": "a"}]}, "targets[1].name", '"a" is the name of another target too'),
    (
        {"strategy": {"mode": "fallback", "sticky": {"enabled": True, "hash_fields": ["metadata.u"]}}, "targets": [{}]},
        "strategy.sticky",
        "only for the mode loadbalance",
    ),
    (
        {"strategy": {"mode": "single", "default": "a"}, "targets": [{}]},
        "strategy.default",
        "only for the mode conditional",
    ),
    (
        {"strategy": {"mode": "loadbalance", "sticky": {"enabled": True}}, "targets": [{}]},
        "strategy.sticky.hash_fields",
        "missing",
    ),
    (
        {"strategy": {"mode": "loadbalance", "sticky": {"hash_fields": ["user"]}}, "targets": [{}]},
        "strategy.sticky.hash_fields[0]",
        "metadata.<key>",
    ),
    ({"custom_host": "ftp://h/"}, "custom_host", "expected an http or https URL"),
    ({"custom_host": "https://"}, "custom_host", "expected an http or https URL"),
    ({"custom_host": "https://h:99999/v1"}, "custom_host", "expected an http or https URL"),
    ({"custom_host": "https://h/v1?x=1"}, "custom_host", "without a query"),
    ({"custom_host": "https://a b/v1"}, "custom_host", "expected an http or https URL"),
    ({"custom_host": "https://" + "h" * 2048}, "custom_host", "at most 2048"),
    (
        {"forward_headers": ["X-Portkey-Forward-Headers"]},
        "forward_headers",
        'must not contain "x-portkey-forward-headers"',
    ),
    ({"forward_headers": ["Metadata-Flavor"]}, "forward_headers", "must not contain"),
    ({"forward_headers": ["x-aws-ec2-metadata-token"]}, "forward_headers", "must not contain"),
    ({"forward_headers": ["X-Google-Metadata-Request"]}, "forward_headers", "must not contain"),
    ({"forward_headers": "x-ok, Connection"}, "forward_headers", 'must not contain "connection"'),
    ({"forward_headers": ["a:b"]}, "forward_headers", "not the name of a header"),
    ({"forward_headers": 5}, "forward_headers", "expected a list of header names, got 5"),
    ({"drop_params": "a"}, "drop_params", 'expected a list, got "a"'),
    ({"override_params": [1]}, "override_params", "expected an object, got a list"),
    ({"input_guardrails": [5]}, "input_guardrails[0]", "a guardrail's id"),
    ({"input_guardrails": [{"default.contains": 5}]}, "input_guardrails[0].default.contains", "expected an object"),
    ({"before_request_hooks": [{"typ": "x"}]}, "before_request_hooks[0].typ", 'did you mean "type"?'),
    ({"before_request_hooks": [{"checks": [{}]}]}, "before_request_hooks[0].checks[0].id", "missing"),
    ({"passthrough": "yes"}, "passthrough", "true, false or an object"),
    ({"requestTimeout": 5, "request_timeout": 5}, "request_timeout", "given twice, also as requestTimeout"),
    ({"provider": "alpha", "region": "r"}, "region", 'the provider "alpha" has no such option'),
    (
        {"provider": "alpha", "targets": [{"region": "r"}]},
        "targets[0].region",
        'the provider "alpha" has no such option',
    ),
    ({"provider": "beta", "reigon": "r"}, "reigon", 'did you mean "region"?'),
    ({"region": "a", "beta_region": "b"}, "beta_region", "given twice"),
    ({"region": 5}, "region", "expected a text without control characters, got 5"),
    ({"region": "a\r\nb"}, "region", "without control characters"),
    ({"deployments": [{"alias": "a"}]}, "deployments[0].deployment_id", "missing"),
    ({"request_timeout": "x" * 100}, "request_timeout", 'got "' + "x" * 59 + "..."),
]


@pytest.mark.parametrize(("config", "path", "words"), REFUSED)
def test_what_is_wrong_is_refused_with_its_path(catalog, config, path, words):
    error = refused(catalog, config)
    assert error.param == path
    assert error.message.startswith(f"{path}: ")
    assert words in error.message


@pytest.mark.parametrize(
    "config",
    [
        {"api_key": {"x": "CANARY"}},
        {"api_key": "CANARY\n"},
        {"apiKey": ["CANARY"]},
        {"provider": "beta", "beta_account_json": ["CANARY"]},
        {"targets": "CANARY" * 20, "api_key": ["CANARY"]},
        {"targets": {"api_key": "CANARY"}},
        {"strategy": {"mode": {"api_key": "CANARY"}}},
        {"custom_host": "https://user:CANARY@h/v1"},
        {"secret_thing": "CANARY"},
    ],
)
def test_no_error_repeats_a_credential(catalog, config):
    config.pop("targets") if isinstance(config.get("targets"), str) else None
    assert "CANARY" not in str(refused(catalog, config))


def test_the_schema_refuses_what_loading_refuses_for_its_type(catalog):
    check = jsonschema_rs.Draft202012Validator(schema(catalog))
    said = ("expected an", "got", "unknown key", "unknown provider", "missing; expected")
    typed = [config for config, _, words in REFUSED if any(word in words for word in said)]
    passed = [config for config in typed if check.is_valid(config)]
    # what a schema does not say: the form of a URL, and how many targets are too many
    assert all("custom_host" in config for config in passed)
    assert len(typed) > 20
