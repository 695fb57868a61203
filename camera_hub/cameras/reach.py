"""Which addresses the hub connects to: the one decision through which every road to a device's socket goes. Pure.

It is asked with the address that a name was resolved to, right before each connect, so that neither another spelling,
nor an address within an address (IPv4-mapped, NAT64, 6to4, Teredo), nor a name that leads elsewhere by now is a way
around it. Transports take it as a `Check`.

IPv6 is decided by what is allowed: global unicast (2000::/3) and unique local addresses (fc00::/7), without the parts
that hold an IPv4 address. RFC 4291, 4193, 6052, 8215, 3056, 4380, 5214, 6890.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from camera_hub.cameras.discovery.ranges import AddressRange
from camera_hub.errors import HubError, Kind, Reason

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Ranges = Sequence[AddressRange]

Check = Callable[[str, int], None]
"""Called with an IP address and a port right before each connect (and before a datagram); raises HubError to refuse."""

_ALLOWED_V6 = tuple(map(ipaddress.IPv6Network, ("2000::/3", "fc00::/7")))
# IETF protocol assignments (Teredo and ORCHID among them) and 6to4.
_EXCEPT_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2002::/16")))
_TRANSITION = tuple(
    map(
        ipaddress.IPv6Network,
        ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
    )
)
"""IPv6 addresses that hold an IPv4 address: some gateway on the way may deliver them there."""
_ISATAP = (0x00005EFE, 0x02005EFE)
_NEVER_V4 = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "240.0.0.0/4")))


@dataclass(frozen=True, slots=True)
class OwnService:
    """A port at which the hub itself listens; `address` None: at every address of this machine."""

    address: IpAddress | None
    port: int


@dataclass(frozen=True, slots=True)
class ReachPolicy:
    """What is refused whoever asks, beside the kinds of addresses that no camera has.

    `own`: every address of this machine. `broadcasts`: the broadcast addresses of its networks. `services`: where the
    hub itself listens. `local_devices`: devices on this machine are allowed (a demo's, which are on loopback), except
    for these services.
    """

    own: frozenset[IpAddress] = frozenset()
    broadcasts: frozenset[IpAddress] = frozenset()
    services: frozenset[OwnService] = frozenset()
    local_devices: bool = False


def reach(address: str, port: int, *, allowed: Ranges | None, policy: ReachPolicy) -> None:
    """Raise HubError(INVALID) unless the IP address and TCP or UDP port may be connected to.

    `allowed`: the ranges of a village, None for the whole township. Reasons: no_ranges (the village has none yet) and
    address_refused. Only where the whole township is allowed does the error say why (params: `why`); within ranges all
    refusals are one.
    """
    ip = canonical(address)
    why = "not_an_address" if ip is None else _forbidden(ip, port, policy)
    if allowed is None:
        if why is not None:
            _refuse(address, port, why)
        return
    if not allowed:
        raise no_ranges()
    if why is not None or ip is None or not within(ip, allowed):
        raise HubError(
            Kind.INVALID,
            "this address does not belong to the village; ask a township admin to add its range",
            reason=Reason.ADDRESS_REFUSED,
        )


def no_ranges() -> HubError:
    """The error for anything that needs a village's ranges where none are set."""
    return HubError(
        Kind.INVALID,
        "no address ranges are set for this village yet; ask a township admin to set them",
        reason=Reason.NO_RANGES,
    )


def checking(allowed: Ranges | None, policy: Callable[[], ReachPolicy]) -> Check:
    """A check with these ranges, under the policy at the time of each call (addresses of the machine may change)."""
    return partial(_checked, allowed, policy)


def nowhere_local(address: str, port: int) -> None:
    """The check of a transport that was given none: refuses what no camera has, and this machine's loopback."""
    reach(address, port, allowed=None, policy=ReachPolicy())


def _checked(allowed: Ranges | None, policy: Callable[[], ReachPolicy], address: str, port: int) -> None:
    reach(address, port, allowed=allowed, policy=policy())


def canonical(address: str) -> IpAddress | None:
    """The one form of an IP address: IPv4-mapped IPv6 becomes IPv4. None for anything but a plain address.

    Decimal, octal, hexadecimal and shortened IPv4 spellings and zone ids are no plain addresses.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.scope_id is not None:
        return None
    return ip.ipv4_mapped or ip


def within(ip: IpAddress, ranges: Ranges) -> bool:
    """Whether one of the ranges contains the address; ranges are of IPv4."""
    return isinstance(ip, ipaddress.IPv4Address) and any(one.first <= ip <= one.last for one in ranges)


def impossible(ip: IpAddress) -> str | None:
    """The kind of an address that no device can have anywhere, None for any other."""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_unspecified:
        return "unspecified"
    if ip.is_multicast:
        return "multicast"
    if ip.is_link_local:
        return "link_local"
    if isinstance(ip, ipaddress.IPv4Address):
        if ip == ipaddress.IPv4Address("255.255.255.255"):
            return "broadcast"
        return "reserved" if any(ip in network for network in _NEVER_V4) else None
    if ip.is_loopback:
        return None
    if any(ip in network for network in _TRANSITION) or int(ip) >> 32 & 0xFFFFFFFF in _ISATAP:
        return "embedded"
    if any(ip in network for network in _EXCEPT_V6) or not any(ip in network for network in _ALLOWED_V6):
        return "reserved"
    return None


def _forbidden(ip: IpAddress, port: int, policy: ReachPolicy) -> str | None:
    """Why the address may not be connected to whoever asks, None when it may."""
    if (kind := impossible(ip)) is not None:
        return kind
    if not 0 < port < 65536:
        return "port"
    if ip in policy.broadcasts:
        return "broadcast"
    local = ip.is_loopback or ip in policy.own
    if not local:
        return None
    if not policy.local_devices:
        return "loopback" if ip.is_loopback else "own_address"
    if any(one.port == port and one.address in (None, ip) for one in policy.services):
        return "own_service"
    return None


_WORDS = {
    "not_an_address": "it is not written as a plain IP address; give it as 192.168.1.64",
    "unspecified": "no device has the unspecified address; give the device's own address",
    "multicast": "it is a multicast address; give the device's own address",
    "link_local": "link-local addresses are not reached across a network; give the device an address of its network",
    "broadcast": "it is a broadcast address; give the device's own address",
    "reserved": "it is from a reserved part of the address space; give the device's own address",
    "embedded": "it is an IPv6 address that holds an IPv4 address; give that IPv4 address itself",
    "port": "a port is a number from 1 to 65535",
    "loopback": "it is this machine itself, where no camera is; give the device's own address",
    "own_address": "it is an address of the hub itself; give the device's own address",
    "own_service": "the hub itself listens there; give the device's own address and port",
}


def _refuse(address: str, port: int, why: str) -> NoReturn:
    raise HubError(
        Kind.INVALID,
        f"{address[:64]} port {port} is refused: {_WORDS[why]}",
        reason=Reason.ADDRESS_REFUSED,
        why=why,
    )
