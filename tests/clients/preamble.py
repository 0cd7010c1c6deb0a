"""What every script for the Portkey client of PyPI begins with; `show` ends it."""

import asyncio  # noqa: F401
import json
import os
from typing import Any

from portkey_ai import AsyncPortkey, Portkey  # noqa: F401

URL, FAKE = os.environ["URL"], os.environ["FAKE"]
KEY = "gk-test-admin"
INLINE = {"provider": "openai", "api_key": "sk-config", "custom_host": FAKE}


def show(**found: Any) -> None:
    """Tell the test what was found."""
    print(json.dumps(found))


def failure(call: Any) -> Any:
    """The error that a call ends with."""
    try:
        call()
    except Exception as error:
        return error
    raise SystemExit("It did not fail.")
