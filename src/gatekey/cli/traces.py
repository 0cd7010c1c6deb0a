"""The settings of what sends spans: read, and refused at the start where they cannot be."""

import importlib.util
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from gatekey.cli.settings import BadSettings, Settings


class Collector(Struct):
    """Where spans go: `endpoint`, with these `headers`, which are secret; `resource` describes the gateway."""

    endpoint: str
    headers: dict[str, str]
    resource: dict[str, str]


def collector(settings: Settings) -> Collector | None:
    """The collector that is set, if any. Raises `BadSettings`."""
    if not settings.otlp_endpoint:
        return None
    if not _is_url(settings.otlp_endpoint):
        raise BadSettings("GATEKEY_OTLP_ENDPOINT is no URL such as http://127.0.0.1:4318.")
    if not _installed():
        raise BadSettings("GATEKEY_OTLP_ENDPOINT needs the extra otel: pip install 'gatekey[otel]'.")
    headers = _pairs(settings.otlp_headers, "GATEKEY_OTLP_HEADERS")
    return Collector(settings.otlp_endpoint, headers, _pairs(settings.otlp_resource, "GATEKEY_OTLP_RESOURCE"))


def _installed() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def _is_url(text: str) -> bool:
    try:
        split = urlsplit(text)
        return split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
    except ValueError:
        return False


def _pairs(text: str, name: str) -> dict[str, str]:
    """`a=b,c=d`, values percent-encoded where they have to be, as the variables of OpenTelemetry are written."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise BadSettings(f"{name} is no list such as name=value,other=value.")
        found[key.strip()] = unquote(value.strip())
    return found
