"""Which timeout ends a session, with which remedy, and when a key frame is requested."""

from collections.abc import Sequence

import pytest

from camera_hub.errors import HubError, Reason
from camera_hub.relay.ingest.stream_timeouts import SYNC_AFTER, StreamTimeouts


def checked(
    timeouts: StreamTimeouts, now: float, *, lost: Sequence[int] = (0, 0, 0, 0, 9), intra_refresh: bool = False
) -> HubError | None:
    try:
        timeouts.check(now, media_timeout=8.0, key_frame_timeout=20.0, lost=lost, intra_refresh=intra_refresh)
    except HubError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("timeouts", "now", "reason"),
    [
        (StreamTimeouts(100.0), 108.0, None),
        (StreamTimeouts(100.0), 108.1, Reason.NO_MEDIA),
        (StreamTimeouts(100.0, packet_at=110.0), 118.0, None),
        (StreamTimeouts(100.0, packet_at=110.0, key_frame_at=110.0), 118.1, Reason.STALLED),
        (StreamTimeouts(100.0, packet_at=120.0), 120.1, Reason.NO_KEY_FRAME),
        (StreamTimeouts(100.0, packet_at=130.0, frame_at=110.0, key_frame_at=110.0), 130.0, None),
        (StreamTimeouts(100.0, packet_at=130.0, frame_at=110.0, key_frame_at=110.0), 130.1, Reason.NO_KEY_FRAME),
        (StreamTimeouts(100.0, packet_at=990.0, frame_at=990.0, key_frame_at=110.0), 990.0, None),
    ],
)
def test_what_fails_to_come_is_named(timeouts: StreamTimeouts, now: float, reason: Reason | None) -> None:
    error = checked(timeouts, now)
    assert (error.reason if error is not None else None) == reason


@pytest.mark.parametrize(
    ("lost", "intra_refresh", "now", "reason", "word"),
    [
        ((0, 0, 0, 0, 500), False, 121.0, Reason.NO_KEY_FRAME, "I-frame interval"),
        ((0, 0, 0, 40, 500), False, 121.0, Reason.NO_KEY_FRAME, "I-frame interval"),
        ((0, 0, 0, 500, 0), False, 121.0, Reason.NO_PARAMETER_SETS, "parameter sets"),
        ((600, 0, 0, 0, 500), False, 121.0, Reason.LOSSY, "overloaded"),
        ((0, 600, 0, 0, 0), False, 121.0, Reason.LOSSY, "firmware"),
        ((0, 0, 600, 0, 0), False, 121.0, Reason.LOSSY, "anew"),
        ((0, 0, 0, 0, 0), False, 121.0, Reason.NO_MEDIA, "no picture"),
        ((0, 0, 0, 0, 500), True, 121.0, None, ""),
        ((0, 0, 0, 0, 500), True, 161.0, Reason.INTRA_REFRESH, "Smart H.264+"),
    ],
)
def test_reason_and_remedy_are_those_of_the_cause(
    lost: Sequence[int], intra_refresh: bool, now: float, reason: Reason | None, word: str
) -> None:
    error = checked(StreamTimeouts(100.0, packet_at=now), now, lost=lost, intra_refresh=intra_refresh)
    assert (error.reason if error is not None else None) == reason
    assert word in str(error)


def test_packets_that_are_none_of_the_stream_s_are_named() -> None:
    assert "none of them of its video" in str(checked(StreamTimeouts(100.0, foreign=70), 109.0))


def test_a_key_frame_is_asked_for_only_where_the_camera_does_not_begin_with_one() -> None:
    assert not StreamTimeouts(100.0, packet_at=100.1).should_request_key_frame(100.0 + SYNC_AFTER)
    assert StreamTimeouts(100.0, packet_at=100.1).should_request_key_frame(100.1 + SYNC_AFTER)
    assert not StreamTimeouts(100.0, packet_at=100.1, key_frame_at=100.1).should_request_key_frame(200.0)


def test_why_a_picture_is_waited_for_is_told_before_the_session_is_given_up() -> None:
    lost = (90, 0, 0, 0, 60)
    assert StreamTimeouts(100.0, packet_at=110.0).why_waiting(110.0, 10.0, lost=lost) is None
    why = StreamTimeouts(100.0, packet_at=111.0).why_waiting(111.0, 10.0, lost=lost)
    assert why is not None
    assert (why.reason, why.params["cause"]) == (Reason.LOSSY, "gap_tcp")
    assert StreamTimeouts(100.0, packet_at=111.0, key_frame_at=110.5).why_waiting(111.0, 10.0, lost=lost) is None
    assert StreamTimeouts(100.0).why_waiting(111.0, 10.0, lost=lost) is None, "no packet at all"
