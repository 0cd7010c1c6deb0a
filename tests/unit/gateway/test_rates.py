"""How rates are told in answers."""

import pytest

from gatekey.gateway.purse import Purse
from gatekey.gateway.rates import span, told
from gatekey.limits.limit import Limit
from tests.unit.limits.twin import Twin

RATE = Limit("key/1/requests/60s", "requests", 3, per=60)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0ms"), (-5, "0ms"), (12, "12ms"), (999, "999ms"), (1000, "1s"), (1001, "2s"), (59_000, "59s"),
        (60_000, "1m0s"), (360_000, "6m0s"), (3_600_000, "1h0m0s"), (90_061_000, "25h1m1s"),
    ],
)  # fmt: skip
def test_a_time(ms: int, said: str) -> None:
    assert span(ms) == said


def test_ours_take_the_place_of_the_provider_s() -> None:
    theirs = [(b"x-ratelimit-remaining-requests", b"77"), (b"x-ratelimit-remaining-tokens", b"78"), (b"a", b"b")]
    purse = Purse(Twin())
    assert told(theirs, purse, (Limit("c", "cost", 1),)) == theirs
    assert told(theirs, purse, (Limit("c", "cost", 1), RATE)) == [
        (b"x-ratelimit-remaining-tokens", b"78"),
        (b"a", b"b"),
        (b"x-ratelimit-limit-requests", b"3"),
        (b"x-ratelimit-remaining-requests", b"3"),
        (b"x-ratelimit-reset-requests", b"0ms"),
    ]
