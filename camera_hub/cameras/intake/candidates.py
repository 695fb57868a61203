"""Candidates: which failures make one, which two are one device, when one is tried again by itself. Mostly pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.identity import endpoint_key, same_stream
from camera_hub.cameras.intake.wanted import Source, WantedCamera, WantedDevice
from camera_hub.errors import DATABASE_REASONS, HubError, Kind, Reason
from camera_hub.store.tables import IntakeCandidate

MAX_PER_VILLAGE = 1000
MAX_CAMERAS = 256

_FIRST_PAUSE = timedelta(minutes=10)
_LONGEST_PAUSE = timedelta(hours=6)
_GIVEN_UP_AFTER = timedelta(days=14)
_BY_ITSELF = frozenset({Reason.UNREACHABLE, Reason.TIMED_OUT})
"""Reasons that go away without anybody's doing; no login was sent."""

_NOT_OF_THE_DEVICE = frozenset({*DATABASE_REASONS, Reason.BUSY, Reason.OVERLOADED, Reason.RETIRED})
_REASONS = frozenset(Reason)


class OwnerSealer(Protocol):
    """What intake needs from access.vault."""

    def seal(self, text: str, owner: str) -> bytes:
        """Bytes that only this vault can open, and only for this owner."""
        ...

    def open(self, sealed: bytes, owner: str) -> str:
        """The text. Raises HubError(UNAVAILABLE, credential_locked)."""
        ...


def keeps(error: HubError) -> bool:
    """Whether a device that could not be registered for this reason becomes a candidate.

    Not for what its form gets wrong (bad_host, bad_login), nor for the hub's own troubles: those are told at once.
    """
    return error.kind is not Kind.NOT_FOUND and error.reason in _REASONS and error.reason not in _NOT_OF_THE_DEVICE


def next_try(reason: str, attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """When it is tried again by itself after `attempts` tries; None: only when somebody asks.

    Never after a refused login: a wrong password is not sent again by itself.
    """
    if reason not in _BY_ITSELF or now - created_at >= _GIVEN_UP_AFTER:
        return None
    return now + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(max(attempts, 1) - 1, 10))


def one_device(known: WantedDevice, wanted: WantedDevice) -> bool:
    """Whether both are the same device of a village, as far as can be told before it is described."""
    if known.village_id != wanted.village_id:
        return False
    if known.main_url or wanted.main_url:
        return bool(known.main_url) and bool(wanted.main_url) and same_stream(known.main_url, wanted.main_url)
    if known.endpoint and endpoint_key(known.endpoint) == endpoint_key(wanted.endpoint):
        return True
    return known.host == wanted.host and _fit(known.port, wanted.port) and _fit(known.rtsp_port, wanted.rtsp_port)


def one_attempt(known: WantedDevice, wanted: WantedDevice) -> bool:
    """Whether an attempt for one says something of the other: the same place, the same login."""

    def asked(one: WantedDevice) -> tuple[object, ...]:
        return one.host, one.port, one.rtsp_port, one.main_url, one.username, one.password, one.profile_id

    return asked(known) == asked(wanted)


def merged(known: WantedDevice, wanted: WantedDevice) -> WantedDevice:
    """What is wanted of a device that was wanted before: the newer counts, what it leaves open is kept."""
    own_login = wanted.username or wanted.profile_id is not None
    return replace(
        wanted,
        port=wanted.port if wanted.port is not None else known.port,
        rtsp_port=wanted.rtsp_port if wanted.rtsp_port is not None else known.rtsp_port,
        username=wanted.username if own_login else known.username,
        password=wanted.password if own_login else known.password,
        profile_id=wanted.profile_id if own_login else known.profile_id,
        name=wanted.name or known.name,
        endpoint=wanted.endpoint or known.endpoint,
        cameras=merged_cameras(known.cameras, wanted.cameras),
    )


def merged_cameras(known: Sequence[WantedCamera], wanted: Sequence[WantedCamera]) -> tuple[WantedCamera, ...]:
    """Both lists, by channel; the newer of one channel counts, with the ledger values of both."""
    found = {one.channel: one for one in known}
    for one in wanted:
        before = found.get(one.channel)
        found[one.channel] = one if before is None else replace(one, ledger={**before.ledger, **one.ledger})
    return tuple(found.values())[:MAX_CAMERAS]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which wanted camera belongs to which channel number, which wanted channels the device lacks, and whether some
    wanted camera does not say which of several it is."""

    found: Mapping[int, WantedCamera]
    missing: tuple[int, ...]
    ambiguous: bool


def assign(numbers: Iterable[int], wanted: Iterable[WantedCamera]) -> Assignment:
    """Wanted cameras to the channels that the device has, by their numbers."""
    present = list(numbers)
    found: dict[int, WantedCamera] = {}
    missing: list[int] = []
    ambiguous = False
    for one in wanted:
        if one.channel is None:
            if len(present) == 1:
                found[present[0]] = one
            else:
                ambiguous = True
        elif one.channel in present:
            found[one.channel] = one
        else:
            missing.append(one.channel)
    return Assignment(found, tuple(sorted(missing)), ambiguous)


def unsaid(assignment: Assignment, channels: int) -> HubError | None:
    """What to tell of an assignment that is not complete; None when it is."""
    if assignment.missing:
        texts = ", ".join(map(str, assignment.missing[:32]))
        return HubError(
            Kind.NOT_FOUND,
            f"the device is registered, but it does not list the channels {texts}; check their numbers, or whether "
            "these cameras are on line, and try again",
            reason=Reason.CHANNELS_MISSING,
            channels=texts,
            found=channels,
        )
    if assignment.ambiguous:
        return HubError(
            Kind.INVALID,
            f"the device is registered and has {channels} channels; say which of them is meant",
            reason=Reason.CHANNEL_NEEDED,
            found=channels,
        )
    return None


def wanted_of(row: IntakeCandidate, vault: OwnerSealer) -> WantedDevice:
    """What is wanted, from the row. Raises HubError(UNAVAILABLE, credential_locked)."""
    secrets = json.loads(vault.open(row.sealed, _owner(row.id))) if row.sealed is not None else {}
    source: Source = row.source  # type: ignore[assignment]  # the column holds one of them
    return WantedDevice(
        row.village_id,
        row.host,
        row.port,
        row.rtsp_port,
        row.username,
        secrets.get("password", ""),
        row.name,
        row.endpoint,
        secrets.get("main_url", ""),
        secrets.get("sub_url", ""),
        tuple(WantedCamera(**one) for one in row.cameras),
        source,
        row.profile_id,
    )


async def same(session: AsyncSession, vault: OwnerSealer, wanted: WantedDevice) -> list[IntakeCandidate]:
    """Candidates of the village that are this device, the oldest first; to be asked under the village's lock."""
    near = [IntakeCandidate.host == wanted.host]
    if wanted.endpoint:
        near.append(IntakeCandidate.endpoint != "")
    query = select(IntakeCandidate).where(IntakeCandidate.village_id == wanted.village_id, or_(*near))
    rows = await session.scalars(query.order_by(IntakeCandidate.id))
    return [row for row in rows if one_device(openable(row, vault), wanted)]


def openable(row: IntakeCandidate, vault: OwnerSealer) -> WantedDevice:
    """What is wanted, without its secrets where they cannot be opened any more (another key file)."""
    try:
        return wanted_of(row, vault)
    except HubError:
        return WantedDevice(
            row.village_id,
            row.host,
            row.port,
            row.rtsp_port,
            row.username,
            endpoint=row.endpoint,
            cameras=tuple(WantedCamera(**one) for one in row.cameras),
        )


def write(row: IntakeCandidate, wanted: WantedDevice, vault: OwnerSealer, shown_url: str) -> None:
    """Write what is wanted into the row, which must have its id. `shown_url`: redacted."""
    row.host, row.port, row.rtsp_port = wanted.host, wanted.port, wanted.rtsp_port
    row.endpoint, row.name = wanted.endpoint, wanted.name
    row.username, row.profile_id, row.source = wanted.username, wanted.profile_id, wanted.source
    row.cameras = [{**asdict(one), "ledger": dict(one.ledger)} for one in wanted.cameras]
    row.shown_url = shown_url
    secrets = {"password": wanted.password, "main_url": wanted.main_url, "sub_url": wanted.sub_url}
    kept = {name: text for name, text in secrets.items() if text}
    row.sealed = vault.seal(json.dumps(kept), _owner(row.id)) if kept else None


def _owner(candidate_id: int) -> str:
    return f"candidate:{candidate_id}"


def _fit(known: int | None, wanted: int | None) -> bool:
    return known == wanted or known is None or wanted is None
