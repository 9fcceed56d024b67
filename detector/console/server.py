"""Serves the console from a thread beside the pipeline."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from detector.core.errors import InputError

GRACE_S = 2
BACKLOG = 1024


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


@contextmanager
def serving(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serve while the context is open; open streams end with it."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
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
        server.should_exit = True
        thread.join(GRACE_S + 3)
        listener.close()
