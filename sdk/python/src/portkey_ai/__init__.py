"""The Python client of Gatekey, an AI gateway with the Portkey API.

    from portkey_ai import Portkey

    portkey = Portkey(api_key="...", virtual_key="...")
    completion = portkey.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say this is a test")
    print(completion.choices[0].text)

`AsyncPortkey` is the same for asyncio. It is imported when it is first asked for: asyncio is as large as all else.
"""

import os
from typing import TYPE_CHECKING, Any

from portkey_ai._errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APIStatusError,
    APIStreamError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BudgetError,
    ConflictError,
    GuardrailError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    UnprocessableEntityError,
)
from portkey_ai._options import base_url as _base_url
from portkey_ai._options import createHeaders
from portkey_ai._raw import RawResponse
from portkey_ai._results import Content, Result
from portkey_ai._sync.client import Portkey
from portkey_ai._sync.stream import Stream
from portkey_ai._version import __version__

if TYPE_CHECKING:
    from portkey_ai._async.client import AsyncPortkey
    from portkey_ai._async.stream import AsyncStream

PORTKEY_GATEWAY_URL = _base_url({}, os.environ)
"""The gateway's address for other clients: `PORTKEY_BASE_URL`, else one on this machine."""

__all__ = [
    "PORTKEY_GATEWAY_URL",
    "APIConnectionError",
    "APIError",
    "APIResponseError",
    "APIStatusError",
    "APIStreamError",
    "APITimeoutError",
    "AsyncPortkey",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "BudgetError",
    "ConflictError",
    "Content",
    "GuardrailError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "Portkey",
    "RateLimitError",
    "RawResponse",
    "RequestTimeoutError",
    "Result",
    "Stream",
    "UnprocessableEntityError",
    "__version__",
    "createHeaders",
]

_LATER = {"AsyncPortkey": "client", "AsyncStream": "stream"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"portkey_ai._async.{_LATER[name]}"), name)
