"""The gateway as an application inside another program: for tests and notebooks, which need no address then.

    from gatekey.cli.embedded import gateway
    from portkey_ai import Portkey

    with Portkey(app=gateway(admin_key="gk-of-a-test"), api_key="gk-of-a-test") as portkey:
        ...

Whoever serves it starts and ends it by its lifespan, as any ASGI application.
"""

import atexit
import shutil
import tempfile
from typing import Any

import msgspec

from gatekey.cli import server, worker
from gatekey.cli.keeper import Keeper
from gatekey.cli.serving import job
from gatekey.cli.settings import BadSettings, Settings
from gatekey.gateway.app import App


def gateway(**settings: Any) -> App:
    """The application of these settings; the environment plays no part.

    While it is served, a process of its own stores its records.
    Without `data` it has a folder that goes when the program ends, with an admin key in it, unless one is given.
    Raises `BadSettings`.
    """
    if "data" not in settings:
        scratch = tempfile.mkdtemp(prefix="gatekey-")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        settings["data"] = scratch
    try:
        told, _ = server.prepared(msgspec.convert(settings, Settings).checked())
    except msgspec.ValidationError as error:
        raise BadSettings(f"A setting is wrong: {error}") from None
    return worker.application(told, lambda: Keeper(job(told)))
