"""The health board and a camera's health file through the API."""

from datetime import timedelta
from typing import Any

import pytest

from camera_hub.access.policy import Role
from camera_hub.cameras.addresses import NO_HOST
from camera_hub.health.board import CameraGroup, tally
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, AlarmMember, Camera, CameraState, Device, Observation
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

WELL, BAD = "ok", "fault"


def group(media: str | None, picture: str | None = None, *, count: int = 1, **more: Any) -> CameraGroup:
    """Connected cameras that are alike."""
    values = {"connected": True, "excluded": False, "clock": None, "recording": None, "looked_at": None} | more
    return CameraGroup(1, media=media, picture=picture, count=count, **values)


@pytest.mark.parametrize(
    ("groups", "online", "intact", "clock", "unknown"),
    [
        ([], (0, 0), (0, 0), (0, 0), 0),
        ([group(WELL, WELL, clock=WELL, count=8)], (8, 8), (8, 8), (8, 8), 0),
        ([group(WELL, WELL, clock=BAD, count=8)], (8, 8), (8, 8), (0, 8), 0),  # a wrong clock hides no picture
        ([group(WELL, BAD), group(WELL, WELL)], (2, 2), (1, 2), (0, 0), 0),
        ([group(BAD, WELL), group(WELL, WELL)], (1, 2), (1, 2), (0, 0), 0),  # what is not online is not intact
        ([group(WELL, None, count=3)], (3, 3), (0, 0), (0, 0), 0),  # not judged counts neither way
        ([group(None, count=2)], (0, 0), (0, 0), (0, 0), 2),
        ([group(WELL, WELL), group(None, connected=False)], (1, 1), (1, 1), (0, 0), 0),
        ([group(WELL, WELL), group(BAD, BAD, excluded=True)], (1, 1), (1, 1), (0, 0), 0),
    ],
)
def test_four_figures_of_which_none_hides_another(
    groups: list[CameraGroup], online: tuple[int, int], intact: tuple[int, int], clock: tuple[int, int], unknown: int
) -> None:
    counts = tally(groups)
    assert (counts.online.well, counts.online.of) == online
    assert (counts.intact.well, counts.intact.of) == intact
    assert (counts.clock.well, counts.clock.of) == clock
    assert counts.unknown == unknown
    for figure in (counts.online, counts.intact, counts.clock, counts.recording):
        assert figure.well + figure.fault + figure.unknown == counts.connected


@pytest.fixture
async def cameras(hub: Hub, database: Database, clock: ManualClock) -> list[int]:
    """Three cameras of a village that no village admin of the hub has: well, without a picture, not connected."""
    ids = await add_village(database, clock, "东沟村", 3)
    now = clock.now()
    hour = timedelta(hours=1)
    async with database.write() as session:
        third = await session.get_one(Camera, ids[2])
        (await session.get_one(Device, third.device_id)).host = NO_HOST
        states = [
            CameraState(camera_id=ids[0], aspect="media", state=BAD, cause="stalled", since=now - 3 * hour),
            CameraState(camera_id=ids[0], aspect="media", state=WELL, since=now - 2 * hour),
            CameraState(camera_id=ids[0], aspect="picture", state=WELL, since=now - 2 * hour),
            CameraState(camera_id=ids[1], aspect="media", state=BAD, cause="no_media", since=now - hour),
        ]
        states[0].until = states[1].since
        looks = [
            Observation(camera_id=ids[0], at=now - timedelta(minutes=6), scores={"frozen": 3.0}, key_frame_ms=40.0),
            Observation(camera_id=ids[0], at=now - timedelta(minutes=1), signalling_ms=7.0),
        ]
        alarm = Alarm(level="camera", aspect="media", severity="major", cause="no_media", opened_at=now - hour)
        alarm.camera_id, alarm.village_id = ids[1], third.village_id
        session.add_all([*states, *looks, alarm])
        await session.flush()
        session.add(AlarmMember(alarm_id=alarm.id, camera_id=ids[1], joined_at=now))
    return ids


async def test_the_board_has_every_village_and_their_sum(
    hub: Hub, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    client = await hub.client(Role.LEADER)
    answer = (await client.get("/api/health/board")).json()
    own = next(one for one in answer["villages"] if one["name"] == "东沟村")
    counts = own["counts"]
    assert (counts["due"], counts["connected"], counts["excluded"], counts["unknown"]) == (3, 2, 0, 0)
    assert counts["online"] == {"well": 1, "of": 2, "fault": 1, "unknown": 0}
    assert counts["intact"] == {"well": 1, "of": 2, "fault": 1, "unknown": 0}
    assert counts["alarms"] == {"critical": 0, "major": 1, "minor": 0, "warning": 0, "unacknowledged": 1}
    assert counts["looked_at"] == (clock.now() - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    assert (own["link"], own["link_since"]) == ("up", None)
    assert answer["totals"] == counts, "the other villages are empty"
    assert len(answer["villages"]) == 3
    assert answer["pace"] == {"observed": 0, "late": 0, "late_s": 0.0}

    async with database.write() as session:
        village = (await session.get_one(Camera, cameras[0])).village_id
        dead = Alarm(level="village", aspect="media", severity="critical", cause="village_link", opened_at=clock.now())
        dead.village_id = village
        session.add(dead)
    answer = (await client.get("/api/health/board")).json()
    own = next(one for one in answer["villages"] if one["name"] == "东沟村")
    assert (own["link"], own["link_since"] is not None) == ("down", True)


async def test_what_is_excluded_is_listed_apart(hub: Hub, cameras: list[int], clock: ManualClock) -> None:
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    term = {"since": clock.now().isoformat(), "until": (clock.now() + timedelta(days=1)).isoformat()}
    body = {"level": "camera", "ids": [cameras[1]], "kind": "repair", "reason": "等待配件", **term}
    assert (await client.post("/api/exclusions", json=body)).status_code == 201
    counts = (await client.get("/api/health/board")).json()["totals"]
    assert (counts["due"], counts["connected"], counts["excluded"]) == (2, 1, 1)
    assert counts["online"] == {"well": 1, "of": 1, "fault": 0, "unknown": 0}
    clock.move(3600)
    file = (await client.get(f"/api/cameras/{cameras[1]}/health?hours=4")).json()
    assert (file["excluded"]["kind"], file["excluded"]["reason"]) == ("repair", "等待配件")
    assert [(one["since"], one["until"]) for one in file["exclusions"]] == [(file["excluded"]["since"], file["until"])]
    assert (await client.get(f"/api/cameras/{cameras[0]}/health")).json()["excluded"] is None


async def test_a_village_admin_sees_the_own_village_alone(hub: Hub, cameras: list[int]) -> None:
    client = await hub.client(Role.VILLAGE_ADMIN)
    answer = (await client.get("/api/health/board")).json()
    assert [one["village_id"] for one in answer["villages"]] == [hub.village]
    assert answer["totals"]["due"] == 0
    assert (await client.get(f"/api/cameras/{cameras[0]}/health")).status_code == 404
    assert (await (await hub.client(Role.CONTRACTOR)).get("/api/health/board")).status_code == 403


async def test_the_health_file_tells_intervals_verdicts_and_what_was_measured(
    hub: Hub, cameras: list[int], clock: ManualClock
) -> None:
    client = await hub.client(Role.MAINTAINER)
    first = (await client.get(f"/api/cameras/{cameras[0]}/health?hours=24")).json()
    said = [(one["aspect"], one["state"], one["cause"], one["until"] is None) for one in first["states"]]
    assert said == [("media", BAD, "stalled", False), ("media", WELL, None, True), ("picture", WELL, None, True)]
    assert [one["aspect"] for one in first["verdicts"]] == ["media", "picture"]
    assert (first["cut"], first["alarms"]) == (False, [])
    measured = first["measured"]
    assert (measured["signalling_ms"], measured["key_frame_ms"], measured["scores"]) == (7.0, 40.0, {"frozen": 3.0})
    short = (await client.get(f"/api/cameras/{cameras[0]}/health?hours=1.5")).json()
    assert [one["state"] for one in short["states"]] == [WELL, WELL]
    second = (await client.get(f"/api/cameras/{cameras[1]}/health")).json()
    assert [(one["level"], one["cause"]) for one in second["alarms"]] == [("camera", "no_media")]
    assert second["measured"]["scores"] is None
    assert (await client.get("/api/cameras/9999/health")).status_code == 404
