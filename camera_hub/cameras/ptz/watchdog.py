"""Pure: what must be done next at a camera, from what was sent to it and what it has answered.

The hub owns the stop. A continuous move is stopped STOP_SECONDS after the last command that wants it, whatever became
of the page. A stop counts only once the device has confirmed it: by an answer, and by its status where it tells whether
it moves. Until then it is stopped again, and the camera is shown as moving. A camera that moves though nobody steers,
or after every stop was answered, moves by itself: that is told, and not fought.
"""

from dataclasses import dataclass, replace
from typing import Literal

STOP_SECONDS = 1.0
"""After the last command of a continuous move."""
TIMEOUT_SECONDS = 2.0
"""What the device is told (Timeout), for the case that the hub dies; a move that goes on is sent again in time."""
REFRESH_SECONDS = 1.0
SLOWING = 0.3
"""Seconds after a stop until the camera is asked whether it stands."""
LOOKS = 3
"""How often it is asked so before it is stopped again."""
STOPS = 5
"""Stops that were all answered, after which a camera that moves on moves by itself."""
LONGEST_PAUSE = 2.0
STOP_BOUND = 600.0
"""Seconds for which a stop that fails is tried again."""
TRAVEL_LOOK = 0.5
TRAVEL_BLIND = 4.0
"""Seconds that going somewhere is thought to take where the device does not tell whether it moves."""
TRAVEL_BOUND = 60.0
LOOK_SECONDS = 5.0
"""Between two looks at a camera whose pad is open, also so that the connection stays open."""

Phase = Literal["still", "moving", "stopping", "travelling", "by_itself", "unstoppable"]
Due = Literal["stop", "refresh", "look"]


@dataclass(frozen=True, slots=True)
class Motion:
    """Times in seconds on the clock of durations.

    `moving`: until `deadline`, sent last at `sent`. `stopping`: since `since`, `tries` stops so far, `looks` since the
    last one that was answered. `next`: when something is to be done, in the other phases.
    """

    phase: Phase = "still"
    deadline: float = 0.0
    sent: float = 0.0
    since: float = 0.0
    tries: int = 0
    looks: int = 0
    next: float = 0.0

    @property
    def shown(self) -> bool:
        """Whether the camera is shown as moving."""
        return self.phase != "still"

    @property
    def ours(self) -> bool:
        """Whether it may move because of this hub."""
        return self.phase in ("moving", "stopping", "travelling", "unstoppable")


def moved(now: float, deadline: float) -> Motion:
    """A continuous move was sent, or may have been."""
    return Motion("moving", deadline, now)


def kept(motion: Motion, deadline: float) -> Motion:
    """The same move is still wanted."""
    return replace(motion, deadline=max(motion.deadline, deadline))


def sent_off(now: float, *, tells: bool) -> Motion:
    """The camera was sent to a place, where it stops by itself."""
    return Motion("travelling", now + TRAVEL_BOUND, now, now, next=now + (TRAVEL_LOOK if tells else TRAVEL_BLIND))


def to_stop(motion: Motion, now: float) -> Motion:
    """It must stop now."""
    return motion if motion.phase == "stopping" else Motion("stopping", since=now, next=now)


def stopped(motion: Motion, now: float, *, answered: bool, tells: bool) -> Motion:
    """A stop was sent; `answered`: and accepted."""
    tries = motion.tries + 1
    if answered:
        return replace(motion, tries=tries, looks=0, next=now + SLOWING) if tells else Motion(next=now + LOOK_SECONDS)
    if now - motion.since >= STOP_BOUND:
        return Motion("unstoppable", since=motion.since, next=now + LOOK_SECONDS)
    return replace(motion, tries=tries, looks=LOOKS, next=now + min(LONGEST_PAUSE, 0.1 * 2.0 ** min(tries, 8)))


def looked(motion: Motion, now: float, moving: bool | None) -> Motion:
    """The status was read; None: it does not tell, or could not be read."""
    if motion.phase == "moving":
        return motion
    if motion.phase == "stopping":
        return _seen_stopping(motion, now, moving)
    if motion.phase == "travelling":
        if moving and now < motion.deadline:
            return replace(motion, next=now + TRAVEL_LOOK)
        if moving is None and now < motion.since + TRAVEL_BLIND:
            return replace(motion, next=motion.since + TRAVEL_BLIND)
        return Motion("by_itself" if moving else "still", next=now + LOOK_SECONDS)
    if moving is None:
        return replace(motion, next=now + LOOK_SECONDS)
    phase: Phase = "still" if not moving else "unstoppable" if motion.phase == "unstoppable" else "by_itself"
    return Motion(phase, next=now + LOOK_SECONDS)


def _seen_stopping(motion: Motion, now: float, moving: bool | None) -> Motion:
    if moving is False:
        return Motion(next=now + LOOK_SECONDS)
    if moving is None and motion.looks + 1 >= LOOKS:  # the stop was answered, and no more can be known
        return Motion(next=now + LOOK_SECONDS)
    if motion.looks + 1 < LOOKS:
        return replace(motion, looks=motion.looks + 1, next=now + SLOWING)
    if motion.tries >= STOPS:
        return Motion("by_itself", next=now + LOOK_SECONDS)
    return replace(motion, looks=LOOKS, next=now)


def due(motion: Motion, now: float, *, timeout_told: bool, watched: bool) -> tuple[Due | None, float]:
    """What is to be done now, and in how many seconds to ask again. `watched`: somebody wants to know whether a camera
    moves that nobody steers."""
    if motion.phase == "moving":
        if now >= motion.deadline:
            return "stop", 0.0
        refresh = motion.sent + REFRESH_SECONDS if timeout_told else float("inf")
        return ("refresh", 0.0) if now >= refresh else (None, min(motion.deadline, refresh) - now)
    if motion.phase in ("still", "by_itself", "unstoppable") and not watched:
        return None, float("inf")
    if now < motion.next:
        return None, motion.next - now
    if motion.phase == "stopping":
        return ("stop" if motion.tries == 0 or motion.looks >= LOOKS else "look"), 0.0
    return "look", 0.0
