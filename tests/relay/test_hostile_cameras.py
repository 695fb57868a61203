"""Cameras that attack: every open ends in time, memory stays, nothing reaches the canary, no password is given away."""

import asyncio
import base64
import os
import random
import re
import resource
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from camera_hub.errors import Reason
from camera_hub.relay.ingest.feed_state import UNEXPECTED
from camera_hub.relay.messages import FeedSpec, RtspLiveSource
from camera_hub.simulator.canary import Canary
from camera_hub.wire import PipeFrame
from tests.fuzz.mutate import mutate
from tests.relay import hostile_matrix
from tests.relay.hostile_cameras import MATRIX, PASSWORD, USER, Hostile, Talk, hostile_camera
from tests.relay.hub import Hub, relay

CANARY = "127.0.0.66"
ROOM = 32 * 1024 * 1024
OPEN, MEDIA = 1.5, 0.8
CORPUS = Path(__file__).parents[1] / "data" / "corpora" / "cameras"
CONFIG = {"open_timeout": OPEN, "media_timeout": MEDIA, "key_frame_timeout": 2.0, "opens_at_once": 64}
WAITS = frozenset({Reason.TIMED_OUT, Reason.NO_MEDIA, Reason.STALLED, Reason.NO_KEY_FRAME})
"""Reasons that are found by waiting."""


def memory() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class Ear:
    """The canary, by TCP and by UDP on one port."""

    def __init__(self, canary: Canary, udp: socket.socket) -> None:
        self.canary, self.udp = canary, udp
        self.address = f"{CANARY}:{canary.port}"

    def silent(self) -> bool:
        try:
            self.udp.recv(2000)
        except BlockingIOError:
            return self.canary.connections == 0
        return False


@asynccontextmanager
async def ear() -> AsyncIterator[Ear]:
    async with Canary(CANARY) as canary:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((CANARY, canary.port))
            udp.setblocking(False)
            yield Ear(canary, udp)


async def open_feed(hub: Hub, name: str, port: int) -> None:
    source = RtspLiveSource(f"rtsp://127.0.0.1:{port}/live/1", "127.0.0.1", port, USER, PASSWORD)
    spec = FeedSpec(name, source, group=name, device=name)
    await hub.pipe.call(spec.head("feed.open"))


async def ending(hub: Hub, name: str) -> dict[str, object]:
    """The first failure of a feed."""
    found = await hub.until("feed.state", lambda head: head["feed"] == name and head["phase"] == "failed")
    return found.head


def gave_away(heard: bytes) -> bool:
    """Whether the password was told in the clear, or as Basic, which is the same."""
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    return PASSWORD.encode() in heard or basic in heard


async def seen_through(cameras: Sequence[Hostile], patience: float) -> None:
    """Open all of them at once in one relay; each ends as it may, and nothing of them is left."""
    async with AsyncExitStack() as stack:
        canary = await stack.enter_async_context(ear())
        hub = await stack.enter_async_context(relay(**{**CONFIG, "open_timeout": patience}))
        opened = [(one, *await stack.enter_async_context(hostile_camera(one, canary.address))) for one in cameras]
        before, files = memory(), len(os.listdir("/proc/self/fd"))
        for one, port, _ in opened:
            await open_feed(hub, one.name, port)
        for one, _, heard in opened:
            said = await ending(hub, one.name)
            assert said["reason"] in one.reasons, one.name
            assert said["detail"] != UNEXPECTED, one.name
            phases = [word.head["phase"] for word in hub.said if word.type == "feed.state" and is_of(one, word)]
            assert one.live or "live" not in phases, one.name
            assert not gave_away(bytes(heard)), one.name
        assert memory() - before < ROOM
        for one, _, _ in opened:
            await hub.call("feed.close", feed=one.name)
            await hub.state(one.name, "stopped")
        async with asyncio.timeout(60):
            while len(os.listdir("/proc/self/fd")) > files:
                await hub.call("figures")
        assert canary.silent()
        assert not any(gave_away(bytes(heard)) for _, _, heard in opened)


def is_of(one: Hostile, word: PipeFrame) -> bool:
    return bool(word.head["feed"] == one.name)


@pytest.mark.slow
@pytest.mark.parametrize("one", [one for one in MATRIX if not one.reasons & WAITS], ids=lambda one: one.name)
async def test_a_hostile_camera_is_seen_through(one: Hostile) -> None:
    await seen_through([one], patience=10.0)


@pytest.mark.slow
async def test_hostile_cameras_that_never_come_to_the_point_are_given_up_in_time() -> None:
    await seen_through([one for one in MATRIX if Reason.TIMED_OUT in one.reasons], patience=OPEN)


@pytest.mark.slow
async def test_hostile_cameras_that_play_and_show_nothing_are_given_up_in_time() -> None:
    # Who plays must not be given up before, however busy the machine is.
    waiting = [one for one in MATRIX if one.reasons & WAITS and Reason.TIMED_OUT not in one.reasons]
    await seen_through(waiting, patience=10.0)


def script(data: bytes, number: int) -> Hostile:
    """A camera that says these bytes, in four parts, one for each request; `{cseq}` is the request's."""

    async def act(talk: Talk) -> None:
        for part in data.split(b"\n%%\n"):
            asked = await talk.asked()
            canary = talk.canary.encode()
            await talk.say(part.replace(b"{cseq}", asked["cseq"].encode()).replace(b"{canary}", canary))

    return Hostile(f"mutated {number}", act)


def scripts() -> list[bytes]:
    return [path.read_bytes() for path in sorted(CORPUS.glob("*"))]


@pytest.mark.slow
async def test_eighty_mutated_cameras_at_once_are_borne() -> None:
    known = scripts()
    draw = random.Random(3)
    made = [*known, *(mutate(draw.choice(known), known, draw) for _ in range(80))]
    async with AsyncExitStack() as stack:
        canary = await stack.enter_async_context(ear())
        hub = await stack.enter_async_context(relay(**CONFIG))
        before = memory()
        ears = []
        for number, data in enumerate(made):
            port, heard = await stack.enter_async_context(hostile_camera(script(data, number), canary.address))
            ears.append(heard)
            await open_feed(hub, f"s{number}", port)
        for number in range(len(made)):
            said = await ending(hub, f"s{number}")
            assert said["detail"] != UNEXPECTED, made[number]
        assert memory() - before < ROOM
        assert canary.silent()
        for data, heard in zip(made, ears, strict=True):
            assert not gave_away(bytes(heard)) or re.search(rb"basic", data, re.IGNORECASE)
        for number in range(len(made)):
            await hub.call("feed.close", feed=f"s{number}")


def test_the_matrix_is_whole() -> None:
    assert len(MATRIX) >= 36
    assert hostile_matrix.__doc__
