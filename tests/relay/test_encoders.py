"""Streams of many encoders' settings: each is decoded by a viewer, or named; none is a silent black tile."""

import pytest

from camera_hub.errors import Reason
from tests.relay.camera import Quirks, camera
from tests.relay.encoders import NAMED, PLAYED, encoded
from tests.relay.hub import relay
from tests.relay.peer import viewer


@pytest.mark.parametrize("name", PLAYED)
async def test_a_viewer_decodes_what_the_encoder_makes(name: str) -> None:
    made = encoded(name)
    async with camera(made, Quirks(speed=4)) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        live = await hub.state("a", "live")
        assert (live["width"], live["height"]) == (made.width, made.height)
        for _ in range(20):
            assert await peer.width(0) == made.width
        figures = (await hub.call("figures"))["feeds"]["a"]
        assert (figures["gaps"], figures["dropped"]) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NAMED))
async def test_what_cannot_be_shown_is_named(name: str) -> None:
    async with camera(encoded(name)) as cam, relay(key_frame_timeout=2.0) as hub:
        await hub.open("a", cam)
        said = await hub.until("feed.state", lambda head: head["reason"] is not None)
        assert said.head["reason"] == NAMED[name]


async def test_parameter_sets_of_the_sdp_complete_a_stream_that_has_none() -> None:
    bare = encoded("main")
    async with camera(bare, Quirks(in_band_parameters=False)) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        assert await peer.width(0) == bare.width


@pytest.mark.slow
async def test_a_stream_of_intra_refresh_that_is_joined_late_is_named_for_want_of_a_key_frame() -> None:
    late = Quirks(no_key_frames=True)
    async with camera(encoded("intra refresh"), late) as cam, relay(key_frame_timeout=1.0) as hub:
        await hub.open("a", cam)
        assert (await hub.state("a", "failed"))["reason"] == Reason.NO_KEY_FRAME
