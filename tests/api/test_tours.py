"""Scenes, tours and runs through the API."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import httpx
import pytest

from camera_hub.access.policy import Role
from camera_hub.api import runs as runs_api
from camera_hub.api import tours as tours_api
from camera_hub.api.schemas.runs import RunAnswer
from camera_hub.events import EventBus
from camera_hub.patrol.runs.engine import engine
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.run_proof import NoProof
from camera_hub.patrol.runs.runs import Runs
from camera_hub.patrol.tours.tours import Tours
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village


@pytest.fixture
async def cameras(hub: Hub, database: Database, clock: ManualClock) -> AsyncIterator[list[int]]:
    bus: EventBus = hub.parts[EventBus]
    settings = PatrolSettings(max_stops=3)
    async with engine(settings, clock, bus, database, FakeMedia(), UTC, NoProof()) as on:
        hub.parts.update({Runs: on.runs, RunReader: on.reader, Tours: Tours(settings, database, bus, clock)})
        yield await add_village(database, clock, "东沟村", 4)


@pytest.fixture
async def operator(hub: Hub) -> httpx.AsyncClient:
    return await hub.client(Role.OPERATOR)


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_scene_is_made_changed_and_removed(operator: httpx.AsyncClient, cameras: list[int]) -> None:
    scene = await made(operator, "/api/scenes", {"name": "桥", "layout": "4", "cameras": [None, cameras[0]]})
    assert scene["cameras"] == [None, cameras[0], None, None]
    changed = await operator.put(
        f"/api/scenes/{scene['id']}", json={"name": "桥头", "layout": "1+5", "cameras": cameras}
    )
    assert changed.json()["cameras"] == [*cameras, None, None]
    assert [row["name"] for row in (await operator.get("/api/scenes")).json()] == ["桥头"]
    assert (await operator.delete(f"/api/scenes/{scene['id']}")).status_code == 200
    assert (await operator.get("/api/scenes")).json() == []
    assert (await operator.delete(f"/api/scenes/{scene['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("layout", "tiles", "reason"),
    [("1", [1, 2], "too_many_tiles"), ("4", [None], "scene_empty"), ("4", [999], "no_such_camera")],
)
async def test_a_scene_that_cannot_be_shown_is_refused(
    operator: httpx.AsyncClient, cameras: list[int], layout: str, tiles: list[int | None], reason: str
) -> None:
    answer = await operator.post("/api/scenes", json={"name": "桥", "layout": layout, "cameras": tiles})
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)


async def test_a_scene_keeps_its_carousels_and_is_then_no_stop_of_a_tour(
    operator: httpx.AsyncClient, cameras: list[int]
) -> None:
    turning = {"1": {"cameras": [*cameras, cameras[0]], "seconds": 5}, "2": {"place_class": "key_road", "seconds": 20}}
    body = {"name": "轮", "layout": "2x3", "cameras": [cameras[0], cameras[1]], "carousels": turning, "magnify_s": 10}
    scene = await made(operator, "/api/scenes", body)
    assert scene["cameras"] == [cameras[0], None, None, None, None, None]
    assert scene["carousels"]["1"] == {"cameras": cameras, "place_class": None, "village_id": None, "seconds": 5}
    assert scene["carousels"]["2"]["place_class"] == "key_road"
    assert scene["magnify_s"] == 10
    assert (await operator.get("/api/scenes")).json() == [scene]
    stops = [{"scene_id": scene["id"], "dwell_s": 20}]
    refused = await operator.post("/api/tours", json={"name": "路", "stops": stops})
    assert (refused.status_code, refused.json()["reason"]) == (422, "scene_turns")

    plain = {"name": "定", "layout": "2x3", "cameras": [cameras[0]]}
    path = f"/api/scenes/{scene['id']}"
    assert (await operator.put(path, json=plain)).json()["carousels"] == {}
    await made(operator, "/api/tours", {"name": "路", "stops": stops})
    used = await operator.put(path, json=body)
    assert (used.status_code, used.json()["params"]["tours"]) == (409, ["路"])


@pytest.mark.parametrize(
    ("carousels", "reason"),
    [
        ({"4": {"place_class": "school"}}, "too_many_tiles"),
        ({"0": {}}, "carousel_source"),
        ({"0": {"place_class": "school", "village_id": 1}}, "carousel_source"),
        ({"0": {"village_id": 999}}, "carousel_village"),
        ({"0": {"cameras": [999]}}, "no_such_camera"),
        ({"0": {"place_class": "school", "seconds": 4}}, "invalid"),
        ({"0": {"place_class": "school", "seconds": 3601}}, "invalid"),
        ({"0": {"place_class": "elsewhere"}}, "invalid"),
        ({"-1": {"place_class": "school"}}, "invalid"),
        ({"x": {"place_class": "school"}}, "invalid"),
        ({"0": {"cameras": list(range(1, 102))}}, "invalid"),
    ],
)
async def test_a_carousel_that_cannot_turn_is_refused(
    operator: httpx.AsyncClient, cameras: list[int], carousels: dict[str, Any], reason: str
) -> None:
    body = {"name": "轮", "layout": "4", "cameras": [], "carousels": carousels}
    answer = await operator.post("/api/scenes", json=body)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)


async def test_a_tour_is_made_changed_and_retired(operator: httpx.AsyncClient, cameras: list[int]) -> None:
    scene = await made(operator, "/api/scenes", {"name": "桥", "layout": "4", "cameras": cameras})
    stops = [{"camera_id": cameras[0], "dwell_s": 10, "note": "看水位"}, {"scene_id": scene["id"], "dwell_s": 20}]
    tour = await made(operator, "/api/tours", {"name": "防汛", "stops": stops})
    assert (tour["duration_s"], tour["last_run_at"]) == (30, None)
    assert [(stop["position"], stop["name"]) for stop in tour["stops"]] == [(0, "东沟村摄像机1"), (1, "桥")]
    used = await operator.delete(f"/api/scenes/{scene['id']}")
    assert (used.status_code, used.json()["params"]["tours"]) == (409, ["防汛"])

    path = f"/api/tours/{tour['id']}"
    changed = await operator.put(path, json={"name": "防汛2", "revision": 1, "stops": [stops[1], stops[0]]})
    assert [stop["name"] for stop in changed.json()["stops"]] == ["桥", "东沟村摄像机1"]
    assert (await operator.get(path)).json() == changed.json()
    assert (await operator.delete(path)).status_code == 200
    assert (await operator.get(path)).status_code == 404
    assert (await operator.get("/api/tours")).json() == []
    assert (await operator.delete(f"/api/scenes/{scene['id']}")).status_code == 200


@pytest.mark.parametrize(
    ("stops", "reason"),
    [
        ([{}], "camera_or_scene"),
        ([{"camera_id": 1, "scene_id": 1}], "camera_or_scene"),
        ([{"camera_id": 999}], "no_such_camera"),
        ([{"scene_id": 999}], "no_such_scene"),
        ([{"camera_id": 1}] * 4, "stop_count"),
        ([], "invalid"),
        ([{"camera_id": 1, "dwell_s": 1}], "invalid"),
    ],
)
async def test_a_tour_that_cannot_be_walked_is_refused(
    operator: httpx.AsyncClient, cameras: list[int], stops: list[dict[str, int]], reason: str
) -> None:
    answer = await operator.post("/api/tours", json={"name": "路", "stops": stops})
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert (await operator.get("/api/tours")).json() == []


async def test_a_run_is_started_controlled_and_recorded(
    operator: httpx.AsyncClient, cameras: list[int], clock: ManualClock
) -> None:
    stops = [{"camera_id": camera, "dwell_s": 10} for camera in cameras[:3]]
    tour = await made(operator, "/api/tours", {"name": "路", "stops": stops})
    run = await made(operator, "/api/runs", {"tour_id": tour["id"]})
    path = f"/api/runs/{run['id']}"
    assert (run["position"], run["next_position"], run["time_left_s"], run["started_name"]) == (0, 1, 10, "operator")
    clock.move(4)
    paused = await operator.post(f"{path}/pause", json={"revision": 0})
    assert (paused.json()["state"], paused.json()["revision"]) == ("paused", 1)
    late = await operator.post(f"{path}/next", json={"revision": 0})
    assert (late.status_code, late.json()["reason"]) == (409, "run_moved")
    assert late.json()["params"]["run"] == paused.json()
    jumped = await operator.post(f"{path}/jump", json={"revision": 1, "position": 2})
    assert (jumped.json()["position"], jumped.json()["state"]) == (2, "paused")
    assert [row["id"] for row in (await operator.get("/api/runs?state=active")).json()] == [run["id"]]
    assert (await operator.post(f"{path}/stop", json={"revision": 2})).json()["end_reason"] == "stopped"
    assert (await operator.post(f"{path}/next", json={"revision": 3})).json()["reason"] == "run_ended"
    assert (await operator.post(f"{path}/explode", json={"revision": 3})).status_code == 422

    record = (await operator.get(f"{path}/steps")).json()
    assert [(step["position"], step["shown_s"]) for step in record["steps"]] == [(0, 4), (2, 0)]
    assert (record["next"], record["rolled_up"]) == (None, 0)
    first = (await operator.get(f"{path}/steps?limit=1")).json()
    assert (first["steps"], first["next"]) == (record["steps"][:1], 0)
    assert (await operator.get(f"{path}/steps?limit=1&after=0")).json()["steps"] == record["steps"][1:]
    ended = (await operator.get(path)).json()
    assert (ended["shown"], ended["step"]) == (2, None)
    assert (await operator.get(f"/api/runs?tour_id={tour['id']}&state=ended")).json() == [ended]
    assert (await operator.get("/api/tours")).json()[0]["last_run_at"] == run["started_at"]
    assert (await operator.post("/api/runs", json={"tour_id": 999})).status_code == 404


async def test_tours_are_the_townships(hub: Hub, operator: httpx.AsyncClient, cameras: list[int]) -> None:
    tour = await made(operator, "/api/tours", {"name": "路", "stops": [{"camera_id": cameras[0]}]})
    run = await made(operator, "/api/runs", {"tour_id": tour["id"]})
    village = await hub.client(Role.VILLAGE_ADMIN)
    for path in ("/api/tours", "/api/scenes", "/api/runs"):
        assert (await village.get(path)).json() == []
    assert (await village.get(f"/api/tours/{tour['id']}")).status_code == 404
    assert (await village.post("/api/runs", json={"tour_id": tour["id"]})).status_code == 403
    actor = await hub.app.state.sessions.actor(village.cookies["camera_hub_session"])
    for rows in (
        await tours_api.live(hub.parts[Tours])([tour["id"]]),
        await runs_api.live(hub.parts[RunReader])([run["id"]]),
    ):
        assert [render(actor) for render in rows.values()] == [None]

    leader = await hub.client(Role.LEADER)
    assert (await leader.get(f"/api/runs/{run['id']}/steps")).status_code == 200
    assert (await leader.post(f"/api/runs/{run['id']}/stop", json={"revision": 0})).status_code == 403
    maintainer = await hub.client(Role.MAINTAINER)
    assert (await maintainer.get(f"/api/runs/{run['id']}")).status_code == 200
    assert (await maintainer.get(f"/api/runs/{run['id']}/steps")).status_code == 403


async def test_a_page_is_told_the_run_as_it_stands(
    hub: Hub, operator: httpx.AsyncClient, cameras: list[int], clock: ManualClock
) -> None:
    tour = await made(operator, "/api/tours", {"name": "路", "stops": [{"camera_id": cameras[0]}]})
    run = await made(operator, "/api/runs", {"tour_id": tour["id"], "loop": True})
    actor = await hub.app.state.sessions.actor(operator.cookies["camera_hub_session"])
    clock.move(5)
    (told,) = (await runs_api.live(hub.parts[RunReader])([run["id"], 999])).values()
    row = told(actor)
    assert isinstance(row, RunAnswer)
    assert (row.time_left_s, row.next_position) == (10, 0)
    assert await tours_api.live(hub.parts[Tours])([0]) == {}
    (told,) = (await tours_api.live(hub.parts[Tours])([tour["id"]])).values()
    seen = told(actor)
    assert seen is not None
    assert seen.model_dump(mode="json") == (await operator.get(f"/api/tours/{tour['id']}")).json()


async def test_a_run_s_plan_is_asked_for_once(operator: httpx.AsyncClient, cameras: list[int]) -> None:
    stops = [{"camera_id": camera, "dwell_s": 10, "note": "看水位"} for camera in cameras[:3]]
    tour = await made(operator, "/api/tours", {"name": "路", "stops": stops})
    run = await made(operator, "/api/runs", {"tour_id": tour["id"]})
    assert "stops" not in run
    itinerary = await operator.get(f"/api/runs/{run['id']}/itinerary")
    assert [(stop["position"], stop["note"], stop["cameras"][0]["id"]) for stop in itinerary.json()["stops"]] == [
        (place, "看水位", camera) for place, camera in enumerate(cameras[:3])
    ]
    again = await operator.get(f"/api/runs/{run['id']}/itinerary", headers={"If-None-Match": itinerary.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
