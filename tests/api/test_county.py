"""The county list check and the repair list over HTTP."""

import io
from datetime import datetime, timedelta
from typing import Any

import httpx
import openpyxl
import pytest

from camera_hub.access.policy import Role
from camera_hub.health.county.checks import CountyChecks
from camera_hub.sheets.writing import WrittenColumn, write_xlsx
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    AlarmPicture,
    Camera,
    CameraState,
    Device,
    Exclusion,
    LedgerFile,
    Observation,
    ObservingPeriod,
)
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock

HOUR = timedelta(hours=1)
GB = "34012300001320000001"


class Site:
    """Four cameras in the village, one in the other one: 1 down, 2 repaired, 3 well, 4 excluded and down, 5 down."""

    def __init__(self) -> None:
        self.cameras: list[int] = []
        self.alarm = 0


@pytest.fixture
async def site(hub: Hub, database: Database, clock: ManualClock) -> Site:
    now, made = clock.now(), Site()
    async with database.write() as session:
        session.add(ObservingPeriod(since=now - 48 * HOUR, until=now))
        for number in range(1, 6):
            village = hub.village if number < 5 else hub.other_village
            device = Device(
                village_id=village, name=f"设备{number}", host=f"10.1.1.{number}", onvif_port=80, created_at=now
            )
            session.add(device)
            await session.flush()
            camera = Camera(device_id=device.id, village_id=village, channel="v1", name=f"点位{number}", created_at=now)
            camera.state, camera.approved_at = "approved", now - 48 * HOUR
            session.add(camera)
            await session.flush()
            made.cameras.append(camera.id)
            down = number != 3
            since, until = now - 5 * HOUR, now - HOUR if number == 2 else None
            spans: list[tuple[str, str | None, datetime, datetime | None]] = [
                ("media", "unreachable" if down else None, since, until)
            ]
            if until is not None:
                spans.append(("media", None, until, None))
            for aspect, cause, begin, end in spans:
                state = CameraState(camera_id=camera.id, aspect=aspect, cause=cause, since=begin, until=end)
                state.state = "fault" if cause else "ok"
                session.add(state)
            if number in (1, 5):
                alarm = Alarm(level="camera", aspect="media", severity="major", cause="unreachable", opened_at=since)
                alarm.village_id, alarm.device_id, alarm.camera_id = village, device.id, camera.id
                session.add(alarm)
                await session.flush()
                session.add(AlarmMember(alarm_id=alarm.id, camera_id=camera.id, joined_at=since))
                if number == 1:
                    made.alarm = alarm.id
                    picture = AlarmPicture(alarm_id=alarm.id, camera_id=camera.id, kind="present", size=1)
                    picture.at = picture.kept_at = since
                    session.add(picture)
        file = LedgerFile(camera_id=made.cameras[0], gb_id=GB, pole_number="A-017", landmark="桥头", details={})
        file.address, file.manager, file.manager_phone, file.updated_at = "董家桥东", "王二", "13800000000", now
        seen = Observation(camera_id=made.cameras[2], at=now - 3 * HOUR, media="ok", params={}, scores={})
        later = Observation(camera_id=made.cameras[2], at=now - HOUR, media="ok", params={}, scores={})
        excluded = Exclusion(level="camera", camera_id=made.cameras[3], kind="power_cut", reason="线路检修")
        excluded.since, excluded.until, excluded.created_name = now - 6 * HOUR, now + HOUR, "镇"
        excluded.created_at = excluded.approved_at = now - 6 * HOUR
        session.add_all([file, seen, later, excluded])
    return made


def listed(*rows: list[str]) -> bytes:
    headers = ["序号", "设备编码", "点位名称", "离线时间", "状态", "县备注"]
    return write_xlsx([WrittenColumn(one, as_text=True) for one in headers], rows)


async def checked(hub: Hub, client: httpx.AsyncClient, content: bytes, **query: Any) -> dict[str, Any]:
    answer = await client.post("/api/county-checks", params={"name": "通报.xlsx"} | query, content=content)
    assert answer.status_code == 201, answer.text
    await hub.parts[CountyChecks].judge_pending()
    found: dict[str, Any] = (await client.get(f"/api/county-checks/{answer.json()['id']}")).json()
    return found


@pytest.mark.slow
async def test_a_list_is_answered_row_by_row(hub: Hub, site: Site, clock: ManualClock) -> None:
    operator = await hub.client(Role.OPERATOR)
    when = (clock.now() - 2 * HOUR).isoformat()
    check = await checked(
        hub,
        operator,
        listed(
            ["1", GB, "别名", "", "离线", "=1+1"],
            ["2", "", "点位2", "", "离线", "+86"],
            ["3", "", "点位3", "", "离线", ""],
            ["4", "", "点位 4", "", "离线", ""],
            ["5", "3.40123000013200E+19", "火星", "不详", "离线", ""],
            ["合计", "", "5", "", "", ""],
        ),
        listed_at=when,
    )
    assert (check["total"], check["judged"], check["name"]) == (5, 5, "通报.xlsx")
    assert {key: n for key, n in check["counts"].items() if n} == {
        **{"agrees": 1, "repaired": 1, "seen_well": 1, "excluded": 1, "no_camera": 1}
    }
    rows = (await operator.get(f"/api/county-checks/{check['id']}/rows")).json()
    first, second, third, fourth, fifth = (row["answer"] for row in rows)
    assert [row["camera_id"] for row in rows] == [*site.cameras[:4], None]
    assert (rows[0]["matched_by"], first["camera"], first["village"]) == ("gb_id", "点位1", "东")
    assert (first["then"]["cause"], first["now"]["cause"], first["notes"]) == (
        *("unreachable", "unreachable"),
        ["name_differs"],
    )
    assert (first["alarm_id"], first["alarm_open"], first["picture_id"] is not None) == (site.alarm, True, True)
    assert datetime.fromisoformat(second["repaired_at"]) == clock.now() - HOUR
    assert datetime.fromisoformat(third["seen_well_at"]) == clock.now() - 3 * HOUR
    assert (fourth["exclusion"]["kind"], fourth["exclusion"]["reason"]) == ("power_cut", "线路检修")
    assert set(fifth["notes"]) == {"id_lost", "time_unread"}
    assert [one["number"] for one in (await operator.get(f"/api/county-checks/{check['id']}/rows?after=5")).json()] == [
        6
    ]

    matched = await operator.put(f"/api/county-checks/{check['id']}/rows/6/match", json={"camera_id": site.cameras[2]})
    assert (matched.json()["conclusion"], matched.json()["matched_by"]) == ("seen_well", "hand")
    await operator.post(f"/api/county-checks/{check['id']}/judge")
    await hub.parts[CountyChecks].judge_pending()
    rows = (await operator.get(f"/api/county-checks/{check['id']}/rows?conclusion=seen_well")).json()
    assert [(row["number"], row["matched_name"]) for row in rows] == [(4, None), (6, "operator")]

    reply = await operator.get(f"/api/county-checks/{check['id']}/reply.xlsx")
    assert reply.status_code == 200, reply.text
    sheet = openpyxl.load_workbook(io.BytesIO(reply.content))["通报核对"]
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert lines[0][:7] == ["序号", "设备编码", "点位名称", "离线时间", "状态", "县备注", "核对结论"]
    assert (lines[1][1], lines[1][5], lines[1][6]) == (GB, "=1+1", "属实，尚未修复")
    assert sheet.cell(2, 6).data_type == "s"
    assert len(lines) == 6

    assert (await operator.delete(f"/api/county-checks/{check['id']}")).status_code == 200
    assert (await operator.get("/api/county-checks")).json() == []
    assert (await operator.get(f"/api/county-checks/{check['id']}")).status_code == 404


@pytest.mark.slow
async def test_what_is_no_list_is_refused_with_its_remedy(hub: Hub, clock: ManualClock) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    for content, reason in [
        (write_xlsx([WrittenColumn("项目"), WrittenColumn("数量")], [["a", 1]]), "county_headers"),
        (b"%PDF-1.4", "sheet_kind"),
        (b"", "sheet_empty"),
    ]:
        answer = await admin.post("/api/county-checks", content=content)
        assert (answer.json()["reason"], answer.status_code >= 400) == (reason, True)
    later = {"listed_at": (clock.now() + HOUR).isoformat()}
    answer = await admin.post("/api/county-checks", params=later, content=listed(["1", GB, "", "", "", ""]))
    assert answer.json()["reason"] == "county_future"
    assert (await admin.get("/api/county-checks")).json() == []


async def test_only_township_staff_check_lists(hub: Hub) -> None:
    for role in (Role.VILLAGE_ADMIN, Role.MAINTAINER, Role.CONTRACTOR):
        client = await hub.client(role)
        assert (await client.get("/api/county-checks")).status_code == 403
        assert (await client.post("/api/county-checks", content=b"x")).status_code == 403


async def test_a_trip_names_the_places_of_its_villages(hub: Hub, site: Site) -> None:
    admin, village = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.VILLAGE_ADMIN)
    whole = (await admin.get("/api/health/trip")).json()
    assert [[one["name"] for one in each["places"]] for each in whole["villages"]] == [["点位1"], ["点位5"]]
    place = whole["villages"][0]["places"][0]
    assert (place["pole_number"], place["landmark"], place["manager_phone"]) == ("A-017", "桥头", "13800000000")
    fault = place["faults"][0]
    assert (fault["alarm_id"], fault["cause"], fault["from_here"]) == (site.alarm, "unreachable", False)
    assert "ladder" in fault["take"]
    own = (await village.get("/api/health/trip")).json()
    assert [each["village_id"] for each in own["villages"]] == [hub.village]
    chosen = (await admin.get("/api/health/trip", params={"village_id": hub.other_village})).json()
    assert [each["village_id"] for each in chosen["villages"]] == [hub.other_village]
    assert (await village.get("/api/health/trip", params={"village_id": hub.other_village})).status_code == 404
    assert (await admin.get("/api/health/trip", params={"village_id": 9999})).status_code == 404
