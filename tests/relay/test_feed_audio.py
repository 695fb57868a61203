"""Sound from a camera to a browser's ear: what is set up, what is heard, and what the picture never suffers from it."""

import asyncio
from typing import Any, cast

import numpy as np
import pytest
from av import AudioFrame

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.feed_audio import FeedAudio
from camera_hub.relay.rtsp import client
from camera_hub.relay.rtsp.audio_sdp import AudioStream
from tests.relay.camera import Audio, Camera, Quirks, camera
from tests.relay.clip import clip
from tests.relay.hub import relay
from tests.relay.peer import Peer, viewer
from tests.relay.tones import loudest, tone

PCMU = {"mapped": "0 PCMU/8000"}
OPUS: dict[str, Any] = {"mapped": "97 opus/48000/2", "step": 960, "rate": 48_000}


def singing(hertz: int, codec: str = "pcm_alaw", **audio: Any) -> Quirks:
    rate = audio.get("rate", 8000)
    payloads = tone(hertz, codec, rate=rate, samples=audio.get("step", 320))
    return Quirks(audio=Audio(payloads=payloads, **audio))


async def hears(peer: Peer, hertz: int | None) -> None:
    """Take half seconds of sound in until that tone (None: silence) is the loudest in one."""
    track = next(track for track in peer.tracks if track.kind == "audio")
    async with asyncio.timeout(60):
        while True:
            heard: list[Any] = []
            rate = 48_000
            while sum(map(len, heard)) < rate // 2:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                rate, samples = frame.sample_rate, frame.to_ndarray().reshape(-1)
                heard.append(samples[:: len(frame.layout.channels)])
            found = loudest(np.concatenate(heard), rate)
            if hertz is None and found is None:
                return
            if hertz is not None and found is not None and abs(found - hertz) < 12:
                return


def setups(cam: Camera) -> list[str]:
    return [url.rpartition("/")[2] for method, url, _ in cam.seen.requests if method == "SETUP"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quirks", "transport"),
    [
        (singing(500), "auto"),
        (singing(500), "udp"),
        (singing(500, "pcm_mulaw", **PCMU), "auto"),
        (singing(500, "libopus", **OPUS), "auto"),
        (singing(500, channel=6), "tcp"),
    ],
    ids=["pcma", "pcma over udp", "pcmu", "opus", "a channel of the camera's choice"],
)
async def test_the_tone_of_the_camera_that_is_listened_to_is_heard(quirks: Quirks, transport: Any) -> None:
    async with camera(clip(), quirks) as cam, relay() as hub, viewer(hub, audio=True) as peer:
        await hub.open("s1", cam, audio=True, transport=transport)
        live = await hub.state("s1", "live")
        assert (live["audio"], live["audio_codec"]) == ("plays", quirks.audio.mapped.split()[1].split("/")[0].lower())
        await hub.call("track.show", viewer="v", track=0, feed="s1", serial=1)
        await hub.call("audio.listen", viewer="v", feed="s1", serial=5)
        state = (await hub.until("audio.state", lambda head: head["phase"] == "live")).head
        assert (state["viewer"], state["serial"], state["feed"]) == ("v", 5, "s1")
        await hears(peer, 500)
        assert await peer.width(0) == 320


@pytest.mark.slow
async def test_listening_moves_between_cameras_of_different_codecs_and_stops_on_one_track() -> None:
    async with (
        camera(clip(), singing(500)) as low,
        camera(clip(), singing(900, "libopus", **OPUS)) as high,
        relay() as hub,
        viewer(hub, audio=True) as peer,
    ):
        await hub.open("low", low, audio=True)
        await hub.call("audio.listen", viewer="v", feed="low", serial=1)
        await hub.call("audio.listen", viewer="v", feed="high", serial=2)  # before it is open
        await hub.open("high", high, audio=True)
        await hears(peer, 900)
        await hub.call("audio.listen", viewer="v", feed="low", serial=3)
        await hears(peer, 500)
        await hub.call("audio.listen", viewer="v", feed=None, serial=4)
        await hub.until("audio.state", lambda head: (head["serial"], head["phase"]) == (4, "empty"))
        sent = (await hub.call("figures"))["viewers"]["v"]["audio"]["packets"]
        low_heard = (await hub.call("figures"))["feeds"]["low"]["audio_packets"]
        while (figures := await hub.call("figures"))["feeds"]["low"]["audio_packets"] < low_heard + 10:
            await hub.until("feed.state")
        assert figures["viewers"]["v"]["audio"]["packets"] == sent
        assert figures["feeds"]["low"]["listeners"] == 0


@pytest.mark.slow
async def test_another_stream_of_the_camera_takes_over_with_its_first_sound() -> None:
    async with (
        camera(clip(), singing(500)) as sub,
        camera(clip(), Quirks()) as silent,
        camera(clip(), singing(900)) as main,
        relay() as hub,
        viewer(hub, audio=True) as peer,
    ):
        for name, cam in (("sub", sub), ("silent", silent)):
            await hub.open(name, cam, audio=True)
            await hub.call("audio.listen", viewer="v", feed=name, serial=1)
        await hub.state("silent", "live")
        await hears(peer, 500)
        await hub.call("audio.listen", viewer="v", feed="main", serial=1)
        await hub.open("main", main, audio=True)
        await hears(peer, 900)
        listeners = {name: feed["listeners"] for name, feed in (await hub.call("figures"))["feeds"].items()}
        assert listeners == {"sub": 0, "silent": 0, "main": 1}


async def test_a_feed_that_may_have_no_sound_asks_the_camera_for_none() -> None:
    async with camera(clip(), singing(500)) as cam, relay() as hub:
        await hub.open("s1", cam)
        live = await hub.state("s1", "live")
        assert (live["audio"], live["audio_codec"]) == (None, None)
        assert setups(cam) == ["trackID=1"]


async def test_a_codec_that_browsers_do_not_play_is_named_and_never_set_up() -> None:
    async with camera(clip(), Quirks(audio=Audio(mapped="97 mpeg4-generic/16000/1"))) as cam, relay() as hub:
        await hub.open("s1", cam, audio=True)
        live = await hub.state("s1", "live")
        assert (live["audio"], live["audio_codec"]) == ("unsupported", "aac")
        assert setups(cam) == ["trackID=1"]


@pytest.mark.parametrize(
    "audio",
    [
        Audio(answer=b"RTSP/1.0 461 Unsupported Transport\r\nCSeq: {cseq}\r\n\r\n"),
        Audio(answer=b"RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\n\r\n"),
        Audio(channel=0),
    ],
    ids=["refused", "demands a login for it", "on the picture's channel"],
)
async def test_a_camera_that_refuses_its_sound_keeps_its_picture(audio: Audio) -> None:
    async with camera(clip(), Quirks(audio=audio)) as cam, relay() as hub:
        await hub.open("s1", cam, audio=True)
        live = await hub.state("s1", "live")
        assert (live["audio"], live["audio_codec"]) == ("refused", "pcma")
        assert cam.seen.connections == 1


async def test_while_the_camera_is_asked_for_its_sound_nothing_is_said_of_it() -> None:
    sound = FeedAudio("s1", limit=1200, now=lambda: 0.0)
    said: list[str | None] = []

    class Asked:
        audio = AudioStream("pcma", 8, "trackID=2", 8000)
        ordered = True

        async def set_up_audio(self, *_: object) -> None:
            said.append(sound.state)
            if len(said) == 3:
                raise HubError(Kind.UNAVAILABLE, "refused", reason=Reason.BAD_REPLY)

    for _ in range(3):
        await sound.set_up(cast(Any, Asked()), allowed=True)
        sound.session_ended(had_picture=True)
    assert said == [None, "plays", "plays"]
    assert sound.state == "refused"


@pytest.mark.slow
async def test_a_camera_that_chokes_on_the_second_setup_is_opened_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "AUDIO_DEADLINE", 0.2)
    async with camera(clip(), Quirks(audio=Audio(ignore=2))) as cam, relay(open_timeout=1.0) as hub:
        await hub.open("s1", cam, audio=True)
        live = await hub.state("s1", "live")
        assert (live["audio"], live["audio_codec"]) == ("refused", "pcma")
        assert setups(cam) == ["trackID=1", "trackID=2", "trackID=1"]
        cam.hang_up()
        said = len(hub.said)
        await hub.until("feed.state", lambda head: head["phase"] == "live", since=said)
        assert setups(cam)[3:] == ["trackID=1"]


@pytest.mark.slow
async def test_a_flood_of_sound_costs_the_sound_alone() -> None:
    flood = Audio(payloads=(b"x" * 160,), step=1, rate=1_000_000)
    async with camera(clip(), Quirks(audio=flood)) as cam, relay() as hub:
        await hub.open("s1", cam, audio=True)
        failed = await hub.state("s1", "failed")
        assert failed["reason"] == "reply_too_large"
        live = await hub.until("feed.state", lambda head: (head["phase"], head["audio"]) == ("live", "refused"))
        assert live.head["audio_codec"] == "pcma"
        assert setups(cam) == ["trackID=1", "trackID=2", "trackID=1"]
