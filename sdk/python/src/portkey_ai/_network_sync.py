"""Connections of blocking sockets: the twin of `_network_async`."""

import os
import socket
import time
from time import sleep as sleep
from typing import TYPE_CHECKING, Optional

from portkey_ai._errors import of_network
from portkey_ai._http1 import Answer, Origin, ProtocolError, head
from portkey_ai._proxies import Proxy, proxy

if TYPE_CHECKING:
    import ssl

CONNECTING = 5.0
"""s for a connection, and as many for its TLS."""
IDLE = 30.0
"""s after which an idle connection is not used again; the gateway keeps it for 75."""
PIECE = 64 * 1024


class Connection:
    """A connection to an origin, perhaps through a proxy. Raises `APIConnectionError`."""

    def __init__(self, origin: Origin, made: socket.socket) -> None:
        self._where = origin.name
        self._socket = made
        self._process = os.getpid()
        self.via: Proxy | None = None
        self.idle_since = 0.0

    @classmethod
    def open(cls, origin: Origin, context: Optional["ssl.SSLContext"]) -> "Connection":
        """A new connection; with TLS where the origin wants it."""
        try:
            return cls._open(origin, context, proxy(origin))
        except (OSError, ProtocolError) as error:
            raise of_network(error, origin.name, connecting=True) from error

    @classmethod
    def _open(cls, origin: Origin, context: Optional["ssl.SSLContext"], via: Proxy | None) -> "Connection":
        address = (via.host, via.port) if via else (origin.host, origin.port)
        made = cls(origin, socket.create_connection(address, CONNECTING))
        try:
            made._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is None:
                made.via = via
                return made
            if via is not None:
                made._tunnel(origin.authority, via)
            made._socket = context.wrap_socket(made._socket, server_hostname=origin.host)
        except BaseException:
            made.close()
            raise
        return made

    def _tunnel(self, authority: str, via: Proxy) -> None:
        self._socket.sendall(head("CONNECT", authority, {"host": authority, **via.headers}))
        answer = Answer("CONNECT")
        while not answer.done:
            answer.feed(self._socket.recv(PIECE))
        if answer.status >= 300:
            raise ProtocolError(f"The proxy answered with status {answer.status}.")

    def write(self, data: bytes, silence: float | None) -> None:
        """Send; waits while the other side does not take it."""
        try:
            self._socket.settimeout(silence)
            self._socket.sendall(data)
        except OSError as error:
            raise of_network(error, self._where) from error

    def read(self, silence: float | None) -> bytes:
        """What has come; waits for something. Empty: the connection has ended."""
        try:
            self._socket.settimeout(silence)
            return self._socket.recv(PIECE)
        except OSError as error:
            raise of_network(error, self._where) from error

    def usable(self) -> bool:
        """Whether an idle connection may be used again: here, now, and with nothing unasked for on it."""
        if self._process != os.getpid() or time.monotonic() - self.idle_since >= IDLE:
            return False
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)
        except (BlockingIOError, _wants_read()):
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        """End it at once."""
        self._socket.close()

    def __del__(self) -> None:
        """Whoever lets go of it has left."""
        self.close()


def _wants_read() -> type[OSError]:
    """What a TLS socket raises where there is nothing to read."""
    import sys

    module = sys.modules.get("ssl")
    return module.SSLWantReadError if module else BlockingIOError
