"""Searches against virtual villages and small devices of our own, on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from camera_hub.cameras.discovery.found import FoundDevice
from camera_hub.cameras.discovery.interfaces import Interface
from camera_hub.cameras.discovery.multicast import multicast
from camera_hub.cameras.discovery.sweeps import Sweeps, SweepView
from camera_hub.cameras.discovery.ws_discovery import Announced
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.register.register import Register
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, SweepChanged
from camera_hub.settings import DiscoverySettings
from camera_hub.simulator.testing import small_farm
from camera_hub.store.database import Database
from camera_hub.store.tables import Device
from tests.cameras.fake_onvif import NOT_AUTHORIZED, FakeDevice
from tests.cameras.fakes import ADMIN, OnvifOnly, village_admin
from tests.cameras.scripted_peer import ScriptedPeer, http, tls_context
from tests.fakes.reach import anywhere, local

SOAP_FAULT = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error">'
    "<s:Body>{}</s:Body></s:Envelope>"
)
CLOCK = SOAP_FAULT.format(
    '<GetSystemDateAndTimeResponse xmlns="http://www.onvif.org/ver10/device/wsdl"><SystemDateAndTime/>'
    "</GetSystemDateAndTimeResponse>"
)
LOOPBACK = Interface("lo", "127.0.0.1", "127.0.0.0/8")
SETTINGS = DiscoverySettings(multicast=False, host_timeout=1.0, onvif_timeout=2.0, listen_seconds=1.0)


@asynccontextmanager
async def _sweeps(
    database: Database, bus: EventBus, settings: DiscoverySettings = SETTINGS, discovery_port: int = 9
) -> AsyncIterator[Sweeps]:
    async with (
        Onvif(settings, SystemClock(), check=anywhere) as onvif,
        Sweeps(settings, onvif, bus, SystemClock(), database, local, discovery_port=discovery_port) as sweeps,
    ):
        yield sweeps


async def _finished(sweeps: Sweeps, bus: EventBus, started: SweepView) -> SweepView:
    """The search at its end; every change is told by an event."""
    with bus.subscribe(SweepChanged) as told:
        async with asyncio.timeout(60):
            while (view := await sweeps.get(ADMIN, started.id)).state == "running":
                await told.next()
    return view


@asynccontextmanager
async def _speaks(address: str, answer: bytes) -> AsyncIterator[int]:
    """A server that gives one answer to whatever comes; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, address, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.slow
async def test_multicast_finds_every_device_of_the_segment_once() -> None:
    heard: list[Announced] = []
    async with small_farm(2, 12, multicast=True) as farm:
        await multicast([LOOPBACK], heard.append, SystemClock(), probes=3, listen_seconds=3.0)
        planned = {device.uuid for _, device in farm.plan.devices()}
        hosts = {device.address for _, device in farm.plan.devices()}
    found = [one for one in heard if one.host in hosts]  # another farm of this machine may answer too
    assert len(found) == len(planned)
    assert {one.host for one in found} == hosts


@pytest.mark.slow
async def test_ranges_find_devices_and_say_why_one_cannot_be_described(
    database: Database, bus: EventBus, register: Register, villages: list[int]
) -> None:
    async with (
        FakeDevice(address="127.0.9.1") as healthy,
        FakeDevice(address="127.0.9.2", port=healthy.port, mode="404"),
        FakeDevice(address="127.0.9.3", port=healthy.port, mode="silent"),
        _speaks("127.0.9.4", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n") as rtsp,
        _speaks("127.0.9.5", b"HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm=x, nonce=y\r\n\r\n") as vendor,
        _speaks("127.0.9.6", b"HTTP/1.1 200 OK\r\n\r\n<html>a router</html>") as router,
        _sweeps(database, bus) as sweeps,
    ):
        ports = [healthy.port, rtsp, vendor, router]
        started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=["127.0.9.1-127.0.9.7"], ports=ports)
        done = await _finished(sweeps, bus, started)
    assert (done.state, done.total, done.done) == ("done", 7, 7)
    assert {one.host: one.reason for one in done.found} == {
        "127.0.9.1": None,
        "127.0.9.3": Reason.TIMED_OUT,
        "127.0.9.4": Reason.ONVIF_OFF,
        "127.0.9.5": Reason.LOGIN_NEEDED,
    }
    assert healthy.proofs == []


@pytest.mark.slow
async def test_each_forwarded_port_of_a_router_is_a_row_of_its_own(
    database: Database, bus: EventBus, register: Register, villages: list[int], tmp_path: Path
) -> None:
    """Two cameras behind one address, one that asks for a login with a SOAP fault, one over TLS; the second is
    registered, and no other row is taken for it (edge P6)."""
    fault = SOAP_FAULT.format(NOT_AUTHORIZED.format("Sender not Authorized"))
    async with (
        FakeDevice(address="127.0.9.20") as first,
        FakeDevice(address="127.0.9.20", serial="SN-second", mac="02:00:00:00:00:02") as second,
        ScriptedPeer([http(fault, status=401)], address="127.0.9.20") as asking,
        ScriptedPeer([http(CLOCK)], address="127.0.9.20", tls=tls_context(tmp_path)) as secure,
        ScriptedPeer([http("a web page", status=401)], address="127.0.9.20"),
        _sweeps(database, bus) as sweeps,
        Onvif(SETTINGS, SystemClock(), check=anywhere) as onvif,
    ):
        register.devices._describer = OnvifOnly(onvif)
        taken = await register.devices.register(
            ADMIN, villages[0], "127.0.9.20", second.port, username="admin", password="village-1"
        )
        ports = [first.port, second.port, asking.port, secure.port]
        started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=["127.0.9.20"], ports=ports)
        done = await _finished(sweeps, bus, started)
    assert {one.port: (one.reason, one.device_id) for one in done.found} == {
        first.port: (None, None),
        second.port: (None, taken.device.id),
        asking.port: (Reason.LOGIN_NEEDED, None),
        secure.port: (None, None),
    }


@pytest.mark.slow
async def test_a_port_without_onvif_is_a_row_beside_one_that_has_it(
    database: Database, bus: EventBus, villages: list[int]
) -> None:
    """Two recorders behind one address, ONVIF off at one of them; a web page at another port is none."""
    digest = http("", 'WWW-Authenticate: Digest realm="NVR", nonce="n", qop="auth"', status=401)
    info = http("<DeviceInfo/>")
    async with (
        FakeDevice(address="127.0.9.30") as speaking,
        ScriptedPeer(
            [lambda asked: digest if "/ISAPI" in asked.line else http("", status=404)], address="127.0.9.30"
        ) as off,
        ScriptedPeer(
            [lambda asked: info if "/ISAPI" in asked.line else http("", status=404)], address="127.0.9.30"
        ) as second,
        ScriptedPeer([http("a web page")], address="127.0.9.30") as page,
        _sweeps(database, bus) as sweeps,
    ):
        ports = [speaking.port, off.port, second.port, page.port]
        started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=["127.0.9.30"], ports=ports)
        done = await _finished(sweeps, bus, started)
    assert {one.port: one.reason for one in done.found} == {
        speaking.port: None,
        off.port: Reason.ONVIF_OFF,
        second.port: Reason.ONVIF_OFF,
    }


@pytest.mark.slow
async def test_a_virtual_village_is_found_by_its_range_and_known_devices_are_marked(
    database: Database, bus: EventBus, register: Register, villages: list[int]
) -> None:
    async with small_farm(1, 3) as farm:
        states = [device.state for device in farm.devices.values()]
        hosts = sorted(state.plan.address for state in states)
        ports = [state.http_port for state in states]
        async with _sweeps(database, bus) as sweeps:
            started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=hosts, ports=ports)
            done = await _finished(sweeps, bus, started)
            assert [one.host for one in done.found] == hosts
            assert all(one.device_id is None for one in done.found)
            first = done.found[0]
            async with Onvif(SETTINGS, SystemClock(), check=anywhere) as onvif:
                register.devices._describer = OnvifOnly(onvif)
                plan = states[0].plan
                taken = await register.devices.register(
                    ADMIN, villages[0], first.host, first.port, username=plan.username, password=plan.password
                )
            assert len(taken.cameras) == len(plan.channels)
            again = await sweeps.get(ADMIN, started.id)
            assert again.found[0].device_id == taken.device.id


@pytest.mark.slow
async def test_a_recorder_with_onvif_off_is_found_and_says_so(
    database: Database, bus: EventBus, villages: list[int]
) -> None:
    async with small_farm(1, 1) as farm, _sweeps(database, bus) as sweeps:
        (state,) = (device.state for device in farm.devices.values())
        await farm.set_fault(state.plan.key, "onvif_off")
        started = await sweeps.start(
            ADMIN, villages[0], multicast=False, ranges=[state.plan.address], ports=[state.http_port]
        )
        done = await _finished(sweeps, bus, started)
    assert [one.reason for one in done.found] == [Reason.ONVIF_OFF]


async def test_a_unicast_probe_finds_a_door_that_no_usual_port_has(
    database: Database, bus: EventBus, villages: list[int]
) -> None:
    async with small_farm(1, 1) as farm:
        (device,) = farm.devices.values()
        plan = device.state.plan
        async with _sweeps(database, bus, discovery_port=farm.discovery_port(plan.key)) as sweeps:
            started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=[plan.address], ports=[9])
            done = await _finished(sweeps, bus, started)
    (found,) = done.found
    assert (found.port, found.endpoint, found.mac) == (device.state.http_port, f"urn:uuid:{plan.uuid}", plan.mac)
    assert found.reason is None


@pytest.mark.parametrize("fault", ["relates_to_odd", "stray_around_xml", "gbk_scopes", "tls_xaddr"])
async def test_an_odd_announcement_is_understood(
    database: Database, bus: EventBus, villages: list[int], fault: str
) -> None:
    async with small_farm(1, 1) as farm:
        (device,) = farm.devices.values()
        plan = device.state.plan
        await farm.set_fault(plan.key, fault)
        async with _sweeps(database, bus, discovery_port=farm.discovery_port(plan.key)) as sweeps:
            started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=[plan.address], ports=[9])
            done = await _finished(sweeps, bus, started)
    (found,) = done.found
    assert (found.endpoint.lower().removeprefix("urn:").removeprefix("uuid:"), found.reason) == (plan.uuid, None)


@pytest.mark.slow
async def test_an_office_computer_that_answers_the_probe_is_no_camera(
    database: Database, bus: EventBus, villages: list[int]
) -> None:
    async with small_farm(1, 1) as farm:
        (device,) = farm.devices.values()
        plan = device.state.plan
        await farm.set_fault(plan.key, "office_device")
        async with _sweeps(database, bus, discovery_port=farm.discovery_port(plan.key)) as sweeps:
            started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=[plan.address], ports=[9])
            done = await _finished(sweeps, bus, started)
    assert done.found == []


async def test_a_search_can_be_cancelled_and_only_one_runs_per_person(
    database: Database, bus: EventBus, villages: list[int]
) -> None:
    async with FakeDevice(address="127.0.9.9", mode="silent") as device, _sweeps(database, bus) as sweeps:
        started = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=["127.0.9.9"], ports=[device.port])
        with pytest.raises(HubError) as caught:
            await sweeps.start(ADMIN, villages[0], multicast=False, ranges=["127.0.9.9"])
        assert caught.value.kind is Kind.BUSY
        cancelled = await sweeps.cancel(ADMIN, started.id)
        assert cancelled.state == "cancelled"
        assert (await sweeps.get(ADMIN, started.id)).state == "cancelled"


async def test_a_search_belongs_to_its_village(
    database: Database, bus: EventBus, register: Register, villages: list[int]
) -> None:
    await register.villages.change(villages[0], ranges=["127.0.8.0/24"])
    own, other = village_admin(villages[0]), village_admin(villages[1])
    async with _sweeps(database, bus) as sweeps:
        plan = await sweeps.plan(own, [], villages[0])
        assert [one.text for one in plan.ranges] == ["127.0.8.0/24"]
        with pytest.raises(HubError) as caught:
            await sweeps.start(own, villages[0], multicast=False, ranges=["127.0.9.1"])
        assert caught.value.reason == "range_outside_village"
        with pytest.raises(HubError) as caught:
            await sweeps.start(other, villages[0], multicast=False, ranges=["127.0.8.1"])
        assert caught.value.kind is Kind.NOT_FOUND
        started = await sweeps.start(own, villages[0], multicast=False, ranges=["127.0.8.1"])
        with pytest.raises(HubError):
            await sweeps.get(other, started.id)


async def test_a_device_of_another_village_is_not_named_to_a_village(
    database: Database, bus: EventBus, register: Register, villages: list[int]
) -> None:
    other = village_admin(villages[1])
    seen = FoundDevice(
        "127.0.8.9", 80, "multicast", endpoint="urn:uuid:8-9", name="小学门口", model="VC-1", mac="02:00:00:00:08:09"
    )
    async with _sweeps(database, bus) as sweeps:
        started = await sweeps.start(other, villages[1], multicast=False, ranges=[])
        sweeps._sweeps[started.id].add(seen)
        (free,) = (await sweeps.get(other, started.id)).found
        assert (free.name, free.other_village) == ("小学门口", False)
        async with database.write() as session:
            here = {"host": seen.host, "onvif_port": 80, "endpoint": seen.endpoint, "created_at": SystemClock().now()}
            session.add(Device(village_id=villages[0], **here))
        (taken,) = (await sweeps.get(other, started.id)).found
        assert (taken.host, taken.other_village, taken.device_id) == (seen.host, True, None)
        assert (taken.name, taken.model, taken.mac) == ("", "", "")
        (whole,) = (await sweeps.get(ADMIN, started.id)).found
        assert whole.name == "小学门口"


async def test_an_invalid_range_starts_nothing(database: Database, bus: EventBus, villages: list[int]) -> None:
    async with _sweeps(database, bus) as sweeps:
        with pytest.raises(HubError) as caught:
            await sweeps.start(ADMIN, villages[0], multicast=True, ranges=["127.0.9.1", "10.0.0.0/40"])
        assert caught.value.reason == "bad_range"
        assert not sweeps._sweeps


async def test_a_village_s_multicast_search_shows_its_ranges_alone(
    database: Database, bus: EventBus, register: Register, villages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers from elsewhere is not even asked for its time, and another's search is not seen."""
    await register.villages.change(villages[0], ranges=["127.0.9.1"])

    async def answered(_: object, on_announcement: Callable[[Announced], None], *__: object, **___: object) -> None:
        for number, (host, port) in enumerate((("127.0.9.1", own.port), ("127.0.9.2", foreign.port))):
            on_announcement(Announced("match", f"urn:uuid:{number}", host, port, "/onvif/device_service", name="门口"))

    monkeypatch.setattr("camera_hub.cameras.discovery.sweeps.multicast", answered)
    settings = SETTINGS.model_copy(update={"multicast": True})
    async with (
        FakeDevice(address="127.0.9.1") as own,
        FakeDevice(address="127.0.9.2") as foreign,
        _sweeps(database, bus, settings) as sweeps,
    ):
        village = village_admin(villages[0])
        started = await sweeps.start(village, villages[0], multicast=True, ranges=[])
        done = await _finished(sweeps, bus, started)
        assert [one.host for one in done.found] == ["127.0.9.1"]
        assert foreign.connections == 0
        assert (await sweeps.plan(village, [], villages[0])).interfaces == []
        whole = await sweeps.start(ADMIN, villages[0], multicast=True, ranges=[])
        done = await _finished(sweeps, bus, whole)
        assert [one.host for one in done.found] == ["127.0.9.1", "127.0.9.2"]
        assert (await sweeps.plan(ADMIN, [], villages[0])).interfaces != []
        with pytest.raises(HubError) as caught:
            await sweeps.get(village, whole.id)
        assert caught.value.kind is Kind.NOT_FOUND
