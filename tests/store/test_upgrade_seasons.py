"""Seasons of plans: older plans keep their meaning; under an older hub what has a season rests."""

from datetime import UTC, date, datetime

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text

from camera_hub.patrol.plans.rules import YearlySeason
from camera_hub.patrol.plans.stored import rules_of
from camera_hub.store.database import Database
from camera_hub.store.tables import Plan, Tour
from tests.store.test_database import drift

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


async def test_plans_keep_their_days_and_rest_where_seasons_are_unknown(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")

    def move(sync: Connection, revision: str, *, back: bool = False) -> None:
        config.attributes["connection"] = sync
        (command.downgrade if back else command.upgrade)(config, revision)

    async with database.write() as session:
        tour = Tour(name="水域", created_at=NOW)
        session.add(tour)
        await session.flush()
        rule = {"times": ["09:00"], "every": None}
        for name, last, seasons in (
            ("有效期", date(2027, 9, 15), []),
            ("每年", None, [{"first": "11-15", "last": "03-15"}]),
        ):
            session.add(
                Plan(
                    name=name, tour_id=tour.id, last_day=last, seasons=seasons, rule=rule,
                    created_at=NOW, changed_at=NOW, made_until=NOW,
                )
            )  # fmt: skip
    async with database.write() as session:
        await (await session.connection()).run_sync(lambda sync: move(sync, "0041", back=True))
        rows = await session.execute(text("SELECT name, enabled FROM plans ORDER BY id"))
        assert [(name, bool(enabled)) for name, enabled in rows] == [("有效期", True), ("每年", False)]
        await session.execute(text("UPDATE plans SET enabled = true"))
        await (await session.connection()).run_sync(lambda sync: move(sync, "head"))
    url = database.url.render_as_string(hide_password=False)
    async with Database(url) as later:
        assert await drift(later) == []
        async with later.write() as session:
            plans = (await session.scalars(select(Plan).order_by(Plan.id))).all()
            assert [(one.seasons, rules_of(one).last_day) for one in plans] == [([], date(2027, 9, 15)), ([], None)]
            plans[0].seasons = [{"first": "02-29", "last": "06-01"}]
            await session.flush()
            assert rules_of(plans[0]).seasons == (YearlySeason((2, 29), (6, 1)),)
