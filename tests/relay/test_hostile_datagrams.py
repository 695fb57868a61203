"""Strangers and forgers at the relay's one UDP port: nobody's session ends, memory stays, everything is counted."""

import asyncio
import gc
import os
import random
import re
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from aioice import stun
from aiortc import RTCPeerConnection

from camera_hub.errors import HubError, Reason
from camera_hub.relay.peer.repair_budget import LOOKUPS
from camera_hub.relay.webrtc.dtls import MAX_SENDERS
from camera_hub.relay.webrtc.rtcp import MAX_NACKED
from tests.relay.camera import camera
from tests.relay.clip import clip
from tests.relay.forger import Forger, forger
from tests.relay.hostile import Attack, attacks, check, client_hello
from tests.relay.hub import Hub, relay, relay_process
from tests.relay.peer import Peer, viewer

ROOM = 9_000
"""Objects by which this process may grow under 18,000 datagrams: one kept by mistake of each would be twice as many."""


def objects() -> int:
    """Blocks of memory that Python objects hold: how full its arenas are is the business of all tests before."""
    gc.collect()
    return sys.getallocatedblocks()


def fragments(answer: str) -> str:
    return re.search(r"a=ice-ufrag:(\S+)", answer)[1]  # type: ignore[index]  # it has one


@asynccontextmanager
async def stranger(port: int) -> AsyncIterator[Callable[[bytes], object]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.connect(("127.0.0.1", port))
        yield made.send


async def send(way: Callable[[bytes], object], datagrams: Iterable[bytes]) -> None:
    """Send as fast as the relay, in this same loop, reads: nothing is lost on the way."""
    for number, data in enumerate(datagrams):
        way(data)
        if number % 20 == 19:
            for _ in range(3):
                await asyncio.sleep(0)


async def counts(hub: Hub) -> dict[str, int]:
    found: dict[str, int] = (await hub.call("figures"))["relay"]["datagrams"]
    return found


async def counted(hub: Hub, attack: Attack, way: Callable[[bytes], object]) -> None:
    """Send one kind; every datagram is counted, under the one name that it deserves."""
    before = await counts(hub)
    await send(way, attack.datagrams)
    after = await counts(hub)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert sum(grown.values()) == len(attack.datagrams), attack.name
    if attack.counted:
        assert grown.keys() == {attack.counted}, attack.name


async def pictures(peer: Peer, count: int = 30) -> None:
    for _ in range(count):
        assert await peer.width(0) == 320


@pytest.mark.slow
async def test_a_strangers_datagrams_of_every_kind_harm_no_session_and_are_counted_by_kind() -> None:
    async with camera(clip()) as cam, relay() as hub, viewer(hub) as peer, stranger(await hub.port()) as way:
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        await pictures(peer, 1)
        theirs = re.search(r"a=ice-ufrag:(\S+)", peer.connection.localDescription.sdp)
        assert theirs is not None
        kinds = attacks(fragments(peer.answer["sdp"]), theirs[1])
        before = objects()
        for attack in kinds:
            await counted(hub, attack, way)
        assert objects() - before < ROOM
        await pictures(peer)
        assert [frame.type for frame in hub.said].count("viewer.state") == 1


@pytest.mark.slow
async def test_a_strangers_datagrams_before_a_viewer_connects_do_not_keep_it_out() -> None:
    async with camera(clip()) as cam, relay() as hub, stranger(await hub.port()) as way:
        kinds = attacks("unknown", "unknown")

        async def attack_first(answer: str) -> None:
            for attack in kinds:
                await send(way, attack.datagrams)

        async with viewer(hub, before=attack_first) as peer:
            await hub.open("a", cam)
            await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
            await pictures(peer)


@asynccontextmanager
async def forged_viewer(hub: Hub, way: Forger) -> AsyncIterator[Peer]:
    async with viewer(hub, port=way.port) as peer:
        yield peer


@pytest.mark.slow
async def test_datagrams_in_a_viewers_own_name_do_not_end_its_session() -> None:
    async with camera(clip()) as cam, relay() as hub, forger(await hub.port()) as way, forged_viewer(hub, way) as peer:
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        await pictures(peer, 1)
        before = objects()
        for attack in attacks(fragments(peer.answer["sdp"]), "x"):
            await send(way.forge, attack.datagrams)
            await pictures(peer, 1)
        assert objects() - before < ROOM
        await pictures(peer)
        assert [frame.type for frame in hub.said].count("viewer.state") == 1


SPOILERS = ("junk dtls handshake", "dtls alert", "dtls goodbye", "client hello")
"""DTLS believes these while it shakes hands: its first flights are in the clear. From a stranger none gets that far."""


async def handshake_under(hub: Hub, attack: Attack) -> str:
    """Connect while the attack is sent in the viewer's name before its first DTLS messages: how that ended."""
    async with forger(await hub.port()) as way:
        hellos = 0

        def meets(data: bytes) -> None:
            nonlocal hellos
            if data[0] == 22 and (hellos := hellos + 1) <= 2:
                for forged in attack.datagrams[:100]:
                    way.forge(forged)

        way.meets = meets
        async with viewer(hub, port=way.port, awaited=("connected", "closed")):
            state = await hub.until("viewer.state")
            assert hellos >= 1
            return str(state.head["state"])


@pytest.mark.parametrize(
    "attack",
    [attack for attack in attacks("ours", "theirs", 200) if attack.name not in SPOILERS],
    ids=lambda attack: attack.name,
)
async def test_datagrams_in_a_viewers_own_name_during_its_handshake_do_not_spoil_it(attack: Attack) -> None:
    async with relay() as hub:
        assert await handshake_under(hub, attack) == "connected"


@pytest.mark.parametrize(
    "attack",
    [attack for attack in attacks("ours", "theirs", 200) if attack.name in SPOILERS],
    ids=lambda attack: attack.name,
)
async def test_a_handshake_that_was_spoiled_is_over_in_time_and_the_next_one_succeeds(attack: Attack) -> None:
    async with relay(connect_timeout=4.0) as hub:
        await handshake_under(hub, attack)
        async with viewer(hub, "next"):
            pass


async def test_a_client_hello_reaches_dtls_only_from_an_address_that_ice_has_proved() -> None:
    async with relay() as hub:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.setblocking(False)
            ear.connect(("127.0.0.1", await hub.port()))

            async def race(answer: str) -> None:
                hello = client_hello()
                await send(ear.send, [hello] * 50)
                await send(ear.send, [check(random.Random(1), f"{fragments(answer)}:x", b"guess"), hello])

            async with viewer(hub, before=race):
                found = await counts(hub)
                assert found["unknown_source"] == 51
                with pytest.raises(BlockingIOError):
                    ear.recv(2000)


@pytest.mark.slow
async def test_a_check_that_was_overheard_draws_no_picture_to_another_address() -> None:
    async with (
        camera(clip()) as cam,
        relay() as hub,
        forger(await hub.port()) as way,
        stranger(await hub.port()) as far,
    ):
        heard: list[bytes] = []
        way.meets = heard.append
        async with viewer(hub, port=way.port) as peer:
            await hub.open("a", cam)
            await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
            await pictures(peer, 1)
            checks = [data for data in heard if data[0] < 4 and stun.parse_message(data).message_class == 0]
            others = [data for data in heard if data[0] >= 20]
            assert checks
            await send(far, checks * 10)
            await send(far, others * 10)
            found = await counts(hub)
            assert found["replayed"] == 10 * len(checks)
            assert found["unknown_source"] == 10 * len(others)
            await pictures(peer)


@pytest.mark.slow
async def test_a_viewer_cannot_take_the_address_of_another_one() -> None:
    async with (
        camera(clip()) as cam,
        relay() as hub,
        forger(await hub.port()) as way,
        viewer(hub, port=way.port) as peer,
        viewer(hub, "thief") as thief,
    ):
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        await pictures(peer, 1)
        theirs = re.search(r"a=ice-ufrag:(\S+)", thief.connection.localDescription.sdp)
        password = re.search(r"a=ice-pwd:(\S+)", thief.answer["sdp"])
        assert theirs is not None
        assert password is not None
        user = f"{fragments(thief.answer['sdp'])}:{theirs[1]}"
        await send(way.forge, [check(random.Random(2), user, password[1].encode()) for _ in range(20)])
        assert (await counts(hub))["address_taken"] == 20
        await pictures(peer)


@pytest.mark.slow
async def test_a_viewer_that_reports_under_ever_new_names_and_asks_for_everything_is_bounded() -> None:
    """Its login is good, its reports are not: libsrtp keeps each sender, and each packet asked for is looked up."""
    async with camera(clip()) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        await pictures(peer, 1)
        transport = peer.connection.getTransceivers()[0].receiver.transport
        track = int(re.findall(r"a=ssrc:(\d+)", peer.answer["sdp"])[0])
        for sender in range(200):
            await transport._send_rtp(struct.pack("!BBHI", 0x80, 201, 1, sender))
        everything = struct.pack("!HH", 1, 0xFFFF) * 300
        for _ in range(20):
            await transport._send_rtp(struct.pack("!BBHII", 0x81, 205, 302, 1, track) + everything)
        await pictures(peer)
        assert (await counts(hub))["too_many_senders"] >= 200 - MAX_SENDERS
        figures = (await hub.call("figures"))["viewers"]["v"]["tracks"][0]
        looked_up = figures["rtx"] + figures["rtx_missed"] + figures["rtx_repeated"]
        assert 0 < looked_up <= 3 * LOOKUPS
        assert figures["rtx_refused"] >= 20 * MAX_NACKED - 3 * LOOKUPS


@pytest.mark.slow
async def test_a_thousand_abandoned_offers_leave_nothing_behind() -> None:
    connection = RTCPeerConnection()
    for _ in range(16):
        connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    sdp = connection.localDescription.sdp
    await connection.close()
    # In a process of its own: how much memory the suite's process keeps is not the relay's doing.
    async with relay_process(connect_timeout=0.2, max_viewers=64) as (hub, process):

        async def kept() -> tuple[int, int, int]:
            figures = (await hub.call("figures"))["relay"]
            return figures["tasks"], len(os.listdir(f"/proc/{process}/fd")), figures["rss_bytes"]

        await abandon(hub, sdp, 100)
        tasks, files, memory_before = await kept()
        await abandon(hub, sdp, 1000)
        async with asyncio.timeout(60):  # the last viewers' tasks end a moment after they have been reaped
            while (await kept())[0] > tasks:
                pass
        _, files_after, memory_after = await kept()
        assert files_after <= files
        assert memory_after - memory_before < 8 * 1024 * 1024  # 2 MB; 40 when the garbage of many viewers is waited out


async def abandon(hub: Hub, sdp: str, count: int) -> None:
    """Make offers as fast as the cap admits, and wait until all have been reaped."""
    made = 0
    begun = len(hub.said)

    def reaped() -> int:
        return sum(frame.type == "viewer.state" for frame in hub.said[begun:])

    while made < count:
        try:
            await hub.call("viewer.offer", viewer=f"abandoned {begun} {made}", sdp=sdp)
            made += 1
        except HubError as error:
            if error.reason != Reason.BUSY:
                raise
            gone = reaped()
            while reaped() == gone:
                await hub.until("viewer.state", since=begun + gone)
    async with asyncio.timeout(60):
        while (await hub.call("figures"))["viewers"]:
            pass
    reasons = {frame.head["reason"] for frame in hub.said[begun:] if frame.type == "viewer.state"}
    assert reasons == {"reaped"}
