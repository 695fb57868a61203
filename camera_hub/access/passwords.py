"""Passwords: which are acceptable, and hashing with argon2id off the event loop.

The parameters are OWASP's second choice (19 MiB, 2 passes, 1 lane; about 30 ms). At most `SLOTS` hashes run at a time
and `WAITING` may wait, so that a flood of sign-ins can neither exhaust the memory nor block the loop. Browsers that are
not known yet have one more place, which rests for `REST` times as long as each of their hashes took: whatever strangers
send, they take a quarter of one core, and who is known or signed in does not wait behind them.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from camera_hub.errors import HubError, Kind

SLOTS = 1
WAITING = 32
STRANGERS_WAITING = 16
REST = 3.0
RETRY_SECONDS = 3
MAX_LENGTH = 256
T = TypeVar("T")

_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
)
_PLAIN = frozenset(
    {"password", "passw0rd", "p@ssw0rd", "admin", "administrator", "camera", "camerahub", "letmein", "welcome"}
)


class Passwords:
    """Hashes and verifies passwords. `min_length` from the settings applies to new passwords only."""

    def __init__(self, min_length: int, hasher: PasswordHasher | None = None) -> None:
        self._min_length = min_length
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._places = _Places(SLOTS, WAITING, 0.0)
        self._strangers = _Places(1, STRANGERS_WAITING, REST)
        self._dummy_hash: str | None = None

    def require_good(self, password: str, username: str) -> None:
        """Raise HubError(INVALID), which says what is wrong, if a new password is too weak."""
        if (lack := weakness(password, username, self._min_length)) is not None:
            raise HubError(Kind.INVALID, _LACKS[lack].format(self._min_length), reason=lack, min=self._min_length)

    async def hash(self, password: str) -> str:
        """The argon2id hash to be stored. Raises HubError(BUSY) when too many wait."""
        return await self._places.run(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str, *, stranger: bool = False) -> bool:
        """Whether the password is right. `stored` None (no such user) takes as long and is never right.

        Raises HubError(BUSY) when too many wait.
        """
        places = self._strangers if stranger else self._places
        if stored is None:
            if self._dummy_hash is None:
                self._dummy_hash = await places.run(self._hasher.hash, secrets.token_urlsafe(16))
            await places.run(self._check, self._dummy_hash, password)
            return False
        return await places.run(self._check, stored, password)

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than the present ones."""
        return self._hasher.check_needs_rehash(stored)

    def _check(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


class _Places:
    """So many pieces of work at a time, and so many that wait; a place rests for `rest` times as long as it worked."""

    def __init__(self, places: int, waiting: int, rest: float) -> None:
        self._free = asyncio.Semaphore(places)
        self._limit = places + waiting
        self._rest = rest
        self._inside = 0

    async def run(self, work: Callable[..., T], *args: str) -> T:
        """The result of the work, done in a thread. Raises HubError(BUSY)."""
        if self._inside >= self._limit:
            raise HubError(
                Kind.BUSY, "too many people are signing in at once; try again in a few seconds", retry_in=RETRY_SECONDS
            )
        self._inside += 1
        try:
            await self._free.acquire()
        except BaseException:
            self._inside -= 1
            raise
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await asyncio.to_thread(work, *args)
        finally:
            self._inside -= 1
            loop.call_later(self._rest * (loop.time() - began), self._free.release)


_LACKS = {
    "password_short": "the password is too short; choose at least {} characters",
    "password_long": f"the password is too long; choose at most {MAX_LENGTH} characters",
    "password_username": "the password must not be the user name",
    "password_trivial": "the password is too easy to guess (one character repeated, a row of keys, a common word)",
}


def weakness(password: str, username: str, min_length: int) -> str | None:
    """Why a new password is refused (a reason code), or None. Pure."""
    if len(password) < min_length:
        return "password_short"
    if len(password) > MAX_LENGTH:
        return "password_long"
    plain = password.casefold()
    name = username.casefold()
    if len(name) >= 2 and plain.replace(name, "").strip("0123456789!@#.-_") == "" and name in plain:
        return "password_username"
    if len(set(plain)) <= 2 or _is_run(plain) or plain.strip("0123456789!@#.-_") in _PLAIN:
        return "password_trivial"
    return None


def _is_run(text: str) -> bool:
    """Whether it is part of a keyboard or alphabet row, forwards or backwards, once or twice ("123456123456")."""
    half = text[: len(text) // 2]
    candidates = [text, half] if len(text) >= 8 and text == half * 2 else [text]
    return any(part in run or part in run[::-1] for part in candidates for run in _RUNS)
