"""Small trees to rehearse."""

from gatekey.config.conditions import MISSING
from gatekey.config.load import load
from gatekey.routing.plan import Facts, plan, rehearse


class NoProviders:
    def known(self, slug):
        return False

    def slugs(self):
        return ()

    def documented(self, option):
        return False

    def options(self, slug):
        return {}

    def option_names(self):
        return {}


def tree(config):
    return load(config, NoProviders()).root


def facts(seed=1, **values):
    """`metadata_plan="paid"` is what `metadata.plan` looks up."""
    return Facts(seed, lambda key: values.get(key.replace(".", "_"), MISSING))


def play(config, *answers, seed=1, **values):
    return rehearse(plan(tree(config), facts(seed, **values)), *answers)
