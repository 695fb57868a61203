"""One TCP or TLS connection to a camera: requests and their answers, interleaved packets passed on at once."""

import asyncio
import errno
import ipaddress
import ssl
from collections.abc import Mapping
from typing import Protocol, cast

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.rtsp.message import (
    INTERLEAVED,
    Parser,
    Request,
    Response,
    write_interleaved,
    write_request,
    write_response,
)

MAX_UNSENT = 256 * 1024
"""Bytes that may wait to be sent before a camera that does not read is given up."""

READ_SIZE = 32 * 1024
"""Bytes that one camera may be read in its turn, about a millisecond's work: a relay that has fallen behind
still answers the hub between the turns of hundreds of cameras."""
_read_buffer = memoryview(bytearray(READ_SIZE))
"""What all sockets are read into, one after the other: nothing else runs between a read and `buffer_updated`."""


class InterleavedReader(Protocol):
    """Whom interleaved packets (RFC 2326 section 10.12) go to."""

    def read_interleaved(self, data: bytes, at: int) -> int:
        """Read the packets that `data` has from offset `at` on, as far as they are complete. Returns the offset behind
        the last one. Called in the socket's read callback; a HubError ends the connection."""
        ...


class CameraConnection(asyncio.BufferedProtocol):
    """Interleaved packets go to `reader` in the read callback: no queue and no task in between.

    `lost` fails with the error that ended the connection.
    """

    def __init__(self, reader: InterleavedReader) -> None:
        self._reader = reader
        self._parser = Parser()
        self._rest = b""  # the beginning of an interleaved packet
        self._transport: asyncio.Transport | None = None
        self._cseq = 0
        self._waiting: dict[int, asyncio.Future[Response]] = {}
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # not every event loop's derives from it

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(_read_buffer[:nbytes])
        if nbytes == READ_SIZE and self._transport is not None:
            # There is more. libuv would go on reading it at once, 32 times; asyncio comes back by itself.
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._read_on)
        try:
            if not self._parser.unfinished:
                if self._rest:
                    data, self._rest = self._rest + data, b""
                at = self._reader.read_interleaved(data, 0)
                if at == len(data):
                    return
                data = data[at:]
                if data[0] == INTERLEAVED:
                    self._rest = data
                    return
            self._read_messages(data)
        except HubError as error:
            self.fail(error)

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _read_messages(self, data: bytes) -> None:
        """Read responses and requests, and the packets between them."""
        for message in self._parser.feed(data):
            if isinstance(message, tuple):
                channel, packet = message
                self._reader.read_interleaved(write_interleaved(channel, packet), 0)
            elif isinstance(message, Response):
                self._on_response(message)
            else:
                self._on_request(message)
        self._rest = self._parser.take_interleaved()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(
            HubError(
                Kind.UNREACHABLE, "the camera closed the connection; it is opened again", reason=Reason.UNREACHABLE
            )
        )

    async def request(self, method: str, url: str, headers: Mapping[str, str], *, deadline: float = 10.0) -> Response:
        """Send a request and wait `deadline` seconds for its answer. Raises HubError, TIMED_OUT without one."""
        self._cseq += 1
        cseq = self._cseq
        if self.lost.done():
            self.lost.result()
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[cseq] = future
        try:
            self.write(write_request(method, url, {"CSeq": str(cseq), **headers}))
            async with asyncio.timeout(deadline):
                await asyncio.wait([future])
            if future.cancelled():
                self.lost.result()
            return future.result()
        except TimeoutError as error:
            raise HubError(
                Kind.TIMEOUT,
                f"the camera did not answer {method} within {deadline:g} s; check its link, or restart it",
                reason=Reason.TIMED_OUT,
            ) from error
        finally:
            self._waiting.pop(cseq, None)

    def post(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Send a request whose answer does not matter. Raises HubError for headers that cannot be sent."""
        self._cseq += 1
        self.write(write_request(method, url, {"CSeq": str(self._cseq), **headers}))

    def write(self, data: bytes) -> None:
        """Send bytes; the connection to a camera that does not read is ended."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self.fail(
                HubError(Kind.TIMEOUT, "the camera does not read what it is sent; restart it", reason=Reason.STALLED)
            )

    def close(self) -> None:
        """Close after what has been written is sent."""
        if self._transport is not None:
            self._transport.close()

    def _on_response(self, response: Response) -> None:
        cseq = response.header("cseq")
        future = self._waiting.get(int(cseq)) if cseq.isascii() and cseq.isdigit() and len(cseq) < 10 else None
        if future is not None and not future.done():
            future.set_result(response)

    def _on_request(self, request: Request) -> None:
        known = request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER")
        self.write(write_response(*((200, "OK") if known else (501, "Not Implemented")), request))

    def fail(self, error: HubError) -> None:
        """End the connection with this error, unless it has ended already."""
        if not self.lost.done():
            self.lost.set_exception(error)
            for future in self._waiting.values():
                future.cancel()
            self.lost.exception()  # retrieved here, so that asyncio does not complain when nobody waits for it
        if self._transport is not None:
            self._transport.abort()


async def dial(address: str, port: int, *, tls: bool, reader: InterleavedReader) -> CameraConnection:
    """Connect to the pinned IP address. The caller sets the deadline.

    Raises HubError: PORT_CLOSED, TIMED_OUT, UNREACHABLE or TLS_FAILED.
    """
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise HubError(
            Kind.INVALID,
            "the address of a stream must be an IP address; read the device's streams again",
            reason=Reason.UNREACHABLE,
        ) from error
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: CameraConnection(reader), address, port, ssl=_tls() if tls else None
        )
    except ssl.SSLError as error:
        raise HubError(
            Kind.UNREACHABLE,
            f"TLS with port {port} of {address} failed; use rtsp:// where the camera does not offer rtsps://",
            reason=Reason.TLS_FAILED,
        ) from error
    except ConnectionRefusedError as error:
        raise HubError(
            Kind.UNREACHABLE,
            f"port {port} of {address} is closed; switch RTSP on in the camera, or correct its RTSP port",
            reason=Reason.PORT_CLOSED,
            port=port,
        ) from error
    except OSError as error:
        reason = Reason.TIMED_OUT if error.errno == errno.ETIMEDOUT else Reason.UNREACHABLE
        raise HubError(
            Kind.UNREACHABLE, f"{address} cannot be reached; check the camera's power and network", reason=reason
        ) from error
    return connection


def _tls() -> ssl.SSLContext:
    """Cameras have self-signed certificates: TLS here encrypts the picture, it does not authenticate the camera."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
