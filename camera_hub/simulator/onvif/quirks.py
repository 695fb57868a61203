"""What faults make of a device's SOAP replies and of the addresses that it names: pure functions of values."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.onvif.soap import ENVELOPE, SPACES
from camera_hub.simulator.web import HttpResponse

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
RARE = "塝"
"""In GBK, not in GB2312."""
_NAMES = re.compile(rb"</(tt:Name|tds:Model|tds:Manufacturer)>")


def spoiled(reply: HttpResponse, faults: Mapping[Fault, float]) -> HttpResponse:
    """A reply of the ONVIF services as it goes out."""
    body, kind = reply.body, reply.content_type
    if not body:
        return reply
    if Fault.SOAP_11 in faults:
        body = body.replace(ENVELOPE.encode(), SOAP_11.encode())
        kind = "text/xml; charset=utf-8"
    if Fault.UNDECLARED_PREFIX in faults:
        body = body.replace(f' xmlns:tt="{SPACES["tt"]}"'.encode(), b"")
    if Fault.GB2312 in faults:
        body = _NAMES.sub(RARE.encode() + rb"\g<0>", body).replace(b'encoding="UTF-8"', b'encoding="GB2312"', 1)
        body = body.decode().encode("gb18030")
        kind = kind.replace("utf-8", "gb2312")
    elif Fault.BROKEN_UTF8 in faults:
        body = _NAMES.sub(b"\xb4\xe5\xff" + rb"\g<0>", body)
    if Fault.TRAILING_NUL in faults:
        body += b"\0"
    return replace(reply, body=body, content_type=kind, missing=round(faults.get(Fault.LONG_CONTENT_LENGTH, 0.0)))


def spoiled_uri(uri: str, faults: Collection[Fault]) -> str:
    """A stream's or snapshot's URI as the device names it."""
    parts = urlsplit(uri)
    host, port = parts.hostname or "", parts.port or 0
    if Fault.URI_MAPPED_HOST in faults:
        uri = uri.replace(f"//{host}", f"//::ffff:{host}", 1)
    if Fault.URI_TWO_PORTS in faults:
        uri = uri.replace(f":{port}/", f":80:{port}/", 1)
    if Fault.URI_PADDED in faults:
        uri = f"\n  {uri} \r\n"
    return uri
