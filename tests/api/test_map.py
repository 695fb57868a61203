"""The map over the API: positions, key places, the base picture, coverage; who may what, and sees whose."""

import io
import re
from typing import Any

import httpx
import openpyxl
import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.api.live import LivePages
from camera_hub.api.live_changes import concerned
from camera_hub.cameras.map.base_picture import BasePictures
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraPositionChanged, EventBus, MapChanged
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
        ({"longitude": 31.86, "latitude": 117.28}, "map_geometry", "swapped"),  # no latitude at all
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


async def pond(hub: Hub, **changes: Any) -> httpx.Response:
    west, south = HERE
    shape = [[west, south], [west + 0.001, south], [west + 0.001, south + 0.001], [west, south + 0.001], [west, south]]
    body = {"name": "水塘", "place_class": "water", "kind": "area", "geometry": shape, "village_id": hub.village}
    return await (await hub.client(Role.TOWNSHIP_ADMIN)).post("/api/map/places", json=body | changes)


async def test_a_key_places_life(hub: Hub) -> None:
    admin, village = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.VILLAGE_ADMIN)
    made = await pond(hub)
    assert made.status_code == 201, made.text
    place = made.json()
    assert len(place["geometry"]) == 4, "areas are not closed"
    assert place["warning"] is None
    whole = await pond(hub, name="全镇", village_id=None)
    other = await pond(hub, name="那村", village_id=hub.other_village)
    shown = (await village.get("/api/map")).json()
    assert [one["name"] for one in shown["places"]] == ["水塘", "全镇"]
    assert [one["id"] for one in shown["villages"]] == [hub.village]
    path = f"/api/map/places/{place['id']}"
    changed = await admin.patch(path, json={"name": "南塘", "reach_m": 40, "village_id": None})
    assert changed.json() | {"changed_at": 0} == place | {
        "name": "南塘",
        "reach_m": 40,
        "village_id": None,
        "changed_at": 0,
    }
    assert (await admin.patch(path, json={"kind": "point"})).json()["params"]["why"] == "points"
    line = await admin.patch(path, json={"kind": "line", "geometry": [[117.28, 31.86], [117.29, 31.86]]})
    assert line.json()["kind"] == "line"
    for refused in (
        await village.patch(path, json={"name": "mine"}),
        await village.delete(path),
        await village.post("/api/map/places", json={}),
    ):
        assert refused.status_code == 403
    # A village with key places is not removed under them.
    assert (await admin.delete(f"/api/villages/{hub.other_village}")).json()["reason"] == "village_not_empty"
    for one in (place, whole.json(), other.json()):
        assert (await admin.delete(f"/api/map/places/{one['id']}")).status_code == 200
    assert (await admin.delete(path)).status_code == 404
    assert (await admin.patch(path, json={"name": "x"})).status_code == 404
    assert (await pond(hub, village_id=2**30)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "line", "geometry": [[117.28, 31.86]]}, "points"),
        ({"kind": "line", "geometry": [[117.28, 31.86]] * 3}, "points"),
        ({"kind": "point", "geometry": [[117.28, 31.86], [117.29, 31.86]]}, "points"),
        ({"kind": "point", "geometry": [[31.86, 117.28]]}, "swapped"),
        ({"geometry": [[117.28, 31.86], [117.29, 31.87], [117.29, 31.86], [117.28, 31.87]]}, "crossing"),
        ({"geometry": [[117.28, 31.86], [117.29, 31.86], [117.30, 31.86]]}, "crossing"),  # runs back over itself
        ({"geometry": [[117.28, 31.86], [117.28003, 31.86], [117.28003, 31.860005]]}, "flat"),
        ({"geometry": [[117.0, 31.0], [118.0, 31.0], [118.0, 32.0]]}, "size"),
        ({"kind": "line", "geometry": [[117.0, 31.0], [118.0, 31.0]]}, "size"),
    ],
)
async def test_shapes_that_cannot_be_are_refused(hub: Hub, changes: dict[str, Any], why: str) -> None:
    answer = await pond(hub, **changes)
    assert answer.status_code == 422, answer.text
    assert (answer.json()["reason"], answer.json()["params"]["why"]) == ("map_geometry", why)


async def test_huge_and_broken_shapes_end_soon(hub: Hub) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    many = [[117 + number / 1e6, 31.5] for number in range(30_000)]
    assert (await pond(hub, geometry=many)).status_code == 422
    over = [[117 + number / 1e6, 31.5] for number in range(100_000)]
    assert (await pond(hub, geometry=over)).status_code == 413
    head = {"content-type": "application/json"}
    for point in ("[NaN,31.8]", "[1e999,31.8]", '["117",[]]', "[117.2]", "null", "[117.2,31.8,5]"):
        body = f'{{"name":"x","place_class":"water","kind":"point","geometry":[{point}]}}'
        assert (await client.post("/api/map/places", content=body, headers=head)).status_code == 422, point


async def test_the_base_picture_is_made_anew(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = FakeBaseDecoder()
    monkeypatch.setattr(hub.parts[BasePictures], "_decoder", decoder)
    admin, village = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.VILLAGE_ADMIN)
    assert (await village.get("/api/map/base.jpg")).status_code == 404
    answer = await admin.put("/api/map/base", params=CORNERS, content=b"\xff\xd8" + bytes(5_000_000))
    assert answer.status_code == 200, answer.text
    first = answer.json()
    assert (first["corners"], first["width"]) == ([[117.2, 31.8], [117.4, 31.95]], 4096)
    assert decoder.asked[0].max_side == 4096
    shown = await village.get("/api/map/base.jpg", params={"id": first["id"]})
    assert shown.content == b"\xff\xd8made anew"
    assert shown.headers["cache-control"] == "private, max-age=86400"
    moved = await admin.patch("/api/map/base", json={"corners": [[117.1, 31.7], [117.4, 31.95]], "opacity": 0.5})
    assert (moved.json()["opacity"], moved.json()["corners"][0]) == (0.5, [117.1, 31.7])
    second = (await admin.put("/api/map/base", params=CORNERS, content=b"\xff\xd8")).json()
    assert second["id"] != first["id"]
    assert second["opacity"] == 0.5, "how it is shown stays"
    assert (await village.get("/api/map/base.jpg", params={"id": first["id"]})).status_code == 404
    assert (await village.get("/api/map")).json()["base"]["id"] == second["id"]
    for refused in (
        await village.put("/api/map/base", params=CORNERS, content=b""),
        await village.patch("/api/map/base", json={}),
        await village.delete("/api/map/base"),
    ):
        assert refused.status_code == 403
    bad = await admin.put("/api/map/base", params=CORNERS, content=b"<svg>")
    assert (bad.status_code, bad.json()["reason"]) == (415, "map_picture_unreadable")
    assert (await village.get("/api/map")).json()["base"]["id"] == second["id"], "the old one stays"
    assert (await admin.delete("/api/map/base")).status_code == 200
    assert (await admin.delete("/api/map/base")).status_code == 404
    assert (await village.get("/api/map")).json()["base"] is None


async def test_a_base_picture_over_the_limit_is_refused_unread(hub: Hub) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    announced = {"content-length": str(100 * 1024**2)}
    answer = await admin.put("/api/map/base", params=CORNERS, content=b"\xff\xd8", headers=announced)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")

    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 200:
            sent += 1
            yield bytes(1024**2)

    assert (await admin.put("/api/map/base", params=CORNERS, content=endless())).status_code == 413
    assert sent < 30


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        ({"west": 117.4, "east": 117.2}, "swapped"),
        ({"south": 31.95, "north": 31.8}, "swapped"),
        ({"east": 117.2}, "zero"),
        ({"east": 117.2001, "north": 31.8001}, "zero"),
        ({"west": 179.0, "east": -179.0}, "date_line"),
        ({"west": 31.8, "south": 77.2, "east": 31.9, "north": 77.4}, "axes"),
        ({"west": 31.8, "south": 117.2, "east": 31.9, "north": 117.4}, "axes"),
        ({"west": 2.2, "east": 2.4}, "range"),
        ({"west": 113.0}, "large"),
        ({"west": 120.0, "south": 30.0, "east": 120.1, "north": 30.1}, "far"),
    ],
)
async def test_corners_that_cannot_be_are_refused_before_the_picture_is_read(
    hub: Hub, cameras: list[int], corners: dict[str, float], why: str
) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    for number, village in enumerate((hub.village, hub.other_village)):
        await client.patch(f"/api/villages/{village}", json={"longitude": HERE[0] + number / 100, "latitude": HERE[1]})
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[1], longitude=HERE[0], latitude=HERE[1])
    answer = await client.put("/api/map/base", params=CORNERS | corners, content=b"\xff\xd8")
    assert answer.status_code == 422, answer.text
    assert (answer.json()["reason"], answer.json()["params"]["why"]) == ("map_corners", why)


async def test_villages_stand_on_the_map_in_any_datum(hub: Hub) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    path = f"/api/villages/{hub.village}"
    shape = [[117.27, 31.85], [117.30, 31.85], [117.30, 31.88]]
    body = {"longitude": 117.289, "latitude": 31.858, "outline": shape, "datum": "gcj02"}
    answer = (await admin.patch(path, json=body)).json()
    assert 300 < abs(answer["longitude"] - 117.289) * 94_600 < 700
    (own, _) = (await admin.get("/api/map")).json()["villages"]
    assert len(own["outline"]) == 3
    assert (await admin.patch(path, json={"name": "新村"})).json()["longitude"] == answer["longitude"]
    assert (await admin.patch(path, json={"latitude": None})).json()["longitude"] is None
    assert (await admin.patch(path, json={"longitude": 117.3})).json()["reason"] == "map_geometry"
    crossing = [[117.28, 31.86], [117.29, 31.87], [117.29, 31.86], [117.28, 31.87]]
    assert (await admin.patch(path, json={"outline": crossing})).json()["params"]["why"] == "crossing"
    assert (await admin.patch(path, json={"outline": None})).status_code == 200
    assert (await admin.get("/api/map")).json()["villages"][0]["outline"] is None


async def test_coverage_counts_whose_cameras_and_places_one_sees(hub: Hub, cameras: list[int]) -> None:
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[0], longitude=HERE[0], latitude=HERE[1], reach_m=30)
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[1], longitude=HERE[0] + 0.01, latitude=HERE[1], reach_m=30)
    for name, east, village in (
        ("甲", 0.0, hub.village),
        ("乙", 0.01, hub.village),
        ("丙", 0.01, None),
        ("丁", 0.01, 0),
    ):
        geometry = [[HERE[0] + east, HERE[1] + 0.0001]]
        of = {"village_id": hub.other_village if village == 0 else village}
        await pond(hub, name=name, kind="point", geometry=geometry, **of)
    admin, keeper = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.VILLAGE_ADMIN)
    (row,) = (await admin.get("/api/map/coverage")).json()["rows"]
    assert (row["count"], row["installed"]["covered"], row["working"]["share"]) == (4, 4, 1.0)
    own = (await keeper.get("/api/map/coverage")).json()
    assert own["rows"][0]["installed"] == {"covered": 1, "partly": 0, "uncovered": 2, "share": 1 / 3}
    assert [(one["camera_ids"], one["gaps"]) for one in own["places"]] == [
        ([cameras[0]], []),
        ([], [[[HERE[0] + 0.01, HERE[1] + 0.0001]]]),
        ([], [[[HERE[0] + 0.01, HERE[1] + 0.0001]]]),
    ]
    assert (own["cameras"], own["cameras_without_direction"], own["cameras_without_position"]) == (1, 1, 0)
    of_one = (await admin.get("/api/map/coverage", params={"village_id": hub.village})).json()
    assert of_one["rows"][0]["installed"]["covered"] == 2, "a neighbour's camera counts, too"
    for client, wanted in ((keeper, hub.other_village), (admin, 2**30)):
        assert (await client.get("/api/map/coverage", params={"village_id": wanted})).status_code == 404
    sheet = await keeper.get("/api/map/coverage.xlsx")
    assert (sheet.status_code, sheet.content[:2]) == (200, b"PK")
    english = await keeper.get("/api/map/coverage.xlsx", params={"language": "en"})
    assert "''Coverage%20of%20key%20places.xlsx" in english.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(english.content))
    assert book.sheetnames == ["Coverage", "Notes"]
    told = [*next(book["Coverage"].values), *(cell for row in book["Notes"].values for cell in row)]
    assert [one for one in told if isinstance(one, str) and re.search("[\u4e00-\u9fff\uff00-\uffef]", one)] == []
    # Out of service: it covers nothing; faulty: it covers, but not now.
    await admin.patch(f"/api/ledger/{cameras[0]}", json={"values": {"service_state": "维修"}})
    assert (await keeper.get("/api/map/coverage")).json()["rows"][0]["working"]["covered"] == 0
    await admin.post("/api/cameras/retire", json={"ids": [cameras[0]]})
    after = (await keeper.get("/api/map/coverage")).json()
    assert (after["rows"][0]["installed"]["covered"], after["cameras"]) == (0, 0)


async def test_pages_are_told_what_they_may_see(hub: Hub, cameras: list[int]) -> None:
    await put(hub, Role.TOWNSHIP_ADMIN, cameras[0], longitude=HERE[0], latitude=HERE[1])
    own, whole, other = [
        (await pond(hub, village_id=village)).json()["id"] for village in (hub.village, None, hub.other_village)
    ]
    changes = hub.parts[LivePages].changes
    account = hub.accounts[Role.VILLAGE_ADMIN]
    actor = Actor(account.id, account.username, account.display_name, account.role, frozenset({hub.village}))
    shown = {
        part: await told(changes.shared["map"], actor, part)
        for part in (f"place:{own}", f"place:{whole}", f"place:{other}", f"village:{hub.other_village}", "base")
    }
    assert {part for part, answer in shown.items() if answer is not None} == {f"place:{own}", f"place:{whole}"}
    position = await told(changes.shared["camera_position"], actor, cameras[0])
    assert position is not None
    assert position["longitude"] == HERE[0]
    everybody = concerned(MapChanged("base"))
    moved = concerned(MapChanged("place:1", frozenset({hub.village, hub.other_village})))
    assert everybody is not None
    assert moved is not None
    contractor = Actor(9, "c", "c", Role.CONTRACTOR, frozenset({hub.village}))
    assert [one[1].has(actor) for one in (everybody, moved)] == [True, True]
    assert [one[1].has(contractor) for one in (everybody, moved)] == [False, False]


async def test_what_moves_a_camera_tells_the_map(hub: Hub, cameras: list[int]) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    with hub.parts[EventBus].subscribe(CameraPositionChanged, MapChanged) as events:
        await put(hub, Role.TOWNSHIP_ADMIN, cameras[0], reach_m=40)
        await client.patch(f"/api/ledger/{cameras[0]}", json={"values": {"direction": "东"}})
        await client.patch(f"/api/ledger/{cameras[0]}", json={"values": {"lens": "4mm"}})
        values = {"longitude": "117.2834", "latitude": "31.8612"}
        await client.post("/api/ledger/unconnected", json={"village_id": hub.village, "name": "云眼", "values": values})
        await client.patch(f"/api/villages/{hub.village}", json={"longitude": 117.2, "latitude": 31.8})
        told_of = await events.batch()
    moves = [one.camera_id for one in told_of if isinstance(one, CameraPositionChanged)]
    assert moves[:2] == [cameras[0], cameras[0]]
    assert len(moves) == 3
    assert [one.part for one in told_of if isinstance(one, MapChanged)] == [f"village:{hub.village}"]
