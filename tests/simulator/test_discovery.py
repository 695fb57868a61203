"""WS-Discovery against datagrams made by hand."""

import asyncio
import dataclasses
import re
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from camera_hub.simulator.discovery import GROUP, PORT, Inquiry, matches, read_inquiry
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Answers, FarmPlan
from camera_hub.simulator.testing import small_farm, small_plan
from tests.simulator.peers import DEADLINE

NVT = ("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")
DEVICE = ("http://www.onvif.org/ver10/device/wsdl", "Device")


def envelope(body: str, action: str = "Probe") -> bytes:
    return (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:n="http://www.onvif.org/ver10/network/wsdl" xmlns:t="http://www.onvif.org/ver10/device/wsdl">'
        "<e:Header><w:MessageID>uuid:1234</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        f"<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/{action}</w:Action></e:Header>"
        f"<e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


def probe(types: str = "", scopes: str = "") -> bytes:
    inside = (f"<d:Types>{types}</d:Types>" if types else "") + (f"<d:Scopes>{scopes}</d:Scopes>" if scopes else "")
    return envelope(f"<d:Probe>{inside}</d:Probe>")


@pytest.fixture
def asker() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        yield sock


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=2, cameras=3) as farm:
        yield farm


async def answer(sock: socket.socket) -> str:
    async with asyncio.timeout(DEADLINE):
        return (await asyncio.get_running_loop().sock_recv(sock, 65536)).decode()


async def ask(farm: Farm, sock: socket.socket, key: str, data: bytes) -> None:
    address = (farm.devices[key].state.plan.address, farm.discovery_port(key))
    await asyncio.get_running_loop().sock_sendto(sock, data, address)


async def test_a_probe_to_one_address_is_answered_by_its_device_alone(farm: Farm, asker: socket.socket) -> None:
    key, device = next(iter(farm.devices.items()))
    await ask(farm, asker, key, probe())
    reply = await answer(asker)
    assert "<a:RelatesTo>uuid:1234</a:RelatesTo>" in reply
    assert f"urn:uuid:{device.state.plan.uuid}" in reply
    assert (
        f"<d:XAddrs>http://{device.state.plan.address}:{device.state.http_port}/onvif/device_service</d:XAddrs>"
        in reply
    )
    assert "onvif://www.onvif.org/name/%E4%B8%9C%E6%B2%9F" in reply, "the name is percent-encoded UTF-8"
    assert [other.state.stats.probes for other in farm.devices.values()].count(1) == 1


async def test_resolve_finds_the_endpoint_that_was_asked_for(farm: Farm, asker: socket.socket) -> None:
    key, device = next(iter(farm.devices.items()))
    for uuid in ("00000000-0000-0000-0000-000000000000", device.state.plan.uuid):
        body = (
            f"<d:Resolve><w:EndpointReference><w:Address>urn:uuid:{uuid}</w:Address></w:EndpointReference></d:Resolve>"
        )
        await ask(farm, asker, key, envelope(body, "Resolve"))
    reply = await answer(asker)
    assert "ResolveMatches" in reply
    assert device.state.plan.uuid in reply


async def test_multicast_finds_the_whole_farm_with_hello_before_and_bye_after(asker: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setblocking(False)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((GROUP, PORT))
        ear.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
        )
        async with small_farm(villages=2, cameras=3, multicast=True) as farm:
            wanted = {device.state.plan.uuid for device in farm.devices.values()}
            assert await collect(ear, wanted, "Hello") == wanted
            await asyncio.get_running_loop().sock_sendto(asker, probe(), (GROUP, PORT))
            assert await collect(asker, wanted, "ProbeMatches") == wanted
        assert await collect(ear, wanted, "Bye") == wanted


async def collect(sock: socket.socket, wanted: set[str], kind: str) -> set[str]:
    """Endpoints of the wanted ones that say something of a kind, until all have; other farms may be heard as well."""
    found: set[str] = set()
    while found != wanted:
        text = await answer(sock)
        if f"<d:{kind}>" in text:
            found |= set(re.findall(r"urn:uuid:([0-9a-f-]{36})</a:Address></a:EndpointReference>", text)) & wanted
    return found


async def test_devices_that_are_off_do_not_answer(farm: Farm, asker: socket.socket) -> None:
    (first, _), (second, _), *_ = farm.devices.items()
    await farm.set_fault(first, Fault.DEAD)
    await ask(farm, asker, first, probe())
    await ask(farm, asker, second, probe())
    assert farm.devices[second].state.plan.uuid in await answer(asker)
    assert farm.devices[first].state.stats.probes == 0


def test_a_probe_is_read_with_whatever_prefixes_it_uses() -> None:
    assert read_inquiry(probe("n:NetworkVideoTransmitter t:Device", "onvif://www.onvif.org/x")) == Inquiry(
        "uuid:1234", (NVT, DEVICE), ("onvif://www.onvif.org/x",)
    )


@pytest.mark.parametrize("data", [b"", b"\x00" * 50, b"<a/>", envelope("<d:Bye/>"), b"x" * 70_000])
def test_anything_else_is_no_inquiry(data: bytes) -> None:
    assert read_inquiry(data) is None


@pytest.mark.parametrize(
    ("answers", "types", "meant"),
    [
        (Answers.BOTH, (), True),
        (Answers.BOTH, (NVT, DEVICE), True),
        (Answers.TRANSMITTER, (NVT,), True),
        (Answers.TRANSMITTER, (DEVICE,), False),
        (Answers.DEVICE, (DEVICE,), True),
        (Answers.DEVICE, (NVT,), False),
        (Answers.BOTH, (("http://example.com", "Printer"),), False),
    ],
)
async def test_types_decide_who_is_meant(answers: Answers, types: tuple[tuple[str, str], ...], meant: bool) -> None:
    plan = small_plan()
    device = dataclasses.replace(plan.villages[0].devices[0], answers=answers)
    farm = small_farm(plan=FarmPlan((dataclasses.replace(plan.villages[0], devices=(device,)),)))
    async with farm:
        assert matches(Inquiry("1", types), next(iter(farm.devices.values())).state) is meant


async def test_scopes_match_whole_segments_only(farm: Farm) -> None:
    state = next(iter(farm.devices.values())).state
    assert matches(Inquiry("1", scopes=("onvif://www.onvif.org/Profile",)), state)
    assert matches(Inquiry("1", scopes=("ONVIF://www.onvif.org/profile/streaming",)), state)
    assert not matches(Inquiry("1", scopes=("onvif://www.onvif.org/Prof",)), state)
    assert not matches(Inquiry("1", scopes=("onvif://www.onvif.org/Profile", "onvif://else")), state)
