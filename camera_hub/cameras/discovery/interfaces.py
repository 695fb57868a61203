"""The machine's IPv4 interfaces."""

import ipaddress
from dataclasses import dataclass

import ifaddr


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of an interface; `network` in CIDR."""

    name: str
    address: str
    network: str


def interfaces() -> list[Interface]:
    """All interfaces with an IPv4 address, loopback included (virtual villages run there)."""
    return [
        Interface(adapter.name, str(ip.ip), str(ipaddress.ip_interface(f"{ip.ip}/{ip.network_prefix}").network))
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4
    ]
