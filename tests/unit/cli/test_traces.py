"""Where spans go, as the settings say."""

import sys

import pytest

from gatekey.cli.settings import BadSettings, Settings
from gatekey.cli.traces import Collector, collector

URL = "https://collector.example.org"


def test_without_an_endpoint_there_is_none() -> None:
    assert collector(Settings(otlp_headers="a=b")) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        (" a = b , c=d=e,", {"a": "b", "c": "d=e"}),
        ("a=Bearer%20x%2Cy", {"a": "Bearer x,y"}),
    ],
)
def test_pairs(text: str, found: dict[str, str]) -> None:
    assert collector(Settings(otlp_endpoint=URL, otlp_headers=text)) == Collector(URL, found, {})
    assert collector(Settings(otlp_endpoint=URL, otlp_resource=text)) == Collector(URL, {}, found)


@pytest.mark.parametrize("endpoint", ["x", "collector:4318", "ftp://a", "http://", "http://[::", "http://a:99999"])
def test_what_is_no_url(endpoint: str) -> None:
    with pytest.raises(BadSettings, match="GATEKEY_OTLP_ENDPOINT"):
        collector(Settings(otlp_endpoint=endpoint))


@pytest.mark.parametrize("text", ["a", "=b", "a=b,c"])
def test_what_are_no_pairs(text: str) -> None:
    with pytest.raises(BadSettings, match="GATEKEY_OTLP_HEADERS"):
        collector(Settings(otlp_endpoint=URL, otlp_headers=text))


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(BadSettings, match=r"gatekey\[otel\]"):
        collector(Settings(otlp_endpoint=URL))
