"""The catalogue of the ledger's fields, in the county's column order, and how a typed value becomes a stored one. Pure.

Fields that the county's sheet has carry its header; behind them follow those that only the hub keeps. `source` says
where a value comes from: "typed" by people or sheets; "hub": the hub knows it (a typed value only counts where the hub
does not know); "measured": for reports, nothing is typed; "never": no value leaves the hub (logins of devices).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from camera_hub.cameras.ledger import codes, gb_id
from camera_hub.cameras.ledger.aliases import ALIASES
from camera_hub.cameras.ledger.codes import CodeWord
from camera_hub.cameras.ledger.coordinates import LATITUDES, LONGITUDES, parse_degrees
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.text import clean_name

FieldKind = Literal[
    "text", "code", "codes", "number", "date", "phone", "gb_id", "division", "mac", "longitude", "latitude"
]
FieldSource = Literal["typed", "hub", "measured", "never"]
FieldGroup = Literal["place", "people", "technique", "filing", "state", "figures"]


@dataclass(frozen=True, slots=True)
class LedgerField:
    """One field. `header`: the county's, without its mark for mandatory ones; `column`: whether the county's sheet has
    it; `codes`: stored value → words; `settable`: whether people and sheets may give it a value."""

    key: str
    header: str
    english: str
    group: FieldGroup
    kind: FieldKind = "text"
    required: bool = False
    source: FieldSource = "typed"
    aliases: tuple[str, ...] = ()
    codes: Mapping[str, CodeWord] = field(default_factory=dict)
    max_length: int = 64
    least: int = 0
    most: int = 0
    column: bool = True
    fallback: bool = False  # a "hub" field that may be typed where the hub does not know it

    @property
    def settable(self) -> bool:
        return self.source == "typed" or self.fallback


def _of(
    key: str, header: str, english: str, group: FieldGroup, kind: FieldKind = "text", **more: object
) -> LedgerField:
    return LedgerField(key, header, english, group, kind, aliases=ALIASES.get(key, ()), **more)  # type: ignore[arg-type]


_COUNTY = (
    _of("gb_id", "设备编码", "GB/T 28181 ID", "place", "gb_id", required=True, max_length=20),
    _of("former_id", "原设备编码", "former ID", "place", max_length=40),
    _of("name", "设备名称", "name", "place", required=True, source="hub", max_length=128),
    _of(
        "division_code",
        "行政区划编码",
        "division code",
        "place",
        "division",
        required=True,
        source="hub",
        fallback=True,
        max_length=12,
    ),
    _of("point_type", "监控点位类型", "point type", "place", "code", required=True, codes=codes.POINT_TYPES),
    _of("microphone", "拾音器", "microphone", "technique", "code", codes=codes.PRESENT),
    _of("parent_device", "父设备", "parent device", "technique", source="hub", fallback=True),
    _of("construction_unit", "建设单位/设备归属", "built by, owner", "people", required=True),
    _of("platform_owner_code", "建设单位/平台归属代码", "owner's code", "people", required=True, max_length=40),
    _of("management_unit", "管理单位", "managed by", "people", required=True),
    _of("department", "摄像机所属部门（警种）", "department", "people", required=True),
    _of("manager", "管理员姓名", "manager", "people", required=True, max_length=32),
    _of("manager_phone", "管理员联系电话", "manager's phone", "people", "phone", required=True, max_length=24),
    _of("contractor", "承建单位", "installed by", "people", required=True),
    _of("maintainer_unit", "维护单位", "maintained by", "people", required=True),
    _of("manufacturer", "设备厂商", "manufacturer", "technique", required=True, source="hub", fallback=True),
    _of("model", "设备型号", "model", "technique", source="hub", fallback=True),
    _of("camera_type", "摄像机类型", "camera type", "technique", "code", required=True, codes=codes.CAMERA_TYPES),
    _of("access_kind", "接入方式", "access", "technique", "code", codes=codes.ACCESS_KINDS),
    _of("function_type", "摄像机功能类型", "function", "technique", "codes", required=True, codes=codes.FUNCTIONS),
    _of(
        "encoding",
        "视频编码格式",
        "video encoding",
        "technique",
        "code",
        required=True,
        source="hub",
        fallback=True,
        codes=codes.ENCODINGS,
    ),
    _of(
        "resolution", "图像分辨率", "resolution", "technique", required=True, source="hub", fallback=True, max_length=24
    ),
    _of("fill_light", "摄像机补光属性", "fill light", "technique", "code", codes=codes.LIGHTS),
    _of("back_end", "后端结构化", "back-end processing", "technique"),
    _of("lens", "镜头类型", "lens", "technique"),
    _of("mount", "安装类型", "mounting", "technique"),
    _of("height_type", "高度类型", "height", "technique", required=True),
    _of("police_station", "所属辖区公安机关", "police station", "people", required=True),
    _of("address", "安装地址", "address", "place", required=True, max_length=200),
    _of("landmark", "周边标志", "landmark", "place", required=True, max_length=128),
    _of("longitude", "经度", "longitude", "place", "longitude", required=True),
    _of("latitude", "纬度", "latitude", "place", "latitude", required=True),
    _of(
        "indoor_outdoor",
        "摄像机安装位置室内外",
        "indoors or outdoors",
        "place",
        "code",
        required=True,
        codes=codes.ROOMS,
    ),
    _of("direction", "摄像机监控方位", "facing", "place", "code", required=True, codes=codes.DIRECTIONS),
    _of("pole_number", "立杆编号", "pole number", "place", required=True, max_length=40),
    _of("scene_photo", "摄像机实景图片", "photo of the view", "filing", source="hub"),
    _of("networked", "联网属性", "connected", "technique", "code", source="hub", codes=codes.NETWORKED),
    _of("access_network", "接入网络", "network", "technique", "code", required=True, codes=codes.NETWORKS),
    _of("ipv4", "IPv4地址", "IPv4 address", "technique", required=True, source="hub"),
    _of("ipv6", "IPv6地址", "IPv6 address", "technique", source="hub"),
    _of(
        "mac",
        "设备MAC地址",
        "MAC address",
        "technique",
        "mac",
        required=True,
        source="hub",
        fallback=True,
        max_length=17,
    ),
    _of("port", "访问端口", "port", "technique", source="hub"),
    _of("encoder", "关联编码器", "encoder", "technique"),
    _of("username", "设备用户名", "user name", "technique", source="never"),
    _of("password", "设备口令", "password", "technique", source="never"),
    _of("channel", "通道号", "channel", "technique", source="hub"),
    _of("protocol", "连接协议", "protocol", "technique", source="hub"),
    _of("enabled_on", "启用时间", "in service since", "filing", "date", required=True, max_length=10),
    _of("scrapped_on", "报废时间", "scrapped on", "state", "date", max_length=10),
    _of("service_state", "设备状态", "service state", "state", "code", required=True, codes=codes.SERVICE_STATES),
    _of("inspection_state", "巡检状态", "inspection", "figures", source="measured"),
    _of("video_loss", "视频丢失", "video loss", "figures", source="measured"),
    _of("colour_cast", "色彩失真", "colour cast", "figures", source="measured"),
    _of("blur", "视频模糊", "blur", "figures", source="measured"),
    _of("brightness", "亮度异常", "brightness", "figures", source="measured"),
    _of("interference", "视频干扰", "interference", "figures", source="measured"),
    _of("stutter", "视频卡顿", "stutter", "figures", source="measured"),
    _of("occlusion", "视频遮挡", "occlusion", "figures", source="measured"),
    _of("scene_change", "场景变更", "scene change", "figures", source="measured"),
    _of("online_time", "在线时长", "time online", "figures", source="measured"),
    _of("offline_time", "离线时长", "time offline", "figures", source="measured"),
    _of("signalling_delay", "信令时延", "signalling delay", "figures", source="measured"),
    _of("stream_delay", "视频流时延", "stream delay", "figures", source="measured"),
    _of("key_frame_delay", "关键帧时延", "key frame delay", "figures", source="measured"),
    _of("retention_days", "录像保存天数", "days recorded", "technique", "number", required=True, least=1, most=3650),
    _of("storage_device", "存储设备编码", "storage device", "technique", max_length=40),
    _of("storage_channel", "存储通道号", "storage channel", "technique", max_length=40),
    _of("storage_type", "存储类型", "storage type", "technique"),
    _of("cache", "缓存设置", "cache", "technique"),
    _of("remark", "备注", "remark", "state", max_length=255),
    _of("capture_area", "采集区域类型", "capture area", "place", "codes", required=True, codes=codes.AREAS),
    _of("updated_at", "更新时间", "updated", "figures", source="hub"),
)
_OWN = (
    _of("datum", "坐标系", "datum", "place", "code", codes=codes.DATUMS, column=False),
    _of("maintainer_phone", "维护单位电话", "maintainer's phone", "people", "phone", max_length=24, column=False),
    _of("no_access_reason", "未联网原因", "why not connected", "technique", max_length=200, column=False),
    _of("state_since", "状态日期", "state since", "state", "date", max_length=10, column=False),
    _of("state_reason", "状态原因", "reason of state", "state", max_length=200, column=False),
    _of("legal_basis", "建设依据", "legal basis", "filing", "code", codes=codes.LEGAL_BASES, column=False),
    _of("not_banned", "不在禁装区域", "not in a banned place", "filing", "code", codes=codes.YES, column=False),
    _of("sign_on", "提示标识设置日期", "sign put up on", "filing", "date", max_length=10, column=False),
    _of("filing_state", "备案状态", "filing state", "filing", "code", codes=codes.FILING_STATES, column=False),
    _of("filing_number", "备案编号", "filing number", "filing", max_length=64, column=False),
    _of("filed_on", "备案日期", "filed on", "filing", "date", max_length=10, column=False),
)

FIELDS: tuple[LedgerField, ...] = _COUNTY + _OWN
"""Every field: the county's columns in their order (after 序号, which counts rows), then those of the hub alone."""
BY_KEY: Mapping[str, LedgerField] = {one.key: one for one in FIELDS}

ON_MAP = frozenset({"longitude", "latitude", "datum", "direction"})
"""What the map shows: who sets one of these in a transaction of their own publishes CameraPositionChanged as well."""

_NOTHING = frozenset({"/", "\\", "-", "--", "—", "——", "n/a", "na", "null", "none", "暂无", "未知", "待定", "待补充"})
"""What people write into a cell to say that there is nothing yet."""
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T].*)?", re.ASCII | re.DOTALL)
_SERIAL_DATE = re.compile(r"\d{5}(\.\d+)?", re.ASCII)
_SERIAL_BASE = date(1899, 12, 30)
_EARLIEST, _LATEST = date(1990, 1, 1), date(2100, 1, 1)
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"(010|02\d|0[3-9]\d{2})-?([2-8]\d{6,7})", re.ASCII)
_SERVICE_NUMBER = re.compile(r"([48]00)-?(\d{3})-?(\d{4})", re.ASCII)
_EXTENSION = re.compile(r"\s*(?:转|ext\.?|x|-|,|#|分机)\s*(\d{1,6})", re.ASCII | re.IGNORECASE)
_CODE = re.compile(r"0*(\d+)(?:\.0)?(?:\s*[-—:、.)]\s*\D.*)?", re.ASCII)
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def parse_value(field: LedgerField, text: str) -> str:
    """What is stored of a typed text; "" where it says that there is nothing.

    Coordinates stay in the datum in which they were typed, and ids may be taken: `ledgers` looks at those.
    Raises HubError(INVALID) with a VALUE_… reason.
    """
    if not field.settable:
        raise _refused(Reason.VALUE_KNOWN, "the hub fills this in by itself; leave it empty")
    plain = clean_name(text).translate(_WIDE)
    if field.kind == "text":
        plain = clean_name(text)
    if plain.lower() in _NOTHING:
        return ""
    if not plain:
        return ""
    if len(plain) > 1000:
        raise _too_long(field)
    stored = _PARSERS[field.kind](field, plain)
    if len(stored) > field.max_length:
        raise _too_long(field)
    return stored


def show_value(field: LedgerField, stored: str) -> str:
    """A stored value in words, as the county's sheet has it: codes as their Chinese words."""
    if not field.codes:
        return stored
    return "/".join(field.codes[one].zh if one in field.codes else one for one in stored.split("/") if one)


def _text(field: LedgerField, text: str) -> str:
    return text


def _code(field: LedgerField, text: str) -> str:
    if (found := _one_code(field, text)) is None:
        raise _bad_code(field)
    return found


def _several_codes(field: LedgerField, text: str) -> str:
    if (whole := _one_code(field, text)) is not None:
        return whole
    found = [_one_code(field, part) for part in re.split(r"[/,、;|]", text) if part.strip()]
    if not found or None in found:
        raise _bad_code(field)
    return "/".join(dict.fromkeys(one for one in found if one is not None))


def _one_code(field: LedgerField, text: str) -> str | None:
    """The code that a number or word stands for: "2", "02", "2-红外补光", "红外"."""
    wanted = _folded(text)
    for value, word in field.codes.items():
        if wanted in {_folded(one) for one in (value, word.zh, word.en, *word.also)}:
            return value
    if (number := _CODE.fullmatch(text.strip())) is None:
        return None
    if number[1] in field.codes:
        return number[1]
    return next((value for value, word in field.codes.items() if number[1] in word.also), None)


def _folded(text: str) -> str:
    return re.sub(r"[\s\-_.()()::]", "", text.translate(_WIDE)).lower()


def _number(field: LedgerField, text: str) -> str:
    digits = re.fullmatch(r"(\d{1,9})(?:\.0+)?\s*(?:天|日|个月|days?)?", text, re.ASCII)
    if digits is None or not field.least <= int(digits[1]) <= field.most or "月" in text:
        raise _refused(
            Reason.VALUE_NUMBER,
            f"type a whole number from {field.least} to {field.most}",
            least=field.least,
            most=field.most,
        )
    return str(int(digits[1]))


def _date(field: LedgerField, text: str) -> str:
    found: date | None = None
    try:
        if parts := _DATE.fullmatch(text):
            found = date(int(parts[1]), int(parts[2]), int(parts[3]))
        elif re.fullmatch(r"\d{8}", text, re.ASCII):
            found = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        elif _SERIAL_DATE.fullmatch(text):  # how spreadsheets keep a date: days since 1899-12-30
            found = _SERIAL_BASE + timedelta(days=int(text.partition(".")[0]))
    except ValueError:
        found = None
    if found is None or not _EARLIEST <= found < _LATEST:
        raise _refused(Reason.VALUE_DATE, "type a date such as 2026-05-01, from 1990 on")
    return found.isoformat()


def _phone(field: LedgerField, text: str) -> str:
    if gb_id.mangled_by_excel(text) and not text.isdecimal():
        raise _excel()
    plain = re.sub(r"^\(?(?:\+|00)86\)?[\s-]*", "", text.removesuffix(".0"))
    plain = re.sub(r"\((0\d{2,3})\)\s*", r"\1-", plain).replace("—", "-")
    digits = re.sub(r"[\s-]", "", plain)
    if _MOBILE.fullmatch(digits):
        return digits
    for form in (_LANDLINE, _SERVICE_NUMBER):
        spaceless = re.sub(r"\s+(?=\d)|(?<=-)\s+|\s+(?=-)", "", plain)
        for end in range(len(spaceless), 0, -1):
            number = form.fullmatch(spaceless[:end])
            rest = spaceless[end:]
            extension = _EXTENSION.fullmatch(rest) if rest else None
            if number and (not rest or extension):
                return "-".join([*number.groups(), *(extension.groups() if extension else ())])
    raise _refused(
        Reason.VALUE_PHONE, "type a mobile number of 11 digits, or a landline with area code such as 0551-62345678"
    )


def _gb_id(field: LedgerField, text: str) -> str:
    plain = re.sub(r"[\s'`-]", "", text)
    if gb_id.mangled_by_excel(plain):
        raise _excel()
    if why := gb_id.fault_of(plain):
        raise HubError(
            Kind.INVALID,
            f"this is no camera's ID of GB/T 28181: its {why} is wrong; copy all 20 digits from the county's list",
            reason=Reason.VALUE_GB_ID,
            why=why,
            length=len(plain),
        )
    return plain


def _division(field: LedgerField, text: str) -> str:
    plain = re.sub(r"[\s'`]", "", text).removesuffix(".0")
    if re.fullmatch(r"\d{6}|\d{8}|\d{9}|\d{12}", plain, re.ASCII) and gb_id.is_province(plain[:2]):
        return plain
    raise _refused(Reason.VALUE_DIVISION, "type the division code of GB/T 2260: 6, 8, 9 or 12 digits")


def _mac(field: LedgerField, text: str) -> str:
    digits = re.sub(r"[\s:.\-]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", digits) or digits in {"0" * 12, "F" * 12}:
        raise _refused(Reason.VALUE_MAC, "type a MAC address of 12 hexadecimal digits such as 44:19:B6:01:02:03")
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def _longitude(field: LedgerField, text: str) -> str:
    return parse_degrees(text, LONGITUDES, LATITUDES)


def _latitude(field: LedgerField, text: str) -> str:
    return parse_degrees(text, LATITUDES, LONGITUDES)


_PARSERS = {
    "text": _text,
    "code": _code,
    "codes": _several_codes,
    "number": _number,
    "date": _date,
    "phone": _phone,
    "gb_id": _gb_id,
    "division": _division,
    "mac": _mac,
    "longitude": _longitude,
    "latitude": _latitude,
}


def _bad_code(field: LedgerField) -> HubError:
    words = "、".join(f"{value}-{word.zh}" if value.isdecimal() else word.zh for value, word in field.codes.items())
    return _refused(Reason.VALUE_CODE, f"use one of: {words}", allowed=words)


def _too_long(field: LedgerField) -> HubError:
    return _refused(Reason.VALUE_TOO_LONG, f"shorten it to {field.max_length} characters", max=field.max_length)


def _excel() -> HubError:
    return _refused(
        Reason.VALUE_EXCEL,
        "a spreadsheet has turned this number into a power of ten or cut its digits, which are lost; format the column"
        " as text and copy the number again",
    )


def _refused(reason: Reason, sentence: str, **params: object) -> HubError:
    return HubError(Kind.INVALID, sentence, reason=reason, **params)
