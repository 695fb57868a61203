"""`bench history`: how large the history of a site becomes, and what rolling it up costs.

A separate database (SQLite in a new file unless another is given) gets what a year of rounds leaves: the looks of three
days, hours of sixty, days of four hundred, and the states of four hundred days. Everything is written as the hub writes
it, for so many cameras; sizes are those of the database itself, and scaled by the number of cameras alone.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from camera_hub.bench.lines import Lines
from camera_hub.clock import Clock
from camera_hub.errors import Reason
from camera_hub.health.rollup.rollup import RollUp
from camera_hub.health.rollup.tally import GOOD, LOOK_COLUMNS, LookTally
from camera_hub.settings import HealthSettings, SiteSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Base,
    Camera,
    CameraState,
    Device,
    Observation,
    ObservationDay,
    ObservationHour,
    Village,
)

MEGABYTE = 1e6
STATES_A_DAY = 4
"""Changes of state of one camera in a day: a fault and its end, of two aspects. A good site has fewer."""
BAD_SHARE = 0.02
ROWS_AT_ONCE = 5_000
TARGET_BYTES = 2e9

_KINDS = ("black", "frozen", "no_signal", "overexposed", "underexposed", "blurred", "covered", "colour_cast",
          "noisy", "striped", "moved", "low_contrast")  # fmt: skip


_LOW, _HIGH = (65, 95), (82, 100)
"""Between which scores lie: of three kinds, others for each camera, and of all others."""


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """So many cameras are written; sizes are given for `scale_to` of them."""

    cameras: int = 100
    scale_to: int = 1000
    database_url: str = ""


@dataclass(frozen=True, slots=True)
class _Written:
    name: str
    rows: int
    bytes: int


async def run(plan: HistoryPlan, clock: Clock, lines: Lines) -> bool:
    """Write one line per table and one in all; False when a year of the site is larger than two gigabytes."""
    settings, site = HealthSettings(), SiteSettings()
    with tempfile.TemporaryDirectory(prefix="camera-hub-bench-") as folder:
        url = plan.database_url or f"sqlite+aiosqlite:///{Path(folder) / 'history.sqlite3'}"
        async with Database(url) as database:
            cameras = await _cameras(database, plan.cameras, clock.now())
            now = clock.now().replace(minute=0, second=0, microsecond=0)
            written = [
                await _fill(database, "observations", Observation, _looks(cameras, now, settings)),
                await _fill(database, "observation_hours", ObservationHour, _hours(cameras, now, settings)),
                await _fill(database, "observation_days", ObservationDay, _days(cameras, now, settings)),
                await _fill(database, "camera_states", CameraState, _states(cameras, now, settings)),
            ]
            scale = plan.scale_to / plan.cameras
            for one in written:
                lines.write(
                    {
                        "bench": "history",
                        "table": one.name,
                        "rows": one.rows,
                        "bytes_per_row": one.bytes / one.rows,
                        "mb": one.bytes / MEGABYTE,
                        "mb_scaled": one.bytes * scale / MEGABYTE,
                    }
                )
            total = sum(one.bytes for one in written) * scale
            line = {
                "bench": "history",
                "database": "sqlite" if database.is_sqlite else "postgresql",
                "cameras": plan.scale_to,
                "days": settings.day_days,
                "gb": total / 1e9,
                "met": total <= TARGET_BYTES,
            }
            lines.write(line | await _rolling_up(database, clock, site, settings, scale))
            return total <= TARGET_BYTES


async def _rolling_up(
    database: Database, clock: Clock, site: SiteSettings, settings: HealthSettings, scale: float
) -> dict[str, Any]:
    """What rolling up all looks costs."""
    async with database.write() as session:
        await session.execute(text("DELETE FROM rollup_marks"))
    rolling = RollUp(database, clock, site.zone, timedelta(days=settings.look_days))
    began, cpu = time.perf_counter(), time.process_time()
    await rolling.roll_up()
    hours = max(1, rolling.rolled["hours"])
    return {
        "rolled_hours": hours,
        "rolled_days": rolling.rolled["days"],
        "cpu_s_per_hour": (time.process_time() - cpu) * scale / hours,
        "wall_s_per_hour": (time.perf_counter() - began) * scale / hours,
    }


async def _cameras(database: Database, count: int, now: datetime) -> list[int]:
    async with database.write() as session:
        village = Village(name="bench of history", created_at=now)
        session.add(village)
        await session.flush()
        device = Device(village_id=village.id, host="192.0.2.1", created_at=now)
        session.add(device)
        await session.flush()
        made = [
            Camera(device_id=device.id, village_id=village.id, channel=str(n), name=f"camera {n}", created_at=now)
            for n in range(count)
        ]
        session.add_all(made)
        await session.flush()
        return [camera.id for camera in made]


async def _fill(database: Database, name: str, table: type[Base], rows: Iterator[dict[str, Any]]) -> _Written:
    before, count = await _size(database, name), 0
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            count += await _insert(database, table, batch)
            batch = []
    if batch:
        count += await _insert(database, table, batch)
    return _Written(name, count, await _size(database, name) - before)


async def _insert(database: Database, table: type[Base], rows: list[dict[str, Any]]) -> int:
    async with database.write() as session:
        await session.execute(insert(table), rows)
    return len(rows)


async def _size(database: Database, table: str) -> int:
    """Bytes of the whole file (SQLite: only one table grows at a time), or of the table with its indexes."""
    await database.checkpoint()
    async with database.read() as session:
        if database.is_sqlite:
            pages = await session.scalar(text("PRAGMA page_count"))
            size = await session.scalar(text("PRAGMA page_size"))
            return int(pages or 0) * int(size or 0)
        return int(await session.scalar(text(f"SELECT pg_total_relation_size('{table}')")) or 0)


def _looks(cameras: list[int], now: datetime, settings: HealthSettings) -> Iterator[dict[str, Any]]:
    """In the order in which rounds write them: all cameras, round by round."""
    rounds = int(settings.look_days * 86_400 / settings.round_seconds)
    every = max(1, round(settings.picture_seconds / settings.round_seconds))
    draw = random.Random(1)
    for number in range(rounds):
        begin = now - timedelta(seconds=(rounds - number) * settings.round_seconds)
        for place, camera in enumerate(cameras):
            at = begin + timedelta(seconds=settings.round_seconds * place / len(cameras))
            yield {"camera_id": camera, "at": at} | _look(draw, place, picture=(number + place) % every == 0)


def _look(draw: random.Random, place: int, *, picture: bool) -> dict[str, Any]:
    bad = draw.random() < BAD_SHARE
    reason = Reason.TIMED_OUT.value if bad else None
    found = picture and not bad
    low = [_KINDS[(place + step) % len(_KINDS)] for step in (0, 3, 7)]
    return {
        "reason": reason,
        "reachable": reason or GOOD,
        "media": reason or (GOOD if picture else None),
        "picture": GOOD if found else None,
        "clock": GOOD if found else None,
        "detail": "no answer on port 554" if bad else "",
        "params": {},
        "signalling_ms": None if bad else round(draw.uniform(4, 60), 2),
        "stream_ms": round(draw.uniform(10, 90), 2) if found else None,
        "key_frame_ms": round(draw.uniform(100, 2000), 2) if found else None,
        "clock_error_s": round(draw.gauss(0, 2), 3) if found else None,
        "scores": {kind: round(draw.uniform(*(_LOW if kind in low else _HIGH)), 1) for kind in _KINDS} if found else {},
        "profile": "day" if found else None,
        "fps": round(draw.uniform(12, 25), 2) if found else None,
        "bitrate_kbit": round(draw.uniform(300, 900), 1) if found else None,
        "gop_seconds": round(draw.uniform(1, 4), 2) if found else None,
        "gaps": 0 if found else None,
        "received_bytes": draw.randrange(20_000, 200_000) if found else None,
    }


def _hours(cameras: list[int], now: datetime, settings: HealthSettings) -> Iterator[dict[str, Any]]:
    """Each with an hour of looks of its own among fifty that differ."""
    drawn = [_tally(settings, seed).row() for seed in range(50)]
    end = now - timedelta(days=settings.look_days)
    for number in range(round(settings.hour_days * 24)):
        for place, camera in enumerate(cameras):
            yield {"camera_id": camera, "at": end - timedelta(hours=number)} | drawn[(number + place) % len(drawn)]


def _days(cameras: list[int], now: datetime, settings: HealthSettings) -> Iterator[dict[str, Any]]:
    drawn = []
    for seed in range(50):
        tally = LookTally()
        for hour in range(24):
            tally.add_row(_tally(settings, seed + 100 * len(_KINDS) * hour).row())
        drawn.append(tally.row())
    midnight = (now - timedelta(days=settings.hour_days)).replace(hour=0)
    for number in range(round(settings.day_days)):
        for place, camera in enumerate(cameras):
            yield {"camera_id": camera, "at": midnight - timedelta(days=number)} | drawn[(number + place) % len(drawn)]


def _tally(settings: HealthSettings, seed: int) -> LookTally:
    draw, tally = random.Random(seed), LookTally()
    every = max(1, round(settings.picture_seconds / settings.round_seconds))
    for number in range(int(3600 / settings.round_seconds)):
        look = _look(draw, seed, picture=number % every == 0)
        tally.add_look([look[name] for name in LOOK_COLUMNS])
    return tally


def _states(cameras: list[int], now: datetime, settings: HealthSettings) -> Iterator[dict[str, Any]]:
    apart = timedelta(days=1) / STATES_A_DAY
    begin = now - timedelta(days=settings.alarm_keep_days)
    for number in range(round(settings.alarm_keep_days * STATES_A_DAY)):
        since = begin + number * apart
        bad = number % 2 == 1
        for camera in cameras:
            yield {
                "camera_id": camera,
                "aspect": "media" if number % 4 < 2 else "picture",
                "state": "fault" if bad else "ok",
                "cause": Reason.TIMED_OUT.value if bad else None,
                "since": since,
                "until": since + apart,
            }
