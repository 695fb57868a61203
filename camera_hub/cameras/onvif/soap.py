"""One ONVIF call: its SOAP envelope, and the element of the answer that carries what was asked for."""

from typing import Any

from lxml import etree

from camera_hub.cameras.onvif import faults
from camera_hub.cameras.onvif.describe import MAX_TOKEN, Profile, clean, codec_of
from camera_hub.cameras.onvif.transport import SOAP, SoapConversation, parsed, said

SCHEMA = "http://www.onvif.org/ver10/schema"
MAX_SIZE = 32768
"""Pixels; a wider or higher picture is a mistake of the device."""

Value = tuple[str, "str | tuple[Value, ...]"]
"""An element of a request: name, and its text or its children (which belong to ONVIF's schema)."""


def call(conversation: SoapConversation, path: str, service: str, operation: str, *values: Value) -> Any:
    """Make a call to the service (its namespace) at `path`; the `…Response` element of the answer.

    Devices often use wrong namespaces, so answers are read by local names (`{*}Name`). Raises HubError, BAD_REPLY where
    the answer is not one to this call.
    """
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "o": service, "tt": SCHEMA})
    request = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{service}}}{operation}")
    _fill(request, service, values)
    action = f'"{service}/{operation}"'  # stands in the type since SOAP 1.2; some devices look for the header of 1.1
    headers = {"SOAPAction": action, "Content-Type": f"application/soap+xml; charset=utf-8; action={action}"}
    reply = conversation.post_xml(conversation.peer.url(path), envelope, headers)
    if words := said(reply):
        raise faults.of_fault(words)
    answer = next(parsed(reply.content).iter(f"{{*}}{operation}Response"), None)
    if answer is None:
        raise faults.bad_reply(f"no {operation}Response")
    return answer


def text(node: Any, path: str) -> str:
    """The text of the first element at `path` (`Media/XAddr`, local names), "" when there is none."""
    found = node.findtext("/".join(f"{{*}}{name}" for name in path.split("/"))) if node is not None else None
    return (found or "").strip()


def number(node: Any, path: str) -> int | None:
    """A whole number at `path`, None when there is none."""
    digits = text(node, path)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def profile(node: Any, source: Any, encoder: Any) -> Profile | None:
    """A media profile from its element and those of its video source and encoder; None when it shows no source."""
    token = node.get("token")
    if source is None or not token:
        return None
    return Profile(
        token=token[:MAX_TOKEN],
        name=clean(text(node, "Name")),
        source=(text(source, "SourceToken") or source.get("token") or token)[:MAX_TOKEN],
        source_name=clean(text(source, "Name")),
        configuration=source.get("token") or "",
        codec=codec_of(text(encoder, "Encoding")),
        width=_size(encoder, "Resolution/Width"),
        height=_size(encoder, "Resolution/Height"),
    )


def _size(encoder: Any, path: str) -> int | None:
    pixels = number(encoder, path)
    return pixels if pixels is not None and 0 < pixels <= MAX_SIZE else None


def _fill(parent: Any, namespace: str, values: tuple[Value, ...]) -> None:
    for name, content in values:
        element = etree.SubElement(parent, f"{{{namespace}}}{name}")
        if isinstance(content, str):
            element.text = content
        else:
            _fill(element, SCHEMA, content)
