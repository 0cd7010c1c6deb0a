"""Retention: what is too old is deleted, a little at a time."""

from sqlalchemy import Connection

from gatekey.store import cells, feedback, logs

STEP = 1000
"""Logs that are deleted in one transaction, which holds the database's lock for some milliseconds."""


class Retention:
    """For how long records and their sums are kept, in ms. Its methods are for a writer's `care`."""

    def __init__(self, logs: int, sums: int) -> None:
        self._logs, self._sums = logs, sums
        self._hour = -1

    def logs(self, connection: Connection, now: int) -> bool:
        """Delete some of the logs that are too old. Whether there may be more."""
        return logs.forget(connection, now - self._logs, STEP) == STEP

    def sums(self, connection: Connection, now: int) -> bool:
        """Delete the sums and the feedback that are too old: once an hour, as they are looked for in all of them."""
        hour = now // cells.HOUR
        if hour != self._hour:
            cells.forget(connection, now - self._sums)
            feedback.forget(connection, now - self._sums, now - self._logs)
            self._hour = hour
        return False
