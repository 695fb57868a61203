"""The ledger over the API: a file's life, errors at their fields, photos from a phone, who may what."""

import pytest

from camera_hub.access.policy import Role
from camera_hub.cameras.ledger.photos import Photos
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Photo, Seen
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock


@pytest.fixture
async def camera(hub: Hub, database: Database, clock: ManualClock) -> int:
    async with database.write() as session:
        device = Device(village_id=hub.village, name="d", host="10.0.0.5", onvif_port=80, created_at=clock.now())
        session.add(device)
        await session.flush()
        row = Camera(
            device_id=device.id,
            village_id=hub.village,
            channel="v1",
            name="村口",
            state="approved",
            created_at=clock.now(),
            approved_at=clock.now(),
        )
        session.add(row)
        await session.flush()
        return row.id


class FakeDecoder:
    """Takes what begins as a JPEG does."""

    async def photo(self, request: Photo, data: bytes) -> tuple[Seen, bytes]:
        if not data.startswith(b"\xff\xd8"):
            raise HubError(Kind.UNSUPPORTED, "no photo", reason=Reason.PHOTO_UNREADABLE)
        return Seen(1600, 900), b"\xff\xd8made anew"


async def test_a_files_life(hub: Hub, camera: int) -> None:
    village = await hub.client(Role.VILLAGE_ADMIN)
    fields = (await village.get("/api/ledger/fields")).json()
    assert [one["key"] for one in fields if one["source"] == "never"] == ["username", "password"]
    answer = await village.patch(f"/api/ledger/{camera}", json={"values": {"pole_number": "G7", "point_type": "一类"}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["values"]["point_type"] == "1"
    page = (await village.get("/api/ledger", params={"missing": "landmark"})).json()
    assert [one["camera_id"] for one in page["files"]] == [camera]
    assert page["files"][0]["percent"] == answer.json()["percent"]
    assert page["files"][0]["filing"]["days_left"] == 30
    (own,) = (await village.get("/api/ledger/villages")).json()
    assert (own["village_id"], own["cameras"]) == (hub.village, 1)
    changes = (await village.get(f"/api/ledger/{camera}/changes")).json()
    assert {one["field"] for one in changes} == {"pole_number", "point_type"}
    bulk = {"ids": [camera], "values": {"maintainer_unit": "某公司"}, "place_class": "school"}
    (row,) = (await village.put("/api/ledger/values", json=bulk)).json()
    assert (row["maintainer_unit"], row["place_class"]) == ("某公司", "school")
    where = {"longitude": 116.404, "latitude": 39.915, "datum": "gcj02"}
    assert (await village.post("/api/ledger/position", json=where)).json()["inside"] is True
    sheet = await village.get("/api/ledger/export.xlsx")
    assert (sheet.status_code, sheet.content[:2]) == (200, b"PK")
    added = await village.post(
        "/api/ledger/unconnected", json={"village_id": hub.village, "name": "云眼", "values": {"access_kind": "cloud"}}
    )
    assert added.status_code == 201, added.text
    assert (added.json()["connected"], added.json()["state"]) == (False, "waiting")


async def test_errors_are_told_at_their_fields(hub: Hub, camera: int) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    one = await client.patch(f"/api/ledger/{camera}", json={"values": {"manager_phone": "12345"}})
    assert (one.status_code, one.json()["reason"]) == (422, "value_phone")
    assert one.json()["params"]["field"] == "manager_phone"
    values = {"manager_phone": "1", "gb_id": "3.3E+19", "nonsense": "x", "lens": "4mm"}
    several = (await client.patch(f"/api/ledger/{camera}", json={"values": values})).json()
    assert several["reason"] == "ledger_values"
    assert {one["field"]: one["reason"] for one in several["params"]["fields"]} == {
        "manager_phone": "value_phone",
        "gb_id": "value_excel",
        "nonsense": "value_unknown_field",
    }
    assert "lens" not in (await client.get(f"/api/ledger/{camera}")).json()["values"]


async def test_photos(hub: Hub, camera: int, monkeypatch: pytest.MonkeyPatch) -> None:
    photos: Photos = hub.parts[Photos]
    monkeypatch.setattr(photos, "_decoder", FakeDecoder())
    client, other = await hub.client(Role.VILLAGE_ADMIN), await hub.client(Role.OPERATOR)
    path = f"/api/ledger/{camera}/photos"
    large = b"\xff\xd8" + b"\0" * 2_000_000  # more than other bodies may have
    for number in range(3):
        made = await client.post(path, params={"kind": "view"}, content=large)
        assert made.status_code == 201, (number, made.text)
    full = await client.post(path, params={"kind": "view"}, content=large)
    assert (full.status_code, full.json()["reason"]) == (409, "photo_too_many")
    assert (await client.post(path, params={"kind": "sign"}, content=b"\xff\xd8")).status_code == 201
    bad = await client.post(path, params={"kind": "sign"}, content=b"GIF89a")
    assert (bad.status_code, bad.json()["reason"]) == (415, "photo_unreadable")
    assert (await client.post(path, params={"kind": "sign"}, content=b"\xff" * 4_000_001)).status_code == 413
    assert (await client.post(path, params={"kind": "selfie"}, content=large)).status_code == 422
    assert (await other.post(path, params={"kind": "view"}, content=large)).status_code == 403
    listed = (await other.get(path)).json()
    assert [one["kind"] for one in listed] == ["view", "view", "view", "sign"]
    jpeg = await other.get(f"/api/ledger/photos/{listed[0]['id']}")
    assert (jpeg.content, jpeg.headers["content-type"]) == (b"\xff\xd8made anew", "image/jpeg")
    folder = hub.parts[Settings].server.data_dir / "photos"
    assert len(list(folder.iterdir())) == 4
    assert (await client.delete(f"/api/ledger/photos/{listed[0]['id']}")).status_code == 200
    assert (await client.get(f"/api/ledger/photos/{listed[0]['id']}")).status_code == 404
    assert len(list(folder.iterdir())) == 3
    assert (await client.get(f"/api/ledger/{camera}")).json()["photos"] == {"view": 2, "sign": 1}
    (folder / "999.jpg").write_bytes(b"of a camera that is no more")
    (folder / "5000.part").write_bytes(b"half")
    assert await photos.sweep() == 2
    assert len(list(folder.iterdir())) == 3


async def test_a_photo_of_another_village_is_none(hub: Hub, camera: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.parts[Photos], "_decoder", FakeDecoder())
    township = await hub.client(Role.TOWNSHIP_ADMIN)
    unconnected = {"village_id": hub.other_village, "name": "云眼"}
    elsewhere = (await township.post("/api/ledger/unconnected", json=unconnected)).json()["camera_id"]
    made = await township.post(f"/api/ledger/{elsewhere}/photos", params={"kind": "view"}, content=b"\xff\xd8")
    client = await hub.client(Role.VILLAGE_ADMIN)
    for method in ("GET", "DELETE"):
        assert (await client.request(method, f"/api/ledger/photos/{made.json()['id']}")).status_code == 404
    assert (await client.get(f"/api/ledger/{elsewhere}/photos")).status_code == 404
    bulk = {"ids": [camera, elsewhere], "values": {"lens": "4mm"}}
    assert (await client.put("/api/ledger/values", json=bulk)).status_code == 404
    assert (await client.post("/api/ledger/unconnected", json=unconnected)).status_code == 404
