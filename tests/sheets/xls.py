"""A minimal .xls (BIFF8 in a compound file), as old programs write it: labels and numbers of one sheet."""

import struct
from collections.abc import Sequence

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def xls(rows: Sequence[Sequence[str | float]], sheet: str = "点位") -> bytes:
    """The bytes of a workbook with these cells."""
    name = sheet.encode("utf-16-le")
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6))
    codepage = _record(0x0042, struct.pack("<H", 1200))
    bound_size = 4 + 8 + len(name)
    at = len(head) + len(codepage) + bound_size + 4
    bound = _record(0x0085, struct.pack("<IBBBB", at, 0, 0, len(sheet), 1) + name)
    body = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    body += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            place = struct.pack("<HHH", number, column, 0)
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                body += _record(0x0204, place + struct.pack("<HB", len(value), 1) + text)
            else:
                body += _record(0x0203, place + struct.pack("<d", value))
    return _compound(head + codepage + bound + _record(0x000A, b"") + body + _record(0x000A, b""))


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _compound(stream: bytes) -> bytes:
    """A compound file (MS-CFB) of one stream: sector 0 is the FAT, 1 the directory, the others the stream."""
    stream += bytes(max(0, 4096 - len(stream)))  # smaller ones live elsewhere
    count = -(-len(stream) // 512)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0)
    header += struct.pack("<IIIII", 4096, _END, 0, _END, 0) + struct.pack("<I", 0) + struct.pack("<I", _FREE) * 108
    chain = [_FAT, _END, *range(3, count + 2), _END]
    fat = struct.pack("<128I", *chain, *[_FREE] * (128 - len(chain)))
    root = _entry("Root Entry", 5, _END, 0, 1)
    directory = root + _entry("Workbook", 2, 2, len(stream), _FREE) + bytes(256)
    return header + fat + directory + stream + bytes(count * 512 - len(stream))


def _entry(name: str, kind: int, start: int, size: int, child: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
    return head + struct.pack("<III", _FREE, _FREE, child) + bytes(36) + struct.pack("<IQ", start, size)
