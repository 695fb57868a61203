"""Faults of ONVIF, HTTP and discovery, as a peer meets them: raw bytes, since much of it is broken on purpose."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from lxml import etree

from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.onvif.quirks import RARE, SOAP_11, spoiled_uri
from camera_hub.simulator.testing import small_farm
from tests.simulator.peers import DEADLINE, RtspClient
from tests.simulator.soap import LOGIN
from tests.simulator.test_discovery import probe

MOMENT = "{http://www.onvif.org/ver10/schema}"


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=1, cameras=2) as farm:
        yield farm


@pytest.fixture
def device(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


def envelope(operation: str, space: str, inside: str = "") -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        f'<{operation} xmlns="http://www.onvif.org/{space}/wsdl">{inside}</{operation}></s:Body></s:Envelope>'
    ).encode()


async def ask(
    device: Device, operation: str, space: str = "ver10/device", inside: str = "", *, signed: bool = True
) -> httpx.Response:
    auth = httpx.DigestAuth(*LOGIN) if signed else None
    async with httpx.AsyncClient(trust_env=False, auth=auth, verify=False) as client:
        return await client.post(
            device.state.http_url("/onvif/device_service"), content=envelope(operation, space, inside)
        )


async def test_the_clock_is_told_badly(farm: Farm, device: Device) -> None:
    async def hours() -> dict[str, int]:
        root = etree.fromstring((await ask(device, "GetSystemDateAndTime", signed=False)).content)
        return {
            name: int(found)
            for name in ("UTC", "Local")
            if (found := root.findtext(f".//{MOMENT}{name}DateTime/{MOMENT}Time/{MOMENT}Hour"))
        }

    key = device.state.plan.key
    well = await hours()
    assert (well["Local"] - well["UTC"]) % 24 == 8
    await farm.set_fault(key, Fault.LOCAL_TIME_ONLY)
    assert list(await hours()) == ["Local"]
    await farm.set_fault(key, Fault.LOCAL_TIME_ONLY, on=False)
    await farm.set_fault(key, Fault.UTC_IS_LOCAL)
    shown = await hours()
    assert shown["Local"] == shown["UTC"]
    await farm.set_fault(key, Fault.NO_CLOCK, value=500)
    assert (await ask(device, "GetSystemDateAndTime", signed=False)).status_code == 500


async def test_a_login_is_needed_for_everything_openly_or_not(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.LOGIN_FOR_ALL)
    refused = await ask(device, "GetSystemDateAndTime", signed=False)
    assert refused.status_code == 401
    assert b"ter:NotAuthorized" in refused.content
    await farm.set_fault(device.state.plan.key, Fault.LOGIN_FOR_ALL, on=False)
    await farm.set_fault(device.state.plan.key, Fault.LOGIN_HIDDEN)
    refused = await ask(device, "GetSystemDateAndTime", signed=False)
    assert (refused.status_code, refused.content) == (404, b"")


async def test_replies_are_soap_1_1_faults_too(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.SOAP_11)
    reply = await ask(device, "GetHostname")
    assert etree.QName(etree.fromstring(reply.content)).namespace == SOAP_11
    assert reply.headers["content-type"].startswith("text/xml")
    refused = await ask(device, "GetUsers", signed=False)
    assert b"<faultcode>ter:NotAuthorized</faultcode>" in refused.content


@pytest.mark.parametrize("fault", [Fault.UNDECLARED_PREFIX, Fault.BROKEN_UTF8, Fault.TRAILING_NUL, Fault.GB2312])
async def test_what_comes_is_no_well_formed_xml(farm: Farm, device: Device, fault: Fault) -> None:
    await farm.set_fault(device.state.plan.key, fault)
    body = (await ask(device, "GetProfiles", "ver10/media")).content
    if fault is not Fault.TRAILING_NUL:  # libxml2 forgives that one
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring(body)
    assert b"Profile_101" in body
    if fault is Fault.GB2312:
        assert body.startswith(b'<?xml version="1.0" encoding="GB2312"?>')
        assert "村口".encode("gbk") + RARE.encode("gbk") in body
    assert body.endswith(b"\0") is (fault is Fault.TRAILING_NUL)


async def test_content_length_promises_more_and_the_line_stays_open(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.LONG_CONTENT_LENGTH, value=9)
    reader, writer = await asyncio.open_connection(device.state.plan.address, device.state.http_port)
    body = envelope("GetHostname", "ver10/device")
    head = f"POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with asyncio.timeout(DEADLINE):
        writer.write(head + body)
        found = (await reader.readuntil(b"\r\n\r\n")).decode()
        whole = await reader.readuntil(b"</s:Envelope>")
        assert f"Content-Length: {len(whole) + 9}\r\n" in found
        writer.write(head + body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200"), "nothing more came, and it still listens"
    writer.transport.abort()


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (Fault.URI_TWO_PORTS, "rtsp://192.0.2.7:80:554/x"),
        (Fault.URI_PADDED, "\n  rtsp://192.0.2.7:554/x \r\n"),
        (Fault.URI_MAPPED_HOST, "rtsp://::ffff:192.0.2.7:554/x"),
    ],
)
def test_uris_are_odd(fault: Fault, shown: str) -> None:
    assert spoiled_uri("rtsp://192.0.2.7:554/x", {fault}) == shown


async def test_a_login_in_the_path_is_named_and_taken(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.LOGIN_IN_PATH)
    inside = "<ProfileToken>Profile_102</ProfileToken>"
    reply = await ask(device, "GetStreamUri", "ver10/media", inside)
    uri = etree.fromstring(reply.content).findtext(f".//{MOMENT}Uri") or ""
    assert uri.endswith("/user=admin_password=village-2024_channel=1_stream=1.sdp")
    client = await RtspClient.connect(device.state.plan.address, device.state.rtsp_port)
    assert (await client.ask("DESCRIBE", uri)).status == 200
    assert (await client.ask("DESCRIBE", uri.replace("2024", "2025"))).status == 401
    await client.close()


async def test_https_alone_is_answered_and_named(farm: Farm, device: Device) -> None:
    plain = f"http://{device.state.plan.address}:{device.state.http_port}/onvif/device_service"
    await farm.set_fault(device.state.plan.key, Fault.TLS_ONLY)
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        moved = await client.post(plain, content=b"x")
    assert moved.status_code == 301
    assert moved.headers["location"] == device.state.http_url("/onvif/device_service")
    assert moved.headers["location"].startswith("https://")
    services = await ask(device, "GetCapabilities")
    assert f"https://{device.state.plan.address}:{device.state.https_port}/onvif/Media".encode() in services.content
    await farm.set_fault(device.state.plan.key, Fault.TLS_ONLY, on=False)
    assert (await ask(device, "GetHostname")).url.scheme == "http"


async def test_a_recorder_lists_only_what_is_on_line() -> None:
    async with small_farm(villages=1, cameras=8) as farm:
        device = next(iter(farm.devices.values()))
        await farm.set_fault(device.state.plan.key, Fault.ONLINE_CHANNELS_ONLY)
        for channel in device.state.plan.channels[:2]:
            await farm.set_fault(channel.key, Fault.DEAD)
        body = (await ask(device, "GetProfiles", "ver10/media")).content
    assert [f"Profile_{number}01".encode() in body for number in range(1, 9)] == [False] * 2 + [True] * 6


async def test_a_village_behind_one_router_is_reached_at_its_ports(farm: Farm) -> None:
    await farm.set_fault("donggou", Fault.FORWARDED_PORTS)
    router = farm.plan.villages[0].devices[0].address
    for device in farm.devices.values():
        outer = device.state.outer
        assert outer is not None
        assert outer.address == router
        assert (await ask(device, "GetHostname")).url.port == outer.http_port
        client = await RtspClient.connect(router, outer.rtsp_port)
        assert (await client.ask("OPTIONS", "rtsp://x/")).status == 200
        await client.close()
        with pytest.raises(ConnectionRefusedError):
            await RtspClient.connect(device.state.plan.address, device.state.rtsp_port)
    await farm.set_fault("donggou", Fault.FORWARDED_PORTS, on=False)
    assert all(device.state.outer is None for device in farm.devices.values())


async def test_discovery_replies_are_odd(farm: Farm, device: Device) -> None:
    async def reply(*faults: Fault) -> bytes:
        key = device.state.plan.key
        for fault in faults:
            await farm.set_fault(key, fault)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            address = (device.state.plan.address, farm.discovery_port(key))
            await asyncio.get_running_loop().sock_sendto(sock, probe("n:NetworkVideoTransmitter"), address)
            async with asyncio.timeout(DEADLINE):
                found = await asyncio.get_running_loop().sock_recv(sock, 65536)
        for fault in faults:
            await farm.set_fault(key, fault, on=False)
        return found

    office = await reply(Fault.OFFICE_DEVICE)
    assert b"<d:Types>wsdp:Device pub:Computer</d:Types>" in office
    assert etree.fromstring(office) is not None
    assert b"<a:RelatesTo>1234</a:RelatesTo>" in await reply(Fault.RELATES_TO_ODD)
    stray = await reply(Fault.STRAY_AROUND_XML, Fault.GBK_SCOPES)
    assert stray.startswith(b"\r\n\0\x02<?xml")
    assert "location/东沟村".encode("gbk") in stray
    assert b'encoding="UTF-8"' in stray
