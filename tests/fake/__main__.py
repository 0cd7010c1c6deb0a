"""Serve good answers until interrupted, and say where: `python -m tests.fake [port]`."""

import contextlib
import sys
import threading

from tests.fake.server import Fake

with Fake(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0) as fake:
    print(fake.base, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
