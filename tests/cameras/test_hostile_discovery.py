"""Answers to Probes that lie: other hosts' addresses, floods, giants. Nothing is connected to but who has answered."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from camera_hub.cameras.discovery.found import MAX_FOUND, FoundDevices, announced_device
from camera_hub.cameras.discovery.sweeps import Sweeps, hosts_at_once
from camera_hub.cameras.discovery.udp import MAX_MATCHES, AnnouncementReceiver
from camera_hub.cameras.discovery.ws_discovery import Announced
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.clock import SystemClock
from camera_hub.events import EventBus, SweepChanged
from camera_hub.settings import DiscoverySettings
from camera_hub.simulator.canary import Canary
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN
from tests.fakes.reach import anywhere, local

pytestmark = pytest.mark.one_database

LIAR, CANARY = "127.0.77.1", "127.0.77.9"
SETTINGS = DiscoverySettings(multicast=False, onvif_timeout=1.0, host_timeout=0.5)
_MESSAGE_ID = re.compile(rb"MessageID>([^<]+)<")


def answer(relates: bytes, xaddrs: str, number: int = 0, *, repeat: int = 1, padding: int = 0) -> bytes:
    match = (
        "<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:{}</a:Address></a:EndpointReference>"
        f"<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/{'x' * padding}</d:Scopes>"
        f"<d:XAddrs>{xaddrs}</d:XAddrs></d:ProbeMatch>"
    )
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>'
        f"{relates.decode()}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>"
        f"{''.join(match.format(number * 1000 + one) for one in range(repeat))}</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


Lies = Callable[[bytes, int], Iterator[bytes]]


def foreign(relates: bytes, port: int) -> Iterator[bytes]:
    yield answer(relates, f"http://{CANARY}:{port}/onvif/device_service")


def with_login(relates: bytes, port: int) -> Iterator[bytes]:
    yield answer(relates, f"http://{LIAR}@{CANARY}:{port}/onvif/device_service http://[::1]:{port}/ file:///etc/passwd")


def mapped(relates: bytes, port: int) -> Iterator[bytes]:
    yield answer(relates, f"http://[::ffff:{CANARY}]:{port}/ https://{CANARY}:{port}/x http://2130725129:{port}/")


def many(relates: bytes, port: int) -> Iterator[bytes]:
    for number in range(10_000):
        yield answer(relates, f"http://{CANARY}:{port}/{number}", number)


def full(relates: bytes, port: int) -> Iterator[bytes]:
    for number in range(50):
        yield answer(relates, " ".join(f"http://{CANARY}:{port}/{one}" for one in range(20)), number, repeat=90)


def huge(relates: bytes, port: int) -> Iterator[bytes]:
    yield answer(relates, f"http://{CANARY}:{port}/", padding=60_000)
    yield b"<" * 60_000
    yield answer(relates, f"http://{CANARY}:{port}/").replace(
        b"<s:Envelope", b"<!DOCTYPE x [<!ENTITY a 'b'>]><s:Envelope"
    )


def foreign_question(relates: bytes, port: int) -> Iterator[bytes]:
    yield answer(b"urn:uuid:somebody-elses", f"http://{CANARY}:{port}/")


class _Liar(asyncio.DatagramProtocol):
    """Answers the first Probe that comes with all of its lies, a few hundred at a time."""

    def __init__(self, lies: Lies, port: int) -> None:
        self._lies = lies
        self._port = port
        self._task: asyncio.Task[None] | None = None

    async def end(self) -> None:
        """Lie no more."""
        self._transport.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        found = _MESSAGE_ID.search(data)
        if found is not None and self._task is None:
            self._task = asyncio.create_task(self._lie(found[1], addr))

    async def _lie(self, relates: bytes, addr: tuple[str, int]) -> None:
        for number, datagram in enumerate(self._lies(relates, self._port)):
            self._transport.sendto(datagram, addr)  # type: ignore[attr-defined]  # asyncio's own base class
            if number % 100 == 99:
                await asyncio.sleep(0)


@asynccontextmanager
async def lying(lies: Lies, canary: Canary) -> AsyncIterator[int]:
    """A host that answers Probes with lies; the UDP port at which it does."""
    transport, liar = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Liar(lies, canary.port), local_addr=(LIAR, 0)
    )
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        await liar.end()


@pytest.mark.slow
@pytest.mark.parametrize("lies", [foreign, with_login, mapped, many, full, huge, foreign_question])
async def test_a_liar_leads_nowhere(database: Database, bus: EventBus, villages: list[int], lies: Lies) -> None:
    async with AsyncExitStack() as stack:
        canary = await stack.enter_async_context(Canary(CANARY))
        port = await stack.enter_async_context(lying(lies, canary))
        onvif = await stack.enter_async_context(Onvif(SETTINGS, SystemClock(), check=anywhere))
        sweeps = await stack.enter_async_context(
            Sweeps(SETTINGS, onvif, bus, SystemClock(), database, local, discovery_port=port)
        )
        with bus.subscribe(SweepChanged) as told:
            view = await sweeps.start(ADMIN, villages[0], multicast=False, ranges=[LIAR], ports=[9])
            async with asyncio.timeout(60):
                while view.state == "running":
                    await told.next()
                    view = await sweeps.get(ADMIN, view.id)
    assert (canary.connections, canary.heard) == (0, [])
    assert view.state == "done"
    assert {one.host for one in view.found} <= {LIAR}
    assert len(view.found) <= 1


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


def test_ten_thousand_answers_take_bounded_memory_and_room() -> None:
    heard: list[Announced] = []
    receiver = AnnouncementReceiver(heard.append)
    sent: list[bytes] = []

    class Wire:
        def is_closing(self) -> bool:
            return False

        def sendto(self, data: bytes, addr: tuple[str, int]) -> None:
            sent.append(data)

    receiver._transport = Wire()  # type: ignore[assignment]
    receiver.ask(("10.0.0.1", 3702))
    found = _MESSAGE_ID.search(sent[0])
    assert found is not None
    devices = FoundDevices(1)
    before = resident()
    for number in range(10_000):
        host = f"10.{number >> 8 & 3}.{number & 255}.9"  # a segment where everybody lies
        receiver.datagram_received(answer(found[1], f"http://{CANARY}/", number, padding=300), (host, 3702))
    for one in heard:
        devices.add(announced_device(one, "multicast"))
    grown = resident() - before
    assert len(heard) == MAX_MATCHES
    assert len(devices) <= MAX_FOUND
    assert {one.host for one in heard}.isdisjoint({CANARY})
    assert grown < 32 << 20


def test_one_host_that_floods_is_not_read_for_long() -> None:
    heard: list[Announced] = []
    receiver = AnnouncementReceiver(heard.append)
    for _ in range(5000):
        receiver.datagram_received(b"<" * 2000, (LIAR, 3702))
    assert (heard, receiver.ignored) == ([], 5000)
    assert receiver._read[LIAR] == 5000


@pytest.mark.parametrize(
    ("wanted", "ports", "descriptors", "hosts"),
    [(256, 5, 20_000, 256), (256, 5, 1024, 64), (256, 5, 64, 8), (256, 5, -1, 256), (16, 5, 20_000, 16)],
)
def test_as_many_hosts_are_probed_as_descriptors_allow(wanted: int, ports: int, descriptors: int, hosts: int) -> None:
    assert hosts_at_once(wanted, ports, descriptors) == hosts
