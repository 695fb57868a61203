"""Hello and Bye: heard all the time, within bounds, and never believed."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from camera_hub.cameras.discovery.announcements import (
    BURST,
    INTERFACE_SECONDS,
    REPEAT_SECONDS,
    SENDER_BURST,
    AnnouncementReader,
    Announcements,
)
from camera_hub.cameras.discovery.interfaces import Interface
from camera_hub.cameras.discovery.ws_discovery import GROUP, probe
from camera_hub.events import DeviceSeen, EventBus
from tests.fakes.clock import ManualClock

EPR = "urn:uuid:4f1a0000-0000-1000-8000-020000000001"
LOOPBACK = Interface("lo", "127.0.0.1", "127.0.0.0/8")


def announcement(kind: str, endpoint: str = EPR, xaddr: str = "http://10.0.0.9:8080/onvif/device_service") -> bytes:
    about = f"<a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference>"
    if kind == "Hello":
        about += (
            "<d:Types xmlns:dn='http://www.onvif.org/ver10/network/wsdl'>dn:NetworkVideoTransmitter</d:Types>"
            f"<d:Scopes>onvif://www.onvif.org/MAC/02:00:00:00:00:01</d:Scopes><d:XAddrs>{xaddr}</d:XAddrs>"
        )
    return (
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'"
        " xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing'"
        " xmlns:d='http://schemas.xmlsoap.org/ws/2005/04/discovery'>"
        f"<s:Header/><s:Body><d:{kind}>{about}</d:{kind}></s:Body></s:Envelope>"
    ).encode()


def test_what_is_said_is_told_with_the_address_that_it_came_from() -> None:
    reader = AnnouncementReader(0.0)
    (hello,) = reader.read(announcement("Hello"), "192.168.1.7", 0.0)
    assert hello == DeviceSeen("hello", "192.168.1.7", 8080, "/onvif/device_service", EPR, "02:00:00:00:00:01")
    (bye,) = reader.read(announcement("Bye"), "192.168.1.7", 0.0)
    assert (bye.kind, bye.host, bye.endpoint) == ("bye", "192.168.1.7", EPR)
    assert reader.read(announcement("Hello"), "192.168.1.7", REPEAT_SECONDS / 2) == []
    assert len(reader.read(announcement("Hello"), "192.168.1.7", REPEAT_SECONDS)) == 1
    assert (reader.figures.hellos, reader.figures.byes, reader.figures.repeated) == (3, 1, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<x/>",
        probe("urn:uuid:1", "any"),
        announcement("Hello", "no endpoint \n at all"),
        announcement("Hello")[:-30],
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>" + announcement("Hello", "&b;"),
    ],
)
def test_anything_else_is_ignored_and_counted(data: bytes) -> None:
    reader = AnnouncementReader(0.0)
    assert reader.read(data, "192.168.1.7", 0.0) == []
    assert reader.read(announcement("Hello"), "224.0.0.9", 0.0) == []
    assert reader.figures.ignored == 2


def test_a_flood_is_limited_per_sender_and_in_all() -> None:
    reader = AnnouncementReader(0.0)
    told = [
        one for n in range(1000) for one in reader.read(announcement("Hello", f"urn:uuid:f{n}"), "192.168.1.7", 0.0)
    ]
    assert len(told) == SENDER_BURST
    assert reader.figures.limited == 1000 - SENDER_BURST
    for number in range(5000):  # forged senders
        reader.read(announcement("Hello", f"urn:uuid:a{number}"), f"10.{number // 250}.{number % 250}.1", 1.0)
    assert reader.figures.hellos <= SENDER_BURST + BURST
    assert len(reader.read(announcement("Hello", "urn:uuid:late-1"), "192.168.1.8", 60.0)) == 1, "it recovers"


@pytest.fixture
def port() -> Iterator[int]:
    """A UDP port that nobody else is given meanwhile; several may listen at it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def say(data: bytes, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        one.bind(("127.0.0.9", 0))
        one.sendto(data, (GROUP, port))


async def test_it_is_heard_on_interfaces_that_come_later(bus: EventBus, clock: ManualClock, port: int) -> None:
    there: list[Interface] = []
    with bus.subscribe(DeviceSeen) as seen:
        async with Announcements(bus, clock, port=port, read_interfaces=lambda: there) as announcements:
            await clock.settle()
            assert announcements.joined == set()
            there.append(LOOPBACK)
            await clock.advance(INTERFACE_SECONDS)
            assert announcements.joined == {"127.0.0.1"}
            say(announcement("Hello"), port)
            async with asyncio.timeout(60):
                first = await seen.next()
            assert isinstance(first, DeviceSeen)
            assert (first.kind, first.host) == ("hello", "127.0.0.9")
            there.clear()
            await clock.advance(INTERFACE_SECONDS)
            assert announcements.joined == set()
        async with Announcements(bus, clock, port=port, read_interfaces=lambda: [LOOPBACK]) as again:
            async with Announcements(bus, clock, port=port, read_interfaces=lambda: [LOOPBACK]) as beside:
                await clock.settle()
                say(announcement("Bye"), port)
                async with asyncio.timeout(60):
                    await seen.next()
                    await seen.next()
            assert (again.figures.byes, beside.figures.byes) == (1, 1), "another program may listen, too"
