"""What a client was told, worked out once: the address, the headers, the time-outs. No I/O."""

import sys
from collections.abc import Mapping
from typing import Any

from portkey_ai import _options, _retries
from portkey_ai._calls import Call, Request, request
from portkey_ai._http1 import origin
from portkey_ai._version import __version__

TIMEOUT = 600.0
"""s that a gateway may be silent: long answers of slow models come in one piece."""
AGENT = f"gatekey-sdk/{__version__} Python/{sys.version_info.major}.{sys.version_info.minor}"


class Settings:
    """The options of a client. Raises TypeError for an unknown one, ValueError for a value that cannot be."""

    def __init__(self, options: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self.options = _options.merged({}, options)
        self.base_url = _options.base_url(self.options, environ)
        self.origin, self.path = origin(self.base_url)
        told = dict(self.options)
        if told.get("api_key") is None:
            told["api_key"] = environ.get("PORTKEY_API_KEY")
        if told.get("strict_open_ai_compliance") is None:
            told["strict_open_ai_compliance"] = False
        self.api_key: str = told["api_key"] or ""
        self.told = _options.headers(told)
        """The headers that the options have become."""
        self.headers = {"host": self.origin.name, "user-agent": AGENT, **self.told}
        self.timeout = _timeout(self.options)
        most = self.options.get("max_retries")
        self.max_retries: int = _retries.DEFAULT if most is None else most

    def request(self, asked: Call) -> Request:
        """The request of a call."""
        return request(asked, self.origin, self.path, self.headers, self.timeout)


def _timeout(options: Mapping[str, Any]) -> float | None:
    """s, or None. Without one of its own, the client waits longer than it tells the gateway to."""
    if "timeout" in options:
        given: float | None = options["timeout"]
        return given
    told = str(options.get("request_timeout") or 0)
    return max(TIMEOUT, int(told) / 1000 + 10 if told.isdecimal() else 0)
