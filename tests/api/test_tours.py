"""Scenes, tours and runs through the API."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from camera_hub.access.policy import Role
from camera_hub.api import runs as runs_api
from camera_hub.api import tours as tours_api
from camera_hub.api.schemas.runs import RunAnswer
from camera_hub.events import EventBus
from camera_hub.patrol.runs.engine import engine
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.run_proof import NoProof
from camera_hub.patrol.runs.runs import Runs
from camera_hub.patrol.tours.from_places import FromPlaces
from camera_hub.patrol.tours.tours import Tours
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village


@pytest.fixture
async def cameras(hub: Hub, database: Database, clock: ManualClock) -> AsyncIterator[list[int]]:
    bus: EventBus = hub.parts[EventBus]
    settings = PatrolSettings(max_stops=3, attention_minutes=20)
    async with engine(settings, clock, bus, database, FakeMedia(), UTC, NoProof()) as on:
        hub.parts.update(
            {
                Runs: on.runs,
                RunReader: on.reader,
                Tours: Tours(settings, database, bus, clock),
                FromPlaces: FromPlaces(settings, database),
            }
        )
        yield await add_village(database, clock, "东沟村", 4)


@pytest.fixture
async def operator(hub: Hub) -> httpx.AsyncClient:
    return await hub.client(Role.OPERATOR)


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def domes(database: Database, cameras: list[int], *, ptz: bool = True) -> None:
    """These cameras can be steered."""
    async with database.write() as session:
        await session.execute(update(Camera).where(Camera.id.in_(cameras)).values(ptz=ptz))


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


async def test_a_patrol_whose_operator_does_not_answer_says_why_it_waits(
    operator: httpx.AsyncClient, cameras: list[int], clock: ManualClock
) -> None:
    tour = await made(operator, "/api/tours", {"name": "路", "stops": [{"camera_id": cameras[0], "dwell_s": 10}]})
    assert (await made(operator, "/api/runs", {"tour_id": tour["id"], "loop": True}))["attention_minutes"] == 0
    run = await made(operator, "/api/runs", {"tour_id": tour["id"]})
    path = f"/api/runs/{run['id']}"
    assert run["attention_minutes"] == 20
    assert (await operator.post(f"{path}/pause", json={"revision": 0, "reason": "alarm"})).status_code == 422
    clock.move(4)
    paused = (await operator.post(f"{path}/pause", json={"revision": 0, "reason": "attention"})).json()
    assert (paused["state"], paused["pause_reason"], paused["time_left_s"]) == ("paused", "attention", 6)
    resumed = (await operator.post(f"{path}/resume", json={"revision": 1})).json()
    assert (resumed["state"], resumed["pause_reason"], resumed["time_left_s"]) == ("running", None, 6)
    events = [(event["kind"], event["detail"]) for event in (await operator.get(f"{path}/events")).json()]
    assert events[1:] == [("paused", {"reason": "attention"}), ("resumed", {"reason": "attention"})]


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


async def test_a_stop_shows_several_cameras_without_a_scene(operator: httpx.AsyncClient, cameras: list[int]) -> None:
    group = {"layout": "4", "cameras": [cameras[0], None, cameras[1]], "key": True, "note": "看水位"}
    tour = await made(operator, "/api/tours", {"name": "路", "stops": [group, {**group, "title": "河堤"}]})
    assert [(stop["name"], stop["more"], stop["layout"], stop["cameras"], stop["key"]) for stop in tour["stops"]] == [
        ("东沟村摄像机1", 1, "4", [cameras[0], None, cameras[1]], True),
        ("河堤", 0, "4", [cameras[0], None, cameras[1]], True),
    ]
    run = await made(operator, "/api/runs", {"tour_id": tour["id"]})
    stops = (await operator.get(f"/api/runs/{run['id']}/itinerary")).json()["stops"]
    assert [[tile and tile["id"] for tile in stop["cameras"]] for stop in stops] == [[cameras[0], None, cameras[1]]] * 2
    assert [(stop["name"], stop["more"]) for stop in stops] == [("东沟村摄像机1", 1), ("河堤", 0)]


async def test_each_dome_of_a_scene_has_its_preset(
    operator: httpx.AsyncClient, database: Database, cameras: list[int]
) -> None:
    a, b, c, _ = cameras
    await domes(database, [b, c])
    scene = await made(operator, "/api/scenes", {"name": "桥", "layout": "4", "cameras": [a, c, b]})
    stop = {
        "scene_id": scene["id"],
        "presets": [
            {"camera_id": b, "token": "3", "name": "桥栏杆"},
            {"camera_id": c, "token": "1", "name": "引桥"},
        ],
    }
    body = {"name": "路", "stops": [stop, {"camera_id": a}]}
    tour = await made(operator, "/api/tours", body)
    told = [
        {"camera_id": c, "token": "1", "name": "引桥", "shown": True},
        {"camera_id": b, "token": "3", "name": "桥栏杆", "shown": True},
    ]
    assert [one["presets"] for one in tour["stops"]] == [told, []], "in the order of the tiles"
    run = await made(operator, "/api/runs", {"tour_id": tour["id"], "loop": True})
    assert [(one["camera_id"], one["name"], one["state"]) for one in run["presets"]] == [
        (c, "引桥", None),
        (b, "桥栏杆", None),
    ]
    stops = (await operator.get(f"/api/runs/{run['id']}/itinerary")).json()["stops"]
    points = [{"camera_id": c, "token": "1", "name": "引桥"}, {"camera_id": b, "token": "3", "name": "桥栏杆"}]
    assert [one["presets"] for one in stops] == [points, []]
    lines = (await operator.get(f"/api/runs/{run['id']}/steps")).json()["steps"]
    assert [(one["id"], one["preset"], one["preset_state"]) for one in lines[0]["cameras"]] == [
        (a, None, None),
        (c, "引桥", None),
        (b, "桥栏杆", None),
    ]


async def test_the_preset_of_a_camera_that_leaves_its_scene_waits_until_it_is_back(
    operator: httpx.AsyncClient, database: Database, cameras: list[int]
) -> None:
    a, b, c, _ = cameras
    await domes(database, [b, c])
    scene = await made(operator, "/api/scenes", {"name": "桥", "layout": "4", "cameras": [a, b]})
    presets = [{"camera_id": b, "token": "3", "name": "桥栏杆"}]
    body = {"name": "路", "stops": [{"scene_id": scene["id"], "presets": presets}]}
    tour = await made(operator, "/api/tours", body)
    path = f"/api/tours/{tour['id']}"

    async def changed(*shown: int) -> None:
        change = {"name": "桥", "layout": "4", "cameras": shown}
        assert (await operator.put(f"/api/scenes/{scene['id']}", json=change)).status_code == 200

    async def told() -> list[tuple[int, bool]]:
        (stop,) = (await operator.get(path)).json()["stops"]
        return [(one["camera_id"], one["shown"]) for one in stop["presets"]]

    await changed(a, c)
    await domes(database, [b], ptz=False)  # and is another device's now
    assert await told() == [(b, False)]
    saved = await operator.put(path, json={**body, "note": "看水位", "revision": tour["revision"]})
    assert saved.status_code == 200, "whoever changes something else need not deal with it"
    run = await made(operator, "/api/runs", {"tour_id": tour["id"], "loop": True})
    assert (await operator.get(f"/api/runs/{run['id']}/itinerary")).json()["stops"][0]["presets"] == []
    await changed(b, c)
    assert await told() == [(b, True)]
    elsewhere = {"name": "别处", "stops": body["stops"]}
    await changed(a, c)
    refused = await operator.post("/api/tours", json=elsewhere)
    assert (refused.status_code, refused.json()["reason"]) == (422, "preset_not_shown")
    assert refused.json()["params"] == {"stop": 1, "camera": b, "name": "东沟村摄像机2"}


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ({"layout": "4", "cameras": []}, "stop_empty"),
        ({"layout": "4", "cameras": [None]}, "stop_empty"),
        ({"layout": "1", "cameras": [1, 2]}, "too_many_tiles"),
        ({"layout": "4", "cameras": [1], "camera_id": 1}, "camera_or_scene"),
        ({"camera_id": 1, "cameras": [2]}, "camera_or_scene"),
        ({"layout": "4", "cameras": [1, 2], "presets": [{"camera_id": 3, "token": "1"}]}, "preset_not_shown"),
        ({"camera_id": 1, "presets": [{"camera_id": 999, "token": "1"}]}, "preset_not_shown"),
        ({"camera_id": 1, "presets": [{"camera_id": 1, "token": "1"}]}, "preset_without_ptz"),
        ({"camera_id": 2, "presets": [{"camera_id": 2, "token": "1"}] * 2}, "preset_twice"),
        ({"camera_id": 2, "presets": [{"camera_id": 2, "token": ""}]}, "invalid"),
        ({"camera_id": 2, "presets": [{"camera_id": 2, "token": "x" * 129}]}, "invalid"),
        ({"camera_id": 2, "presets": [{"camera_id": n, "token": "1"} for n in range(1, 38)]}, "invalid"),
        ({"camera_id": 2, "preset": "1"}, "invalid"),  # as it was said before
        ({"layout": "4", "cameras": [1, 999]}, "no_such_camera"),
        ({"layout": "7x7", "cameras": [1]}, "invalid"),
        ({"layout": "4", "cameras": [1] * 37}, "invalid"),
    ],
)
async def test_a_group_that_cannot_be_shown_is_refused(
    operator: httpx.AsyncClient, database: Database, cameras: list[int], stop: dict[str, Any], reason: str
) -> None:
    await domes(database, [2])
    answer = await operator.post("/api/tours", json={"name": "路", "stops": [stop]})
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)


async def test_of_two_who_change_a_tour_the_second_is_told_who_was_first(
    hub: Hub, operator: httpx.AsyncClient, cameras: list[int]
) -> None:
    body = {"name": "路", "stops": [{"camera_id": cameras[0]}]}
    tour = await made(operator, "/api/tours", body)
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    path = f"/api/tours/{tour['id']}"
    first = await admin.put(path, json={**body, "name": "路一", "revision": tour["revision"]})
    assert (first.status_code, first.json()["changed_name"]) == (200, "township_admin")
    late = await operator.put(path, json={**body, "name": "路二", "revision": tour["revision"]})
    assert (late.status_code, late.json()["reason"]) == (409, "tour_changed")
    assert late.json()["params"]["name"] == "township_admin"
    assert late.json()["params"]["tour"] == first.json()
    over = await operator.put(path, json={**body, "name": "路二", "revision": first.json()["revision"]})
    assert (over.status_code, over.json()["name"]) == (200, "路二")
    assert (await operator.put(path, json=body)).status_code == 422


async def test_a_camera_that_was_retired_may_stay_in_its_tour_and_in_no_new_one(
    operator: httpx.AsyncClient, cameras: list[int], database: Database
) -> None:
    stops = [{"camera_id": cameras[0]}, {"layout": "4", "cameras": cameras[1:3]}]
    tour = await made(operator, "/api/tours", {"name": "路", "stops": stops})
    async with database.write() as session:
        for camera in (cameras[0], cameras[1]):
            row = await session.get(Camera, camera)
            assert row is not None
            row.state = "retired"
    kept = await operator.put(f"/api/tours/{tour['id']}", json={"name": "新", "stops": stops, "revision": 1})
    assert (kept.status_code, kept.json()["name"]) == (200, "新")
    refused = await operator.post("/api/tours", json={"name": "路", "stops": stops})
    assert (refused.status_code, refused.json()["params"]["cameras"]) == (422, sorted(cameras[:2]))


async def test_a_tour_is_copied_archived_and_taken_back(
    hub: Hub, operator: httpx.AsyncClient, database: Database, cameras: list[int]
) -> None:
    body = {
        "name": "防汛",
        "kind": "flood",
        "confirm": "camera",
        "least_s": 5,
        "interrupt": "major",
        "edit_roles": ["township_admin"],
        "source": {"place_classes": ["water"], "left_out": [cameras[3]]},
        "stops": [
            {"camera_id": cameras[0], "presets": [{"camera_id": cameras[0], "token": "3", "name": "闸口"}]},
            {"layout": "4", "cameras": cameras, "presets": [{"camera_id": cameras[1], "token": "1"}]},
        ],
    }
    await domes(database, cameras[:2])
    tour = await made(operator, "/api/tours", body)
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    copy = await made(admin, f"/api/tours/{tour['id']}/copy", {"name": "防汛二"})
    own = ("id", "name", "owner_id", "owner_name", "edit_roles", "changed_name", "changed_at", "created_at")
    assert {key: copy[key] for key in copy if key not in own} == {key: tour[key] for key in tour if key not in own}
    assert (copy["name"], copy["owner_name"], copy["edit_roles"]) == ("防汛二", "township_admin", [])

    path = f"/api/tours/{tour['id']}"
    assert (await operator.post(f"{path}/archive", json={})).json()["archived_at"] is not None
    assert [row["id"] for row in (await operator.get("/api/tours")).json()] == [copy["id"]]
    assert [row["id"] for row in (await operator.get("/api/tours?archived=true")).json()] == [tour["id"]]
    refused = await operator.post("/api/runs", json={"tour_id": tour["id"]})
    assert (refused.status_code, refused.json()["reason"]) == (409, "tour_archived")
    assert (await operator.post(f"{path}/archive", json={"archived": False})).json()["archived_at"] is None
    assert (await operator.post("/api/runs", json={"tour_id": tour["id"]})).status_code == 201


async def test_a_tour_may_be_kept_for_its_owner_and_admins(
    hub: Hub, operator: httpx.AsyncClient, cameras: list[int]
) -> None:
    body = {"name": "路", "stops": [{"camera_id": cameras[0]}]}
    kept = {**body, "roles": ["township_admin"], "edit_roles": ["township_admin"]}
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    theirs = await made(admin, "/api/tours", kept)
    path = f"/api/tours/{theirs['id']}"
    for refused, reason in (
        (await operator.put(path, json={**body, "revision": 1}), "tour_locked"),
        (await operator.post(f"{path}/archive", json={}), "tour_locked"),
        (await operator.delete(path), "tour_locked"),
        (await operator.post("/api/runs", json={"tour_id": theirs["id"]}), "tour_not_yours"),
    ):
        assert (refused.status_code, refused.json()["reason"]) == (403, reason)
    assert (await operator.get(path)).status_code == 200
    mine = await made(operator, "/api/tours", kept)
    assert (await operator.post("/api/runs", json={"tour_id": mine["id"]})).status_code == 201
    assert (await admin.delete(f"/api/tours/{mine['id']}")).status_code == 200
    for roles in ({"roles": ["leader"]}, {"edit_roles": ["maintainer"]}):
        wrong = await operator.post("/api/tours", json={**body, **roles})
        assert (wrong.status_code, wrong.json()["reason"]) == (422, "role_cannot")


async def test_stops_are_built_from_places_and_templates_know_how_many(
    hub: Hub, operator: httpx.AsyncClient, cameras: list[int], database: Database
) -> None:
    async with database.write() as session:
        for camera in cameras[:3]:
            row = await session.get(Camera, camera)
            assert row is not None
            row.place_class = "school"
    asked = {"place_classes": ["school"], "per_stop": 4, "dwell_s": 20}
    found = (await operator.post("/api/tours/from-places", json=asked)).json()
    assert (found["cameras"], found["left"]) == (3, 0)
    assert [(stop["cameras"], stop["title"], stop["dwell_s"]) for stop in found["stops"]] == [
        ([*cameras[:3], None], "东沟村", 20)
    ]
    assert (await operator.get("/api/tours")).json() == []
    rest = (await operator.post("/api/tours/from-places", json={**asked, "without": cameras[:2]})).json()
    assert [stop["camera_id"] for stop in rest["stops"]] == [cameras[2]]
    elsewhere = await operator.post("/api/tours/from-places", json={**asked, "village_ids": [999]})
    assert elsewhere.json()["stops"] == []
    templates = {one["kind"]: one for one in (await operator.get("/api/tour-templates")).json()}
    assert (templates["schools"]["cameras"], templates["water"]["cameras"]) == (3, 0)
    assert templates["schools"]["plan"]["weekdays"] == [0, 1, 2, 3, 4]
    leader = await hub.client(Role.LEADER)
    assert (await leader.get("/api/tour-templates")).status_code == 403


async def test_a_run_is_extended_and_changes_hands_and_its_events_tell(
    hub: Hub, operator: httpx.AsyncClient, cameras: list[int], clock: ManualClock
) -> None:
    tour = await made(operator, "/api/tours", {"name": "路", "stops": [{"camera_id": cameras[0], "dwell_s": 10}]})
    run = await made(operator, "/api/runs", {"tour_id": tour["id"]})
    path = f"/api/runs/{run['id']}"
    assert (run["state"], run["confirm"], run["least_s"], run["interrupt"]) == ("running", "screen", 3, None)
    longer = (await operator.post(f"{path}/extend", json={"revision": 0, "seconds": 20})).json()
    assert (longer["time_left_s"], longer["extended_s"], longer["progress"]["left_s"]) == (30, 20, 30)
    assert (await operator.post(f"{path}/extend", json={"revision": 1, "seconds": 4})).status_code == 422
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    taken = await admin.post(f"{path}/take_over", json={"revision": 1, "note": "接班"})
    assert taken.status_code == 200, taken.text
    back = {"revision": 2, "user_id": run["operator"]["id"], "note": ""}
    refused = await operator.post(f"{path}/hand_over", json=back)
    assert (refused.status_code, refused.json()["reason"]) == (403, "not_operator")
    late = await admin.post(f"{path}/hand_over", json=back | {"revision": 1})
    assert (late.status_code, late.json()["params"]["run"]["operator"]) == (409, taken.json()["operator"])
    given = (await admin.post(f"{path}/hand_over", json=back | {"note": "桥头有施工"})).json()
    assert given["operator"] == run["operator"]
    message = {"by_name": taken.json()["operator"]["name"], "note": "桥头有施工", "position": 0, "received_at": None}
    assert message.items() <= given["handover"].items()
    assert (await admin.post(f"{path}/receive")).json()["reason"] == "not_operator"
    assert (await operator.post(f"{path}/receive")).json()["handover"]["received_at"] is not None
    clock.move(31)
    assert (await operator.get(path)).json()["state"] == "closing"
    assert [row["id"] for row in (await operator.get("/api/runs?state=closing")).json()] == [run["id"]]
    assert (await operator.post(f"{path}/pause", json={"revision": 4})).json()["reason"] == "run_closing"
    events = (await operator.get(f"{path}/events")).json()
    kinds = ["started", "extended", "taken_over", "handed_over", "received", "closing"]
    assert [event["kind"] for event in events] == kinds
    assert events[2]["detail"] == {
        "from": run["operator"]["id"],
        "from_name": run["operator"]["name"],
        "note": "接班",
    }
    assert (await operator.get(f"{path}/events?after={events[3]['id']}")).json() == events[4:]
    village = await hub.client(Role.VILLAGE_ADMIN)
    assert (await village.get(f"{path}/events")).status_code == 403
