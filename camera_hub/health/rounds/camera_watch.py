"""What rounds remember of a camera and of a device between looks, and when the next look is due.

All of it is in memory: after a restart verdicts continue from what the database holds (`roster`), and fresh
observations must confirm any change.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from camera_hub.errors import Param, Reason
from camera_hub.health.judging.causes import FOUND, CameraCase, JudgingRules
from camera_hub.health.judging.flapping import LOOKS
from camera_hub.health.judging.track import AspectTrack
from camera_hub.health.judging.verdict import OFFLINE, UNKNOWN, Aspect, Sample, Verdict
from camera_hub.health.rounds.look_result import LookResult

GOLDEN = 0.6180339887498949
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


@dataclass(slots=True)
class DeviceWatch:
    """A device: where it is reached, and its clock."""

    device_id: int
    host: str
    ports: tuple[int, ...]  # an answer on any one shows that it is there
    onvif_port: int | None
    onvif_path: str
    clock_due: float
    clock: AspectTrack = field(default_factory=AspectTrack)
    being_checked: bool = False
    has_answered: bool = False  # one of its ports has answered before: only then does their silence mean anything

    def accept_clock(self, error_s: float, at: float, rules: JudgingRules, intervals: Intervals) -> None:
        """Judge a reading (device minus hub, seconds)."""
        reason = Reason.CLOCK_WRONG if abs(error_s) > rules.clock_error else None
        self.clock.add(Sample(at, reason), bad=rules.bad, bad_of=rules.bad_of)
        soon = self.clock.contradicts(rules.bad_of)
        self.clock_due = at + (rules.recheck if soon else intervals.picture)

    def take_clock(self, error_s: float, at: float, rules: JudgingRules) -> bool:
        """What a check of its own (nightly, or after setting the clock) has read: it is sure at once, since whoever
        sets a clock waits for its alarm to close. Answers whether that is new."""
        reason = Reason.CLOCK_WRONG if abs(error_s) > rules.clock_error else None
        state = "ok" if reason is None else "fault"
        if self.clock.verdict.state == state:
            return False
        self.clock = AspectTrack(Verdict(state, reason, at, cause_since=at))
        return True


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
    important: bool = False
    resumed_from: datetime | None = None  # its last look before the hub was started
    media: Verdict = UNKNOWN
    picture: Verdict = UNKNOWN
    found: dict[Aspect, Verdict] = field(default_factory=dict)  # recording and OSD, as other checks found them
    looking: bool = False
    memory: str | None = None
    silent_since: float | None = None
    answered_at: float | None = None
    looked_at: float = float("-inf")
    postponements: int = 0
    _hurried: int = 0  # looks that come a recheck after the one before
    _media: AspectTrack = field(default_factory=AspectTrack)
    _picture: AspectTrack = field(default_factory=AspectTrack)
    _reachable: AspectTrack = field(default_factory=AspectTrack)
    _silences: deque[float] = field(default_factory=lambda: deque(maxlen=LOOKS))

    def resume(self, states: Mapping[str, Stored], flapping: Collection[Aspect] = ()) -> None:
        """Continue with what the database holds; fresh looks must confirm any change. `flapping`: aspects whose open
        alarm says that they come and go."""
        self.stored_states = dict(states)
        known = {aspect: _resumed(states, aspect, aspect in flapping) for aspect in Aspect}
        self._reachable, self._media = AspectTrack(known[Aspect.REACHABLE]), AspectTrack(known[Aspect.MEDIA])
        self._picture = AspectTrack(known[Aspect.PICTURE])
        self.media, self.picture = known[Aspect.MEDIA], known[Aspect.PICTURE]
        self.found = {aspect: known[aspect] for aspect in FOUND if known[aspect].state != "unknown"}

    def accept(self, result: LookResult, rules: JudgingRules, intervals: Intervals) -> None:
        """Judge the result of a look and set when the next one is due."""
        self.looked_at = result.at
        if result.media_judged:
            self._accept_media(result, rules)
        if result.picture_judged:
            self.picture = self._picture.add(_picture_sample(result), bad=rules.bad, bad_of=rules.bad_of)
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

    def expedite(self, at: float, *, times: int = 1) -> None:
        """Look no later than `at`; `times`: so many looks, a recheck from each other, whatever they find."""
        self.due = min(self.due, at)
        self._hurried = max(self._hurried, times - 1)

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
            recovering=self.media.state == "fault" and self._media.newest is not None and self._media.newest.is_good,
            found=dict(self.found),
        )

    def verdicts(self, clock: Verdict) -> Sequence[tuple[Aspect, Verdict]]:
        """The verdict on each aspect; `clock` is its device's."""
        return (
            (Aspect.REACHABLE, self._reachable.verdict),
            (Aspect.MEDIA, self.media),
            (Aspect.PICTURE, self.picture),
            (Aspect.CLOCK, clock),
            *self.found.items(),
        )

    def take(self, aspect: Aspect, reason: str | None, detail: str, params: Mapping[str, Param], at: float) -> bool:
        """What a check of another room is sure of. Answers whether that is new."""
        before, state = self.found.get(aspect, UNKNOWN), "ok" if reason is None else "fault"
        if (before.state, before.cause, dict(before.params)) == (
            state,
            reason,
            dict(params),
        ) and before.since is not None:
            return False
        same = before.state == state and before.since is not None
        since = before.since if same else at
        named = before.cause_since if same and before.cause == reason else at
        self.found[aspect] = Verdict(state, reason, since, detail, params, cause_since=named)
        return True

    def health(self) -> Verdict:
        """Its health in one word: whether it shows a good picture. A wrong clock is a figure of its own."""
        return next((v for v in (self.media, self.picture) if v.state == "fault"), self.media)

    def _accept_media(self, result: LookResult, rules: JudgingRules) -> None:
        before = self._media.newest
        apart = rules.recheck / 2
        again = before is not None and not before.is_good and result.media is not None and result.at - before.at < apart
        if result.silent and not again:
            self._silences.append(result.at)
        sample = _sample(result.at, result.media, result)
        self.media = self._media.add(sample, bad=rules.bad, bad_of=rules.bad_of, apart=apart)
        reached = replace(sample, reason=sample.reason if sample.reason in OFFLINE else None)
        self._reachable.add(reached, bad=rules.bad, bad_of=rules.bad_of, apart=apart)
        if result.silent:
            self.silent_since = result.at if self.silent_since is None else self.silent_since
        elif result.asked:
            self.silent_since = None
            self.answered_at = result.at

    def _schedule(self, result: LookResult, first_memory: bool, rules: JudgingRules, intervals: Intervals) -> None:
        if self._media.contradicts(rules.bad_of) or self._hurried > 0:
            self._hurried = max(0, self._hurried - 1)
            self.due = result.at + rules.recheck
        elif self.due <= result.at:
            # The next beat of its own clock, so that looks stay spread over the round. What came unasked (its device
            # was checked because of a neighbour) moves no look away.
            self.due += intervals.round * max(1, -(-(result.at - self.due) // intervals.round))
        if result.media is not None or not (result.scores or result.picture):
            return
        if self._picture.contradicts(rules.bad_of) or first_memory:
            self.picture_due = result.at + rules.recheck
            self.expedite(self.picture_due)
        else:
            beat = phase(self.camera_id) * intervals.picture
            self.picture_due = result.at + intervals.picture - (result.at - beat) % intervals.picture
            if self.picture_due - result.at < intervals.picture / 2:
                self.picture_due += intervals.picture


def _resumed(states: Mapping[str, Stored], aspect: Aspect, flapping: bool) -> Verdict:
    state, cause = states.get(aspect, UNSTORED)
    return Verdict(state, cause, flapping=flapping and state == "fault") if state != "unknown" else UNKNOWN
