"""A new key for the vault: everything is sealed anew, whatever happens on the way still opens, and no column is left
out."""

import base64
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub import cli_parts
from camera_hub.access import key_rotation
from camera_hub.access.key_rotation import KeyRotation
from camera_hub.access.policy import Actor, Role
from camera_hub.access.sealed_columns import SealedColumn, sealed_columns
from camera_hub.access.vault import Vault
from camera_hub.cameras.bulk.key_change import KeyChange
from camera_hub.cameras.jobs import Jobs
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus
from camera_hub.instance import only_instance
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    AuditKey,
    Base,
    Camera,
    Device,
    IntakeCandidate,
    LoginProfile,
    NoticeChannel,
    Sealed,
    SheetImport,
    SheetImportRow,
    StoredLogin,
    Stream,
    Village,
)
from tests.fakes.clock import ManualClock

ADMIN = Actor(1, "admin", "管理员", Role.TOWNSHIP_ADMIN)
DEVICES = 7


async def filled(database: Database, vault: Vault, clock: ManualClock) -> None:
    """Rows of every sealed column, each with a secret that names its column and owner."""
    now = clock.now()
    async with database.write() as session:
        village = Village(name="董家村", created_at=now)
        session.add(village)
        await session.flush()
        signed: dict[str, Any] = {"changed_at": now, "changed_by": 1, "changed_name": "x", "created_at": now}
        session.add(LoginProfile(village_id=village.id, name="p", username="u", sealed=b"", **signed))
        session.add(AuditKey(sealed=b"", created_at=now))
        session.add(NoticeChannel(name="n", url_sealed=b"", secrets_sealed=b"", created_at=now))
        tried: dict[str, Any] = {"reason": "x", "tried_at": now, "created_at": now}
        session.add(IntakeCandidate(village_id=village.id, host="h", sealed=b"", source="sheet", **tried))
        sheet = SheetImport(name="x.xlsx", state="preview", sealed_cells=b"", created_at=now)
        session.add(sheet)
        await session.flush()
        for number in (2, 3):
            session.add(SheetImportRow(import_id=sheet.id, number=number, sealed=b"", verdict="good"))
        for number in range(DEVICES):
            device = Device(village_id=village.id, name=f"d{number}", host=f"10.0.0.{number}", created_at=now)
            session.add(device)
            await session.flush()
            camera = Camera(device_id=device.id, village_id=village.id, channel="1", name="c", created_at=now)
            camera.state = camera.health = "x"
            session.add(camera)
            await session.flush()
            session.add(StoredLogin(device_id=device.id, purpose="ordinary", username="u", sealed=b"", version=1))
            session.add(Stream(camera_id=camera.id, role="main", sealed_uri=b""))
            session.add(Stream(camera_id=camera.id, role="sub", sealed_uri=None))
        await session.flush()
        for column in sealed_columns():
            for keys, subject in await rows(session, column):
                owner = column.owner(subject)
                sealed = vault.seal(f"{column.name} of {owner}", owner)
                await session.execute(update(column.table).where(*keys).values({column.column.name: sealed}))


async def rows(session: AsyncSession, column: SealedColumn) -> list[tuple[list[Any], Any]]:
    """Of each row with a value its primary key, as a condition, and its subject."""
    primary = list(column.table.primary_key.columns)
    found = await session.execute(select(*primary, column.subject).where(column.column.is_not(None)))
    return [([one == value for one, value in zip(primary, row, strict=False)], row[-1]) for row in found]


async def check_all_open(database: Database, vault: Vault) -> int:
    """Open everything; how many values there are."""
    number = 0
    async with database.read() as session:
        for column in sealed_columns():
            found = await session.execute(select(column.column, column.subject).where(column.column.is_not(None)))
            opened = [(vault.open(sealed, column.owner(subject)), column.owner(subject)) for sealed, subject in found]
            assert opened, f"{column.name} has no row: add one in this test"
            assert all(text == f"{column.name} of {owner}" for text, owner in opened)
            number += len(opened)
    return number


def ring(path: Path) -> list[bytes]:
    """The keys in the file, which is the only one, and its owner's alone."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    return path.read_bytes().split()


async def rotate(rotation: KeyRotation) -> None:
    """All steps, as the command line does them."""
    await rotation.begin()
    for column in rotation.columns:
        while not (await rotation.reseal(column)).last:
            pass
    await rotation.finish(settle=0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.key"


async def test_everything_is_sealed_with_the_new_key_alone(
    database: Database, clock: ManualClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 3)
    before = Vault.open_or_create(path)
    await filled(database, before, clock)
    rotation = KeyRotation(database, before, clock)
    state = await rotation.state()
    assert (state.keys, state.old) == (1, 0)
    await rotate(rotation)
    assert (await rotation.state()).keys == 1
    after = Vault.open_or_create(path)
    assert await check_all_open(database, after) == state.sealed
    assert await check_all_open(database, before) == state.sealed  # the hub that serves goes on with it
    assert len(ring(path)) == 1


class Killed(BaseException):
    """The process ends here."""


async def test_killed_between_any_two_steps_everything_opens_and_the_next_start_goes_on(
    database: Database, clock: ManualClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps: each write to the key file, before and after it takes its place, and each commit."""
    monkeypatch.setattr(key_rotation, "BATCH", 4)
    await filled(database, Vault.open_or_create(path), clock)
    first = ring(path)
    left = [0]

    def step() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    replace, write = os.replace, database.write

    def replaced(one: Path, other: Path) -> None:
        step()
        replace(one, other)
        step()

    @asynccontextmanager
    async def written() -> AsyncIterator[AsyncSession]:
        async with write() as session:
            yield session
            step()  # before the commit
        step()

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(database, "write", written)
    kills = 0
    for number in range(1, 100):
        left[0] = number
        try:
            await rotate(KeyRotation(database, Vault.open_or_create(path), clock))
        except Killed:
            kills += 1
        else:
            break
        assert await check_all_open(database, Vault.open_or_create(path)) > 0
        assert len(ring(path)) <= 2  # continued, not begun again and again
    assert kills > 10
    left[0] = 0
    await rotate(KeyRotation(database, Vault.open_or_create(path), clock))
    assert await check_all_open(database, Vault.open_or_create(path)) > 0
    assert len(ring(path)) == 1
    assert ring(path) != first


async def test_the_old_key_stays_as_long_as_anything_is_sealed_with_it(
    database: Database, clock: ManualClock, path: Path
) -> None:
    """A transaction that sealed before the new key came may be committed last: then nothing is removed yet."""
    vault = Vault.open_or_create(path)
    await filled(database, vault, clock)
    late = Vault.open_or_create(path).seal("late", 1)
    rotation = KeyRotation(database, vault, clock)
    await rotation.begin()
    with pytest.raises(HubError) as unfinished:
        await rotation.finish(settle=0.0)
    assert unfinished.value.reason == "rotation_unfinished"
    for column in rotation.columns:
        await rotation.reseal(column)
    async with database.write() as session:
        await session.execute(update(StoredLogin).where(StoredLogin.device_id == 1).values(sealed=late))
    with pytest.raises(HubError) as unfinished:
        await rotation.finish(settle=0.0)
    assert unfinished.value.params == {"left": 1}
    await rotate(rotation)
    async with database.read() as session:
        sealed = await session.scalar(select(StoredLogin.sealed).where(StoredLogin.device_id == 1))
    assert Vault.open_or_create(path).open(sealed or b"", 1) == "late"


async def test_what_no_key_opens_stays_and_holds_nothing_up(
    database: Database, clock: ManualClock, bus: EventBus, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 2)
    monkeypatch.setattr(key_rotation.KeyRotation.finish, "__defaults__", (0, 0.0))
    vault = Vault.open_or_create(path)
    await filled(database, vault, clock)
    strange = Vault(b"\x05" * 32)
    while strange.newest_id != vault.newest_id:  # the new key's id may be any but this one
        strange = Vault(os.urandom(32))
    lost = strange.seal("?", 3)
    async with database.write() as session:
        await session.execute(update(StoredLogin).where(StoredLogin.device_id.in_([1, 3])).values(sealed=lost))
    async with Jobs(clock, bus) as jobs:
        change = KeyChange(KeyRotation(database, vault, clock), jobs)
        job = await change.start(ADMIN)
        with pytest.raises(HubError) as busy:
            await change.start(ADMIN)
        assert busy.value.reason == "rotation_running"
        while jobs.get(ADMIN, job.id).state == "running":
            await clock.advance(1.0)
        view = jobs.get(ADMIN, job.id)
        state = await change.state()
        await change.start(ADMIN)  # over, so that the next one may begin
    assert (view.state, view.failed, view.verdicts[-1].reason) == ("done", 0, "values_locked")
    assert view.verdicts[-1].params == {"count": 2}
    assert (state.keys, state.old) == (1, 2)
    async with database.read() as session:
        kept = await session.scalar(select(func.count()).where(StoredLogin.sealed == lost))
    assert kept == 2


def test_a_new_key_has_an_id_of_its_own(path: Path) -> None:
    """The id is one byte: with 200 keys in the ring most random ones would share another's."""
    keys = [number.to_bytes(32, "big") for number in range(1, 201)]
    path.write_bytes(b"".join(base64.b64encode(key) + b"\n" for key in keys))
    path.chmod(0o400)
    vault = Vault.open_or_create(path)
    sealed = vault.seal("x", 1)
    for _ in range(20):
        vault.add_key()
        assert vault.newest_is_told_apart
    assert vault.open(sealed, 1) == "x"
    vault.drop_old_keys()
    assert vault.key_count == 1
    with pytest.raises(HubError):
        vault.open(sealed, 1)


def test_a_key_file_that_was_changed_by_hand_is_not_overwritten(path: Path) -> None:
    vault = Vault.open_or_create(path)
    path.chmod(0o600)
    path.write_bytes(base64.b64encode(b"\x07" * 32) + b"\n")
    path.chmod(0o400)
    for change in (vault.add_key, vault.drop_old_keys):
        with pytest.raises(HubError, match="changed by hand"):
            change()
    assert path.read_bytes() == base64.b64encode(b"\x07" * 32) + b"\n"


@pytest.mark.slow
async def test_the_command_line_changes_no_key_of_a_hub_that_runs(tmp_path: Path, clock: ManualClock) -> None:
    settings = Settings.model_validate({"server": {"data_dir": tmp_path}})
    with only_instance(tmp_path), pytest.raises(HubError) as refused:
        await cli_parts.change_key(settings, lambda name, done: None)
    assert (refused.value.kind, refused.value.reason) == (Kind.CONFLICT, "second_instance")
    told: dict[str, int] = {}
    async with Database(settings.database_url) as database:
        await filled(database, Vault.open_or_create(tmp_path / "vault.key"), clock)
    first = ring(tmp_path / "vault.key")
    assert await cli_parts.change_key(settings, told.__setitem__) == 0
    assert told["device_logins.sealed"] == DEVICES
    assert first != ring(tmp_path / "vault.key")
    async with Database(settings.database_url) as database:
        assert await check_all_open(database, Vault.open_or_create(tmp_path / "vault.key")) == sum(told.values())


def test_every_sealed_column_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {one.name for one in sealed_columns()}
    assert {
        "device_logins.sealed",
        "streams.sealed_uri",
        "notice_channels.secrets_sealed",
        "notice_channels.url_sealed",
        "login_profiles.sealed",
    } <= known
    metadata = MetaData()
    Table("new_things", metadata, Column("secret", Sealed))
    monkeypatch.setattr(Base, "metadata", metadata)
    with pytest.raises(LookupError, match=r"new_things\.secret"):
        sealed_columns()
