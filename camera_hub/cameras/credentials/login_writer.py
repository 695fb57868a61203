"""Writes what has changed of remembered logins: together, and before an attempt whoever waits for it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from camera_hub.cameras.credentials.login_memory import Kept, RememberedLogin
from camera_hub.clock import Clock

SAVE_SECONDS = 1.0
"""What nobody waits for goes together, after so many seconds."""


class LoginStore(Protocol):
    """Stores the counts (credentials.login_store)."""

    async def load(self) -> list[Kept]:
        """Everything that is stored."""
        ...

    async def save(self, kept: Sequence[Kept], gone: Sequence[str]) -> None:
        """Write these in one transaction, and delete those of the names in `gone`."""
        ...


class LoginWriter:
    """`kept` gives a login's row, None when it is to be deleted; asked when it is written."""

    def __init__(self, store: LoginStore | None, clock: Clock, kept: Callable[[RememberedLogin], Kept | None]) -> None:
        self._store = store
        self._clock = clock
        self._kept = kept
        self._unsaved: dict[str, RememberedLogin] = {}
        self._urgent = False
        self._marks = self._saved = 0
        self._saving = asyncio.Lock()
        self._changed = asyncio.Event()

    def mark(self, login: RememberedLogin, *, urgent: bool = False) -> None:
        """It is to be written; what is `urgent` does not wait for others."""
        if self._store is not None:
            self._unsaved[login.name] = login
            self._marks += 1
            self._urgent |= urgent
            self._changed.set()

    async def run(self) -> None:
        """Write what is marked, again and again."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._urgent:
                await self._clock.sleep(SAVE_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Return when everything marked so far is written; callers at the same time share a transaction."""
        mark = self._marks
        if self._store is None or self._saved >= mark:
            return
        async with self._saving:
            if self._saved >= mark:
                return
            covers, self._urgent = self._marks, False
            unsaved, self._unsaved = self._unsaved, {}
            try:
                rows = {name: self._kept(login) for name, login in unsaved.items()}
                kept = [row for row in rows.values() if row is not None]
                await self._store.save(kept, [name for name, row in rows.items() if row is None])
            except BaseException:
                self._unsaved = unsaved | self._unsaved
                self._changed.set()
                raise
            self._saved = covers
