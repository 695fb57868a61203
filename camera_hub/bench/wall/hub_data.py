"""The data of a hub with many cameras: one is registered over the API, the others are copies of its rows.

Registering proves every camera by a picture, which takes minutes for hundreds of them and is nothing that a wall costs.
The rows are copied as they are, whatever columns they have, so that hubs of other versions can be measured, too.
"""

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from camera_hub.bench.wall.hub_process import hub_process
from camera_hub.bench.wall.plan import HubVariant
from camera_hub.clock import Clock
from camera_hub.demo.api import Api, browser
from camera_hub.errors import HubError, Kind

DATABASE = "camera_hub.sqlite3"
VILLAGES = 16
PROOF_SECONDS = 300.0
USERS = "bench-operator-"
PASSWORD = "bench of walls, 1"


@dataclass(frozen=True, slots=True)
class HubData:
    """A data folder that a hub can be started with."""

    folder: Path
    cameras: tuple[int, ...]
    users: tuple[str, ...]
    password: str = field(default=PASSWORD, repr=False)


async def made(folder: Path, clock: Clock, hub: HubVariant, *, source: int, cameras: int, users: int) -> HubData:
    """Create the data with that many cameras at the source's port. Raises HubError when the hub does not start."""
    async with hub_process(hub, folder) as started, browser(started.url) as api:
        names = tuple(f"{USERS}{number}" for number in range(users))
        await _set_up(api, started.token, names)
        await _one_camera(api, clock, source)
    ids = await asyncio.to_thread(copy_cameras, folder / DATABASE, cameras, source)
    return HubData(folder, tuple(ids), names)


async def _set_up(api: Api, token: str, users: tuple[str, ...]) -> None:
    person = {"display_name": "bench", "password": PASSWORD}
    await api("POST", "/api/setup", {"token": token, "username": "bench-admin", **person})
    await api("POST", "/api/villages", {"names": [f"bench village {number}" for number in range(VILLAGES)]})
    for name in users:
        await api("POST", "/api/users", {"username": name, "role": "operator", **person})


async def _one_camera(api: Api, clock: Clock, source: int) -> None:
    """Register the first camera and wait until its picture has proved it."""
    village = (await api("GET", "/api/villages"))[0]["id"]
    url = address(source, 0)
    await api("POST", "/api/devices/url", {"village_id": village, "name": "bench 0", "main_url": url, "sub_url": url})
    end = clock.monotonic() + PROOF_SECONDS
    while True:
        camera = (await api("GET", "/api/cameras"))[0]
        if camera["state"] == "waiting":
            await api("POST", "/api/cameras/approve", {"ids": [camera["id"]]})
        elif not camera["proving"]:
            break
        if clock.monotonic() > end:
            raise HubError(Kind.TIMEOUT, f"the hub did not prove a camera within {PROOF_SECONDS:g} s")
        await clock.sleep(0.2)
    if camera["proof"] is not None:
        raise HubError(Kind.UNAVAILABLE, f"the hub could not prove a camera: {camera['proof']}")


def address(source: int, feed: int) -> str:
    """The RTSP URL of a camera at the source."""
    return f"rtsp://127.0.0.1:{source}/{feed}"


def copy_cameras(path: Path, cameras: int, source: int) -> list[int]:
    """Copy the one camera, with its device and streams, until there are so many. Returns the ids of all in order."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        villages = [row[0] for row in database.execute("SELECT id FROM villages ORDER BY id")]
        device, camera = _row(database, "devices"), _row(database, "cameras")
        streams = _rows(database, "streams")
        ids = [int(camera["id"])]
        for number in range(1, cameras):
            village = villages[number % len(villages)]
            of_device = _insert(database, "devices", device | {"village_id": village, "name": f"bench {number}"})
            names = {"device_id": of_device, "village_id": village, "name": f"bench {number}", "position": number}
            ids.append(_insert(database, "cameras", camera | names))
            for stream in streams:
                _insert(database, "streams", stream | {"camera_id": ids[-1], "uri": address(source, number)})
        return ids


def _rows(database: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    found = database.execute(f"SELECT * FROM {table} ORDER BY id")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _row(database: sqlite3.Connection, table: str) -> dict[str, Any]:
    (row,) = _rows(database, table)
    return row


def _insert(database: sqlite3.Connection, table: str, row: dict[str, Any]) -> int:
    values = {name: value for name, value in row.items() if name != "id"}
    names, marks = ", ".join(values), ", ".join("?" for _ in values)
    done = database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))
    assert done.lastrowid is not None
    return done.lastrowid
