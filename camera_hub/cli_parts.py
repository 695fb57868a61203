"""Parts opened for a single shell command, with or without a running hub."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from camera_hub.access.accounts import Accounts
from camera_hub.access.audit.anchor import FILE_NAME as ANCHOR
from camera_hub.access.audit.anchor import AnchorFile
from camera_hub.access.audit.chain import anchor_anew
from camera_hub.access.audit.verify import AuditReport, AuditVerifier
from camera_hub.access.key_rotation import KeyRotation
from camera_hub.access.passwords import Passwords
from camera_hub.access.policy import Actor, Role
from camera_hub.access.sessions import Sessions
from camera_hub.access.vault import Vault
from camera_hub.api.record_words import both_words
from camera_hub.cameras.discovery.sweeps import FoundView, Sweeps
from camera_hub.cameras.hub_addresses import HubAddresses
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.reach import checking
from camera_hub.clock import Clock, SystemClock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus
from camera_hub.instance import only_instance
from camera_hub.patrol.proof.parts import FOLDER
from camera_hub.patrol.records.verify import patrol_kinds
from camera_hub.private_files import make_private
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.lock import only_hub
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Village

_POLL_SECONDS = 0.25
PROGRESS_SECONDS = 5.0
"""Between two lines that tell how far a long command has come."""


class ProgressLines:
    """Tells from time to time how far verifying a long audit chain has come; of a short one nothing."""

    def __init__(self, clock: Clock, tell: Callable[[str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._told = clock.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """See AuditProgress."""
        now = self._clock.monotonic()
        if now - self._told >= PROGRESS_SECONDS and total:
            self._told = now
            self._tell(f"{done:,} of {total:,} links verified ({100 * done // total} %)")


async def verify_audit(settings: Settings, tell: Callable[[str], None]) -> AuditReport:
    """Verify the audit chain and what it has sealed, with or without a running hub; changes nothing. `tell` gets a line
    every PROGRESS_SECONDS.

    Raises HubError when the database, its schema, the key file or the anchor's file cannot be read.
    """
    async with _as_it_is(settings) as database:
        return await _verifier(settings, database).verify(ProgressLines(SystemClock(), tell))


async def tell_restored(settings: Settings, words: str) -> None:
    """Record in the audit chain that an older state of the database was restored, and anchor it anew.

    Raises HubError: INVALID (nothing_restored) when the chain fits its anchor, UNAVAILABLE.
    """
    clock, data_dir = SystemClock(), settings.server.data_dir
    async with _as_it_is(settings) as database:
        report = await _verifier(settings, database).verify()
        told = {"tail_cut", "other_chain", "anchor_missing", "anchor_damaged"} & {one.reason for one in report.faults}
        if not told:
            raise HubError(
                Kind.INVALID, "the audit chain fits its anchor: there is nothing to tell", reason="nothing_restored"
            )
        await anchor_anew(
            database, Vault.open_or_create(data_dir / "vault.key"), clock, AnchorFile(data_dir / ANCHOR), words
        )


def _verifier(settings: Settings, database: Database) -> AuditVerifier:
    data_dir = settings.server.data_dir
    key = data_dir / "vault.key"
    # Without its file no key can be opened, and verifying says so; a new file would only hide that.
    vault = Vault.open_or_create(key) if key.exists() else Vault(os.urandom(32))
    kinds = patrol_kinds(database, PictureFiles(data_dir / FOLDER), both_words(settings))
    return AuditVerifier(database, vault, AnchorFile(data_dir / ANCHOR), kinds)


@asynccontextmanager
async def _as_it_is(settings: Settings) -> AsyncIterator[Database]:
    """The database without migrating it: a hub may be running on it. Raises HubError."""
    if settings.database_file is not None and not settings.database_file.exists():
        raise HubError(
            Kind.UNAVAILABLE,
            f"there is no database at {settings.database_file} to verify",
            reason="data_dir",
        )
    database = Database(settings.database_url)
    try:
        await database.check_schema()
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def accounts(settings: Settings) -> AsyncIterator[Accounts]:
    """The accounts. A running hub sees what is changed here within 5 s (access.sessions)."""
    clock = SystemClock()
    if not settings.database.url:
        make_private(settings.server.data_dir, settings.database_file)
    async with Database(settings.database_url) as database:
        sessions = Sessions(database, clock, settings.access.session_hours)
        passwords = Passwords(settings.access.password_min_length)
        yield Accounts(database, clock, EventBus(), passwords, sessions)


async def change_key(settings: Settings, tell: Callable[[str, int], None]) -> int:
    """A new key for the vault of a hub that is not running; `tell` gets each column's name and how many values were
    sealed anew. Returns how many values no key opens. Raises HubError: CONFLICT (a hub runs), UNAVAILABLE.
    """
    clock, data_dir = SystemClock(), settings.server.data_dir
    with only_instance(data_dir):
        make_private(data_dir, settings.database_file)
        async with Database(settings.database_url) as database, only_hub(database, clock):
            rotation = KeyRotation(database, Vault.open_or_create(data_dir / "vault.key"), clock)
            await rotation.begin()
            locked = 0
            for column in rotation.columns:
                done, skip, last = 0, 0, False
                while not last:
                    batch = await rotation.reseal(column, skip)
                    done, skip, last = done + batch.done, skip + batch.locked, batch.last
                tell(column.name, done)
                locked += skip
            await rotation.finish(locked, settle=0.0)
            return locked


async def discover(settings: Settings, ranges: Sequence[str]) -> list[FoundView]:
    """Devices that answer on the local networks and in the ranges (without ranges: by multicast only).

    The same search that pages start, over an empty register of its own: nothing is registered. Raises HubError for a
    bad range.
    """
    clock, bus = SystemClock(), EventBus()
    policy = HubAddresses(settings, clock)
    actor = Actor(0, "shell", "shell", Role.TOWNSHIP_ADMIN)
    with tempfile.TemporaryDirectory(prefix="camera-hub-") as folder:
        async with (
            Database(f"sqlite+aiosqlite:///{Path(folder) / 'empty.sqlite3'}") as database,
            Onvif(settings.discovery, clock, check=checking(None, policy)) as onvif,
            Sweeps(settings.discovery, onvif, bus, clock, database, policy) as sweeps,
        ):
            async with database.write() as session:
                village = Village(name="shell", created_at=clock.now())
                session.add(village)
                await session.flush()
                village_id = village.id
            sweep = await sweeps.start(actor, village_id, multicast=settings.discovery.multicast, ranges=ranges)
            while sweep.state == "running":
                await clock.sleep(_POLL_SECONDS)
                sweep = await sweeps.get(actor, sweep.id)
            return sweep.found
