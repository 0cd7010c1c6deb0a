"""Serves what `server` has prepared: `python -m gatekey.cli.serving FD`, in the place of the process that prepared it.

It is an image of its own, so that commands and what reads them, which are of no use any more, take no memory.
"""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec

from gatekey.cli.keeper import Keeper
from gatekey.cli.settings import Settings
from gatekey.cli.told import SPOOL, WORKER, Told, logged
from gatekey.cli.writer import Job
from gatekey.observe.metrics import FOLDER as METRICS

KEEP_ALIVE = 75
"""s that an idle connection of a caller is kept: longer than load balancers keep theirs."""
ENDING = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    # From the start on, and after the server has drained: it gives a signal back to whoever had it before.
    for number in ENDING:
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    told = msgspec.json.decode(os.environ[WORKER], type=Told)
    with Keeper(job(told), hidden=(WORKER,)):
        return _run(told.settings, socket.socket(fileno=int(sys.argv[1])))


def end(number: int, frame: Any) -> None:
    """A signal ends the process with exit code 0, not with the signal's."""
    raise SystemExit(0)


def job(told: Told) -> Job:
    """What the writer of records is told."""
    settings = told.settings
    folder = Path(settings.data).absolute() / SPOOL
    return Job(
        str(folder),
        told.database,
        settings.log_retention_days,
        settings.analytics_retention_days,
        str(Path(settings.data).absolute() / METRICS),
        told.spans,
    )


def _run(settings: Settings, listening: socket.socket) -> int:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = uvicorn.Config(
        "gatekey.cli.worker:app",
        factory=True,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="gatekey.cli.protocol:Protocol",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=settings.grace_s,
        workers=settings.workers,
    )
    logged()
    if settings.workers > 1:
        Multiprocess(config, sockets=[listening]).run()
        return 0
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
