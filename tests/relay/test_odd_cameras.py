"""Cameras that depart from RTSP and SDP as those of the field do (the simulator's faults): they play, and what was
learnt of them is told to the hub; or they are refused with the true reason."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any

import pytest

from camera_hub.errors import Reason
from camera_hub.peculiarity_kinds import PeculiarityKind as K
from camera_hub.relay.messages import FeedSpec, Peculiarity, RtspLiveSource
from camera_hub.relay.rtsp import connection
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.testing import alike, small_farm
from tests.relay.hub import Hub, relay

FASTEST = 50
"""Frames per second that no camera here exceeds."""


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm() as farm:
        yield farm


def spec_of(
    farm: Farm, *, password: str | None = None, known: dict[str, str] | None = None, number: int = 0
) -> FeedSpec:
    """A feed of the village's camera of that number."""
    device: dict[str, Any] = farm.describe()["villages"][0]["devices"][number]
    (channel,) = device["channels"]
    source = RtspLiveSource(
        channel["sub_url"],
        device["host"],
        device["rtsp_port"],
        device["username"],
        device["password"] if password is None else password,
        peculiarities=tuple(Peculiarity(kind, value) for kind, value in (known or {}).items()),
    )
    return FeedSpec(f"s{number}", source, group="village", device=device["key"])


async def opened(hub: Hub, spec: FeedSpec) -> None:
    await hub.pipe.call(spec.head("feed.open"))


def learnt(hub: Hub, feed: str = "s0") -> dict[str, str]:
    """What the relay has told of the device; that of Digest, which it offers as cameras do, left out."""
    heads = [frame.head for frame in hub.said if frame.type == "feed.learnt"]
    told = {head["kind"]: head["value"] for head in heads if head["feed"] == feed}
    assert told.pop(K.DIGEST_OFFERED) == "yes"
    return told


def phases(hub: Hub, feed: str = "s0") -> list[str]:
    heads = [frame.head for frame in hub.said if frame.type == "feed.state"]
    return [head["phase"] for head in heads if head["feed"] == feed]


async def opens(hub: Hub, feed: str) -> int:
    return int((await hub.call("figures"))["feeds"][feed]["opens"])


async def shows(hub: Hub, frames: int, feed: str = "s0") -> None:
    """Wait until so many more frames have come of the feed."""
    async with asyncio.timeout(60):
        before = await counted(hub, feed)
        while (missing := before + frames - await counted(hub, feed)) > 0:
            await spare(missing)


async def counted(hub: Hub, feed: str) -> int:
    """Frames that have come of the feed."""
    return int((await hub.call("figures"))["feeds"][feed]["frames"])


async def spare(frames: int) -> None:
    """Let the time pass that so many frames take at least: asked without a pause, a relay does nothing but answer."""
    await asyncio.sleep(frames / FASTEST)


@dataclass(frozen=True)
class Odd:
    """A camera with its fault, and the relay's feed of it."""

    fault: Fault
    value: float | None
    feed: str


@asynccontextmanager
async def side_by_side(
    faults: Sequence[tuple[Fault, float | None]], known: Sequence[dict[str, str] | None] = ()
) -> AsyncIterator[tuple[Hub, list[Odd]]]:
    """A camera for each fault, all of them opened at once in one relay: each takes seconds, most of them waiting.

    `known`: what is known of the first ones already.
    """
    async with small_farm(plan=alike(len(faults))) as farm, relay(opens_per_village=len(faults)) as hub:
        made = []
        for number, ((fault, value), told) in enumerate(zip(faults, chain(known, repeat(None)), strict=False)):
            spec = spec_of(farm, number=number, known=told)
            await farm.set_fault(spec.device, fault, value=value)
            await opened(hub, spec)
            made.append(Odd(fault, value, spec.feed))
        yield hub, made


PLAYS: list[tuple[Fault, float | None, dict[str, str]]] = [
    (Fault.CSEQ_ZERO, None, {K.RTSP_CSEQ: "wrong"}),  # case 01
    (Fault.CSEQ_BEFORE, None, {K.RTSP_CSEQ: "wrong"}),
    (Fault.CSEQ_MISSING, None, {K.RTSP_CSEQ: "missing"}),
    (Fault.BLANK_HEADER_LINE, None, {}),  # case 02
    (Fault.STRAY_BYTES, 8, {K.RTSP_STRAY_BYTES: "yes"}),  # case 03
    (Fault.PLAY_REFUSES_SLASH, 405, {K.RTSP_CONTROL_URL: "request"}),  # case 04
    (Fault.PLAY_REFUSES_SLASH, 404, {K.RTSP_CONTROL_URL: "request"}),
    (Fault.PLAY_SESSION_URL, 460, {}),
    (Fault.PLAY_SESSION_URL, 454, {}),
    (Fault.OPTIONS_FIRST, 400, {K.RTSP_OPTIONS_FIRST: "yes"}),  # case 05
    (Fault.OPTIONS_FIRST, 455, {K.RTSP_OPTIONS_FIRST: "yes"}),
    (Fault.OPTIONS_FIRST, 0, {K.RTSP_OPTIONS_FIRST: "yes"}),
    (Fault.OPTIONS_FIRST, -1, {K.RTSP_OPTIONS_FIRST: "yes"}),
    (Fault.NEW_NONCE, 0, {}),  # case 07: in mid-session it is no wrong password
    (Fault.REALM_WITH_BASIC, None, {}),  # case 08
    (Fault.SDP_BARE, None, {}),  # case 09
    (Fault.SDP_TWO_TYPES, None, {}),  # case 10
    (Fault.CONTENT_BASE_ODD, None, {}),  # case 11
    (Fault.TCP_REFUSED, None, {K.RTSP_TRANSPORT: "udp"}),
]


@pytest.mark.slow
async def test_they_play_and_what_was_learnt_is_told() -> None:
    async def plays(hub: Hub, one: Odd, told: dict[str, str]) -> None:
        await hub.state(one.feed, "live")
        await shows(hub, 20, one.feed)
        assert "failed" not in phases(hub, one.feed), one
        assert learnt(hub, one.feed) == told, one

    async with side_by_side([(fault, value) for fault, value, _ in PLAYS]) as (hub, cameras):
        await asyncio.gather(*(plays(hub, one, told) for one, (*_, told) in zip(cameras, PLAYS, strict=True)))


@pytest.mark.parametrize(
    ("fault", "value", "known"),
    [(fault, value, told) for fault, value, told in PLAYS if told and value not in (404, 455, -1)],
)
async def test_what_is_known_already_is_used_and_not_told_again(
    farm: Farm, fault: Fault, value: float | None, known: dict[str, str]
) -> None:
    spec = spec_of(farm, known={**known, K.DIGEST_OFFERED: "yes"})
    await farm.set_fault(spec.device, fault, value=value)
    async with relay() as hub:
        await opened(hub, spec)
        live = await hub.state("s0", "live")
        assert live["signalling_ms"] < 3000, "a silent camera was not waited for"
        assert [frame.head for frame in hub.said if frame.type == "feed.learnt"] == []


KEEP_ALIVES: list[tuple[Fault, str | None]] = [
    (Fault.KEEP_ALIVE_GET_PARAMETER, None),  # VLC lists it: no cut at all
    (Fault.KEEP_ALIVE_UNLISTED, "GET_PARAMETER"),
    (Fault.KEEP_ALIVE_OPTIONS, "OPTIONS"),
    (Fault.KEEP_ALIVE_RTCP, "RTCP"),
]


@pytest.mark.slow
async def test_a_cut_teaches_what_keeps_sessions_alive_and_is_no_failure() -> None:
    """Case 06. The session's time-out is four seconds; what has been learnt holds for longer than that."""

    async def learns(hub: Hub, one: Odd, method: str | None) -> None:
        await hub.state(one.feed, "live")
        if method is not None:
            await hub.until("feed.learnt", lambda head: (head["feed"], head["value"]) == (one.feed, method))
        before = await opens(hub, one.feed)
        await shows(hub, 60, one.feed)  # six seconds
        assert await opens(hub, one.feed) <= before + (method is not None), one
        assert "failed" not in phases(hub, one.feed), one
        assert learnt(hub, one.feed) == ({K.RTSP_KEEP_ALIVE: method} if method is not None else {}), one

    async def holds(hub: Hub, one: Odd) -> None:
        await hub.state(one.feed, "live")
        await shows(hub, 75, one.feed)
        assert await opens(hub, one.feed) == 1, "what kept sessions alive before is used from the beginning"

    faults = [(Fault.KEEP_ALIVE_RTCP, 3), *((fault, 4) for fault, _ in KEEP_ALIVES)]
    known: dict[str, str] = {K.RTSP_KEEP_ALIVE: "RTCP", K.DIGEST_OFFERED: "yes"}
    async with side_by_side(faults, [known]) as (hub, cameras):
        first, *others = cameras
        learning = (learns(hub, one, method) for one, (_, method) in zip(others, KEEP_ALIVES, strict=True))
        await asyncio.gather(holds(hub, first), *learning)


@pytest.mark.parametrize("fault", [Fault.BARE_401, Fault.NEW_NONCE])
async def test_a_wrong_password_is_named_and_final_however_it_is_refused(farm: Farm, fault: Fault) -> None:
    """P1: a bare 401; and one with another nonce each time."""
    spec = spec_of(farm, password="not-it")
    await farm.set_fault(spec.device, fault, value=0)
    async with relay() as hub:
        await opened(hub, spec)
        said = await hub.state("s0", "failed")
        assert (said["reason"], said["final"]) == (Reason.WRONG_PASSWORD, True)


REFUSED: list[tuple[Fault, Reason, str]] = [
    (Fault.MULTICAST_ONLY, Reason.MULTICAST_ONLY, "multicast"),
    (Fault.TLS_PORT, Reason.TLS_NEEDED, "rtsps://"),
    (Fault.WEB_SERVER, Reason.NOT_RTSP, "web server"),
    (Fault.CODEC_UNNAMED, Reason.CODEC_UNSUPPORTED, "does not say which codec"),
]


@pytest.mark.parametrize(("fault", "reason", "words"), REFUSED)
async def test_what_cannot_play_says_the_true_cause(farm: Farm, fault: Fault, reason: Reason, words: str) -> None:
    spec = spec_of(farm)
    await farm.set_fault(spec.device, fault)
    async with relay() as hub:
        await opened(hub, spec)
        said = await hub.state("s0", "failed")
        assert said["reason"] == reason
        assert words in said["detail"]


async def test_rtsps_at_a_plain_port_is_named(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TLS_DEADLINE", 0.2)  # it does not answer a handshake, however long one waits
    spec = spec_of(farm)
    assert isinstance(spec.source, RtspLiveSource)
    spec = replace(spec, source=replace(spec.source, url=spec.source.url.replace("rtsp://", "rtsps://")))
    async with relay() as hub:
        await opened(hub, spec)
        said = await hub.state("s0", "failed")
        assert said["reason"] == Reason.TLS_FAILED
        assert "rtsp://" in said["detail"]
