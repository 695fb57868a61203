"""Timeouts of players, one by one."""

from dataclasses import replace

import pytest

from camera_hub.relay.rtsp_server.connection import EndReason
from camera_hub.relay.rtsp_server.timeouts import (
    DESCRIBE_TIMEOUT,
    GRACE,
    REQUEST_TIMEOUT,
    SESSION_TIMEOUT,
    PlayerActivity,
    expired,
)

STALL = 7.0
IDLE = PlayerActivity(
    connected_at=100.0,
    last_message_at=100.0,
    incomplete_since=None,
    blocked_since=None,
    teardown_at=None,
    asked_hub=True,
    authorized=True,
    plays_over_tcp=False,
)


@pytest.mark.parametrize(
    ("activity", "seconds", "reason"),
    [
        (IDLE, SESSION_TIMEOUT + GRACE, EndReason.TIMEOUT),
        (replace(IDLE, plays_over_tcp=True, blocked_since=100.0), STALL, EndReason.STALLED),
        (replace(IDLE, incomplete_since=100.0), REQUEST_TIMEOUT, EndReason.PROTOCOL),
        (replace(IDLE, teardown_at=100.0), GRACE, EndReason.CLOSED),
        (replace(IDLE, authorized=False, asked_hub=False), REQUEST_TIMEOUT, EndReason.TIMEOUT),
        (replace(IDLE, authorized=False), REQUEST_TIMEOUT + DESCRIBE_TIMEOUT, EndReason.TIMEOUT),
    ],
    ids=["idle", "blocked", "incomplete request", "after TEARDOWN", "nothing asked", "not authorized"],
)
def test_a_player_is_ended_when_its_time_is_over_and_not_before(
    activity: PlayerActivity, seconds: float, reason: EndReason
) -> None:
    assert expired(activity, 100.0 + seconds, stall_timeout=STALL) is None
    assert expired(activity, 100.1 + seconds, stall_timeout=STALL) is reason


def test_a_player_that_reads_what_it_is_sent_over_tcp_needs_no_keep_alive() -> None:
    assert expired(replace(IDLE, plays_over_tcp=True), 100_000.0, stall_timeout=STALL) is None
