"""User accounts: create, change, check a password. The last township admin can be neither disabled nor demoted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import grants_of
from camera_hub.access.passwords import Passwords
from camera_hub.access.policy import ALWAYS_BOUND, Actor, Role, VillageGrant, villages_at
from camera_hub.access.sessions import Sessions
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import AccessChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import User, UserVillage, Village
from camera_hub.text import clean_name

MAX_GRANTS = 200


class Keep(Enum):
    """Marks a field that is not to be changed, where None has a meaning of its own."""

    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Account:
    """A user without the password hash. `villages`: the grants to which it is restricted, None for all villages."""

    id: int
    username: str
    display_name: str
    role: Role
    villages: tuple[VillageGrant, ...] | None
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """Changes to a user; None leaves a field as it is (for `villages` it means all villages)."""

    display_name: str | None = None
    role: Role | None = None
    villages: tuple[VillageGrant, ...] | Keep | None = Keep.KEEP
    disabled: bool | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Change(role={self.role}, villages={self.villages}, disabled={self.disabled})"


class Accounts:
    """The operations behind the users page and the command line."""

    def __init__(
        self, database: Database, clock: Clock, bus: EventBus, passwords: Passwords, sessions: Sessions
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._passwords = passwords
        self._sessions = sessions

    async def count(self) -> int:
        """The number of users, disabled ones included."""
        async with self._database.read() as session:
            return await session.scalar(select(func.count()).select_from(User)) or 0

    async def all(self) -> list[Account]:
        """Every user, by name."""
        async with self._database.read() as session:
            users = (await session.scalars(select(User).order_by(User.username))).all()
            grants = await grants_of(session, [user.id for user in users])
            return [_account(user, grants[user.id]) for user in users]

    async def get(self, user_id: int) -> Account:
        """One user. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            return await _read(session, await _existing(session, user_id))

    async def named(self, username: str) -> Account:
        """One user by name. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            user = await session.scalar(select(User).where(User.username == username.casefold()))
            if user is None:
                raise HubError(Kind.NOT_FOUND, f"there is no user {username!r}")
            return await _read(session, user)

    def as_actor(self, account: Account) -> Actor:
        """The account as an actor, with what it may do now."""
        villages = None if account.villages is None else villages_at(account.villages, self._clock.now())
        return Actor(account.id, account.username, account.display_name, account.role, villages)

    async def village_names(self, ids: Sequence[int]) -> dict[int, str]:
        """The names of these villages, in the official order."""
        async with self._database.read() as session:
            rows = await session.execute(
                select(Village.id, Village.name).where(Village.id.in_(ids)).order_by(Village.position, Village.id)
            )
            return {village_id: name for village_id, name in rows}

    async def create(
        self,
        username: str,
        display_name: str,
        role: Role,
        password: str,
        villages: Sequence[VillageGrant] | None = None,
        *,
        guard: Callable[[AsyncSession], Awaitable[None]] | None = None,
    ) -> Account:
        """Create a user, restricted to `villages` (None: all). `guard` may refuse within the transaction.

        Raises HubError: INVALID (weak password, village_needed, bad_period, end_needed), CONFLICT (username_taken),
        NOT_FOUND.
        """
        username = username.casefold()
        self._passwords.require_good(password, username)
        hashed = await self._passwords.hash(password)
        try:
            async with self._database.write() as session:
                if guard is not None:
                    await guard(session)
                user = User(
                    username=username,
                    display_name=clean_name(display_name),
                    role=role.value,
                    all_villages=False,
                    password_hash=hashed,
                    created_at=self._clock.now(),
                )
                session.add(user)
                await session.flush()
                await _bind(session, user, role, villages)
                account = await _read(session, user)
        except IntegrityError as error:
            raise HubError(
                Kind.CONFLICT, f"the user name {username} is taken", reason="username_taken", username=username
            ) from error
        return account

    async def change(self, user_id: int, change: Change) -> Account:
        """Change a user. Withdrawn rights end at once: a new password or disabling ends the user's sessions."""
        hashed: str | None = None
        if change.password is not None:
            self._passwords.require_good(change.password, (await self.get(user_id)).username)
            hashed = await self._passwords.hash(change.password)
        async with self._database.write() as session:
            user = await _existing(session, user_id)
            role = change.role or Role(user.role)
            disabled = user.disabled if change.disabled is None else change.disabled
            if user.role == Role.TOWNSHIP_ADMIN and (disabled or role is not Role.TOWNSHIP_ADMIN):
                await _another_admin(session, user)
            if change.display_name is not None:
                user.display_name = clean_name(change.display_name)
            if change.villages is not Keep.KEEP or role.value != user.role:
                villages = (await _read(session, user)).villages if change.villages is Keep.KEEP else change.villages
                await _bind(session, user, role, villages)
            user.role, user.disabled = role.value, disabled
            if hashed is not None:
                user.password_hash = hashed
            if hashed is not None or disabled:
                await self._sessions.end_all(session, user_id)
            await session.flush()
            account = await _read(session, user)
        self._publish(user_id)
        return account

    async def new_password(self, user_id: int, old: str, new: str, *, keep: str) -> None:
        """Change the user's own password; all sessions but `keep` end. Raises HubError when `old` is wrong."""
        async with self._database.read() as session:
            user = await _existing(session, user_id)
        if not await self._passwords.verify(user.password_hash, old):
            raise HubError(Kind.FORBIDDEN, "the old password is wrong", reason="old_password_wrong")
        self._passwords.require_good(new, user.username)
        hashed = await self._passwords.hash(new)
        async with self._database.write() as session:
            await session.execute(update(User).where(User.id == user_id).values(password_hash=hashed))
            await self._sessions.end_all(session, user_id, keep=keep)
        self._publish(user_id)

    async def check(self, username: str, password: str, *, stranger: bool = False) -> Account | None:
        """The user with this name and password; None, after the same time, if either is wrong or it is disabled.

        `stranger`: asked by a browser that is not known for the account; those wait for one another.
        """
        async with self._database.read() as session:
            user = await session.scalar(select(User).where(User.username == username.casefold()))
            account = await _read(session, user) if user is not None else None
        stored = user.password_hash if user is not None else None
        right = await self._passwords.verify(stored, password, stranger=stranger)
        if user is None or account is None or not right or user.disabled:
            return None
        values: dict[str, object] = {"last_login_at": self._clock.now()}
        if self._passwords.outdated(user.password_hash):
            values["password_hash"] = await self._passwords.hash(password)
        async with self._database.write() as session:
            await session.execute(update(User).where(User.id == user.id).values(values))
        return account

    def _publish(self, user_id: int) -> None:
        self._sessions.forget(user_id)
        self._bus.publish(AccessChanged(user_id))


async def _existing(session: AsyncSession, user_id: int) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise HubError(Kind.NOT_FOUND, "there is no such user")
    return user


async def _another_admin(session: AsyncSession, user: User) -> None:
    """Raise when `user` is the last enabled township admin. Locks the rows: two admins cannot demote each other."""
    query = select(User.id).where(User.role == Role.TOWNSHIP_ADMIN.value, User.disabled.is_(False)).with_for_update()
    if not set(await session.scalars(query)) - {user.id}:
        raise HubError(
            Kind.CONFLICT,
            "this is the last township admin; create another one first",
            reason="last_admin",
        )


async def _bind(session: AsyncSession, user: User, role: Role, villages: Sequence[VillageGrant] | None) -> None:
    """Store to which villages the user is restricted: village admins and contractors need some, a township admin has
    all; whatever a contractor may do has an end."""
    if role is Role.SCREEN:
        raise HubError(
            Kind.INVALID, "this role is that of screens, not of people; choose another one", reason="role_of_screens"
        )
    if role is Role.TOWNSHIP_ADMIN:
        villages = None
    if role in ALWAYS_BOUND and villages is None:
        villages = ()
    if villages is not None:
        await _check(session, villages)
        if role is Role.CONTRACTOR and any(grant.valid_until is None for grant in villages):
            raise HubError(
                Kind.INVALID, "say until when the contractor may work in each of the villages", reason="end_needed"
            )
    await session.execute(delete(UserVillage).where(UserVillage.user_id == user.id))
    user.all_villages = villages is None
    for grant in villages or ():
        row = UserVillage(user_id=user.id, village_id=grant.village_id)
        row.valid_from, row.valid_until = grant.valid_from, grant.valid_until
        session.add(row)
    await session.flush()


async def _check(session: AsyncSession, grants: Sequence[VillageGrant]) -> None:
    if not grants:
        raise HubError(Kind.INVALID, "name at least one village that this user may see", reason="village_needed")
    if len(grants) > MAX_GRANTS:
        raise HubError(Kind.INVALID, f"a user has at most {MAX_GRANTS} villages; give all instead", reason="too_many")
    for grant in grants:
        if grant.valid_from is not None and grant.valid_until is not None and grant.valid_until <= grant.valid_from:
            raise HubError(
                Kind.INVALID, "access to a village must end after it begins; correct its dates", reason="bad_period"
            )
    ids = {grant.village_id for grant in grants}
    if set(await session.scalars(select(Village.id).where(Village.id.in_(ids)))) != ids:
        raise HubError(Kind.NOT_FOUND, "there is no such village")


async def _read(session: AsyncSession, user: User) -> Account:
    return _account(user, (await grants_of(session, [user.id]))[user.id])


def _account(user: User, grants: tuple[VillageGrant, ...]) -> Account:
    return Account(
        user.id,
        user.username,
        user.display_name,
        Role(user.role),
        None if user.all_villages else grants,
        user.disabled,
        user.created_at,
        user.last_login_at,
    )
