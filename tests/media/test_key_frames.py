"""Key frames for taps and for those who wait: what the relay is asked, also one that opens the feed anew."""

import asyncio

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.relay.messages import KeyFrame

KEY = FeedKey(0, "s12")
FRAME = KeyFrame("s12", "h264", 0.0)


@pytest.fixture
def asked() -> list[float | None]:
    return []


@pytest.fixture
def frames(asked: list[float | None]) -> KeyFrames:
    return KeyFrames(lambda key, every: asked.append(every))


async def test_the_relay_is_asked_once_for_all_who_wait(frames: KeyFrames, asked: list[float | None]) -> None:
    waiting = [asyncio.create_task(frames.next(KEY)) for _ in range(3)]
    await asyncio.sleep(0)
    assert asked == [0]
    waiting[0].cancel()
    await asyncio.sleep(0)
    frames.on_key_frame(KEY, FRAME, b"key")
    assert await asyncio.gather(*waiting[1:]) == [(FRAME, b"key")] * 2


async def test_a_feed_that_is_opened_anew_is_asked_for_what_is_still_wanted(
    frames: KeyFrames, asked: list[float | None]
) -> None:
    heard: list[bytes] = []
    frames.tap(KEY, 0.95, lambda key, frame, data: heard.append(data))
    waiting = asyncio.create_task(frames.next(KEY))
    await asyncio.sleep(0)
    frames.on_opened(KEY)
    assert asked == [0.95, 0, 0.95, 0]
    frames.on_key_frame(KEY, FRAME, b"key")
    assert (await waiting)[1] == b"key"
    assert heard == [b"key"]
    frames.untap(KEY)
    frames.untap(KEY)
    frames.on_opened(KEY)
    frames.on_key_frame(KEY, FRAME, b"later")
    assert asked[4:] == [None]
    assert heard == [b"key"]


async def test_who_waits_is_told_why_none_comes(frames: KeyFrames) -> None:
    waiting = asyncio.create_task(frames.next(KEY))
    await asyncio.sleep(0)
    frames.fail(KEY, HubError(Kind.UNREACHABLE, "gone"))
    with pytest.raises(HubError, match="gone"):
        await waiting
