"""Embeddings in the encoding that was asked for. SDKs ask for base64 unless told otherwise."""

import base64
import re
import struct
from typing import Any

from gatekey.errors import Nonsense

_numbers = re.compile(rb'"embedding"\s*:\s*\[')


def has_numbers(data: bytes) -> bool:
    """Whether an answer, not decoded yet, gives its vectors as numbers. Not every provider knows another encoding."""
    return _numbers.search(data) is not None


def encoded(reply: dict[str, Any], encoding_format: object) -> dict[str, Any]:
    """The reply with its vectors as base64 of little-endian float32, where `encoding_format` is `base64`.

    Raises `Nonsense` where there are no vectors.
    """
    if encoding_format != "base64":
        return reply
    try:
        data = [{**item, "embedding": _base64(item["embedding"])} for item in reply["data"]]
    except (KeyError, TypeError, struct.error, OverflowError):
        raise Nonsense("The provider's answer holds no list of vectors.") from None
    return {**reply, "data": data}


def _base64(vector: Any) -> Any:
    if not isinstance(vector, list):
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
