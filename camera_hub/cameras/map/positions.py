"""Where cameras stand and what they see: from their files (WGS-84), with the exact field of view beside it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.ledger.coordinates import to_wgs84
from camera_hub.cameras.ledger.ledgers import Ledgers
from camera_hub.cameras.map.directions import ALL_AROUND, direction_code, direction_of
from camera_hub.cameras.map.extents import Extents
from camera_hub.cameras.map.placement import PlacementWarning, placed
from camera_hub.cameras.map.shapes import require_degrees
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, CameraPositionChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, FieldOfView, LedgerFile, Village

VIEW_FIELDS = ("direction_deg", "angle_deg", "reach_m")


@dataclass(frozen=True, slots=True)
class CameraPosition:
    """A camera on the map. Directions clockwise from north; None: not known. `state`: register.camera_states;
    `service_state`: of its file (in_use | repair | removed)."""

    id: int
    village_id: int
    longitude: float
    latitude: float
    direction_deg: float | None
    angle_deg: float | None
    reach_m: float | None
    place_class: str
    state: str
    service_state: str
    health: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a camera is to be put, and what it sees; of all that only what is `given`: fields by name. None clears: a
    position of None takes the camera off the map."""

    given: Collection[str]
    longitude: float | None = None
    latitude: float | None = None
    datum: str = "wgs84"
    direction_deg: float | None = None
    angle_deg: float | None = None
    reach_m: float | None = None


class CameraPositions:
    """Reads and sets them. Publishes CameraPositionChanged after each commit."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, ledgers: Ledgers, extents: Extents) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._ledgers = ledgers
        self._extents = extents

    async def all(self, actor: Actor) -> list[CameraPosition]:
        """Cameras of the actor's scope that have a position and are not retired: one query."""
        async with self._database.read() as session:
            return await read_positions(session, in_scope(actor, Camera.village_id))

    async def some(self, ids: Collection[int]) -> list[CameraPosition]:
        """Those of these cameras that are on the map, whosever they are."""
        async with self._database.read() as session:
            return await read_positions(session, Camera.id.in_(list(ids)))

    async def place(
        self, actor: Actor, camera_id: int, placing: Placing
    ) -> tuple[CameraPosition | None, PlacementWarning | None]:
        """Put a camera on the map, turn it, or take it off; its file is changed with it. Returns where it is then, None
        off the map, and what is to be said of the position.

        Raises HubError: NOT_FOUND, INVALID (MAP_POSITION, MAP_GEOMETRY, VALUE_COORDINATE).
        """
        now = self._clock.now()
        async with self._database.write() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None or camera.state == "retired" or (actor.only_pending and camera.state not in PENDING):
                raise _unknown()
            require_village(actor, camera.village_id, "camera")
            file = await session.get(LedgerFile, camera_id)
            warning = await self._move(session, actor, camera, file, placing, now)
            await self._turn(session, actor, camera, file, placing, now)
            await session.flush()
            found = await read_positions(session, Camera.id == camera_id)
        self._bus.publish(CameraPositionChanged(camera_id, camera.village_id))
        self._bus.publish(CameraChanged(camera_id, camera.village_id))
        return (found[0] if found else None), warning

    async def _move(
        self,
        session: AsyncSession,
        actor: Actor,
        camera: Camera,
        file: LedgerFile | None,
        placing: Placing,
        now: datetime,
    ) -> PlacementWarning | None:
        if "longitude" not in placing.given and "latitude" not in placing.given:
            return None
        if placing.longitude is None or placing.latitude is None:
            if placing.longitude is not None or placing.latitude is not None:
                raise HubError(
                    Kind.INVALID,
                    "longitude and latitude go together",
                    reason=Reason.VALUE_COORDINATE,
                    why="pair",
                )
            await self._ledgers.set_values(session, camera, {"longitude": "", "latitude": "", "datum": ""}, actor, now)
            return None
        require_degrees(placing.longitude, placing.latitude)
        point = to_wgs84(placing.longitude, placing.latitude, placing.datum)
        village = await session.get_one(Village, camera.village_id)
        outline = [(one[0], one[1]) for one in village.outline or ()]
        warning = placed(point, await self._extents.read(session), outline)
        stays = file is not None and (round(point.longitude, 7), round(point.latitude, 7)) == (
            file.longitude,
            file.latitude,
        )
        if not stays:  # else what was typed, and its datum, would be lost by turning a camera
            values = {
                "longitude": f"{placing.longitude:.7f}",
                "latitude": f"{placing.latitude:.7f}",
                "datum": placing.datum,
            }
            await self._ledgers.set_values(session, camera, values, actor, now)
        return warning

    async def _turn(
        self,
        session: AsyncSession,
        actor: Actor,
        camera: Camera,
        file: LedgerFile | None,
        placing: Placing,
        now: datetime,
    ) -> None:
        given = [one for one in VIEW_FIELDS if one in placing.given]
        if not given:
            return
        row = await session.get(FieldOfView, camera.id)
        if row is None:
            row = FieldOfView(camera_id=camera.id)
            session.add(row)
        for name in given:
            setattr(row, name, getattr(placing, name))
        if "direction_deg" not in given:
            return
        known = file.details.get("direction", "") if file is not None else ""
        if placing.direction_deg is not None:
            code = direction_code(placing.direction_deg)
        else:
            code = ALL_AROUND if known == ALL_AROUND or placing.angle_deg == 360 else ""
        if code != known:
            await self._ledgers.set_values(session, camera, {"direction": code}, actor, now)


async def read_positions(session: AsyncSession, where: ColumnElement[bool]) -> list[CameraPosition]:
    """Cameras that have a position and are not retired, in the order of their ids: one query."""
    query = (
        select(
            Camera.id,
            Camera.village_id,
            LedgerFile.longitude,
            LedgerFile.latitude,
            LedgerFile.details["direction"].as_string(),
            FieldOfView.direction_deg,
            FieldOfView.angle_deg,
            FieldOfView.reach_m,
            Camera.place_class,
            Camera.state,
            LedgerFile.service_state,
            Camera.health,
        )
        .join(LedgerFile, LedgerFile.camera_id == Camera.id)
        .outerjoin(FieldOfView, FieldOfView.camera_id == Camera.id)
        .where(LedgerFile.longitude.is_not(None), LedgerFile.latitude.is_not(None), Camera.state != "retired", where)
        .order_by(Camera.id)
    )
    rows = await session.execute(query)
    return [
        CameraPosition(id, village, east, north, direction_of(code, exact), *rest)
        for id, village, east, north, code, exact, *rest in rows.all()
    ]


def _unknown() -> HubError:
    return HubError(Kind.NOT_FOUND, "there is no such camera")
