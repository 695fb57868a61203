"""Which timeout ends a session, with which remedy, and when a key frame is requested."""

import pytest

from camera_hub.errors import HubError, Reason
from camera_hub.relay.ingest.stream_timeouts import SYNC_AFTER, StreamTimeouts


def checked(timeouts: StreamTimeouts, now: float, *, parameter_sets_missing: bool = False) -> HubError | None:
    try:
        timeouts.check(now, media_timeout=8.0, key_frame_timeout=20.0, parameter_sets_missing=parameter_sets_missing)
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
        (StreamTimeouts(100.0, packet_at=130.0, key_frame_at=110.0), 130.0, None),
        (StreamTimeouts(100.0, packet_at=130.0, key_frame_at=110.0), 130.1, Reason.NO_KEY_FRAME),
    ],
)
def test_what_fails_to_come_is_named(timeouts: StreamTimeouts, now: float, reason: Reason | None) -> None:
    error = checked(timeouts, now)
    assert (error.reason if error is not None else None) == reason


def test_the_remedy_is_that_of_the_cause() -> None:
    timeouts = StreamTimeouts(100.0, packet_at=121.0)
    assert "I-frame interval" in str(checked(timeouts, 121.0))
    assert "parameter sets" in str(checked(timeouts, 121.0, parameter_sets_missing=True))


def test_a_key_frame_is_asked_for_only_where_the_camera_does_not_begin_with_one() -> None:
    assert not StreamTimeouts(100.0, packet_at=100.1).should_request_key_frame(100.0 + SYNC_AFTER)
    assert StreamTimeouts(100.0, packet_at=100.1).should_request_key_frame(100.1 + SYNC_AFTER)
    assert not StreamTimeouts(100.0, packet_at=100.1, key_frame_at=100.1).should_request_key_frame(200.0)
