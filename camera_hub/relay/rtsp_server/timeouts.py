"""Timeouts of players: how long one may be idle, silent, blocked or unauthorized. Pure: the time is given."""

from dataclasses import dataclass

from camera_hub.relay.rtsp_server.connection import EndReason

SESSION_TIMEOUT = 60
"""Seconds without a sign of life; stated in the Session header (RFC 2326 section 12.37)."""
GRACE = 5.0
"""Seconds that a sign of life may be late, and that a player has to hang up after TEARDOWN."""
REQUEST_TIMEOUT = 10.0
"""Seconds that a new connection has to name a camera, and any request to arrive completely."""
DESCRIBE_TIMEOUT = 10.0
"""Seconds that a camera has until its stream can be described."""


@dataclass(frozen=True, slots=True)
class PlayerActivity:
    """What a player does, in monotonic seconds; None: it does not.

    `asked_hub`: the hub has been asked whether it may have a camera; `authorized`: it has said yes. `incomplete_since`:
    part of a request has arrived. `blocked_since`: it does not read what it is sent. `teardown_at`: it has sent
    TEARDOWN. `plays_over_tcp`: it is sent packets in its RTSP connection.
    """

    connected_at: float
    last_message_at: float
    incomplete_since: float | None
    blocked_since: float | None
    teardown_at: float | None
    asked_hub: bool
    authorized: bool
    plays_over_tcp: bool


def expired(activity: PlayerActivity, now: float, *, stall_timeout: float) -> EndReason | None:
    """Why the player's session is to be ended at `now`, or None. `stall_timeout`: seconds that it may be blocked.

    Many players send nothing while they play over TCP: that they read is sign of life enough.
    """
    authorization_timeout = REQUEST_TIMEOUT + (DESCRIBE_TIMEOUT if activity.asked_hub else 0.0)
    if not activity.authorized and now - activity.connected_at > authorization_timeout:
        return EndReason.TIMEOUT
    if activity.incomplete_since is not None and now - activity.incomplete_since > REQUEST_TIMEOUT:
        return EndReason.PROTOCOL
    if activity.blocked_since is not None and now - activity.blocked_since > stall_timeout:
        return EndReason.STALLED
    if activity.teardown_at is not None and now - activity.teardown_at > GRACE:
        return EndReason.CLOSED
    if not activity.plays_over_tcp and now - activity.last_message_at > SESSION_TIMEOUT + GRACE:
        return EndReason.TIMEOUT
    return None
