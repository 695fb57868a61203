"""New logins for many devices at once: each is asked once, and has the new login when it has accepted it.

A device that refuses it, or does not answer, keeps the login that it has. What is asked counts like every other
attempt (cameras.credentials.login_budget), so that no bulk change locks a device. The candidate is tried as a login of
no registered device: a refusal says nothing against the login that works.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.credentials import logins
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.credentials.profiles import LoginProfiles, ProfileLogin
from camera_hub.cameras.credentials.purposes import PURPOSES, Purpose, serving
from camera_hub.cameras.device_checks import place, trusted
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.cameras.register import proof_state
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import DeviceChanged, EventBus, ProofRequested
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, StoredLogin

AT_ONCE = 8
MOST_DEVICES = 5_000

CHANGE_LOGIN = "change_login"
"""The kind of these jobs."""


class LoginAsker(Protocol):
    """What bulk changes need of cameras.bulk.login_asking."""

    async def ask(self, device: Device, login: DeviceLogin, purpose: Purpose) -> bool:
        """Have the device answer a request that only the right login gets; False where there is no way to ask it.

        Raises HubError with the Reason: a refused login, a paused one, unreachable, identity_changed …
        """
        ...


@dataclass(frozen=True, slots=True)
class NewLogin:
    """A login for some purposes of a device. `username` None: the name that the device has there. With `profile` the
    device gets that version of it, else the login is its own."""

    purposes: tuple[Purpose, ...]
    username: str | None
    password: str
    profile: ProfileLogin | None = None

    def __repr__(self) -> str:
        return f"NewLogin({self.purposes})"


class LoginChanges:
    """Starts the jobs."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        vault: Sealer,
        asker: LoginAsker,
        jobs: Jobs,
        profiles: LoginProfiles,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._vault = vault
        self._asker = asker
        self._jobs = jobs
        self._profiles = profiles

    async def follow(self, actor: Actor, profile_id: int) -> JobView:
        """Give a profile's login to the devices that have the profile and not yet this version of it.

        Raises HubError: NOT_FOUND, BUSY, UNAVAILABLE (credential_locked).
        """
        profile = await self._profiles.login(actor, profile_id)
        async with self._database.read() as session:
            behind = select(StoredLogin.device_id).where(
                StoredLogin.profile_id == profile_id, StoredLogin.profile_version != profile.version
            )
            chosen = select(Device).where(Device.id.in_(behind), Device.retired_at.is_(None)).order_by(Device.id)
            devices = (await session.scalars(chosen)).all()
        return self._start(actor, profile.village_id, devices, _of_profile(profile))

    async def assign(self, actor: Actor, profile_id: int, device_ids: Collection[int]) -> JobView:
        """Give the profile to these devices of its village, in place of the logins that they have for its purposes.

        A profile's password goes only to a place that the township has approved, or that the user who typed it names:
        else whoever may add a device could have it sent to one of their own. Raises HubError: NOT_FOUND, INVALID
        (profile_other_village), BUSY, UNAVAILABLE (credential_locked).
        """
        profile = await self._profiles.login(actor, profile_id)
        devices = await self._chosen(actor, device_ids)
        if any(one.village_id != profile.village_id for one in devices):
            raise HubError(
                Kind.INVALID,
                "a login profile is for devices of its own village; choose only those",
                reason="profile_other_village",
            )
        return self._start(actor, profile.village_id, devices, _of_profile(profile))

    async def change(
        self, actor: Actor, device_ids: Collection[int], purpose: Purpose, username: str | None, password: str
    ) -> JobView:
        """Give these devices a login of their own for that purpose. Raises HubError: NOT_FOUND, INVALID, BUSY."""
        devices = await self._chosen(actor, device_ids)
        return self._change(actor, devices, purpose, username, password)

    async def change_named(
        self, actor: Actor, village_id: int, old_username: str, purpose: Purpose, username: str | None, password: str
    ) -> JobView:
        """As `change`, for all devices of the village whose own login for that purpose has the old user name.

        Raises HubError: NOT_FOUND, INVALID (bad_login, no_such_username), BUSY.
        """
        require_village(actor, village_id, "village")
        async with self._database.read() as session:
            named = (
                select(Device)
                .join(StoredLogin, StoredLogin.device_id == Device.id)
                .where(
                    Device.village_id == village_id,
                    Device.retired_at.is_(None),
                    StoredLogin.purpose == purpose,
                    StoredLogin.username == old_username,
                    StoredLogin.profile_id.is_(None),
                )
                .order_by(Device.id)
                .limit(MOST_DEVICES)
            )
            devices = (await session.scalars(named)).all()
        if not devices:
            raise HubError(
                Kind.INVALID,
                f"no device of the village has a login of its own with the user name {old_username}",
                reason="no_such_username",
                name=old_username,
            )
        return self._change(actor, devices, purpose, username, password)

    def _change(
        self, actor: Actor, devices: Sequence[Device], purpose: Purpose, username: str | None, password: str
    ) -> JobView:
        name, password = logins.checked(username or "", password)
        new = NewLogin((purpose,), name or None, password)
        villages = {one.village_id for one in devices}
        return self._start(actor, villages.pop() if len(villages) == 1 else None, devices, new)

    def _start(self, actor: Actor, village_id: int | None, devices: Sequence[Device], new: NewLogin) -> JobView:
        items = [JobItem(str(one.id), f"{one.name} ({one.host})") for one in devices]
        return self._jobs.start(
            actor, CHANGE_LOGIN, village_id, items, lambda item: self._one(actor, int(item.key), new), at_once=AT_ONCE
        )

    async def _chosen(self, actor: Actor, device_ids: Collection[int]) -> Sequence[Device]:
        wanted = set(device_ids)
        async with self._database.read() as session:
            query = select(Device).where(Device.id.in_(wanted), in_scope(actor, Device.village_id))
            devices = (await session.scalars(query.order_by(Device.id))).all()
        if {one.id for one in devices} != wanted:
            raise HubError(Kind.NOT_FOUND, "there is no such device")
        return devices

    async def _one(self, actor: Actor, device_id: int, new: NewLogin) -> JobVerdict:
        async with self._database.read() as session:
            device = await _in_service(session, device_id)
            rows = await _rows(session, device_id)
            _require_current(rows, new)
            if new.profile is not None and _has(rows, new.profile):
                return JobVerdict(True, "login_same", "the device has this login already")
            _require_approved_place(actor, device, new)
            username = new.username or _username(rows, new.purposes[0])
        login = DeviceLogin(
            username,
            new.password,
            ports=frozenset(port for port in (device.asked_port, device.rtsp_port) if port is not None),
            identity=frozenset(text for text in (device.serial, device.mac, device.endpoint) if text),
        )
        try:
            asked = await self._asker.ask(device, login, new.purposes[0])
        except HubError as error:
            await self._note_refused(device_id, new, error.reason)
            raise
        await self._give(device, new, username)
        if asked:
            return JobVerdict(True)
        return JobVerdict(
            True, "login_unproved", "the login is stored; whether the device accepts it shows with the next picture"
        )

    async def _give(self, asked: Device, new: NewLogin, username: str) -> None:
        """Store the login in one transaction, if the device is still the one that was asked."""
        async with self._database.write() as session:
            device = await _in_service(session, asked.id, lock=True)
            if (device.credentials_version, place(device)) != (asked.credentials_version, place(asked)):
                raise HubError(Kind.BUSY, "somebody else changes this device just now; try again", reason=Reason.BUSY)
            _require_current(await _rows(session, device.id), new)
            device.credentials_version += 1
            for purpose in new.purposes:
                await logins.change_login(
                    session, self._vault, device, purpose, username=username, password=new.password
                )
            await session.flush()
            if new.profile is not None:
                rows = await _rows(session, device.id)
                for row in (rows[purpose] for purpose in new.purposes):
                    row.profile_id, row.profile_version = new.profile.profile_id, new.profile.version
                    row.asked_version, row.asked_at, row.asked_reason = new.profile.version, self._clock.now(), None
            cameras = select(Camera).where(Camera.device_id == device.id, Camera.state != "retired")
            for camera in await session.scalars(cameras):
                proof_state.request(camera, self._clock.now())
        self._bus.publish(DeviceChanged(device.id, device.village_id, credentials=True))
        self._bus.publish(ProofRequested())

    async def _note_refused(self, device_id: int, new: NewLogin, reason: str) -> None:
        """Of a device that has the profile already: why it does not have its new version yet."""
        if new.profile is None:
            return
        async with self._database.write() as session:
            for row in (await _rows(session, device_id)).values():
                if row.profile_id == new.profile.profile_id and row.profile_version != new.profile.version:
                    row.asked_version, row.asked_at = new.profile.version, self._clock.now()
                    row.asked_reason = reason


def _of_profile(profile: ProfileLogin) -> NewLogin:
    return NewLogin(profile.purposes, profile.username, profile.password, profile)


def _has(rows: dict[str, StoredLogin], profile: ProfileLogin) -> bool:
    return all(
        purpose in rows
        and (rows[purpose].profile_id, rows[purpose].profile_version) == (profile.profile_id, profile.version)
        for purpose in profile.purposes
    )


def _username(rows: dict[str, StoredLogin], purpose: Purpose) -> str:
    row = serving(purpose, rows)
    if row is None or not row.username:
        raise HubError(Kind.INVALID, "this device has no user name yet; type one, too", reason="no_username")
    return row.username


def _require_current(rows: dict[str, StoredLogin], new: NewLogin) -> None:
    """Another change of the profile may have overtaken this one."""
    if new.profile is None:
        return
    profile = new.profile
    known = [row.profile_version or 0 for row in rows.values() if row.profile_id == profile.profile_id]
    if max(known, default=0) > profile.version:
        raise HubError(Kind.BUSY, "the login profile has been changed again meanwhile", reason="profile_changed")


def _require_approved_place(actor: Actor, device: Device, new: NewLogin) -> None:
    if new.profile is None or trusted(actor) or new.profile.changed_by == actor.user_id:
        return
    if device.approved_place != place(device):
        raise HubError(
            Kind.CONFLICT,
            "the township has not approved this device yet; a profile's password that somebody else typed goes only"
            " to approved devices",
            reason="place_not_approved",
        )


async def _in_service(session: AsyncSession, device_id: int, *, lock: bool = False) -> Device:
    query = select(Device).where(Device.id == device_id)
    device = await session.scalar(query.with_for_update() if lock else query)
    if device is None:
        raise HubError(Kind.NOT_FOUND, "there is no such device")
    if device.retired_at is not None:
        raise HubError(Kind.CONFLICT, "this device is retired; register it again", reason=Reason.RETIRED)
    return device


async def _rows(session: AsyncSession, device_id: int) -> dict[str, StoredLogin]:
    rows = await session.scalars(select(StoredLogin).where(StoredLogin.device_id == device_id))
    return {row.purpose: row for row in rows if row.purpose in PURPOSES}
