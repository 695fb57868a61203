"""Pure: which states of cameras begin and end, from what is taken to be true now and what the database holds.

A state is an interval: it lasts until the aspect is found in another one, whatever is not looked at meanwhile. A camera
that was frozen before its link was cut, before the hub was restarted, and is frozen afterwards was frozen all the time.
Where it is found in another state after a time without looks, nobody knows when that changed: the old interval ends
with the last look that found it so, and the time between has no row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_hub.health.judging.verdict import Aspect, Verdict
from camera_hub.health.rounds.camera_watch import UNSTORED, CameraWatch
from camera_hub.health.rounds.roster import Roster

UNSEEN = timedelta(minutes=20)
"""After so long without a look of an aspect, or three times its interval, it is not known what it was meanwhile."""

REFINED = timedelta(minutes=10)
"""A cause that becomes known this soon after a fault began names the whole fault: a link that is cut first shows as a
stream that has stopped."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """What is true of one aspect of a camera from `since` on; the state before ended at `ended`. `refines`: that state
    goes on, only its cause is known better."""

    camera_id: int
    aspect: str
    state: str  # ok | fault
    cause: str | None
    since: datetime
    ended: datetime
    refines: bool = False


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A camera's health and its cause in one word, for its row."""

    camera_id: int
    health: str
    cause: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, in monotonic seconds and on the wall."""

    now: float
    wall: datetime

    def at(self, monotonic: float | None) -> datetime | None:
        """The wall time of a monotonic one."""
        return None if monotonic is None else self.wall - timedelta(seconds=self.now - monotonic)


def state_changes(roster: Roster, moment: Moment) -> list[StateChange]:
    """The aspects whose state or cause is not yet what the database has."""
    return [
        _change(watch, aspect, verdict, moment)
        for watch in roster.cameras.values()
        for aspect, verdict in watch.verdicts(roster.devices[watch.device_id].clock.verdict)
        if verdict.state != "unknown" and (verdict.state, verdict.cause) != watch.stored_states.get(aspect, UNSTORED)
    ]


def health_changes(watches: Iterable[CameraWatch], moment: Moment) -> list[HealthChange]:
    """The cameras whose health is not yet what the database has."""
    found = []
    for watch in watches:
        health = watch.health()
        if health.state != "unknown" and (health.state, health.cause) != watch.stored:
            since = moment.at(health.since) or moment.wall
            found.append(HealthChange(watch.camera_id, health.state, health.cause, since))
    return found


def _change(watch: CameraWatch, aspect: Aspect, verdict: Verdict, moment: Moment) -> StateChange:
    stored, _ = watch.stored_states.get(aspect, UNSTORED)
    began, named = moment.at(verdict.since), moment.at(verdict.cause_since)
    if stored == verdict.state:  # a fault that goes on with another cause
        refines = began is not None and named is not None and named - began < REFINED
        since = named or moment.wall
        return StateChange(watch.camera_id, aspect, verdict.state, verdict.cause, since, since, refines)
    since = began or moment.wall
    seen = moment.at(verdict.before) or watch.resumed_from
    interval = watch.intervals.picture if aspect is Aspect.PICTURE else watch.intervals.round
    unseen = max(UNSEEN, timedelta(seconds=3 * interval))
    ended = seen if seen is not None and aspect not in _FOUND and since - seen > unseen else since
    return StateChange(watch.camera_id, aspect, verdict.state, verdict.cause, since, ended)


_FOUND = frozenset({Aspect.CLOCK, Aspect.RECORDING, Aspect.OSD})
"""What is checked rarely: between two checks the state is taken to be the earlier one."""
