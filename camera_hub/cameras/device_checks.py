"""What may be connected to for a device, and for a person who names an address: `reach` with the ranges that apply.

A device's place (host and port) is approved when township staff register it, move it, or approve a camera of it. An
approved place stays reachable whatever the village's ranges become; a name is reachable only as long as it leads to the
same address, or into the ranges. Any other place of a device must be within the ranges of its village.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.cameras import addresses
from camera_hub.cameras.discovery import ranges as address_ranges
from camera_hub.cameras.discovery.interfaces import interfaces
from camera_hub.cameras.discovery.ranges import AddressRange
from camera_hub.cameras.reach import Check, Ranges, ReachPolicy, canonical, checking, reach, within
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, Village

_MOST_NAMES = 64
"""Names that are resolved for one approval; what further ones lead to is remembered when they are connected to."""


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Where a device is reached, and which place was approved (None: none yet). `distrusted`: another device was found
    there."""

    place: str
    approved_place: str | None
    approved_address: str | None
    ranges: Ranges
    distrusted: bool = False

    def check(self, address: str, port: int, policy: ReachPolicy) -> None:
        """Raise HubError unless the device may be connected to there: as `reach`, address_changed for a name that
        leads elsewhere since it was approved, and identity_changed where another device answers."""
        if self.distrusted:
            raise HubError(
                Kind.CONFLICT,
                "another device answers at this address; it gets no login until somebody has checked it and said so",
                reason=Reason.IDENTITY_CHANGED,
            )
        if self.place != self.approved_place:
            reach(address, port, allowed=self.ranges, policy=policy)
            return
        reach(address, port, allowed=None, policy=policy)
        ip = canonical(address)
        # Earlier versions stored IPv4-mapped IPv6 as it was typed.
        if (
            self.approved_address is None
            or canonical(self.approved_address) == ip
            or (ip is not None and within(ip, self.ranges))
        ):
            return
        raise HubError(
            Kind.INVALID,
            "the device's name leads to another address than the one that was approved; a township admin must approve "
            "it again",
            reason=Reason.ADDRESS_CHANGED,
        )


class DeviceChecks:
    """Reads ranges and approvals as they are now. `policy`: what is refused whoever asks (hub_addresses)."""

    def __init__(self, database: Database, policy: Callable[[], ReachPolicy]) -> None:
        self._database = database
        self._policy = policy

    async def of_device(self, device_id: int, *, whoever: bool = False) -> Check:
        """The check for connecting to a registered device; `whoever` answers there now, where only that is asked.
        Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            row = (
                await session.execute(
                    select(Device, Village.ranges)
                    .join(Village, Village.id == Device.village_id)
                    .where(Device.id == device_id)
                )
            ).one_or_none()
        if row is None:
            raise HubError(Kind.NOT_FOUND, "there is no such device")
        return self.of(*row, whoever=whoever)

    def of(self, device: Device, ranges: Sequence[str], *, whoever: bool = False) -> Check:
        """As `of_device`, for rows that were read already; `ranges` are those of the device's village."""
        distrusted = device.distrusted_at is not None and not whoever
        known = DevicePlace(place(device), device.approved_place, device.approved_address, parsed(ranges), distrusted)
        return lambda address, port: known.check(address, port, self._policy())

    async def of_actor(self, actor: Actor, village_id: int) -> Check:
        """The check for an address that a person names for a village: anywhere for township staff, else its ranges."""
        if trusted(actor):
            return checking(None, self._policy)
        async with self._database.read() as session:
            ranges = await session.scalar(select(Village.ranges).where(Village.id == village_id))
        return checking(parsed(ranges or ()), self._policy)

    async def of_announcement(self, village_id: int, *, searched: bool) -> Check:
        """The check for a look where somebody says that a device of the village is now. Where a search has been, the
        same as for the township; where only a datagram says so, the village's ranges and the networks that this machine
        is part of, since a sender's address can be forged."""
        if searched:
            return checking(None, self._policy)
        async with self._database.read() as session:
            ranges = await session.scalar(select(Village.ranges).where(Village.id == village_id))
        return checking([*parsed(ranges or ()), *_own_networks()], self._policy)

    async def address_for(self, actor: Actor, village_id: int, host: str, ports: Sequence[int]) -> str:
        """The IP address of a host that a person names, once each of the ports there was allowed.

        Raises HubError. Who is bound to villages learns nothing else of a name, not even whether it exists.
        """
        check = await self.of_actor(actor, village_id)
        try:
            address = await addresses.resolve(host)
        except HubError:
            if not trusted(actor):
                check("", 0)
            raise
        for port in ports:
            check(address, port)
        return address

    async def lead(self, hosts: Sequence[str]) -> dict[str, str]:
        """Which IP addresses these names lead to now, best effort; addresses lead to themselves and are left out."""
        names = [one for one in dict.fromkeys(hosts) if canonical(one) is None][:_MOST_NAMES]
        found = await asyncio.gather(*map(addresses.resolve, names), return_exceptions=True)
        return {name: one for name, one in zip(names, found, strict=True) if isinstance(one, str)}

    async def keep_address(self, device: Device, address: str) -> None:
        """Remember to which address an approved name leads, where that was not known when it was approved."""
        if device.approved_address is not None or device.approved_place != place(device):
            return
        async with self._database.write() as session:
            row = await session.get(Device, device.id)
            if row is not None and row.approved_address is None and row.approved_place == place(row) == place(device):
                row.approved_address = address


def _own_networks() -> list[AddressRange]:
    found = []
    for one in interfaces():
        network = ipaddress.IPv4Network(one.network)
        found.append(AddressRange(one.network, network.network_address, network.broadcast_address))
    return found


def trusted(actor: Actor) -> bool:
    """Whether the actor decides for the township which addresses are cameras' (who may approve them)."""
    return allows(actor, Action.APPROVE)


def place(device: Device) -> str:
    """Where the device is reached, as people write it: host:port."""
    host = f"[{device.host}]" if ":" in device.host else device.host
    port = device.asked_port or device.rtsp_port
    return f"{host}:{port}" if port is not None else host


def approve_place(device: Device, address: str | None) -> None:
    """The township approves the device where it is now. `address`: what its name leads to, None if unknown."""
    device.approved_place = place(device)
    ip = canonical(device.host)
    device.approved_address = str(ip) if ip is not None else address


def parsed(texts: Sequence[str]) -> Ranges:
    """A village's stored ranges."""
    return _parsed(tuple(texts))


@lru_cache(maxsize=1024)
def _parsed(texts: tuple[str, ...]) -> Ranges:
    return tuple(address_ranges.parsed(texts))
