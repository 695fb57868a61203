"""Probing one address: is there a device, does it speak ONVIF, and if not, what does it speak?

No login is ever sent, and only requests whose answers are at most a few hundred bytes long.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, TypedDict

from camera_hub.cameras.discovery.found import FoundDevice, announced_device
from camera_hub.cameras.discovery.ws_discovery import Announced
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, HttpRequest
from camera_hub.cameras.onvif.targets import ClockReading
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Reason
from camera_hub.http_auth import read_challenges

RTSP_PORTS = (554, 8554)
_VENDOR = HttpRequest("GET", "/ISAPI/System/deviceInfo")
_RTSP = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: camera-hub\r\n\r\n"
_PEEK = 2048
_CUT = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset (socket(7))."""


class Greeter(Protocol):
    """What a sweep needs from onvif.client."""

    async def clock(
        self,
        host: str,
        port: int,
        path: str = ...,
        *,
        timeout: float | None = None,
        check: Check = ...,
        tls: bool | None = None,
    ) -> ClockReading:
        """Read the device's clock without a login; `check` is asked before each connect. Raises HubError.

        `tls`: whether the port speaks TLS, None if that is not known.
        """
        ...


async def greeted(onvif: Greeter, found: FoundDevice, timeout: float, check: Check) -> FoundDevice:
    """The found device with its clock error, or with the reason why it did not answer with its time."""
    return (await _greeting(onvif, found, timeout, check))[0]


async def _greeting(onvif: Greeter, found: FoundDevice, timeout: float, check: Check) -> tuple[FoundDevice, bool]:
    """The device as greeted, and whether its answer proves that it speaks ONVIF."""
    try:
        reading = await onvif.clock(
            found.host, found.port, found.path, timeout=timeout, check=check, tls=True if found.tls else None
        )
    except HubError as error:
        speaks = error.reason not in _UNSURE or bool(error.params.get("speaks_onvif"))
        return replace(found, reason=error.reason), speaks
    return replace(found, clock_error_s=reading.offset_s, reason=None), True


async def probe_host(
    onvif: Greeter,
    host: str,
    ports: Sequence[int],
    timeout: float,
    announcement: Callable[[], Awaitable[Announced | None]],
    check: Check,
) -> list[FoundDevice]:
    """The devices at `host` (an IP address): one for each port that speaks ONVIF, since a router may forward each of
    its ports to another camera, and for each other web port that is a camera's; else the one that speaks anything of
    cameras.

    `announcement` waits briefly for a WS-Discovery answer; `check` is asked before each connect.
    """
    opening = asyncio.gather(*(_opens(host, port, timeout, check) for port in dict.fromkeys([*ports, *RTSP_PORTS])))
    try:
        announced = await announcement()
        listening = [port for port in await opening if port is not None]
    finally:
        opening.cancel()
    candidates = [announced_device(announced, "unicast")] if announced is not None else []
    named = {one.port for one in candidates}
    candidates += [FoundDevice(host, port, "unicast") for port in listening if port in ports and port not in named]
    greetings = await asyncio.gather(*(_greeting(onvif, one, timeout, check) for one in candidates))
    proven = [found for found, speaks in greetings if speaks]
    if announced is not None and not greetings[0][1]:
        if len(proven) == 1:  # it announces the port that it has behind the router
            (other,) = proven
            return [replace(greetings[0][0], port=other.port, path=other.path, tls=False, **_said(other))]
        return proven or [greetings[0][0]]
    if proven:
        return [*proven, *await _beside([found for found, speaks in greetings if not speaks], timeout, check)]
    camera = await _is_camera(host, listening, timeout, check)
    if camera is None:
        return []
    asking = [found for found, _ in greetings if found.reason == Reason.LOGIN_NEEDED]
    return asking or [FoundDevice(host, camera, "unicast", reason=Reason.ONVIF_OFF)]


async def _beside(unproven: Sequence[FoundDevice], timeout: float, check: Check) -> list[FoundDevice]:
    """Those of the ports that do not speak ONVIF at which a vendor's interface, or RTSP, is spoken all the same."""
    speaks = await asyncio.gather(*(_speaks(one.host, one.port, timeout, check) for one in unproven))
    return [
        replace(one, reason=Reason.LOGIN_NEEDED if one.reason == Reason.LOGIN_NEEDED else Reason.ONVIF_OFF, beside=True)
        for one, camera in zip(unproven, speaks, strict=True)
        if camera
    ]


class _Greeted(TypedDict):
    clock_error_s: float | None
    reason: str | None


def _said(found: FoundDevice) -> _Greeted:
    return {"clock_error_s": found.clock_error_s, "reason": found.reason}


_UNSURE = {
    Reason.ONVIF_OFF,
    Reason.BAD_REPLY,
    Reason.REDIRECTED,
    Reason.LOGIN_NEEDED,
    Reason.PORT_CLOSED,
    Reason.UNREACHABLE,
    Reason.ADDRESS_REFUSED,
}
"""What any web server may answer that is not an ONVIF device: reported only if another port proves it a camera."""


async def _is_camera(host: str, ports: Iterable[int], timeout: float, check: Check) -> int | None:
    """The first port at which something speaks RTSP or a camera vendor's HTTP interface, None when nothing does."""
    ports = list(ports)
    answers = await asyncio.gather(*(_speaks(host, port, timeout, check) for port in ports))
    return next((port for port, speaks in zip(ports, answers, strict=True) if speaks), None)


async def _speaks(host: str, port: int, timeout: float, check: Check) -> bool:
    if (await _exchange(host, port, _RTSP, timeout, check)).startswith(b"RTSP/1."):
        return True
    if port in RTSP_PORTS:
        return False
    try:
        async with DeviceHttp(HttpLimits(reply_bytes=_PEEK * 8, quiet=timeout / 4)) as http:
            peer = HttpPeer(host, host, port)
            reply = await http.exchange(peer, _VENDOR, Deadline(timeout), check=check)
    except HubError:
        return False
    if reply.status == 401:
        return any(one.scheme == "digest" for one in read_challenges(reply.all("www-authenticate")))
    return reply.status == 200 and b"deviceinfo" in reply.body.lower()


async def _opens(host: str, port: int, timeout: float, check: Check) -> int | None:
    """The port if it accepts a connection, which is cut at once.

    On a bare socket: a search of 4,000 addresses makes 30,000 of these, and streams would cost several times as much.
    """
    try:
        check(host, port)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
            sock.setblocking(False)
            try:
                async with asyncio.timeout(timeout):
                    await asyncio.get_running_loop().sock_connect(sock, (host, port))
            except TimeoutError:
                sock.getpeername()  # a loop that runs late may have missed that it was connected in time
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CUT)
    except (OSError, HubError):
        return None
    return port


async def _exchange(host: str, port: int, request: bytes, timeout: float, check: Check) -> bytes:
    """The first bytes of the answer, empty when none arrives in time."""
    writer: asyncio.StreamWriter | None = None
    try:
        check(host, port)
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            return await reader.read(_PEEK)
    except (OSError, TimeoutError, HubError):
        return b""
    finally:
        if writer is not None:
            writer.transport.abort()
