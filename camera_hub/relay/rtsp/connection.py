"""One TCP or TLS connection to a camera: requests and their answers, interleaved packets passed on at once."""

import asyncio
import errno
import ipaddress
import ssl
from collections.abc import Mapping
from typing import Protocol, cast

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.rtp import interleaved_end
from camera_hub.relay.rtsp.message import (
    INTERLEAVED,
    Parser,
    Request,
    Response,
    write_interleaved,
    write_request,
    write_response,
)
from camera_hub.relay.rtsp.pending import PendingResponse, PendingResponses

MAX_UNSENT = 256 * 1024
"""Bytes that may wait to be sent before a camera that does not read is given up."""

READ_SIZE = 32 * 1024
"""Bytes that one camera may be read in its turn, about a millisecond's work: a relay that has fallen behind
still answers the hub between the turns of hundreds of cameras."""
_read_buffer = memoryview(bytearray(READ_SIZE))
"""What all sockets are read into, one after the other: nothing else runs between a read and `buffer_updated`."""


QUIET = 1.0
"""Seconds without a byte after which an SDP that states a wrong length, or none, is taken as it is."""

TLS_DEADLINE = 5.0
PROBE_DEADLINE = 2.0


class InterleavedReader(Protocol):
    """Whom interleaved packets (RFC 2326 section 10.12) go to."""

    def read_interleaved(self, data: bytes, at: int) -> int:
        """Read the packets that `data` has from offset `at` on, as far as they are complete. Returns the offset behind
        the last one; before the end of a complete one, where it seems to be none. Called in the socket's read callback;
        a HubError ends the connection."""
        ...

    @property
    def channels(self) -> tuple[int, ...]:
        """Those of what was set up: where packets are looked for after bytes that belong to nothing."""
        ...

    def on_stray_bytes(self, times: int) -> None:
        """Bytes that belong to nothing were skipped, in so many places so far. Called and ends as above."""
        ...


class CameraConnection(asyncio.BufferedProtocol):
    """Interleaved packets go to `reader` in the read callback: no queue and no task in between.

    `lost` fails with the error that ended the connection. `responses`: what is waited for, and how it came.
    """

    def __init__(self, reader: InterleavedReader) -> None:
        self._reader = reader
        self._parser = Parser(camera=True)
        self._rest = b""  # the beginning of an interleaved packet
        self._transport: asyncio.Transport | None = None
        self._strays = 0
        self._quiet: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.responses = PendingResponses(self.lost)

    @property
    def stray_bytes(self) -> int:
        """Bytes that were skipped."""
        return self._parser.stray_bytes

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
                    if interleaved_end(data, 0) < 0:
                        self._rest = data
                        return
                    self._parser.search()
            self._read_messages(data)
        except HubError as error:
            self.fail(error)

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _read_messages(self, data: bytes) -> None:
        """Read responses and requests, and the packets between them."""
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        self._parser.channels = self._reader.channels
        for message in self._parser.feed(data):
            if isinstance(message, tuple):
                channel, packet = message
                self._reader.read_interleaved(write_interleaved(channel, packet), 0)
            elif isinstance(message, Response):
                self._on_response(message)
            else:
                self._on_request(message)
        self._rest = self._parser.take_interleaved()
        if self._parser.strays > self._strays:
            self._strays = self._parser.strays
            self._reader.on_stray_bytes(self._strays)
        if self._parser.may_be_whole:
            self._quiet = asyncio.get_running_loop().call_later(QUIET, self._finish_message)

    def _finish_message(self) -> None:
        """Nothing more came: an SDP is taken as far as it goes."""
        self._quiet = None
        try:
            message = self._parser.finish()
        except HubError as error:
            self.fail(error)
            return
        if message is not None:
            self._on_response(message)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self._finish_message()
        self.fail(
            HubError(
                Kind.UNREACHABLE, "the camera closed the connection; it is opened again", reason=Reason.UNREACHABLE
            )
        )

    def send(self, method: str, url: str, headers: Mapping[str, str]) -> PendingResponse:
        """Send a request. Raises HubError: what ended the connection, or that it cannot be sent."""
        if self.lost.done():
            self.lost.result()
        cseq = self.responses.next_cseq()
        data = write_request(method, url, {"CSeq": str(cseq), **headers})
        pending = self.responses.add(method, cseq)
        self._parser.described = self.responses.described
        self.write(data)
        return pending

    def post(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Send a request whose answer does not matter. Raises HubError for headers that cannot be sent."""
        self.write(write_request(method, url, {"CSeq": str(self.responses.next_cseq()), **headers}))

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
        self.responses.on_response(response)
        self._parser.described = self.responses.described

    def _on_request(self, request: Request) -> None:
        """Cameras ask their clients whether they are there, and announce changes. Nothing that they ask for is done."""
        known = request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "PLAY_NOTIFY", "TEARDOWN")
        self.write(write_response(*((200, "OK") if known else (501, "Not Implemented")), request))
        if request.method == "TEARDOWN":
            sentence = "the camera ended the session; it is opened again"
            self.fail(HubError(Kind.UNREACHABLE, sentence, reason=Reason.UNREACHABLE))

    def fail(self, error: HubError) -> None:
        """End the connection with this error, unless it has ended already."""
        if not self.lost.done():
            self.lost.set_exception(error)
            self.responses.cancel()
            self.lost.exception()  # retrieved here, so that asyncio does not complain when nobody waits for it
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
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
            lambda: CameraConnection(reader),
            address,
            port,
            ssl=_tls() if tls else None,
            ssl_handshake_timeout=TLS_DEADLINE if tls else None,
        )
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING"):
            raise _no_tls(port) from error
        raise HubError(
            Kind.UNREACHABLE,
            f"TLS with port {port} failed ({(error.reason or 'unknown reason').lower().replace('_', ' ')}); update the "
            "camera's firmware, or write rtsp:// with its plain RTSP port",
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
        if tls and isinstance(error, (ConnectionResetError, ConnectionAbortedError)):
            raise _no_tls(port) from error  # it was connected: it hung up at the handshake, or did not answer it
        reason = Reason.TIMED_OUT if error.errno == errno.ETIMEDOUT else Reason.UNREACHABLE
        raise HubError(
            Kind.UNREACHABLE, f"{address} cannot be reached; check the camera's power and network", reason=reason
        ) from error
    return connection


async def speaks_tls(address: str, port: int) -> bool:
    """Whether a TLS handshake with that port succeeds; nothing else is sent."""
    try:
        async with asyncio.timeout(PROBE_DEADLINE):
            _, writer = await asyncio.open_connection(address, port, ssl=_tls())
    except (OSError, TimeoutError):  # ssl.SSLError is an OSError
        return False
    writer.transport.abort()
    return True


def _no_tls(port: int) -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        f"port {port} does not speak TLS; write rtsp:// instead of rtsps://, or give the camera's port for rtsps",
        reason=Reason.TLS_FAILED,
    )


def _tls() -> ssl.SSLContext:
    """Cameras have self-signed certificates: TLS here encrypts the picture, it does not authenticate the camera."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
