"""Repair list for a trip (抢修单): what is open, place by place, in an order that can be driven.

Villages in their official order; in a village each next place is the nearest to the last one on the map, then those
that stand on no map, by name.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.map.order import in_order
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Device, LedgerFile, Village

MOST: Final = 1000
"""Alarms of one list, the oldest first; more are told by `cut`."""

_LINK = ("laptop", "tester", "network_cable", "switch")
_DEVICE = ("ladder", "tester", "power_supply", "network_cable", "spare_camera")
_LENS = ("ladder", "cleaning")
_SENSOR = ("ladder", "power_supply", "spare_camera")
TAKE_ALONG: Final[Mapping[str, tuple[str, ...]]] = {
    Reason.VILLAGE_LINK: _LINK,
    Reason.UNREACHABLE: _DEVICE,
    Reason.TIMED_OUT: _DEVICE,
    Reason.DEVICE_DOWN: _DEVICE,
    Reason.PORT_CLOSED: ("laptop",),
    Reason.CHANNEL_OFFLINE: _DEVICE,
    Reason.CHANNELS_MISSING: _DEVICE,
    Reason.NO_MEDIA: ("laptop", "tester", "network_cable"),
    Reason.NO_KEY_FRAME: ("laptop", "tester", "network_cable"),
    Reason.STALLED: ("laptop", "tester", "network_cable"),
    Reason.LOSSY: ("tester", "network_cable", "switch"),
    Reason.LATE: ("tester", "network_cable", "switch"),
    Reason.NO_SIGNAL: ("ladder", "tester", "network_cable", "power_supply", "spare_camera"),
    Reason.BLACK: _SENSOR,
    Reason.FROZEN: _SENSOR,
    Reason.NOISY: _SENSOR,
    Reason.STRIPED: _SENSOR,
    Reason.COLOUR_CAST: _SENSOR,
    Reason.BLURRED: _LENS,
    Reason.COVERED: (*_LENS, "pruner"),
    Reason.LOW_CONTRAST: _LENS,
    Reason.MOVED: ("ladder", "wrench", "laptop"),
    Reason.UNDEREXPOSED: ("ladder", "lamp"),
    Reason.OVEREXPOSED: ("laptop",),
    Reason.NO_RECORDING: ("disk", "laptop"),
    Reason.RECORDING_GAPS: ("disk", "laptop"),
    Reason.RECORDING_SHORT: ("disk", "laptop"),
    Reason.NOT_ACTIVATED: ("laptop",),
    Reason.IDENTITY_CHANGED: ("laptop",),
}
"""What to take along, by cause; nothing is known to be needed for the rest."""

FROM_HERE: Final[frozenset[str]] = frozenset(
    {
        Reason.WRONG_PASSWORD,
        Reason.LOGIN_NEEDED,
        Reason.LOCKED_OUT,
        Reason.LOGIN_PAUSED,
        Reason.NO_RIGHTS,
        Reason.ONVIF_OFF,
        Reason.ONVIF_USER,
        Reason.ADDRESS_REFUSED,
        Reason.ADDRESS_CHANGED,
        Reason.NO_RANGES,
        Reason.CLOCK_REFUSED,
        Reason.CLOCK_WRONG,
        Reason.CLOCK_DRIFTS,
        Reason.CLOCK_LIES,
        Reason.CLOCK_NTP_UNHEARD,
        Reason.OSD_NAME_MISSING,
        Reason.OSD_NAME_WRONG,
        Reason.OSD_TIME_MISSING,
        Reason.OSD_CLOCK_WRONG,
    }
)
"""Causes that are dealt with at the desk, before anybody drives."""

_SEVERITY = {"critical": 0, "major": 1, "minor": 2, "warning": 3}


@dataclass(frozen=True, slots=True)
class TripFault:
    """One open alarm at a place. `take`: of TAKE_ALONG; `from_here`: it is dealt with at the desk first."""

    alarm_id: int
    aspect: str
    cause: str
    params: dict[str, Any]
    severity: str
    since: datetime
    owner: str | None
    suspended_until: datetime | None
    suspended_reason: str | None
    take: tuple[str, ...]
    from_here: bool


@dataclass(frozen=True, slots=True)
class TripPlace:
    """Where somebody goes: a camera, a recorder (`cameras` of them are concerned), or the village's link. Telephone
    numbers are those of the ledger; "" where nothing is known."""

    level: str
    village_id: int
    name: str
    camera_id: int | None
    cameras: int
    model: str
    pole_number: str = ""
    landmark: str = ""
    address: str = ""
    manager: str = ""
    manager_phone: str = ""
    maintainer_unit: str = ""
    maintainer_phone: str = ""
    longitude: float | None = None
    latitude: float | None = None
    faults: list[TripFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TripVillage:
    """The places of one village, in the order in which they lie."""

    village_id: int
    name: str
    places: list[TripPlace]


@dataclass(frozen=True, slots=True)
class TripView:
    """The list as of `at`. `cut`: there were more alarms than one list takes; choose fewer villages."""

    at: datetime
    villages: list[TripVillage]
    cut: bool


class TripList:
    """The verb behind `GET /api/health/trip`: three statements."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def read(self, actor: Actor, village_ids: Collection[int] = ()) -> TripView:
        """The open faults of these villages, or of all that the actor may see. Raises HubError(NOT_FOUND)."""
        for village_id in village_ids:
            require_village(actor, village_id, "village")
        villages = select(Village.id, Village.name).where(in_scope(actor, Village.id))
        alarms = (
            select(Alarm, Device, Camera.name)
            .outerjoin(Device, Device.id == Alarm.device_id)
            .outerjoin(Camera, Camera.id == Alarm.camera_id)
            .where(Alarm.closed_at.is_(None), Alarm.village_id.is_not(None), in_scope(actor, Alarm.village_id))
        )
        if village_ids:
            villages = villages.where(Village.id.in_(village_ids))
            alarms = alarms.where(Alarm.village_id.in_(village_ids))
        async with self._database.read() as session:
            names = {id: name for id, name in await session.execute(villages.order_by(Village.position, Village.id))}
            if missing := set(village_ids) - names.keys():
                raise HubError(Kind.NOT_FOUND, f"there is no village {min(missing)}")
            rows = (await session.execute(alarms.order_by(Alarm.opened_at, Alarm.id).limit(MOST + 1))).all()
            members = (
                select(AlarmMember.alarm_id, Camera, Device, LedgerFile)
                .join(Camera, Camera.id == AlarmMember.camera_id)
                .join(Device, Device.id == Camera.device_id)
                .outerjoin(LedgerFile, LedgerFile.camera_id == Camera.id)
                .where(AlarmMember.alarm_id.in_([row[0].id for row in rows]), AlarmMember.left_at.is_(None))
                .order_by(Camera.position, Camera.id)
            )
            covered: dict[int, list[tuple[Camera, Device, LedgerFile | None]]] = {}
            for alarm_id, camera, device, file in await session.execute(members):
                covered.setdefault(alarm_id, []).append((camera, device, file))
        places = _places([(alarm, device, name) for alarm, device, name in rows[:MOST]], covered, names)
        found = await asyncio.to_thread(_by_village, places, names)
        return TripView(self._clock.now(), found, len(rows) > MOST)


def _places(
    rows: Sequence[tuple[Alarm, Device | None, str | None]],
    covered: Mapping[int, Sequence[tuple[Camera, Device, LedgerFile | None]]],
    names: Mapping[int, str],
) -> list[TripPlace]:
    found: dict[tuple[str, int | None], TripPlace] = {}
    for alarm, device, camera_name in rows:
        subject = {"camera": alarm.camera_id, "device": alarm.device_id}.get(alarm.level, alarm.village_id)
        members = covered.get(alarm.id, ())
        place = found.get((alarm.level, subject))
        if place is None:
            name = {"camera": camera_name, "device": None if device is None else device.name or device.host}
            title = name.get(alarm.level) or names.get(alarm.village_id or 0, "")
            place = found[alarm.level, subject] = _place(alarm, title, device, members)
        place.faults.append(_fault(alarm))
    for place in found.values():
        place.faults.sort(key=lambda fault: (_SEVERITY.get(fault.severity, 9), fault.since))
    return list(found.values())


def _place(
    alarm: Alarm, name: str, device: Device | None, members: Sequence[tuple[Camera, Device, LedgerFile | None]]
) -> TripPlace:
    """What the ledger knows of the place: of its first camera that has a file. A village's link hangs nowhere."""
    known = next((one for one in members if one[2] is not None), members[0] if members else None)
    device = device or (known[1] if known is not None and alarm.level == "camera" else None)
    file = known[2] if known is not None else None
    there = alarm.level != "village"
    return TripPlace(
        level=alarm.level,
        village_id=alarm.village_id or 0,
        name=name,
        camera_id=alarm.camera_id,
        cameras=len(members),
        model="" if device is None else f"{device.manufacturer} {device.model}".strip(),
        pole_number=file.pole_number if file is not None and there else "",
        landmark=file.landmark if file is not None and there else "",
        address=file.address if file is not None and there else "",
        manager=file.manager if file is not None else "",
        manager_phone=file.manager_phone if file is not None else "",
        maintainer_unit=file.maintainer_unit if file is not None else "",
        maintainer_phone=file.maintainer_phone if file is not None else "",
        longitude=file.longitude if file is not None and there else None,
        latitude=file.latitude if file is not None and there else None,
    )


def _fault(alarm: Alarm) -> TripFault:
    return TripFault(
        *(alarm.id, alarm.aspect, alarm.cause, alarm.params, alarm.severity, alarm.opened_at, alarm.owner_name),
        suspended_until=alarm.suspended_until,
        suspended_reason=alarm.suspended_reason,
        take=TAKE_ALONG.get(alarm.cause, ()),
        from_here=alarm.cause in FROM_HERE,
    )


def _by_village(places: Sequence[TripPlace], names: Mapping[int, str]) -> list[TripVillage]:
    """The village's own link first: nothing else there is repaired before it."""
    found = []
    for village_id, name in names.items():
        own = [one for one in places if one.village_id == village_id]
        links = [one for one in own if one.level == "village"]
        rest = in_order(one for one in own if one.level != "village")
        if own:
            found.append(TripVillage(village_id, name, [*links, *rest]))
    return found
