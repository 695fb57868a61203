"""Sheets that the hub hands out: the template, the list to be edited and read in again, the rows that failed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.imports.columns import LEDGER, REGISTER_FIELDS, SheetColumn
from camera_hub.cameras.imports.imports import cells_of, mine
from camera_hub.cameras.imports.known import ListedCamera
from camera_hub.cameras.imports.known_reader import KnownReader
from camera_hub.cameras.imports.place_words import PLACE_WORDS
from camera_hub.cameras.imports.reason_words import remedy, sentence
from camera_hub.cameras.imports.rows import ImportSealer
from camera_hub.cameras.ledger.fields import FIELDS, LedgerField, show_value
from camera_hub.sheets.writing import WrittenColumn, write_xlsx
from camera_hub.store.database import Database
from camera_hub.store.tables import SheetImport, SheetImportRow, Village

_WIDTHS = {"village": 14, "name": 24, "host": 18, "main_url": 40, "sub_url": 40, "place_class": 16, "password": 16}
_SECRET = ("password", "main_url", "sub_url")
_ROOM = 1000
"""Rows of a template that have its lists."""
_NOTES = (
    "填写说明",
    "1. 红色表头为必填:点位名称,以及 IP地址 或 主码流地址。镇级一次导入多个村时还要填所属村居。",
    "2. 录像机的每个通道各占一行:IP地址、端口、用户名、密码相同,通道号不同。",
    "3. 端口是设备的网页(ONVIF)端口,留空按 80 等常用端口尝试;RTSP端口留空按设备所报。",
    "4. 设备编码(国标编码)、电话等长数字请保持“文本”格式,否则 Excel 会把 20 位编码变成 3.4E+19,后几位丢失。",
    "5. 经纬度默认按 WGS-84;若取自高德、腾讯或百度地图,请在“坐标系”列注明。",
    "6. 可以直接使用自己的台账:表头不同没有关系,上传后对应一次,下次自动记住。多余的列会被忽略。",
    "7. 密码只用于登录设备,导入完成后不再保存在导入记录中,也不会出现在任何导出的表格里。",
)
_LIST_NOTES = (
    "使用说明",
    "1. 可修改:点位名称、场所类别及各项台账信息;改好后在“表格导入”上传即可。",
    "2. 请勿修改“编号”列,它用来认出每个点位。删去某一行不会删除该点位。",
    "3. 空白单元格表示不改;要清空某项,请填“-”。地址、端口、账号密码请到设备页修改。",
)


class ImportSheets:
    """Makes the sheets; each is written in a thread."""

    def __init__(self, database: Database, vault: ImportSealer, known: KnownReader) -> None:
        self._database = database
        self._vault = vault
        self._known = known

    async def template(self) -> bytes:
        """An empty sheet with every column that can be imported."""
        columns = [_register_column(one.key, one.header) for one in REGISTER_FIELDS if one.key != "id"]
        columns += [_ledger_column(one) for one in _ledger_fields()]
        return await asyncio.to_thread(write_xlsx, columns, (), sheet="点位", room_for=_ROOM, notes=_NOTES)

    async def list(self, actor: Actor, village_id: int | None) -> bytes:
        """All cameras in service of a village, or of all that the actor may see. Raises HubError(NOT_FOUND)."""
        if village_id is not None:
            require_village(actor, village_id, "village")
        known = await self._known.read(actor, village_id)
        async with self._database.read() as session:
            order = await session.scalars(
                select(Village.id).where(in_scope(actor, Village.id)).order_by(Village.position, Village.id)
            )
            place = {id: number for number, id in enumerate(order)}
        cameras = sorted(known.cameras, key=lambda one: (place.get(one.village_id, 0), one.id))
        return await asyncio.to_thread(_written_list, cameras, known.villages)

    async def failed(self, actor: Actor, import_id: int) -> tuple[str, bytes]:
        """Name and content of a sheet with the rows that are not in: the columns of the one that was uploaded, then why
        and what to do. Passwords are left out. Raises HubError: NOT_FOUND, INVALID (sheet_empty)."""
        async with self._database.read() as session:
            owner = await mine(session, actor, import_id)
            found = await session.scalars(
                select(SheetImportRow)
                .where(SheetImportRow.import_id == import_id)
                .where(SheetImportRow.verdict.in_(("bad", "failed", "staged")))
                .order_by(SheetImportRow.number)
            )
            rows = list(found)
        return owner.name, await asyncio.to_thread(self._written_failures, owner, rows)

    def _written_failures(self, owner: SheetImport, rows: Sequence[SheetImportRow]) -> bytes:
        columns = [SheetColumn(**column) for column in owner.columns]
        cells = {row.number: row.cells for row in cells_of(self._vault, owner).rows()}
        written = [WrittenColumn(one.header, 20, as_text=True, choices=_choices(one.field)) for one in columns]
        written += [WrittenColumn("原因", 40), WrittenColumn("怎么办", 50)]
        return write_xlsx(written, (_failure(row, columns, cells.get(row.number, [])) for row in rows), sheet="未导入")


def _failure(row: SheetImportRow, columns: Sequence[SheetColumn], cells: Sequence[str]) -> list[str]:
    """The row as it was uploaded, with what was typed since."""
    texts = []
    for one in columns:
        text = cells[one.index] if one.index < len(cells) else ""
        if one.field in _SECRET:
            text = row.values.get(one.field, "") if one.field != "password" else ""
        elif one.field is not None:
            text = row.values.get(one.field, "")
        texts.append(text)
    headers = {one.field: one.header for one in columns if one.field is not None}
    why = [_with_header(headers, one, sentence(one["reason"], one["params"])) for one in row.problems]
    what = dict.fromkeys(remedy(one["reason"], one["params"]) for one in row.problems)
    return [*texts, "\n".join(why), "\n".join(one for one in what if one)]


def _with_header(headers: Mapping[str, str], problem: Mapping[str, str], text: str) -> str:
    header = headers.get(problem["field"], "")
    return f"{header}:{text}" if header else text


def _written_list(cameras: Iterable[ListedCamera], villages: Mapping[int, str]) -> bytes:
    columns = [
        WrittenColumn("编号(请勿修改)", 14),
        WrittenColumn("所属村居", 14),
        WrittenColumn("点位名称", 24, as_text=True),
        WrittenColumn("IP地址", 18, as_text=True),
        WrittenColumn("通道号", 8),
        WrittenColumn("场所类别", 16, choices=tuple(PLACE_WORDS.values())),
        *map(_ledger_column, _ledger_fields()),
    ]

    def row(camera: ListedCamera) -> list[str | int | None]:
        ledger = [show_value(one, camera.ledger.get(one.key, "")) for one in _ledger_fields()]
        place = PLACE_WORDS.get(camera.place_class, camera.place_class)
        number = camera.number if camera.of_recorder else None
        return [camera.id, villages.get(camera.village_id, ""), camera.name, camera.host, number, place, *ledger]

    return write_xlsx(columns, map(row, cameras), sheet="点位清单", notes=_LIST_NOTES)


def _ledger_fields() -> list[LedgerField]:
    return [one for one in FIELDS if one.source == "typed"]


def _register_column(key: str, header: str) -> WrittenColumn:
    return WrittenColumn(
        header,
        _WIDTHS.get(key, 12),
        as_text=key not in ("port", "rtsp_port", "channel"),
        choices=_choices(key),
        needed=key in ("name", "host"),
    )


def _ledger_column(field: LedgerField) -> WrittenColumn:
    as_text = field.kind not in ("number", "longitude", "latitude")
    return WrittenColumn(field.header, 26 if field.kind == "gb_id" else 14, as_text=as_text, choices=_words(field))


def _choices(key: str | None) -> tuple[str, ...]:
    if key == "place_class":
        return tuple(PLACE_WORDS.values())
    if key is not None and key.startswith(LEDGER):
        return next((_words(one) for one in FIELDS if one.key == key.removeprefix(LEDGER)), ())
    return ()


def _words(field: LedgerField) -> tuple[str, ...]:
    return tuple(word.zh for word in field.codes.values()) if field.kind == "code" else ()


def file_name(prefix: str, today: date) -> str:
    """What a sheet is called when it is saved."""
    return f"{prefix}-{today:%Y%m%d}.xlsx"
