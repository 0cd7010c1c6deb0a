"""Metrics in the Prometheus text format, read at the moment they are asked for.

Every worker tells of itself, under its own `worker` label: a scrape reaches one of them.
"""

import os
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(values: Mapping[str, tuple[str, float]]) -> bytes:
    """The metrics: name to what it tells and its value now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now(values))
    return generate_latest(registry)


class _Now(Collector):
    def __init__(self, values: Mapping[str, tuple[str, float]]) -> None:
        self._values = values

    def collect(self) -> Iterable[Metric]:
        for name, (about, value) in self._values.items():
            family = GaugeMetricFamily(name, about, labels=["worker"])
            family.add_metric([str(os.getpid())], value)
            yield family
