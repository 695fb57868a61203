"""Every road to a device's socket, for everybody who may ask, to every kind of address: refused before a byte is sent.

Real sockets listen at the addresses that loopback offers, and every connect, every datagram of this process is counted
(audit events of `socket`), so that an address where nothing can listen counts too.
"""

import asyncio
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.device_checks import DeviceChecks, approve_place
from camera_hub.cameras.discovery.sweeps import Sweeps
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.reach import OwnService, ReachPolicy, checking
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.streams.sources import StreamSources
from camera_hub.cameras.streams.stream_addresses import StreamAddresses
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, SweepChanged
from camera_hub.health.rounds.reachability import DeviceContacts
from camera_hub.settings import DiscoverySettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream, Village
from tests.cameras.fake_onvif import FakeDevice
from tests.cameras.fakes import ADMIN, FakeVault, OnvifOnly, village_admin
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.one_database

OWN, FOREIGN, HUB = "127.90.1.1", "127.90.2.1", "127.0.0.1"
RANGE = "127.90.1.1-127.90.1.9"
SETTINGS = DiscoverySettings(multicast=False, onvif_timeout=2.0, host_timeout=0.5)

LINK_LOCAL = (
    "169.254.7.7",
    "::ffff:169.254.7.7",
    "64:ff9b::a9fe:707",
    "2002:a9fe:707::1",
    "::169.254.7.7",
    "fe80::7",
)
"""One link-local address in six spellings."""
NAMES = {
    "own.test": OWN,
    "foreign.test": FOREIGN,
    "loopback.test": "127.0.0.2",
    "link.test": "169.254.7.7",
    "mapped.test": "::ffff:169.254.7.7",
    "hub.test": HUB,
}
REFUSED = {Reason.ADDRESS_REFUSED, "bad_host", "bad_url", "bad_range", "range_outside_village"}
HERE_ONLY = ("127.0.0.2", *LINK_LOCAL, "loopback.test", "link.test", "mapped.test", "hub.test", HUB)


class Watch:
    """Where this process connects or sends datagrams to while it watches: (host, port)."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[tuple[str, int]] = []
        sys.addaudithook(self._note)  # for good: hooks cannot be taken off again

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if isinstance(address, tuple) and isinstance(address[0], str):
                self.seen.append((address[0], address[1]))

    def to(self, *hosts: str) -> list[tuple[str, int]]:
        return [one for one in self.seen if one[0] in hosts]


WATCH = Watch()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """With names that lead to the addresses of the table."""
    asked = socket.getaddrinfo

    def named(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        return asked(NAMES.get(host, host), port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", named)
    WATCH.seen, WATCH.on = [], True
    yield WATCH
    WATCH.on = False


@dataclass
class Site:
    """A register, its streams and searches over real sockets: one device in the own range, one in another village's,
    and something that listens at the hub's own port."""

    database: Database
    bus: EventBus
    register: Register
    sources: StreamSources
    sweeps: Sweeps
    onvif: Onvif
    contacts: DeviceContacts
    own: FakeDevice
    foreign: FakeDevice
    hub_port: int
    village: int
    other_village: int
    reached_hub: list[object] = field(default_factory=list)

    def port(self, host: str) -> int:
        """The port at which there is something to reach."""
        if "hub" in host or host == HUB:
            return self.hub_port
        return self.foreign.port if host.startswith(("foreign", FOREIGN)) else self.own.port

    async def row(self, host: str, *, approved: bool, url: bool = False) -> tuple[int, int, int]:
        """A device that stands in the register at that address, however it came there: device, camera, stream."""
        async with self.database.write() as session:
            port = self.port(host)
            device = Device(village_id=self.village, host=host, rtsp_port=port, created_at=SystemClock().now())
            device.onvif_port = None if url else port
            if approved:
                approve_place(device, NAMES.get(host, host))
            session.add(device)
            await session.flush()
            camera = Camera(device_id=device.id, village_id=self.village, channel="1", name="c", state="approved")
            camera.created_at = SystemClock().now()
            session.add(camera)
            await session.flush()
            stream = Stream(camera_id=camera.id, role="main", source="url" if url else "onvif", details={})
            stream.profile, stream.codec = "profile_1_main", "h264"
            if url:
                place = f"[{host}]" if ":" in host else host
                stream.sealed_uri = FakeVault().seal(f"rtsp://{place}:{port}/1", device.id)
            session.add(stream)
            await session.flush()
            return device.id, camera.id, stream.id


@pytest.fixture(params=["demo"])
async def site(
    request: pytest.FixtureRequest, database: Database, bus: EventBus, clock: ManualClock, watch: Watch
) -> AsyncIterator[Site]:
    reached: list[object] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(accept, HUB, 0)
    hub_port = server.sockets[0].getsockname()[1]
    policies = {
        "demo": ReachPolicy(services=frozenset({OwnService(ipaddress.ip_address(HUB), hub_port)}), local_devices=True),
        "service": ReachPolicy(own=frozenset({ipaddress.ip_address(OWN)})),
    }

    def policy() -> ReachPolicy:
        return policies[request.param]

    checks = DeviceChecks(database, policy)
    async with (
        server,
        FakeDevice(address=OWN, serial="SN-OWN-1", mac="02:00:00:00:00:11", auth="none") as own,
        FakeDevice(address=FOREIGN, serial="SN-FOREIGN-1", mac="02:00:00:00:00:22", auth="none") as foreign,
        Onvif(SETTINGS, SystemClock(), check=checking(None, policy)) as onvif,
        Sweeps(SETTINGS, onvif, bus, SystemClock(), database, policy, discovery_port=9) as sweeps,
    ):
        register = Register(database, bus, clock, FakeVault(), OnvifOnly(onvif), checks)
        await register.villages.add(["本村", "邻村"], "village")
        ids = [one.id for one in await register.villages.all(ADMIN)]
        await register.villages.change(ids[0], ranges=[RANGE])
        await register.villages.change(ids[1], ranges=[FOREIGN])
        addresses = StreamAddresses(database, clock, register, onvif, FakeVault())
        known = Peculiarities(database, bus, clock)
        sources = StreamSources(database, addresses, register, onvif, bus, known, checks)
        contacts = DeviceContacts(checks, onvif)
        yield Site(
            database, bus, register, sources, sweeps, onvif, contacts, own, foreign, hub_port, ids[0], ids[1], reached
        )


Road = Callable[[Site, Actor, str], Awaitable[object]]


async def by_registering(site: Site, actor: Actor, host: str) -> object:
    """ONVIF: describing asks for clock, services, profiles, stream addresses."""
    return await site.register.devices.register(actor, site.village, host, site.port(host))


async def by_registering_without_a_port(site: Site, actor: Actor, host: str) -> object:
    return await site.register.devices.register(actor, site.village, host)


async def by_url(site: Site, actor: Actor, host: str) -> object:
    """RTSP by URL: what was registered is then pulled, as the proof does at once."""
    place = f"[{host}]" if ":" in host else host
    found = await site.register.devices.register_url(actor, site.village, "c", f"rtsp://{place}:{site.port(host)}/1")
    return await site.sources.choose(found.cameras[0].id, "main", frozenset({"h264"}))


async def by_moving(site: Site, actor: Actor, host: str) -> object:
    """A device of one's own, moved; and then asked for its stream."""
    _, camera, _ = ids = await site.row(OWN, approved=True)
    await site.register.devices.change(actor, ids[0], host=host, onvif_port=site.port(host), password="x")
    return await site.sources.choose(camera, "main", frozenset({"h264"}))


async def by_searching(site: Site, actor: Actor, host: str) -> object:
    with suppress(ValueError):
        host = str(ipaddress.ip_address(host))
    ports = [site.port(host)]
    with site.bus.subscribe(SweepChanged) as told:
        started = await site.sweeps.start(actor, site.village, multicast=False, ranges=[host], ports=ports)
        async with asyncio.timeout(60):
            while (view := await site.sweeps.get(actor, started.id)).state == "running":
                await told.next()
    if not view.found:
        raise HubError(Kind.INVALID, "nothing is searched there", reason=Reason.ADDRESS_REFUSED)
    return view


ASKED: dict[str, Road] = {
    "register": by_registering,
    "register, usual ports": by_registering_without_a_port,
    "url": by_url,
    "move": by_moving,
    "search": by_searching,
}


async def of_the_stream(site: Site, device: int, camera: int, stream: int, host: str) -> object:
    """The stream's address by ONVIF, and the RTSP address that a relay would dial."""
    chosen = await site.sources.choose(camera, "main", frozenset({"h264"}))
    source: Any = chosen.spec.source
    await connected(source.address, source.port)
    return chosen


async def of_the_key_frame(site: Site, device: int, camera: int, stream: int, host: str) -> object:
    """SetSynchronizationPoint, as an event of the stream asks for it."""
    await site.sources.sync_point(stream)
    return stream


async def of_describing(site: Site, device: int, camera: int, stream: int, host: str) -> object:
    return await site.register.devices.describe(village_admin(site.village), device)


async def of_the_round(site: Site, device: int, camera: int, stream: int, host: str) -> object:
    answer = await site.contacts.reach(device, host, (site.port(host),), 0.5)
    if answer.silence is not None:
        raise HubError(Kind.INVALID, answer.silence[1], reason=answer.silence[0])
    return None


async def of_the_clock(site: Site, device: int, camera: int, stream: int, host: str) -> object:
    return await site.contacts.clock(device, host, site.port(host), "/onvif/device_service")


STORED = {
    "stream": of_the_stream,
    "key frame": of_the_key_frame,
    "describe again": of_describing,
    "round": of_the_round,
    "clock": of_the_clock,
}


async def connected(address: str, port: int) -> None:
    """What a relay does with a source: it dials the pinned address."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection(address, port)
        writer.close()


def aimed_at(host: str) -> set[str]:
    """The addresses at which a connection to that host would be seen."""
    text = NAMES.get(host, host)
    ip = ipaddress.ip_address(text)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return {host, text, str(ip), str(mapped or ip)}


@pytest.mark.slow
@pytest.mark.parametrize("road", ASKED)
async def test_a_village_admin_reaches_the_own_range_and_nothing_else(site: Site, watch: Watch, road: str) -> None:
    actor = village_admin(site.village)
    for host in (FOREIGN, "foreign.test", *HERE_ONLY):
        with pytest.raises(HubError) as caught:
            await ASKED[road](site, actor, host)
        assert caught.value.reason in REFUSED, (host, caught.value)
        assert watch.to(*aimed_at(host)) == [], host
    assert (site.foreign.connections, site.reached_hub) == (0, [])
    if road != "register, usual ports":
        await ASKED[road](site, actor, OWN)
        if road != "search":
            await site.register.devices.retire(ADMIN, (await site.register.devices.all(ADMIN))[-1].id)
            await ASKED[road](site, actor, "own.test")


@pytest.mark.slow
@pytest.mark.parametrize("road", ASKED)
async def test_township_staff_reach_every_village_but_not_the_hub_and_what_no_camera_has(
    site: Site, watch: Watch, road: str
) -> None:
    for host in (*LINK_LOCAL, "link.test", "mapped.test", "hub.test", HUB):
        if road == "register, usual ports" and host in ("hub.test", HUB):
            continue  # in a demo devices are on this machine, at other ports than the hub's
        with pytest.raises(HubError) as caught:
            await ASKED[road](site, ADMIN, host)
        assert caught.value.reason in REFUSED, (host, caught.value)
        seen = watch.to(*aimed_at(host))
        assert [one for one in seen if one[0] != HUB or one[1] == site.hub_port] == [], host
    assert site.reached_hub == []
    if road != "register, usual ports":
        await ASKED[road](site, ADMIN, FOREIGN)
        assert watch.to(FOREIGN) or road == "url"


@pytest.mark.parametrize("road", STORED)
@pytest.mark.parametrize("approved", [False, True])
async def test_what_stands_in_the_register_is_reached_in_the_range_or_where_it_was_approved(
    site: Site, watch: Watch, road: str, approved: bool
) -> None:
    everywhere = (*LINK_LOCAL, "link.test", "mapped.test", "hub.test", HUB)
    for host in everywhere if approved else (FOREIGN, "foreign.test", "127.0.0.2", *everywhere):
        for url in (True, False) if road == "stream" else (False,):
            ids = await site.row(host, approved=approved, url=url)
            with pytest.raises(HubError) as caught:
                await STORED[road](site, *ids, host)
            assert caught.value.reason in REFUSED, (host, caught.value)
            assert watch.to(*aimed_at(host)) == [], host
    assert site.reached_hub == []
    assert site.foreign.connections == 0
    host = FOREIGN if approved else OWN
    with suppress(HubError):  # it is one device that stands in the register twice
        await STORED[road](site, *await site.row(host, approved=approved), host)
    assert watch.to(host)


@pytest.mark.parametrize("road", STORED)
async def test_an_approved_name_that_leads_elsewhere_is_not_followed(
    site: Site, watch: Watch, road: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NAMES, "camera.test", OWN)
    ids = await site.row("camera.test", approved=True)
    monkeypatch.setitem(NAMES, "camera.test", FOREIGN)
    with pytest.raises(HubError) as caught:
        await STORED[road](site, *ids, "camera.test")
    assert caught.value.reason == Reason.ADDRESS_CHANGED
    monkeypatch.setitem(NAMES, "camera.test", "169.254.7.7")
    with pytest.raises(HubError) as caught:
        await STORED[road](site, *ids, "camera.test")
    assert caught.value.reason == Reason.ADDRESS_REFUSED
    assert (watch.to(FOREIGN, "169.254.7.7"), site.foreign.connections) == ([], 0)


@pytest.mark.parametrize("elsewhere", [FOREIGN, HUB, "127.0.0.2", *LINK_LOCAL])
async def test_a_device_that_names_other_addresses_is_asked_at_its_own_alone(
    site: Site, watch: Watch, elsewhere: str
) -> None:
    """XAddr, stream URI and redirect; it was registered in the own range."""
    place = f"[{elsewhere}]" if ":" in elsewhere else elsewhere
    port = site.port(elsewhere)
    site.own.xaddr = f"http://{place}:{port}"
    site.own.stream = f"rtsp://{place}:{port}/ch{{source}}/{{role}}"
    found = await site.register.devices.register(village_admin(site.village), site.village, OWN, site.own.port)
    chosen = await site.sources.choose(found.cameras[0].id, "main", frozenset({"h264", "h265"}))
    source: Any = chosen.spec.source
    assert (source.address, source.url.split("/")[2].split(":")[0]) == (OWN, OWN)
    site.own.mode, site.own.canary = "307", f"http://{place}:{port}/"
    with pytest.raises(HubError):
        await site.onvif.stream_uri(OnvifTarget(OWN, site.own.port, login=DeviceLogin("a", "b")), "profile_1_main")
    assert {host for host, _ in watch.seen} <= {OWN}
    assert (site.foreign.connections, site.reached_hub) == (0, [])


@pytest.mark.parametrize("site", ["service"], indirect=True)
@pytest.mark.parametrize("road", ASKED)
async def test_outside_a_demo_this_machine_is_refused_whoever_asks(site: Site, watch: Watch, road: str) -> None:
    for actor in (ADMIN, village_admin(site.village)):
        for host in (OWN, FOREIGN, "own.test", "foreign.test", *HERE_ONLY):
            if road == "move":
                continue  # the device itself would be on this machine
            with pytest.raises(HubError) as caught:
                await ASKED[road](site, actor, host)
            assert caught.value.reason in REFUSED, (host, caught.value)
    assert watch.seen == []


async def test_a_village_without_ranges_reaches_nothing_and_learns_whom_to_ask(site: Site, watch: Watch) -> None:
    await site.register.villages.change(site.village, ranges=[])
    device, *_ = await site.row(OWN, approved=True)
    actor = village_admin(site.village)
    roads: Sequence[Awaitable[object]] = (
        *(ASKED[road](site, actor, OWN) for road in ASKED if road != "move"),
        site.register.devices.change(actor, device, host="127.90.1.2", password="x"),
        site.sweeps.start(actor, site.village, multicast=True, ranges=[]),
        site.sweeps.plan(actor, [OWN], site.village),
    )
    for road in roads:
        with pytest.raises(HubError) as caught:
            await road
        assert caught.value.reason == Reason.NO_RANGES
        assert "township admin" in caught.value.detail
    assert watch.seen == []


async def test_ranges_come_before_anything_that_is_told(site: Site, watch: Watch) -> None:
    """Not whether the login is right there, whether it is registered elsewhere, or what answers."""
    await site.register.devices.register(ADMIN, site.other_village, FOREIGN, site.foreign.port)
    watch.seen.clear()
    actor, said = village_admin(site.village), set()
    for host, port in ((FOREIGN, site.foreign.port), (FOREIGN, 9), ("127.90.3.1", 9), ("nowhere.invalid", 80)):
        for password in ("village-1", "wrong"):
            with pytest.raises(HubError) as caught:
                await site.register.devices.register(
                    actor, site.village, host, port, username="admin", password=password
                )
            said.add((caught.value.kind, caught.value.reason, caught.value.detail, str(caught.value.params)))
    assert len(said) == 1
    assert [one for one in watch.seen if one[0].startswith("127.9")] == []


async def test_a_range_is_read_as_it_is_now(site: Site) -> None:
    """A village's ranges are narrowed: what waits there is no longer reached, what was approved is."""
    waiting, approved = await site.row(OWN, approved=False), await site.row(OWN, approved=True)
    await site.register.villages.change(site.village, ranges=["127.90.1.5"])
    with pytest.raises(HubError) as caught:
        await site.contacts.clock(waiting[0], OWN, site.own.port, "/onvif/device_service")
    assert caught.value.reason == Reason.ADDRESS_REFUSED
    await site.contacts.clock(approved[0], OWN, site.own.port, "/onvif/device_service")
    async with site.database.read() as session:
        assert await session.scalar(select(Village.ranges).where(Village.id == site.village)) == ["127.90.1.5"]
