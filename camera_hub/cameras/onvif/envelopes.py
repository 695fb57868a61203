"""Reading what a device answers: any SOAP envelope, broken or hostile, within limits of size, depth and number. Pure.

Read strictly first, and where that fails once more by a recovering parser under the same limits. Names are compared by
their local part, whatever their case, since prefixes are undeclared and namespaces renamed in the field. No document
type, no entity, nothing from the network.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from html.entities import html5
from typing import Any

from lxml import etree

from camera_hub.cameras.http.messages import bad_reply
from camera_hub.text_decoding import xml_decoded

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"

MAX_DEPTH = 64
MAX_TAGS = 60_000
"""Opening and closing ones: a recorder of 256 channels lists under 40,000 in 1 MiB."""
MAX_REFERENCES = 20_000
"""Ampersands: each that stands alone is mended by itself."""
MAX_TAG = 16 * 1024
"""Characters of one tag with its attributes."""
MAX_WORDS = 2000

_BEGINS = re.compile(r"<(?:[\w.-]{1,40}:)?envelope[\s>/]", re.IGNORECASE)
_ENDS = re.compile(r"</(?:[\w.-]{1,40}:)?envelope\s*>", re.IGNORECASE)
_BEGINS_BYTES = re.compile(rb"<\?xml\b|<(?:[\w.-]{1,40}:)?envelope[\s>/]", re.IGNORECASE)
_ENDS_BYTES = re.compile(rb"</(?:[\w.-]{1,40}:)?envelope\s*>", re.IGNORECASE)
_LOOSE = re.compile(
    r"<!\[CDATA\[.*?\]\]>|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-f]{1,6});)(\w{2,8};)?", re.I | re.S
)
"""An ampersand that begins nothing that XML knows: in an address, or an entity of HTML."""
_DECLARES = re.compile(r"<!\s*(doctype|entity)", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_TOO_DEEP = "/*" * (MAX_DEPTH + 1)


@dataclass(frozen=True, slots=True)
class Envelope:
    """`body`: its Body element. `fault`: code, subcodes and reason of the fault in it, "" without one.

    `size`: bytes of the answer. What was odd: `soap11`, `undeclared` (prefixes), `encoding` (the one it was read as,
    where another was declared).
    """

    body: etree._Element
    fault: str = ""
    size: int = 0
    soap11: bool = False
    undeclared: bool = False
    encoding: str = ""

    def content(self, name: str) -> etree._Element | None:
        """The child of the body with that local name; None if there is none."""
        return child(self.body, name)


def read_envelope(content: bytes, content_type: str = "") -> Envelope:
    """The SOAP envelope in an answer, without whatever stands around it (MIME parts, junk). Raises HubError."""
    charset = _CHARSET.search(content_type)
    found = xml_decoded(_carved(content), charset[1] if charset else "")
    text = found.text
    begin = _BEGINS.search(text)
    if begin is None:
        raise bad_reply("no SOAP envelope" if "<" in text else "no XML")
    if _DECLARES.search(text, 0, begin.start()):
        raise bad_reply("it declares a document type")
    ends = list(_ENDS.finditer(text, begin.start()))
    text = text[begin.start() : ends[-1].end() if ends else len(text)]
    root, undeclared = parsed(text)
    if local(root) != "envelope":
        raise bad_reply("no SOAP envelope")
    body = child(root, "body")
    if body is None:
        raise bad_reply("an envelope without a body")
    fault = next((one for one in elements(root) if local(one) == "fault"), None)
    words = " ".join(word for text in fault.itertext() if (word := str(text).strip())) if fault is not None else ""
    return Envelope(
        body,
        (words[:MAX_WORDS] or "no words") if fault is not None else "",
        len(content),
        str(root.tag).startswith(f"{{{SOAP11}}}"),
        undeclared,
        found.encoding if found.wrong else "",
    )


def _carved(content: bytes) -> bytes:
    """Without what stands around the XML, so that stray bytes do not decide how it is encoded. Raises HubError where
    that declares a document type."""
    begin = _BEGINS_BYTES.search(content)
    if begin is None:  # UTF-16
        return content
    if re.search(rb"<!\s*(doctype|entity)", content[: begin.start()], re.IGNORECASE):
        raise bad_reply("it declares a document type")
    ends = list(_ENDS_BYTES.finditer(content, begin.end()))
    return content[begin.start() : ends[-1].end() if ends else len(content)]


def parsed(text: str) -> tuple[etree._Element, bool]:
    """The root of an XML text, and whether prefixes are undeclared. Raises HubError(BAD_REPLY) beyond the limits."""
    if text.count("<") > MAX_TAGS:
        raise bad_reply("too many elements")
    if text.count("&") > MAX_REFERENCES:
        raise bad_reply("too many entities")
    if any(len(piece) > MAX_TAG and piece.find(">", 0, MAX_TAG) < 0 for piece in text.split("<")[1:]):
        raise bad_reply("too many attributes")
    data = text.encode()
    root: etree._Element | None
    try:
        root = etree.fromstring(data, _parser(recover=False))
    except (etree.XMLSyntaxError, ValueError):
        root = _recovered(_LOOSE.sub(_tied, text).encode())
    if root is None:
        raise bad_reply("no XML")
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype or docinfo.internalDTD is not None:
        raise bad_reply("it declares a document type")
    if root.xpath(_TOO_DEEP):
        raise bad_reply("too many levels")
    undeclared = bool(root.xpath("boolean(//*[contains(name(), ':') and namespace-uri() = ''])"))
    return root, undeclared


def _tied(match: re.Match[str]) -> str:
    if match[0][0] == "<":
        return match[0]
    known = html5.get(match[1] or "")
    return escape(known) if known is not None else "&amp;" + (match[1] or "")


def _recovered(data: bytes) -> etree._Element | None:
    try:
        root: etree._Element | None = etree.fromstring(data, _parser(recover=True))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise bad_reply("no XML") from error
    return root


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def local(node: etree._Element) -> str:
    """The local name in lower case, without a namespace or an undeclared prefix."""
    return local_name(str(node.tag))


def local_name(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2].lower()


def child(node: etree._Element | None, *names: str) -> etree._Element | None:
    """The first descendant along these local names, each a child of the one before; None where one is missing."""
    for name in names:
        if node is None:
            return None
        node = next((one for one in node if local(one) == name.lower()), None)
    return node


def children(node: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """The children with that local name."""
    yield from (one for one in (node if node is not None else ()) if local(one) == name.lower())


def elements(node: etree._Element) -> Iterator[etree._Element]:
    """The node and all elements below it."""
    return (one for one in node.iter() if isinstance(one.tag, str))


def text_of(node: etree._Element | None, *names: str) -> str:
    """The text of the element along these names, stripped; "" where there is none."""
    found = child(node, *names)
    return (found.text or "").strip() if found is not None else ""


def attribute(node: etree._Element, name: str) -> str:
    """An attribute by its local name, whatever its case; "" where there is none."""
    return next((str(value).strip() for key, value in node.attrib.items() if local_name(str(key)) == name.lower()), "")
