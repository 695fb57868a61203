"""From a host to the one IP address that is connected to: resolved once, checked, pinned."""

import asyncio
import ipaddress
import socket

from camera_hub.cameras import urls
from camera_hub.errors import HubError, Kind, Reason

_DEADLINE = 3.0


async def resolve(host: str) -> str:
    """The IP address of a checked host. Raises HubError: UNREACHABLE (unknown name), INVALID (refused address)."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        async with asyncio.timeout(_DEADLINE):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
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
    address = min(addresses, key=lambda one: one.version)
    urls.check_address(address)
    return str(address)
