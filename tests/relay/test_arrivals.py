"""When a session no longer brings what it must, and when a key frame is worth asking for. Pure."""

import pytest

from camera_hub.errors import HubError, Reason
from camera_hub.relay.ingest.liveness import SYNC_AFTER, Liveness


def judged(arrivals: Liveness, now: float, *, bare: bool = False) -> HubError | None:
    try:
        arrivals.judge(now, media_timeout=8.0, key_frame_timeout=20.0, bare=bare)
    except HubError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("arrivals", "now", "reason"),
    [
        (Liveness(100.0), 108.0, None),
        (Liveness(100.0), 108.1, Reason.NO_MEDIA),
        (Liveness(100.0, heard=110.0), 118.0, None),
        (Liveness(100.0, heard=110.0, keyed=110.0), 118.1, Reason.STALLED),
        (Liveness(100.0, heard=120.0), 120.1, Reason.NO_KEY_FRAME),
        (Liveness(100.0, heard=130.0, keyed=110.0), 130.0, None),
        (Liveness(100.0, heard=130.0, keyed=110.0), 130.1, Reason.NO_KEY_FRAME),
    ],
)
def test_what_fails_to_come_is_named(arrivals: Liveness, now: float, reason: Reason | None) -> None:
    error = judged(arrivals, now)
    assert (error.reason if error is not None else None) == reason


def test_the_remedy_is_that_of_the_cause() -> None:
    arrivals = Liveness(100.0, heard=121.0)
    assert "I-frame interval" in str(judged(arrivals, 121.0))
    assert "parameter sets" in str(judged(arrivals, 121.0, bare=True))


def test_a_key_frame_is_asked_for_only_where_the_camera_does_not_begin_with_one() -> None:
    assert not Liveness(100.0, heard=100.1).worth_asking_for_key(100.0 + SYNC_AFTER)
    assert Liveness(100.0, heard=100.1).worth_asking_for_key(100.1 + SYNC_AFTER)
    assert not Liveness(100.0, heard=100.1, keyed=100.1).worth_asking_for_key(200.0)
