"""Which field each column of somebody's sheet stands for. Pure.

Headers are compared without spaces, marks for mandatory columns, remarks in brackets and differences of width and case.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from camera_hub.cameras.imports.place_words import place_class_of
from camera_hub.sheets.answer import SheetRow

LOOKED_AT = 30
"""Rows among which the headers are searched."""
SAMPLES = 3
LEDGER = "ledger."
SECRET_FIELDS = frozenset({"password"})
IDENTITY = ("host", "main_url", "id")
"""A row has one of these, or it is no camera."""
_WITHOUT_ADDRESS = (f"{LEDGER}access_kind", f"{LEDGER}no_access_reason")
"""Or it is a camera that cannot be reached, and only has a file."""


@dataclass(frozen=True, slots=True)
class ImportField:
    """What a column may stand for. `header`: the one that our own sheets have."""

    key: str
    header: str
    aliases: tuple[str, ...] = ()


_WORDS = {
    "village": "所属村居 村 村居 村名 所属村 村庄 村名称 村社区 村/社区 社区 所属社区 行政村 所属行政村 村/小区 "
    "小区 所属小区 所在村 所在村居 村委 村委会 居委会 所属村社区 village",
    "name": "点位名称 名称 摄像机名称 摄像头名称 设备名称 监控名称 监控点名称 监控点位 监控点 监控点位名称 "
    "通道名称 摄像机 摄像头 点位 点名 相机名称 位置名称 camera cameraname name",
    "host": "IP地址 IP 地址 设备地址 设备IP 设备IP地址 摄像机IP 摄像机IP地址 摄像头IP 摄像头IP地址 IPv4 IPv4地址 "
    "网络地址 录像机IP 录像机IP地址 录像机地址 NVRIP NVR地址 NVRIP地址 主机 主机地址 域名 监控IP 监控IP地址 "
    "相机IP 相机IP地址 host address ipaddress",
    "port": "端口 端口号 HTTP端口 ONVIF端口 访问端口 服务端口 管理端口 web端口 设备端口 网页端口 port httpport",
    "rtsp_port": "RTSP端口 视频端口 取流端口 流媒体端口 码流端口 rtspport",
    "channel": "通道号 通道 通道编号 通道序号 录像机通道 录像机通道号 NVR通道 NVR通道号 channel ch",
    "username": "用户名 账号 帐号 登录名 登录账号 登录用户 用户 设备用户名 设备账号 user username login",
    "password": "密码 口令 登录密码 设备密码 设备口令 登录口令 摄像机密码 pwd password pass",
    "main_url": "主码流地址 主码流 RTSP地址 RTSP RTSP主码流 码流地址 取流地址 视频流地址 视频地址 流地址 视频流 "
    "主码流URL 主码流RTSP地址 rtspurl url mainstream mainurl",
    "sub_url": "子码流地址 子码流 辅码流 辅码流地址 RTSP子码流 子码流URL 副码流 副码流地址 substream suburl",
    "place_class": "场所类别 点位类别 场所类型 点位类型 部位类别 区域类别 类别 重点类别 点位属性 placeclass",
    "id": "编号(请勿修改) 系统编号 平台编号",
}
"""Field → its headers, first the one that our own sheets have."""
REGISTER_FIELDS = tuple(ImportField(key, words.split()[0], tuple(words.split()[1:])) for key, words in _WORDS.items())
"""What the register keeps. Fields of the ledger follow as ledger.<key>."""

_ADDRESS = re.compile(r"\d\s*[.。.]\s*\d|[A-Za-z0-9-]+\.[A-Za-z]{2,}|::|rtsp:", re.ASCII)
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?", re.ASCII)
_TOTALS = re.compile(
    r"^(?:合计|总计|小计|共计|总数|本页小计|填表人|制表人|审核人|填报人|填报单位|备注[::]|说明[::]|注[::]|total)"
)
_REMARK = re.compile(r"[((\[【〔][^))\]】〕]*[))\]】〕]")
_NOISE = re.compile(r"[\s**::·•、,。.\"'“”_\-—]+")


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column: its place from 0, its header, some of its texts, and what it stands for (None: nothing)."""

    index: int
    header: str
    samples: list[str] = field(default_factory=list)
    field: str | None = None


@dataclass(frozen=True, slots=True)
class HeaderTable:
    """Headers → fields."""

    by_header: Mapping[str, str]
    keys: frozenset[str]

    @classmethod
    def of(cls, fields: Iterable[ImportField]) -> "HeaderTable":
        """Of two fields with one header, the first has it."""
        found: dict[str, str] = {}
        fields = tuple(fields)
        for text_of in (_whole, plain_header):
            for one in fields:
                if one.key == "id" and text_of is plain_header:
                    continue  # a bare 编号 is a number of the village's own
                for header in (one.header, *one.aliases):
                    found.setdefault(text_of(header), one.key)
        found.pop("", None)
        return cls(found, frozenset(one.key for one in fields))

    def field_of(self, header: str) -> str | None:
        """The field of a header; with its remark in brackets where that tells fields apart, else without."""
        for text in (_whole(header), plain_header(header)):
            if text in self.by_header:
                return self.by_header[text]
        return None


def plain_header(text: str) -> str:
    """A header as it is compared."""
    folded = unicodedata.normalize("NFKC", text)
    return _NOISE.sub("", _REMARK.sub("", folded) or folded).lower()


def _whole(text: str) -> str:
    return _NOISE.sub("", re.sub(r"[()\[\]【】〔〕]", "", unicodedata.normalize("NFKC", text))).lower()


def header_row(rows: Sequence[SheetRow], table: HeaderTable) -> int:
    """The number of the row with the headers: that in which most are known; 0 when none looks like one."""
    best, most = 0, 0
    for row in rows[:LOOKED_AT]:
        fields = {found for cell in row.cells if cell and (found := table.field_of(cell)) is not None}
        if len(fields) > most:
            best, most = row.number, len(fields)
    if most >= 2:
        return best
    wordy = next((row for row in rows[:LOOKED_AT] if sum(map(bool, row.cells)) >= 3), None)
    return best or (wordy.number if wordy is not None else 0)


def columns_of(
    rows: Iterable[SheetRow], number: int, table: HeaderTable, remembered: Mapping[str, str | None]
) -> list[SheetColumn]:
    """The columns under the header row, mapped: as somebody has set it before, else by their headers."""
    headers: list[str] = []
    samples: list[list[str]] = []
    for row in rows:
        if row.number == number:
            headers = [cell[:64] for cell in row.cells]
            samples = [[] for _ in headers]
        elif row.number > number:
            for index, cell in enumerate(row.cells):
                if index >= len(headers):
                    headers.append("")
                    samples.append([])
                if cell and len(samples[index]) < SAMPLES and cell[:64] not in samples[index]:
                    samples[index].append(cell[:64])
    taken: set[str] = set()
    columns = []
    for index, header in enumerate(headers):
        found = _field(header, samples[index], table, remembered)
        if found in taken:
            found = None
        if found is not None:
            taken.add(found)
        columns.append(SheetColumn(index, header, _shown(found, samples[index]), found))
    unknown = [one for one in columns if one.field is None and plain_header(one.header) not in remembered]
    hosts = [one for one in unknown if one.samples and all(map(_IPV4.fullmatch, one.samples))]
    if not taken & {"host", "main_url"} and len(hosts) == 1:
        columns[hosts[0].index] = replace(hosts[0], field="host")  # whatever its header is: nothing else is one
    return columns


def _field(header: str, samples: Sequence[str], table: HeaderTable, remembered: Mapping[str, str | None]) -> str | None:
    if not header:
        return None
    if (plain := plain_header(header)) in remembered:
        set_before = remembered[plain]
        return set_before if set_before is None or set_before in table.keys else None
    found = table.field_of(header)
    address = f"{LEDGER}address"
    if found == "host" and address in table.keys and samples and not any(_ADDRESS.search(one) for one in samples):
        return address  # where it hangs, not where it is reached
    point_type = f"{LEDGER}point_type"
    if found in ("place_class", point_type) and point_type in table.keys and samples:
        # "point type" is the county's class 1, 2, 3 in some sheets and the kind of place in others
        return "place_class" if any(place_class_of(one) is not None for one in samples) else point_type
    return found


def with_fields(columns: Sequence[SheetColumn], fields: Mapping[int, str | None]) -> list[SheetColumn]:
    """The columns as somebody maps them; those that are not named stand for nothing."""
    return [
        SheetColumn(one.index, one.header, _shown(fields.get(one.index), one.samples), fields.get(one.index))
        for one in columns
    ]


def _shown(field: str | None, samples: Sequence[str]) -> list[str]:
    """Passwords are not shown, nor addresses of streams, which may hold one."""
    return [] if field in SECRET_FIELDS or field in ("main_url", "sub_url") else list(samples)


def headers_key(columns: Sequence[SheetColumn]) -> str:
    """What the set of headers is remembered by."""
    headers = sorted({plain for one in columns if (plain := plain_header(one.header))})
    return hashlib.sha256("\n".join(headers).encode()).hexdigest()


def is_mapped(columns: Sequence[SheetColumn]) -> bool:
    """Whether enough is mapped to judge rows: what a camera is called, and where it is."""
    fields = {one.field for one in columns}
    return bool(fields & {*IDENTITY, *_WITHOUT_ADDRESS}) and ("name" in fields or "id" in fields)


def data_rows(rows: Iterable[SheetRow], number: int, columns: Sequence[SheetColumn]) -> Iterable[SheetRow]:
    """The rows that are cameras: under the headers, neither headers again nor totals and remarks at the end."""
    places = [one.index for one in columns if one.field in IDENTITY]
    headers = [one.header for one in columns]
    mapped = [one.index for one in columns if one.field is not None]
    for row in rows:
        if row.number <= number or [cell[:64] for cell in row.cells] == headers[: len(row.cells)]:
            continue
        placed = any(index < len(row.cells) and row.cells[index] for index in places)
        if not placed and any(_TOTALS.match(cell) for cell in row.cells if cell):
            continue
        if any(index < len(row.cells) and row.cells[index] for index in mapped):
            yield row
