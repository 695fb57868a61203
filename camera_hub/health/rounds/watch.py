"""What rounds remember of a camera and of a device between looks, and when the next look is due.

All of it is in memory: after a restart verdicts go on from what the database holds (`roster`), and fresh observations
must confirm any change.
"""

from collections import deque
from dataclasses import dataclass, field

from camera_hub.errors import Reason
from camera_hub.health.judging.causes import CameraCase, Rules
from camera_hub.health.judging.verdict import UNKNOWN, Mark, Verdict, judge, surprising
from camera_hub.health.rounds.look_result import LookResult

GOLDEN = 0.6180339887498949


def phase(number: int) -> float:
    """A fixed share of a period for each id, spread so evenly that neighbours are never looked at together."""
    return number * GOLDEN % 1.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often, in seconds."""

    round: float
    picture: float


@dataclass(slots=True)
class DeviceWatch:
    """A device: where it is reached, and its clock."""

    device_id: int
    host: str
    ports: tuple[int, ...]  # any one that answers proves life
    onvif_port: int | None
    onvif_path: str
    clock_due: float
    clock: Verdict = UNKNOWN
    asking: bool = False
    proved: bool = False  # one of the ports has answered once: only then their silence means something
    _marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=16))

    def take_clock(self, error_s: float, at: float, rules: Rules, rhythm: Rhythm) -> None:
        """Judge a reading (device minus hub, seconds)."""
        self._marks.append(Mark(at, Reason.CLOCK_WRONG if abs(error_s) > rules.clock_error else None))
        self.clock = judge(list(self._marks), self.clock, bad=rules.bad, bad_of=rules.bad_of)
        soon = surprising(self._marks, self.clock)
        self.clock_due = at + (rules.recheck if soon else rhythm.picture)


@dataclass(slots=True)
class Watch:
    """An approved camera."""

    camera_id: int
    device_id: int
    village_id: int
    due: float
    picture_due: float
    stored: tuple[str, str | None] = ("unknown", None)  # health and cause as the database has them
    live: Verdict = UNKNOWN
    picture: Verdict = UNKNOWN
    looking: bool = False
    detail: str = ""  # of the latest bad look
    signature: str | None = None
    silent_since: float | None = None
    answered_at: float | None = None
    looked_at: float = float("-inf")
    _marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=16))
    _picture_marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=16))
    _silences: deque[float] = field(default_factory=lambda: deque(maxlen=16))

    def take(self, found: LookResult, rules: Rules, rhythm: Rhythm) -> None:
        """Judge a finding and set when the next look is due."""
        self.looked_at = found.at
        self.detail = found.detail if found.live or found.picture else self.detail
        self._take_live(found, rules)
        if found.picture_judged:
            self._picture_marks.append(Mark(found.at, found.picture))
            self.picture = judge(list(self._picture_marks), self.picture, bad=rules.bad, bad_of=rules.bad_of)
        first_signature = found.signature is not None and self.signature is None
        if found.signature is not None:
            self.signature = found.signature
        self._plan(found, first_signature, rules, rhythm)

    def answered(self, at: float) -> None:
        """Its address was proved to answer, though nothing was looked at."""
        self.answered_at = at

    def hurry(self, at: float) -> None:
        """Look no later than `at`."""
        self.due = min(self.due, at)

    def case(self) -> CameraCase:
        """As the tree of causes sees it."""
        return CameraCase(
            self.camera_id,
            self.device_id,
            self.village_id,
            self.live,
            self.picture,
            self.silent_since,
            self.answered_at,
            tuple(self._silences),
            recovering=self.live.state == "fault" and bool(self._marks) and self._marks[-1].reason is None,
        )

    def health(self, clock: Verdict) -> tuple[str, str | None, float | None]:
        """(health, cause, since in monotonic seconds) for the camera's row: the weightiest fault."""
        fault = next((v for v in (self.live, self.picture, clock) if v.state == "fault"), None)
        if fault is not None:
            return "fault", fault.cause, fault.since
        return self.live.state, None, self.live.since

    def _take_live(self, found: LookResult, rules: Rules) -> None:
        again = self._marks and self._marks[-1].reason is not None and found.live is not None
        if again and found.at - self._marks[-1].at < rules.recheck / 2:
            # Two bad looks in the same breath are one: else a blip would count as confirmed.
            self._marks[-1] = Mark(self._marks[-1].at, found.live)
        else:
            self._marks.append(Mark(found.at, found.live))
            if found.silent:
                self._silences.append(found.at)
        if found.silent:
            self.silent_since = found.at if self.silent_since is None else self.silent_since
        elif found.asked:
            self.silent_since = None
            self.answered_at = found.at
        self.live = judge(list(self._marks), self.live, bad=rules.bad, bad_of=rules.bad_of)

    def _plan(self, found: LookResult, first_signature: bool, rules: Rules, rhythm: Rhythm) -> None:
        if surprising(self._marks, self.live):
            self.due = found.at + rules.recheck
        else:
            # The next beat of its own clock, so that the stagger lasts.
            self.due += rhythm.round * max(1, -(-(found.at - self.due) // rhythm.round))
        if found.live is not None or not (found.scores or found.picture):
            return
        if surprising(self._picture_marks, self.picture) or first_signature:
            self.picture_due = found.at + rules.recheck
            self.hurry(self.picture_due)
        else:
            beat = phase(self.camera_id) * rhythm.picture
            self.picture_due = found.at + rhythm.picture - (found.at - beat) % rhythm.picture
            if self.picture_due - found.at < rhythm.picture / 2:
                self.picture_due += rhythm.picture
