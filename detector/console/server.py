"""Serves the console from a thread beside the pipeline."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from detector.core.errors import InputError

GRACE_S = 2
BACKLOG = 1024
HEADERS_WITHIN_S = 10


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises `InputError` when the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Now, not when serving starts: until then another process could take the port.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InputError(
            f"The console cannot listen on {host}:{port}: {error.strerror}. Choose another with "
            "--port, 0 for any free one, or run without the console: --no-console."
        ) from error
    return listener


def address(listener: socket.socket) -> str:
    """The URL of a listener."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Prompt(HttpToolsProtocol):
    """Closes connections whose request headers take too long; idle ones are uvicorn's to close."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first headers."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADERS_WITHIN_S, transport.close)

    def on_headers_complete(self) -> None:
        """The headers have arrived."""
        self._deadline.cancel()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """Wait for the headers of this request."""
        super().on_message_begin()
        self._deadline.cancel()
        self._deadline = self.loop.call_later(HEADERS_WITHIN_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._deadline.cancel()
        super().connection_lost(exc)


@contextmanager
def serving(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serve while the context is open; open streams end with it."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=Prompt,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="console", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        app.state.context.hub.end()
        server.should_exit = True
        thread.join(GRACE_S + 3)
        listener.close()
