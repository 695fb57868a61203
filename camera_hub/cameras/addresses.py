"""From a host to the one IP address that is connected to: resolved once, pinned. `reach` decides about it."""

import asyncio
import ipaddress
import socket

from camera_hub.cameras.reach import canonical
from camera_hub.errors import HubError, Kind, Reason

NO_HOST = ""
"""The host of a device that stands in the register without being connected: its cameras only have a file."""
_DEADLINE = 3.0


async def resolve(host: str) -> str:
    """The IP address of a checked host, in its one form. Raises HubError(UNREACHABLE): the name is unknown."""
    if (ip := canonical(host)) is not None:
        return str(ip)
    try:
        async with asyncio.timeout(_DEADLINE):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise HubError(
            Kind.UNREACHABLE,
            f"the name {host} cannot be resolved; give the device's IP address",
            reason=Reason.UNREACHABLE,
        ) from error
    addresses = [ipaddress.ip_address(str(entry[4][0])) for entry in found]
    if not addresses:
        raise HubError(
            Kind.UNREACHABLE, f"the name {host} has no address; give the device's IP address", reason=Reason.UNREACHABLE
        )
    chosen = str(min(addresses, key=lambda one: one.version))
    return str(canonical(chosen) or chosen)
