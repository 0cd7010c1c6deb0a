"""Embeddings in the encoding that was asked for. SDKs ask for base64 unless told otherwise."""

import base64
import struct
from typing import Any


def encoded(reply: dict[str, Any], encoding_format: object) -> dict[str, Any]:
    """The reply with its vectors as base64 of little-endian float32, where `encoding_format` is `base64`."""
    if encoding_format != "base64":
        return reply
    data = [{**item, "embedding": _base64(item["embedding"])} for item in reply["data"]]
    return {**reply, "data": data}


def _base64(vector: Any) -> Any:
    if not isinstance(vector, list):
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
