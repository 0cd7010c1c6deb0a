"""One table of settings: what a leaf has of its own, of its parent, and of both."""

import json

import pytest
from msgspec import Raw

from gatekey.config.load import load


def leaves(catalog, config):
    return [*load(config, catalog).leaves()]


def setting(target, key):
    value = getattr(target.settings, key)
    if isinstance(value, dict):
        return {name: bytes(kept).decode() for name, kept in value.items()}
    return value


REPLACED = [
    ("retry", "retry", {"attempts": 1}, {"attempts": 2, "on_status_codes": [500]}),
    ("cache", "cache", {"mode": "simple", "max_age": 60}, {"mode": "semantic"}),
    ("cb_config", "breaker", {"failure_threshold": 3}, {"minimum_requests": 9}),
    ("request_timeout", "request_timeout", 100, 200),
    ("custom_host", "custom_host", "https://one.example/v1", "https://two.example/v1"),
    ("forward_headers", "forward_headers", ["x-one"], ["x-two"]),
    ("strict_open_ai_compliance", "strict", True, False),
]


@pytest.mark.parametrize(("key", "name", "upper", "lower"), REPLACED)
def test_a_leafs_own_setting_replaces_its_parents_whole(catalog, key, name, upper, lower):
    (alone_upper,) = leaves(catalog, {key: upper})
    (alone_lower,) = leaves(catalog, {key: lower})
    assert setting(alone_upper, name) != setting(alone_lower, name)
    inherited, own = leaves(catalog, {key: upper, "targets": [{}, {key: lower}]})
    assert setting(inherited, name) == setting(alone_upper, name)
    assert setting(own, name) == setting(alone_lower, name)


@pytest.mark.parametrize(("key", "name", "upper", "lower"), REPLACED)
def test_a_setting_reaches_through_levels_that_say_nothing(catalog, key, name, upper, lower):
    deep, near = leaves(catalog, {key: upper, "targets": [{"targets": [{}]}, {key: lower, "targets": [{}]}]})
    assert setting(deep, name) == setting(leaves(catalog, {key: upper})[0], name)
    assert setting(near, name) == setting(leaves(catalog, {key: lower})[0], name)


@pytest.mark.parametrize("key", ["override_params", "default_params"])
def test_parameters_are_merged_key_by_key(catalog, key):
    (leaf,) = leaves(catalog, {key: {"a": 1, "b": 2.50}, "targets": [{key: {"b": 3, "c": None}}]})
    assert setting(leaf, key) == {"a": "1", "b": "3", "c": "null"}


def test_parameters_keep_their_digits(catalog):
    text = (
        '{"override_params": {"seed": 1152921504606846976, "x": 0.12345678901234567890, "y": [1.0, {"camelKey": 1e3}]}}'
    )
    (leaf,) = leaves(catalog, text)
    assert leaf.settings.override_params["seed"] == Raw(b"1152921504606846976")
    assert leaf.settings.override_params["x"] == Raw(b"0.12345678901234567890")
    assert leaf.settings.override_params["y"] == Raw(b'[1.0, {"camelKey": 1e3}]')


def test_dropped_parameters_add_up_the_parents_first(catalog):
    (leaf,) = leaves(catalog, {"drop_params": ["b", "a"], "targets": [{"drop_params": ["c", "a"]}]})
    assert leaf.settings.drop_params == ("b", "a", "c")


def test_an_empty_list_of_headers_forwards_none(catalog):
    (leaf,) = leaves(catalog, {"forward_headers": ["x-one"], "targets": [{"forward_headers": []}]})
    assert leaf.settings.forward_headers == ()


def test_a_breaker_inside_the_strategy_counts_for_its_targets(catalog):
    (leaf,) = leaves(catalog, {"strategy": {"mode": "single", "cb_config": {"failure_threshold": 4}}, "targets": [{}]})
    assert leaf.settings.breaker.failure_threshold == 4


def test_a_leaf_without_provider_takes_the_nearest_group_whole(catalog):
    (leaf,) = leaves(
        catalog,
        {
            "provider": "alpha",
            "api_key": "k0",
            "targets": [{"provider": "beta", "api_key": "k1", "region": "r", "targets": [{}]}],
        },
    )
    assert (leaf.provider, leaf.api_key.reveal(), leaf.options) == ("beta", "k1", {"beta_region": "r"})


def test_a_leaf_without_provider_adds_its_own_to_the_group(catalog):
    first, second = leaves(
        catalog,
        {
            "provider": "beta",
            "api_key": "k",
            "region": "r",
            "targets": [{"beta_region": "s"}, {"api_key": "own", "beta_account_json": "{}"}],
        },
    )
    assert (first.api_key.reveal(), first.options) == ("k", {"beta_region": "s"})
    assert (second.api_key.reveal(), second.options) == ("own", {"beta_region": "r", "beta_account_json": "{}"})


@pytest.mark.parametrize("slug", ["beta", "gamma"])
def test_a_leaf_with_a_provider_takes_nothing_of_the_group(catalog, slug):
    (leaf,) = leaves(catalog, {"provider": "beta", "api_key": "k", "region": "r", "targets": [{"provider": slug}]})
    assert (leaf.provider, leaf.api_key, leaf.options) == (slug, None, {})


def named(leaf):
    model = leaf.settings.override_params.get("model")
    return leaf.provider, leaf.virtual_key, None if model is None else json.loads(bytes(model))


def at(model):
    return {"override_params": {"model": model}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"virtual_key": "v"}, (None, "v", None)),
        ({"provider": "@v"}, (None, "v", None)),
        ({"provider": "@v", "virtual_key": "v"}, (None, "v", None)),
        ({"provider": "alpha", "virtual_key": "v", "region": "r"}, (None, "v", None)),
        (at("@v/gpt"), (None, "v", "gpt")),
        ('{"override_params": {"model": "\\u0040v/gpt"}}', (None, "v", "gpt")),
        (at("@v/meta/llama/7b"), (None, "v", "meta/llama/7b")),
        (at("@v/@cf/meta"), (None, "v", "@cf/meta")),
        (at("@v"), (None, None, "@v")),
        (at("@v/"), (None, None, "@v/")),
        (at("@/gpt"), (None, None, "@/gpt")),
        (at(7), (None, None, 7)),
        # with a credential named beside it, it is a model, unless it says the same again
        ({"virtual_key": "v", **at("@cf/meta")}, (None, "v", "@cf/meta")),
        ({"virtual_key": "v", **at("@v/gpt")}, (None, "v", "gpt")),
        # with a plain provider, or a key for the one that the headers name, it is a model
        ({"provider": "alpha", **at("@cf/meta")}, ("alpha", None, "@cf/meta")),
        ({"provider": "alpha", "targets": [at("@cf/meta")]}, ("alpha", None, "@cf/meta")),
        ({**at("@cf/meta"), "targets": [{"provider": "alpha"}]}, ("alpha", None, "@cf/meta")),
        ({"api_key": "k", **at("@cf/meta")}, (None, None, "@cf/meta")),
        # from above, and the nearest
        ({"virtual_key": "v", "targets": [{}]}, (None, "v", None)),
        ({"virtual_key": "v", "targets": [{"provider": "alpha"}]}, ("alpha", None, None)),
        ({"provider": "alpha", "targets": [{"virtual_key": "v"}]}, (None, "v", None)),
        ({"virtual_key": "v", "targets": [at("@w/gpt")]}, (None, "w", "gpt")),
        ({**at("@v/gpt"), "targets": [{}]}, (None, "v", "gpt")),
        ({**at("@v/gpt"), "targets": [at("own")]}, (None, "v", "own")),
        ({**at("@v/gpt"), "targets": [{"targets": [at("@w/own")]}]}, (None, "w", "own")),
    ],
)
def test_a_stored_provider_is_named_in_three_ways_and_the_nearest_counts(catalog, config, expected):
    (leaf,) = leaves(catalog, config)
    assert named(leaf) == expected


def test_a_default_model_may_repeat_its_stored_provider(catalog):
    (leaf,) = leaves(catalog, {"virtual_key": "v", "default_params": {"model": "@v/gpt"}})
    assert bytes(leaf.settings.default_params["model"]) == b'"gpt"'


@pytest.mark.parametrize("own", [{"virtual_key": "v"}, {"provider": "@v"}, at("@v/gpt"), {"virtual_key": "w"}])
def test_a_leaf_with_a_stored_provider_takes_nothing_of_the_group(catalog, own):
    (leaf,) = leaves(catalog, {"virtual_key": "w", "region": "r", "targets": [own]})
    assert (leaf.api_key, leaf.options) == (None, {})


def test_options_beside_a_virtual_key_may_be_any_providers(catalog):
    first, second = leaves(
        catalog, {"virtual_key": "v", "tier": "t", "targets": [{"region": "r"}, {"provider": "beta", "region": "s"}]}
    )
    assert first.options == {"gamma_tier": "t", "beta_region": "r"}
    assert second.options == {"beta_region": "s"}


HOST = "https://h.example/v1"


@pytest.mark.parametrize(
    ("config", "host"),
    [
        ({"custom_host": HOST, "targets": [{"provider": "beta"}]}, HOST),
        ({"custom_host": HOST, "provider": "alpha", "targets": [{}]}, HOST),
        ({"custom_host": HOST, "provider": "alpha", "targets": [{"provider": "alpha"}]}, HOST),
        ({"custom_host": HOST, "provider": "alpha", "targets": [{"provider": "beta"}]}, None),
        # written below the level that names the provider: it is still that provider's host
        ({"provider": "alpha", "targets": [{"custom_host": HOST, "targets": [{"provider": "beta"}]}]}, None),
        ({"provider": "alpha", "targets": [{"custom_host": HOST, "targets": [{}]}]}, HOST),
        # the provider comes between: the host was written for no one in particular
        ({"custom_host": HOST, "targets": [{"provider": "alpha", "targets": [{"provider": "beta"}]}]}, HOST),
        # stored ones too: not for the credential of another, and not from a stored one to a plain one
        ({"custom_host": HOST, "provider": "alpha", "targets": [{"virtual_key": "v"}]}, None),
        ({"custom_host": HOST, "virtual_key": "alpha", "targets": [{"provider": "alpha"}]}, None),
        ({"custom_host": HOST, "virtual_key": "v", "targets": [{"provider": "@v"}]}, HOST),
        ({"custom_host": HOST, "virtual_key": "v", "targets": [at("@w/gpt")]}, None),
        # once refused, it does not come back further down
        (
            {
                "custom_host": HOST,
                "provider": "alpha",
                "targets": [{"provider": "beta", "targets": [{"provider": "alpha"}]}],
            },
            None,
        ),
    ],
)
def test_a_custom_host_goes_with_the_provider_it_was_written_for(catalog, config, host):
    (leaf,) = leaves(catalog, config)
    assert leaf.settings.custom_host == host


def test_names_and_weights_are_never_inherited(catalog):
    (leaf,) = leaves(catalog, {"name": "root", "weight": 3, "targets": [{}]})
    assert (leaf.name, leaf.weight) == (None, 1.0)


def test_paths_say_where_a_leaf_is(catalog):
    config = {"targets": [{}, {"targets": [{}, {"targets": [{}]}]}]}
    assert [leaf.path for leaf in leaves(catalog, config)] == [
        "config.targets[0]",
        "config.targets[1].targets[0]",
        "config.targets[1].targets[1].targets[0]",
    ]
    assert [leaf.path for leaf in leaves(catalog, {})] == ["config"]
