"""Shaping a call for one provider, as the shell would, with everything that varies fixed."""

import json
from typing import Any

from gatekey.catalog import Catalog
from gatekey.providers import Asked
from gatekey.providers._read import Stream, reply
from gatekey.providers._shape import Shaped, shape
from gatekey.wire.body import decode

catalog = Catalog()


def shaped(
    slug: str, kind: Any, body: dict[str, Any] | bytes, options: dict[str, str] | None = None, **more: Any
) -> Shaped:
    """What is sent for `body`. `more`: `host`, or fields of `Asked`."""
    host = more.pop("host", "")
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = Asked(kind=kind, provider=slug, options=options or {}, created=1700000000, id="0123456789abcdef", **more)
    return shape(catalog.provider(slug), kind, decode(data), asked, host)


def sent(slug: str, kind: Any, body: dict[str, Any], options: dict[str, str] | None = None, **more: Any) -> Any:
    """The decoded body that is sent."""
    return json.loads(shaped(slug, kind, body, options, **more).body)


def read(call: Shaped, theirs: Any) -> Any:
    """Our decoded reply to their decoded one."""
    return json.loads(reply(call, json.dumps(theirs).encode()).body)


def frames(call: Shaped, data: bytes) -> list[Any]:
    """The frames of a whole stream, decoded; `[DONE]` as text."""
    stream = Stream(call)
    texts = [frame[6:].strip() for frame in stream.feed(data) + stream.close()]
    return [text.decode() if text == b"[DONE]" else json.loads(text) for text in texts]
