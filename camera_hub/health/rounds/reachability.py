"""Whether a device answers: a TCP connection and, at its RTSP port, OPTIONS (RFC 2326, 10.1). Cheap, opens no stream
and never tries a login. And its clock.

Each connection is allowed first, as every other one to a device (cameras.device_checks).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from camera_hub.cameras import addresses
from camera_hub.errors import HubError, Reason

REFUSED = frozenset({Reason.ADDRESS_REFUSED, Reason.ADDRESS_CHANGED, Reason.NO_RANGES, Reason.IDENTITY_CHANGED})
"""The hub does not connect to the device where it is: it is not asked at all."""


MAX_REPLY = 4096
"""Bytes read, at most, of a reply to OPTIONS; its first line is enough."""


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """Whether a device answers. `silence`: (reason, detail) why not; None: it does, on one of its ports.

    `signalling_ms`: from dialling to its reply to OPTIONS. `speaks`: whether it replied; None: it was not asked.
    """

    silence: tuple[str, str] | None = None
    signalling_ms: float | None = None
    speaks: bool | None = None


class OffsetReading(Protocol):
    """A device's clock: device minus hub in seconds, None when the device gives no usable time."""

    @property
    def offset_s(self) -> float | None: ...


class Checks(Protocol):
    """What may be connected to for a device (cameras.device_checks)."""

    async def of_device(self, device_id: int) -> Callable[[str, int], None]: ...


class Clocks(Protocol):
    """What is needed of ONVIF: the clock, without a login."""

    async def clock(self, host: str, port: int, path: str, *, check: Callable[[str, int], None]) -> OffsetReading: ...


class DeviceContacts:
    """Asks devices what needs no login."""

    def __init__(self, checks: Checks, clocks: Clocks) -> None:
        self._checks = checks
        self._clocks = clocks

    async def reach(
        self, device_id: int, host: str, ports: tuple[int, ...], timeout: float, rtsp_port: int | None = None
    ) -> PortAnswer:
        """Whether the address answers on one of the ports within `timeout` seconds: else why the first one does not,
        or why the hub does not connect there. At `rtsp_port` it is asked for its OPTIONS, too."""
        check = await self._checks.of_device(device_id)
        try:
            async with asyncio.timeout(timeout):
                address = await addresses.resolve(host)
            for port in ports:
                check(address, port)
        except TimeoutError:
            return PortAnswer((Reason.TIMED_OUT, "the device's name is not resolved in time"))
        except HubError as error:
            return PortAnswer((error.reason, error.detail))
        answers = await asyncio.gather(*(_connect(address, port, timeout, port == rtsp_port) for port in ports))
        if answers and all(one.silence is not None for one in answers):
            said = answers[0].silence or ("", "")
            return PortAnswer((said[0], f"no answer on port {', '.join(map(str, ports))}"))
        return next((one for one in answers if one.speaks is not None), PortAnswer())

    async def clock(self, device_id: int, host: str, port: int, path: str) -> OffsetReading:
        """The device's clock. Raises HubError."""
        return await self._clocks.clock(host, port, path, check=await self._checks.of_device(device_id))


async def _connect(address: str, port: int, timeout: float, options: bool) -> PortAnswer:
    """Connect to an address that was allowed just now, and ask for OPTIONS. What is connected answers, whatever it says
    then: a device that accepts and stays dumb is found out by a look."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout_at(began + timeout):
            reader, writer = await asyncio.open_connection(address, port, limit=MAX_REPLY)
    except TimeoutError:
        return PortAnswer((Reason.TIMED_OUT, ""))
    except ConnectionRefusedError:
        return PortAnswer((Reason.PORT_CLOSED, ""))
    except OSError:
        return PortAnswer((Reason.UNREACHABLE, ""))
    try:
        if not options:
            return PortAnswer()
        place = f"[{address}]" if ":" in address else address
        writer.write(f"OPTIONS rtsp://{place}:{port}/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: camera hub\r\n\r\n".encode())
        async with asyncio.timeout_at(began + timeout):
            line = await reader.readline()
    except (OSError, ValueError, TimeoutError):  # ValueError: a line longer than MAX_REPLY
        return PortAnswer(speaks=False)
    finally:
        writer.transport.abort()
    if not line.startswith(b"RTSP/"):
        return PortAnswer(speaks=False)
    return PortAnswer(signalling_ms=(loop.time() - began) * 1000, speaks=True)
