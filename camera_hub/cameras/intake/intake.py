"""Wanted devices: registered, or kept as candidates with the reason why not. No transaction is open while a device is
asked.

Whatever way a device comes in, and however often, it is registered once and waits once: both are settled under its
village's lock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras import urls
from camera_hub.cameras.credentials import logins
from camera_hub.cameras.credentials.profiles import ProfileLogin
from camera_hub.cameras.describing.device_describer import RTSP_PORTS
from camera_hub.cameras.device_checks import trusted
from camera_hub.cameras.intake import candidates
from camera_hub.cameras.intake.candidates import OwnerSealer, wanted_of
from camera_hub.cameras.intake.taken_in import LedgerWriter, TakenIn
from camera_hub.cameras.intake.wanted import IntakeResult, WantedCamera, WantedDevice
from camera_hub.cameras.register.devices import Devices, Registered
from camera_hub.cameras.register.on_behalf import on_behalf
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, CameraPositionChanged, EventBus, InboxChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, IntakeCandidate, Village


class ProfileReader(Protocol):
    """What intake needs from cameras.credentials.profiles."""

    async def login(self, actor: Actor, profile_id: int) -> ProfileLogin:
        """The login of a profile in the actor's scope. Raises HubError(NOT_FOUND)."""
        ...


class Intake:
    """Takes devices in. Publishes InboxChanged beside what the register publishes."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        vault: OwnerSealer,
        devices: Devices,
        profiles: ProfileReader | None = None,
        ledger: LedgerWriter | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._vault = vault
        self._devices = devices
        self._profiles = profiles
        self._ledger = ledger
        self._trying: set[int] = set()

    async def add(self, actor: Actor, wanted: WantedDevice, *, approved: bool = True) -> IntakeResult:
        """Register the device if it can be described, else keep it as a candidate. What the township adds is approved
        at once unless `approved` is false.

        Raises HubError: NOT_FOUND (village), INVALID (bad_host, bad_url, bad_login, bad_channel), CONFLICT
        (inbox_full), or a failure of the hub itself.
        """
        require_village(actor, wanted.village_id, "village")
        return await self._add(actor, _checked(wanted), approved=approved)

    async def register(self, actor: Actor, wanted: WantedDevice) -> Registered:
        """As `add`, for who waits for the device. Raises HubError with the reason where it was not registered now;
        `candidate` among its params: it waits in the inbox."""
        result = await self.add(actor, wanted)
        if result.device_id is None or result.reason == Reason.DUPLICATE:
            params = dict(result.params)
            if result.candidate_id is not None:
                params["candidate"] = result.candidate_id
            raise HubError(result.kind or Kind.INTERNAL, result.detail, reason=result.reason, **params)
        return await self._devices.registered(actor, result.device_id)

    async def try_again(self, actor: Actor, candidate_id: int) -> IntakeResult:
        """Try to register a candidate now. Raises HubError: NOT_FOUND, BUSY (it is being tried), or as `add`.

        It is approved at once only if township staff have added it and try it: what a village adds is looked at first.
        """
        async with self._database.read() as session:
            row = await self._mine(session, actor, candidate_id)
            wanted, approved = wanted_of(row, self._vault), row.on_behalf
        if candidate_id in self._trying:
            raise HubError(Kind.BUSY, "this device is being tried just now; wait for the outcome", reason=Reason.BUSY)
        self._trying.add(candidate_id)
        try:
            return await self._add(actor, wanted, approved=approved, tried=candidate_id)
        finally:
            self._trying.discard(candidate_id)

    async def change(
        self,
        actor: Actor,
        candidate_id: int,
        *,
        name: str | None = None,
        host: str | None = None,
        port: int | None = None,
        rtsp_port: int | None = None,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        """Change what is given; a port of 0 means the usual ones. It is not tried before somebody asks.

        Who may not approve must type the password again when the address changes: else they could read it by having
        the hub log in to a device of their own. Raises HubError: NOT_FOUND, INVALID (bad_host, bad_login,
        password_needed, url_only), CONFLICT (duplicate: another candidate is the same device).
        """
        async with self._database.write() as session:
            row = await self._mine(session, actor, candidate_id)
            await _locked(session, row.village_id)
            before = wanted_of(row, self._vault)
            wanted = replace(
                before,
                name=before.name if name is None else name,
                host=before.host if host is None else host,
                port=before.port if port is None else port or None,
                rtsp_port=before.rtsp_port if rtsp_port is None else rtsp_port or None,
                username=before.username if username is None else username,
                password=before.password if password is None else password,
                profile_id=before.profile_id if username is None else None,
            )
            wanted = _checked(wanted)
            moved = (before.host, before.port, before.rtsp_port) != (wanted.host, wanted.port, wanted.rtsp_port)
            if moved and before.main_url:
                raise HubError(
                    Kind.INVALID,
                    "this camera is known by its RTSP address; dismiss it and add it with the right one",
                    reason="url_only",
                )
            kept = (before.password and password is None) or wanted.profile_id is not None
            if moved and not trusted(actor) and kept:
                raise HubError(
                    Kind.INVALID,
                    "the address changes: type the device's password again, so that it goes to no other device",
                    reason="password_needed",
                )
            if moved:
                wanted = replace(wanted, endpoint="")
            others = [one for one in await candidates.same(session, self._vault, wanted) if one.id != row.id]
            if others:
                raise HubError(
                    Kind.CONFLICT,
                    f"“{others[0].name or others[0].host}” in this inbox is the same device",
                    reason=Reason.DUPLICATE,
                    candidate=others[0].id,
                    name=others[0].name or others[0].host,
                )
            candidates.write(row, wanted, self._vault, row.shown_url)
            row.next_try_at = None
            row.on_behalf = row.on_behalf and trusted(actor)  # what the village changed is looked at again
        self._bus.publish(InboxChanged(row.village_id))

    async def dismiss(self, actor: Actor, candidate_id: int) -> None:
        """Forget a candidate. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            row = await self._mine(session, actor, candidate_id)
            await session.delete(row)
        self._bus.publish(InboxChanged(row.village_id))

    async def _add(
        self, actor: Actor, wanted: WantedDevice, *, approved: bool, tried: int | None = None
    ) -> IntakeResult:
        """`tried`: the candidate that is tried."""
        taken = self._taken(actor, wanted)
        try:
            registered = await self._register(actor, wanted, approved, taken)
        except HubError as error:
            known = error.params.get("device") if error.reason == Reason.DUPLICATE else None
            if known is not None:
                return await self._known(actor, wanted, int(known), error, tried)
            if not candidates.keeps(error):
                raise
            return await self._keep(actor, wanted, error, tried)
        self._tell(wanted.village_id, taken)
        return _result(registered.device.id, taken.camera_ids, taken.unsaid)

    def _tell(self, village_id: int, taken: TakenIn) -> None:
        self._bus.publish(InboxChanged(village_id))
        for camera_id in taken.positioned:
            self._bus.publish(CameraPositionChanged(camera_id, village_id))

    def _taken(self, actor: Actor, wanted: WantedDevice) -> TakenIn:
        return TakenIn(actor, wanted, self._clock, self._vault, self._ledger)

    async def _register(self, actor: Actor, wanted: WantedDevice, approved: bool, taken: TakenIn) -> Registered:
        if wanted.main_url:
            first = wanted.cameras[0] if wanted.cameras else WantedCamera()
            return await self._devices.register_url(
                actor,
                wanted.village_id,
                first.name or wanted.name or wanted.host,
                wanted.main_url,
                wanted.sub_url,
                username=wanted.username,
                password=wanted.password,
                place_class=first.place_class,
                approved=approved,
                finish=taken.finish,
            )
        wanted = await self._with_profile(actor, wanted, taken)
        return await self._devices.register(
            actor,
            wanted.village_id,
            wanted.host,
            wanted.port,
            rtsp_port=wanted.rtsp_port,
            username=wanted.username,
            password=wanted.password,
            name=wanted.name,
            endpoint=wanted.endpoint,
            approved=approved,
            finish=taken.finish,
        )

    async def _with_profile(self, actor: Actor, wanted: WantedDevice, taken: TakenIn) -> WantedDevice:
        """With the login of the profile that was named in place of one. Raises HubError(NOT_FOUND)."""
        if wanted.profile_id is None or wanted.username or self._profiles is None:
            return wanted
        profile = await self._profiles.login(actor, wanted.profile_id)
        if not trusted(actor) and profile.changed_by != actor.user_id:
            raise HubError(  # else whoever adds a device of their own could read the password
                Kind.CONFLICT,
                "somebody else typed the password of this login profile, so it goes to approved devices only; type the"
                " login, or ask the township to add the device",
                reason="place_not_approved",
            )
        if profile.village_id != wanted.village_id:
            raise HubError(Kind.NOT_FOUND, "there is no such login profile")
        taken.profile = profile
        return replace(wanted, username=profile.username, password=profile.password)

    async def _known(
        self, actor: Actor, wanted: WantedDevice, device_id: int, error: HubError, tried: int | None = None
    ) -> IntakeResult:
        """The device is registered already: what is wanted of cameras that are not approved yet is applied; one that
        is approved is changed where its name is seen, not by adding it again."""
        async with self._database.read() as session:
            device = await session.get(Device, device_id)
        if device is None or device.village_id != wanted.village_id:
            if tried is not None:
                await self._keep(actor, wanted, error, tried)
            return IntakeResult(
                device_id, reason=error.reason, kind=error.kind, detail=error.detail, params=error.explanation.params
            )
        taken = self._taken(actor, wanted)
        async with self._database.write() as session:
            await _locked(session, wanted.village_id)
            changed = await taken.apply_to_known(session, device_id)
        for camera in changed:
            self._bus.publish(CameraChanged(camera.id, camera.village_id))
        self._tell(wanted.village_id, taken)
        return IntakeResult(
            device_id,
            camera_ids=taken.camera_ids,
            reason=error.reason,
            kind=error.kind,
            detail=error.detail,
            params=error.explanation.params,
        )

    async def _keep(
        self, actor: Actor, wanted: WantedDevice, error: HubError, tried: int | None = None
    ) -> IntakeResult:
        """Keep what could not be registered, as one candidate. One that was `tried` and meanwhile dismissed or changed
        stays as it was left."""
        now = self._clock.now()
        registered_as: Device | None = None
        candidate_id: int | None = None
        async with self._database.write() as session:
            await _locked(session, wanted.village_id)
            # Whoever was faster with the right password has registered it meanwhile.
            registered_as = await _registered_at(session, wanted)
            if registered_as is None:
                if tried is not None:
                    row = await session.get(IntakeCandidate, tried)
                else:
                    row = await self._candidate(session, actor, wanted, now)
                if row is not None and (
                    tried is None or candidates.one_attempt(candidates.openable(row, self._vault), wanted)
                ):
                    row.reason, row.detail = error.reason, error.detail[:512]
                    row.params = dict(error.explanation.params)
                    row.attempts += 1
                    row.tried_at = now
                    row.next_try_at = candidates.next_try(error.reason, row.attempts, row.created_at, now)
                    await session.flush()
                candidate_id = row.id if row is not None else None
        self._bus.publish(InboxChanged(wanted.village_id))
        if registered_as is not None:
            found = HubError(
                Kind.CONFLICT,
                f"this device is registered already as “{registered_as.name}” at {wanted.host}",
                reason=Reason.DUPLICATE,
                why="named",
                device=registered_as.id,
                name=registered_as.name,
                host=wanted.host,
                village=registered_as.village_id,
            )
            return await self._known(actor, wanted, registered_as.id, found)
        return IntakeResult(
            candidate_id=candidate_id,
            reason=error.reason,
            kind=error.kind,
            detail=error.detail,
            params=error.explanation.params,
        )

    async def _candidate(
        self, session: AsyncSession, actor: Actor, wanted: WantedDevice, now: datetime
    ) -> IntakeCandidate:
        """The row of what is wanted, with what was wanted of the same device before."""
        row = next(iter(await candidates.same(session, self._vault, wanted)), None)
        if row is None:
            row = await self._new(session, actor, wanted, now)
        else:
            wanted = candidates.merged(wanted_of(row, self._vault), wanted)
        shown_url = urls.redacted(wanted.main_url, wanted.password) if wanted.main_url else ""
        candidates.write(row, wanted, self._vault, shown_url)
        return row

    async def _new(self, session: AsyncSession, actor: Actor, wanted: WantedDevice, now: datetime) -> IntakeCandidate:
        of_village = select(func.count()).where(IntakeCandidate.village_id == wanted.village_id)
        if (await session.scalar(of_village) or 0) >= candidates.MAX_PER_VILLAGE:
            raise HubError(
                Kind.CONFLICT,
                f"{candidates.MAX_PER_VILLAGE} devices of this village wait already; settle or dismiss some first",
                reason="inbox_full",
                max=candidates.MAX_PER_VILLAGE,
            )
        row = IntakeCandidate(
            village_id=wanted.village_id,
            host=wanted.host,
            source=wanted.source,
            reason="",
            attempts=0,
            tried_at=now,
            added_by=actor.user_id,
            added_by_name=actor.display_name,
            on_behalf=on_behalf(actor),
            created_at=now,
        )
        session.add(row)
        await session.flush()  # it is sealed with its id
        return row

    async def _mine(self, session: AsyncSession, actor: Actor, candidate_id: int) -> IntakeCandidate:
        row = await session.get(IntakeCandidate, candidate_id)
        if row is None:
            raise HubError(Kind.NOT_FOUND, "there is no such device in the inbox")
        require_village(actor, row.village_id, "device in the inbox")
        return row


def _checked(wanted: WantedDevice) -> WantedDevice:
    """With its host and login as they are stored, a login in the URL moved out of it. Raises HubError(INVALID)."""
    username, password = logins.checked(wanted.username, wanted.password)
    if len({one.channel for one in wanted.cameras}) != len(wanted.cameras) or any(
        one.channel is not None and one.channel < 1 for one in wanted.cameras
    ):
        raise HubError(Kind.INVALID, "each channel can be named once, by its number from 1", reason="bad_channel")
    cameras = wanted.cameras[: candidates.MAX_CAMERAS]
    if wanted.port in RTSP_PORTS and wanted.rtsp_port is None:  # where a search saw a device that speaks RTSP alone
        wanted = replace(wanted, port=None, rtsp_port=wanted.port)
    if not wanted.main_url:
        host = urls.host(wanted.host)
        return replace(wanted, host=host, username=username, password=password, cameras=cameras)
    main = urls.stream_url(wanted.main_url.strip())
    sub = urls.stream_url(wanted.sub_url.strip()) if wanted.sub_url.strip() else None
    if not username:
        username, password = logins.checked(main.username, main.password)
    return replace(
        wanted,
        host=main.host,
        port=None,
        rtsp_port=main.port,
        username=username,
        password=password,
        main_url=main.url,
        sub_url=sub.url if sub is not None else "",
        cameras=cameras,
    )


def _result(device_id: int, camera_ids: Mapping[int | None, int], unsaid: HubError | None) -> IntakeResult:
    if unsaid is None:
        return IntakeResult(device_id, camera_ids=camera_ids)
    return IntakeResult(
        device_id,
        camera_ids=camera_ids,
        reason=unsaid.reason,
        kind=unsaid.kind,
        detail=unsaid.detail,
        params=unsaid.explanation.params,
    )


async def _registered_at(session: AsyncSession, wanted: WantedDevice) -> Device | None:
    """A device in service of the village at this very place, whatever interface of it is known. Where no port is named,
    it is the only one of that host: behind a router there may be several."""
    if wanted.main_url:
        return None
    query = select(Device).where(
        Device.village_id == wanted.village_id,
        Device.host == wanted.host,
        Device.via != "url",
        Device.retired_at.is_(None),
    )
    if wanted.port is not None:
        query = query.where(func.coalesce(Device.onvif_port, Device.http_port) == wanted.port)
    elif wanted.rtsp_port is not None:
        query = query.where(Device.rtsp_port == wanted.rtsp_port)
    found = list(await session.scalars(query.order_by(Device.id).limit(2)))
    if wanted.port is None and len(found) > 1:
        return None
    return found[0] if found else None


async def _locked(session: AsyncSession, village_id: int) -> None:
    """What comes into a village is settled one after the other."""
    row = await session.scalar(select(Village).where(Village.id == village_id).with_for_update())
    if row is None:
        raise HubError(Kind.NOT_FOUND, "there is no such village")
