"""What waits in the inbox: candidates, and devices with cameras that are not approved yet. Read with a fixed number of
queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.device_checks import place
from camera_hub.cameras.register.asking import OWN_WORDS
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, IntakeCandidate, StoredLogin, Stream, Village


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How much waits in a village: candidates; cameras that wait, whose picture failed, that were returned."""

    village_id: int
    candidates: int = 0
    waiting: int = 0
    failed: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate without its secrets. `detail` is left out where it may repeat a device's own words."""

    id: int
    village_id: int
    host: str
    port: int | None
    rtsp_port: int | None
    name: str
    username: str
    profile_id: int | None
    has_password: bool
    shown_url: str
    cameras: tuple[str, ...]
    source: str
    reason: str
    detail: str
    params: Mapping[str, Any]
    attempts: int
    tried_at: datetime
    next_try_at: datetime | None
    added_by: str
    on_behalf: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InboxCamera:
    """A camera that is not approved yet. `picture_at`: of the key frame, None where the actor may not see it."""

    id: int
    name: str
    channel: str
    place_class: str
    state: str
    proof_state: str
    proof: str | None
    picture_at: datetime | None
    codecs: tuple[str, ...]
    returned_note: str
    returned_by: str
    returned_at: datetime | None
    on_behalf_by: str
    on_behalf_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxDevice:
    """A device with those of its cameras that are not approved yet; `approved`: how many are."""

    id: int
    village_id: int
    kind: str
    name: str
    host: str
    place: str
    approved_place: str | None
    moved_at: datetime | None
    manufacturer: str
    model: str
    username: str
    added_by: str
    on_behalf_by: str
    on_behalf_at: datetime | None
    created_at: datetime
    approved: int
    cameras: tuple[InboxCamera, ...]


@dataclass(frozen=True, slots=True)
class InboxView:
    """The inbox of a village."""

    candidates: Sequence[CandidateView]
    devices: Sequence[InboxDevice]


class Inbox:
    """Reads the inboxes of the villages in the actor's scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, actor: Actor, village_id: int | None = None) -> list[InboxCounts]:
        """How much waits in each village (or in one), in the official order. Three queries."""
        scope: list[ColumnElement[bool]] = [in_scope(actor, Village.id)]
        if village_id is not None:
            scope.append(Village.id == village_id)
        chosen = select(Village.id).where(*scope)
        figures: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        async with self._database.read() as session:
            ids = list(await session.scalars(chosen.order_by(Village.position, Village.id)))
            of_candidates = select(IntakeCandidate.village_id, func.count()).where(
                IntakeCandidate.village_id.in_(chosen)
            )
            for village, number in await session.execute(of_candidates.group_by(IntakeCandidate.village_id)):
                figures[village]["candidates"] = number
            kind = case(
                (Camera.state == "returned", "returned"), (Camera.proof_state == "failed", "failed"), else_="waiting"
            )
            of_cameras = select(Camera.village_id, kind, func.count()).where(
                Camera.state.in_(PENDING), Camera.village_id.in_(chosen)
            )
            for village, name, number in await session.execute(of_cameras.group_by(Camera.village_id, kind)):
                figures[village][name] += number
        return [
            InboxCounts(
                one,
                figures[one]["candidates"],
                figures[one]["waiting"] + figures[one]["failed"],
                figures[one]["failed"],
                figures[one]["returned"],
            )
            for one in ids
        ]

    async def of(self, actor: Actor, village_id: int) -> InboxView:
        """What waits in one village: six queries whatever its number. Raises HubError(NOT_FOUND)."""
        require_village(actor, village_id, "village")
        mine = IntakeCandidate.village_id == village_id
        pending = (Camera.village_id == village_id, Camera.state.in_(PENDING))
        with_pending = select(Camera.device_id).where(*pending)
        async with self._database.read() as session:
            rows = await session.scalars(select(IntakeCandidate).where(mine).order_by(IntakeCandidate.id))
            waiting = [candidate_view(actor, row) for row in rows]
            devices = (
                await session.scalars(select(Device).where(Device.id.in_(with_pending)).order_by(Device.id))
            ).all()
            of_device: dict[int, list[Camera]] = defaultdict(list)
            for camera in await session.scalars(select(Camera).where(*pending).order_by(Camera.position, Camera.id)):
                of_device[camera.device_id].append(camera)
            codecs: dict[int, list[str]] = defaultdict(list)
            streams = (
                select(Stream.camera_id, Stream.codec, Stream.details)
                .join(Camera, Camera.id == Stream.camera_id)
                .where(*pending)
                .order_by(Stream.role)
            )
            for camera_id, codec, details in await session.execute(streams):
                if found := codec or details.get("claimed"):
                    codecs[camera_id].append(found)
            approved: dict[int, int] = {
                device_id: number
                for device_id, number in await session.execute(
                    select(Camera.device_id, func.count())
                    .where(Camera.state == "approved", Camera.device_id.in_(with_pending))
                    .group_by(Camera.device_id)
                )
            }
            names: dict[int, str] = {
                device_id: username
                for device_id, username in await session.execute(
                    select(StoredLogin.device_id, StoredLogin.username).where(
                        StoredLogin.purpose == "ordinary", StoredLogin.device_id.in_(with_pending)
                    )
                )
            }
        return InboxView(
            waiting,
            [
                _device(
                    one,
                    names.get(one.id, ""),
                    approved.get(one.id, 0),
                    [
                        _camera(camera, codecs[camera.id], shown=shows_pictures(actor, one))
                        for camera in of_device[one.id]
                    ],
                )
                for one in devices
            ],
        )

    async def named(self, actor: Actor, ids: Sequence[int]) -> list[CandidateView]:
        """The candidates with these ids that exist and are in the actor's scope."""
        where = (IntakeCandidate.id.in_(ids), in_scope(actor, IntakeCandidate.village_id))
        async with self._database.read() as session:
            rows = await session.scalars(select(IntakeCandidate).where(*where).order_by(IntakeCandidate.id))
            return [candidate_view(actor, row) for row in rows]

    async def require_picture(self, actor: Actor, camera_id: int) -> None:
        """Raise HubError(NOT_FOUND) unless the camera is not approved yet and the actor may see its key frame."""
        async with self._database.read() as session:
            found = (
                await session.execute(
                    select(Camera, Device).join(Device, Device.id == Camera.device_id).where(Camera.id == camera_id)
                )
            ).one_or_none()
        if found is None or found[0].state not in PENDING or not shows_pictures(actor, found[1]):
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        require_village(actor, found[0].village_id, "camera")


def shows_pictures(actor: Actor, device: Device) -> bool:
    """Whether the actor may see the key frames of the device's cameras that wait: contractors those of what they
    registered themselves, everybody else who keeps the village all of them."""
    return not actor.only_pending or device.added_by == actor.user_id


def candidate_view(actor: Actor, row: IntakeCandidate) -> CandidateView:
    """The row as the actor may see it; who is bound to villages is not told a device's own words."""
    own_words = actor.bound and row.reason in OWN_WORDS
    return CandidateView(
        row.id,
        row.village_id,
        row.host,
        row.port,
        row.rtsp_port,
        row.name,
        row.username,
        row.profile_id,
        row.sealed is not None,
        row.shown_url,
        tuple(str(one.get("name", "")) for one in row.cameras),
        row.source,
        row.reason,
        OWN_WORDS[row.reason] if own_words else row.detail,
        {} if own_words else row.params,
        row.attempts,
        row.tried_at,
        row.next_try_at,
        row.added_by_name,
        row.on_behalf,
        row.created_at,
    )


def _device(device: Device, username: str, approved: int, cameras: Sequence[InboxCamera]) -> InboxDevice:
    return InboxDevice(
        device.id,
        device.village_id,
        device.kind,
        device.name,
        device.host,
        place(device),
        device.approved_place,
        device.moved_at,
        device.manufacturer,
        device.model,
        username,
        device.added_by_name,
        device.on_behalf_by,
        device.on_behalf_at,
        device.created_at,
        approved,
        tuple(cameras),
    )


def _camera(camera: Camera, codecs: Sequence[str], *, shown: bool) -> InboxCamera:
    return InboxCamera(
        camera.id,
        camera.name,
        camera.channel,
        camera.place_class,
        camera.state,
        camera.proof_state,
        camera.proof_reason,
        camera.picture_at if shown else None,
        tuple(codecs),
        camera.returned_note,
        camera.returned_by,
        camera.returned_at,
        camera.on_behalf_by,
        camera.on_behalf_at,
    )
