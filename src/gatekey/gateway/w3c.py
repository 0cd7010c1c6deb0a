"""W3C trace context and baggage, as they come in. What their standards call malformed is ignored, and never refused.

Neither goes upstream by itself: only where the request or its config forwards the header, or the path is forwarded.
Sources: portkey-api.md 1.2, www.w3.org/TR/trace-context, www.w3.org/TR/baggage.
"""

import re
from collections.abc import Iterable
from itertools import islice
from urllib.parse import unquote

MAX_VALUE = 128
"""Characters of a member's value that are kept: as many as a value of metadata may have."""
MAX_MEMBERS = 64
MAX_BAGGAGE = 8192
"""Members and characters of baggage that are read: as many as the standard wants to be passed on at least."""

_parent = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.DOTALL)
_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def parent(value: str) -> tuple[str, str] | None:
    """Trace id and span id of whoever sent a `traceparent`; None where it is malformed.

    A version above 00 may say more behind the part that is known.
    """
    match = _parent.fullmatch(value.strip(" \t"))
    if match is None or match[1] == "ff" or (match[1] == "00" and match[4] is not None):
        return None
    trace, span = match[2], match[3]
    return (trace, span) if trace.strip("0") and span.strip("0") else None


def baggage(value: str) -> dict[str, str]:
    """Baggage as metadata: its members by their keys, decoded; properties are left out."""
    whole = value[:MAX_BAGGAGE]
    if len(value) > MAX_BAGGAGE:
        whole = whole.rpartition(",")[0]  # the last one is not all there
    return dict(islice(_members(whole.split(",")), MAX_MEMBERS))


def _members(listed: Iterable[str]) -> Iterable[tuple[str, str]]:
    for member in listed:
        key, equals, text = member.partition(";")[0].partition("=")
        key = key.strip(" \t")
        if equals and _token.fullmatch(key):
            yield key, unquote(text.strip(" \t"))[:MAX_VALUE]
