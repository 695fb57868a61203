"""The browsers of screens: enrolled once by a short code, known afterwards by a token of which only the hash is stored.

A code has few digits, since it is typed on a machine that has hardly a keyboard: it ends after some minutes, is used
once, and wrong ones are braked as wrong passwords are (access.throttle). The token has no end of its own, so that a
screen returns after any power cut; it is revoked by one click, replaced by each new enrolment, and accepted by nothing
but the screen's own page (api.screen_login). It is not rotated: a power cut between two halves of that would leave the
screen outside.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from camera_hub.access.actors import screen_actor
from camera_hub.access.policy import Actor
from camera_hub.access.throttle import SignInAttempt, Throttle
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import AccessChanged, EventBus, ScreenChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Screen

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=15)
_ACCOUNT = "screen code"
"""What failures are counted for; a space in it: no user has this name."""


@dataclass(frozen=True, slots=True)
class ScreenCode:
    """A new code, which cannot be read again."""

    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A browser that has become a screen's. The token goes into its cookie and nowhere else."""

    screen_id: int
    token: str = field(repr=False)


class ScreenTokens:
    """Codes and tokens of screens."""

    def __init__(self, database: Database, clock: Clock, bus: EventBus, throttle: Throttle) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._throttle = throttle

    async def new_code(self, screen_id: int) -> ScreenCode:
        """A code for the screen; an earlier one ends. The browser that is enrolled stays until the code is used.

        Raises HubError(NOT_FOUND).
        """
        expires_at = self._clock.now() + CODE_LIFETIME
        for _ in range(8):  # two screens with the same code: another one is drawn
            code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
            try:
                async with self._database.write() as session:
                    found = await session.scalar(
                        update(Screen)
                        .where(Screen.id == screen_id)
                        .values(code_hash=_hash(code), code_expires_at=expires_at)
                        .returning(Screen.id)
                    )
            except IntegrityError:
                continue
            if found is None:
                raise HubError(Kind.NOT_FOUND, "there is no such screen")
            self._bus.publish(ScreenChanged(screen_id))
            return ScreenCode(code, expires_at)
        raise HubError(Kind.BUSY, "no free code was found; try again")

    async def enrol(self, code: str, *, address: str) -> Enrolled:
        """Use a code up. Raises HubError: FORBIDDEN "screen_code_bad", BUSY "too_many_codes"."""
        attempt = SignInAttempt(_ACCOUNT, address)
        try:
            await self._throttle.attempt(attempt)
        except HubError as error:
            if error.reason != "too_many_failures":
                raise
            seconds = error.params.get("retry_in", 1)
            raise HubError(
                Kind.BUSY,
                f"too many wrong codes; try again in {seconds} s",
                reason="too_many_codes",
                retry_in=seconds,
            ) from error
        token, now = secrets.token_urlsafe(32), self._clock.now()
        async with self._database.write() as session:
            # One statement decides between two browsers that use the code at the same moment.
            screen_id = await session.scalar(
                update(Screen)
                .where(Screen.code_hash == _hash(code), Screen.code_expires_at > now)
                .values(
                    code_hash=None,
                    code_expires_at=None,
                    token_hash=_hash(token),
                    enrolled_at=now,
                    seen_at=now,
                    address=address[:64],
                )
                .returning(Screen.id)
            )
        if screen_id is None:
            raise HubError(
                Kind.FORBIDDEN,
                "this code is wrong, used or expired; have a new one made on the page of the screens",
                reason="screen_code_bad",
            )
        await self._throttle.succeeded(attempt)
        self._changed(screen_id)
        return Enrolled(screen_id, token)

    async def actor(self, token: str) -> Actor | None:
        """The screen of the token; None when it is unknown or was revoked."""
        async with self._database.read() as session:
            screen = await session.scalar(select(Screen).where(Screen.token_hash == _hash(token)))
        return None if screen is None else screen_actor(screen)

    async def revoke(self, screen_id: int) -> None:
        """The screen's browser, and its code, are accepted no more. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            found = await session.scalar(
                update(Screen)
                .where(Screen.id == screen_id)
                .values(token_hash=None, enrolled_at=None, code_hash=None, code_expires_at=None)
                .returning(Screen.id)
            )
        if found is None:
            raise HubError(Kind.NOT_FOUND, "there is no such screen")
        self._changed(screen_id)

    def _changed(self, screen_id: int) -> None:
        """Pages in which an earlier browser of the screen is signed in are judged again."""
        self._bus.publish(AccessChanged(-screen_id))
        self._bus.publish(ScreenChanged(screen_id))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
