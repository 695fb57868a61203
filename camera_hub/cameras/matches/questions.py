"""Questions of identity as rows: each is asked once, whatever raises it, and what was decided is not asked again."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.identity import (
    Comparison,
    DeviceFacts,
    Likeness,
    Mark,
    compared,
    endpoint_key,
    marks,
    registered_facts,
)
from camera_hub.store.tables import Camera, Device, DeviceMatch

MatchKind = Literal["may_be_same", "moved", "changed"]
MatchSource = Literal["register", "hello", "search", "login", "describe"]

MOST_OPEN = 2000
"""Open questions in all; and how many one device may have: what is raised beyond that is dropped (whoever raises it
counts)."""
MOST_OPEN_PER_DEVICE = 8
_COMPARED = 50


@dataclass(frozen=True, slots=True)
class Doubt:
    """A registered device that may be the one that was found."""

    device: Device
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class OtherSide:
    """What was found: where, and what it says about itself. `device`: it is registered, too."""

    facts: DeviceFacts
    path: str
    name: str = ""
    device: Device | None = None


async def known_devices(session: AsyncSession, found: DeviceFacts, rtsp_port: int | None = None) -> list[Device]:
    """Devices in service that share any mark or the place with the one found; those at the same place come first.
    One of two that is known by RTSP alone is met at its RTSP port, whatever else the other answers.

    Bounded, since hundreds of cheap cameras may share one MAC or serial number.
    """
    village_id, host, port = found.place
    by_rtsp = and_(
        Device.rtsp_port == rtsp_port, Device.via == "catalogue" if port is not None else Device.via != "url"
    )
    answering = (
        or_(func.coalesce(Device.onvif_port, Device.http_port) == port, by_rtsp) if port is not None else by_rtsp
    )
    at_place = (Device.village_id == village_id) & (Device.host == host) & answering
    ranked = [select(Device).where(Device.retired_at.is_(None), at_place)]
    values = dict(marks(found))
    ranked += [
        select(Device).where(Device.retired_at.is_(None), _has(name, values[name]))
        for name in ("endpoint", "serial", "mac")
        if name in values
    ]
    devices: dict[int, Device] = {}
    for query in ranked:
        for device in await session.scalars(query.order_by(Device.id).limit(_COMPARED)):
            devices.setdefault(device.id, device)
    return list(devices.values())


async def shared_marks(session: AsyncSession, found: DeviceFacts) -> frozenset[Mark]:
    """Those of the found device's marks that several registered devices have."""
    shared = set()
    for mark in marks(found):
        counted = select(func.count()).select_from(Device).where(Device.retired_at.is_(None), _has(*mark))
        if (await session.scalar(counted) or 0) > 1:
            shared.add(mark)
    return frozenset(shared)


async def answering(session: AsyncSession, devices: Iterable[Device]) -> set[int]:
    """Which of these devices show pictures where they are registered, as health has seen last; one that is not in
    service yet has shown its picture when it was registered."""
    seen = or_(
        (Camera.state == "approved") & (Camera.health == "ok"),
        (Camera.state != "retired") & (Camera.health == "unknown") & (Camera.proof_state == "proved"),
    )
    chosen = select(Camera.device_id).where(Camera.device_id.in_([one.id for one in devices]), seen)
    return set(await session.scalars(chosen.distinct()))


async def likenesses(session: AsyncSession, devices: Iterable[Device], found: DeviceFacts) -> list[Doubt]:
    """Each of these devices compared with the one found, the likeliest first; the different ones are left out."""
    devices = list(devices)
    shared = await shared_marks(session, found)
    alive = await answering(session, devices)
    all_ = [
        Doubt(one, compared(registered_facts(one), found, shared=shared, both_answer=one.id in alive))
        for one in devices
    ]
    likely = [one for one in all_ if one.comparison.likeness is not Likeness.DIFFERENT]
    return sorted(likely, key=lambda one: (one.comparison.likeness is not Likeness.SAME, -len(one.comparison.agree)))


async def ask(
    session: AsyncSession, kind: MatchKind, doubt: Doubt, other: OtherSide, source: MatchSource, now: datetime
) -> DeviceMatch | None:
    """Raise the question; None where it is raised already, was decided, or too many are open."""
    device = doubt.device
    question = _question(kind, device.id, other)
    known = await session.scalar(select(DeviceMatch).where(DeviceMatch.question == question))
    if known is not None and known.state != "gone":
        known.last_seen_at = now
        return None
    if await _crowded(session, device.id):
        return None
    match = known or DeviceMatch(question=question, kind=kind, device_id=device.id)
    village_id, host, port = other.facts.place
    match.village_id, match.other_village_id = device.village_id, village_id
    match.other_device_id = other.device.id if other.device is not None else None
    match.host, match.port, match.path, match.source = host, port, other.path, source
    match.facts = {
        "name": other.name,
        "maker": other.facts.maker,
        "serial": other.facts.serial,
        "mac": other.facts.mac,
        "endpoint": other.facts.endpoint,
    }
    match.evidence = {name: sorted(getattr(doubt.comparison, name)) for name in ("agree", "weak", "differ")}
    match.state, match.reason, match.alike = "open", None, None
    match.seen_at = match.last_seen_at = now
    match.decided_at = match.decided_by = None
    session.add(match)
    await session.flush()
    return match


async def close_open(session: AsyncSession, device_ids: Iterable[int], now: datetime) -> list[DeviceMatch]:
    """What was open about these devices is no question any more."""
    ids = list(device_ids)
    about = or_(DeviceMatch.device_id.in_(ids), DeviceMatch.other_device_id.in_(ids))
    matches = list(await session.scalars(select(DeviceMatch).where(DeviceMatch.state == "open", about)))
    for match in matches:
        match.state, match.decided_at = "gone", now
    return matches


def facts_of(match: DeviceMatch) -> DeviceFacts:
    """What was found, as it was when the question was raised."""
    facts: dict[str, Any] = match.facts
    return DeviceFacts(
        str(facts.get("maker", "")),
        str(facts.get("serial", "")),
        str(facts.get("mac", "")),
        str(facts.get("endpoint", "")),
        (match.other_village_id, match.host, match.port),
    )


async def _crowded(session: AsyncSession, device_id: int) -> bool:
    open_ = select(func.count()).select_from(DeviceMatch).where(DeviceMatch.state == "open")
    of_device = await session.scalar(open_.where(DeviceMatch.device_id == device_id)) or 0
    return of_device >= MOST_OPEN_PER_DEVICE or (await session.scalar(open_) or 0) >= MOST_OPEN


def _question(kind: MatchKind, device_id: int, other: OtherSide) -> str:
    """What is asked, as one word: a device that was declared another one is known by its marks, wherever it is."""
    if other.device is not None:
        what = f"device {other.device.id}"
    else:
        values = [f"{name}={value}" for name, value in sorted(marks(other.facts))]
        what = f"{other.facts.place[1:]} {' '.join(values)}"
    return hashlib.blake2b(f"{kind} {device_id} {what}".encode(), digest_size=24).hexdigest()


def _has(name: str, value: str) -> ColumnElement[bool]:
    if name == "endpoint":
        key = endpoint_key(value)
        return func.lower(Device.endpoint).in_([key, f"uuid:{key}", f"urn:uuid:{key}"])
    column = Device.serial if name == "serial" else Device.mac
    return func.lower(column) == value
