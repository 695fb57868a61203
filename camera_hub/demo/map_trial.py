"""`python -m camera_hub.demo.map_trial FOLDER`: a data folder of 40 villages with 1,000 cameras, for trials of the map.

The cameras have no device behind them; their health is made up. Start a hub with server.data_dir = FOLDER.
"""

import argparse
import asyncio
import random
from pathlib import Path

from camera_hub.access.accounts import Accounts
from camera_hub.access.passwords import Passwords
from camera_hub.access.policy import Role
from camera_hub.access.sessions import Sessions
from camera_hub.cameras.addresses import NO_HOST
from camera_hub.cameras.ledger.stored import empty_file, put_value
from camera_hub.cameras.map.directions import direction_code
from camera_hub.clock import Clock, SystemClock
from camera_hub.demo.geography import DrawnCamera, drawn
from camera_hub.events import EventBus
from camera_hub.settings import ServerSettings, Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, FieldOfView, KeyPlace, Village

PASSWORD = "map-trial-7"
_CLASSES = ("key_road", "entrance", "school", "water", "key_unit", "square", "high_incidence", "other")


async def fill(database: Database, clock: Clock, villages: int, cameras: int, seed: int = 1) -> None:
    """Fill an empty database with such a township: one camera in fifty has no position, one in twelve is faulty."""
    rng = random.Random(seed)
    now = clock.now()
    async with database.write() as session:
        rows = [Village(name=f"试{number}村", position=number, created_at=now) for number in range(1, villages + 1)]
        session.add_all(rows)
        await session.flush()
        devices = [
            Device(village_id=one.id, kind="platform", name=one.name, host=NO_HOST, created_at=now) for one in rows
        ]
        session.add_all(devices)
        await session.flush()
        made = []
        for number in range(cameras):
            device = devices[number % villages]
            row = Camera(device_id=device.id, village_id=device.village_id, channel=str(number), state="approved")
            row.name, row.place_class = f"点位{number:04}", _CLASSES[number // villages % len(_CLASSES)]
            row.health = "fault" if rng.random() < 1 / 12 else rng.choice(("ok", "ok", "ok", "ok", "unknown"))
            row.cause = "unreachable" if row.health == "fault" else None
            row.proof_state, row.created_at, row.approved_at = "failed", now, now
            made.append(row)
        session.add_all(made)
        await session.flush()
        whole = drawn(
            [(one.id, one.name) for one in rows], [DrawnCamera(one.id, one.village_id, one.place_class) for one in made]
        )
        for village in rows:
            body = whole.villages[village.id]
            village.longitude, village.latitude = body["longitude"], body["latitude"]
            village.outline = [list(corner) for corner in body["outline"]]
        for row in made:
            if row.id % 50 == 0:
                continue
            body = whole.cameras[row.id]
            file = empty_file(row.id)
            file.longitude, file.latitude, file.datum, file.updated_at = (
                body["longitude"],
                body["latitude"],
                "wgs84",
                now,
            )
            put_value(file, "longitude", f"{file.longitude:.6f}")
            put_value(file, "latitude", f"{file.latitude:.6f}")
            if (direction := body.get("direction_deg")) is not None:
                put_value(file, "direction", direction_code(direction))
                view = FieldOfView(camera_id=row.id, direction_deg=direction)
                view.angle_deg, view.reach_m = body["angle_deg"], body["reach_m"]
                session.add(view)
            session.add(file)
        for one in whole.places:
            values = {"village_id": None, "reach_m": None} | one
            values["geometry"] = [list(point) for point in one["geometry"]]
            session.add(KeyPlace(**values, created_at=now, changed_at=now, changed_by="trial"))


async def _made(folder: Path, villages: int, cameras: int) -> None:
    settings = Settings(server=ServerSettings(data_dir=folder))
    clock = SystemClock()
    async with Database(settings.database_url) as database:
        sessions = Sessions(database, clock, settings.access.session_hours)
        accounts = Accounts(database, clock, EventBus(), Passwords(8), sessions)
        await accounts.create("trial", "trial", Role.TOWNSHIP_ADMIN, PASSWORD, None)
        await fill(database, clock, villages, cameras)
    print(f"{folder}: {villages} villages, {cameras} cameras; sign in as trial with {PASSWORD}")  # noqa: T201


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(prog="camera_hub.demo.map_trial", description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--villages", type=int, default=40)
    options.add_argument("--cameras", type=int, default=1000)
    given = options.parse_args()
    given.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(_made(given.folder, given.villages, given.cameras))


if __name__ == "__main__":
    main()
