"""Whether a call is repeated, and after which pause. No clock, no dice.

The gateway makes the retries that a config asks for, and what it answers is final: repeating it here would multiply
them. Repeated is only what did not reach a gateway: a connection that could not be made, and the 502, 503 or 504 of
something in front of one, which has no trace id.
"""

from collections.abc import Mapping

from portkey_ai._errors import APIConnectionError, APITimeoutError

DEFAULT = 2
"""Repetitions of a call."""
FIRST, LONGEST = 0.5, 8.0
"""s of the first pause, which doubles each time, and of the longest."""
IN_FRONT = frozenset({502, 503, 504})


def after_failure(failure: APIConnectionError, method: str, made: int, most: int) -> float | None:
    """The pause in s after no answer, or None. What may have been carried out already is not sent twice."""
    safe = failure.unsent or (method in ("GET", "HEAD", "PUT", "DELETE") and not isinstance(failure, APITimeoutError))
    return _pause(made) if safe and made < most else None


def after_answer(status: int, headers: Mapping[str, str], made: int, most: int) -> float | None:
    """The pause in s after an answer, or None."""
    if status not in IN_FRONT or "x-portkey-trace-id" in headers or made >= most:
        return None
    asked = headers.get("retry-after", "")
    return min(float(asked), LONGEST) if asked.isascii() and asked.isdigit() else _pause(made)


def _pause(made: int) -> float:
    return min(FIRST * 2.0**made, LONGEST)
