"""A catalog of three providers made up for the tests, so that the config language is tested alone."""

from typing import ClassVar

import pytest


class FakeCatalog:
    """Knows `alpha` (no options), `beta` and `gamma`."""

    _options: ClassVar = {
        "alpha": {},
        "beta": {"beta_region": "beta_region", "region": "beta_region", "beta_account_json": "beta_account_json"},
        "gamma": {"gamma_deployments": "gamma_deployments", "deployments": "gamma_deployments", "tier": "gamma_tier"},
    }

    def known(self, slug):
        return slug in self._options

    def slugs(self):
        return tuple(self._options)

    def documented(self, option):
        return option == "later_region"

    def options(self, slug):
        return self._options[slug]

    def option_names(self):
        return {spelling: name for options in self._options.values() for spelling, name in options.items()}


@pytest.fixture(scope="session")
def catalog():
    return FakeCatalog()
