"""Which attempts meet the same real device, so that they count together.

What locks itself is a device, not a port: all ports of an address are one device, unless the register knows two or more
different devices there (behind a router's forwarded ports). Then each of these is one, found by its id or ports, and
all other ports of the address are one more. Devices are known to be different when each has told an identity, or has
accepted a login, and they share neither a port nor a part of their identity: a device registered twice is one.
"""

import ipaddress
from dataclasses import dataclass, field

from camera_hub.cameras.credentials.device_login import DeviceLogin


def canonical(host: str) -> str:
    """One spelling of an address: IPv4-mapped IPv6 is IPv4, the zone is left out; a name in lower case."""
    bare = host.strip().strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return bare.lower().rstrip(".")[:255]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


@dataclass(slots=True)
class _KnownDevice:
    address: str
    ports: set[int] = field(default_factory=set)
    identity: frozenset[str] = frozenset()
    accepted: bool = False

    @property
    def apart(self) -> bool:
        return bool(self.identity) or self.accepted


@dataclass(slots=True)
class _OneDevice:
    """The register's rows of one real device."""

    ids: set[int]
    ports: set[int]
    identity: set[str]

    def is_also(self, known: _KnownDevice) -> bool:
        return not self.ports.isdisjoint(known.ports) or not self.identity.isdisjoint(known.identity)


class LoginTargets:
    """Learns from the attempts themselves where registered devices are. Bounded by the register."""

    def __init__(self) -> None:
        self._devices: dict[int, _KnownDevice] = {}
        self._at: dict[str, set[int]] = {}

    def learn(self, login: DeviceLogin, address: str, port: int) -> None:
        """A login of a registered device is used at that canonical address and port."""
        if login.device_id is None:
            return
        known = self._known(login.device_id, address)
        known.ports |= {port, *login.ports}
        known.identity = login.identity or known.identity

    def learn_stored(self, device_id: int, address: str, port: int, *, accepted: bool) -> None:
        """What a restart has kept of a registered device."""
        known = self._known(device_id, address)
        known.ports |= {port} if port else set()
        known.accepted |= accepted

    def accepted(self, device_id: int) -> None:
        """The device has accepted a login where it is reached now."""
        if (known := self._devices.get(device_id)) is not None:
            known.accepted = True

    def place(self, device_id: int) -> tuple[str, int] | None:
        """Address and one port of a registered device, None when it has not been used yet."""
        known = self._devices.get(device_id)
        return (known.address, min(known.ports, default=0)) if known is not None else None

    def one(self, address: str, port: int, device_id: int | None) -> str:
        """A name for the real device that is met there: equal names, equal devices."""
        apart = self._apart(address)
        if len(apart) < 2:
            return address
        for one in apart:
            if device_id in one.ids or port in one.ports:
                return f"{address}#{min(one.ids)}"
        return f"{address}#"

    def _known(self, device_id: int, address: str) -> _KnownDevice:
        known = self._devices.get(device_id)
        if known is None or known.address != address:
            if known is not None:
                self._at[known.address].discard(device_id)
            known = self._devices[device_id] = _KnownDevice(
                address, identity=known.identity if known is not None else frozenset()
            )
            self._at.setdefault(address, set()).add(device_id)
        return known

    def _apart(self, address: str) -> list[_OneDevice]:
        found: list[_OneDevice] = []
        for device_id in sorted(self._at.get(address, ())):
            known = self._devices[device_id]
            if not known.apart:
                continue
            same = [one for one in found if one.is_also(known)]
            merged = _OneDevice({device_id}, set(known.ports), set(known.identity))
            for one in same:
                merged.ids |= one.ids
                merged.ports |= one.ports
                merged.identity |= one.identity
                found.remove(one)
            found.append(merged)
        return found
