"""Text from outside whose encoding is not declared, or declared wrongly: device answers, announcements, sheets. Pure.

Chinese devices declare GB2312 and send letters that only GBK or GB18030 has, or declare UTF-8 and send GBK. GB18030 is
a superset of both, so it is read in their place always. What is neither valid UTF-8 nor valid GB18030 loses only the
bytes that cannot be read (U+FFFD), never the text behind them.
"""

import codecs
import re
from dataclasses import dataclass

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its first bytes are the same
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_CHINESE = {"gb2312", "gb231280", "gbk", "gb18030", "cp936", "ms936", "windows936", "euccn", "xgbk", "hz", "csgb2312"}
_WESTERN = {"ascii", "iso8859-1", "iso8859-15", "cp1252"}
"""What firmware declares that never thought about it."""
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
# A run of characters beyond ASCII with the trailing bytes that GB18030 may take from ASCII.
_RUN = re.compile(rb"(?:[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]|[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x80-\xff])+")
_WIDE = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}|\xef[\xbc-\xbf][\x80-\xbf]|\xf0[\xa0-\xaf][\x80-\xbf]{2}")
"""A Chinese character or full-width sign in UTF-8."""
_WIDE_BEGIN = re.compile(b"(?:" + _WIDE.pattern + b")+")
_HANZI = re.compile(rb"(?:[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe])+")
"""Characters of GB2312."""


@dataclass(frozen=True, slots=True)
class DecodedText:
    """`encoding` is what the bytes were read as. `wrong` names the declared (or default) encoding that was false."""

    text: str
    encoding: str
    wrong: str = ""


def decoded(data: bytes, declared: str = "") -> DecodedText:
    """The text of `data`, without a byte order mark. `declared`: the encoding that its sender names, "" if none."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return DecodedText(data[len(mark) :].decode(name, "replace"), name)
    if name := _by_zeros(data):
        return DecodedText(data.decode(name, "replace"), name)
    label = _label(declared)
    if data.isascii() and label != "hz":
        return DecodedText(data.decode("ascii"), label if label in ("utf-8", "gb18030") else "utf-8")
    if label in ("utf-8", "gb18030"):
        return _eastern(data, label)
    if label in _WESTERN:
        runs = _RUN.findall(data)
        if all(_reads(run, "utf-8") or _HANZI.fullmatch(run) for run in runs):
            found = _eastern(data, "utf-8")
            return DecodedText(found.text, found.encoding, label)
        label = "cp1252" if label == "iso8859-1" else label
    return DecodedText(data.decode(label, "replace"), label)


def xml_decoded(data: bytes, declared: str = "") -> DecodedText:
    """Like `decoded` for XML: its own declaration counts before what the sender (a charset in HTTP) names.

    Characters that XML cannot hold, NULs above all, become blanks; the declaration itself is taken out.
    """
    if match := _DECLARED.search(data[:400]):
        declared = match[1].decode("ascii")
    found = decoded(data, declared)
    text = _UNFIT.sub(" ", _DECLARATION.sub("", found.text))
    return DecodedText(text, found.encoding, found.wrong)


_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARATION = re.compile(r"<\?xml\b[^>]{0,400}\?>", re.IGNORECASE)


def _label(declared: str) -> str:
    """A declared encoding as Python calls it; "utf-8" for none, an unknown one and one that the bytes disprove."""
    word = re.sub(r"[^a-z0-9]", "", declared.lower())
    if word in _CHINESE:
        return "gb18030"
    try:
        name = codecs.lookup(declared.strip()).name if word else "utf-8"
        "".encode(name)  # some codecs are not of text
    except (LookupError, ValueError):
        return "utf-8"
    if name.startswith(("utf-16", "utf-32")):
        return "utf-8"  # no mark and no zero bytes: a declaration that was copied
    return {"big5": "big5hkscs", "utf-8-sig": "utf-8"}.get(name, name)


def _by_zeros(data: bytes) -> str:
    """UTF-16 without a mark, told by the zero bytes of its ASCII characters."""
    head = data[:64]
    if len(head) >= 4 and head.count(0) * 3 >= len(head):
        even, odd = head[::2].count(0), head[1::2].count(0)
        if not even and odd:
            return "utf-16-le"
        if even and not odd:
            return "utf-16-be"
    return ""


def _eastern(data: bytes, label: str) -> DecodedText:
    """UTF-8 or GB18030: as declared where that is possible, else run by run (one field may be wrong, others right)."""
    utf8 = _reads(data, "utf-8")
    if label == "gb18030":
        chinese = _reads(data, "gb18030")
        if chinese is not None and (utf8 is None or not all(_WIDE.match(run) for run in _RUN.findall(data))):
            return DecodedText(chinese, "gb18030")
    if utf8 is not None:
        return DecodedText(utf8, "utf-8", "" if label == "utf-8" else label)
    names: set[str] = set()
    some_utf8 = any(_WIDE.match(run) and _reads(run, "utf-8") for run in _RUN.findall(data))

    def read(match: re.Match[bytes]) -> bytes:
        text, name = _run(match[0], some_utf8)
        names.add(name)
        return text.encode()

    text = _RUN.sub(read, data).decode()
    wrong = label if names - {label} else ""
    return DecodedText(text, "gb18030" if "gb18030" in names else "utf-8", wrong)


def _run(run: bytes, some_utf8: bool) -> tuple[str, str]:
    """`some_utf8`: other runs of the text are UTF-8 beyond doubt."""
    if (text := _reads(run, "utf-8")) is not None:
        return text, "utf-8"
    begin = _WIDE_BEGIN.match(run)
    if begin is not None and begin.end() >= (3 if some_utf8 else 6) and (text := _reads(begin[0], "utf-8")) is not None:
        rest, name = _run(run[begin.end() :], True)
        return text + rest, name
    text = run.decode("utf-8", "replace")
    wide, broken = len(_WIDE.findall(run)), text.count("\ufffd")
    if wide >= broken or (some_utf8 and _cut(run)):  # a name cut within a character
        return text, "utf-8"
    chinese = run.decode("gb18030", "replace")
    return (chinese, "gb18030") if chinese.count("\ufffd") <= broken else (text, "utf-8")


def _cut(run: bytes) -> bool:
    """Whether it is UTF-8 but for an unfinished character at its end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(run)
    except UnicodeDecodeError:
        return False
    return True


def _reads(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None
