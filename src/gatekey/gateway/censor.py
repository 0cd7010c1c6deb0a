"""What a log does not keep of what was said: values whose names say that they are credentials.

Text is searched, not read: it may be cut off, or be no JSON at all. What people and models say to each other is
content, whatever it is about.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec import Raw

MASK = "***"
"""In the place of a value."""
CONTENT = frozenset({"messages", "prompt", "input"})
"""Fields that hold what is said, and no settings."""
LONGEST = 64
"""Bytes of the longest name that is looked at."""

_WORDS = (
    r"(?:api|access|secret|private|auth|signing|subscription|account|master|shared)[_-]?keys?(?:[_-]?id)?|token"
    r"|secret|password|passwd|passphrase|credentials?|authorization|cookie|bearer|session[_-]?id|connection[_-]?string"
)
_name = re.compile(rf"(?:[\w\-.]*[_\-.]|[\w\-.]*(?<=[a-z])(?=[A-Z]))?(?i:{_WORDS})")
"""A credential's name: its last words say so, whatever is before: `api_key`, `azureAdToken`, `x-api-key`."""
_colon = re.compile(rb'"\s*+:\s*+')
_string = rb'"(?:[^"\\]++|\\.)*+"?'
_value = re.compile(
    _string + rb'|\[(?:[^\]"]++|' + _string + rb")*+\]?|\{[^{}]{0,2000}+\}|-?\d[\d.eE+-]*+",
    re.DOTALL,
)
"""A text, a list, a plain object or a number; the end of the text may be theirs."""
_part = re.compile(
    rf'(name="[^"\r\n]{{0,64}}(?i:{_WORDS})"[^\r\n]{{0,512}}\r\n(?:[^\r\n]{{1,512}}\r\n){{0,8}}\r\n)[^\r\n]*'.encode()
)
_loose = re.compile(rf"""((?i:{_WORDS})["']?\s{{0,9}}[:=]\s{{0,9}}["']?)[^\s"',;&]+""".encode())


@lru_cache(1024)
def is_credential(name: str | bytes) -> bool:
    """Whether a name, of a header or a field, says that its value is a credential."""
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    return len(text) <= LONGEST and _name.fullmatch(text) is not None


def body(data: bytes, fields: Mapping[str, Raw]) -> bytes:
    """A JSON body whose fields have been read, without credentials."""
    for name, value in fields.items():
        if is_credential(name):
            return fragment(data)
        if name not in CONTENT:
            inner = bytes(value)
            if inner[:1] in (b"{", b"[") and fragment(inner) is not inner:
                return fragment(data)
    return data


def text(data: bytes) -> bytes:
    """Any text without credentials: JSON, a part of it, something like it, a form."""
    if data.lstrip()[:1] in (b"{", b"["):
        return fragment(data)
    return _loose.sub(rb"\1***", _part.sub(rb"\1***", fragment(data)))


def malformed(data: bytes) -> bytes:
    """What was to be JSON and is not, without credentials."""
    return _loose.sub(rb"\1***", fragment(data))


def fragment(data: bytes) -> bytes:
    """JSON or some of it without credentials; the same object where there are none."""
    kept: list[bytes] = []
    done = 0
    for colon in _colon.finditer(data):
        end = colon.start()
        if end < done or not is_credential(data[data.rfind(b'"', max(0, end - LONGEST - 1), end) + 1 : end]):
            continue
        value = _value.match(data, colon.end())
        # An object that has a type is a schema, which tells of a credential and is none.
        if value is None or (value[0][:1] == b"{" and b'"type"' in value[0]):
            continue
        kept += (data[done : colon.end()], b'"***"')
        done = value.end()
    return b"".join((*kept, data[done:])) if kept else data
