"""The users: making, changing, signing in. The last township admin can be neither disabled nor demoted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.passwords import Passwords
from camera_hub.access.policy import Role
from camera_hub.access.sessions import Sessions
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import AccessChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import User, Village


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the other rooms may see it: no hash."""

    id: int
    username: str
    display_name: str
    role: Role
    village_id: int | None
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed of a user; None: stays."""

    display_name: str | None = None
    role: Role | None = None
    village_id: int | None = None
    disabled: bool | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Change(role={self.role}, village_id={self.village_id}, disabled={self.disabled})"


class Accounts:
    """The verbs behind the users page and the command line."""

    def __init__(
        self, database: Database, clock: Clock, bus: EventBus, passwords: Passwords, sessions: Sessions
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._passwords = passwords
        self._sessions = sessions

    async def count(self) -> int:
        """How many users there are, disabled ones too."""
        async with self._database.read() as session:
            return await session.scalar(select(func.count()).select_from(User)) or 0

    async def all(self) -> list[Account]:
        """Every user, by name."""
        async with self._database.read() as session:
            return [_account(user) for user in await session.scalars(select(User).order_by(User.username))]

    async def get(self, user_id: int) -> Account:
        """One user. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            return _account(await _existing(session, user_id))

    async def named(self, username: str) -> Account:
        """One user by name. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            user = await session.scalar(select(User).where(User.username == username.casefold()))
        if user is None:
            raise HubError(Kind.NOT_FOUND, f"there is no user {username!r}")
        return _account(user)

    async def village_name(self, village_id: int | None) -> str | None:
        """The name of a user's village."""
        if village_id is None:
            return None
        async with self._database.read() as session:
            return await session.scalar(select(Village.name).where(Village.id == village_id))

    async def create(
        self,
        username: str,
        display_name: str,
        role: Role,
        password: str,
        village_id: int | None = None,
        *,
        guard: Callable[[AsyncSession], Awaitable[None]] | None = None,
    ) -> Account:
        """Make a user. Raises HubError (weak password, taken name, village); `guard` may too, in the transaction."""
        username = username.casefold()
        self._passwords.require_good(password, username)
        hashed = await self._passwords.hash(password)
        try:
            async with self._database.write() as session:
                if guard is not None:
                    await guard(session)
                user = User(
                    username=username,
                    display_name=display_name,
                    role=role.value,
                    village_id=await _village(session, role, village_id),
                    password_hash=hashed,
                    created_at=self._clock.now(),
                )
                session.add(user)
                await session.flush()
                account = _account(user)
        except IntegrityError as error:
            raise HubError(
                Kind.CONFLICT, f"the user name {username} is taken", reason="username_taken", username=username
            ) from error
        return account

    async def change(self, user_id: int, change: Change) -> Account:
        """Change a user. Lost rights act at once: a new password or disabling ends the user's sessions."""
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
                user.display_name = change.display_name
            user.village_id = await _village(session, role, change.village_id or user.village_id)
            user.role, user.disabled = role.value, disabled
            if hashed is not None:
                user.password_hash = hashed
            if hashed is not None or disabled:
                await self._sessions.end_all(session, user_id)
            await session.flush()
            account = _account(user)
        self._tell(user_id)
        return account

    async def new_password(self, user_id: int, old: str, new: str, *, keep: str) -> None:
        """Change one's own password; all one's other sessions end. Raises HubError when `old` is wrong."""
        async with self._database.read() as session:
            user = await _existing(session, user_id)
        if not await self._passwords.verify(user.password_hash, old):
            raise HubError(Kind.FORBIDDEN, "the old password is wrong", reason="old_password_wrong")
        self._passwords.require_good(new, user.username)
        hashed = await self._passwords.hash(new)
        async with self._database.write() as session:
            await session.execute(update(User).where(User.id == user_id).values(password_hash=hashed))
            await self._sessions.end_all(session, user_id, keep=keep)
        self._tell(user_id)

    async def check(self, username: str, password: str) -> Account | None:
        """The user whose name and password these are; None (after the same time) for any other pair."""
        async with self._database.read() as session:
            user = await session.scalar(select(User).where(User.username == username.casefold()))
        right = await self._passwords.verify(user.password_hash if user is not None else None, password)
        if user is None or not right or user.disabled:
            return None
        values: dict[str, object] = {"last_login_at": self._clock.now()}
        if self._passwords.outdated(user.password_hash):
            values["password_hash"] = await self._passwords.hash(password)
        async with self._database.write() as session:
            await session.execute(update(User).where(User.id == user.id).values(values))
        return _account(user)

    def _tell(self, user_id: int) -> None:
        self._sessions.forget(user_id)
        self._bus.publish(AccessChanged(user_id))


async def _existing(session: AsyncSession, user_id: int) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise HubError(Kind.NOT_FOUND, "there is no such user")
    return user


async def _another_admin(session: AsyncSession, user: User) -> None:
    """Raise when no enabled township admin but `user` is left. Locks the rows: two admins cannot demote each other."""
    query = select(User.id).where(User.role == Role.TOWNSHIP_ADMIN.value, User.disabled.is_(False)).with_for_update()
    if not set(await session.scalars(query)) - {user.id}:
        raise HubError(
            Kind.CONFLICT,
            "this is the last township admin; make another one first",
            reason="last_admin",
        )


async def _village(session: AsyncSession, role: Role, village_id: int | None) -> int | None:
    """The village that the role is bound to: a village admin needs one, nobody else has one."""
    if role is not Role.VILLAGE_ADMIN:
        return None
    if village_id is None:
        raise HubError(Kind.INVALID, "a village admin needs a village", reason="village_needed")
    if await session.get(Village, village_id) is None:
        raise HubError(Kind.NOT_FOUND, "there is no such village")
    return village_id


def _account(user: User) -> Account:
    return Account(
        user.id,
        user.username,
        user.display_name,
        Role(user.role),
        user.village_id,
        user.disabled,
        user.created_at,
        user.last_login_at,
    )
