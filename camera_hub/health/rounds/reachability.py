"""Whether a device's address answers (a TCP connection, opened and closed: cheap, and never a login), and its clock.

Each connection is allowed first, as every other one to a device (cameras.device_checks).
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from camera_hub.cameras import addresses
from camera_hub.errors import HubError, Reason

REFUSED = frozenset({Reason.ADDRESS_REFUSED, Reason.ADDRESS_CHANGED, Reason.NO_RANGES, Reason.IDENTITY_CHANGED})
"""The hub does not connect to the device where it is: it is not asked at all."""


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

    async def reach(self, device_id: int, host: str, ports: tuple[int, ...], timeout: float) -> tuple[str, str] | None:
        """None when the address answers on one of the ports, else (reason, detail): that of the first port when none
        answers within `timeout` seconds, or why the hub does not connect there."""
        check = await self._checks.of_device(device_id)
        try:
            async with asyncio.timeout(timeout):
                address = await addresses.resolve(host)
            for port in ports:
                check(address, port)
        except TimeoutError:
            return Reason.TIMED_OUT, "the device's name is not resolved in time"
        except HubError as error:
            return error.reason, error.detail
        answers = await asyncio.gather(*(_connect(address, port, timeout) for port in ports))
        if not answers or None in answers:
            return None
        return str(answers[0]), f"no answer on port {', '.join(map(str, ports))}"

    async def clock(self, device_id: int, host: str, port: int, path: str) -> OffsetReading:
        """The device's clock. Raises HubError."""
        return await self._clocks.clock(host, port, path, check=await self._checks.of_device(device_id))


async def _connect(address: str, port: int, timeout: float) -> Reason | None:
    """Connect to an address that was allowed just now."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return Reason.TIMED_OUT
    except ConnectionRefusedError:
        return Reason.PORT_CLOSED
    except OSError:
        return Reason.UNREACHABLE
    writer.transport.abort()
    return None
