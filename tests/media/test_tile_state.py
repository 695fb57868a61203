"""What a tile says, from what is known. Pure."""

from datetime import timedelta
from typing import Any

import pytest

from camera_hub.errors import Explanation, Reason
from camera_hub.media.feeds.feed_states import FeedReport, next_report
from camera_hub.media.interface import TileStatus, TileWish
from camera_hub.media.wall.tile_state import TileSlot, tile_status
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState, RtspLiveSource, TrackPhase, TrackState
from tests.media.conftest import NOON, FakeChosen

CHOSEN = FakeChosen(12, 1, 1, 1, "sub", "h264", FeedSpec("s12", RtspLiveSource("rtsp://camera", "127.0.0.1", 554)))


def shown(heard: TrackPhase | None = None, **values: Any) -> TileSlot:
    track = TileSlot(3)
    track.wish(TileWish("v", 3, 5, 1))
    track.chosen = CHOSEN
    if heard is not None:
        track.track = TrackState("v", 3, 5, heard, "s12", values.pop("heard_reason", None))
    for name, value in values.items():
        setattr(track, name, value)
    return track


def after(*phases: FeedPhase | tuple[FeedPhase, Reason] | tuple[FeedPhase, Reason, bool]) -> FeedReport:
    """The news after these states, a second apart."""
    news: FeedReport | None = None
    for second, told in enumerate(phases):
        phase, reason, final = (*told, None, False)[:3] if isinstance(told, tuple) else (told, None, False)
        state = FeedState("s12", phase, reason=reason, final=bool(final))
        news = next_report(news, state, NOON + timedelta(seconds=second))
    assert news is not None
    return news


def say(track: TileSlot, news: FeedReport | None = None) -> tuple[str, str | None]:
    said = tile_status("v", track, news)
    return said.state, said.reason


CONNECTING, WAITING, LIVE, FAILED = FeedPhase.CONNECTING, FeedPhase.WAITING_KEY, FeedPhase.LIVE, FeedPhase.FAILED


@pytest.mark.parametrize(
    ("news", "heard", "said"),
    [
        (None, None, ("connecting", None)),
        (after(CONNECTING), TrackPhase.WAITING, ("connecting", None)),
        (after(CONNECTING, WAITING), TrackPhase.WAITING, ("waiting", None)),
        (after(CONNECTING, WAITING, LIVE), TrackPhase.WAITING, ("waiting", None)),
        (after(CONNECTING, WAITING, LIVE), TrackPhase.LIVE, ("live", None)),
        (after(CONNECTING, (FAILED, Reason.UNREACHABLE)), None, ("failed", "unreachable")),
        (after(CONNECTING, (FAILED, Reason.UNREACHABLE), CONNECTING), None, ("failed", "unreachable")),
        (after((FAILED, Reason.NO_KEY_FRAME), CONNECTING, WAITING), None, ("waiting", "no_key_frame")),
        (after(LIVE, (FAILED, Reason.STALLED)), TrackPhase.LIVE, ("waiting", "stalled")),
        (after(LIVE, (FAILED, Reason.STALLED), CONNECTING), TrackPhase.LIVE, ("waiting", "stalled")),
        (after(LIVE, (FAILED, Reason.STALLED), (FAILED, Reason.TIMED_OUT)), None, ("failed", "timed_out")),
        (after(LIVE, (FAILED, Reason.WRONG_PASSWORD, True)), None, ("failed", "wrong_password")),
        (after((FAILED, Reason.STALLED), CONNECTING, LIVE), TrackPhase.LIVE, ("live", None)),
    ],
)
def test_a_tile_says_what_its_feed_and_its_track_do(
    news: FeedReport | None, heard: TrackPhase | None, said: tuple[str, str | None]
) -> None:
    assert say(shown(heard), news) == said


def test_empty_connecting_and_refused() -> None:
    assert say(TileSlot(3)) == ("empty", None)
    assert say(shown(chosen=None)) == ("connecting", None)
    assert say(shown(chosen=None, refusal=Explanation(Reason.NO_H264, "no"))) == ("refused", "no_h264")
    assert say(shown(chosen=None, refusal=Explanation(Reason.TIMED_OUT, "late"))) == ("failed", "timed_out")
    assert say(shown(TrackPhase.REFUSED, heard_reason="b_frames"), after(LIVE)) == ("refused", "b_frames")


def test_late_words_about_the_last_camera_are_not_shown() -> None:
    track = shown(TrackPhase.LIVE)
    track.serial = 6
    assert say(track, after(LIVE)) == ("waiting", None)


def test_since_is_the_camera_s_fault_or_else_the_feed_s() -> None:
    news = after(CONNECTING, (FAILED, Reason.UNREACHABLE), CONNECTING, (FAILED, Reason.UNREACHABLE))
    assert tile_status("v", shown(), news).since == NOON + timedelta(seconds=1)
    day = NOON - timedelta(days=1)
    assert tile_status("v", shown(fault_since=day), news).since == day


def test_the_tile_says_which_stream_is_shown_and_the_stream_itself_says_its_codec() -> None:
    news = next_report(None, FeedState("s12", LIVE, codec="h265", stream_ms=3.0), NOON)
    news = next_report(news, FeedState("s12", FAILED, reason=Reason.STALLED), NOON)
    assert news.state.stream_ms == 3.0
    said = tile_status("v", shown(), news)
    assert (said.stream, said.codec) == ("sub", "h265")
    assert tile_status("v", shown(), None) == TileStatus("v", 3, 5, 1, "connecting", stream="sub", codec="h264")
