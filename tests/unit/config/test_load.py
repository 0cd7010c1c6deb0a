import json

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekey.config.language import FIELDS, MODES
from gatekey.config.load import MAX_DEPTH, MAX_SIZE, load, schema
from gatekey.config.model import Breaker, Cache, Node, Retry, Sticky, Target
from gatekey.errors import BadConfig, GatekeyError


def refused(catalog, source):
    with pytest.raises(BadConfig) as caught:
        load(source, catalog)
    return caught.value


# The documented examples (portkey-api.md 2.5).

RETRY_AND_CACHE = (
    '{"retry":{"attempts":3,"on_status_codes":[429]},"cache":{"mode":"semantic","max_age":10000},'
    '"virtual_key":"openai-vk"}'
)
FALLBACK = (
    '{"strategy":{"mode":"fallback","on_status_codes":[429,246,446]},"targets":[{"provider":"alpha","api_key":"a"},'
    '{"provider":"beta","api_key":"b","override_params":{"model":"claude-3-sonnet-20240229","max_tokens":512}}]}'
)
NESTED = (
    '{"strategy":{"mode":"loadbalance"},"targets":[{"virtual_key":"a","weight":0.95},'
    '{"strategy":{"mode":"fallback"},"weight":0.05,"targets":[{"virtual_key":"b"},{"virtual_key":"c"}]}]}'
)
CONDITIONAL = (
    '{"strategy":{"mode":"conditional","conditions":[{"query":{"$or":[{"metadata.plan":{"$eq":"paid"}},'
    '{"params.max_tokens":{"$gt":1000}}]},"then":"big"}],"default":"small"},'
    '"targets":[{"name":"big","virtual_key":"a"},{"name":"small","virtual_key":"b"}]}'
)


def test_retry_and_cache(catalog):
    config = load(RETRY_AND_CACHE, catalog)
    assert isinstance(config.root, Target)
    assert config.root.path == "config"
    assert config.root.settings.retry == Retry(3, frozenset({429}))
    assert config.root.settings.cache == Cache("semantic", 10000)
    assert config.unavailable == ("cache",)


def test_fallback(catalog):
    config = load(FALLBACK, catalog)
    assert isinstance(config.root, Node)
    assert config.root.strategy.mode == "fallback"
    assert config.root.strategy.on_status_codes == {429, 246, 446}
    first, second = config.leaves()
    assert (first.provider, first.api_key.reveal()) == ("alpha", "a")
    assert bytes(second.settings.override_params["max_tokens"]) == b"512"


def test_a_fallback_within_a_balance(catalog):
    root = load(NESTED, catalog).root
    assert [item.weight for item in root.targets] == [0.95, 0.05]
    assert [leaf.path for leaf in load(NESTED, catalog).leaves()][1:] == [
        "config.targets[1].targets[0]",
        "config.targets[1].targets[1]",
    ]


def test_conditional(catalog):
    strategy = load(CONDITIONAL, catalog).root.strategy
    (condition, then), *none = strategy.conditions
    assert (then, strategy.default, none) == ("big", "small", [])
    assert condition.holds(lambda key: 2000 if key == "params.max_tokens" else "free")


@pytest.mark.parametrize(
    ("text", "names"),
    [(RETRY_AND_CACHE, ["openai-vk"]), (NESTED, ["a", "b", "c"]), (CONDITIONAL, ["a", "b"])],
)
def test_the_documented_examples_name_stored_providers(catalog, text, names):
    assert [leaf.virtual_key for leaf in load(text, catalog).leaves()] == names


def test_empty_lists_of_guardrails_ask_for_nothing(catalog):
    text = '{"input_guardrails": [], "before_request_hooks": [], "passthrough": false, "output_mutators": []}'
    assert load(text, catalog) == load({}, catalog)


def test_what_is_safe_to_ignore_is_named(catalog):
    breaker = {"failure_threshold": 3, "failure_threshold_percentage": 20.5, "cooldown_interval": 30000}
    config = load({"targets": [{"cache": {"mode": "simple"}, "cb_config": breaker}, {"cb_config": breaker}]}, catalog)
    assert config.unavailable == ("cache", "circuit breaker")
    assert load({"fetch_integrated_models": True}, catalog).unavailable == ("integrated models",)
    assert load({"fetch_integrated_models": False}, catalog).unavailable == ()
    first, second = config.leaves()
    assert first.settings.breaker == second.settings.breaker == Breaker(3, 20.5)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('{"retry": }', "config: not valid JSON at byte 10"),
        ('{"retry"', "config: not valid JSON at its end (byte 8)"),
        ("pc-abc123", "config: not valid JSON at byte 0"),
        ("", "config: not valid JSON at its end (byte 0)"),
        (b'{"a": "\xff"}', "config: not UTF-8"),
        ("\ud800", "config: not a JSON object"),
        ('{"a": 1e999}', "config: not valid JSON: a number is out of range"),
        ("[]", "config: expected an object, got a list"),
        ("7", "config: expected an object, got 7"),
        ({"a": object()}, "config: not a JSON object"),
        ('{"api_key": "' + "x" * MAX_SIZE + '"}', "config: larger than"),
        ("[" * 100_000, "config: nested deeper than 40"),
    ],
)
def test_what_is_no_json_object_is_refused(catalog, source, words):
    with pytest.raises(BadConfig) as caught:
        load(source, catalog, "default_config")
    assert caught.value.message.startswith(words)
    assert caught.value.param == "default_config"


def test_nesting_is_bounded(catalog):
    def nested(depth):
        return '{"override_params": {"x": ' + "[" * (depth - 2) + "]" * (depth - 2) + "}}"

    load(nested(MAX_DEPTH), catalog)
    assert "nested deeper" in refused(catalog, nested(MAX_DEPTH + 1)).message


@pytest.mark.parametrize(
    ("wrap", "most"),
    [
        (lambda targets: {"targets": targets}, 100),
        (lambda targets: {"targets": [{"targets": targets}]}, 50),
        (
            lambda targets: {
                "strategy": {
                    "mode": "conditional",
                    "conditions": [{"query": {"params.n": 1}, "then": "a"}],
                    "default": "a",
                },
                "targets": [{"name": "a"}, *targets[1:]],
            },
            1000,
        ),
    ],
)
def test_the_number_of_targets_is_bounded(catalog, wrap, most):
    load(wrap([{}] * most), catalog)
    assert f"expected at most {most} targets, got {most + 1}" in refused(catalog, wrap([{}] * (most + 1))).message


def test_an_empty_config_is_valid(catalog):
    assert load("{}", catalog).root == Target()
    assert load({"retry": {"attempts": 2}}, catalog).root.settings.retry.attempts == 2


def test_null_is_absent(catalog):
    everything = dict.fromkeys(FIELDS) | {"region": None, "anything": None}
    assert load(everything, catalog) == load({}, catalog)
    assert load({"retry": {"attempts": 1, "on_status_codes": None}}, catalog).root.settings.retry == Retry(1)


def test_targets_without_a_strategy_are_single(catalog):
    assert load({"targets": [{}, {}]}, catalog).root.strategy.mode == "single"


@pytest.mark.parametrize(
    "config",
    [
        {"strategy": {"mode": "fallback", "on_status_codes": [429]}, "targets": [{}]},
        {"strategy": {"mode": "fallback"}, "on_status_codes": [429], "targets": [{}]},
        {"strategy": {"mode": "fallback", "on_status_codes": [429]}, "on_status_codes": [500], "targets": [{}]},
    ],
)
def test_codes_may_be_written_inside_the_strategy_or_beside_it(catalog, config):
    assert load(config, catalog).root.strategy.on_status_codes == {429}


def test_sticky(catalog):
    def sticky(**said):
        return load(
            {"strategy": {"mode": "loadbalance", "sticky": said}, "targets": [{}]}, catalog
        ).root.strategy.sticky

    assert sticky(enabled=True, hash_fields=["metadata.user_id"]) == Sticky(("metadata.user_id",), 3600)
    assert sticky(enabled="TRUE", hashFields=["params.user"], ttl=60) == Sticky(("params.user",), 60)
    assert sticky(enabled=False, hash_fields=["params.user"]) is None
    assert sticky(hash_fields=["params.user"]) is None


def camel(key):
    first, *rest = key.split("_")
    return first + "".join(word.title() for word in rest)


EVERYTHING = {
    "strategy": {
        "mode": "loadbalance",
        "on_status_codes": [429],
        "sticky": {"enabled": True, "hash_fields": ["metadata.user_id"], "ttl": 60},
        "cb_config": {
            "failure_threshold": 1,
            "failure_threshold_percentage": 50,
            "minimum_requests": 2,
            "cooldown_interval": 40000,
            "failure_status_codes": [500],
        },
    },
    "on_status_codes": [500],
    "targets": [
        {
            "name": "one",
            "weight": 2,
            "provider": "beta",
            "api_key": "k",
            "custom_host": "https://h.example/v1",
            "forward_headers": ["x-one"],
            "override_params": {"max_tokens": 1},
            "default_params": {"maxTokens": 2},
            "drop_params": ["a[*].b"],
            "retry": {"attempts": 2, "on_status_codes": [500], "use_retry_after_headers": True},
            "cache": {"mode": "simple", "max_age": 60},
            "cb_config": {"failure_threshold": 2},
            "request_timeout": 10,
            "strict_open_ai_compliance": False,
            "fetch_integrated_models": True,
            "beta_region": "r",
            "beta_account_json": '{"a": 1}',
        },
        {
            "virtual_key": "stored",
            "deployments": [{"deployment_id": "d", "alias": "a", "api_version": "v", "is_default": True}],
        },
    ],
}
KEPT = ("override_params", "default_params")


def in_camel(value):
    if isinstance(value, dict):
        return {camel(key): inner if key in KEPT else in_camel(inner) for key, inner in value.items()}
    return [in_camel(item) for item in value] if isinstance(value, list) else value


def test_every_key_may_be_written_in_camel_case(catalog):
    assert '"requestTimeout"' in json.dumps(in_camel(EVERYTHING))
    assert load(in_camel(EVERYTHING), catalog) == load(EVERYTHING, catalog)


def test_other_documented_spellings(catalog):
    settings = load({"retry": {"attempts": 1, "use_retry_after_header": True}}, catalog).root.settings
    assert settings.retry.use_retry_after_headers is True
    assert load({"strict_openai_compliance": "False"}, catalog).root.settings.strict is False
    assert load({"strictOpenaiCompliance": "True"}, catalog).root.settings.strict is True


@pytest.mark.parametrize(
    "names", [["X-One", "x-two", "x-one"], "X-One,x-two", " x-one , x-two ", "['X-One', \"x-two\"]"]
)
def test_headers_to_forward_may_be_a_list_or_a_text(catalog, names):
    assert load({"forward_headers": names}, catalog).root.settings.forward_headers == ("x-one", "x-two")


def test_options_have_canonical_names(catalog):
    assert load({"region": "r", "tier": "t"}, catalog).root.options == {"beta_region": "r", "gamma_tier": "t"}
    assert load({"provider": "beta", "betaRegion": "r"}, catalog).root.options == {"beta_region": "r"}


def test_options_that_are_json_are_kept_as_text(catalog):
    account = load({"beta_account_json": {"a": 1, "b": None}}, catalog).root.options["beta_account_json"]
    assert json.loads(account) == {"a": 1, "b": None}
    assert load({"beta_account_json": '{"a":\n1}'}, catalog).root.options["beta_account_json"] == '{"a":\n1}'
    deployments = [{"deployment_id": "d", "alias": "a", "api_version": "v"}]
    options = load({"provider": "gamma", "deployments": deployments}, catalog).root.options
    assert json.loads(options["gamma_deployments"]) == deployments


def test_a_loaded_config_prints_no_credential(catalog):
    shown = repr(load({"provider": "beta", "api_key": "CANARY", "beta_account_json": "CANARY"}, catalog))
    assert "CANARY" not in shown


def test_of_repeated_keys_the_last_counts(catalog):
    assert load('{"request_timeout": 1, "request_timeout": 2}', catalog).root.settings.request_timeout == 2


# The schema comes from the same table: it agrees with what is loaded.


@pytest.mark.parametrize("config", [EVERYTHING, *map(json.loads, (RETRY_AND_CACHE, FALLBACK, NESTED, CONDITIONAL)), {}])
def test_the_schema_takes_what_is_documented(catalog, config):
    assert jsonschema_rs.Draft202012Validator(schema(catalog)).is_valid(config)


def test_the_schema_has_every_mode_and_option(catalog):
    properties = schema(catalog)["properties"]
    assert properties["strategy"]["properties"]["mode"]["enum"] == list(MODES)
    assert {"region", "beta_region", "tier", "gamma_deployments"} <= set(properties)


# Whatever comes, only errors of our own.

keys = st.sampled_from(
    [*FIELDS, "region", "deployments", "beta_account_json", "mode", "query", "then", "attempts", "hash_fields", "$or"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.sampled_from(["alpha", "beta", "fallback", "conditional", "@x", "https://h", "metadata.x", "true", "a, b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300)
@given(config=st.dictionaries(keys, values, max_size=5))
def test_any_json_loads_or_is_refused(catalog, config):
    try:
        load(config, catalog)
    except GatekeyError as error:
        assert error.status == 400
        assert error.param


@given(text=st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_loads_or_is_refused(catalog, text):
    try:
        load(text, catalog)
    except GatekeyError as error:
        assert error.param


def test_an_option_of_a_provider_that_is_not_here_is_told_from_a_typo(catalog):
    with pytest.raises(BadConfig, match=r"^later_region: no provider that takes this option is available yet"):
        load({"provider": "alpha", "api_key": "k", "later_region": "x"}, catalog)
