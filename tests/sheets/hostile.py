"""Files that somebody might upload: not what they seem, or made to harm.

`python -m tests.sheets.hostile` measures them: seconds, growth of this process (the hub's side), and the most memory
that the reading process took.
"""

import asyncio
import io
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, repeat
from pathlib import Path
from types import MappingProxyType

from camera_hub.clock import SystemClock
from camera_hub.errors import HubError
from camera_hub.settings import SheetSettings
from camera_hub.sheets.answer import MAX_FILE, MAX_UNPACKED
from camera_hub.sheets.reading import sheet_reader
from camera_hub.sheets.writing import WrittenColumn, write_xlsx

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(
    sheet: bytes | Iterable[bytes],
    shared: bytes = b"",
    *,
    sheets: int = 1,
    extra: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """A workbook whose parts are as given; a large sheet in pieces, which are packed one by one and quickly."""
    listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in range(1, sheets + 1))
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{REL}/worksheet" Target="worksheets/sheet1.xml"/>'
        for n in range(1, sheets + 1)
    )
    related += f'<Relationship Id="rIdS" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/>'
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
        ).encode(),
        "_rels/.rels": (
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{REL}/officeDocument"'
            ' Target="xl/workbook.xml"/></Relationships>'
        ).encode(),
        "xl/workbook.xml": f'<workbook {NS} xmlns:r="{REL}"><sheets>{listed}</sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>'
        ).encode(),
        **({"xl/worksheets/sheet1.xml": sheet} if isinstance(sheet, bytes) else {}),
        "xl/sharedStrings.xml": shared or f"<sst {NS}/>".encode(),
        **extra,
    }
    out, level = io.BytesIO(), None if isinstance(sheet, bytes) else 1
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        if not isinstance(sheet, bytes):
            with archive.open("xl/worksheets/sheet1.xml", "w") as part:
                for piece in sheet:
                    part.write(piece)
    return out.getvalue()


ROWS_END = b"</sheetData></worksheet>"


def rows(xml: bytes) -> bytes:
    return b"<worksheet " + NS.encode() + b"><sheetData>" + xml + ROWS_END


def blanks(times: int) -> Iterable[bytes]:
    """A sheet of nothing, so many times as large as what may be unpacked."""
    size = 1024 * 1024
    return chain([rows(b"")[: -len(ROWS_END)]], repeat(b" " * size, times * MAX_UNPACKED // size), [ROWS_END])


def good() -> bytes:
    return write_xlsx([WrittenColumn("名称"), WrittenColumn("IP")], [["村口", "192.0.2.7"]])


def million_rows() -> bytes:
    row = b'<row><c t="n"><v>1</v></c><c t="n"><v>2</v></c></row>'
    return workbook(rows(row * 1_000_000))


def lying_bomb() -> bytes:
    """Its directory claims a kilobyte."""
    data = bytearray(workbook(blanks(2)))
    at = data.rfind(b"xl/worksheets/sheet1.xml") - 46
    struct.pack_into("<I", data, at + 24, 1000)
    return bytes(data)


def entities(kind: str) -> bytes:
    if kind == "bomb":
        inner = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
        declared = f'<!DOCTYPE sst [<!ENTITY a0 "aaaaaaaaaa">{inner}]>'
        text = "&a9;"
    else:
        declared, text = '<!DOCTYPE sst [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"
    shared = f'<?xml version="1.0"?>{declared}<sst {NS} count="1"><si><t>{text}</t></si></sst>'
    return workbook(rows(b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>'), shared.encode())


def fetching(port: int) -> bytes:
    """Formulas, links and a picture that lead to a server."""
    url = f"http://127.0.0.1:{port}/"
    cells = (
        f'<row r="1"><c r="A1" t="str"><f>WEBSERVICE("{url}")</f><v>名称</v></c>'
        '<c r="B1" t="str"><f>[1]x!A1</f><v>IP</v></c></row>'
    )
    link = f'<externalLink {NS}><externalBook xmlns:r="{REL}" r:id="rId1"/></externalLink>'
    target = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{REL}/externalLinkPath"'
        f' Target="{url}a.xlsx" TargetMode="External"/></Relationships>'
    )
    parts = {"xl/externalLinks/externalLink1.xml": link.encode(), "xl/externalLinks/_rels/e.xml.rels": target.encode()}
    return workbook(rows(cells.encode()), extra=parts)


def ole(*streams: str) -> bytes:
    """What looks like a compound file with these streams."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(2000)
        + b"".join(one.encode("utf-16-le") for one in streams)
        + bytes(2000)
    )


def other_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return out.getvalue()


FAR = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
GIANT = b'<row><c t="inlineStr"><is><t>%s</t></is></c></row>'


def merged_ranges() -> bytes:
    ranges = b'<mergeCell ref="A1:A1048576"/>' * 1_000_000
    sheet = rows(b"<row><c><v>1</v></c></row>").removesuffix(b"</worksheet>")
    return workbook(sheet + b"<mergeCells>" + ranges + b"</mergeCells></worksheet>")


def everything() -> bytes:
    """More text than is taken, in cells that are all allowed."""
    return write_xlsx([WrittenColumn(f"c{n}") for n in range(120)], [["字" * 480] * 120 for _ in range(300)])


HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "empty": (lambda: b"", {"sheet_empty"}),
    "blank": (lambda: b" \r\n\0\n", {"sheet_empty"}),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(5000), {"sheet_kind"}),
    "pdf": (lambda: b"%PDF-1.7\n" + b"x" * 5000, {"sheet_kind"}),
    "noise": (lambda: bytes(range(256)) * 4000, {"sheet_kind"}),
    "web page": (lambda: b"<html><table><tr><td>1</td></tr></table></html>", {"sheet_web_page"}),
    "spreadsheet xml": (
        lambda: b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
        {"sheet_web_page"},
    ),
    "text document": (other_zip, {"sheet_kind"}),
    "truncated": (lambda: good()[:-600], {"sheet_broken"}),
    "head alone": (lambda: b"PK\x03\x04" + bytes(60), {"sheet_broken"}),
    "no xml": (lambda: workbook(b"\0\1\2<<<>"), {"sheet_broken", "sheet_empty"}),
    "encrypted": (lambda: ole("EncryptionInfo", "EncryptedPackage"), {"sheet_encrypted"}),
    "broken xls": (lambda: ole("Workbook"), {"sheet_broken"}),
    "doc": (lambda: ole("WordDocument"), {"sheet_kind"}),
    "8 MiB + 1": (lambda: b"a,b\n" * (MAX_FILE // 4) + b"x", {"sheet_file_large"}),
    "zip bomb": (lambda: workbook(blanks(5)), {"sheet_unpacked"}),
    "lying zip bomb": (lying_bomb, {"sheet_broken", "sheet_unpacked"}),
    "entity bomb": (lambda: entities("bomb"), {"sheet_broken"}),
    "external entity": (lambda: entities("file"), {"sheet_broken"}),
    "deep xml": (lambda: workbook(rows(b"<a>" * 3_000_000)), {"sheet_broken", "sheet_empty", "sheet_unpacked"}),
    "10^6 rows": (million_rows, {"sheet_rows"}),
    "10^6 rows of CSV": (lambda: b"a,b,c\n" * 1_000_000, {"sheet_rows"}),
    "far cell": (lambda: workbook(rows(FAR)), {"sheet_unpacked", "sheet_columns"}),
    "16,000 columns": (lambda: workbook(rows(b"<row>" + b"<c><v>1</v></c>" * 16_000 + b"</row>")), {"sheet_columns"}),
    "columns of CSV": (lambda: b"a," * 100_000 + b"\n", {"sheet_columns"}),
    "200 sheets": (lambda: workbook(rows(b"<row><c><v>1</v></c></row>"), sheets=200), {"sheet_sheets"}),
    "giant cell": (lambda: workbook(rows(GIANT % (b"x" * 150_000_000))), {"", "sheet_unpacked"}),
    "10^6 merged ranges": (merged_ranges, {"", "sheet_unpacked"}),
    "open quote": (lambda: b'a,b\n"' + b"x\n" * 2_000_000, {"sheet_broken", ""}),
    "text of everything": (everything, {"sheet_unpacked"}),
}  # fmt: skip
"""Name → content, and the reasons that are right for it ("": it can be read)."""


def measured(path: Path) -> tuple[str, float, int, int]:
    """The reason, seconds, growth of this process and peak of the reading one, in MiB."""
    before, clock = _rss(), SystemClock()
    started = clock.monotonic()
    reason = asyncio.run(outcome(path))
    seconds, after = clock.monotonic() - started, _rss()
    bounds = ["--address-space", str(SheetSettings().read_memory_bytes), "--cpu-seconds", "20"]
    with path.open("rb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "camera_hub.sheets", "--file", str(file.fileno()), *bounds],
            pass_fds=(file.fileno(),),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        while process.stdout.read(1024 * 1024):
            pass
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return reason, seconds, (after - before) // 1024, usage.ru_maxrss // 1024


async def outcome(path: Path) -> str:
    """The reason why the file is refused, "" when it can be read."""
    try:
        await sheet_reader(SheetSettings()).read(path)
    except HubError as error:
        return error.reason
    return ""


def _rss() -> int:
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1])


def main() -> None:
    """Each file is made by a process of its own: what a process inherits counts as its own memory."""
    if len(sys.argv) == 3:
        Path(sys.argv[2]).write_bytes(HOSTILE[sys.argv[1]][0]())
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        for name in HOSTILE:
            subprocess.run([sys.executable, "-m", "tests.sheets.hostile", name, str(path)], check=True)
            size = path.stat().st_size / 1024
            reason, seconds, hub, child = measured(path)
            sys.stdout.write(f"{name:22} {size:7.0f} KiB  {reason or 'read':18} {seconds:6.2f} s  ")
            sys.stdout.write(f"hub {hub:+4} MiB  child {child:4} MiB\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
