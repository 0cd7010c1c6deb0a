"""The writer's process: `python -m gatekey.cli.writer`, a child of `gatekey serve`.

Its standard input has one line, a `Job`, and stays open as long as whoever started it lives: the writer ends when it
ends. It ends on SIGTERM too, and drains before. It yields to the workers, and imports little.
"""

import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from gatekey.cli.traces import Collector

if TYPE_CHECKING:
    from gatekey.observe.otlp import Export

NICE = 2
"""How far it stands back behind the workers when all are busy: a little, since what it does not get to it has to do
later, and the spool is bounded."""
BUSY = 75
"""Exit code where another writer serves the spool, such as that of a gateway which has not ended yet."""
DAY = 24 * 3600 * 1000
"""ms."""

log = logging.getLogger("gatekey")


class Job(Struct):
    """What to serve: the spool's folder, the database's URL, days for which logs and sums are kept, the folder in
    which processes tell metrics, and where spans go."""

    folder: str
    database: str
    log_days: float
    analytics_days: float
    metrics: str
    collector: Collector | None = None


def main() -> int:
    """Serve until told to end; the exit code."""
    stop = threading.Event()
    # A Ctrl-C reaches the whole group: the workers end first, and their records are still to come.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    with suppress(OSError):
        os.nice(NICE)
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    threading.Thread(target=_until_the_end, args=(stop,), daemon=True).start()
    return _serve(job, stop)


def _until_the_end(stop: threading.Event) -> None:
    """Wait until whoever started this is gone."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    stop.set()


def _serve(job: Job, stop: threading.Event) -> int:
    from pathlib import Path

    from gatekey.observe import families
    from gatekey.observe.beside import Beside
    from gatekey.store.cells import fold
    from gatekey.store.feedback import meet
    from gatekey.store.retention import Retention
    from gatekey.store.writer import Busy, Writer

    care = Retention(int(job.log_days * DAY), int(job.analytics_days * DAY))
    export = _export(job.collector)
    with ExitStack() as stack:
        sinks = [] if export is None else [export]
        writer = Writer(Path(job.folder), job.database, also=[fold, meet], sinks=sinks, care=[care.logs, care.sums])
        counts = {
            families.STORED: lambda: writer.counts.stored,
            families.ASIDE: lambda: writer.counts.aside,
            families.TORN: lambda: writer.counts.torn,
            families.AWAY: lambda: writer.counts.away,
            families.SPANS: lambda: export.sent if export else 0,
            families.SPANS_LOST: lambda: export.dropped if export else 0,
        }
        stack.enter_context(Beside(Path(job.metrics), counts))
        if export is not None:
            stack.enter_context(export)
        try:
            writer.run(stop)
        except Busy:
            return BUSY
    return 0


def _export(collector: Collector | None) -> "Export | None":
    if collector is None:
        return None
    from gatekey.observe.otlp import Export

    return Export(collector.endpoint, collector.headers, collector.resource)


if __name__ == "__main__":
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    sys.exit(main())
