"""What rounds remember of a camera and of a device between looks, and when the next look is due.

A camera has two clocks. On each *signalling* beat (60 s) its device is asked whether it answers; that opens no stream.
On each *picture* beat (5 min) a key frame is fetched and scored. Online means that media was verified: so a verdict on
media comes from picture beats and running feeds alone, and stays good from one picture beat to the next as long as the
device answers in between. A device that falls silent is offline at once; when it answers again, the next look comes at
once and must bring a key frame before anything counts as good.

All of it is in memory: after a restart verdicts continue from what the database holds (`roster`), and fresh
observations must confirm any change.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from camera_hub.errors import Param, Reason
from camera_hub.health.judging.causes import FOUND, CameraCase, JudgingRules
from camera_hub.health.judging.flapping import LOOKS
from camera_hub.health.judging.track import AspectTrack
from camera_hub.health.judging.verdict import OFFLINE, UNKNOWN, Aspect, Sample, Verdict
from camera_hub.health.rounds.look_result import LookResult
from camera_hub.running import Backoff

GOLDEN = 0.6180339887498949
Stored = tuple[str, str | None]
"""(state, cause) as the database has them."""

UNSTORED: Stored = ("unknown", None)


def phase(number: int) -> float:
    """A fixed share of a period for each id, spread so evenly that neighbours are never looked at together."""
    return number * GOLDEN % 1.0


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often the device is asked (`round`), and a key frame fetched (`picture`), in seconds."""

    round: float
    picture: float

    def pause(self, camera_id: int, failures: int, recheck: float) -> float:
        """Seconds until a camera without media is looked at again: full jitter, growing from a round to the picture
        interval, so that looks at dead streams, each up to its deadline, do not fill the rounds."""
        rule = Backoff(first=self.round, cap=max(self.round, self.picture), floor=max(recheck, self.round / 2))
        return rule.pause(failures, lambda: phase(camera_id + failures))


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
    rtsp_port: int | None = None
    answered_at: float = float("-inf")
    signalling_ms: float | None = None  # of that answer
    speaks: bool | None = None  # whether it replied to OPTIONS the last time
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


@dataclass(slots=True, eq=False)
class CameraWatch:
    """An approved camera."""

    camera_id: int
    device_id: int
    village_id: int
    due: float  # of the signalling beat
    picture_due: float
    intervals: Intervals
    stored: Stored = UNSTORED  # health and cause as the database has them
    stored_states: dict[str, Stored] = field(default_factory=dict)  # by aspect
    important: bool = False
    resumed_from: datetime | None = None  # its last look before the hub was started
    media: Verdict = UNKNOWN
    picture: Verdict = UNKNOWN
    found: dict[Aspect, Verdict] = field(default_factory=dict)  # recording and OSD, as other checks found them
    looking: Literal["beat", "look"] | None = None
    memory: str | None = None
    verified: bool | None = None  # whether the last look, or its running feed, found media
    mute: bool = False  # its device did not answer the last time: there is nothing to look at
    failures: int = 0  # looks in a row that found no media
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
        self.verified = True if self.media.state == "ok" else None
        self.found = {aspect: known[aspect] for aspect in FOUND if known[aspect].state != "unknown"}

    def accept(self, result: LookResult, rules: JudgingRules) -> None:
        """Judge the result of a look or signalling beat and set when the next ones are due."""
        self.looked_at = result.at
        if result.media_judged:
            self._accept_media(result, rules)
        elif result.answered:
            self._accept_answer(result, rules)
        if result.picture_judged:
            self.picture = self._picture.add(_picture_sample(result), bad=rules.bad, bad_of=rules.bad_of)
        first_memory = result.memory is not None and self.memory is None
        if result.memory is not None:
            self.memory = result.memory
        self._schedule(result, first_memory, rules)

    def postpone(self, now: float) -> None:
        """There was no time for the look: it is due again after about a round, each time another share of it, so that
        no camera comes at a bad moment for ever."""
        self.postponements += 1
        self.picture_due = now + self.intervals.round * (0.5 + phase(self.camera_id + self.postponements))
        self.due = max(self.due, now + self.intervals.round * (0.5 + phase(self.camera_id)))

    def put_off(self, at: float) -> None:
        """Nothing could be found out now: try again then."""
        self.due = max(self.due, at)
        self.picture_due = max(self.picture_due, at)

    def skip(self, now: float) -> None:
        """It is not looked at in this round."""
        self._next_beat(now)
        self.picture_due = max(self.picture_due, self.due)

    def note_answer(self, at: float) -> None:
        """Its address has answered, though no look was made."""
        self.answered_at = at

    def expedite(self, at: float, *, times: int = 1, look: bool = False) -> None:
        """Ask its device no later than `at`; `times`: so often, a recheck from each other, whatever it answers; with
        `look` also fetch a key frame."""
        self.due = min(self.due, at)
        self._hurried = max(self._hurried, times - 1)
        if look:
            self.picture_due = min(self.picture_due, at)

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
        if result.fetched or not result.asked:
            self.verified = result.media is None
        self.mute = result.silent and not result.fetched
        if result.silent:
            self.silent_since = result.at if self.silent_since is None else self.silent_since
        elif result.asked:
            self.silent_since = None
            self.answered_at = result.at

    def _accept_answer(self, result: LookResult, rules: JudgingRules) -> None:
        """Its device answers. That is no proof of media, but it leaves what was proved as good as it was."""
        self.answered_at = result.at
        if self.mute and self.media.state == "fault":
            self.verified, self.picture_due = None, min(self.picture_due, result.at)  # back: prove it
        if self.mute or self.verified is not False:
            self.silent_since = None
        self.mute = False
        sample = Sample(result.at, None)
        if self.silent_since is None:
            self._reachable.add(sample, bad=rules.bad, bad_of=rules.bad_of)
        if self.verified and (self.media.state != "fault" or self.media.cause in OFFLINE or self.media.flapping):
            self.media = self._media.add(sample, bad=rules.bad, bad_of=rules.bad_of)

    def _schedule(self, result: LookResult, first_memory: bool, rules: JudgingRules) -> None:
        doubtful = self._media.contradicts(rules.bad_of)
        if doubtful or self._hurried > 0:
            self._hurried = max(0, self._hurried - 1)
            self.due = result.at + rules.recheck
        elif self.due <= result.at:  # what came unasked, because of a neighbour, moves no beat away
            self._next_beat(result.at)
        if not result.fetched:
            return
        if result.media is not None:
            self.failures += 1
            self.picture_due = result.at + (
                rules.recheck if doubtful else self.intervals.pause(self.camera_id, self.failures, rules.recheck)
            )
            return
        self.failures = 0
        proving = doubtful and self.media.state == "fault" and self.media.cause not in OFFLINE
        if proving or self._picture.contradicts(rules.bad_of) or first_memory:
            self.picture_due = result.at + rules.recheck
            return
        picture = self.intervals.picture
        self.picture_due = result.at + picture - (result.at - phase(self.camera_id) * picture) % picture
        if self.picture_due - result.at < picture / 2:
            self.picture_due += picture

    def _next_beat(self, at: float) -> None:
        """The next beat of its own clock, so that all stay spread over the round."""
        self.due += self.intervals.round * max(1, -(-(at - self.due) // self.intervals.round))


def _resumed(states: Mapping[str, Stored], aspect: Aspect, flapping: bool) -> Verdict:
    state, cause = states.get(aspect, UNSTORED)
    return Verdict(state, cause, flapping=flapping and state == "fault") if state != "unknown" else UNKNOWN
