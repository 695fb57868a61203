"""Pure: who steers a camera now, until when, and who may take over from whom.

Higher priority takes over at once. Of equal ones the holder keeps the lock until some time after the last command.
"""

from dataclasses import dataclass
from typing import Literal

from camera_hub.access.policy import Actor, Role

HolderKind = Literal["person", "tour"]

TOUR = 0
_RANKS = {Role.TOWNSHIP_ADMIN: 3, Role.OPERATOR: 2}
_OTHERS = 1


@dataclass(frozen=True, slots=True)
class PtzHolder:
    """Who steers. `id`: a user's, or a run's; of a person all pages are one holder."""

    kind: HolderKind
    id: int
    name: str
    priority: int

    def same(self, other: "PtzHolder") -> bool:
        return (self.kind, self.id) == (other.kind, other.id)


@dataclass(frozen=True, slots=True)
class PtzLock:
    """`until`: on the clock of durations."""

    holder: PtzHolder
    until: float


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of asking for the lock. `lock`: as it is from now on; `taken_from`: who has lost it by that."""

    granted: bool
    lock: PtzLock
    taken_from: PtzHolder | None = None


def person(actor: Actor) -> PtzHolder:
    """A person as a holder."""
    return PtzHolder("person", actor.user_id, actor.display_name, _RANKS.get(actor.role, _OTHERS))


def tour(run_id: int, name: str) -> PtzHolder:
    """A running tour as a holder."""
    return PtzHolder("tour", run_id, name, TOUR)


def held(lock: PtzLock | None, now: float) -> PtzLock | None:
    """The lock, if its time is not over."""
    return lock if lock is not None and now < lock.until else None


def claim(lock: PtzLock | None, asking: PtzHolder, now: float, seconds: float) -> Claim:
    """Ask for the lock for that long; a holder prolongs it so with each command."""
    wanted = PtzLock(asking, now + seconds)
    present = held(lock, now)
    if present is None or present.holder.same(asking):
        return Claim(True, wanted)
    if asking.priority > present.holder.priority:
        return Claim(True, wanted, present.holder)
    return Claim(False, present)


def released(lock: PtzLock | None, by: PtzHolder) -> PtzLock | None:
    """The lock after its holder has given it back; anybody else's wish changes nothing."""
    return None if lock is None or lock.holder.same(by) else lock
