"""Rooms opened for a single command of the shell, beside or without a running hub."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from camera_hub.access.accounts import Accounts
from camera_hub.access.passwords import Passwords
from camera_hub.access.sessions import Sessions
from camera_hub.clock import SystemClock
from camera_hub.events import EventBus
from camera_hub.settings import Settings
from camera_hub.store.database import Database


@asynccontextmanager
async def accounts(settings: Settings) -> AsyncIterator[Accounts]:
    """The accounts. A running hub sees what is changed here within 5 s (access.sessions)."""
    clock = SystemClock()
    if not settings.database.url:
        settings.server.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with Database(settings.database_url) as database:
        sessions = Sessions(database, clock, settings.access.session_hours)
        passwords = Passwords(settings.access.password_min_length)
        yield Accounts(database, clock, EventBus(), passwords, sessions)
