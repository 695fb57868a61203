"""The county's sheet: its 73 columns in its order, one row per camera. Pure.

Logins never leave the hub: 设备用户名 and 设备口令 stay empty. What is not measured yet stays empty as well.
"""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from camera_hub.cameras.ledger.fields import FIELDS, show_value
from camera_hub.cameras.ledger.files import CameraFile
from camera_hub.sheets.writing import WrittenColumn, write_xlsx

Cell = str | int | float | None

_COLUMNS = tuple(one for one in FIELDS if one.column)
_STATES = {"in_use": "1", "repair": "2", "removed": "3"}


_NOTES = (
    "各列及其顺序与县（区）“一机一档”模板一致，共 73 列；带（*）的为必填项。",
    "“设备用户名”“设备口令”不导出：登录信息只保存在平台内。",
    "经纬度为 WGS-84。尚未统计的巡检、时延等列留空。",
)


def county_columns() -> list[WrittenColumn]:
    """The headers, mandatory ones with the county's mark. What is digits and no number is a text."""
    return [
        WrittenColumn("序号", width=6),
        *(
            WrittenColumn(
                f"{one.header}（*）" if one.required else one.header,
                width=max(12, min(30, len(one.header) * 2 + 6)) if one.key != "gb_id" else 24,
                as_text=one.kind in ("gb_id", "phone", "division", "date"),
                needed=one.required,
            )
            for one in _COLUMNS
        ),
    ]


def county_sheet(files: Iterable[CameraFile], zone: ZoneInfo) -> bytes:
    """The sheet as .xlsx; some 0.5 s for 1,000 cameras, so not in the event loop."""
    return write_xlsx(county_columns(), county_rows(files, zone), sheet="一机一档", notes=_NOTES)


def county_rows(files: Iterable[CameraFile], zone: ZoneInfo) -> Iterable[Sequence[Cell]]:
    """A row per file: codes as "number-word", coordinates as WGS-84 numbers, times of the site."""
    for number, file in enumerate(files, 1):
        yield [number, *(_cell(file, one.key, zone) for one in _COLUMNS)]


def _cell(file: CameraFile, key: str, zone: ZoneInfo) -> Cell:
    if key == "longitude":
        return file.longitude
    if key == "latitude":
        return file.latitude
    if key == "updated_at":
        return f"{file.updated_at.astimezone(zone):%Y-%m-%d %H:%M}" if file.updated_at is not None else ""
    if key in ("username", "password"):
        return ""
    value = file.service_state if key == "service_state" else file.values.get(key, "")
    field = next(one for one in _COLUMNS if one.key == key)
    words = show_value(field, value)
    if key == "service_state":
        return f"{_STATES[value]}-{words}"
    if field.codes and value.isdecimal():
        return f"{value}-{words}"
    if key in ("port", "retention_days") and value:
        return int(value)
    return words
