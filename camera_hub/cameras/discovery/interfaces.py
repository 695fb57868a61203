"""The machine's IPv4 interfaces, as the kernel lists them (Linux)."""

import array
import fcntl
import ipaddress
import socket
import struct
from dataclasses import dataclass

_SIOCGIFCONF = 0x8912
_SIOCGIFNETMASK = 0x891B
_ENTRY = 40  # sizeof(struct ifreq)
_LIMIT = 256


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of an interface; `network` in CIDR."""

    name: str
    address: str
    network: str


def interfaces() -> list[Interface]:
    """All that are up and have an IPv4 address, loopback too (virtual villages live there)."""
    entries = array.array("B", bytes(_ENTRY * _LIMIT))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("iP", len(entries), entries.buffer_info()[0])
        (used, _) = struct.unpack("iP", fcntl.ioctl(sock, _SIOCGIFCONF, request))
        raw = entries.tobytes()[:used]
        found = []
        for start in range(0, used, _ENTRY):
            name = raw[start : start + 16].split(b"\0", 1)[0]
            address = socket.inet_ntoa(raw[start + 20 : start + 24])
            answer = fcntl.ioctl(sock, _SIOCGIFNETMASK, struct.pack("16s24x", name))
            network = ipaddress.ip_interface(f"{address}/{socket.inet_ntoa(answer[20:24])}").network
            found.append(Interface(name.decode(errors="replace"), address, str(network)))
    return found
