"""The record: the one wide log entry of a request, opened at its start and always written.

Times are microseconds (us) but `created_at` (ms since the epoch); costs are nano-dollars, None where a price is
not known ("unpriced"), which is not zero.
"""

import msgspec
from msgspec import Raw, Struct

from gatekey.wire.usage import Usage

NOTHING = Raw(b'""')
INSERTED = "inserted"
"""The kind of a record that a caller has brought, of a request that went elsewhere."""


class Tried(Struct, omit_defaults=True):
    """One attempt. `by` says who answered: the provider or the gateway; `refused` names the limit that refused it.

    `began_us` is from the request's start to its own. `connect_us` to an open connection, `head_us` to the provider's
    head, `first_us` to its first content, `total_us` to its end, all from the attempt's start; 0 where it did not come
    so far.
    """

    path: str
    provider: str
    status: int
    by: str
    virtual_key: str = ""
    model: str = ""
    url: str = ""
    retries: int = 0
    error: str = ""
    refused: str = ""
    began_us: int = 0
    connect_us: int = 0
    head_us: int = 0
    first_us: int = 0
    total_us: int = 0
    usage: Usage | None = None
    cost: int | None = None
    priced: bool = False


class Record(Struct, omit_defaults=True):
    """One request. `status` 0: still open; 499: the caller left. `usage` and `cost` are of all attempts together.

    `priced`: the price of everything that was consumed is known, so that `cost` is exact. `queue_us` is the time
    until the gateway had the request whole, `overhead_us` what it spent itself, waiting for nobody. `request` and
    `response` are bodies, kept where bodies are: a JSON value, or a JSON string of what is none; `cut` where only
    their beginning is.
    """

    id: str
    created_at: int
    kind: str
    method: str
    path: str
    workspace: str = ""
    api_key: str = ""
    user: str = ""
    trace_id: str = ""
    span_id: str = ""
    span_name: str = ""
    parent_span_id: str = ""
    seed: str = ""
    metadata: dict[str, str] = {}
    config: str = ""
    prompt: str = ""
    status: int = 0
    error: str = ""
    provider: str = ""
    model: str = ""
    virtual_key: str = ""
    option: str = ""
    retries: int = 0
    cache_status: str = ""
    stream: bool = False
    sdk: str = ""
    usage: Usage | None = None
    cost: int | None = None
    priced: bool = False
    queue_us: int = 0
    first_us: int = 0
    total_us: int = 0
    upstream_us: int = 0
    overhead_us: int = 0
    attempts: list[Tried] = []
    request_headers: dict[str, str] = {}
    response_headers: dict[str, str] = {}
    request: Raw = NOTHING
    response: Raw = NOTHING
    cut: bool = False

    @property
    def ok(self) -> bool:
        """Whether the answer was a success, whole."""
        return 200 <= self.status < 300 and not self.error

    @property
    def fell_back(self) -> bool:
        """Whether another target than the first one answered, with success."""
        return self.ok and len(self.attempts) > 1 and self.attempts[0].path != self.attempts[-1].path


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Record).decode
