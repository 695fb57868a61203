"""Results and findings of a patrol through the API: shapes, refusals, uploads that are no photos, hostile values."""

import json
from collections.abc import AsyncIterator
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import openpyxl
import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.events import EventBus
from camera_hub.eye.messages import Photo, Seen
from camera_hub.eye.photo import photo
from camera_hub.patrol.proof.finding_list import FindingList
from camera_hub.patrol.proof.findings import MAX_PHOTO, Findings
from camera_hub.patrol.proof.parts import ProofMedia, ProofParts, proof
from camera_hub.patrol.proof.patrol_proof import PatrolProof
from camera_hub.patrol.proof.run_results import RunResults
from camera_hub.patrol.runs.claims import ReportingPage
from camera_hub.patrol.runs.engine import engine
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.runs import Runs
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.patrol.tours.tours import Tours
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village
from tests.patrol.test_proof import FakePhotographer, FakeSeal


class EyeHere:
    """The eye's own work, in this process."""

    async def photo(self, request: Photo, data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        return photo(request, data)


class Desk:
    """A hub whose patrols are proved, with four cameras, and its operator."""

    def __init__(self, client: httpx.AsyncClient, cameras: list[int], parts: ProofParts, clock: ManualClock) -> None:
        self.client, self.cameras, self.parts, self.clock = client, cameras, parts, clock

    async def start(self, hub: Hub, *stops: int) -> int:
        """A patrol of these cameras (by their index), 30 s each; the first one has been seen."""
        body = {"name": "防汛", "stops": [{"camera_id": self.cameras[n], "dwell_s": 30} for n in stops]}
        tour = (await self.client.post("/api/tours", json=body)).json()
        run: int = (await self.client.post("/api/runs", json={"tour_id": tour["id"]})).json()["id"]
        await self.clock.advance(5)
        account = hub.accounts[Role.OPERATOR]
        actor = Actor(account.id, account.username, account.display_name, account.role)
        await self.parts.sightings.report(
            actor, ReportingPage(actor.user_id, "page", 0.0), run, 0, [Sighting(self.cameras[stops[0]], 5.0)]
        )
        return run


@pytest.fixture
async def desk(hub: Hub, database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Desk]:
    bus: EventBus = hub.parts[EventBus]
    settings, feeds = PatrolSettings(), FakeMedia()
    media = ProofMedia(FakePhotographer(clock.now), EyeHere(), feeds)
    on = engine(settings, clock, bus, database, feeds, UTC, PatrolProof(FakeSeal(), feeds))
    async with on as running, proof(settings, tmp_path, clock, bus, database, media, running.keeper) as parts:
        hub.parts.update({Runs: running.runs, RunReader: running.reader, Tours: Tours(settings, database, bus, clock)})
        hub.parts.update({RunResults: parts.results, Findings: parts.findings, FindingList: parts.finding_list})
        yield Desk(await hub.client(Role.OPERATOR), await add_village(database, clock, "东沟村", 4), parts, clock)


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


@pytest.mark.slow
async def test_a_patrol_is_confirmed_and_submitted(desk: Desk, hub: Hub) -> None:
    run = await desk.start(hub, 0, 1)
    (first, _) = (await desk.client.get(f"/api/runs/{run}/results")).json()
    assert (first["seen"], first["result"], first["camera"]["village"]) == (True, "open", "东沟村")
    confirm = f"/api/runs/{run}/confirm"
    (one,) = (await desk.client.post(confirm, json={"position": 0, "result": "normal"})).json()
    assert (one["result"], one["confirmed_name"]) == ("normal", "operator")
    refused = await desk.client.post(confirm, json={"position": 1, "result": "normal"})
    assert reason(refused) == (409, "not_seen")
    assert refused.json()["params"]["cameras"][0]["id"] == desk.cameras[1]
    moved = await desk.client.post(confirm, json={"position": 0, "result": "normal", "revision": 99})
    assert reason(moved) == (409, "run_moved")
    assert moved.json()["params"]["run"]["counts"] == {"open": 1, "normal": 1, "abnormal": 0, "excused": 0}
    state = (await desk.client.get(f"/api/runs/{run}")).json()
    await desk.client.post(f"/api/runs/{run}/next", json={"revision": state["revision"]})
    state = (await desk.client.get(f"/api/runs/{run}")).json()
    await desk.client.post(f"/api/runs/{run}/next", json={"revision": state["revision"]})
    assert reason(await desk.client.post(f"/api/runs/{run}/submit", json={})) == (409, "still_open")
    finding = await desk.client.post(
        f"/api/runs/{run}/findings",
        json={"position": 0, "camera_id": desk.cameras[0], "category": "flood", "words": "桥面\u202e积水\x07\n水深"},
    )
    assert reason(finding) == (409, "already_confirmed")
    finding = await desk.client.post(
        f"/api/runs/{run}/findings",
        json={
            "position": 0,
            "camera_id": desk.cameras[0],
            "category": "flood",
            "words": "桥面\u202e积水\x07\n水深",
            "change": True,
        },
    )
    assert finding.status_code == 201
    assert finding.json()["words"] == "桥面积水\n水深"
    page = (await desk.client.get("/api/findings", params={"category": "flood"})).json()
    assert (page["total"], page["next"], page["findings"][0]["camera"]) == (1, None, "东沟村摄像机1")
    picture = await desk.client.get(finding.json()["picture_url"])
    assert (picture.headers["content-type"], picture.content[:2]) == ("image/jpeg", b"\xff\xd8")
    for path in ("/api/findings", "/api/findings/export.xlsx"):  # PostgreSQL takes no NUL
        assert (await desk.client.get(path, params={"text": "水\x00"})).status_code == 422
    sheet = await desk.client.get("/api/findings/export.xlsx")
    assert sheet.content[:2] == b"PK"
    english = await desk.client.get("/api/findings/export.xlsx", params={"language": "en"})
    assert "''Findings%20of%20patrols.xlsx" in english.headers["content-disposition"]
    book = openpyxl.load_workbook(BytesIO(english.content))
    assert book.sheetnames == ["Findings"]
    assert [cell.value for cell in next(book["Findings"].iter_rows())][:6] == [
        *("No.", "Time", "Village", "Camera", "Category", "Words"),
    ]
    categories = (await desk.client.get("/api/findings/categories")).json()
    assert {"code": "fire_smoke", "zh": "火情烟雾", "en": "Fire or smoke"} in categories
    leader = await hub.client(Role.LEADER)
    assert (await leader.get("/api/findings")).json()["total"] == 1
    assert (await leader.post(confirm, json={"position": 0, "result": "normal"})).status_code == 403
    village = await hub.client(Role.VILLAGE_ADMIN)
    assert (await village.get("/api/findings")).status_code == 403
    assert (await village.get(finding.json()["picture_url"])).status_code == 403


SENSELESS: list[dict[str, Any]] = [
    {},
    {"position": -1, "result": "normal"},
    {"position": 1e308, "result": "normal"},
    {"position": "0; DROP TABLE runs", "result": "normal"},
    {"position": 0, "result": "excused"},
    {"position": 0, "result": "normal", "camera_ids": []},
    {"position": 0, "result": "normal", "camera_ids": list(range(1, 38))},
    {"position": 0, "result": "normal", "camera_ids": [2**63]},
    {"position": 0, "result": "abnormal", "words": "x" * 256},
    {"position": 0, "result": "abnormal", "words": "\x00"},
    {"position": 0, "result": "abnormal", "words": "\ud800"},
    {"position": 0, "result": "abnormal", "words": "\u200b\u202e"},  # nothing that shows
    {"position": 0, "result": "normal", "more": 1},
]


async def test_a_confirmation_that_makes_no_sense_is_refused(desk: Desk, hub: Hub) -> None:
    run = await desk.start(hub, 0)
    for body in SENSELESS:
        content, headers = json.dumps(body), {"content-type": "application/json"}
        answer = await desk.client.post(f"/api/runs/{run}/confirm", content=content, headers=headers)
        assert answer.status_code in (409, 422), (body, answer.text)
    assert [one["result"] for one in (await desk.client.get(f"/api/runs/{run}/results")).json()] == ["open"]


def jpeg(width: int, height: int) -> bytes:
    """A picture with an EXIF block that names a place and a device."""
    _, coded = cv2.imencode(".jpg", np.full((height, width, 3), 127, np.uint8))
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08GPSLatitude 31.8 HUAWEI P60"
    return coded.tobytes()[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + coded.tobytes()[2:]


def bomb() -> bytes:
    """A PNG of some bytes that states a billion pixels."""
    head = b"IHDR" + (40_000).to_bytes(4) + (40_000).to_bytes(4) + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + head + bytes(64)


async def test_a_photo_loses_where_and_by_what_it_was_taken(desk: Desk, hub: Hub) -> None:
    run = await desk.start(hub, 0)
    new = {"position": 0, "camera_id": desk.cameras[0], "category": "other", "words": "x"}
    finding = (await desk.client.post(f"/api/runs/{run}/findings", json=new)).json()
    url = f"/api/findings/{finding['id']}/photo"
    given = jpeg(3000, 2000)
    assert b"HUAWEI" in given
    kept = await desk.client.post(url, content=given, headers={"content-type": "image/jpeg"})
    assert kept.status_code == 201, kept.text
    stored = (await desk.client.get(kept.json()["photo_url"])).content
    assert b"HUAWEI" not in stored
    assert b"Exif" not in stored
    image = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert max(image.shape) == 2048
    for data, status in (
        (b"", 415),
        (b"\xff\xd8\xff\xd9", 415),
        (given[: len(given) // 30], 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"<html><script>alert(1)</script>", 415),
        (b"GIF89a" + bytes(100), 415),
        (bomb(), 415),
        (b"MZ" + bytes(1000), 415),
        (bytes(MAX_PHOTO + 1), 413),
    ):
        answer = await desk.client.post(url, content=BytesIO(data).getvalue())
        assert answer.status_code == status, (data[:20], answer.text)
    announced = await desk.client.post(url, content=b"x", headers={"content-length": str(100 * 2**20)})
    assert announced.status_code == 413
    assert (await desk.client.get(kept.json()["photo_url"])).content == stored
