"""One TCP or TLS connection to a camera: requests and their answers, interleaved packets passed on at once."""

import asyncio
import errno
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from typing import cast

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.rtsp.message import Parser, Request, Response, write_request, write_response

MAX_UNSENT = 256 * 1024
"""Bytes that may wait to be sent before a camera that does not read is given up."""


class CameraConnection(asyncio.Protocol):
    """Interleaved packets go to `on_packet(channel, data)` in the read callback: no queue and no task in between.

    A HubError that `on_packet` raises ends the connection. `lost` fails with the error that ended it.
    """

    def __init__(self, on_packet: Callable[[int, bytes], None]) -> None:
        self._on_packet = on_packet
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._cseq = 0
        self._waiting: dict[int, asyncio.Future[Response]] = {}
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # not every event loop's derives from it

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._parser.feed(data):
                if isinstance(message, tuple):
                    self._on_packet(*message)
                elif isinstance(message, Response):
                    self._on_response(message)
                else:
                    self._on_request(message)
        except HubError as error:
            self.fail(error)

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


async def dial(address: str, port: int, *, tls: bool, on_packet: Callable[[int, bytes], None]) -> CameraConnection:
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
            lambda: CameraConnection(on_packet), address, port, ssl=_tls() if tls else None
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
