"""What a forwarded answer says of its usage.

A forwarded answer is in the provider's own format, and passes as it came. Wherever providers put their usage it is
found; a stream reports more than once, each report whole or the rest of an earlier one, so that later counts hold.
Endpoints of OpenAI's dialect that report none are told by their path: `units` says what they consumed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import DecodeError
from msgspec.json import Decoder

from gatekey.errors import Nonsense
from gatekey.streaming import sse

MAX_READ = 4 * 1024 * 1024
"""Bytes of an unstreamed answer that are kept to be read; of a larger one its end is."""
END = 64 * 1024
"""Bytes of the end that are kept."""
_INSIDE = ("response", "message", "delta", "x_groq")
"""Where events of some providers have their usage and their model: in the answer so far, in what comes last."""
_REPORTS = ("usage", "usageMetadata", "meta")
_STORING = ("/files", "/uploads")
_MARK = b'"usage":'
"""What begins a report; inside a string it would have backslashes."""

_named = re.compile(r"/(?:models|deployments|engines)/([^/:]+)")
_decode = Decoder().decode


class Tally:
    """Reads along while an answer is forwarded. Never raises: what cannot be read has not told anything."""

    def __init__(self, content_type: str, path: str = "", asked: Callable[[str], Any] = lambda name: None) -> None:
        """`path` as it was asked for, and `asked` gives a field of the request."""
        self._path = path.partition("?")[0]
        self._asked = asked
        self._events = sse.Decoder() if content_type.startswith("text/event-stream") else None
        self._json = "json" in content_type
        self._kept: list[bytes] = []
        self._size = 0
        self.usage: dict[str, Any] = {}
        """The report so far, empty where there was none."""
        self.model = ""

    def feed(self, data: bytes) -> None:
        """Some of the answer."""
        if self._events is not None:
            try:
                events = self._events.feed(data)
            except Nonsense:
                self._events = None
                return
            for event in events:
                if b'"usage' in event.data or (not self.model and b'"model' in event.data):
                    self._read(event.data)
        elif self._json:
            self._size += len(data)
            self._kept.append(data)
            if self._size > MAX_READ:
                self._kept = [b"".join(self._kept)[-END:]]

    def close(self) -> None:
        """The answer is over."""
        whole: Any = None
        if self._size > MAX_READ:
            self._from_end(b"".join(self._kept))
        elif self._kept:
            whole = self._read(b"".join(self._kept))
        self._kept = []
        if not self.usage:
            self.usage = units(self._path, self._asked, whole if isinstance(whole, dict) else {})

    def _from_end(self, data: bytes) -> None:
        """The last report in the end of an answer that is too large to be read."""
        start = data.rfind(_MARK)
        end = data.find(b"}", start)
        while 0 <= start < end:
            try:
                told = _decode(data[start + len(_MARK) : end + 1])
            except (DecodeError, RecursionError, UnicodeDecodeError):
                end = data.find(b"}", end + 1)
                continue
            self._take({"usage": told})
            return

    def _read(self, data: bytes) -> Any:
        try:
            told = _decode(data)
        except (DecodeError, RecursionError, UnicodeDecodeError):
            return None
        for part in told if isinstance(told, list) else (told,):
            self._take(part)
        return told

    def _take(self, told: Any) -> None:
        if not isinstance(told, dict):
            return
        for place in (told, *(told.get(name) for name in _INSIDE)):
            if not isinstance(place, dict):
                continue
            for name in _REPORTS:
                report = place.get(name)
                if isinstance(report, dict) and (name != "meta" or "billed_units" in report):
                    self.usage |= {key: value for key, value in report.items() if value is not None}
            model = place.get("model") or place.get("modelVersion")
            if isinstance(model, str):
                self.model = model


def units(path: str, asked: Callable[[str], Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What an endpoint without counts of tokens consumed, as a report; empty where it is none of these.

    `path` is without its query, `asked` gives a field of the request, `told` is the answer, empty where it was not
    read. Sources: OpenAI's reference of images, of speech (billed by what is to be spoken), of transcriptions
    (`verbose_json` tells how long the sound was).
    """
    for ends, unit in _UNITS.items():
        if path.endswith(ends):
            return unit(asked, told)
    return {}


def stores(path: str) -> bool:
    """Whether a request to this path stores a file, or a part of one, which makes no model work."""
    path = path.partition("?")[0].rstrip("/")
    return path.endswith(_STORING) or "/uploads/" in path


def model_in(path: str) -> str:
    """The model, or the deployment, that a path names; empty where it names none."""
    found = _named.search(path.partition("?")[0])
    return unquote(found[1]) if found else ""


def _pictures(asked: Callable[[str], Any], told: Mapping[str, Any]) -> dict[str, Any]:
    made = told.get("data")
    if isinstance(made, list):
        return {"images": len(made)}
    wanted = asked("n")
    return {"images": wanted if type(wanted) is int and wanted > 0 else 1}


def _spoken(asked: Callable[[str], Any], told: Mapping[str, Any]) -> dict[str, Any]:
    text = asked("input")
    return {"characters": len(text)} if isinstance(text, str) and text else {}


def _heard(asked: Callable[[str], Any], told: Mapping[str, Any]) -> dict[str, Any]:
    seconds = told.get("duration")
    return {"seconds": seconds} if type(seconds) in (int, float) else {}


_UNITS = {
    "/images/generations": _pictures,
    "/images/edits": _pictures,
    "/images/variations": _pictures,
    "/audio/speech": _spoken,
    "/audio/transcriptions": _heard,
    "/audio/translations": _heard,
}
