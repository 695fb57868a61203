"""When a device's recordings are looked at: some times a day, each device at its own minute. Pure."""

import zlib
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def phase(device_id: int) -> float:
    """Which share of the time between two checks passes before a device's own; spread evenly, and always the same."""
    return zlib.crc32(b"recordings %d" % device_id) / 2**32


def is_due(
    device_id: int,
    checked_at: datetime | None,
    unconfirmed_at: datetime | None,
    now: datetime,
    *,
    every_s: float,
    confirm_s: float,
) -> bool:
    """Whether its turn has come since it was checked, or a fault that was found then is to be looked at again.

    What is later than `now` was written while the hub's clock was wrong, and does not count.
    """
    if checked_at is None or checked_at > now:
        return True
    if unconfirmed_at is not None and unconfirmed_at <= now and now - checked_at >= timedelta(seconds=confirm_s):
        return True
    since = (now - _EPOCH).total_seconds() - phase(device_id) * every_s
    turn = _EPOCH + timedelta(seconds=since - since % every_s + phase(device_id) * every_s)
    return checked_at < turn
