"""The values of a row: texts as they stand in its cells, made fit; what is secret among them; what they mean. Pure."""

import dataclasses
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from camera_hub.cameras import urls
from camera_hub.cameras.credentials import logins
from camera_hub.cameras.imports.columns import LEDGER, SheetColumn
from camera_hub.cameras.imports.place_words import place_class_of
from camera_hub.cameras.ledger.fields import BY_KEY, parse_value
from camera_hub.errors import HubError, Param, Reason
from camera_hub.sheets.answer import MAX_CELL
from camera_hub.text import clean_name

MAX_NAME = 64
MAX_CHANNEL = 256
_SECRET = ("password", "main_url", "sub_url")
_MACHINE = frozenset({"host", "port", "rtsp_port", "channel", "username", "main_url", "sub_url", "id"})
"""What no human language is in: full-width letters and spaces are meant to be plain ones."""
_PLACE = re.compile(
    r"(?:https?://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/:\[\]@]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?::(?P<port>\d{1,5}))?/?"
)
_CHANNEL = re.compile(
    r"(?:第|通道|channel|ch|d|ipc?|cam|no\.?|#)*[\s._-]*0*(?P<number>\d{1,4})(?:\.0+)?\s*(?:号|路|通道|#)*",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"0*(\d{1,6})(?:\.0+)?")
SDK_PORTS = {8000: "海康威视", 37777: "大华", 34567: "雄迈"}
"""Ports of makers' own protocols, which people write into sheets; none of the hub's. A device that has ONVIF there is
found all the same: those of the usual ports that have another meaning, too, are tried."""

_WHY_NOT = "no_access_reason"
_WITHOUT_ADDRESS = {"cloud": "只接入了运营商云平台，没有设备地址", "mobile": "4G/5G 接入，没有固定地址"}
"""Kinds of access that leave a camera without an address, and what the ledger says of it then."""
OUTSIDE = (Reason.ROW_OUTSIDE_RANGES, Reason.ROW_PUBLIC_ADDRESS)
"""Notes of rows that are brought in only when somebody confirms them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row: the field ("" = the whole row), a reason code, and the values of its sentence. A `note`
    keeps no row out."""

    field: str
    reason: str
    params: Mapping[str, Param] = dataclasses.field(default_factory=dict)
    note: bool = False


@dataclass(frozen=True, slots=True)
class RowSecrets:
    """What of a row is sealed: its password, and addresses of streams, which may hold one."""

    password: str = field(default="", repr=False)
    main_url: str = field(default="", repr=False)
    sub_url: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.password or self.main_url or self.sub_url)

    def to_text(self) -> str:
        """To be sealed."""
        return json.dumps([self.password, self.main_url, self.sub_url])

    @classmethod
    def of(cls, text: str) -> Self:
        """What `to_text` gave."""
        return cls(*json.loads(text))


@dataclass(frozen=True, slots=True)
class RowValues:
    """A row as it was typed: what people may see of it, and what they may not."""

    number: int
    shown: Mapping[str, str]
    secrets: RowSecrets = RowSecrets()

    def with_values(self, typed: Mapping[str, str]) -> "RowValues":
        """The row with some of its fields typed anew. The redacted form of an address leaves it as it is."""
        shown, secrets = dict(self.shown), {name: getattr(self.secrets, name) for name in _SECRET}
        for name, text in typed.items():
            if name in ("main_url", "sub_url") and text == shown.get(name):
                continue
            value = _fit(name, text)
            shown.pop(name, None)
            if name in _SECRET:
                secrets[name] = value
            elif value:
                shown[name] = value
        return _split(RowValues(self.number, shown, RowSecrets(**secrets)))


def values_of(number: int, cells: Sequence[str], columns: Sequence[SheetColumn]) -> RowValues:
    """The values of a row of the sheet, by the fields of its columns."""
    typed = {one.field: cells[one.index] for one in columns if one.field is not None and one.index < len(cells)}
    return RowValues(number, {}).with_values(typed)


def _fit(name: str, text: str) -> str:
    if name == "password":
        return text.strip("\t\r\n ")
    if name in _MACHINE:
        plain = unicodedata.normalize("NFKC", text).replace("。", ".")
        return re.sub(r"\s+", "", plain)
    return clean_name(text)


def _split(row: RowValues) -> RowValues:
    """An address that holds more than an address: its port, or a whole stream. Logins leave the stream's address."""
    shown, secrets = dict(row.shown), row.secrets
    host = shown.get("host", "")
    if host.lower().startswith(("rtsp://", "rtsps://")):
        del shown["host"]
        if not secrets.main_url:
            secrets = replace(secrets, main_url=host)
    elif (place := _PLACE.fullmatch(host)) is not None:
        shown["host"] = place["host"].strip("[]")
        if place["port"] and not shown.get("port"):
            shown["port"] = place["port"]
    for name in ("main_url", "sub_url"):
        if not (address := getattr(secrets, name)):
            shown.pop(name, None)
            continue
        try:
            found = urls.stream_url(address)
        except HubError:
            shown[name] = urls.redacted(address, secrets.password)
            continue
        secrets = replace(secrets, **{name: found.url})
        if found.username and not shown.get("username"):
            shown["username"] = found.username
            secrets = replace(secrets, password=secrets.password or found.password)
        shown[name] = urls.redacted(found.url, shown.get("username", ""), secrets.password)
    return RowValues(row.number, shown, secrets)


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """What the values of a row mean. What could not be read is left out, and is among the problems.

    `camera_id`: from the column with the hub's own numbers; `place_class` and ledger values: those that were typed.
    """

    number: int
    village: str = ""
    name: str = ""
    host: str = ""
    port: int | None = None
    rtsp_port: int | None = None
    channel: int | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    main_url: str = field(default="", repr=False)
    sub_url: str = field(default="", repr=False)
    place_class: str | None = None
    camera_id: int | None = None
    ledger: Mapping[str, str] = field(default_factory=dict)

    @property
    def unconnected(self) -> bool:
        """Whether it is a camera that cannot be reached and only gets a file: it has no address, and the row says why
        not, or names a kind of access without one."""
        if self.camera_id is not None or self.host or self.main_url:
            return False
        return bool(self.ledger.get(_WHY_NOT)) or self.ledger.get("access_kind") in _WITHOUT_ADDRESS

    @property
    def unconnected_values(self) -> Mapping[str, str]:
        """The ledger values of a camera that cannot be reached, with the reason why."""
        why = self.ledger.get(_WHY_NOT) or _WITHOUT_ADDRESS.get(self.ledger.get("access_kind", ""), "")
        return {**self.ledger, _WHY_NOT: why}

    @property
    def place(self) -> tuple[str, int | None]:
        """Which device of a village it is at."""
        return self.host, self.port


def parsed(row: RowValues) -> tuple[ParsedRow, list[Problem]]:
    """What the row means, and each field of it that means nothing."""
    reading = _Reading(row)
    shown, secrets = row.shown, row.secrets
    host = reading.host(shown.get("host", ""))
    main = reading.url("main_url", secrets.main_url)
    sub = reading.url("sub_url", secrets.sub_url)
    username, password = reading.login(shown.get("username", ""), secrets.password)
    found = ParsedRow(
        row.number,
        village=shown.get("village", ""),
        name=reading.name(shown.get("name", "")),
        host=host or (urls.known(main).host if main else ""),
        port=reading.port(),
        rtsp_port=reading.whole("rtsp_port", 65535, Reason.ROW_PORT),
        channel=reading.channel(shown.get("channel", "")),
        username=username,
        password=password,
        main_url=main,
        sub_url=sub,
        place_class=reading.place_class(shown.get("place_class", "")),
        camera_id=reading.whole("id", 2**31 - 1, Reason.ROW_CAMERA_UNKNOWN),
        ledger=reading.ledger(),
    )
    for name, text in shown.items():
        if len(text) > MAX_CELL:
            reading.wrong(name, Reason.ROW_TOO_LONG, max=MAX_CELL)
    return found, reading.problems


class _Reading:
    """Reads one row; what is wrong is noted, not raised."""

    def __init__(self, row: RowValues) -> None:
        self._shown = row.shown
        self.problems: list[Problem] = []

    def wrong(self, name: str, reason: str, **params: Param) -> None:
        self.problems.append(Problem(name, reason, params))

    def name(self, text: str) -> str:
        if len(text) > MAX_NAME:
            self.wrong("name", Reason.ROW_NAME_LONG, max=MAX_NAME, length=len(text))
        return text[:MAX_NAME]

    def host(self, text: str) -> str:
        try:
            return urls.host(text) if text else ""
        except HubError as error:
            self.wrong("host", error.reason)
            return ""

    def url(self, name: str, text: str) -> str:
        try:
            return urls.stream_url(text).url if text else ""
        except HubError as error:
            self.wrong(name, error.reason, **error.explanation.params)
            return ""

    def login(self, username: str, password: str) -> tuple[str, str]:
        try:
            username, password = logins.checked(username, password)
        except HubError as error:
            self.wrong("username", error.reason)
            return "", ""
        if len(username) > 128 or len(password) > 128:
            self.wrong("username" if len(username) > 128 else "password", Reason.ROW_TOO_LONG, max=128)
        elif password and not username:
            self.wrong("username", Reason.ROW_LOGIN_HALF)
        return username, password

    def whole(self, name: str, most: int, reason: str) -> int | None:
        text = self._shown.get(name, "")
        if not text:
            return None
        match = _WHOLE.fullmatch(text) if text.isascii() else None
        if match is None or not 0 < int(match[1]) <= most:
            self.wrong(name, reason)
            return None
        return int(match[1])

    def port(self) -> int | None:
        """Of the web server; a maker's own is none."""
        port = self.whole("port", 65535, Reason.ROW_PORT)
        if port not in SDK_PORTS:
            return port
        self.problems.append(Problem("port", Reason.ROW_SDK_PORT, {"port": port, "maker": SDK_PORTS[port]}, note=True))
        return None

    def channel(self, text: str) -> int | None:
        if not text:
            return None
        match = _CHANNEL.fullmatch(text)
        if match is None or not match["number"].isascii() or not 0 < int(match["number"]) <= MAX_CHANNEL:
            self.wrong("channel", Reason.ROW_CHANNEL, max=MAX_CHANNEL)
            return None
        return int(match["number"])

    def place_class(self, text: str) -> str | None:
        found = place_class_of(text) if text else None
        if text and found is None:
            self.wrong("place_class", Reason.ROW_PLACE_CLASS)
        return found

    def ledger(self) -> dict[str, str]:
        values = {}
        for name, text in self._shown.items():
            field_ = BY_KEY.get(name.removeprefix(LEDGER)) if name.startswith(LEDGER) else None
            if field_ is None:
                continue
            try:
                values[field_.key] = parse_value(field_, text)
            except HubError as error:
                self.wrong(name, error.reason, **error.explanation.params)
        return values
