"""Which field each column of the county's list stands for, and which of its rows are cameras. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from camera_hub.cameras.imports.columns import HeaderTable, ImportField, columns_of, header_row
from camera_hub.errors import HubError, Kind
from camera_hub.sheets.answer import SheetRow
from camera_hub.sheets.reading import ReadSheet

_WORDS = {
    "gb_id": "国标编码 设备编码 通道编码 国标ID 国标编号 国标码 设备国标编码 通道国标编码 摄像机编码 摄像头编码 "
    "点位编码 监控编码 视频编码 资产编码 设备ID 通道ID 摄像机国标编码 GBID deviceid gbcode channelid",
    "name": "点位名称 名称 设备名称 通道名称 摄像机名称 摄像头名称 监控名称 监控点名称 监控点 监控点位 点位 摄像机 "
    "摄像头 相机名称 资产名称 name cameraname",
    "village": "所属村居 村 村居 村名 行政村 所属村 村社区 社区 所属社区 小区 所在村 村委会 所属组织 所属区域 组织机构 "
    "village",
    "host": "IP地址 IP 设备IP 设备IP地址 摄像机IP 摄像机IP地址 IPv4 IPv4地址 网络地址 ipaddress host",
    "channel": "通道号 通道序号 录像机通道 录像机通道号 channel",
    "address": "安装地址 地址 安装位置 详细地址 点位地址 位置 安装地点 address",
    "time": "离线时间 故障时间 通报时间 检测时间 时间 发现时间 掉线时间 最后在线时间 离线开始时间 开始时间 巡检时间 "
    "抽查时间 检查时间 日期 检测日期 通报日期 抽查日期 统计时间 offlinetime time date",
    "cause": "故障原因 状态 原因 离线原因 故障类型 故障描述 问题 问题描述 异常类型 异常原因 在线状态 设备状态 检测结果 "
    "诊断结果 故障现象 存在问题 status reason fault",
}
FIELDS: Final = tuple(ImportField(key, words.split()[0], tuple(words.split()[1:])) for key, words in _WORDS.items())
TABLE: Final = HeaderTable.of(FIELDS)
IDENTITY: Final = ("gb_id", "name", "host", "address")
"""A row has one of these, or nobody can tell which camera it means."""

_TOTALS = re.compile(r"^(?:合计|总计|小计|共计|总数|本页小计|填表人|制表人|审核人|填报人|填报单位|备注|说明|注[:：])")
_GB_ID = re.compile(r"\d{20}", re.ASCII)
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class CountyColumn:
    """A column as it came, and what it stands for (None: it is kept, and says nothing to us)."""

    header: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class CountyList:
    """The list in a file: its sheet, columns, and the rows that are cameras."""

    sheet: str
    columns: list[CountyColumn]
    rows: list[SheetRow]


def county_list(sheets: Iterable[ReadSheet]) -> CountyList:
    """The list in the sheet that looks most like one. Raises HubError(INVALID, county_headers) where none does."""
    found = [one for sheet in sheets if (one := _list_in(sheet)) is not None]
    if not found:
        raise HubError(
            Kind.INVALID,
            "no sheet of this file has a row of headers with an ID, a name or an address, and rows below it; put "
            "设备编码, 名称 or IP地址 above the columns and try again",
            reason="county_headers",
        )
    return max(found, key=lambda one: (sum(column.field is not None for column in one.columns), len(one.rows)))


def texts_of(columns: Sequence[CountyColumn], cells: Sequence[str]) -> dict[str, str]:
    """The texts of a row by their fields."""
    return {
        column.field: cells[index]
        for index, column in enumerate(columns)
        if column.field is not None and index < len(cells) and cells[index]
    }


def _list_in(sheet: ReadSheet) -> CountyList | None:
    rows = list(sheet.rows())
    number = header_row(rows, TABLE)
    if not number:
        return None
    columns = [CountyColumn(one.header, _field(one.field, one.samples)) for one in columns_of(rows, number, TABLE, {})]
    if not {one.field for one in columns} & set(IDENTITY):
        columns = _by_content(columns, [row for row in rows if row.number > number])
    if not {one.field for one in columns} & set(IDENTITY):
        return None
    cameras = list(_cameras(rows, number, columns))
    return CountyList(sheet.name, columns, cameras) if cameras else None


def _field(field: str | None, samples: Sequence[str]) -> str | None:
    """地址 may be where a camera hangs or where it is reached."""
    if field == "address" and any(map(_IPV4.fullmatch, samples)):
        return "host"
    return field


def _by_content(columns: Sequence[CountyColumn], rows: Sequence[SheetRow]) -> list[CountyColumn]:
    """A column of nothing but 20 digits is one of IDs, whatever stands above it."""
    rows = [row for row in rows if not _is_total(row)]
    for index, column in enumerate(columns):
        texts = [row.cells[index] for row in rows if index < len(row.cells) and row.cells[index]]
        if column.field is None and texts and all(map(_GB_ID.fullmatch, texts)):
            return [*columns[:index], CountyColumn(column.header, "gb_id"), *columns[index + 1 :]]
    return list(columns)


def _cameras(rows: Iterable[SheetRow], number: int, columns: Sequence[CountyColumn]) -> Iterator[SheetRow]:
    """Under the headers, neither headers again nor totals and remarks at the end."""
    headers = [one.header for one in columns]
    for row in rows:
        if row.number <= number or [cell[:64] for cell in row.cells] == headers[: len(row.cells)]:
            continue
        texts = texts_of(columns, row.cells)
        if not any(texts.get(field) for field in IDENTITY):
            continue
        named = _GB_ID.fullmatch(texts.get("gb_id", "")) or _IPV4.fullmatch(texts.get("host", ""))
        if _is_total(row) and not named:
            continue
        yield row


def _is_total(row: SheetRow) -> bool:
    """Whether its first text says that the row is a total or a remark."""
    return _TOTALS.match(next((cell for cell in row.cells if cell), "")) is not None
