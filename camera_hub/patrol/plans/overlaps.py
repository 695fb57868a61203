"""Where patrols of different plans meet. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_hub.patrol.plans.calendar import DueTime


@dataclass(frozen=True, slots=True)
class DuePatrol:
    """A patrol of a plan, and how long it takes."""

    at: datetime
    plan_id: int
    plan_name: str
    tour_id: int
    tour_name: str
    lasts: timedelta
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Overlap:
    """See api.schemas.plans.OverlapAnswer."""

    at: datetime
    plan_id: int
    plan_name: str
    tour_name: str
    other_at: datetime
    same_tour: bool


def counts_for_both(one: DuePatrol, other: DuePatrol) -> bool:
    """Whether one patrol is enough: the same tour, due within the grace of both."""
    apart = abs(one.at - other.at)
    return one.tour_id == other.tour_id and apart <= one.grace and apart <= other.grace


def overlap(one: DuePatrol, other: DuePatrol) -> Overlap | None:
    """How `other` meets `one`: it counts for both, or would be under way at the same time; None if neither."""
    same = counts_for_both(one, other)
    if not same and not (one.at < other.at + other.lasts and other.at < one.at + one.lasts) and one.at != other.at:
        return None
    return Overlap(one.at, other.plan_id, other.plan_name, other.tour_name, other.at, same)


def overlaps(own: Sequence[DuePatrol], others: Iterable[DuePatrol], most: int) -> list[Overlap]:
    """The first `most` of them, by time."""
    found = [met for other in others for one in own if (met := overlap(one, other)) is not None]
    found.sort(key=lambda met: (met.at, met.other_at, met.plan_id))
    return found[:most]


def last_end(own: Sequence[DuePatrol]) -> datetime | None:
    """Until when others can meet these; None when there are none."""
    return max((one.at + max(one.lasts, one.grace) for one in own), default=None)


def tour_of(due: DueTime, day: int, night: int | None) -> int:
    """The tour of the variant."""
    return night if due.night and night is not None else day
