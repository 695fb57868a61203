"""Building and parsing WS-Discovery messages. Pure.

SOAP over UDP in the April 2005 namespaces that ONVIF prescribes. Anybody on the segment can send us anything, so a
datagram is parsed without DTD, entities or network access and is limited in size, and an answer counts only if it
relates to a message of ours. The host that a device names is replaced by the address that the datagram came from.
"""

import ipaddress
import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from lxml import etree

from camera_hub.cameras import urls
from camera_hub.cameras.onvif.describe import clean, generic, mac_of, scope_values

GROUP = "239.255.255.250"
PORT = 3702
MAX_DATAGRAM = 64 * 1024
PATH = "/onvif/device_service"

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_TO = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
_TYPES = {
    "nvt": ("dn:NetworkVideoTransmitter", "http://www.onvif.org/ver10/network/wsdl"),
    "device": ("dn:Device", "http://www.onvif.org/ver10/device/wsdl"),
}
KINDS = ("nvt", "device", "any")
"""Probes to send: older cameras answer only the first, some new ones only the second, others only the empty one."""

_BODIES = {"ProbeMatches": "match", "ResolveMatches": "match", "Hello": "hello", "Bye": "bye"}
_ENDPOINT = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Announced:
    """One device as it announced itself; `host` is the sender. The port and scopes of a bye mean nothing."""

    kind: Literal["match", "hello", "bye"]
    endpoint: str
    host: str
    port: int
    path: str
    name: str = ""
    model: str = ""
    manufacturer: str = ""
    mac: str = ""


def probe(message_id: str, kind: str) -> bytes:
    """A Probe for one of KINDS; `message_id` is a urn:uuid of ours."""
    body = etree.Element(f"{{{_DISCOVERY}}}Probe")
    if kind != "any":
        name, space = _TYPES[kind]
        types = etree.SubElement(body, f"{{{_DISCOVERY}}}Types", nsmap={"dn": space})
        types.text = name
    return _message(message_id, "Probe", body)


def resolve(message_id: str, endpoint: str) -> bytes:
    """A Resolve: at which address is the device with this endpoint now?"""
    body = etree.Element(f"{{{_DISCOVERY}}}Resolve")
    reference = etree.SubElement(body, f"{{{_ADDRESSING}}}EndpointReference")
    etree.SubElement(reference, f"{{{_ADDRESSING}}}Address").text = endpoint
    return _message(message_id, "Resolve", body)


def announced(datagram: bytes, sender: str, ours: Container[str]) -> list[Announced]:
    """The devices that a datagram announces; none if it is foreign, malformed or not meant for us. Never raises."""
    if not 0 < len(datagram) <= MAX_DATAGRAM:
        return []
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(datagram, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if root.getroottree().docinfo.internalDTD is not None or etree.QName(root).localname != "Envelope":
        return []
    body = root.find("{*}Body")
    content = next((node for node in body if isinstance(node.tag, str)), None) if body is not None else None
    if content is None:
        return []
    kind = _BODIES.get(etree.QName(content).localname)
    if kind is None or (kind == "match" and _text(root, "{*}Header/{*}RelatesTo") not in ours):
        return []
    nodes = [content] if kind != "match" else [*content.iterfind("{*}ProbeMatch"), *content.iterfind("{*}ResolveMatch")]
    found = (_one(node, kind, sender) for node in nodes[:64])
    return [one for one in found if one is not None]


def _one(node: etree._Element, kind: str, sender: str) -> Announced | None:
    endpoint = _text(node, "{*}EndpointReference/{*}Address")
    if not _ENDPOINT.fullmatch(endpoint):
        return None
    scopes = scope_values(_text(node, "{*}Scopes").split())
    port, path = _service_address(_text(node, "{*}XAddrs").split(), sender)
    model = next(iter(scopes.get("hardware", ())), "")
    name = next((one for one in scopes.get("name", ()) if one and not generic(one) and one != model), "")
    return Announced(
        "match" if kind == "match" else "hello" if kind == "hello" else "bye",
        endpoint,
        sender,
        port,
        path,
        clean(name),
        clean(model),
        clean(next(iter(scopes.get("manufacturer", scopes.get("mfr", ()))), "")),
        next((mac for one in (*scopes.get("mac", ()), *scopes.get("macaddress", ())) if (mac := mac_of(one))), ""),
    )


def _service_address(xaddrs: list[str], sender: str) -> tuple[int, str]:
    """Port and path of the device service, from the XAddr of the sender's address, else from the first usable one."""
    addresses: list[tuple[bool, int, str]] = []
    for text in xaddrs[:16]:
        try:
            parts = urlsplit(text)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.hostname:
            addresses.append((parts.hostname != sender, port, urls.service_path(text, PATH)))
    if not addresses:
        return 80, PATH
    _, port, path = min(addresses, key=lambda address: address[0])
    return port, path


def sender_host(address: object) -> str | None:
    """The IP address of a datagram's sender, None for one that no device can have."""
    try:
        parsed = ipaddress.ip_address(str(address))
    except ValueError:
        return None
    return None if parsed.is_multicast or parsed.is_unspecified else str(parsed)


def _message(message_id: str, action: str, body: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"s": _SOAP, "a": _ADDRESSING, "d": _DISCOVERY})
    header = etree.SubElement(envelope, f"{{{_SOAP}}}Header")
    for name, text in (("Action", f"{_DISCOVERY}/{action}"), ("MessageID", message_id), ("To", _TO)):
        etree.SubElement(header, f"{{{_ADDRESSING}}}{name}").text = text
    etree.SubElement(envelope, f"{{{_SOAP}}}Body").append(body)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _text(node: etree._Element, path: str) -> str:
    return str(node.findtext(path) or "").strip()
