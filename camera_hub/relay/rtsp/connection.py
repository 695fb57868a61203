"""One TCP (or TLS) connection to a camera: requests matched with answers, interleaved packets handed on at once."""

import asyncio
import errno
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from typing import cast

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.rtsp.message import Parser, Request, Response, write_answer, write_request

MAX_UNASKED = 256 * 1024
"""Bytes that may wait to be written before a camera that does not read is given up."""


class CameraConnection(asyncio.Protocol):
    """Packets go to `on_packet(channel, data)` in the read callback itself: no queue, no task in between.

    What `on_packet` raises as HubError ends the connection with that error. `lost` is set when it has ended.
    """

    def __init__(self, on_packet: Callable[[int, bytes], None]) -> None:
        self._on_packet = on_packet
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._number = 0
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
                    self._answered(message)
                else:
                    self._asked(message)
        except HubError as error:
            self.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(HubError(Kind.UNREACHABLE, "the camera closed the connection", reason=Reason.UNREACHABLE))

    async def ask(self, method: str, url: str, headers: Mapping[str, str], *, deadline: float = 10.0) -> Response:
        """Send a request and wait for its answer. Raises HubError."""
        self._number += 1
        number = self._number
        if self.lost.done():
            self.lost.result()
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self.write(write_request(method, url, {"CSeq": str(number), **headers}))
            async with asyncio.timeout(deadline):
                await asyncio.wait([future])
            if future.cancelled():
                self.lost.result()
            return future.result()
        except TimeoutError as error:
            raise HubError(
                Kind.TIMEOUT, f"the camera did not answer {method} within {deadline:g} s", reason=Reason.TIMED_OUT
            ) from error
        finally:
            self._waiting.pop(number, None)

    def tell(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Send a request whose answer does not matter."""
        self._number += 1
        self.write(write_request(method, url, {"CSeq": str(self._number), **headers}))

    def write(self, data: bytes) -> None:
        """Write bytes; a camera that does not read is given up."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNASKED:
            self.fail(HubError(Kind.TIMEOUT, "the camera does not read what it is sent", reason=Reason.STALLED))

    def close(self) -> None:
        """Close after what has been written."""
        if self._transport is not None:
            self._transport.close()

    def _answered(self, response: Response) -> None:
        number = response.header("cseq")
        future = self._waiting.get(int(number)) if number.isascii() and number.isdigit() else None
        if future is not None and not future.done():
            future.set_result(response)

    def _asked(self, request: Request) -> None:
        known = request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER")
        self.write(write_answer(*((200, "OK") if known else (501, "Not Implemented")), request))

    def fail(self, error: HubError) -> None:
        """End the connection with this error, unless it has ended already."""
        if not self.lost.done():
            self.lost.set_exception(error)
            for future in self._waiting.values():
                future.cancel()
            self.lost.exception()  # it is looked at again by whoever waits; if nobody does, that is no fault
        if self._transport is not None:
            self._transport.abort()


async def dial(address: str, port: int, *, tls: bool, on_packet: Callable[[int, bytes], None]) -> CameraConnection:
    """Connect to the pinned address. Raises HubError with what the network said. The caller sets the deadline."""
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise HubError(Kind.INVALID, "a stream's address must be an IP address", reason=Reason.UNREACHABLE) from error
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: CameraConnection(on_packet), address, port, ssl=_tls() if tls else None
        )
    except ssl.SSLError as error:
        raise HubError(Kind.UNREACHABLE, "no TLS with the camera", reason=Reason.TLS_FAILED) from error
    except ConnectionRefusedError as error:
        raise HubError(
            Kind.UNREACHABLE, f"port {port} of {address} is closed", reason=Reason.PORT_CLOSED, port=port
        ) from error
    except OSError as error:
        reason = Reason.TIMED_OUT if error.errno == errno.ETIMEDOUT else Reason.UNREACHABLE
        raise HubError(Kind.UNREACHABLE, f"{address} cannot be reached", reason=reason) from error
    return connection


def _tls() -> ssl.SSLContext:
    """Cameras sign their own certificates: TLS here hides the picture from the road, it does not prove the camera."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
