"""Cameras that depart from RTSP and SDP as those of the field do (the simulator's faults): they play, and what was
learnt of them is told to the hub; or they are refused with the true reason."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from camera_hub.errors import Reason
from camera_hub.peculiarity_kinds import PeculiarityKind as K
from camera_hub.relay.messages import FeedSpec, Peculiarity, RtspLiveSource
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.testing import small_farm
from tests.relay.hub import Hub, relay


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm() as farm:
        yield farm


def spec_of(farm: Farm, *, password: str | None = None, known: dict[str, str] | None = None) -> FeedSpec:
    device: dict[str, Any] = farm.describe()["villages"][0]["devices"][0]
    (channel,) = device["channels"]
    source = RtspLiveSource(
        channel["sub_url"],
        device["host"],
        device["rtsp_port"],
        device["username"],
        device["password"] if password is None else password,
        peculiarities=tuple(Peculiarity(kind, value) for kind, value in (known or {}).items()),
    )
    return FeedSpec("s1", source, group="village", device=device["key"])


async def opened(hub: Hub, spec: FeedSpec) -> None:
    await hub.pipe.call(spec.head("feed.open"))


def learnt(hub: Hub) -> dict[str, str]:
    """What the relay has told of the device; that of Digest, which it offers as cameras do, left out."""
    told = {frame.head["kind"]: frame.head["value"] for frame in hub.said if frame.type == "feed.learnt"}
    assert told.pop(K.DIGEST_OFFERED) == "yes"
    return told


def phases(hub: Hub) -> list[str]:
    return [frame.head["phase"] for frame in hub.said if frame.type == "feed.state"]


async def shows(hub: Hub, frames: int) -> None:
    """Wait until so many frames have come in all."""
    while (await hub.call("figures"))["feeds"]["s1"]["frames"] < frames:
        pass


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
    (Fault.REALM_WITH_BASIC, None, {}),  # case 08
    (Fault.SDP_BARE, None, {}),  # case 09
    (Fault.SDP_TWO_TYPES, None, {}),  # case 10
    (Fault.CONTENT_BASE_ODD, None, {}),  # case 11
    (Fault.TCP_REFUSED, None, {K.RTSP_TRANSPORT: "udp"}),
]


@pytest.mark.parametrize(("fault", "value", "told"), PLAYS)
async def test_it_plays_and_what_was_learnt_is_told(
    farm: Farm, fault: Fault, value: float | None, told: dict[str, str]
) -> None:
    spec = spec_of(farm)
    await farm.set_fault(spec.device, fault, value=value)
    async with relay() as hub:
        await opened(hub, spec)
        await hub.state("s1", "live")
        await shows(hub, 20)
        assert "failed" not in phases(hub)
        assert learnt(hub) == told


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
        live = await hub.state("s1", "live")
        assert live["signalling_ms"] < 3000, "a silent camera was not waited for"
        assert [frame.head for frame in hub.said if frame.type == "feed.learnt"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "method"),
    [
        (Fault.KEEP_ALIVE_GET_PARAMETER, None),  # VLC lists it: no cut at all
        (Fault.KEEP_ALIVE_UNLISTED, "GET_PARAMETER"),
        (Fault.KEEP_ALIVE_OPTIONS, "OPTIONS"),
        (Fault.KEEP_ALIVE_RTCP, "RTCP"),
    ],
)
async def test_a_cut_teaches_what_keeps_sessions_alive_and_is_no_failure(
    farm: Farm, fault: Fault, method: str | None
) -> None:
    """Case 06. The session's time-out is four seconds; what has been learnt holds for longer than that."""
    spec = spec_of(farm)
    await farm.set_fault(spec.device, fault, value=4)
    async with relay() as hub:
        await opened(hub, spec)
        if method is not None:
            await hub.until("feed.learnt", lambda head: head["value"] == method)
        opens = (await hub.call("figures"))["feeds"]["s1"]["opens"]
        frames = (await hub.call("figures"))["feeds"]["s1"]["frames"]
        await shows(hub, frames + 60)  # six seconds
        assert (await hub.call("figures"))["feeds"]["s1"]["opens"] <= opens + (method is not None)
        assert "failed" not in phases(hub)
        assert learnt(hub) == ({K.RTSP_KEEP_ALIVE: method} if method is not None else {})


@pytest.mark.slow
async def test_what_kept_sessions_alive_before_is_used_from_the_beginning(farm: Farm) -> None:
    spec = spec_of(farm, known={K.RTSP_KEEP_ALIVE: "RTCP", K.DIGEST_OFFERED: "yes"})
    await farm.set_fault(spec.device, Fault.KEEP_ALIVE_RTCP, value=3)  # seconds, less than the frames below take
    async with relay() as hub:
        await opened(hub, spec)
        await hub.state("s1", "live")
        await shows(hub, 75)
        assert (await hub.call("figures"))["feeds"]["s1"]["opens"] == 1


async def test_a_new_nonce_in_mid_session_is_no_wrong_password(farm: Farm) -> None:
    """Case 07."""
    spec = spec_of(farm)
    await farm.set_fault(spec.device, Fault.NEW_NONCE, value=0)
    async with relay() as hub:
        await opened(hub, spec)
        await hub.state("s1", "live")
        await shows(hub, 20)
        assert phases(hub)[-1] == "live"


@pytest.mark.parametrize("fault", [Fault.BARE_401, Fault.NEW_NONCE])
async def test_a_wrong_password_is_named_and_final_however_it_is_refused(farm: Farm, fault: Fault) -> None:
    """P1: a bare 401; and one with another nonce each time."""
    spec = spec_of(farm, password="not-it")
    await farm.set_fault(spec.device, fault, value=0)
    async with relay() as hub:
        await opened(hub, spec)
        said = await hub.state("s1", "failed")
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
        said = await hub.state("s1", "failed")
        assert said["reason"] == reason
        assert words in said["detail"]


async def test_rtsps_at_a_plain_port_is_named(farm: Farm) -> None:
    spec = spec_of(farm)
    assert isinstance(spec.source, RtspLiveSource)
    spec = replace(spec, source=replace(spec.source, url=spec.source.url.replace("rtsp://", "rtsps://")))
    async with relay() as hub:
        await opened(hub, spec)
        said = await hub.state("s1", "failed")
        assert said["reason"] == Reason.TLS_FAILED
        assert "rtsp://" in said["detail"]
