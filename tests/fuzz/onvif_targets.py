"""Targets of the conversation with devices over HTTP: whole answers, envelopes, and what is made of them."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

from lxml import etree

from camera_hub.cameras.http.byte_stream import ByteStream
from camera_hub.cameras.http.connection import HttpConnection, NothingReceived
from camera_hub.cameras.http.endings import ENVELOPE
from camera_hub.cameras.http.heads import TlsAnswer
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, HttpRequest
from camera_hub.cameras.onvif.conversation import KnownDevice, SoapConversation
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.envelopes import MAX_DEPTH, MAX_WORDS, Envelope, read_envelope
from camera_hub.cameras.onvif.media2 import Media2
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError

LIMITS = HttpLimits(reply_bytes=128 * 1024, quiet=0.0, tail=0.0)
PEER = HttpPeer("192.0.2.7", "192.0.2.7", 80)
_LOOP = asyncio.new_event_loop()


class _Transport:
    """Of a connection on which everything has come already."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, data: bytes) -> None:
        assert data.startswith(b"POST / HTTP/1.1\r\n")

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = pause_reading = resume_reading = close


def http(data: bytes) -> None:
    """A device's answer to one request, in two parts, then the end of the connection."""
    stream = ByteStream()
    stream.connection_made(cast(asyncio.Transport, _Transport()))
    for part in (data[: len(data) // 2], data[len(data) // 2 :]):
        if part:
            stream.data_received(part)
    stream.connection_lost(None)
    asking = HttpConnection(stream, PEER).exchange(HttpRequest("POST", "/", body=b"x"), ENVELOPE, LIMITS)
    try:
        reply = _LOOP.run_until_complete(asking)
    except (HubError, NothingReceived, TlsAnswer):
        return
    assert 200 <= reply.status <= 999
    assert len(reply.body) <= LIMITS.reply_bytes
    assert all("\n" not in name + value and "\r" not in name + value for name, value in reply.headers)


def soap(data: bytes) -> None:
    """An envelope, by itself and as the answer to every call of a conversation."""
    try:
        envelope = read_envelope(data, "application/soap+xml; charset=utf-8")
    except HubError:
        return
    assert len(envelope.fault) <= MAX_WORDS
    assert not envelope.body.xpath("/*" * (MAX_DEPTH + 1))
    device = OnvifDevice(cast(SoapConversation, _Conversation(envelope)), "/onvif/device_service")
    media2 = Media2(device.conversation, "/onvif/Media2")
    asking: dict[bytes, tuple[Callable[[], Coroutine[Any, Any, object]], ...]] = {
        b"GetSystemDateAndTime": (device.utc,),
        b"GetServices": (device.services,),
        b"GetDeviceInformation": (device.identity,),
        b"GetScopes": (device.scopes,),
        b"GetHostname": (device.hostname,),
        b"GetOSDs": (lambda: device.osd("/m"),),
        b"GetProfiles": (lambda: device.profiles("/m"), media2.profiles),
        b"GetStreamUri": (lambda: device.stream_uri("/m", "p"), lambda: media2.stream_uri("p")),
    }
    named = [ask for name, asks in asking.items() if name in data for ask in asks]
    for ask in named or [device.services, media2.profiles]:
        try:
            found = _LOOP.run_until_complete(ask())
        except HubError:
            continue
        assert len(repr(found)) < 4 * len(data) + 20_000


class _Conversation(SimpleNamespace):
    """Every call is answered by the one envelope."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__(device=KnownDevice(), now=SystemClock().now)
        self._envelope = envelope

    async def call(self, path: str, message: etree._Element, action: str) -> Envelope:
        assert path.startswith("/")
        return self._envelope


ONVIF_TARGETS: dict[str, Callable[[bytes], None]] = {"http": http, "soap": soap}
