"""What the sheets say of PTZ presets: asked for, reached or not and why, each time that the stop was on."""

import ast
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import select

import camera_hub.cameras
from camera_hub.errors import Kind, Reason
from camera_hub.health.notices.cause_words import CAUSES, CAUSES_EN
from camera_hub.patrol.records.export import RecordExport
from camera_hub.patrol.records.listing import RecordList, RecordQuery
from camera_hub.patrol.records.sheet import record_workbook, records_workbook
from camera_hub.patrol.records.sheet_words import RecordWords, cause_text, preset_text
from camera_hub.store.tables import RunStep, RunStepCamera
from tests.patrol.records.site import SealedSite

ZH = RecordWords("zh", CAUSES, {}, ZoneInfo("Asia/Shanghai"))
EN = replace(ZH, language="en", causes=CAUSES_EN)
Lines = Sequence[tuple[object, ...]]


def sheets(content: bytes) -> dict[str, Lines]:
    return {sheet.title: list(sheet.values) for sheet in openpyxl.load_workbook(BytesIO(content))}


def columns(lines: Lines, *names: str) -> list[tuple[object, ...]]:
    head = lines[0]
    return [tuple(line[head.index(name)] for name in names) for line in lines[1:]]


async def placed(site: SealedSite, run: int, states: Sequence[tuple[int, str | None, str | None]]) -> None:
    """Have the camera of each stop asked for a preset: (stop, name, what became of it)."""
    async with site.database.write() as session:
        for position, preset, state in states:
            of = select(RunStep).where(RunStep.run_id == run, RunStep.position == position).order_by(RunStep.id)
            step = (await session.scalars(of)).first()
            assert step is not None
            row = await session.scalar(select(RunStepCamera).where(RunStepCamera.step_id == step.id))
            assert row is not None
            row.preset, row.preset_state = preset, state


async def shown_again(site: SealedSite, run: int, position: int, preset: str, state: str) -> None:
    """The stop is on a second time, last of all."""
    async with site.database.write() as session:
        step = await session.scalar(select(RunStep).where(RunStep.run_id == run, RunStep.position == position))
        assert step is not None
        assert step.ended_at is not None
        camera = await session.scalar(select(RunStepCamera.camera_id).where(RunStepCamera.step_id == step.id))
        at = step.ended_at + timedelta(minutes=5)
        again = RunStep(
            run_id=run, sequence=50, lap=1, position=position, name=step.name, outcome="shown", started_at=at,
            ended_at=at + timedelta(seconds=20), shown_s=20.0,
        )  # fmt: skip
        session.add(again)
        await session.flush()
        session.add(RunStepCamera(step_id=again.id, camera_id=camera, visible_s=9.0, preset=preset, preset_state=state))


async def test_the_sheet_of_a_record_says_where_each_camera_was_to_point_and_whether_it_did(site: SealedSite) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain, sealed=False)
    states = [(0, "桥栏杆", "reached"), (1, "闸口", "ptz_locked"), (2, "路口东", None), (3, "校门", "moving")]
    await placed(site, run, states)
    await shown_again(site, run, 3, "校门", "reached")
    full = await RecordExport(site.database, RecordList(site.database)).one(site.leader, run)

    told = sheets(record_workbook(full, ZH))
    assert columns(told["逐路结果"], "站", "预置位", "到位情况") == [
        (1, "桥栏杆", "已到位"),
        (2, "闸口", "未到位：当时有人在操作云台"),
        (3, "路口东", "未记录"),
        (4, "校门", "已到位"),  # the last time counts, as on the page
    ]
    each = columns(told["云台预置位"], "站", "站点", "摄像机", "预置位", "到位情况")
    assert each[3] == (4, "站3", "东沟村 相机3", "校门", "未到位：离站时还在转动")
    assert each[4] == (4, "站3", "东沟村 相机3", "校门", "已到位")
    assert len(each) == 5
    began = columns(told["云台预置位"], "到站时间", "离站时间")
    assert all(one is not None for line in began for one in line)
    assert ("预置位", "4 路，未到位 1 路") in [line[:2] for line in told["概况"]]

    english = sheets(record_workbook(full, EN))
    assert columns(english["Camera by camera"], "Preset", "At the preset")[1] == (
        "闸口",
        "Not reached: Somebody was steering the camera",
    )
    assert ("PTZ presets", "4 cameras, 1 missed") in [line[:2] for line in english["Summary"]]
    assert "PTZ presets" in english


@pytest.mark.one_database
async def test_a_patrol_without_presets_has_no_sheet_of_them(site: SealedSite) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain)
    full = await RecordExport(site.database, RecordList(site.database)).one(site.leader, run)
    told = sheets(record_workbook(full, ZH))
    assert "云台预置位" not in told
    assert columns(told["逐路结果"], "预置位", "到位情况") == [(None, None)] * 4
    assert full.row.presets_missed == 0


async def test_the_sheet_of_many_counts_what_was_missed_and_names_it_though_it_was_normal(site: SealedSite) -> None:
    async with site.chain() as chain:
        runs = [await site.patrol(chain, sealed=False) for _ in range(2)]
    await placed(site, runs[0], [(0, "桥栏杆", "ptz_preset_gone"), (3, "校门", "reached")])
    records = RecordList(site.database)
    export = RecordExport(site.database, records)
    rows = await records.listed(site.leader, RecordQuery())
    assert {one.id: one.presets_missed for one in rows} == {runs[0]: 1, runs[1]: 0}
    quiet = replace(rows[0], findings=0, results={"normal": 4}, presets_missed=1)
    assert quiet.tells
    assert not replace(quiet, presets_missed=0).tells
    full = [await export.full(one) for one in rows]
    told = sheets(records_workbook(rows, full, ZH, ""))
    assert sorted(map(str, columns(told["巡查"], "编号", "未到预置位"))) == [f"({runs[0]}, 1)", f"({runs[1]}, 0)"]
    assert (runs[0], 1, "正常", "桥栏杆", "未到位：设备上已没有该预置位") in columns(
        told["异常、免看与未到位"], "巡查编号", "站", "结果", "预置位", "到位情况"
    )
    assert columns(told["云台预置位"], "巡查编号", "站") == [(runs[0], 1)]


def on_the_way() -> set[str]:
    """Each reason that steering a camera may give: whatever the modules on the way to a device name."""
    folder, found = Path(camera_hub.cameras.__file__).parent, set[str]()
    rooms = [*folder.glob("ptz/*.py"), *folder.glob("onvif/*.py"), *folder.glob("http/*.py")]
    for path in [*rooms, *folder.glob("credentials/*.py"), folder / "reach.py", folder / "device_checks.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id == "Reason":
                    found.add(Reason[node.attr].value)
                elif node.value.id == "Kind":
                    found.add(Kind[node.attr].value)
    return found


@pytest.mark.parametrize("words", [ZH, EN])
def test_whatever_keeps_a_camera_from_its_preset_has_words(words: RecordWords) -> None:
    reasons = on_the_way()
    assert {"ptz_locked", "timed_out", "wrong_password", "unreachable"} <= reasons
    assert [one for one in sorted(reasons) if cause_text(one, words) == one] == []
    assert preset_text("timed_out", ZH) == "未到位：响应超时"
