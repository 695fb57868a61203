"""Questions of identity as people see and answer them: it is the same one, or there are two devices.

No transaction is open while a device is asked.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Described
from camera_hub.cameras.device_checks import DeviceChecks, place, trusted
from camera_hub.cameras.identity import registered_facts
from camera_hub.cameras.matches import views
from camera_hub.cameras.matches.proof import FITS, CameraToFit, MoveProof
from camera_hub.cameras.matches.questions import close_open
from camera_hub.cameras.matches.taking_over import Taken, TakingOver
from camera_hub.cameras.matches.trust import DeviceTrust
from camera_hub.cameras.matches.views import MatchView
from camera_hub.cameras.reach import Check
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, DeviceChanged, EventBus, MatchChanged, ProofRequested, VillageChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, DeviceMatch

log = logging.getLogger(__name__)

LISTED = 500
_USUAL_PORT = 80


class Matches:
    """Operations on questions; each publishes MatchChanged after its commit, and what else it has changed."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        taking_over: TakingOver,
        checks: DeviceChecks,
        proof: MoveProof,
        trust: DeviceTrust,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._taking_over = taking_over
        self._checks = checks
        self._proof = proof
        self._trust = trust

    async def all(self, actor: Actor, *, state: str = "open", village_id: int | None = None) -> list[MatchView]:
        """Questions in that state of which the actor may see both sides, the newest first."""
        where = [DeviceMatch.state == state, *_scope(actor)]
        if village_id is not None:
            where.append((DeviceMatch.village_id == village_id) | (DeviceMatch.other_village_id == village_id))
        async with self._database.read() as session:
            return await views.matches(session, where, LISTED)

    async def some(self, actor: Actor, ids: Iterable[int]) -> list[MatchView]:
        """The questions with these ids of which the actor may see both sides, in any state."""
        async with self._database.read() as session:
            return await views.matches(session, [DeviceMatch.id.in_(list(ids)), *_scope(actor)], LISTED)

    async def get(self, actor: Actor, match_id: int) -> MatchView:
        """One question, in any state. Raises HubError(NOT_FOUND)."""
        found = await self.some(actor, [match_id])
        if not found:
            raise _unknown()
        return found[0]

    async def picture(self, actor: Actor, match_id: int) -> bytes:
        """The picture of a device that is not registered, at its new place. Raises HubError(NOT_FOUND)."""
        await self.get(actor, match_id)
        jpeg = await self._proof.pictures.of_match(match_id)
        if jpeg is None:
            raise HubError(Kind.NOT_FOUND, "there is no picture of this device yet", reason="no_picture")
        return jpeg

    async def reject(self, actor: Actor, match_id: int) -> MatchView:
        """They are two devices: nothing is changed, and nobody is asked again. Raises HubError: NOT_FOUND, CONFLICT."""
        async with self._database.write() as session:
            match = await self._open(session, actor, match_id, ("open",))
            match.state, match.reason = "rejected", None
            match.decided_at, match.decided_by = self._clock.now(), actor.user_id or None
        self._publish([match])
        return await self.get(actor, match_id)

    async def accept(
        self, actor: Actor, match_id: int, *, password: str | None = None, pictures_seen: bool = False
    ) -> MatchView:
        """It is the same device. Where its pictures do not fit, the question stays open with the reason
        pictures_differ, until whoever has seen both says so again (`pictures_seen`).

        Who may not approve types the device's password, and the cameras wait for approval. Raises HubError: NOT_FOUND,
        CONFLICT (decided_already, identity_changed: nothing was changed), INVALID (password_needed, address_refused),
        or why the device or its picture could not be had.
        """
        async with self._database.read() as session:
            match = await self._open(session, actor, match_id, ("open", "rejected"))
            device = await session.get_one(Device, match.device_id)
            other = await session.get(Device, match.other_device_id or 0)
            cameras = await _known_cameras(session, device)
            login, streams = await self._taking_over.open(session, other or device)
        if not trusted(actor) and other is None and login:
            if password is None:
                raise HubError(
                    Kind.INVALID,
                    "type the device's password again, so that it goes to no other device",
                    reason="password_needed",
                )
            login = streams = DeviceLogin(login.username, password)
        if match.kind == "changed":
            return await self._accept_stranger(actor, match, password)
        try:
            if other is not None:
                return await self._accept_row(actor, match, device, other, cameras, login, pictures_seen)
            return await self._accept_place(actor, match, device, cameras, (login, streams), password, pictures_seen)
        except HubError as error:
            await self._note(match_id, error.reason)
            raise

    async def _accept_place(
        self,
        actor: Actor,
        match: DeviceMatch,
        device: Device,
        cameras: Sequence[CameraToFit],
        logins: tuple[DeviceLogin, DeviceLogin],
        password: str | None,
        pictures_seen: bool,
    ) -> MatchView:
        ports = [match.port or _USUAL_PORT]
        address = await self._checks.address_for(actor, device.village_id, match.host, ports)
        check = await self._checks.of_actor(actor, device.village_id)
        place_ = (device.village_id, match.host, match.port)
        described = await self._proof.described(registered_facts(device), place_, match.path, logins[0], cameras, check)
        fit = None
        if not pictures_seen or match.picture_at is None:
            fit = await self._proof.picture(match.id, device.village_id, described, logins[1], cameras, check)
            if fit.at is None:
                raise HubError(
                    Kind.UNREACHABLE,
                    fit.detail or "the device gives no picture at its new address; nothing was changed",
                    reason=fit.reason or Reason.NO_MEDIA,
                )
            if fit.alike is None or fit.alike < FITS:
                async with self._database.write() as session:
                    row = await session.get_one(DeviceMatch, match.id)
                    row.alike, row.picture_at, row.reason = fit.alike, fit.at, Reason.PICTURES_DIFFER
                self._publish([match])
                return await self.get(actor, match.id)
        async with self._database.write() as session:
            row, own = await self._unchanged(session, match, device)
            if fit is not None:
                row.alike, row.picture_at = fit.alike, fit.at
            if password is not None and not trusted(actor):
                await self._taking_over.type_password(session, own, password)
            taken = await self._taking_over.place(session, own, described, trusted=trusted(actor), address=address)
            closed = await self._decide(session, row, own, actor)
        return await self._done(actor, match.id, taken, closed)

    async def _accept_row(
        self,
        actor: Actor,
        match: DeviceMatch,
        device: Device,
        other: Device,
        cameras: Sequence[CameraToFit],
        login: DeviceLogin,
        pictures_seen: bool,
    ) -> MatchView:
        described = await self._proof.described(
            replace(registered_facts(device), place=(0, "", None)),
            (other.village_id, other.host, other.onvif_port),
            other.onvif_path,
            login,
            cameras,
            await self._checks.of_device(other.id),
        )
        if not pictures_seen:
            alike = await self._alike(cameras, other)
            if alike is None or alike < FITS:
                async with self._database.write() as session:
                    row = await session.get_one(DeviceMatch, match.id)
                    row.alike, row.reason = alike, Reason.PICTURES_DIFFER
                self._publish([match])
                return await self.get(actor, match.id)
        async with self._database.write() as session:
            row, own = await self._unchanged(session, match, device)
            gone = await session.get_one(Device, other.id)
            taken = await self._taking_over.row(session, own, gone, described, trusted=trusted(actor))
            closed = await self._decide(session, row, own, actor, gone)
        return await self._done(actor, match.id, taken, closed)

    async def _accept_stranger(self, actor: Actor, match: DeviceMatch, password: str | None) -> MatchView:
        """What answers at the device's place is the device from now on; it is described as soon as that is stored."""
        only_endpoint = match.evidence.get("differ") == ["endpoint"]
        async with self._database.write() as session:
            row = await session.get_one(DeviceMatch, match.id)
            own = await session.get_one(Device, match.device_id)
            taken = await self._taking_over.stranger(session, own, forget=not only_endpoint, trusted=trusted(actor))
            if password is not None and not trusted(actor):
                await self._taking_over.type_password(session, own, password)
            closed = await self._decide(session, row, own, actor)
        await self._trust.accept(own.id, endpoint_varies=only_endpoint)
        await self._describe_again(actor, own.id)
        return await self._done(actor, match.id, taken, closed)

    async def _describe_again(self, actor: Actor, device_id: int) -> None:
        """Best effort: its page offers to describe it, and says why that fails."""
        async with self._database.read() as session:
            device = await session.get_one(Device, device_id)
            login, _ = await self._taking_over.open(session, device)
        if device.onvif_port is None:
            return
        with suppress(HubError):
            check: Check = await self._checks.of_device(device_id)
            described: Described = await self._proof.described(
                replace(registered_facts(device), place=(device.village_id, device.host, device.onvif_port)),
                (device.village_id, device.host, device.onvif_port),
                device.onvif_path,
                login,
                (),
                check,
            )
            async with self._database.write() as session:
                row = await session.get_one(Device, device_id)
                await self._taking_over.learn(session, row, described, trusted=trusted(actor))

    async def _alike(self, cameras: Sequence[CameraToFit], other: Device) -> float | None:
        """How much the last pictures of both devices are alike, by the first channel of which both have one."""
        async with self._database.read() as session:
            theirs = {one.channel: one.camera_id for one in await _known_cameras(session, other) if one.has_picture}
        pair = next(
            ((one.camera_id, theirs[one.channel]) for one in cameras if one.has_picture and one.channel in theirs), None
        )
        return await self._proof.pictures.of_cameras(*pair) if pair is not None else None

    async def _open(self, session: AsyncSession, actor: Actor, match_id: int, states: tuple[str, ...]) -> DeviceMatch:
        match = await session.scalar(select(DeviceMatch).where(DeviceMatch.id == match_id, *_scope(actor)))
        if match is None:
            raise _unknown()
        if match.state not in states:
            raise HubError(
                Kind.CONFLICT, "this question was decided already", reason=Reason.DECIDED_ALREADY, state=match.state
            )
        return match

    async def _unchanged(self, session: AsyncSession, match: DeviceMatch, device: Device) -> tuple[DeviceMatch, Device]:
        """The rows to be changed. Raises HubError where somebody was faster while the device was asked."""
        row, own = await session.get_one(DeviceMatch, match.id), await session.get_one(Device, device.id)
        if row.state != match.state or own.retired_at is not None or place(own) != place(device):
            raise HubError(Kind.BUSY, "somebody else changes this device just now; try again", reason=Reason.BUSY)
        return row, own

    async def _decide(
        self, session: AsyncSession, row: DeviceMatch, device: Device, actor: Actor, gone: Device | None = None
    ) -> list[DeviceMatch]:
        row.state, row.reason = "accepted", None
        await session.flush()
        now = self._clock.now()
        ids = [device.id, *([gone.id] if gone is not None else [])]
        closed = await close_open(session, ids, now)
        row.decided_at, row.decided_by = now, actor.user_id or None
        return [row, *closed]

    async def _note(self, match_id: int, reason: str) -> None:
        """Keep why it could not be accepted."""
        async with self._database.write() as session:
            match = await session.get(DeviceMatch, match_id)
            if match is not None:
                match.reason = reason
        if match is not None:
            self._publish([match])

    async def _done(self, actor: Actor, match_id: int, taken: Taken, matches: Sequence[DeviceMatch]) -> MatchView:
        for camera in taken.cameras:  # first: tiles of cameras that wait for approval now must not follow
            self._bus.publish(CameraChanged(camera.id, camera.village_id))
        for device in taken.devices:
            self._bus.publish(DeviceChanged(device.id, device.village_id, credentials=True))
        self._bus.publish(ProofRequested())
        for village_id in {device.village_id for device in taken.devices}:
            self._bus.publish(VillageChanged(village_id))
        self._publish(matches)
        return await self.get(actor, match_id)

    def _publish(self, matches: Iterable[DeviceMatch]) -> None:
        for match in matches:
            self._bus.publish(MatchChanged(match.id, match.village_id, match.other_village_id))


def _scope(actor: Actor) -> list[ColumnElement[bool]]:
    """Both sides: whoever may not see one of them learns nothing of it from the other."""
    return [in_scope(actor, DeviceMatch.village_id), in_scope(actor, DeviceMatch.other_village_id)]


async def _known_cameras(session: AsyncSession, device: Device) -> list[CameraToFit]:
    rows = await session.scalars(
        select(Camera)
        .where(Camera.device_id == device.id, Camera.state != "retired")
        .order_by(Camera.position, Camera.id)
    )
    return [CameraToFit(one.id, one.channel, one.picture_at is not None) for one in rows]


def _unknown() -> HubError:
    return HubError(Kind.NOT_FOUND, "there is no such question")
