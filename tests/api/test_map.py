"""The map over the API: positions, key places, the base picture, coverage; who may what, and sees whose."""

from typing import Any

import httpx
import pytest

from camera_hub.access.policy import Role
from camera_hub.api.live import LivePages
from camera_hub.cameras.map.base_picture import BasePictures
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Photo, Seen
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device
from tests.api.conftest import Hub, told
from tests.fakes.clock import ManualClock

HERE = (117.2834, 31.8612)
CORNERS = {"west": 117.2, "south": 31.8, "east": 117.4, "north": 31.95}


class FakeBaseDecoder:
    """Takes what begins as a JPEG does."""

    def __init__(self) -> None:
        self.asked: list[Photo] = []

    async def photo(self, request: Photo, data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        self.asked.append(request)
        if not data.startswith(b"\xff\xd8"):
            raise HubError(Kind.UNSUPPORTED, "no picture", reason=Reason.PHOTO_UNREADABLE, why="format")
        return Seen(4096, 2048), b"\xff\xd8made anew"


@pytest.fixture
async def cameras(hub: Hub, database: Database, clock: ManualClock) -> list[int]:
    """One approved camera in each village."""
    found = []
    async with database.write() as session:
        for village in (hub.village, hub.other_village):
            device = Device(
                village_id=village, name="d", host=f"10.0.0.{village}", onvif_port=80, created_at=clock.now()
            )
            session.add(device)
            await session.flush()
            row = Camera(device_id=device.id, village_id=village, channel="v1", name="村口", state="approved")
            row.health, row.created_at, row.approved_at = "ok", clock.now(), clock.now()
            session.add(row)
            await session.flush()
            found.append(row.id)
    return found


async def put(hub: Hub, role: Role, camera: int, **body: Any) -> httpx.Response:
    return await (await hub.client(role)).put(f"/api/map/cameras/{camera}", json=body)


async def test_a_camera_is_put_on_the_map_and_its_file_follows(hub: Hub, cameras: list[int]) -> None:
    answer = await put(hub, Role.VILLAGE_ADMIN, cameras[0], longitude=HERE[0], latitude=HERE[1], direction_deg=52.5)
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] | {"village_id": 0} == {
        "id": cameras[0],
        "village_id": 0,
        "longitude": HERE[0],
        "latitude": HERE[1],
        "direction_deg": 52.5,
        "angle_deg": None,
        "reach_m": None,
        "place_class": "other",
        "state": "approved",
        "service_state": "in_use",
    }
    assert answer.json()["warning"] is None
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    file = (await client.get(f"/api/ledger/{cameras[0]}")).json()
    assert (file["longitude"], file["latitude"], file["values"]["direction"]) == (*HERE, "6")  # north-east
    # The file's direction is typed anew: it counts, and the exact one does not any more.
    await client.patch(f"/api/ledger/{cameras[0]}", json={"values": {"direction": "南"}})
    shown = (await client.get("/api/map/cameras")).json()
    assert [(one["id"], one["direction_deg"]) for one in shown] == [(cameras[0], 180.0)]
    # Off the map again; what it sees stays known.
    gone = await put(hub, Role.VILLAGE_ADMIN, cameras[0], longitude=None, latitude=None)
    assert gone.json()["position"] is None
    assert (await client.get("/api/map/cameras")).json() == []


async def test_typed_coordinates_of_another_datum_survive_a_turn(hub: Hub, cameras: list[int]) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    values = {"longitude": "117.289012", "latitude": "31.858123", "datum": "gcj02"}
    await client.patch(f"/api/ledger/{cameras[0]}", json={"values": values})
    (shown,) = (await client.get("/api/map/cameras")).json()
    where = {key: shown[key] for key in ("longitude", "latitude")}
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[0], **where, direction_deg=0, angle_deg=90, reach_m=30)
    file = (await client.get(f"/api/ledger/{cameras[0]}")).json()
    assert values.items() <= file["values"].items()
    (turned,) = (await client.get("/api/map/cameras")).json()
    assert (turned["angle_deg"], turned["reach_m"], turned["longitude"]) == (90, 30, where["longitude"])


async def test_positions_come_with_an_etag(hub: Hub, cameras: list[int]) -> None:
    client = await hub.client(Role.OPERATOR)
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[0], longitude=HERE[0], latitude=HERE[1])
    first = await client.get("/api/map/cameras")
    known = {"if-none-match": first.headers["etag"]}
    assert (await client.get("/api/map/cameras", headers=known)).status_code == 304
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[0], reach_m=80)
    assert (await client.get("/api/map/cameras", headers=known)).json()[0]["reach_m"] == 80


@pytest.mark.parametrize(
    ("body", "reason", "why"),
    [
        ({"longitude": 117.28}, "value_coordinate", "pair"),
        ({"longitude": 31.86, "latitude": 117.28}, "invalid", None),  # no latitude at all
        ({"longitude": 31.86, "latitude": 77.28}, "map_geometry", "swapped"),
        ({"longitude": 2.35, "latitude": 48.85}, "map_geometry", "range"),
        ({"longitude": 87.6, "latitude": 43.8}, "map_position", None),
        ({"longitude": 1e400, "latitude": 31.0}, "invalid", None),
        ({"direction_deg": 360}, "invalid", None),
        ({"angle_deg": 0}, "invalid", None),
        ({"reach_m": 1e9}, "invalid", None),
    ],
)
async def test_positions_that_cannot_be_are_refused(
    hub: Hub, cameras: list[int], body: dict[str, Any], reason: str, why: str | None
) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    for number, village in enumerate((hub.village, hub.other_village)):
        where = {"longitude": HERE[0] + number / 100, "latitude": HERE[1]}
        assert (await client.patch(f"/api/villages/{village}", json=where)).status_code == 200
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[1], longitude=HERE[0], latitude=HERE[1] + 0.01)
    content = str(body).replace("'", '"').replace("inf", "Infinity")
    answer = await client.put(
        f"/api/map/cameras/{cameras[0]}", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert (answer.json()["reason"], answer.json()["params"].get("why")) == (reason, why)
    assert [one["id"] for one in (await client.get("/api/map/cameras")).json()] == [cameras[1]]
