"""Questions of identity as frozen values: both sides with their facts, addresses and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.device_checks import place
from camera_hub.store.tables import Camera, Device, DeviceMatch, User


@dataclass(frozen=True, slots=True)
class SideView:
    """One of the two. `device_id` None: it is not registered, and its picture is the question's own.

    `camera_id`, `picture_at`: the camera whose stored picture shows it, None where there is none yet. `online`: it
    shows pictures where it is registered.
    """

    device_id: int | None
    village_id: int
    name: str
    place: str
    maker: str
    serial: str
    mac: str
    endpoint: str
    cameras: int
    camera_id: int | None
    picture_at: datetime | None
    online: bool


@dataclass(frozen=True, slots=True)
class MatchView:
    """A question, and what was decided. `reason`: why it could not be accepted last. `alike`: how much the pictures
    are alike (0 … 100, below 60 they do not fit), None where they were not compared."""

    id: int
    kind: str
    state: str
    source: str
    known: SideView
    other: SideView
    agree: tuple[str, ...]
    weak: tuple[str, ...]
    differ: tuple[str, ...]
    reason: str | None
    alike: float | None
    seen_at: datetime
    last_seen_at: datetime
    decided_at: datetime | None
    decided_by: str


async def matches(session: AsyncSession, where: Sequence[ColumnElement[bool]], limit: int) -> list[MatchView]:
    """The newest of these questions: five queries whatever their number."""
    rows = (await session.scalars(select(DeviceMatch).where(*where).order_by(DeviceMatch.id.desc()).limit(limit))).all()
    ids = {number for one in rows for number in (one.device_id, one.other_device_id) if number is not None}
    devices = {one.id: one for one in await session.scalars(select(Device).where(Device.id.in_(ids)))}
    cameras: dict[int, list[Camera]] = {}
    listed = select(Camera).where(Camera.device_id.in_(ids)).order_by(Camera.position, Camera.id)
    for camera in await session.scalars(listed):
        cameras.setdefault(camera.device_id, []).append(camera)
    people = {one.decided_by for one in rows if one.decided_by is not None}
    named = await session.execute(select(User.id, User.display_name).where(User.id.in_(people)))
    names: dict[int, str] = {number: name for number, name in named}
    return [
        MatchView(
            one.id,
            one.kind,
            one.state,
            one.source,
            _registered(devices[one.device_id], cameras.get(one.device_id, [])),
            _registered(devices[one.other_device_id], cameras.get(one.other_device_id, []))
            if one.other_device_id is not None
            else _found(one),
            tuple(one.evidence.get("agree", ())),
            tuple(one.evidence.get("weak", ())),
            tuple(one.evidence.get("differ", ())),
            one.reason,
            one.alike,
            one.seen_at,
            one.last_seen_at,
            one.decided_at,
            names.get(one.decided_by or 0, ""),
        )
        for one in rows
    ]


def _registered(device: Device, cameras: Sequence[Camera]) -> SideView:
    in_service = [one for one in cameras if one.state != "retired"] or list(cameras)
    shown = next((one for one in in_service if one.picture_at is not None), None)
    return SideView(
        device.id,
        device.village_id,
        device.name,
        place(device),
        f"{device.manufacturer} {device.model}".strip(),
        device.serial,
        device.mac,
        device.endpoint,
        len(in_service),
        shown.id if shown is not None else None,
        shown.picture_at if shown is not None else None,
        any(one.state == "approved" and one.health == "ok" for one in in_service),
    )


def _found(match: DeviceMatch) -> SideView:
    host = f"[{match.host}]" if ":" in match.host else match.host
    facts = match.facts
    return SideView(
        None,
        match.other_village_id,
        str(facts.get("name", "")),
        f"{host}:{match.port}" if match.port is not None else host,
        str(facts.get("maker", "")),
        str(facts.get("serial", "")),
        str(facts.get("mac", "")),
        str(facts.get("endpoint", "")),
        0,
        None,
        match.picture_at,
        False,
    )
