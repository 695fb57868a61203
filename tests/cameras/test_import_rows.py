"""Headers of all kinds, rows of all kinds: which field a column is, which rows are data, what is wrong with them."""

import re
from dataclasses import replace
from typing import Any

import pytest

from camera_hub.cameras.discovery.ranges import parsed as parsed_ranges
from camera_hub.cameras.imports.columns import columns_of, data_rows, header_row, headers_key
from camera_hub.cameras.imports.fields import TABLE
from camera_hub.cameras.imports.judging import judged
from camera_hub.cameras.imports.known import KnownPlaces, ListedCamera
from camera_hub.cameras.imports.place_words import place_class_of
from camera_hub.cameras.imports.reason_words import REMEDIES, SENTENCES, remedy, sentence
from camera_hub.cameras.imports.values import RowValues
from camera_hub.cameras.reach import ReachPolicy, checking
from camera_hub.errors import Reason
from camera_hub.sheets.answer import SheetRow
from tests.house import ROOT


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("*设备名称", "name"),
        ("摄像机 名称(必填)", "name"),
        ("所属村(社区)", "village"),
        ("IP地址", "host"),
        ("IP", "host"),
        ("HTTP端口", "port"),
        ("录像机通道号", "channel"),
        ("账号", "username"),
        ("登录密码:", "password"),
        ("RTSP地址", "main_url"),
        ("国标编码", "ledger.gb_id"),
        ("设备编码*", "ledger.gb_id"),
        ("经度", "ledger.longitude"),
        ("管理员联系电话", "ledger.manager_phone"),
        ("安装地址", "ledger.address"),
        ("编号(请勿修改)", "id"),
        ("编号", None),
        ("序号", None),
        ("月亮", None),
    ],
)
def test_a_header_is_known_however_it_is_written(header: str, field: str | None) -> None:
    assert TABLE.field_of(header) == field


def table(*rows: list[str]) -> list[SheetRow]:
    return [SheetRow(number, cells) for number, cells in enumerate(rows, 1)]


def test_headers_are_found_under_titles_and_totals_are_no_rows() -> None:
    rows = table(
        ["某镇视频监控台账", "", "填表人:王"],
        ["序号", "村", "名称", "地址", "点位类型"],
        ["1", "东村", "村口", "10.0.0.1", "一类"],
        ["序号", "村", "名称", "地址", "点位类型"],  # printed again on each page
        ["2", "东村", "桥头", "", "二类"],
        ["合计", "", "2", "", ""],
        ["", "", "", "", ""],
    )
    number = header_row(rows, TABLE)
    columns = columns_of(rows, number, TABLE, {})
    assert number == 2
    assert [one.field for one in columns] == [None, "village", "name", "host", "ledger.point_type"]
    assert [row.number for row in data_rows(rows, number, columns)] == [3, 5]
    remembered: dict[str, str | None] = {"地址": "ledger.address", "序号": None}
    again = columns_of(rows, number, TABLE, remembered)
    assert again[3].field == "ledger.address"
    assert headers_key(again) == headers_key(list(reversed(columns)))


def test_what_a_column_means_is_seen_from_its_cells() -> None:
    rows = table(["名称", "地址", "点位类型", "密码"], ["a", "村委会东侧", "重点路段", "tS3-stile"])
    found = columns_of(rows, 1, TABLE, {})
    assert [one.field for one in found] == ["name", "ledger.address", "place_class", "password"]
    assert found[3].samples == []


def test_the_one_column_of_addresses_is_the_address_whatever_its_header() -> None:
    rows = table(["点位", "球机所在", "备用"], ["村口", "192.168.1.64", ""], ["桥头", "192.168.1.65:8000", ""])
    assert [one.field for one in columns_of(rows, 1, TABLE, {})] == ["name", "host", None]
    assert [one.field for one in columns_of(rows, 1, TABLE, {"球机所在": None})] == ["name", None, None]
    two = table(["点位", "旧址", "新址"], ["村口", "192.168.1.64", "192.168.2.64"])
    assert [one.field for one in columns_of(two, 1, TABLE, {})] == ["name", None, None]


KNOWN = ListedCamera(7, 1, 3, "10.0.0.7", frozenset({80, 554}), "村口", "entrance", 1)
RECORDED = ListedCamera(8, 1, 4, "10.0.0.8", frozenset({80}), "通道2", "other", 2, True)


def test_the_words_that_villages_have_for_places() -> None:
    said = "公共部位 居民小区 主要路段 村主干道 小学 卫生室 塘坝 主要出入口 案件多发区域 活动广场 养鸡场"
    assert [place_class_of(one) for one in said.split()] == [
        *("other", "other", "key_road", "key_road", "school", "key_unit", "water", "entrance"),
        *("high_incidence", "square", None),
    ]


def places(village_id: int | None = None, *, bound: bool = False) -> KnownPlaces:
    checks = {1: checking(None, ReachPolicy), 2: checking([], ReachPolicy)}
    return KnownPlaces(village_id, bound, {1: "东村", 2: "西社区"}, checks, (KNOWN, RECORDED), {"3401" * 5: 7})


GOOD = {"village": "东村", "name": "新点", "host": "10.0.0.1"}


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({}, set()),
        ({"village": "某镇东村"}, set()),
        ({"village": "东"}, set()),
        ({"host": "10。0.0.1 "}, set()),
        ({"host": "http://10.0.0.1:8080/"}, set()),
        ({"channel": "D01"}, set()),
        ({"channel": "3号通道", "port": "80.0"}, set()),
        ({"village": ""}, {("village", "row_village_missing")}),
        ({"name": ""}, {("name", "row_name_missing")}),
        ({"host": ""}, {("host", "row_address_missing")}),
        ({"host": "10.0.0"}, {("host", "bad_host")}),
        ({"village": "西社区"}, {("host", "no_ranges")}),
        ({"port": "0"}, {("port", "row_port")}),
        ({"port": "²"}, set()),  # full width, superscript: read as what they stand for
        ({"channel": "500"}, {("channel", "row_channel")}),
        ({"password": "x"}, {("username", "row_login_half")}),
        ({"username": "a:b", "password": "x"}, {("username", "bad_login")}),
        ({"main_url": "rtsp://10.0.0.2/1"}, {("main_url", "row_url_elsewhere")}),
        ({"sub_url": "rtsp://10.0.0.1/2"}, {("main_url", "row_main_url_missing")}),
        ({"host": "10.0.0.7"}, {("host", "row_registered")}),
        ({"host": "10.0.0.8", "channel": "2"}, {("host", "row_registered")}),
        ({"host": "10.0.0.8", "channel": "3"}, set()),
        ({"id": "99"}, {("id", "row_camera_unknown")}),
        ({"id": "7", "host": "10.0.0.9"}, {("host", "row_address_fixed")}),
        ({"id": "7", "village": "西社区"}, {("village", "row_village_fixed")}),
        ({"ledger.longitude": "117.283456"}, {("ledger.latitude", "row_coordinate_missing")}),
        ({"ledger.gb_id": "3.4E+19"}, {("ledger.gb_id", "value_excel")}),
        ({"ledger.gb_id": "34012300001320000000"}, {("ledger.gb_id", "value_excel")}),
        ({"ledger.manager_phone": "13800000000.0"}, set()),
        ({"name": "长" * 65}, {("name", "row_name_long")}),
        ({"ledger.remark": "x" * 501}, {("ledger.remark", "row_too_long"), ("ledger.remark", "value_too_long")}),
    ],
    ids=lambda value: ",".join(sorted(value)) if isinstance(value, dict) else "",  # a set has no order
)
def test_each_fault_of_a_row_has_its_reason(values: dict[str, str], problems: set[tuple[str, str]]) -> None:
    row = RowValues(2, {}).with_values(GOOD | values)
    (found,) = judged([row], places())
    assert {(one.field, one.reason) for one in found.problems} == problems
    assert found.verdict == ("bad" if problems else "good")


@pytest.mark.parametrize(
    ("values", "note", "port"),
    [
        ({"port": "8000"}, ("port", "row_sdk_port"), None),
        ({"port": "37777.0"}, ("port", "row_sdk_port"), None),
        ({"host": "10.0.0.1:34567"}, ("port", "row_sdk_port"), None),
        ({"host": "10.0.0.1", "port": "8080"}, None, 8080),
        ({"host": "8.8.8.8"}, ("host", "row_public_address"), None),
        ({"host": "2400:3200::1"}, ("host", "row_public_address"), None),
        ({"host": "10.9.0.1"}, ("host", "row_outside_ranges"), None),
        ({"host": "", "main_url": "rtsp://10.9.0.1/1"}, ("main_url", "row_outside_ranges"), None),
        ({"host": "nvr.example.org"}, None, None),  # decided about when it is resolved
    ],
)
def test_what_is_worth_a_second_look_keeps_no_row_out(
    values: dict[str, str], note: tuple[str, str] | None, port: int | None
) -> None:
    known = replace(places(), ranges={1: parsed_ranges(["10.0.0.0/24"])})
    (found,) = judged([RowValues(2, {}).with_values(GOOD | values)], known)
    assert [(one.field, one.reason, one.note) for one in found.problems] == ([(*note, True)] if note else [])
    assert (found.verdict, found.row.port) == ("good", port)


def test_without_ranges_only_a_public_address_is_noted() -> None:
    rows = [RowValues(2, {}).with_values(GOOD | {"host": host}) for host in ("10.9.0.1", "8.8.8.8")]
    found = judged(rows, replace(places(), ranges={1: ()}))
    assert [[one.reason for one in row.problems] for row in found] == [[], ["row_public_address"]]


def test_rows_are_judged_against_each_other() -> None:
    login = {"username": "admin", "password": "a"}
    typed: list[dict[str, Any]] = [
        GOOD | {"channel": "1"} | login,
        GOOD | {"channel": "1"} | login,
        GOOD | {"channel": "2", "username": "admin", "password": "b"},
        GOOD | {"channel": "3", "name": "无登录"},
        {"village": "东村", "name": "村口", "host": "10.0.0.7"},
    ]
    found = judged([RowValues(number, {}).with_values(one) for number, one in enumerate(typed, 2)], places())
    assert [one.verdict for one in found] == ["good", "bad", "bad", "good", "same"]
    reasons = [[(one.reason, one.params) for one in row.problems] for row in found]
    assert reasons[1] == [("row_double", {"row": 2})]
    assert reasons[2] == [("row_login_conflict", {"row": 2})]
    assert not found[4].changes


def test_who_is_bound_to_a_village_learns_nothing_of_others() -> None:
    for name in ("西社区", "没有的村"):
        (found,) = judged([RowValues(2, {}).with_values(GOOD | {"village": name})], places(1, bound=True))
        assert [(one.reason, one.params) for one in found.problems] == [("row_other_village", {"village": name})]


def test_logins_leave_the_addresses_of_streams() -> None:
    row = RowValues(2, {}).with_values(GOOD | {"host": "", "main_url": "rtsp://admin:tS3-stile@10.0.0.1:554/live/1"})
    assert (row.shown["username"], row.secrets.password) == ("admin", "tS3-stile")
    assert "tS3-stile" not in str(row.shown) + repr(row)
    assert row.with_values({"main_url": row.shown["main_url"]}) == row


def test_sentences_are_those_of_the_pages() -> None:
    words = (ROOT / "web" / "src" / "i18n" / "zh-CN" / "reasons.ts").read_text("utf-8")
    shown = dict(re.findall(r"^  (\w+): '(.*)',$", words, re.M))
    assert {reason: text for reason, text in SENTENCES.items() if shown.get(reason) != text} == {}
    assert [one.value for one in Reason if one.startswith(("row_", "value_")) and one.value not in SENTENCES] == []
    assert set(REMEDIES) <= set(SENTENCES)
    assert sentence("row_double", {"row": 3}).startswith("与第 3 行")
    assert remedy("never_heard_of", {})
