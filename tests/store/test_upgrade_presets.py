"""Presets of stops, from one per stop to one per camera and back: nothing is lost that the older hub knows."""

import json
from datetime import UTC, datetime
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text

from camera_hub.patrol.runs.itinerary import ItineraryPreset, from_rows
from camera_hub.store.database import Database
from camera_hub.store.tables import Run, TourStop, TourStopPreset, Village
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village
from tests.store.test_database import drift

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


def _stop(position: int, cameras: list[int], **more: Any) -> dict[str, Any]:
    tiles = [{"id": one, "name": "", "village": ""} for one in cameras]
    return {"position": position, "dwell_s": 9, "name": "", "note": "", "layout": "1", "cameras": tiles, **more}


def _add(sync: Connection, table: str, **values: Any) -> None:
    columns = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    sync.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), values)


def _run(sync: Connection, id: int, state: str, itinerary: list[dict[str, Any]]) -> None:
    no = dict.fromkeys(("lap", "position", "revision", "steps", "shown", "skipped", "rolled_up", "more_alarms"), 0)
    _add(
        sync, "runs", id=id, tour_id=1, tour_name="t", itinerary=json.dumps(itinerary), state=state, loop=False,
        anchor_at=NOW, started_at=NOW, elapsed_s=0.0, extended_s=0.0, started_name="", operator_name="",
        confirm="screen", least_s=3, interrupt="none", **no,
    )  # fmt: skip


async def test_presets_of_single_cameras_are_carried_over_and_back(database: Database) -> None:
    cameras = await add_village(database, ManualClock(NOW), "东沟村", 3)
    config = Config()
    config.set_main_option("script_location", "camera_hub:store/migrations")
    sealed = [_stop(0, [cameras[0]], preset="3", key=True), _stop(1, [cameras[1]], preset=None, key=False)]

    def older(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.downgrade(config, "0039")
        _add(sync, "tours", id=1, name="t", note="", roles="[]", edit_roles="[]", confirm="screen", least_s=3,
             interrupt="none", revision=1, changed_name="", created_at=NOW)  # fmt: skip
        for position, (camera, preset, name) in enumerate(
            [(cameras[0], "3", "桥东"), (cameras[1], None, ""), (cameras[2], "7", "")]
        ):
            _add(sync, "tour_stops", id=position + 1, tour_id=1, position=position, camera_id=camera, title="",
                 dwell_s=9, note="", preset=preset, preset_name=name, key=False)  # fmt: skip
        _run(sync, 1, "ended", sealed)

    async with database.write() as session:
        await (await session.connection()).run_sync(older)
    url = database.url.render_as_string(hide_password=False)
    async with Database(url) as later:
        assert await drift(later) == []
        async with later.write() as session:
            kept = (await session.scalars(select(TourStopPreset).order_by(TourStopPreset.stop_id))).all()
            assert [(one.stop_id, one.camera_id, one.token, one.name) for one in kept] == [
                (1, cameras[0], "3", "桥东"),
                (3, cameras[2], "7", ""),
            ]
            stored = await session.scalar(select(Run.itinerary).where(Run.id == 1))
            assert stored == sealed, "what is sealed is not written anew"
            assert from_rows(stored or ())[0].presets == (ItineraryPreset(cameras[0], "3"),)
            # What only the present hub knows: presets of several cameras.
            session.add(TourStop(id=4, tour_id=1, position=3, layout="4", cameras=cameras[:2], dwell_s=9))
            await session.flush()
            session.add(TourStopPreset(stop_id=4, camera_id=cameras[1], token="2", name="门口"))

            def newer(sync: Connection) -> None:
                two = [{"camera_id": one, "token": "2", "name": "门口"} for one in cameras[:2]]
                _run(sync, 2, "running", [_stop(0, cameras[:1], presets=two[:1]), _stop(1, cameras[:2], presets=two)])
                _run(sync, 3, "paused", [_stop(0, cameras[:1])])

            await (await session.connection()).run_sync(newer)

    def back(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.downgrade(config, "0039")

    def forth(sync: Connection) -> None:
        config.attributes["connection"] = sync
        command.upgrade(config, "head")

    async with database.write() as session:
        await (await session.connection()).run_sync(back)
        stops = await session.execute(text("SELECT preset, preset_name FROM tour_stops ORDER BY position"))
        assert [tuple(row) for row in stops] == [("3", "桥东"), (None, ""), ("7", ""), (None, "")]
        rows = (await session.execute(text("SELECT itinerary FROM runs ORDER BY id"))).scalars()
        found = [json.loads(one) if isinstance(one, str) else one for one in rows]
        assert found[0] == sealed
        assert [stop.get("preset") for stop in found[1]] == ["2", None]
        assert not any("presets" in stop for stop in found[1])
        assert found[2] == [_stop(0, cameras[:1])]
        await (await session.connection()).run_sync(forth)
    assert await drift(database) == []
    async with database.read() as session:
        assert await session.scalar(select(Village.name)) == "东沟村"
