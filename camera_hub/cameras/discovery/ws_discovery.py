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
from camera_hub.cameras.http.endings import ENVELOPE
from camera_hub.cameras.identity import endpoint_key
from camera_hub.cameras.onvif.describe import clean, generic, mac_of, scope_values
from camera_hub.cameras.onvif.envelopes import child, children, local, read_envelope, text_of
from camera_hub.errors import HubError

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

_BODIES = {"probematches": "match", "resolvematches": "match", "hello": "hello", "bye": "bye"}
_ENDPOINT = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Announced:
    """One device as it announced itself; `host` is the sender. The port and scopes of a bye mean nothing."""

    kind: Literal["match", "hello", "bye"]
    endpoint: str
    host: str
    port: int
    path: str
    tls: bool = False
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
    if not 0 < len(datagram) <= MAX_DATAGRAM or not ENVELOPE.ended(datagram, 0):
        return []
    try:
        envelope = read_envelope(datagram)
    except HubError:
        return []
    content = next(iter(envelope.body), None)
    kind = _BODIES.get(local(content)) if content is not None else None
    if content is None or kind is None:
        return []
    relates = text_of(envelope.body.getparent(), "Header", "RelatesTo")
    if kind == "match" and f"urn:uuid:{endpoint_key(relates)}" not in ours:
        return []
    nodes = [content] if kind != "match" else [*children(content, "ProbeMatch"), *children(content, "ResolveMatch")]
    found = (_one(node, kind, sender) for node in nodes[:64])
    return [one for one in found if one is not None]


def _one(node: etree._Element, kind: str, sender: str) -> Announced | None:
    endpoint = text_of(node, "EndpointReference", "Address")
    if not _ENDPOINT.fullmatch(endpoint):
        return None
    texts = text_of(node, "Scopes").split()
    xaddrs = text_of(node, "XAddrs").split()
    if kind != "bye" and not _is_camera(child(node, "Types"), texts, xaddrs):
        return None
    scopes = scope_values(texts)
    port, path, tls = _service_address(xaddrs, sender)
    model = next(iter(scopes.get("hardware", ())), "")
    name = next((one for one in scopes.get("name", ()) if one and not generic(one) and one != model), "")
    return Announced(
        "match" if kind == "match" else "hello" if kind == "hello" else "bye",
        endpoint,
        sender,
        port,
        path,
        tls,
        clean(name),
        clean(model),
        clean(next(iter(scopes.get("manufacturer", scopes.get("mfr", ()))), "")),
        next((mac for one in (*scopes.get("mac", ()), *scopes.get("macaddress", ())) if (mac := mac_of(one))), ""),
    )


def _is_camera(types: etree._Element | None, scopes: list[str], xaddrs: list[str]) -> bool:
    """Whether what is announced speaks ONVIF: computers and printers answer probes too (case 32).

    Types, scopes or the address must say so; where there are neither types nor scopes, the device is asked later.
    """
    words = (types.text or "").split() if types is not None else []
    if not words and not scopes:
        return True
    for word in words:
        prefix, _, name = word.rpartition(":")
        space = types.nsmap.get(prefix or None, "") if types is not None else ""
        if name.lower().startswith("networkvideo") or "onvif.org" in space:
            return True
        if not space and prefix.lower() in ("dn", "tdn", "tds") and name.lower() == "device":
            return True
    return any("onvif.org/" in one.lower() for one in scopes) or any("onvif" in _path_of(one) for one in xaddrs)


def _path_of(xaddr: str) -> str:
    """The path of an address in lower case, "" where it has none."""
    try:
        return urlsplit(xaddr).path.lower()
    except ValueError:
        return ""


def _service_address(xaddrs: list[str], sender: str) -> tuple[int, str, bool]:
    """Port, path and TLS of the device service, from the XAddr of the sender's address, else the first usable one."""
    addresses: list[tuple[bool, int, str, bool]] = []
    for text in xaddrs[:16]:
        try:
            parts = urlsplit(text)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.hostname:
            secure = parts.scheme == "https"
            addresses.append((parts.hostname != sender, port, urls.service_path(text, PATH), secure))
    if not addresses:
        return 80, PATH, False
    _, port, path, secure = min(addresses, key=lambda address: address[0])
    return port, path, secure


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
