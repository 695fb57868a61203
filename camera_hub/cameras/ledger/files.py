"""Files of cameras as frozen values, read with a fixed number of queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.ledger.figures import Completeness, Filing, completeness, filing
from camera_hub.cameras.ledger.stored import FileFacts, all_values, connected, known_values, typed_values
from camera_hub.store.tables import Camera, Device, LedgerFile, LedgerPhoto, Stream, Village


@dataclass(frozen=True, slots=True)
class CameraFile:
    """The file of one camera.

    `values`: by key, what was typed and what the hub knows (`known`: those keys), coordinates as typed in
    `values["datum"]`; `longitude`, `latitude`: WGS-84. `connected`: the hub may connect to it; else
    `values["no_access_reason"]` says why not. `photos`: how many of each kind.
    """

    camera_id: int
    village_id: int
    device_id: int
    name: str
    pinyin: str
    initials: str
    place_class: str
    state: str
    service_state: str
    connected: bool
    values: Mapping[str, str]
    known: frozenset[str]
    longitude: float | None
    latitude: float | None
    completeness: Completeness
    filing: Filing
    photos: Mapping[str, int]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class FilingRule:
    """What the countdown of filing needs to know: today at the site, and within how many days."""

    today: date
    zone: ZoneInfo
    limit_days: int


async def read_files(session: AsyncSession, where: Sequence[ColumnElement[bool]], rule: FilingRule) -> list[CameraFile]:
    """Files of these cameras in the order of villages and their own: three queries whatever their number."""
    rows = (
        await session.execute(
            select(Camera, Device, LedgerFile)
            .join(Device, Device.id == Camera.device_id)
            .join(Village, Village.id == Camera.village_id)
            .join(LedgerFile, LedgerFile.camera_id == Camera.id, isouter=True)
            .where(*where)
            .order_by(Village.position, Village.id, Camera.position, Camera.id)
        )
    ).all()
    chosen = select(Camera.id).where(*where)
    streams: dict[int, Stream] = {}
    for stream in await session.scalars(select(Stream).where(Stream.camera_id.in_(chosen)).order_by(Stream.role)):
        streams.setdefault(stream.camera_id, stream)  # "main" before "sub"
    photos: dict[int, dict[str, int]] = defaultdict(dict)
    counted = select(LedgerPhoto.camera_id, LedgerPhoto.kind, func.count()).where(LedgerPhoto.camera_id.in_(chosen))
    for camera_id, kind, number in await session.execute(counted.group_by(LedgerPhoto.camera_id, LedgerPhoto.kind)):
        photos[camera_id][kind] = number
    return [
        _file(FileFacts(camera, device, streams.get(camera.id), file), photos[camera.id], rule)
        for camera, device, file in rows
    ]


def _file(facts: FileFacts, photos: Mapping[str, int], rule: FilingRule) -> CameraFile:
    camera, file = facts.camera, facts.file
    known = known_values(facts, photos)
    values = all_values(typed_values(file), known)
    begun = file.enabled_on if file is not None and file.enabled_on is not None else None
    if begun is None and camera.approved_at is not None:
        begun = camera.approved_at.astimezone(rule.zone).date()
    return CameraFile(
        camera_id=camera.id,
        village_id=camera.village_id,
        device_id=camera.device_id,
        name=camera.name,
        pinyin=camera.pinyin,
        initials=camera.initials,
        place_class=camera.place_class,
        state=camera.state,
        service_state="removed" if camera.state == "retired" else values["service_state"],
        connected=connected(facts),
        values=values,
        known=frozenset(known),
        longitude=file.longitude if file is not None else None,
        latitude=file.latitude if file is not None else None,
        completeness=completeness(values, connected=connected(facts)),
        filing=filing(values, begun, rule.today, rule.limit_days),
        photos=photos,
        updated_at=file.updated_at if file is not None else None,
    )
