"""Imports over HTTP: upload, mapping, verdicts, changes, runs, sheets handed out; nobody sees another village's."""

import io
from typing import Any

import httpx
import openpyxl
import pytest

from camera_hub.access.policy import Role
from camera_hub.sheets.answer import MAX_FILE
from camera_hub.sheets.writing import WrittenColumn, write_xlsx
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock

SECRET = "tA9-sluice"


def sheet(headers: list[str], *rows: list[str]) -> bytes:
    return write_xlsx([WrittenColumn(header, as_text=True) for header in headers], rows)


async def uploaded(client: httpx.AsyncClient, content: bytes, **params: Any) -> dict[str, Any]:
    answer = await client.post("/api/imports", params=params, content=content)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.slow
async def test_a_sheet_is_judged_and_its_password_never_answered(hub: Hub) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    content = sheet(
        ["所属村居", "摄像机名称", "设备IP", "通道", "账号", "密码", "点位类型"],
        ["东", "村口", "192.0.2.7", "1", "admin", SECRET, "村口"],
        ["东", "=1+1", "192.0.2.7", "1", "admin", SECRET, "月球"],
        ["南", "", "192.0.2.300", "0", "admin", "", ""],
        ["合计", "", "", "", "", "", ""],
    )
    found = await uploaded(admin, content, name="台账.xlsx")
    assert (found["state"], found["header_row"], found["sheet"]) == ("preview", 1, "Sheet1")
    fields = [column["field"] for column in found["columns"]]
    assert fields == ["village", "name", "host", "channel", "username", "password", "place_class"]
    assert {key: number for key, number in found["counts"].items() if number} == {"total": 3, "good": 1, "bad": 2}
    answer = await admin.get(f"/api/imports/{found['id']}/rows")
    assert SECRET not in answer.text + str(found)
    rows = answer.json()["rows"]
    assert [row["has_password"] for row in rows] == [True, True, False]
    problems = [{(one["field"], one["reason"]) for one in row["problems"]} for row in rows]
    assert problems == [
        set(),
        {("place_class", "row_place_class"), ("channel", "row_double")},
        {
            ("village", "row_village_unknown"),
            ("name", "row_name_missing"),
            ("host", "bad_host"),
            ("channel", "row_channel"),
        },
    ]
    changed = await admin.patch(
        f"/api/imports/{found['id']}/rows/3", json={"values": {"channel": "2", "place_class": "学校"}}
    )
    assert changed.json()["verdict"] == "good", changed.text
    failed = await admin.get(f"/api/imports/{found['id']}/failed.xlsx")
    page = openpyxl.load_workbook(io.BytesIO(failed.content)).worksheets[0]
    assert [cell.value for cell in page[1]][-2:] == ["原因", "怎么办"]
    assert page.max_row == 2


async def test_files_that_are_no_sheets_are_refused_in_time(hub: Hub) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    for content, status, reason in (
        (b"", 422, "sheet_empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 415, "sheet_kind"),
        (b"PK\x03\x04" + bytes(100), 422, "sheet_broken"),
        (bytes(MAX_FILE + 1), 413, "too_large"),
    ):
        answer = await admin.post("/api/imports", content=content)
        assert (answer.status_code, answer.json()["reason"]) == (status, reason)


@pytest.mark.parametrize("path", ["template.xlsx", "list.xlsx"])
async def test_sheets_are_handed_out(hub: Hub, path: str) -> None:
    admin = await hub.client(Role.VILLAGE_ADMIN)
    answer = await admin.get(f"/api/imports/{path}")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.worksheets[0].max_row >= 1


@pytest.mark.one_database
async def test_a_sheet_has_the_day_of_the_site_in_its_name(hub: Hub, clock: ManualClock) -> None:
    clock.step_wall(10 * 3600)  # 18:00 UTC: the next morning in China
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    found = await uploaded(admin, sheet(["摄像机名称"], ["村口"]), name="list.csv")
    for path in ("template.xlsx", "list.xlsx", f"{found['id']}/failed.xlsx"):
        answer = await admin.get(f"/api/imports/{path}")
        assert "-20261124.xlsx" in answer.headers["content-disposition"], path
