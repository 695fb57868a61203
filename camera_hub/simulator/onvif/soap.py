"""Parsing and writing SOAP 1.2 envelopes and faults."""

import re
from dataclasses import dataclass

from lxml import etree

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
SPACES = {
    "s": ENVELOPE,
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tse": "http://www.onvif.org/ver10/search/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
    "tns1": "http://www.onvif.org/ver10/topics",
    "ter": "http://www.onvif.org/ver10/error",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wsa": "http://www.w3.org/2005/08/addressing",
}
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())
_PREFIX = {uri: prefix for prefix, uri in SPACES.items()}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


class Refusal(Exception):
    """A SOAP fault with ONVIF subcodes, outermost first; `status` is the HTTP status. A mute one has no body."""

    def __init__(self, reason: str, *subcodes: str, sender: bool = True, status: int = 400, mute: bool = False) -> None:
        super().__init__(reason)
        self.mute = mute
        self.subcodes = subcodes
        self.sender = sender
        self.status = status


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request: the operation's qualified name as prefix:Name, its element, and the header."""

    operation: str
    body: etree._Element
    header: etree._Element | None

    def text(self, path: str, default: str = "") -> str:
        """Text of the first element at a path of prefixed names below the operation."""
        found = self.body.findtext(path, namespaces=SPACES)
        return default if found is None else found.strip()

    def texts(self, path: str) -> list[str]:
        """Text of all elements at a path."""
        return [(element.text or "").strip() for element in self.body.findall(path, namespaces=SPACES)]

    def find(self, path: str) -> etree._Element | None:
        """First element at a path."""
        return self.body.find(path, namespaces=SPACES)


def parse(data: bytes) -> Envelope:
    """Read a request. Raises Refusal for anything but an envelope with one operation."""
    reader = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(data, reader)
    except etree.XMLSyntaxError as error:
        raise Refusal("The request is not XML", "ter:WellFormed") from error
    body = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) != 1:
        raise Refusal("The request is not a SOAP 1.2 envelope with one operation", "ter:WellFormed")
    name = etree.QName(body[0])
    prefix = _PREFIX.get(name.namespace or "", "")
    return Envelope(f"{prefix}:{name.localname}", body[0], root.find(f"{{{ENVELOPE}}}Header"))


def respond(operation: str, inside: str) -> bytes:
    """A response envelope for an operation."""
    return _envelope(f"<{operation}Response>{inside}</{operation}Response>")


def fault(refusal: Refusal, *, soap_11: bool = False) -> bytes:
    """A fault envelope, with the elements of SOAP 1.2 or 1.1."""
    if soap_11:
        code = refusal.subcodes[-1] if refusal.subcodes else "s:Client"
        return _envelope(f"<s:Fault><faultcode>{code}</faultcode><faultstring>{refusal}</faultstring></s:Fault>")
    code = "s:Sender" if refusal.sender else "s:Receiver"
    inner = ""
    for subcode in reversed(refusal.subcodes):
        inner = f"<s:Subcode><s:Value>{subcode}</s:Value>{inner}</s:Subcode>"
    return _envelope(
        f"<s:Fault><s:Code><s:Value>{code}</s:Value>{inner}</s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{refusal}</s:Text></s:Reason></s:Fault>'
    )


def seconds(duration: str) -> float | None:
    """An XML duration without years and months, in seconds; None for anything else."""
    found = _DURATION.fullmatch(duration.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def _envelope(inside: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {_DECLARED}><s:Body>{inside}</s:Body></s:Envelope>'.encode()
    )
