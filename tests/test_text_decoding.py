"""Text in a declared, undeclared or falsely declared encoding."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.text_decoding import decoded, xml_decoded

CASES = [
    # bytes, declared, text, read as, what was declared wrongly
    ("村口".encode(), "", "村口", "utf-8", ""),
    ("村口".encode(), "UTF-8", "村口", "utf-8", ""),
    ("村口".encode("gbk"), "", "村口", "gb18030", "utf-8"),
    ("村口".encode("gbk"), "utf8", "村口", "gb18030", "utf-8"),
    ("萳塝磜".encode("gbk"), "GB2312", "萳塝磜", "gb18030", ""),
    ("萳塝磜".encode("gbk"), "utf-8", "萳塝磜", "gb18030", "utf-8"),
    ("㐀𠀀䶮".encode("gb18030"), "GBK", "㐀𠀀䶮", "gb18030", ""),
    ("村口".encode("gb18030"), "x-gbk", "村口", "gb18030", ""),
    ("村口".encode("gb18030"), "GB_2312-80", "村口", "gb18030", ""),
    ("东村".encode(), "gb2312", "东村", "utf-8", "gb18030"),
    ("联通 通".encode("gbk"), "gb2312", "联通 通", "gb18030", ""),
    ("村口北".encode()[:-1], "utf-8", "村口\ufffd", "utf-8", ""),
    ("村口北".encode()[:-1] + b"</Name>", "", "村口\ufffd</Name>", "utf-8", ""),
    ("村口".encode() + b"\xb4\xe5\xff", "", "村口村\ufffd", "gb18030", "utf-8"),
    ("村口".encode() + b"|\xe6\x9d|", "", "村口|\ufffd|", "utf-8", ""),
    ("村口北".encode("gbk")[:-1] + b"</Name>", "", "村口\ufffd</Name>", "gb18030", "utf-8"),
    ("村口".encode() + b"</a><b>" + "大桥".encode("gbk"), "utf-8", "村口</a><b>大桥", "gb18030", "utf-8"),
    (codecs.BOM_UTF8 + "村".encode(), "gb2312", "村", "utf-8", ""),
    (codecs.BOM_UTF16_LE + "村".encode("utf-16-le"), "", "村", "utf-16-le", ""),
    (codecs.BOM_UTF16_BE + "村".encode("utf-16-be"), "utf-8", "村", "utf-16-be", ""),
    ("<a>村</a>".encode("utf-16-le"), "", "<a>村</a>", "utf-16-le", ""),
    ("<a>村</a>".encode("utf-16-be"), "", "<a>村</a>", "utf-16-be", ""),
    ("<a>村</a>".encode(), "utf-16", "<a>村</a>", "utf-8", ""),
    ("村口".encode("big5"), "big5", "村口", "big5hkscs", ""),
    ("村口".encode("gbk"), "ISO-8859-1", "村口", "gb18030", "iso8859-1"),
    ("村口".encode(), "us-ascii", "村口", "utf-8", "ascii"),
    (b"Caf\xe9!", "iso-8859-1", "Café!", "cp1252", ""),
    (b"plain", "klingon", "plain", "utf-8", ""),
    (b"plain", "base64", "plain", "utf-8", ""),
    (b"", "", "", "utf-8", ""),
]


@pytest.mark.parametrize(("data", "declared", "text", "encoding", "wrong"), CASES)
def test_text_is_read_as_what_it_is(data: bytes, declared: str, text: str, encoding: str, wrong: str) -> None:
    found = decoded(data, declared)
    assert (found.text, found.encoding, found.wrong) == (text, encoding, wrong)


@pytest.mark.parametrize("name", ["gb2312", "GBK", "gb18030", "utf-8", "UTF-8"])
def test_xml_is_read_by_its_own_declaration(name: str) -> None:
    data = f"<?xml version='1.0' encoding='{name}'?><a>萳塝磜</a>".encode("gbk")
    assert xml_decoded(data).text == "<a>萳塝磜</a>"
    assert xml_decoded(data, "utf-8").text == "<a>萳塝磜</a>"


def test_what_xml_cannot_hold_becomes_blank() -> None:
    assert xml_decoded(b"<a>x\x00y\x0b</a>\x00").text == "<a>x y </a> "


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "gbk", "big5", "latin-1", "utf-16", "shift_jis"]))
def test_no_bytes_break_the_reader(data: bytes, declared: str) -> None:
    decoded(data, declared)
    xml_decoded(data, declared).text.encode()
