"""What was learnt of devices: where each departs from the standards, kept so that it need not be found out again.

Written by whoever meets a peculiarity (relays over RTSP, the ONVIF client), read before the device is spoken to.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import delete, func, select

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, PeculiaritiesChanged
from camera_hub.peculiarity_kinds import MAX_VALUE, PeculiarityKind
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, DevicePeculiarity

log = logging.getLogger(__name__)

MAX_PER_DEVICE = 32
_CACHED = 4096
"""Devices of which the answer is kept in memory: each pull of a stream asks."""

__all__ = ["MAX_PER_DEVICE", "Peculiarities", "PeculiarityKind"]


class Peculiarities:
    """Of all devices. This process is the only one that writes them, so that what was read once stays true."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._known: OrderedDict[int, Mapping[str, str]] = OrderedDict()
        self._changes = 0

    async def of(self, device_id: int) -> Mapping[str, str]:
        """Kind → value of what is known of the device; empty where nothing is. Raises HubError when the database
        fails."""
        if (known := self._known.get(device_id)) is not None:
            self._known.move_to_end(device_id)
            return known
        changes = self._changes
        async with self._database.read() as session:
            rows = await session.execute(
                select(DevicePeculiarity.kind, DevicePeculiarity.value).where(DevicePeculiarity.device_id == device_id)
            )
            found = MappingProxyType({kind: value for kind, value in rows})
        if changes == self._changes:  # else it may be older than what was written meanwhile
            self._known[device_id] = found
            while len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return found

    async def note(self, device_id: int, kind: PeculiarityKind | str, value: str) -> None:
        """Keep it; nothing is written where it is known already, and nothing for a device that is gone.

        Raises HubError: INVALID for an unknown kind, a value that is empty, over MAX_VALUE characters or not printable,
        and for more than MAX_PER_DEVICE; or the database's failure.
        """
        kind = _checked(kind, value)
        if (await self.of(device_id)).get(kind) == value:
            return
        async with self._database.write() as session:
            device = await session.scalar(select(Device).where(Device.id == device_id).with_for_update())
            if device is None:
                return
            row = await session.get(DevicePeculiarity, (device_id, kind))
            if row is not None and row.value == value:
                return
            if row is None:
                counted = select(func.count()).where(DevicePeculiarity.device_id == device_id)
                if (await session.scalar(counted) or 0) >= MAX_PER_DEVICE:
                    raise HubError(
                        Kind.INVALID, f"over {MAX_PER_DEVICE} peculiarities of one device; forget those it has"
                    )
                row = DevicePeculiarity(device_id=device_id, kind=kind)
                session.add(row)
            row.value, row.noticed_at = value, self._clock.now()
            village_id = device.village_id
        self._changed(device_id, village_id)
        log.info("device %d: peculiarity %s is %s", device_id, kind, value)

    async def withdraw(self, device_id: int, kind: PeculiarityKind) -> None:
        """It is no longer so; nothing is written where it was not known. Raises HubError when the database fails."""
        if kind not in await self.of(device_id):
            return
        async with self._database.write() as session:
            village_id = await session.scalar(select(Device.village_id).where(Device.id == device_id))
            where = (DevicePeculiarity.device_id == device_id) & (DevicePeculiarity.kind == kind)
            await session.execute(delete(DevicePeculiarity).where(where))
        if village_id is not None:
            self._changed(device_id, village_id)

    async def forget(self, device_id: int) -> None:
        """Forget all that was learnt of the device, as when another one has taken its place. Raises HubError when the
        database fails."""
        async with self._database.write() as session:
            village_id = await session.scalar(select(Device.village_id).where(Device.id == device_id))
            await session.execute(delete(DevicePeculiarity).where(DevicePeculiarity.device_id == device_id))
        if village_id is not None:
            self._changed(device_id, village_id)

    def _changed(self, device_id: int, village_id: int) -> None:
        self._changes += 1
        self._known.pop(device_id, None)
        self._bus.publish(PeculiaritiesChanged(device_id, village_id))


def _checked(kind: str, value: str) -> PeculiarityKind:
    try:
        known = PeculiarityKind(kind)
    except ValueError as error:
        raise HubError(Kind.INVALID, "there is no such kind of peculiarity") from error
    if not 0 < len(value) <= MAX_VALUE or not value.isprintable():
        raise HubError(Kind.INVALID, f"the value of a peculiarity must be 1 to {MAX_VALUE} printable characters")
    return known
