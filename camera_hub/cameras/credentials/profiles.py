"""Login profiles: a login that devices of a village share, kept once for people and copied to each device that has
accepted it.

A device's row (StoredLogin) holds a copy, and which version of the profile it is. So a device that refuses a new
password, or cannot be reached, keeps the one with which it works, and nothing is half changed
(cameras.bulk.login_changes replaces the copies).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.credentials.login_budget import REFUSALS
from camera_hub.cameras.credentials.logins import Sealer, checked
from camera_hub.cameras.credentials.purposes import PURPOSES, Purpose
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, LoginProfile, StoredLogin, Village

MOST_OF_VILLAGE = 100
NAMED = 10
"""Devices that a refusal names; of more it tells the number."""

UseState = Literal["accepted", "refused", "untried"]


@dataclass(frozen=True, slots=True)
class ProfileUse:
    """A device that has the profile, for one purpose. `untried`: it has not been reached since the last change, and
    still has the login from before; `reason` says why, None when nobody tried."""

    device_id: int
    name: str
    host: str
    purpose: Purpose
    state: UseState
    reason: str | None
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile as people see it: never its password."""

    id: int
    village_id: int
    name: str
    purposes: tuple[Purpose, ...]
    username: str
    version: int
    changed_at: datetime
    changed_name: str
    on_behalf: bool
    uses: tuple[ProfileUse, ...]


@dataclass(frozen=True, slots=True)
class ProfileLogin:
    """What a device is asked with: the login of that version of the profile. Never shown."""

    profile_id: int
    village_id: int
    purposes: tuple[Purpose, ...]
    version: int
    username: str
    password: str
    changed_by: int

    def __repr__(self) -> str:
        return f"ProfileLogin({self.profile_id}, version {self.version})"


def seal_owner(profile_id: int) -> str:
    """A profile as owner of a sealed text (access.vault)."""
    return f"login profile:{profile_id}"


def use_state(row: StoredLogin, version: int) -> UseState:
    """How a device stands to that version of its profile. Pure."""
    if row.profile_version == version:
        return "accepted"
    return "refused" if row.asked_version == version and row.asked_reason in REFUSALS else "untried"


class LoginProfiles:
    """The profiles. Who is bound to villages has only theirs; what township staff set is marked as on behalf."""

    def __init__(self, database: Database, clock: Clock, vault: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    async def all(self, actor: Actor, village_id: int | None = None) -> list[ProfileView]:
        """Those in the actor's scope, by village and name."""
        where = [in_scope(actor, LoginProfile.village_id)]
        if village_id is not None:
            require_village(actor, village_id, "village")
            where.append(LoginProfile.village_id == village_id)
        async with self._database.read() as session:
            query = select(LoginProfile).where(*where).order_by(LoginProfile.village_id, LoginProfile.name)
            return await _views(session, (await session.scalars(query)).all())

    async def get(self, actor: Actor, profile_id: int) -> ProfileView:
        """Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            return (await _views(session, [await _mine(session, actor, profile_id)]))[0]

    async def add(
        self, actor: Actor, village_id: int, name: str, purposes: Collection[str], username: str, password: str
    ) -> ProfileView:
        """Raises HubError: NOT_FOUND (village), INVALID (bad_login, no_username, no_purpose), CONFLICT
        (profile_name_taken, too_many_profiles)."""
        require_village(actor, village_id, "village")
        username, password = checked(username, password)
        profile = LoginProfile(
            village_id=village_id,
            name=name,
            purposes=_purposes(purposes),
            username=_named(username),
            sealed=b"",
            created_at=self._clock.now(),
        )
        self._signed(profile, actor)
        try:
            async with self._database.write() as session:
                if await session.scalar(select(Village.id).where(Village.id == village_id).with_for_update()) is None:
                    raise HubError(Kind.NOT_FOUND, "there is no such village")
                known = select(LoginProfile.id).where(LoginProfile.village_id == village_id)
                if len((await session.scalars(known)).all()) >= MOST_OF_VILLAGE:
                    raise HubError(
                        Kind.CONFLICT,
                        f"a village has at most {MOST_OF_VILLAGE} login profiles; delete one that is not used",
                        reason="too_many_profiles",
                        max=MOST_OF_VILLAGE,
                    )
                session.add(profile)
                await session.flush()
                profile.sealed = self._vault.seal(password, seal_owner(profile.id))
        except IntegrityError as error:
            raise _taken(name) from error
        return await self.get(actor, profile.id)

    async def change(
        self,
        actor: Actor,
        profile_id: int,
        *,
        name: str | None = None,
        purposes: Collection[str] | None = None,
        username: str | None = None,
        password: str | None = None,
    ) -> bool:
        """Change what is given; whether its login is another one now, which its devices do not have yet.

        Raises HubError: NOT_FOUND, INVALID (bad_login, no_username, no_purpose), CONFLICT (profile_name_taken;
        profile_in_use for other purposes), UNAVAILABLE (credential_locked).
        """
        try:
            async with self._database.write() as session:
                profile = await _mine(session, actor, profile_id, lock=True)
                profile.name = name if name is not None else profile.name
                if purposes is not None and _purposes(purposes) != profile.purposes:
                    await _refuse_used(session, profile_id)
                    profile.purposes = _purposes(purposes)
                if username is None and password is None:
                    return False
                new_name, secret = checked(
                    username if username is not None else profile.username,
                    password if password is not None else self._vault.open(profile.sealed, seal_owner(profile_id)),
                )
                profile.username = _named(new_name)
                profile.sealed = self._vault.seal(secret, seal_owner(profile_id))
                profile.version += 1
                self._signed(profile, actor)
                return True
        except IntegrityError as error:
            raise _taken(name or "") from error

    async def delete(self, actor: Actor, profile_id: int) -> None:
        """Raises HubError: NOT_FOUND, CONFLICT (profile_in_use, naming the devices)."""
        async with self._database.write() as session:
            profile = await _mine(session, actor, profile_id, lock=True)
            await _refuse_used(session, profile_id)
            await session.execute(  # retired devices keep their copy as a login of their own
                update(StoredLogin)
                .where(StoredLogin.profile_id == profile_id)
                .values(profile_id=None, profile_version=None)
            )
            await session.delete(profile)

    async def release(self, actor: Actor, profile_id: int, device_ids: Collection[int]) -> ProfileView:
        """These devices keep the login that they have as one of their own. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            await _mine(session, actor, profile_id, lock=True)
            await session.execute(
                update(StoredLogin)
                .where(StoredLogin.profile_id == profile_id, StoredLogin.device_id.in_(sorted(device_ids)))
                .values(profile_id=None, profile_version=None)
            )
        return await self.get(actor, profile_id)

    async def login(self, actor: Actor, profile_id: int) -> ProfileLogin:
        """The login, opened. Raises HubError: NOT_FOUND, UNAVAILABLE (credential_locked)."""
        async with self._database.read() as session:
            profile = await _mine(session, actor, profile_id)
        return ProfileLogin(
            profile.id,
            profile.village_id,
            tuple(one for one in PURPOSES if one in profile.purposes),
            profile.version,
            profile.username,
            self._vault.open(profile.sealed, seal_owner(profile.id)),
            profile.changed_by,
        )

    def _signed(self, profile: LoginProfile, actor: Actor) -> None:
        profile.changed_at, profile.changed_by = self._clock.now(), actor.user_id
        profile.changed_name, profile.on_behalf = actor.display_name[:64], not actor.bound


def _purposes(given: Collection[str]) -> list[str]:
    found: list[str] = [one for one in PURPOSES if one in given]
    if not found:
        raise HubError(Kind.INVALID, "say what the login is for", reason="no_purpose")
    return found


def _named(username: str) -> str:
    if not username:
        raise HubError(Kind.INVALID, "type the user name of the login", reason="no_username")
    return username


def _taken(name: str) -> HubError:
    return HubError(
        Kind.CONFLICT,
        f"the village has a login profile “{name}” already; choose another name",
        reason="profile_name_taken",
    )


async def _mine(session: AsyncSession, actor: Actor, profile_id: int, *, lock: bool = False) -> LoginProfile:
    query = select(LoginProfile).where(LoginProfile.id == profile_id, in_scope(actor, LoginProfile.village_id))
    profile = await session.scalar(query.with_for_update() if lock else query)
    if profile is None:
        raise HubError(Kind.NOT_FOUND, "there is no such login profile")
    return profile


async def _refuse_used(session: AsyncSession, profile_id: int) -> None:
    names = (
        await session.scalars(
            select(Device.name)
            .join(StoredLogin, StoredLogin.device_id == Device.id)
            .where(StoredLogin.profile_id == profile_id, Device.retired_at.is_(None))
            .order_by(Device.name)
            .distinct()
        )
    ).all()
    if names:
        raise HubError(
            Kind.CONFLICT,
            f"{len(names)} devices use this login profile; give them another login first",
            reason="profile_in_use",
            count=len(names),
            names="、".join(names[:NAMED]) + ("…" if len(names) > NAMED else ""),
        )


async def _views(session: AsyncSession, profiles: Sequence[LoginProfile]) -> list[ProfileView]:
    """Two queries whatever their number; none reads what is sealed of devices."""
    versions = {one.id: one.version for one in profiles}
    uses: dict[int, list[ProfileUse]] = defaultdict(list)
    query = (
        select(StoredLogin, Device.name, Device.host)
        .join(Device, Device.id == StoredLogin.device_id)
        .where(StoredLogin.profile_id.in_(versions), Device.retired_at.is_(None))
        .order_by(Device.name, Device.id)
    )
    for row, name, host in await session.execute(query):
        profile_id = row.profile_id or 0
        state = use_state(row, versions[profile_id])
        told = row.asked_version == versions[profile_id]
        reason = row.asked_reason if told and state != "accepted" else None
        purpose = cast(Purpose, row.purpose)
        uses[profile_id].append(
            ProfileUse(row.device_id, name, host, purpose, state, reason, row.asked_at if told else None)
        )
    return [
        ProfileView(
            one.id,
            one.village_id,
            one.name,
            tuple(purpose for purpose in PURPOSES if purpose in one.purposes),
            one.username,
            one.version,
            one.changed_at,
            one.changed_name,
            one.on_behalf,
            tuple(uses[one.id]),
        )
        for one in profiles
    ]
