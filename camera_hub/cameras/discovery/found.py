"""What a search has found: one entry per device, however often and by whichever way it answered."""

from dataclasses import dataclass, replace
from typing import Literal

from camera_hub.cameras.discovery.ws_discovery import PATH, Announced
from camera_hub.cameras.identity import DeviceFacts, same
from camera_hub.errors import Reason

MAX_FOUND = 4096
MAX_PER_HOST = 16
"""The number of devices kept per address; a host that announces more is not a camera."""


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """One device that answered. `reason` says why it cannot be described at present, None when it can.

    `tls`: it announced an address with https. `beside`: another port of the address speaks ONVIF, so that this one is
    a device of its own, or a second way to that one.
    """

    host: str
    port: int
    source: Literal["multicast", "unicast"]
    path: str = PATH
    endpoint: str = ""
    name: str = ""
    manufacturer: str = ""
    model: str = ""
    mac: str = ""
    clock_error_s: float | None = None
    reason: str | None = None
    tls: bool = False
    beside: bool = False

    @property
    def key(self) -> str:
        """Identifies the device for pages, as long as the search is kept. Units of one make may share an endpoint."""
        return f"{self.endpoint} {self.host}" if self.endpoint else f"{self.host}:{self.port}"

    def facts(self, village_id: int) -> DeviceFacts:
        """What is known of its identity, without the maker: announcements spell it differently from the device."""
        known = self.reason != Reason.ONVIF_OFF or self.beside
        port = self.port if known else None  # else it is a port that happened to answer
        return DeviceFacts("", "", self.mac, self.endpoint, (village_id, self.host, port))


def announced_device(one: Announced, source: Literal["multicast", "unicast"]) -> FoundDevice:
    """The device that an announcement describes."""
    return FoundDevice(
        one.host,
        one.port,
        source,
        one.path,
        one.endpoint,
        one.name,
        one.manufacturer,
        one.model,
        one.mac,
        tls=one.tls,
    )


class FoundDevices:
    """The devices found by one search in one village."""

    def __init__(self, village_id: int) -> None:
        self._village_id = village_id
        self._by_key: dict[str, FoundDevice] = {}
        self._at_host: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def all(self) -> list[FoundDevice]:
        """All of them, by address and port."""
        return sorted(self._by_key.values(), key=lambda one: (*map(int, one.host.split(".")), one.port))

    def knows(self, found: FoundDevice) -> bool:
        """Whether the device has answered before."""
        return self._entry(found) is not None

    def add(self, found: FoundDevice) -> None:
        """Keep the device, or merge this answer into an earlier one."""
        key = self._entry(found)
        if key is None:
            keys = self._at_host.setdefault(found.host, [])
            if len(self._by_key) < MAX_FOUND and len(keys) < MAX_PER_HOST:
                self._by_key[found.key] = found
                keys.append(found.key)
            return
        known = self._by_key[key]
        if known.reason is None and known.clock_error_s is not None:
            return
        del self._by_key[key]
        self._at_host[known.host].remove(key)
        merged = replace(
            found,
            source=known.source,
            endpoint=found.endpoint or known.endpoint,
            name=found.name or known.name,
            model=found.model or known.model,
            manufacturer=found.manufacturer or known.manufacturer,
            mac=found.mac or known.mac,
        )
        self._by_key[merged.key] = merged
        self._at_host.setdefault(merged.host, []).append(merged.key)

    def _entry(self, found: FoundDevice) -> str | None:
        if found.key in self._by_key:
            return found.key
        facts = found.facts(self._village_id)
        for key in self._at_host.get(found.host, ()):
            if same(self._by_key[key].facts(self._village_id), facts):
                return key
        return None
