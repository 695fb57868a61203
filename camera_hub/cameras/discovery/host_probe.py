"""Probing one address: is there a device, does it speak ONVIF, and if not, what does it speak?

No login is ever sent, and only requests whose answers are at most a few hundred bytes long.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from camera_hub.cameras.discovery.found import FoundDevice, announced_device
from camera_hub.cameras.discovery.ws_discovery import PATH, Announced
from camera_hub.cameras.onvif.client import ClockReading
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Reason

RTSP_PORTS = (554, 8554)
_VENDOR = b"GET /ISAPI/System/deviceInfo HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAccept-Encoding: identity\r\n\r\n"
_RTSP = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: camera-hub\r\n\r\n"
_PEEK = 2048


class Greeter(Protocol):
    """What a sweep needs from onvif.client."""

    async def clock(
        self, host: str, port: int, path: str = ..., *, timeout: float | None = None, check: Check = ...
    ) -> ClockReading:
        """Read the device's clock without a login; `check` is asked before each connect. Raises HubError."""
        ...


async def greeted(onvif: Greeter, found: FoundDevice, timeout: float, check: Check) -> FoundDevice:
    """The found device with its clock error, or with the reason why it did not answer with its time."""
    try:
        reading = await onvif.clock(found.host, found.port, found.path, timeout=timeout, check=check)
    except HubError as error:
        return replace(found, reason=error.reason)
    return replace(found, clock_error_s=reading.offset_s, reason=None)


async def probe_host(
    onvif: Greeter,
    host: str,
    ports: Sequence[int],
    timeout: float,
    announcement: Callable[[], Awaitable[Announced | None]],
    check: Check,
) -> FoundDevice | None:
    """The device at `host` (an IP address), None when none answers. `announcement` waits briefly for its WS-Discovery
    answer; `check` is asked before each connect."""
    opening = asyncio.gather(*(_opens(host, port, timeout, check) for port in dict.fromkeys([*ports, *RTSP_PORTS])))
    try:
        announced = await announcement()
        listening = [port for port in await opening if port is not None]
    finally:
        opening.cancel()
    candidates = [announced_device(announced, "unicast")] if announced is not None else []
    plain = candidates[0] if announced is not None else FoundDevice(host, 0, "unicast")
    candidates += [
        replace(plain, port=port, path=PATH) for port in listening if port in ports and port not in _ports(candidates)
    ]
    failed: FoundDevice | None = None
    for candidate in candidates:
        found = await greeted(onvif, candidate, timeout, check)
        if found.reason is None:
            return found
        if failed is None or (failed.reason in _UNSURE and found.reason not in _UNSURE):
            failed = found
    if failed is not None and (announced is not None or failed.reason not in _UNSURE):
        return failed
    camera = await _is_camera(host, listening, timeout, check)
    if camera is None:
        return None
    asks = failed is not None and failed.reason == Reason.LOGIN_NEEDED
    return failed if asks else FoundDevice(host, camera, "unicast", reason=Reason.ONVIF_OFF)


def _ports(candidates: Iterable[FoundDevice]) -> set[int]:
    return {candidate.port for candidate in candidates}


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
    answer = (await _exchange(host, port, _VENDOR % host.encode(), timeout, check)).lower()
    status = answer.split(b"\r\n", 1)[0]
    if b" 401" in status:
        return b"www-authenticate: digest" in answer
    return b" 200" in status and b"deviceinfo" in answer


async def _opens(host: str, port: int, timeout: float, check: Check) -> int | None:
    try:
        check(host, port)
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError, HubError):
        return None
    writer.transport.abort()
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
