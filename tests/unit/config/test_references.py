"""What a config's text names agrees with what its leaves have once it is loaded."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekey.config.load import load
from gatekey.config.references import references, secrets


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, set()),
        ({"virtual_key": "v"}, {"v"}),
        ({"virtualKey": "v", "provider": "alpha"}, {"v"}),
        ({"provider": "@v"}, {"v"}),
        ({"provider": "alpha", "override_params": {"model": "@cf/meta"}}, set()),
        ({"provider": "alpha", "targets": [{"override_params": {"model": "@cf/meta"}}]}, set()),
        ({"api_key": "k", "overrideParams": {"model": "@cf/meta"}}, set()),
        ({"override_params": {"model": "@v/gpt"}}, {"v"}),
        ({"virtual_key": "v", "override_params": {"model": "@w/gpt"}}, {"v"}),
        ({"virtual_key": "v", "targets": [{"override_params": {"model": "@w/gpt"}}, {}]}, {"v", "w"}),
        ({"provider": "alpha", "targets": [{"virtual_key": "v", "targets": [{"provider": "@w"}]}]}, {"v", "w"}),
        ({"virtual_key": None, "provider": None, "override_params": None}, set()),
    ],
)
def test_the_stored_providers_that_a_config_names(config, found):
    assert set(references(json.dumps(config))) == found


def test_each_has_the_first_place_where_it_is_named():
    targets = [{"virtualKey": "v"}, {"provider": "@w"}, {"overrideParams": {"model": "@x/gpt"}}, {"virtual_key": "v"}]
    assert references(json.dumps({"targets": targets})) == {
        "v": "targets[0].virtualKey",
        "w": "targets[1].provider",
        "x": "targets[2].overrideParams.model",
    }


levels = st.fixed_dictionaries(
    {},
    optional={
        "virtual_key": st.sampled_from(["u", "v"]),
        "provider": st.sampled_from(["alpha", "beta", "@w"]),
        "override_params": st.sampled_from([{"model": "@x/gpt"}, {"model": "gpt"}, {"model": 1}, {}]),
    },
)
trees = st.recursive(
    levels,
    lambda inner: st.builds(
        lambda level, targets: {**level, "targets": targets}, levels, st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(config=trees)
def test_every_leafs_stored_provider_is_among_them(catalog, config):
    def agrees(tree):
        return tree.get("virtual_key") is None or not str(tree.get("provider", "")).startswith("@")

    def all_levels(tree):
        yield tree
        for target in tree.get("targets", ()):
            yield from all_levels(target)

    if all(agrees(level) for level in all_levels(config)):
        named = {leaf.virtual_key for leaf in load(config, catalog).leaves()} - {None}
        assert named <= references(json.dumps(config)).keys()


@pytest.mark.parametrize(
    ("config", "places"),
    [
        ({"virtual_key": "v", "region": "r"}, []),
        ({"api_key": "k"}, ["api_key"]),
        ({"apiKey": "k", "targets": [{"provider": "alpha"}]}, ["apiKey"]),
        (
            {"targets": [{}, {"targets": [{"beta_account_json": {"a": 1}}]}]},
            ["targets[1].targets[0].beta_account_json"],
        ),
        ({"api_key": "", "beta_account_json": ""}, []),
        ({"override_params": {"api_key": "a field of the body"}}, []),
    ],
)
def test_the_credentials_that_are_written_into_a_config(config, places):
    assert list(secrets(json.dumps(config), {"beta_account_json"})) == places
