"""A village admin meets another village by no route, no list and no event: every route with an object is asked."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from camera_hub.access.accounts import Accounts, Change
from camera_hub.access.policy import Action, Actor, Role, VillageGrant, role_actions
from camera_hub.api.live import LivePages
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.credentials.profiles import LoginProfiles
from camera_hub.cameras.device_settings.previews import SettingsPreviews
from camera_hub.cameras.device_settings.values import WantedChange, WantedClock
from camera_hub.cameras.discovery.sweeps import Sweeps
from camera_hub.cameras.imports.imports import Imports
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict
from camera_hub.errors import HubError
from camera_hub.health.exclusions import LEVELS
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.settings import Settings
from camera_hub.sheets.writing import WrittenColumn, write_xlsx
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    AlarmPicture,
    BasePicture,
    Camera,
    CameraReplacement,
    Device,
    DeviceMatch,
    Exclusion,
    Finding,
    IntakeCandidate,
    KeyPlace,
    LedgerFile,
    LedgerPhoto,
    Notice,
    Observation,
    Plan,
    PlanOccurrence,
    ReferencePicture,
    Run,
    Scene,
    Screen,
    SpecialPeriod,
    Stream,
    Tour,
    TourStop,
)
from tests.api.conftest import Hub, stated_routes, told
from tests.fakes.clock import ManualClock

SECRET = "西边的水库"
ADDRESS = "10.77.77.77"

ROUTES = [
    (method, route.path, route.action)
    for route in stated_routes()
    for method in route.methods
    if route.action in role_actions(Role.VILLAGE_ADMIN) | role_actions(Role.CONTRACTOR)
]
OBJECTS = [(method, path) for method, path, _ in ROUTES if "{" in path]
ACTIONS = {(method, path): action for method, path, action in ROUTES}
LISTS = [path for method, path, action in ROUTES if method == "GET" and "{" not in path and action is not Action.SELF]

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/api/cameras/{camera_id}"): {"name": "mine"},
    ("PUT", "/api/health/round-plans/{village_id}"): {"plan": "thrifty"},
    ("PUT", "/api/imports/{import_id}/mapping"): {"sheet": "Sheet1", "header_row": 1, "columns": []},
    ("PATCH", "/api/imports/{import_id}/rows/{number}"): {"values": {"name": "mine"}},
    ("POST", "/api/imports/{import_id}/run"): {"only": "good"},
    ("PATCH", "/api/ledger/{camera_id}"): {"values": {"lens": "4mm"}},
    ("PUT", "/api/map/cameras/{camera_id}"): {"longitude": 117.2, "latitude": 31.8},
    ("PATCH", "/api/devices/{device_id}"): {"host": "10.1.1.1", "password": "x"},
    ("PATCH", "/api/candidates/{candidate_id}"): {"name": "mine"},
    ("POST", "/api/matches/{match_id}/accept"): {},
    ("PATCH", "/api/logins/{profile_id}"): {"name": "mine"},
    ("POST", "/api/logins/{profile_id}/assign"): {"device_ids": [1]},
    ("POST", "/api/device-settings/previews/{preview_id}/apply"): {},
    ("POST", "/api/logins/{profile_id}/release"): {"device_ids": [1]},
    ("POST", "/api/cameras/{camera_id}/ptz/presets"): {"name": "mine"},
    ("PUT", "/api/cameras/{camera_id}/ptz/presets/{token:path}"): {"name": "mine"},
    ("PUT", "/api/cameras/{camera_id}/ptz/home"): {"seconds": 60},
    ("POST", "/api/cameras/{camera_id}/ptz/suspend"): {"minutes": 5},
    ("POST", "/api/cameras/{camera_id}/ptz/move"): {"pan": 1},
    ("POST", "/api/alarms/{alarm_id}/owner"): {"user_id": None},
    ("POST", "/api/cameras/{camera_id}/references"): {"profile": "day"},
    ("POST", "/api/alarms/{alarm_id}/suspend"): {"until": "2026-11-24T08:00:00Z", "reason": "parts"},
}
EXCLUDED = {
    "kind": "repair",
    "reason": "x",
    "since": "2026-11-23T08:00:00Z",
    "until": "2026-11-24T08:00:00Z",
}
PLAYERS = {"POST": "application/sdp", "PATCH": "application/trickle-ice-sdpfrag"}
"""What WHEP players send, by method; judged before their session or camera is looked for."""


@dataclass(frozen=True, slots=True)
class Other:
    """One of everything, in the other village or of the township."""

    ids: dict[str, object]


@pytest.fixture
async def other(hub: Hub, database: Database, clock: ManualClock, tmp_path: Path) -> Other:
    now, village = clock.now(), hub.other_village
    async with database.write() as session:
        device = Device(village_id=village, name=SECRET, host=ADDRESS, onvif_port=80, created_at=now)
        session.add(device)
        await session.flush()
        camera = Camera(
            device_id=device.id,
            village_id=village,
            channel="v1",
            name=SECRET,
            state="approved",
            health="fault",
            cause="black",
            created_at=now,
        )
        scene = Scene(name=SECRET, layout="1", created_at=now)
        tour = Tour(name=SECRET, created_at=now)
        session.add_all([camera, scene, tour])
        await session.flush()
        waits = Camera(
            device_id=device.id, village_id=village, channel="v2", name=SECRET, state="waiting", created_at=now
        )
        session.add(waits)
        candidate = IntakeCandidate(
            village_id=village, host=ADDRESS, name=SECRET, source="sheet", reason="unreachable", detail=SECRET
        )
        candidate.attempts, candidate.tried_at, candidate.created_at = 1, now, now
        session.add(candidate)
        scene.cameras = [camera.id]
        alarm = Alarm(level="camera", cause="black", village_id=village, camera_id=camera.id, opened_at=now)
        alarm.detail = SECRET
        stop = {"position": 0, "dwell_s": 9, "name": SECRET, "note": "", "layout": "1", "cameras": [None]}
        run = Run(tour_id=tour.id, tour_name=SECRET, itinerary=[stop], state="paused", anchor_at=now, started_at=now)
        run.started_name = SECRET
        session.add_all(
            [
                alarm,
                run,
                TourStop(tour_id=tour.id, position=0, camera_id=camera.id, dwell_s=9),
                Stream(camera_id=camera.id, role="sub", source="url", plain_uri=f"rtsp://{ADDRESS}/1", codec="h264"),
                Observation(camera_id=camera.id, at=now, detail=SECRET, scores={}),
            ]
        )
        await session.flush()
        screen = Screen(name=SECRET, place=SECRET, created_at=now)
        screen.content = {"kind": "cameras", "layout": "1", "cameras": [camera.id]}
        session.add(screen)
        session.add(AlarmMember(alarm_id=alarm.id, camera_id=camera.id, joined_at=now))
        match = DeviceMatch(kind="moved", question="q", device_id=device.id, village_id=village, source="hello")
        match.other_village_id, match.host, match.path, match.facts = village, ADDRESS, "/", {"name": SECRET}
        match.seen_at = match.last_seen_at = now
        replacement = CameraReplacement(camera_id=camera.id, other_camera_id=camera.id, village_id=village)
        replacement.old_device_id = replacement.new_device_id = device.id
        replacement.replaced_at = now
        exclusion = Exclusion(level="camera", camera_id=camera.id, kind="repair", reason=SECRET, since=now)
        exclusion.until, exclusion.created_name, exclusion.created_at = now + timedelta(days=1), SECRET, now
        kept = AlarmPicture(alarm_id=alarm.id, camera_id=camera.id, kind="present", at=now, kept_at=now, size=1)
        reference = ReferencePicture(camera_id=camera.id, profile="day", source="1/v1", features=SECRET, at=now, size=1)
        session.add_all([match, replacement, exclusion, kept, reference])
        await session.flush()
        place = KeyPlace(village_id=village, name=SECRET, place_class="water", kind="point", geometry=[[117.2, 31.8]])
        place.created_at, place.changed_at, place.changed_by = now, now, SECRET
        base = BasePicture(west=117.1, south=31.7, east=117.3, north=31.9, width=1, height=1, size=1, opacity=1, at=now)
        base.user_name = "admin"
        file = LedgerFile(
            camera_id=camera.id, longitude=117.2, latitude=31.8, landmark=SECRET, details={}, updated_at=now
        )
        session.add_all([place, base, file])
        await session.flush()
        photo = LedgerPhoto(camera_id=camera.id, kind="view", at=now, user_name=SECRET, width=1, height=1, size=1)
        session.add(photo)
        admin_id = hub.accounts[Role.TOWNSHIP_ADMIN].id
        finding = Finding(run_id=run.id, position=0, camera_id=camera.id, village_id=village, category="other", at=now)
        finding.words, finding.user_name = SECRET, SECRET
        session.add(finding)
        notice = Notice(user_id=admin_id, alarm_id=alarm.id, kind="opened", payload={"title": SECRET})
        notice.created_at = notice.next_attempt_at = now
        session.add(notice)
        plan = Plan(name=SECRET, tour_id=tour.id, rule={"times": ["08:30"], "every": None}, created_at=now)
        plan.changed_at = now
        period = SpecialPeriod(name=SECRET, kind="event", begins_at=now, ends_at=now + timedelta(days=1))
        period.changed_at = now
        session.add_all([plan, period])
        await session.flush()
        due = PlanOccurrence(plan_id=plan.id, plan_name=SECRET, tour_id=tour.id, tour_name=SECRET, variant="day")
        due.due_at, due.late_at, due.over_at, due.state = now, now + timedelta(hours=1), now + timedelta(hours=4), "due"
        session.add(due)
        await session.flush()
    sheet = write_xlsx([WrittenColumn("名称"), WrittenColumn("IP")], [[SECRET, ADDRESS]])
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(sheet)
    folder = hub.parts[Settings].server.data_dir / "photos"
    folder.mkdir()
    (folder / f"{photo.id}.jpg").write_bytes(b"\xff\xd8" + SECRET.encode())
    for name, row_id in (("alarm-pictures", kept.id), ("references", reference.id)):
        await PictureFiles(hub.parts[Settings].server.data_dir / name).write(row_id, b"\xff\xd8" + SECRET.encode())
    drawn = hub.parts[Settings].server.data_dir / "map"
    drawn.mkdir()
    (drawn / f"{base.id}.jpg").write_bytes(b"\xff\xd8")  # everybody's
    pictures: Pictures = hub.parts[Pictures]
    for one in (camera, waits):
        await pictures.save(one.id, b"\xff\xd8" + SECRET.encode(), now)
    sweeps: Sweeps = hub.parts[Sweeps]
    account = hub.accounts[Role.TOWNSHIP_ADMIN]
    admin = Actor(account.id, account.username, account.display_name, account.role)
    sweep = await sweeps.start(admin, village, multicast=False, ranges=[])
    profiles: LoginProfiles = hub.parts[LoginProfiles]
    profile = await profiles.add(admin, village, SECRET, ["ordinary"], "u", "p")
    imports: Imports = hub.parts[Imports]
    imported = await imports.upload(admin, village, SECRET, path)
    jobs: Jobs = hub.parts[Jobs]
    job = jobs.start(admin, "test", village, [JobItem("1", SECRET)], _judged)
    previews: SettingsPreviews = hub.parts[SettingsPreviews]
    preview = await previews.start(admin, WantedChange(WantedClock(set_now=True)), device_ids=[device.id])
    return Other(
        {
            "camera_id": camera.id,
            "photo_id": photo.id,
            "picture_id": kept.id,
            "profile": "day",
            "device_id": device.id,
            "device_settings_id": device.id,
            "preview_id": preview.id,
            "candidate_id": candidate.id,
            "waiting_id": waits.id,
            "inbox_id": village,
            "match_id": match.id,
            "replacement_id": replacement.id,
            "alarm_id": alarm.id,
            "exclusion_id": exclusion.id,
            "tour_id": tour.id,
            "scene_id": scene.id,
            "run_id": run.id,
            "result_id": run.id,
            "finding_id": finding.id,
            "plan_id": plan.id,
            "period_id": period.id,
            "occurrence_id": due.id,
            "screen_id": screen.id,
            "village_id": village,
            "camera_position_id": camera.id,
            "map_id": f"place:{place.id}",
            "sweep_id": sweep.id,
            "job_id": job.id,
            "notice_id": notice.id,
            "profile_id": profile.id,
            "import_id": imported.id,
            "number": 2,
            "viewer": "nobodys",
            "verb": "stop",
            "quality": "sub",
            "token": "nobodys",
        }
    )


async def _judged(item: JobItem) -> JobVerdict:
    return JobVerdict(True)


PHOTOS = "/api/ledger/{camera_id}/photos"


async def asked(client: httpx.AsyncClient, method: str, path: str, other: Other) -> httpx.Response:
    """The answer of the route about the other village's object."""
    url = path.replace("{token:path}", "a/preset").format(**other.ids)
    if "/whep" in path and method in PLAYERS:
        return await client.request(method, url, content=b"v=0", headers={"content-type": PLAYERS[method]})
    if (method, path) == ("POST", PHOTOS):
        return await client.post(url, params={"kind": "view"}, content=b"\xff\xd8")
    body = BODIES.get((method, path))
    return await client.request(method, url, json=body) if body is not None else await client.request(method, url)


@pytest.fixture(params=["village admin", "contractor", "bound maintainer", "expired", "over", "before its time"])
async def outsider(request: pytest.FixtureRequest, hub: Hub, clock: ManualClock) -> Role:
    """Somebody who may not see the other village: whose role has accounts that are bound in different ways."""
    accounts: Accounts = hub.parts[Accounts]
    now, hour = clock.now(), timedelta(hours=1)
    role, grants = {
        "village admin": (Role.VILLAGE_ADMIN, [VillageGrant(hub.village)]),
        "contractor": (Role.CONTRACTOR, [VillageGrant(hub.village, None, now + hour)]),
        "bound maintainer": (Role.MAINTAINER, [VillageGrant(hub.village)]),
        "over": (Role.CONTRACTOR, [VillageGrant(hub.other_village, now - 2 * hour, now)]),
        "expired": (Role.VILLAGE_ADMIN, [VillageGrant(hub.other_village, now - 2 * hour, now)]),
        "before its time": (Role.OPERATOR, [VillageGrant(hub.other_village, now + hour)]),
    }[request.param]
    await accounts.change(hub.accounts[role].id, Change(villages=tuple(grants)))
    return role


async def test_no_route_knows_another_villages_object(hub: Hub, other: Other, outsider: Role) -> None:
    client = await hub.client(outsider)
    may = role_actions(outsider)
    assert len(OBJECTS) > 15
    for method, path in OBJECTS:
        if method == "DELETE" and path.startswith("/api/favourites"):
            continue  # forgetting what is not kept is no error, whosever it is
        answer = await asked(client, method, path, other)
        expected = 404 if ACTIONS[method, path] in may else 403
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        assert SECRET not in answer.text


async def test_those_objects_are_there_for_the_township(hub: Hub, other: Other) -> None:
    """Else the test above could not fail."""
    client = await hub.client(Role.TOWNSHIP_ADMIN)
    for method, path in OBJECTS:
        if method == "GET":
            answer = await asked(client, method, path, other)
            if path == "/api/viewers/{viewer}/figures":  # a viewer is one person's, not a village's
                assert answer.status_code == 404, f"{method} {path}: {answer.text}"
                continue
            # no tile shows key frames; the camera is none of a device that is asked over ONVIF
            shown = answer.status_code == 200 or answer.json()["reason"] in ("no_picture", "ptz_none")
            assert shown, f"{method} {path}: {answer.text}"


@pytest.mark.slow
async def test_no_list_names_another_villages_object(
    hub: Hub, other: Other, outsider: Role, clock: ManualClock
) -> None:
    own, township = await hub.client(outsider), await hub.client(Role.TOWNSHIP_ADMIN)
    today = clock.now().date().isoformat()
    named = []
    for path in LISTS:
        spanned = path.startswith("/api/reports") or path == "/api/occurrences/days"
        query = {"first": today, "last": today} if spanned else {}
        answer = await own.get(path, params=query)
        expected = 200 if ACTIONS["GET", path] in role_actions(outsider) else 403
        assert answer.status_code == expected, f"{path}: {answer.text}"
        assert SECRET not in answer.text, path
        assert ADDRESS not in answer.text, path
        if SECRET in (await township.get(path, params=query)).text:
            named.append(path)
    assert set(named) >= {
        "/api/cameras",
        "/api/devices",
        "/api/alarms",
        "/api/exclusions",
        "/api/tours",
        "/api/scenes",
        "/api/runs",
        "/api/plans",
        "/api/occurrences",
        "/api/special-periods",
        "/api/matches",
        "/api/map",
        "/api/recordings",
        "/api/osd",
    }


async def test_a_grant_opens_the_village_while_it_is_valid(hub: Hub, other: Other, clock: ManualClock) -> None:
    """Else the tests above could not fail; and on time it is shut again."""
    accounts: Accounts = hub.parts[Accounts]
    now = clock.now()
    grants = (VillageGrant(hub.village), VillageGrant(hub.other_village, now, now + timedelta(minutes=1)))
    await accounts.change(hub.accounts[Role.MAINTAINER].id, Change(villages=grants))
    client = await hub.client(Role.MAINTAINER)
    for path in ("/api/cameras", "/api/devices", "/api/alarms"):
        assert SECRET in (await client.get(path)).text, path
    for path in ("/api/cameras/{camera_id}", "/api/devices/{device_id}"):
        assert (await asked(client, "GET", path, other)).status_code == 200
    for path in ("/api/tours", "/api/scenes", "/api/runs"):
        assert (await client.get(path)).text in ("[]", '{"items":[]}'), path
    assert (await client.get("/api/system")).status_code == 403
    clock.move(60)
    for path in ("/api/cameras", "/api/devices", "/api/alarms"):
        assert SECRET not in (await client.get(path)).text, path
    assert (await asked(client, "GET", "/api/cameras/{camera_id}", other)).status_code == 404


async def test_nothing_is_made_in_another_village(hub: Hub, other: Other) -> None:
    client = await hub.client(Role.VILLAGE_ADMIN)
    bulk: list[tuple[str, dict[str, Any]]] = [
        ("/api/logins/change", {"device_ids": [other.ids["device_id"]], "password": "p"}),
        (
            "/api/bulk/subnet/preview",
            {"device_ids": [other.ids["device_id"]], "before": "10.77.77.x", "after": "10.8.1.x"},
        ),
        ("/api/bulk/subnet", {"device_ids": [other.ids["device_id"]], "before": "10.77.77.x", "after": "10.8.1.x"}),
        ("/api/bulk/cameras", {"camera_ids": [other.ids["camera_id"]], "place_class": "school"}),
        ("/api/exclusions/end", {"ids": [other.ids["exclusion_id"]]}),
        *(("/api/exclusions", EXCLUDED | {"level": one, "ids": [other.ids[f"{one}_id"]]}) for one in LEVELS),
    ]
    for path, body in bulk:
        answer = await client.post(path, json=body)
        assert answer.status_code == 404, f"{path}: {answer.status_code} {answer.text}"
        assert SECRET not in answer.text
    village = {"village_id": hub.other_village}
    made: list[tuple[str, dict[str, Any]]] = [
        ("/api/devices", {"host": "10.1.1.1"}),
        ("/api/devices/url", {"name": "x", "main_url": "rtsp://10.1.1.1/1"}),
        ("/api/discovery/plan", {}),
        ("/api/discovery/sweeps", {"multicast": False}),
        ("/api/logins", {"name": "x", "username": "u", "password": "p"}),
        ("/api/logins/change-named", {"old_username": "u", "password": "p"}),
    ]
    pair = {"pairs": [{"camera_id": other.ids["camera_id"], "other_camera_id": 2**30}]}
    made.append(("/api/replacements", pair))
    for path, body in made:
        answer = await client.post(path, json=pair if body is pair else village | body)
        assert answer.status_code == 404, f"{path}: {answer.status_code} {answer.text}"


async def test_an_inbox_is_its_villages(hub: Hub, other: Other, outsider: Role) -> None:
    path = f"/api/inbox?village_id={hub.other_village}"
    expected = 404 if Action.INTAKE in role_actions(outsider) else 403
    answer = await (await hub.client(outsider)).get(path)
    assert (answer.status_code, SECRET in answer.text) == (expected, False)
    assert SECRET in (await (await hub.client(Role.TOWNSHIP_ADMIN)).get(path)).text


async def test_a_contractor_works_for_a_limited_time_and_sees_what_waits_only(
    hub: Hub, other: Other, clock: ManualClock
) -> None:
    accounts: Accounts = hub.parts[Accounts]
    account, now = hub.accounts[Role.CONTRACTOR].id, clock.now()
    with pytest.raises(HubError) as caught:
        await accounts.change(account, Change(villages=(VillageGrant(hub.other_village, now),)))
    assert caught.value.reason == "end_needed"
    grants = (VillageGrant(hub.other_village, now, now + timedelta(minutes=1)),)
    await accounts.change(account, Change(villages=grants))
    client = await hub.client(Role.CONTRACTOR)
    path = f"/api/inbox?village_id={hub.other_village}"
    (device,) = (await client.get(path)).json()["devices"]
    assert [one["id"] for one in device["cameras"]] == [other.ids["waiting_id"]]
    answer = await client.patch("/api/cameras/{waiting_id}".format(**other.ids), json={"name": "村口"})
    assert answer.status_code == 200, answer.text
    # What is approved is none of their business, nor are key frames of what somebody else registered.
    for method, of in (("PATCH", "/api/cameras/{camera_id}"), ("GET", "/api/inbox/cameras/{waiting_id}/picture")):
        assert (await asked(client, method, of, other)).status_code == 404
    for forbidden in ("/api/cameras", "/api/devices", "/api/alarms", "/api/cameras/{waiting_id}/picture"):
        assert (await client.get(forbidden.format(**other.ids))).status_code == 403
    clock.move(60)
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/api/inbox")).json()["villages"] == []


async def test_no_event_tells_of_another_villages_object(hub: Hub, other: Other) -> None:
    account = hub.accounts[Role.VILLAGE_ADMIN]
    actor = Actor(account.id, account.username, account.display_name, account.role, frozenset({hub.village}))
    changes = hub.parts[LivePages].changes
    for topic, reader in changes.shared.items():
        assert await told(reader, actor, other.ids[f"{topic}_id"]) is None, topic
    for topic, read in changes.personal.items():
        assert await read(actor, other.ids[f"{topic}_id"]) is None, topic
    assert len(changes.shared) + len(changes.personal) == len(get_args(Topic))
