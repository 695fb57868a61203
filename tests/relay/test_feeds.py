"""A relay pulls cameras: what it says of good ones and bad ones."""

from tests.relay.camera import camera
from tests.relay.clip import clip
from tests.relay.hub import relay


async def test_a_feed_goes_live_and_says_what_it_is() -> None:
    async with camera(clip()) as cam, relay() as hub:
        await hub.open("s1", cam)
        live = await hub.state("s1", "live")
        assert (live["codec"], live["width"], live["height"]) == ("h264", 320, 240)
        assert 0 < live["signalling_ms"] < 2000
        assert 0 <= live["stream_ms"] <= live["key_frame_ms"] < 2000
