"""Ports that are what they are for as long as a test wants."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port() -> Iterator[int]:
    """A TCP port of 127.0.0.1 where connections are refused: nobody listens, and nobody else can be given it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
