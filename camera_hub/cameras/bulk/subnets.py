"""Devices of a subnet that got other addresses: each keeps its host part, and moves once it has answered there.

Who answers at the new address is asked before any login goes there. Another device than the known one moves nothing;
one that does not say who it is moves only where the user has said that this is all right.
"""

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.described import Identity
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.identity import against, compared, found_facts, registered_facts
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.cameras.reach import Check
from camera_hub.cameras.register.views import DeviceView
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Device

CHANGE_SUBNET = "change_subnet"
"""The kind of these jobs."""

_USUAL_PORT = 80

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AnonymousIdentity(Protocol):
    """What this needs of onvif.client: who a device is, without a login."""

    async def identity(
        self, host: str, port: int, path: str, *, known_endpoint: str = "", check: Check | None = None
    ) -> Identity:
        """Raises HubError with the Reason."""
        ...


class DeviceMover(Protocol):
    """What this needs of register.devices."""

    async def change(self, actor: Actor, device_id: int, *, host: str | None = None) -> DeviceView:
        """Give the device another address. Raises HubError."""
        ...


@dataclass(frozen=True, slots=True)
class SubnetPreview:
    """What would become of a device: its new address, or why it has none (`reason`)."""

    device_id: int
    name: str
    host: str
    new_host: str | None
    reason: str | None


def subnet(text: str) -> Network:
    """A subnet as a person writes it: 192.168.1.0/24, 192.168.1.x, 192.168.1. Raises HubError(INVALID, bad_subnet)."""
    bare = text.strip().lower().replace("*", "x").removesuffix(".x").removesuffix(".")
    if "/" not in bare and bare.count(".") == 2:
        bare += ".0/24"
    try:
        if "/" not in bare:
            raise ValueError(text)
        return ipaddress.ip_network(bare, strict=False)
    except ValueError as error:
        raise HubError(
            Kind.INVALID,
            f"{text!r} is no subnet; write it like 192.168.1.0/24 or 192.168.1.x",
            reason="bad_subnet",
            text=text[:64],
        ) from error


def moved_host(host: str, before: Network, after: Network) -> str | None:
    """The address with the same host part in the other subnet; None where it is not in the first one. Pure."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.version != before.version or address not in before:
        return None
    return str(after.network_address + (int(address) - int(before.network_address)))


class SubnetChanges:
    """Previews and starts the jobs."""

    def __init__(
        self,
        database: Database,
        checks: DeviceChecks,
        onvif: AnonymousIdentity,
        devices: DeviceMover,
        jobs: Jobs,
    ) -> None:
        self._database = database
        self._checks = checks
        self._onvif = onvif
        self._devices = devices
        self._jobs = jobs

    async def preview(
        self, actor: Actor, device_ids: Collection[int], before: str, after: str
    ) -> Sequence[SubnetPreview]:
        """What each of these devices would get. Nothing is sent. Raises HubError: NOT_FOUND, INVALID (bad_subnet,
        subnets_differ)."""
        networks = _networks(before, after)
        devices, taken = await self._chosen(actor, device_ids)
        return [_previewed(one, networks, taken) for one in devices]

    async def start(
        self, actor: Actor, device_ids: Collection[int], before: str, after: str, *, unknown_too: bool
    ) -> JobView:
        """Move those that can be moved. `unknown_too`: also devices that do not say who they are without a login.

        Raises HubError: NOT_FOUND, INVALID (bad_subnet, subnets_differ), BUSY.
        """
        networks = _networks(before, after)
        devices, _ = await self._chosen(actor, device_ids)
        items = [JobItem(str(one.id), f"{one.name} ({one.host})") for one in devices]
        villages = {one.village_id for one in devices}
        village_id = villages.pop() if len(villages) == 1 else None

        async def work(item: JobItem) -> JobVerdict:
            return await self._one(actor, int(item.key), networks, unknown_too=unknown_too)

        return self._jobs.start(actor, CHANGE_SUBNET, village_id, items, work)

    async def _one(
        self, actor: Actor, device_id: int, networks: tuple[Network, Network], *, unknown_too: bool
    ) -> JobVerdict:
        devices, taken = await self._chosen(actor, [device_id])
        preview = _previewed(devices[0], networks, taken)
        if preview.new_host is None:
            return JobVerdict(False, preview.reason, "this device has no address in the new subnet")
        await self._require_same(actor, devices[0], preview.new_host, unknown_too=unknown_too)
        await self._devices.change(actor, device_id, host=preview.new_host)
        return JobVerdict(True, None, "", {"host": preview.new_host})

    async def _require_same(self, actor: Actor, device: Device, host: str, *, unknown_too: bool) -> None:
        """Raise HubError unless the known device answers at the new address."""
        port = device.onvif_port or _USUAL_PORT
        await self._checks.address_for(actor, device.village_id, host, [device.onvif_port or device.rtsp_port or port])
        check = await self._checks.of_actor(actor, device.village_id)
        try:
            if device.onvif_port is None:
                raise _not_told()
            said = await self._onvif.identity(
                host, port, device.onvif_path, known_endpoint=device.endpoint, check=check
            )
        except HubError as error:
            if error.reason in _SILENT or not unknown_too:
                raise
            return
        known = registered_facts(device)
        found = found_facts(said, device.village_id, host, port)
        if differs := against(known, found):
            raise HubError(
                Kind.CONFLICT,
                "another device answers at the new address; nothing was changed",
                reason=Reason.IDENTITY_CHANGED,
                differs=", ".join(sorted(differs)),
            )
        if not compared(known, found).agree and not unknown_too:
            raise _not_told()

    async def _chosen(self, actor: Actor, device_ids: Collection[int]) -> tuple[Sequence[Device], set[tuple[int, str]]]:
        """The devices, and which addresses their villages have in use."""
        wanted = set(device_ids)
        async with self._database.read() as session:
            query = select(Device).where(Device.id.in_(wanted), in_scope(actor, Device.village_id))
            devices = (await session.scalars(query.order_by(Device.village_id, Device.id))).all()
            villages = {one.village_id for one in devices}
            used = select(Device.village_id, Device.host).where(
                Device.village_id.in_(villages), Device.retired_at.is_(None)
            )
            taken = {(village_id, host) for village_id, host in await session.execute(used)}
        if {one.id for one in devices} != wanted:
            raise HubError(Kind.NOT_FOUND, "there is no such device")
        return devices, taken


_SILENT = frozenset(
    {Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.ADDRESS_REFUSED, Reason.NO_RANGES}
)
"""Nothing is there, or it may not be reached: then nobody's word makes it the device."""


def _networks(before: str, after: str) -> tuple[Network, Network]:
    networks = subnet(before), subnet(after)
    if (networks[0].version, networks[0].prefixlen) != (networks[1].version, networks[1].prefixlen):
        raise HubError(
            Kind.INVALID, "both subnets must have the same size, so that each host part fits", reason="subnets_differ"
        )
    return networks


def _previewed(device: Device, networks: tuple[Network, Network], taken: set[tuple[int, str]]) -> SubnetPreview:
    host = moved_host(device.host, *networks)
    reason = None
    if device.retired_at is not None:
        host, reason = None, str(Reason.RETIRED)
    elif host is None:
        reason = "not_in_subnet"
    elif host != device.host and (device.village_id, host) in taken:
        host, reason = None, "address_taken"
    return SubnetPreview(device.id, device.name, device.host, host, reason)


def _not_told() -> HubError:
    return HubError(
        Kind.CONFLICT,
        "the device at the new address does not say who it is without a login, so it got none; move it by hand, or "
        "confirm that devices which cannot be checked are moved, too",
        reason="identity_unknown",
    )
