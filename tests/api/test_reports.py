"""Reports over HTTP: scope, counts beside figures, and the workbook."""

import io
import re
import threading
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from camera_hub.access.policy import Role
from camera_hub.api.report_answers import camera_answer
from camera_hub.api.schemas.reports import CameraReportAnswer, CameraReportsAnswer
from camera_hub.health.reports.report import CameraFigures
from camera_hub.health.reports.reports import NamedReport
from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    Camera,
    CameraState,
    Device,
    Exclusion,
    LedgerFile,
    ObservingPeriod,
    ServicePeriod,
)
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock

DAY = {"first": "2026-11-22", "last": "2026-11-22"}
"""Yesterday in Shanghai: the clock reads 2026-11-23 16:00 there."""
EVIL = '=HYPERLINK("http://x","看")'


@pytest.fixture
async def filled(hub: Hub, database: Database, clock: ManualClock) -> Hub:
    """Each village has a camera that gave pictures for 18 of yesterday's 24 hours; 3 of the other 6 are excluded."""
    begin = clock.now() - timedelta(hours=40)  # yesterday, 00:00
    before, hour = begin - timedelta(days=3), timedelta(hours=1)
    async with database.write() as session:
        session.add(ObservingPeriod(since=before, until=clock.now()))
        for village in (hub.village, hub.other_village):
            device = Device(village_id=village, name=EVIL, host=f"10.9.9.{village}", onvif_port=80, created_at=before)
            session.add(device)
            await session.flush()
            camera = Camera(device_id=device.id, village_id=village, channel="v1", name=EVIL, state="approved")
            camera.created_at = camera.approved_at = before
            alarm = Alarm(level="camera", aspect="media", severity="major", cause="unreachable", village_id=village)
            alarm.opened_at, alarm.closed_at = begin, begin + 6 * hour
            session.add_all([camera, alarm])
            await session.flush()
            alarm.camera_id = camera.id
            exclusion = Exclusion(level="camera", camera_id=camera.id, kind="power_cut", reason=EVIL, since=begin)
            exclusion.until, exclusion.created_name, exclusion.created_at = begin + 3 * hour, EVIL, before
            exclusion.approved_name, exclusion.approved_at = "镇", clock.now()
            session.add_all(
                [
                    exclusion,
                    AlarmMember(alarm_id=alarm.id, camera_id=camera.id, joined_at=begin),
                    LedgerFile(camera_id=camera.id, maintainer_unit=EVIL, details={}, updated_at=before),
                    ServicePeriod(camera_id=camera.id, village_id=village, device_id=device.id, since=before),
                    CameraState(camera_id=camera.id, aspect="media", state="ok", since=before, until=begin),
                    CameraState(
                        camera_id=camera.id,
                        aspect="media",
                        state="fault",
                        cause="unreachable",
                        since=begin,
                        until=begin + 6 * hour,
                    ),
                    CameraState(camera_id=camera.id, aspect="media", state="ok", since=begin + 6 * hour),
                ]
            )
    return hub


async def test_figures_come_with_counts_and_of_ones_own_villages(filled: Hub) -> None:
    township, village = await filled.client(Role.LEADER), await filled.client(Role.VILLAGE_ADMIN)
    answer = (await township.get("/api/reports", params=DAY)).json()
    online = answer["figures"]["online_time"]
    assert (online["before"]["part"], online["before"]["whole"]) == (2 * 18 * 3600, 2 * 24 * 3600)
    assert (online["after"]["part"], online["after"]["whole"]) == (2 * 18 * 3600, 2 * 21 * 3600)
    assert (online["before"]["percent"], online["after"]["percent"]) == (75.0, 85.71)
    assert answer["figures"]["intact_time"]["after"]["unknown"] == 2 * 18 * 3600  # its picture was never judged
    assert [(one["place"], one["tied"]) for one in answer["villages"]] == [(1, True), (1, True)]
    assert (answer["over"], answer["complete"], answer["cameras"]) == (True, True, 2)
    assert answer["figures"]["repair_time"]["before"]["mean"] == 6 * 3600
    own = (await village.get("/api/reports", params=DAY)).json()
    assert [(one["village_id"], one["place"]) for one in own["villages"]] == [(filled.village, None)]
    assert (own["cameras"], own["ranked_by"]) == (1, None)
    for path in ("", "/cameras", "/faults", "/report.xlsx"):
        answer = await village.get(f"/api/reports{path}", params=DAY | {"village_id": filled.other_village})
        assert answer.status_code == 404, path
    for path, key in (("/cameras", "cameras"), ("/faults", "faults")):
        counts = [(await one.get(f"/api/reports{path}", params=DAY)).json() for one in (township, village)]
        assert [(one["total"], len(one[key])) for one in counts] == [(2, 2), (1, 1)]
    CameraReportsAnswer.model_validate((await township.get("/api/reports/cameras", params=DAY)).json())
    faults = (await village.get("/api/reports/faults", params=DAY | {"unit": EVIL})).json()["faults"]
    assert [(one["verdict"], one["seconds"], one["after_seconds"]) for one in faults] == [("on_time", 21600, 10800)]


async def test_a_long_list_of_cameras_is_written_outside_the_event_loop(
    filled: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noted(found: NamedReport, one: CameraFigures) -> CameraReportAnswer:
        threads.append(threading.current_thread())
        return camera_answer(found, one)

    monkeypatch.setattr("camera_hub.api.reports.camera_answer", noted)
    client = await filled.client(Role.LEADER)
    assert (await client.get("/api/reports/cameras", params=DAY)).json()["total"] == len(threads) == 2
    assert threading.current_thread() not in threads


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"first": "2026-11-24", "last": "2026-11-24"}, "report_not_begun"),
        ({"first": "2026-11-22", "last": "2026-11-21"}, "report_order"),
        ({"first": "2024-11-22", "last": "2026-11-21"}, "report_too_long"),
        ({"first": "0001-01-01", "last": "0001-01-02"}, "invalid"),
        ({"first": "9999-12-31", "last": "9999-12-31"}, "invalid"),
        ({"first": "x", "last": "2026-11-21"}, "invalid"),
        (DAY | {"ranked_by": "beauty"}, "invalid"),
        ({}, "invalid"),
    ],
)
async def test_spans_that_cannot_be_are_refused(hub: Hub, params: dict[str, str], reason: str) -> None:
    answer = await (await hub.client(Role.LEADER)).get("/api/reports", params=params)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)


@pytest.mark.slow
async def test_the_workbook_has_a_sheet_for_each_part_and_no_formula(filled: Hub) -> None:
    township = await filled.client(Role.TOWNSHIP_ADMIN)
    answer = await township.get("/api/reports/report.xlsx", params=DAY)
    assert answer.headers["content-disposition"].startswith("attachment")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["汇总", "逐日", "分村", "维保单位", "分摄像机", "剔除", "故障", "说明与公式"]
    summary = {row[0]: row[1:] for row in book["汇总"].iter_rows(values_only=True)}
    assert summary["在线率（按时长）"][:8] == (85.71, 36, 42, 0, 75, 36, 48, 0)
    assert len(list(book["剔除"].iter_rows())) == 3
    cells: list[Any] = [cell for page in book for row in page.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.value == EVIL].count(EVIL) > 8
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    english = await township.get("/api/reports/report.xlsx", params=DAY | {"language": "en"})
    assert "''Report%20" in english.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(english.content))
    assert book.sheetnames == [
        *("Summary", "By day", "Villages", "Maintenance units", "Cameras", "Exclusions", "Faults"),
        "Notes and formulas",
    ]
    heads = {cell.value for page in book for cell in next(page.iter_rows())}
    notes = {cell.value for row in book["Notes and formulas"].iter_rows() for cell in row}
    said = [text for text in heads | notes if isinstance(text, str) and re.search("[\u4e00-\u9fff\uff00-\uffef]", text)]
    assert said == [], "headings, words and formulas in English"
    of_unit = await township.get("/api/reports/report.xlsx", params=DAY | {"unit": EVIL})
    unit = openpyxl.load_workbook(io.BytesIO(of_unit.content))
    assert unit.sheetnames == ["汇总", "分摄像机", "剔除", "故障", "说明与公式"]
    assert len(list(unit["故障"].iter_rows())) == 3
    none = await township.get("/api/reports/report.xlsx", params=DAY | {"unit": "nobody"})
    assert len(list(openpyxl.load_workbook(io.BytesIO(none.content))["故障"].iter_rows())) == 1
