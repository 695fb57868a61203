"""Address ranges as people write them: CIDR, first–last, single addresses. Pure.

An invalid range is refused, never replaced by another: what is searched is exactly what was shown.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from camera_hub.errors import HubError, Kind

MAX_HOSTS = 4096
_SHORT = re.compile(r"(\d+\.\d+\.\d+\.)(\d+)\s*[-–—~]\s*(\d{1,3})")
_NETWORKS = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Addresses from `first` to `last`, both included. `text` is the range in normalized form."""

    text: str
    first: ipaddress.IPv4Address
    last: ipaddress.IPv4Address

    @property
    def hosts(self) -> int:
        return int(self.last) - int(self.first) + 1

    def __iter__(self) -> Iterator[str]:
        for number in range(int(self.first), int(self.last) + 1):
            yield str(ipaddress.IPv4Address(number))


def parsed(texts: Iterable[str], max_hosts: int = MAX_HOSTS) -> list[AddressRange]:
    """The ranges without duplicates. Raises HubError(INVALID): bad_range, too_many_hosts."""
    found: dict[str, AddressRange] = {}
    for text in texts:
        one = _range(text, max_hosts)
        found[one.text] = one
    hosts = len(addresses(found.values())) if sum(one.hosts for one in found.values()) <= 64 * max_hosts else None
    if hosts is None or hosts > max_hosts:
        raise _too_many(hosts if hosts is not None else sum(one.hosts for one in found.values()), max_hosts)
    return list(found.values())


def addresses(ranges: Iterable[AddressRange]) -> list[str]:
    """Every address once, in the order of the ranges."""
    return list(dict.fromkeys(address for one in ranges for address in one))


def _range(text: str, max_hosts: int) -> AddressRange:
    given = text.strip()
    try:
        first, last = _ends(given)
    except ValueError:
        raise HubError(
            Kind.INVALID,
            f"“{given[:64]}” is not an address range; give 192.168.1.0/24, 192.168.1.10-192.168.1.60 or one address",
            reason="bad_range",
            range=given[:64],
        ) from None
    if last < first:
        raise HubError(Kind.INVALID, f"the range {given} ends before it begins", reason="bad_range", range=given[:64])
    if any(first <= network.broadcast_address and last >= network.network_address for network in _NETWORKS):
        raise HubError(
            Kind.INVALID,
            f"the range {given} contains multicast, link-local or unspecified addresses, which no camera has",
            reason="bad_range",
            range=given[:64],
        )
    hosts = int(last) - int(first) + 1
    if hosts > max_hosts:
        raise _too_many(hosts, max_hosts)
    spelled = str(first) if first == last else f"{first}-{last}"
    if "/" in given:
        spelled = str(ipaddress.IPv4Network(given.replace(" ", ""), strict=False))
    return AddressRange(spelled, first, last)


def _ends(given: str) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    if "/" in given:
        network = ipaddress.IPv4Network(given.replace(" ", ""), strict=False)
        if network.prefixlen >= 31:
            return network[0], network[-1]
        return network[1], network[-2]
    if match := _SHORT.fullmatch(given):
        return ipaddress.IPv4Address(match[1] + match[2]), ipaddress.IPv4Address(match[1] + match[3])
    first, *rest = re.split(r"\s*[-–—~]\s*", given)
    if len(rest) > 1:
        raise ValueError(given)
    return ipaddress.IPv4Address(first), ipaddress.IPv4Address(rest[0] if rest else first)


def _too_many(hosts: int, max_hosts: int) -> HubError:
    return HubError(
        Kind.INVALID,
        f"these ranges contain {hosts} addresses; one search covers at most {max_hosts}: give smaller ranges",
        reason="too_many_hosts",
        hosts=hosts,
        max_hosts=max_hosts,
    )
