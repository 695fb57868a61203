"""WS-Discovery for a whole farm: Hello, Probe, Resolve, Bye as in the April 2005 draft that ONVIF uses.

One socket receives the multicast group on the loopback interface; each device has a socket on its own address, which
receives unicast probes and sends the device's answers.
"""

import asyncio
import itertools
import socket
import struct
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from lxml import etree

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Answers
from camera_hub.simulator.onvif.device import device_address, scopes
from camera_hub.simulator.state import DeviceState

GROUP = "239.255.255.250"
PORT = 3702
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_NVT = "http://www.onvif.org/ver10/network/wsdl"
_TDS = "http://www.onvif.org/ver10/device/wsdl"
_WSDP = "http://schemas.xmlsoap.org/ws/2006/02/devprof"
_PUB = "http://schemas.microsoft.com/windows/pub/2005/07"
_LOOPBACK = "127.0.0.1"
_DATAGRAM_LIMIT = 16 * 1024
_BURST = 50
_RFC3986 = "http://schemas.xmlsoap.org/ws/2005/04/discovery/rfc3986"


class Announcement(StrEnum):
    """What a device says unasked."""

    HELLO = "hello"
    BYE = "bye"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A Probe or a Resolve. Types are (namespace, name); only a Resolve has an endpoint."""

    message_id: str
    types: tuple[tuple[str, str], ...] = ()
    scopes: tuple[str, ...] = ()
    endpoint: str | None = None


def read_inquiry(data: bytes) -> Inquiry | None:
    """The Probe or Resolve in a datagram; None for anything else."""
    if len(data) > _DATAGRAM_LIMIT:
        return None
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None
    message_id = (root.findtext(f"{{{_SOAP}}}Header/{{{_WSA}}}MessageID") or "").strip()
    probe = root.find(f"{{{_SOAP}}}Body/{{{_WSD}}}Probe")
    if probe is not None:
        types = probe.find(f"{{{_WSD}}}Types")
        names = () if types is None else tuple(_qualified(name, types) for name in (types.text or "").split())
        element = probe.find(f"{{{_WSD}}}Scopes")
        wanted = () if element is None else tuple((element.text or "").split())
        if element is not None and element.get("MatchBy", _RFC3986) != _RFC3986:
            return None
        return Inquiry(message_id, names, wanted)
    endpoint = root.findtext(f"{{{_SOAP}}}Body/{{{_WSD}}}Resolve/{{{_WSA}}}EndpointReference/{{{_WSA}}}Address")
    return None if endpoint is None else Inquiry(message_id, endpoint=endpoint.strip())


def _qualified(name: str, element: etree._Element) -> tuple[str, str]:
    prefix, colon, local = name.partition(":")
    return (element.nsmap.get(prefix) or "", local) if colon else (element.nsmap.get(None) or "", prefix)


def matches(inquiry: Inquiry, state: DeviceState) -> bool:
    """Whether the inquiry matches a device. A scope matches those of which it is a prefix, in whole segments."""
    if inquiry.endpoint is not None:
        return inquiry.endpoint == f"urn:uuid:{state.uuid}"
    own = _types(state.plan.answers)
    if any(wanted not in own for wanted in inquiry.types):
        return False
    have = [scope.lower().rstrip("/") + "/" for scope in scopes(state)]
    return all(any(scope.startswith(wanted.lower().rstrip("/") + "/") for scope in have) for wanted in inquiry.scopes)


def _types(answers: Answers) -> list[tuple[str, str]]:
    own = []
    if answers is not Answers.DEVICE:
        own.append((_NVT, "NetworkVideoTransmitter"))
    if answers is not Answers.TRANSMITTER:
        own.append((_TDS, "Device"))
    return own


class Responder:
    """Answers for all devices of a farm. An async context manager: Hello on entering, Bye on leaving."""

    def __init__(self, states: Iterable[DeviceState], *, port: int = PORT, multicast: bool = True) -> None:
        self._states = list(states)
        self._port = port
        self._multicast = multicast
        self._transports: list[asyncio.DatagramTransport] = []
        self._own: dict[str, asyncio.DatagramTransport] = {}
        self._numbers = itertools.count(1)
        self._instance = int(time.time())
        self._quiet: set[str] = set()
        self.ports: dict[str, int] = {}
        """UDP port of each device by key; all the same unless the system chose them."""

    async def __aenter__(self) -> Self:
        try:
            for state in self._states:
                transport = await self._listen(_bound(state.plan.address, self._port), [state])
                self._own[state.plan.key] = transport
                self.ports[state.plan.key] = transport.get_extra_info("sockname")[1]
            if self._multicast:
                await self._listen(_in_group(), self._states)
                for state in self._states:
                    self._say(state, Announcement.HELLO)
            self._quiet = {state.plan.key for state in self._states if _unreachable(state)}
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._multicast:
            for state in self._states:
                self._say(state, Announcement.BYE)
        self._close()

    async def announce(
        self, key: str, kind: Announcement, *, to: tuple[str, int] | None = None, count: int = 1, forged: bool = False
    ) -> None:
        """Say Hello or Bye for a device, `count` times, to the group or to one address.

        `forged`: each time with another endpoint, as no device does. Raises KeyError.
        """
        state = next(one for one in self._states if one.plan.key == key) if key in self._own else None
        if state is None:
            raise KeyError(key)
        for number in range(count):
            self._say(state, kind, to, str(uuid.uuid4()) if forged else "")
            if number % _BURST == _BURST - 1:
                await asyncio.sleep(0)

    def refresh(self) -> None:
        """Say Hello for the devices that can be reached again since the last time, as they do after a start."""
        quiet = {state.plan.key for state in self._states if _unreachable(state)}
        for state in self._states:
            if self._multicast and state.plan.key in self._quiet - quiet:
                self._say(state, Announcement.HELLO)
        self._quiet = quiet

    async def move(self, state: DeviceState) -> None:
        """Answer for the device from its new address; what stood for it so far is closed. Says Hello."""
        key = state.plan.key
        old = self._own.pop(key)
        self._transports.remove(old)
        old.close()
        place = next(place for place, one in enumerate(self._states) if one.plan.key == key)
        self._states[place] = state
        self._own[key] = await self._listen(_bound(state.plan.address, self._port), [state])
        self.ports[key] = self._own[key].get_extra_info("sockname")[1]
        if self._multicast:
            self._say(state, Announcement.HELLO)

    def on_datagram(self, data: bytes, peer: tuple[str, int], states: list[DeviceState]) -> None:
        """Answer a datagram for those devices that it matches."""
        inquiry = read_inquiry(data)
        if inquiry is None:
            return
        for state in states:
            if _unreachable(state):
                continue
            state.stats.probes += 1
            if Fault.OFFICE_DEVICE in state.faults() or matches(inquiry, state):
                self._own[state.plan.key].sendto(self._reply(inquiry, state), peer)

    async def _listen(self, sock: socket.socket, states: list[DeviceState]) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Receiver(self, states), sock=sock
        )
        self._transports.append(transport)
        return transport

    def _say(
        self, state: DeviceState, kind: Announcement, to: tuple[str, int] | None = None, endpoint: str = ""
    ) -> None:
        if _unreachable(state):
            return
        about = _about(state) if kind is Announcement.HELLO else _endpoint(state)
        if endpoint:
            about = about.replace(state.uuid, endpoint)
        name = kind.value.capitalize()
        body = f"<d:{name}>{about}</d:{name}>"
        message = self._envelope(name, body, to="urn:schemas-xmlsoap-org:ws:2005:04:discovery", relates_to="")
        self._own[state.plan.key].sendto(message.encode(), to or (GROUP, PORT))

    def _reply(self, inquiry: Inquiry, state: DeviceState) -> bytes:
        kind = "Probe" if inquiry.endpoint is None else "Resolve"
        body = f"<d:{kind}Matches><d:{kind}Match>{_about(state)}</d:{kind}Match></d:{kind}Matches>"
        anonymous = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
        faults = state.faults().keys()
        relates_to = inquiry.message_id
        if Fault.RELATES_TO_ODD in faults:
            relates_to = relates_to.rpartition(":")[2].swapcase()
        text = self._envelope(f"{kind}Matches", body, to=anonymous, relates_to=relates_to)
        data = text.encode("gbk" if Fault.GBK_SCOPES in faults else "utf-8")
        return b"\r\n\0\x02" + data + b"\0\0\xff\r\n" if Fault.STRAY_AROUND_XML in faults else data

    def _envelope(self, action: str, body: str, *, to: str, relates_to: str) -> str:
        relation = f"<a:RelatesTo>{_escaped(relates_to)}</a:RelatesTo>" if relates_to else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<s:Envelope xmlns:s="{_SOAP}" xmlns:a="{_WSA}" xmlns:d="{_WSD}" xmlns:dn="{_NVT}" xmlns:tds="{_TDS}"'
            f' xmlns:wsdp="{_WSDP}" xmlns:pub="{_PUB}">'
            f"<s:Header><a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID>{relation}<a:To>{to}</a:To>"
            f'<a:Action>{_WSD}/{action}</a:Action><d:AppSequence InstanceId="{self._instance}" '
            f'MessageNumber="{next(self._numbers)}"/></s:Header><s:Body>{body}</s:Body></s:Envelope>'
        )

    def _close(self) -> None:
        for transport in self._transports:
            transport.close()


class _Receiver(asyncio.DatagramProtocol):
    """Passes one socket's datagrams on, with the devices that may answer."""

    def __init__(self, responder: Responder, states: list[DeviceState]) -> None:
        self._responder = responder
        self._states = states

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._responder.on_datagram(data, addr, self._states)


def _unreachable(state: DeviceState) -> bool:
    """Whether it answers no datagram; routers forward the port of discovery to nobody, and ONVIF switches it off."""
    faults = state.faults()
    return state.silent or state.down or Fault.FORWARDED_PORTS in faults or Fault.ONVIF_OFF in faults


def _endpoint(state: DeviceState) -> str:
    return f"<a:EndpointReference><a:Address>urn:uuid:{state.uuid}</a:Address></a:EndpointReference>"


def _about(state: DeviceState) -> str:
    types = " ".join(f"{'dn' if space == _NVT else 'tds'}:{name}" for space, name in _types(state.plan.answers))
    about = " ".join(scopes(state))
    faults = state.faults().keys()
    if Fault.OFFICE_DEVICE in faults:
        return (
            f"{_endpoint(state)}<d:Types>wsdp:Device pub:Computer</d:Types>"
            f"<d:XAddrs>http://{state.plan.address}:5357/{state.uuid}/</d:XAddrs><d:MetadataVersion>2</d:MetadataVersion>"
        )
    if Fault.GBK_SCOPES in faults:
        about = unquote(about)
    return (
        f"{_endpoint(state)}<d:Types>{types}</d:Types><d:Scopes>{about}</d:Scopes>"
        f"<d:XAddrs>{device_address(state)}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _bound(address: str, port: int) -> socket.socket:
    """A device's own socket; it sends to the group through the loopback interface."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(_LOOPBACK))
    try:
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _in_group() -> socket.socket:
    """A socket that joins the multicast group on the loopback interface, which others may do as well."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    member = struct.pack("=4s4s", socket.inet_aton(GROUP), socket.inet_aton(_LOOPBACK))
    try:
        sock.bind((GROUP, PORT))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError:
        sock.close()
        raise
    return sock
