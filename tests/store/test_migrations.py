"""Rows of earlier versions, carried over: nothing of them is lost, on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.login_store import DatabaseLoginStore
from camera_hub.errors import HubError
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Favourite, StoredLogin, User, UserSession, UserVillage, Village
from tests.fakes.clock import ManualClock
from tests.store.test_database import drift


@pytest.mark.slow
async def test_accounts_logins_and_proofs_are_carried_over_from_the_first_versions(database: Database) -> None:
    """Rows of version 3, as they were in use, with what points to them: all of it is there afterwards."""
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")

    def fill(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.downgrade(config, "0003")
        values = {"now": "2026-11-23 08:00:00+00:00", "no": False, "sealed": b"\x01\x02"}

        def add(sql: str) -> None:
            sync.execute(text(sql), values)

        for village in (1, 2):
            add(
                "INSERT INTO villages (id, name, kind, position, pinyin, initials, ranges, created_at)"
                f" VALUES ({village}, '村{village}', 'village', {village}, '', '', '[]', :now)"
            )
        for user, role, bound in (
            (1, "township_admin", "NULL"),
            (2, "village_admin", "2"),
            (3, "village_admin", "NULL"),
        ):
            add(
                "INSERT INTO users (id, username, display_name, role, village_id, password_hash, disabled, created_at)"
                f" VALUES ({user}, 'u{user}', 'U', '{role}', {bound}, '-', :no, :now)"
            )
        add("INSERT INTO sessions VALUES ('a', 2, :now, :now, :now, '', '')")
        for device, username, sealed in ((1, "'admin'", ":sealed"), (2, "NULL", "NULL")):
            add(
                "INSERT INTO devices (id, village_id, kind, name, host, onvif_path, manufacturer, model, firmware,"
                " serial, mac, endpoint, username, password_sealed, credentials_version, created_at) VALUES"
                f" ({device}, 1, 'camera', '', 'h', '/', '', '', '', '', '', '', {username}, {sealed}, 7, :now)"
            )
        proofs = ["NULL", "NULL", "'no_media'", "'busy'", "'retired'", "NULL"]
        pictures = [":now", "NULL", "NULL", "NULL", ":now", "NULL"]
        for camera, (proof, picture) in enumerate(zip(proofs, pictures, strict=True), 1):
            state = "retired" if camera == 6 else "approved"
            add(
                "INSERT INTO cameras (id, device_id, village_id, channel, name, pinyin, initials, place_class,"
                " position, state, health, proof, picture_at, created_at)"
                f" VALUES ({camera}, 1, 1, 'c{camera}', '', '', '', 'other', 0,"
                f" '{state}', 'ok', {proof}, {picture}, :now)"
            )
        add("INSERT INTO favourites VALUES (2, 1, :now)")

    async with database.write() as session:
        await (await session.connection()).run_sync(fill)
    async with Database(database.url.render_as_string(hide_password=False)) as later:
        assert await drift(later) == []
        async with later.read() as session:
            users = (await session.scalars(select(User).order_by(User.id))).all()
            assert [user.all_villages for user in users] == [True, False, False]
            (grant,) = (await session.scalars(select(UserVillage))).all()
            assert (grant.user_id, grant.village_id, grant.valid_from, grant.valid_until) == (2, 2, None, None)
            assert [one.user_id for one in await session.scalars(select(UserSession))] == [2]
            assert [one.camera_id for one in await session.scalars(select(Favourite))] == [1]
            (login,) = (await session.scalars(select(StoredLogin))).all()
            assert (login.device_id, login.purpose, login.username) == (1, "ordinary", "admin")
            assert (login.sealed, login.version) == (b"\x01\x02", 7)
            cameras = (await session.scalars(select(Camera).order_by(Camera.id))).all()
        found = [(one.proof_state, one.proof_reason, one.proof_due_at is not None) for one in cameras]
        waits = ("pending", None, True)
        failed = ("failed", "no_media", False)
        # One that had never shown a picture, and those whom the hub's own trouble was put down to, are tried again.
        assert found == [("proved", None, False), waits, failed, waits, waits, ("pending", None, False)]


@pytest.mark.slow
async def test_refused_logins_are_carried_over_with_the_times_that_their_plan_implies(database: Database) -> None:
    now = datetime.now(UTC)
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")

    def fill(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.downgrade(config, "0009")
        for number, host in enumerate(("192.0.2.7", "::ffff:192.0.2.8", "cam.village", "192.0.2.9"), 1):
            sync.execute(
                text(
                    "INSERT INTO devices (id, village_id, kind, name, host, onvif_path, manufacturer, model, firmware,"
                    " serial, mac, endpoint, credentials_version, created_at)"
                    " VALUES (:id, 1, 'camera', '', :host, '/', '', '', '', '', '', '', 3, :now)"
                ),
                {"id": number, "host": host, "now": now},
            )
        rows = (  # 1: tried for days; 2: twice, just now; 3: once; 4: with a login that it does not have any more
            (1, 3, '{"onvif": 6, "rtsp": 6}', now + timedelta(hours=4), "wrong_password"),
            (2, 3, '{"rtsp": 2}', now + timedelta(minutes=29), "locked_out"),
            (3, 3, '{"rtsp": 1}', None, "wrong_password"),
            (4, 2, '{"rtsp": 2}', now - timedelta(days=9), "wrong_password"),
        )
        for device, version, failures, until, reason in rows:
            sync.execute(
                text("INSERT INTO login_accounts VALUES (:device, :version, :failures, :until, :reason)"),
                {"device": device, "version": version, "failures": failures, "until": until, "reason": reason},
            )

    async with database.write() as session:
        session.add(Village(id=1, name="东村", created_at=now))
    async with database.write() as session:
        await (await session.connection()).run_sync(fill)
    async with Database(database.url.render_as_string(hide_password=False)) as later:
        assert await drift(later) == []
        async with LoginBudget(ManualClock(now), DatabaseLoginStore(later)) as budget:
            keys = [
                budget.account(DeviceLogin("admin", "secret", 3, device), address, 554)
                for device, address in enumerate(("192.0.2.7", "192.0.2.8", "cam.village", "192.0.2.9"), 1)
            ]
            assert [budget.wait(key, "rtsp") for key in keys] == pytest.approx([4 * 3600, 29 * 60, 0, 0], abs=2)
            assert [budget.pause(device).tries_left for device in (1, 2, 3, 4)] == [2, 4, 5, 6]
            again = budget.account(DeviceLogin("admin", "another", 4, 1), "192.0.2.7", 554)
            assert budget.wait(again, "rtsp") == 0


@pytest.mark.slow
async def test_a_migration_that_would_leave_rows_pointing_nowhere_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite3'}"
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")

    def back(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.downgrade(config, "0003")

    async with Database(url) as database:
        async with database.write() as session:
            await (await session.connection()).run_sync(back)
        async with database.engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.execute("PRAGMA foreign_keys=OFF")
            await raw.execute("INSERT INTO favourites VALUES (8, 9, '2026-11-23 08:00:00')")
            await raw.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(HubError, match="favourites") as caught:
        async with Database(url):
            pass
    assert caught.value.reason == "schema_broken"
