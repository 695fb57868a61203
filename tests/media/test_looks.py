"""Looks with a relay and an eye that only speak: deadlines, doubts, sharing."""

import asyncio

import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.decoders import looks as looking
from camera_hub.media.engine import MediaEngine
from tests.media.conftest import FakeSources, eventually
from tests.media.test_engine import heard


async def test_a_running_feed_is_used_and_stays(media: MediaEngine, sources: FakeSources) -> None:
    await media.cameras.warm([1], "tour", 30)

    async def live() -> bool:
        return media.cameras.feed_reason(1) == ("live", None)

    await eventually(live)
    asked = len(sources.chosen)
    sight = await media.looks.look(1)
    assert (sight.reason, sight.jpeg, sight.role, sight.codec) == (None, b"jpeg", "sub", "h264")
    assert (sight.signalling_ms, sight.stream_ms, sight.key_frame_ms) == (5.0, 6.0, 7.0)
    assert len(sources.chosen) == asked
    assert media.cameras.feed_reason(1) == ("live", None)


async def test_looks_at_one_feed_share_it_and_close_it_together(media: MediaEngine) -> None:
    sights = await asyncio.gather(*(media.looks.look(1) for _ in range(5)))
    assert [sight.reason for sight in sights] == [None] * 5
    messages = [message["type"] for message in await heard(media) if message["type"].startswith("feed.")]
    assert messages.count("feed.open") == messages.count("feed.close")
    assert media.cameras.feed_reason(1) is None


@pytest.mark.parametrize(
    ("path", "reason", "deadline"),
    [
        ("failed/unreachable", Reason.UNREACHABLE, 15.0),
        ("failed/wrong_password", Reason.WRONG_PASSWORD, 15.0),
        ("silent", Reason.TIMED_OUT, 1.0),
        ("mute", Reason.NO_KEY_FRAME, 1.0),
    ],
)
async def test_a_sick_camera_is_a_reason_and_never_an_error(
    media: MediaEngine, sources: FakeSources, path: str, reason: Reason, deadline: float
) -> None:
    sources.paths[1] = {"sub": path}
    sight = await media.looks.look(1, deadline=deadline)
    assert (sight.reason, sight.jpeg, sight.seen) == (reason, None, None)
    assert sight.detail
    assert media.cameras.feed_reason(1) is None, "nothing is left open"


async def test_a_source_that_cannot_be_asked_is_a_reason(media: MediaEngine, sources: FakeSources) -> None:
    sources.errors[1] = HubError(Kind.UNREACHABLE, "no answer", reason=Reason.TIMED_OUT)
    assert (await media.looks.look(1)).reason == Reason.TIMED_OUT
    assert await media.prover.prove(1) == Reason.TIMED_OUT
    assert await media.pictures.read(1) is None


async def test_looks_are_bounded_and_a_busy_hub_is_not_the_camera_s_fault(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"sub": "silent"}
    under_way = [asyncio.create_task(media.looks.look(1, deadline=30)) for _ in range(looking.AT_ONCE)]

    async def opened() -> bool:
        return media.cameras.feed_reason(1) is not None

    await eventually(opened)
    assert (await media.looks.look(2, deadline=0.3)).reason == Reason.BUSY
    for task in under_way:
        task.cancel()
    await asyncio.wait(under_way)
    assert (await media.looks.look(2)).reason is None
    assert media.cameras.feed_reason(1) is None


@pytest.mark.parametrize(
    ("previous", "frozen"),
    [("moved", 100.0), ("still", 0.0), ("looped", 90.0)],
    ids=["alive at once", "frozen twice", "same as before, but not as the next one"],
)
async def test_a_freeze_is_believed_only_when_the_next_key_frame_is_the_same(
    media: MediaEngine, previous: str, frozen: float
) -> None:
    sight = await media.looks.look(1, scores=True, previous=previous)
    assert sight.seen is not None
    assert sight.seen.frozen == frozen
    keys = [message for message in await heard(media) if message["type"] == "feed.keys"]
    assert len(keys) == (1 if previous == "moved" else 2)


async def test_a_look_without_scores_or_picture(media: MediaEngine) -> None:
    sight = await media.looks.look(1, jpeg=False)
    assert sight.seen is not None
    assert (sight.jpeg, sight.seen.black) == (None, None)
