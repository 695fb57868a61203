"""Records through the API: list, seal, signature, verification, sheets; who may, and what is refused."""

from io import BytesIO

import httpx
import openpyxl
import pytest

from camera_hub.access.policy import Role
from tests.api.conftest import Hub
from tests.patrol.records.site import SealedSite


def texts(answer: httpx.Response) -> dict[str, list[list[object]]]:
    assert answer.status_code == 200, answer.text
    book = openpyxl.load_workbook(BytesIO(answer.content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


@pytest.mark.slow
@pytest.mark.one_database
async def test_a_record_is_listed_signed_verified_and_exported(hub: Hub, sealed: SealedSite) -> None:
    leader, operator = await hub.client(Role.LEADER), await hub.client(Role.OPERATOR)
    listed = (await leader.get("/api/records", params={"signed": "unsigned", "limit": 1})).json()
    assert [one["id"] for one in listed["records"]] == [2]
    assert listed["next"] == 2
    assert listed["records"][0]["results"] == {"open": 0, "normal": 2, "abnormal": 1, "excused": 1}
    assert (await leader.get("/api/records/counts")).json()["to_sign"] == 2
    assert (await operator.get("/api/records/counts")).json()["to_sign"] == 0
    opinion = {"opinion": "approved", "words": "=1+1", "reviews": 0}
    assert (await operator.post("/api/runs/2/sign", json=opinion)).status_code == 403
    assert (await operator.post("/api/runs/2/notes", json={"words": "路灯已报修"})).status_code == 201
    moved = await leader.post("/api/runs/2/sign", json=opinion)
    assert (moved.status_code, moved.json()["reason"]) == (409, "record_reviewed")
    assert [one["kind"] for one in moved.json()["params"]["record"]["reviews"]] == ["note"]
    signed = await leader.post("/api/runs/2/sign", json=opinion | {"reviews": 1})
    assert (signed.status_code, signed.json()["may_sign"]) == (200, False)
    assert (await leader.post("/api/runs/2/verify")).json()["faults"] == []
    await sealed.sql("UPDATE run_reviews SET words = '' WHERE run_id = 2 AND kind = 'approved'")
    (fault,) = (await leader.post("/api/runs/2/verify")).json()["faults"]
    assert fault["params"]["zh"].startswith("签审（同意，")
    assert fault["params"]["zh"].endswith("）的内容在封存后被改动：原为 “=1+1”，现为 空")
    assert fault["params"]["en"].startswith("the words of the signature (Approved, ")
    await sealed.sql("UPDATE run_reviews SET words = '=1+1', id = id + 1000 WHERE run_id = 2 AND kind = 'approved'")
    faults = (await leader.post("/api/runs/2/verify")).json()["faults"]
    assert [one["reason"] for one in faults] == ["review_unsealed", "review_deleted"]
    assert [one["params"]["zh"].split("）")[1] for one in faults] == [
        "没有封存，审计链上没有它：可能是事后插入的，或封存被移除",
        "在封存后被删除",
    ]
    await sealed.sql("UPDATE run_reviews SET id = id - 1000 WHERE run_id = 2 AND kind = 'approved'")
    await sealed.sql("UPDATE run_results SET result = 'normal' WHERE run_id = 2 AND position = 1")
    (fault,) = (await leader.post("/api/runs/2/verify")).json()["faults"]
    assert (fault["reason"], fault["params"]["was"], fault["params"]["position"]) == ("row_changed", '"abnormal"', 1)
    assert fault["params"]["zh"] == "第 2 站 东沟村 相机1的结果在封存后被改动：原为 异常，现为 正常"
    assert fault["params"]["en"].endswith("相机1 at stop 2 was changed after sealing: was Abnormal, is now Normal")

    await sealed.sql("UPDATE run_results SET words = 'nothing' WHERE run_id = 1 AND result = 'abnormal'")
    refused = await leader.post("/api/runs/1/sign", json=opinion)
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_as_sealed")
    assert refused.json()["params"] == {"faults": 1}
    returned = await leader.post("/api/runs/1/sign", json=opinion | {"opinion": "returned"})
    assert (returned.status_code, returned.json()["reviews"][-1]["kind"]) == (200, "returned")

    one = texts(await leader.get("/api/runs/2/record.xlsx"))
    assert ["封存", "第 3 号，2026-11-23 16:00:00"] in one["概况"]
    assert one["签审与说明"][2][3] == "=1+1"  # a text, no formula
    assert any("桥下积水" in str(cell) for row in one["发现问题"] for cell in row)
    many = texts(await leader.get("/api/records/records.xlsx", params={"tour_id": 2}))
    assert len(many["巡查"]) == 2
    assert len(many["异常、免看与未到位"]) > 1

    english = await leader.get("/api/runs/2/record.xlsx", params={"language": "en"})
    assert "Patrol%20record%202-" in english.headers["content-disposition"]
    assert ["Seal", "No. 3, 2026-11-23 16:00:00"] in texts(english)["Summary"]
    all_english = await leader.get("/api/records/records.xlsx", params={"language": "en"})
    assert "''Patrol%20records.xlsx" in all_english.headers["content-disposition"]
    assert list(texts(all_english)) == ["Patrols", "Abnormal, excused, off preset", "Findings", "Notes"]
    assert (await leader.get("/api/runs/2/record.xlsx", params={"language": "fr"})).status_code == 422


@pytest.mark.one_database
async def test_who_is_bound_to_villages_finds_nothing_and_no_other_run_is_told_apart(
    hub: Hub, sealed: SealedSite
) -> None:
    leader = await hub.client(Role.LEADER)
    for path in ("record", "record.xlsx"):
        assert (await leader.get(f"/api/runs/99/{path}")).status_code == 404
        assert (await (await hub.client(Role.VILLAGE_ADMIN)).get(f"/api/runs/1/{path}")).status_code == 403
    assert (await leader.post("/api/runs/99/verify")).status_code == 404
