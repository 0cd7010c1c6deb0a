"""What `GET /metrics` tells: every family with its labels, buckets and unit, declared once.

Names, labels and buckets that do not begin with `gatekey_` are those of portkey-api.md 7.8. Its families that would
have to be invented are not here; docs/guides/metrics.md says which, and why.
"""

from typing import Literal

from msgspec import Struct

LABELS = ("method", "endpoint", "code", "provider", "stream", "cacheStatus")
"""What tells the documented families' series apart; `model` besides, where the setting asks for it."""
MODEL = "model"

_ANSWERS = (
    *(0.1, 1, 2, 5, 10, 30, 50, 75, 100, 150, 200, 350, 500, 1000, 2500, 5000, 10_000, 50_000, 100_000, 300_000),
    *(500_000, 10_000_000),
)  # fmt: skip
"""ms: what may take as long as an answer."""
_HTTP = (0.1, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 240, 500, 1000, 3000)
"""s."""
_OWN_MS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""ms: what the gateway does itself."""
_OWN_US = (50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 20_000, 50_000, 100_000)
"""us."""

MS = 1000
S = 1_000_000
CENTS = 10_000_000
"""What a family's unit is in the unit that is kept: us, and nano-dollars."""


class Family(Struct, frozen=True):
    """One metric. Values are kept as whole numbers, and told divided by `scale`.

    `buckets`: a histogram's upper bounds, as they are told. `labels` as they are told; `rows`: those of a request, and
    the model's where it is asked for. `joined`: how a gauge that every process has of its own becomes the gateway's.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...] = ()
    rows: bool = False
    scale: int = 1
    buckets: tuple[float, ...] = ()
    joined: Literal["sum", "max"] = "sum"

    @property
    def bounds(self) -> list[int]:
        """The buckets' upper bounds in the unit that is kept."""
        return [round(bound * self.scale) for bound in self.buckets]


def _answers(name: str, about: str) -> Family:
    return Family(name, "histogram", about, LABELS, rows=True, scale=MS, buckets=_ANSWERS)


REQUESTS = Family("request_count", "counter", "Requests that were answered.", LABELS, rows=True)
HTTP = Family(
    "http_request_duration_seconds", "histogram", "From a request's start to its answer's end.", LABELS, rows=True,
    scale=S, buckets=_HTTP,
)  # fmt: skip
LLM = _answers("llm_request_duration_milliseconds", "Time that providers had the word, all attempts together.")
WHOLE = _answers("portkey_request_duration_milliseconds", "From a request's start to its answer's end.")
OWN = Family(
    "portkey_processing_time_excluding_last_byte_ms", "histogram", "Time that the gateway spent itself, waiting for "
    "nobody.", LABELS, rows=True, scale=MS, buckets=_OWN_MS,
)  # fmt: skip
LAST_BYTE = _answers(
    "llm_last_byte_diff_duration_milliseconds", "From the provider's first content, or its head, to its last byte."
)
COST = Family(
    "llm_cost_sum", "gauge", "What requests have cost, in US cents; those without a price are not in it.", LABELS,
    rows=True, scale=CENTS,
)  # fmt: skip
TOKENS = Family("llm_token_sum", "gauge", "Tokens that went in and came out.", LABELS, rows=True)

OVERHEAD = Family(
    "gatekey_overhead_microseconds", "histogram", "Time that the gateway spent itself, waiting for nobody.",
    ("endpoint", "stream"), buckets=_OWN_US,
)  # fmt: skip
FIRST = Family(
    "gatekey_first_content_milliseconds", "histogram", "From a streamed request's start to its first content.",
    ("endpoint", "provider"), scale=MS, buckets=_ANSWERS,
)  # fmt: skip
ATTEMPTS = Family(
    "gatekey_attempts_total", "counter", "Attempts by what they came to, and whether the provider or the gateway said "
    "so.", ("provider", "code", "by"),
)  # fmt: skip
CLASSES = Family("gatekey_tokens_total", "counter", "Tokens by class, each counted once.", ("provider", "class"))
UNPRICED = Family("gatekey_unpriced_total", "counter", "Requests that consumed something whose price is not known.")
REFUSALS = Family(
    "gatekey_refusals_total", "counter", "Attempts, and requests before any, that a limit, a budget or a bound has "
    "refused, by the error's code.", ("code",),
)  # fmt: skip

WORKERS = Family("gatekey_workers", "gauge", "Workers that live.")
RUNNING = Family("gatekey_calls_running", "gauge", "Calls that are being answered.")
BEHIND = Family(
    "gatekey_store_behind_seconds", "gauge", "Age of what is known of the database: it grows while that is away.",
    joined="max",
)  # fmt: skip
WRITTEN = Family("gatekey_records_written_total", "counter", "Records that workers have written into the spool.")
LOST = Family("gatekey_records_lost_total", "counter", "Records that found no room in the spool.")
WAITING = Family("gatekey_spool_waiting_bytes", "gauge", "Bytes of the spool's files, which wait for the database.")
STORED = Family("gatekey_records_stored_total", "counter", "Records in the database.")
ASIDE = Family("gatekey_records_aside_total", "counter", "Records that could not be stored.")
TORN = Family("gatekey_records_torn_total", "counter", "Records cut by the end of their worker.")
AWAY = Family("gatekey_database_away_total", "counter", "Times that the writer could not reach the database.")
WRITER = Family("gatekey_writer_age_seconds", "gauge", "Since the writer was last heard of; it speaks every second.")
SPANS = Family("gatekey_spans_sent_total", "counter", "Spans that the collector has taken.")
SPANS_LOST = Family("gatekey_spans_dropped_total", "counter", "Spans that the collector did not take, or had no room.")

CALLS_WAITING = Family("gatekey_ledger_calls_waiting", "gauge", "Calls that wait for the ledger of budgets and rates.")
LEASES = Family("gatekey_ledger_leases", "gauge", "Leases that workers hold.")
EXCHANGES = Family("gatekey_ledger_exchanges_total", "counter", "Times that workers have asked the ledger.")
EXCHANGES_FAILED = Family("gatekey_ledger_failures_total", "counter", "Times that it could not be asked.")
ALERTS = Family("gatekey_alerts_total", "counter", "Budgets that have passed the threshold which they alert at.")

ALL: tuple[Family, ...] = tuple(found for found in list(globals().values()) if isinstance(found, Family))
"""In the order of this page."""
BY_NAME = {family.name: family for family in ALL}
