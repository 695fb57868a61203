"""What rounds remember of a camera and of a device between looks, and when the next look is due.

All of it is in memory: after a restart verdicts continue from what the database holds (`roster`), and fresh
observations must confirm any change.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from camera_hub.errors import Reason
from camera_hub.health.judging.causes import CameraCase, JudgingRules
from camera_hub.health.judging.verdict import UNKNOWN, Aspect, Sample, Verdict, contradicts, judge
from camera_hub.health.rounds.look_result import LookResult

GOLDEN = 0.6180339887498949
KEPT = 16
"""Samples kept per aspect; at most this many can be asked for by the setting health.bad_of."""

Stored = tuple[str, str | None]
"""(state, cause) as the database has them."""

UNSTORED: Stored = ("unknown", None)


def phase(number: int) -> float:
    """A fixed share of a period for each id, spread so evenly that neighbours are never looked at together."""
    return number * GOLDEN % 1.0


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often looks are made, in seconds."""

    round: float
    picture: float


def _no_samples() -> deque[Sample]:
    return deque(maxlen=KEPT)


@dataclass(slots=True)
class DeviceWatch:
    """A device: where it is reached, and its clock."""

    device_id: int
    host: str
    ports: tuple[int, ...]  # an answer on any one shows that it is there
    onvif_port: int | None
    onvif_path: str
    clock_due: float
    clock: Verdict = UNKNOWN
    being_checked: bool = False
    has_answered: bool = False  # one of its ports has answered before: only then does their silence mean anything
    _samples: deque[Sample] = field(default_factory=_no_samples)

    def accept_clock(self, error_s: float, at: float, rules: JudgingRules, intervals: Intervals) -> None:
        """Judge a reading (device minus hub, seconds)."""
        self._samples.append(Sample(at, Reason.CLOCK_WRONG if abs(error_s) > rules.clock_error else None))
        self.clock = judge(list(self._samples), self.clock, bad=rules.bad, bad_of=rules.bad_of)
        soon = contradicts(self._samples, self.clock)
        self.clock_due = at + (rules.recheck if soon else intervals.picture)


def _sample(at: float, reason: str | None, result: LookResult) -> Sample:
    return Sample(at, reason, result.detail, result.params) if reason is not None else Sample(at, None)


def _picture_sample(result: LookResult) -> Sample:
    """What the look said in words is about the stream where that is bad, too."""
    if result.picture is None or result.media is not None:
        return Sample(result.at, result.picture)
    return _sample(result.at, result.picture, result)


@dataclass(slots=True)
class CameraWatch:
    """An approved camera."""

    camera_id: int
    device_id: int
    village_id: int
    due: float
    picture_due: float
    stored: Stored = UNSTORED  # health and cause as the database has them
    stored_states: dict[str, Stored] = field(default_factory=dict)  # by aspect
    media: Verdict = UNKNOWN
    picture: Verdict = UNKNOWN
    looking: bool = False
    memory: str | None = None
    silent_since: float | None = None
    answered_at: float | None = None
    looked_at: float = float("-inf")
    postponements: int = 0
    _samples: deque[Sample] = field(default_factory=_no_samples)
    _picture_samples: deque[Sample] = field(default_factory=_no_samples)
    _silences: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))

    def accept(self, result: LookResult, rules: JudgingRules, intervals: Intervals) -> None:
        """Judge the result of a look and set when the next one is due."""
        self.looked_at = result.at
        if result.media_judged:
            self._accept_media(result, rules)
        if result.picture_judged:
            self._picture_samples.append(_picture_sample(result))
            self.picture = judge(list(self._picture_samples), self.picture, bad=rules.bad, bad_of=rules.bad_of)
        first_memory = result.memory is not None and self.memory is None
        if result.memory is not None:
            self.memory = result.memory
        self._schedule(result, first_memory, rules, intervals)

    def postpone(self, now: float, intervals: Intervals) -> None:
        """There was no time for the look: it is due again after about a round, each time another share of it, so that
        no camera comes at a bad moment for ever."""
        self.postponements += 1
        self.due = now + intervals.round * (0.5 + phase(self.camera_id + self.postponements))

    def note_answer(self, at: float) -> None:
        """Its address has answered, though no look was made."""
        self.answered_at = at

    def expedite(self, at: float) -> None:
        """Look no later than `at`."""
        self.due = min(self.due, at)

    def case(self) -> CameraCase:
        """As the tree of causes sees it."""
        return CameraCase(
            self.camera_id,
            self.device_id,
            self.village_id,
            self.media,
            self.picture,
            self.silent_since,
            self.answered_at,
            tuple(self._silences),
            recovering=self.media.state == "fault" and bool(self._samples) and self._samples[-1].reason is None,
        )

    def verdicts(self, clock: Verdict) -> Sequence[tuple[Aspect, Verdict]]:
        """The verdict on each aspect; `clock` is its device's."""
        return ((Aspect.MEDIA, self.media), (Aspect.PICTURE, self.picture), (Aspect.CLOCK, clock))

    def health(self) -> Verdict:
        """Its health in one word: whether it shows a good picture. A wrong clock is a figure of its own."""
        return next((v for v in (self.media, self.picture) if v.state == "fault"), self.media)

    def _accept_media(self, result: LookResult, rules: JudgingRules) -> None:
        again = self._samples and self._samples[-1].reason is not None and result.media is not None
        if again and result.at - self._samples[-1].at < rules.recheck / 2:
            # Two bad looks within moments are one: else a blip would count as confirmed.
            self._samples[-1] = _sample(self._samples[-1].at, result.media, result)
        else:
            self._samples.append(_sample(result.at, result.media, result))
            if result.silent:
                self._silences.append(result.at)
        if result.silent:
            self.silent_since = result.at if self.silent_since is None else self.silent_since
        elif result.asked:
            self.silent_since = None
            self.answered_at = result.at
        self.media = judge(list(self._samples), self.media, bad=rules.bad, bad_of=rules.bad_of)

    def _schedule(self, result: LookResult, first_memory: bool, rules: JudgingRules, intervals: Intervals) -> None:
        if contradicts(self._samples, self.media):
            self.due = result.at + rules.recheck
        else:
            # The next beat of its own clock, so that looks stay spread over the round.
            self.due += intervals.round * max(1, -(-(result.at - self.due) // intervals.round))
        if result.media is not None or not (result.scores or result.picture):
            return
        if contradicts(self._picture_samples, self.picture) or first_memory:
            self.picture_due = result.at + rules.recheck
            self.expedite(self.picture_due)
        else:
            beat = phase(self.camera_id) * intervals.picture
            self.picture_due = result.at + intervals.picture - (result.at - beat) % intervals.picture
            if self.picture_due - result.at < intervals.picture / 2:
                self.picture_due += intervals.picture
