"""The description of the API (OpenAPI 3.1), made of the same tables that serve it."""

from typing import Any

import msgspec

from gatekey import __version__
from gatekey.catalog import Catalog


def document(catalog: Catalog) -> bytes:
    """The document as JSON."""
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Gatekey", "version": __version__},
        "paths": {},
    }
    return msgspec.json.encode(described)
