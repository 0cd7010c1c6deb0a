"""The folder is the registry: what can grow in number is found by the file that holds it.

A provider is a module of `gatekey.providers` (or of an entry point group `gatekey.providers`, for those kept
elsewhere) that holds one `provider = Provider(slug=..., ...)`. Slugs are read from the files' text, so that the
list is known at once and a module is imported when its provider is first used.
"""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import import_module, resources
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from gatekey.providers import Provider

_slug = re.compile(r'^    slug="([^"]+)"', re.MULTILINE)


class Catalog:
    """Providers by slug."""

    @cached_property
    def _modules(self) -> dict[str, str]:
        found = {point.name: point.value for point in entry_points(group="gatekey.providers")}
        for file in resources.files("gatekey.providers").iterdir():
            if file.name.endswith(".py") and not file.name.startswith("_"):
                slug = _slug.search(file.read_text(encoding="utf-8"))
                if slug is None:
                    raise ImportError(f'{file.name} declares no provider: it must hold a line `    slug="..."`')
                found[slug[1]] = f"gatekey.providers.{file.name.removesuffix('.py')}"
        return dict(sorted(found.items()))

    def slugs(self) -> tuple[str, ...]:
        """Every slug, sorted."""
        return tuple(self._modules)

    def known(self, slug: str) -> bool:
        """Whether there is such a provider."""
        return slug in self._modules

    @cache  # noqa: B019 - one Catalog lives as long as the process
    def provider(self, slug: str) -> "Provider":
        """The provider. Raises KeyError where there is none."""
        return cast("Provider", import_module(self._modules[slug]).provider)

    def options(self, slug: str) -> Mapping[str, str]:
        """Every spelling of the provider's own options in a config, to the canonical name."""
        return self.provider(slug).option_names

    def documented(self, option: str) -> bool:
        """Whether it is an option of a provider that is documented and not here."""
        from gatekey.providers import DOCUMENTED

        return option in DOCUMENTED

    @cache  # noqa: B019 - one Catalog lives as long as the process
    def option_names(self) -> Mapping[str, str]:
        """The same over all providers."""
        return {spelling: name for slug in self._modules for spelling, name in self.options(slug).items()}
