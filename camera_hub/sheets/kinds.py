"""What a file really is: told by its content, never by its name. What can be told of a workbook before it is parsed.

A workbook is a ZIP of XML parts. Whatever unpacks to more than MAX_UNPACKED, or has a document type (which entity bombs
need, and no spreadsheet program writes), is refused before the parser sees it.
"""

import io
import re
import zipfile
import zlib
from typing import Literal

from camera_hub.errors import HubError
from camera_hub.sheets.answer import MAX_UNPACKED, refusal

FileKind = Literal["xlsx", "xls", "csv"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"%PDF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\x7fELF", b"MZ")
_PAGE = re.compile(rb"^\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|meta|table|\?xml|\?mso|workbook)", re.IGNORECASE)
_MOST_PARTS = 4_000
_CHUNK = 256 * 1024
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}


def kind_of(data: bytes) -> FileKind:
    """Raises HubError: what the file is instead, and the remedy."""
    if not data.strip(b"\0 \t\r\n"):
        raise refusal("sheet_empty")
    if data.startswith(_OLE):
        return _of_ole(data)
    if data.startswith(_ZIP):
        return "xlsx"
    if data.startswith(_BINARY):
        raise refusal("sheet_kind")
    if _PAGE.match(data[:512]):
        raise refusal("sheet_web_page")
    head = data[:4096]
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 < head.count(0) * 3 >= len(head)
    if not wide and sum(byte in _CONTROLS for byte in head) * 100 > len(head):
        raise refusal("sheet_kind")
    return "csv"


def _of_ole(data: bytes) -> FileKind:
    """A compound file: an old workbook, or a new one that is encrypted, or another document."""
    if _wide("EncryptedPackage") in data:
        raise refusal("sheet_encrypted")
    if _wide("Workbook") in data or _wide("Book") in data:
        return "xls"
    raise refusal("sheet_kind")


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def scanned(data: bytes) -> int:
    """How many rows the largest sheet of a workbook declares. Raises HubError for what is no workbook, is damaged, or
    unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            names = {part.filename.lower() for part in parts[: _MOST_PARTS + 1]}
            if not any(name.endswith(("xl/workbook.xml", "xl/workbook.bin")) for name in names):
                raise refusal("sheet_kind")
            if any(part.flag_bits & 1 for part in parts):
                raise refusal("sheet_encrypted")
            if len(parts) > _MOST_PARTS:
                raise refusal("sheet_unpacked")
            return _rows_of(archive, parts)
    except HubError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise refusal("sheet_broken") from error


def _rows_of(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> int:
    left, most = MAX_UNPACKED, 0
    for part in parts:
        name = part.filename.lower()
        if not name.endswith((".xml", ".rels", ".bin")) or "/media/" in name:
            continue
        rows, before = 0, b""
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise refusal("sheet_unpacked")
                if not before and _DOCTYPE.search(chunk.replace(b"\0", b"")[:8192]):
                    raise refusal("sheet_broken")
                rows += (before[-4:] + chunk).count(b"<row ")
                before = chunk
        most = max(most, rows)
    return most
