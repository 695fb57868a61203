"""For how long of a visit somebody was the operator of the patrol. Pure.

A record proves what was visible to the person who ran the patrol at that time: what pages of others show, who look on
or are to take it over, proves nothing of it. So a report counts for the time of the visit in which its user was the
operator, and the last one of whoever has handed the patrol over still counts for the time until then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OperatorChange:
    """From `at` on, `user_id` was the operator; None: an account that is gone."""

    at: datetime
    user_id: int | None


def seconds_on_duty(
    user_id: int,
    started_by: int | None,
    changes: Sequence[OperatorChange],
    begin: datetime,
    until: datetime,
    now: datetime,
) -> float:
    """Seconds of `begin` to `until` for which the user was the operator. `changes`: all of the patrol, in order.

    Moments of changes are of the wall clock, as the record keeps them. One that lies after `now` was before that clock
    was set back: it counts as if it had been before `begin`, so that the present operator is heard.
    """
    total = 0.0
    for who, since, to in _times(started_by, [(one.at if one.at <= now else begin, one.user_id) for one in changes]):
        if who == user_id:
            first = begin if since is None else max(begin, since)
            last = until if to is None else min(until, to)
            total += max(0.0, (last - first).total_seconds())
    return total


def _times(
    started_by: int | None, changes: Sequence[tuple[datetime, int | None]]
) -> Iterator[tuple[int | None, datetime | None, datetime | None]]:
    """Each operator with the time from and until which; None: from the beginning, to the end."""
    since, who = None, started_by
    for at, following in changes:
        yield who, since, at
        since, who = at, following
    yield who, since, None
