"""The bytes of one TCP or TLS connection to a device: bounded, and what came before a reset can still be read."""

import asyncio
import contextlib
import ssl
from typing import cast

_HIGH = 256 * 1024
"""Bytes that wait to be read before the device is made to wait."""


class ByteStream(asyncio.Protocol):
    """One reader at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._wake: asyncio.Future[None] | None = None

    @property
    def quiet(self) -> bool:
        """Whether it is open and nothing has come that was not read: only then it can be used again."""
        return not (self._ended or self._waiting) and self._transport is not None and not self._transport.is_closing()

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go on over TLS; before anything is written. Raises OSError."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError
        secure = await asyncio.get_running_loop().start_tls(self._transport, self, context, server_hostname=host)
        if secure is None:
            raise ConnectionResetError
        self._transport = secure

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def read(self) -> bytes:
        """What has come, at least one byte; b"" at the end. Raises OSError where the connection broke."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return b""
            self._wake = asyncio.get_running_loop().create_future()
            try:
                await self._wake
            finally:
                self._wake = None
        data = bytes(self._waiting)
        self._waiting.clear()
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(RuntimeError):  # it was not paused (uvloop)
                self._transport.resume_reading()
        return data

    def close(self) -> None:
        """At once, without waiting for anything to be sent."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) > _HIGH and self._transport is not None:
            with contextlib.suppress(RuntimeError):  # paused already (uvloop)
                self._transport.pause_reading()
        self._notify()

    def eof_received(self) -> bool:
        self._ended = True
        self._notify()
        return False  # let the transport close

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._failure = self._failure or exc
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
