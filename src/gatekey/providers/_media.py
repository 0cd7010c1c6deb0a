"""What content parts of our dialect carry beside text: data URIs, links, JSON arguments.

For the providers' files that turn parts into their own; nothing here knows any of them.
"""

from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from gatekey.errors import BadBody

_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "md": "text/markdown",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mpeg": "video/mpeg",
}


def data_uri(uri: str, field: str) -> tuple[str, str] | None:
    """`(media type, base64)` of a base64 data URI, None for what is no data URI. Raises `BadBody` naming `field`."""
    if not uri.startswith("data:"):
        return None
    head, comma, data = uri[5:].partition(",")
    kind, *attributes = head.split(";")
    if not comma or "base64" not in attributes:
        raise BadBody(f"`{field}` must be a data URI in base64: data:<media type>;base64,<data>.", param=field)
    return kind or "text/plain", unquote_to_bytes(data).decode("ascii", "replace") if "%" in data else data


def guess(url: str, otherwise: str) -> str:
    """The media type that the ending of a link's path tells."""
    return _TYPES.get(urlsplit(url).path.rpartition(".")[2].lower(), otherwise)


def arguments(call: dict[str, Any], field: str) -> dict[str, Any]:
    """The arguments of a tool call of ours as an object, empty where there are none. Raises `BadBody`."""
    text = call["function"].get("arguments")
    if isinstance(text, dict):
        return text
    if text is None or (isinstance(text, str) and not text.strip()):
        return {}
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, TypeError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise BadBody(f"`{field}.function.arguments` must be the text of a JSON object.", param=field)
    return decoded


def text_of(part: dict[str, Any], field: str) -> str:
    """The text of a part of type `text` or `refusal`. Raises `BadBody`."""
    text = part.get(part["type"])
    if not isinstance(text, str):
        raise BadBody(f"`{field}.{part['type']}` must be a string.", param=f"{field}.{part['type']}")
    return text


def as_text(value: Any) -> str:
    """A value as JSON text: how our dialect carries arguments."""
    return msgspec.json.encode(value).decode()


def listed(value: Any) -> list[Any]:
    """A value as a list: what may be one or many of ours is always a list of theirs."""
    return value if isinstance(value, list) else [value]
