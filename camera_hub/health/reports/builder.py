"""Puts a report together: cameras in pieces, then repairs, villages, maintenance units and the ranking. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from camera_hub.errors import Reason
from camera_hub.health.exclusions import LEVELS, ExclusionTerm, by_subject
from camera_hub.health.reports.figures import (
    BothShares,
    CameraMeasured,
    Recorded,
    Share,
    ranking,
    recorded_amount,
    shares_of,
    spot_tally,
)
from camera_hub.health.reports.repairs import Fault, RepairTally, judge_repair, tally_repairs
from camera_hub.health.reports.report import (
    CameraFigures,
    CameraHistory,
    CauseFigures,
    DayFigures,
    FaultFigures,
    FlappingFigures,
    RecordedDay,
    Report,
    ReportRules,
    UnitFigures,
    UsePeriod,
    VillageFigures,
)
from camera_hub.health.reports.span import ReportSpan, Stretch, common, holds, length, moment, ticks, united, without
from camera_hub.health.reports.tally import (
    MEASURES,
    BothTallies,
    CameraPart,
    StateStretch,
    Swept,
    excluded_time,
    is_due,
    state,
    sweep,
    tallied,
    unobserved_time,
)

TOO_SHORT = frozenset({Reason.RECORDING_SHORT.value, Reason.NO_RECORDING.value})
"""Causes of a recording's fault that mean: fewer days are kept than are due."""
TOP = 10


@dataclass(slots=True)
class _Added:
    measured: CameraMeasured
    states: Mapping[str, str]
    excluded_now: bool
    unit: str


@dataclass(slots=True)
class ReportBuilder:
    """Adds cameras, in any number of pieces, then `finish`es. Not for several threads at once.

    `terms`: the approved exclusions of the span, and of the time since `earliest`, when the first of its faults began.
    """

    span: ReportSpan
    rules: ReportRules
    terms: Sequence[ExclusionTerm]
    observed: Sequence[Stretch]
    earliest: int
    _added: list[_Added] = field(default_factory=list)
    _days: list[dict[int, int]] = field(default_factory=list)
    _causes: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    _excluded: dict[object, list[Stretch]] = field(default_factory=dict)
    _by_subject: Mapping[tuple[str, int], Sequence[ExclusionTerm]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._days = [{} for _ in self.span.days]
        self._by_subject = by_subject(self.terms)

    def add(self, cameras: Iterable[CameraHistory]) -> None:
        """Measure these cameras; one that was in use in two villages counts in each for its time there."""
        for camera in cameras:
            villages: dict[int, list[UsePeriod]] = defaultdict(list)
            for period in camera.periods:
                villages[period.village_id].append(period)
            for village_id, periods in villages.items():
                self._add(camera, village_id, periods)

    def excluded(self, level: str, camera_id: int | None, device_id: int | None, village_id: int) -> list[Stretch]:
        """When a camera, a device or a village (by `level`) was excluded, from `earliest` on."""
        levels = LEVELS[LEVELS.index(level) :]
        subjects = {"camera": camera_id, "device": device_id, "village": village_id}
        terms = [term for one in levels for term in self._by_subject.get((one, subjects[one] or 0), ())]
        return united(stretch for term in terms for stretch in self._of_term(term))

    def finish(self, faults: Iterable[Fault], villages: Sequence[int]) -> Report:
        """`villages`: all in scope, in their order; `faults`: that were open in the span, with their `excluded`."""
        whole = (self.span.begin, self.span.end)
        units = {one.measured.camera_id: one.unit for one in self._added}
        judged = [
            FaultFigures(
                fault,
                judge_repair(fault, self.rules.due_hours, whole, after=False),
                judge_repair(fault, self.rules.due_hours, whole, after=True),
                tuple(sorted({units[camera] for camera in fault.cameras if camera in units})),
            )
            for fault in sorted(faults, key=lambda one: (one.opened, one.id))
        ]
        counted = [one for one in self._added if one.measured.counted]
        cameras = [_camera(one) for one in counted]
        of_village = {village: [one for one in counted if one.measured.village_id == village] for village in villages}
        shares = {
            village: _shares(some, [one for one in judged if one.fault.village_id == village])
            for village, some in of_village.items()
        }
        by = self.rules.ranked_by
        ranks = ranking([(one, bool(of_village[one]), shares[one][by].after) for one in villages])
        of_unit: dict[str, list[_Added]] = defaultdict(list)
        for one in counted:
            of_unit[one.unit].append(one)
        outages: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for camera in cameras:
            for number in (0, 1):
                outages[camera.camera_id][number] += camera.outages[number]
        often = [FlappingFigures(camera, before, after) for camera, (before, after) in outages.items() if after]
        often.sort(key=lambda one: (-one.after, one.camera_id))
        return Report(
            self.span,
            self.rules,
            _shares(counted, judged),
            [
                VillageFigures(rank.village_id, len(of_village[rank.village_id]), shares[rank.village_id], rank)
                for rank in ranks
            ],
            cameras,
            [_unit(unit, some, judged) for unit, some in sorted(of_unit.items())],
            [
                DayFigures(day, *(_day(codes, measure) for measure in ("online", "intact")))
                for day, codes in zip(self.span.days, self._days, strict=True)
            ],
            [
                CauseFigures(aspect, cause, count, lasted)
                for (aspect, cause), (count, lasted) in sorted(
                    self._causes.items(), key=lambda item: (-item[1][1], item[0])
                )
            ],
            often[:TOP],
            judged,
            without([whole], self.observed),
        )

    def _add(self, camera: CameraHistory, village_id: int, periods: Sequence[UsePeriod]) -> None:
        whole = (self.span.begin, self.span.end)
        devices: dict[int, list[Stretch]] = defaultdict(list)
        for period in periods:
            devices[period.device_id].append((period.since, period.until))
        codes: dict[int, int] = defaultdict(int)
        last: int | None = None
        outages = [0, 0]
        served: list[Stretch] = []
        excluded_all: list[Stretch] = []
        for device_id, service in devices.items():
            in_use = common(united(service), [whole])
            excluded = self.excluded("camera", camera.camera_id, device_id, village_id)
            part = CameraPart(camera.camera_id, village_id, device_id, in_use, excluded, camera.states)
            swept = sweep(part, self.observed, whole, self.span.edges, self._days)
            for code, amount in swept.codes.items():
                codes[code] += amount
            last = _later(last, swept)
            self._count(camera.states, in_use, excluded, outages)
            served += in_use
            excluded_all += common(in_use, excluded)
        due, due_after = (last is not None and is_due(last, after=after) for after in (False, True))
        states = {measure: state(last, measure) for measure in MEASURES} if last is not None and due else {}
        connected = Share(int(camera.pictured), 1)
        measured = CameraMeasured(
            camera.camera_id,
            village_id,
            {measure: tallied(codes, measure) for measure in MEASURES},
            {measure: spot_tally(states.get(measure), before=due, after=due_after) for measure in MEASURES},
            BothShares(connected if due else Share(), connected if due_after else Share()),
            self._kept(camera.states, states, due=due, due_after=due_after),
            self._amount(camera.recorded, served, excluded_all),
            Share(camera.ledger.filled, camera.ledger.asked) if due else Share(),
            excluded_time(codes),
            unobserved_time(codes),
            (outages[0], outages[1]),
        )
        self._added.append(_Added(measured, states, due and not due_after, camera.ledger.maintainer_unit))

    def _count(
        self, states: Sequence[StateStretch], in_use: Sequence[Stretch], excluded: Sequence[Stretch], outages: list[int]
    ) -> None:
        """Count faults that begin, and for how long there is one of each cause after exclusions."""
        counts = without(common(in_use, self.observed), excluded)
        for one in states:
            if not one.fault:
                continue
            begins = self.span.begin <= one.since < self.span.end and holds(in_use, one.since)
            begins_after = begins and not holds(excluded, one.since)
            if one.aspect == "media":
                outages[0] += begins
                outages[1] += begins_after
            lasted = length(common([(one.since, one.until)], counts))
            if lasted or begins_after:
                sums = self._causes[one.aspect, one.cause or "unknown"]
                sums[0] += begins_after
                sums[1] += lasted

    def _kept(
        self, states: Sequence[StateStretch], spot: Mapping[str, str], *, due: bool, due_after: bool
    ) -> BothShares:
        """Whether enough days are kept, at the last moment of the span: as the recording's state says."""
        if spot.get("recording", "unknown") == "unknown":
            share = Share(0, 0, 1)
        else:
            last = self.span.end - 1
            causes = {one.cause for one in states if one.aspect == "recording" and one.since <= last < one.until}
            share = Share(int(not causes & TOO_SHORT), 1)
        return BothShares(share if due else Share(), share if due_after else Share())

    def _amount(
        self, days: Sequence[RecordedDay], served: Sequence[Stretch], excluded: Sequence[Stretch]
    ) -> BothShares:
        edges = [self.span.begin, *self.span.edges, self.span.end]
        served, excluded = united(served), united(excluded)
        found = []
        for one in days:
            number = (one.day - self.span.first).days
            if not 0 <= number < len(edges) - 1:
                continue
            whole = [(edges[number], max(edges[number], edges[number + 1]))]
            if common(whole, served):
                found.append(Recorded(one.seconds, one.due, bool(common(whole, excluded))))
        return recorded_amount(found)

    def _of_term(self, term: ExclusionTerm) -> list[Stretch]:
        same = (term.approved, term.since, term.until, term.weekly)  # a weekly window is often asked for many cameras
        if same not in self._excluded:
            begin, end = moment(min(self.earliest, self.span.begin)), moment(self.span.end)
            self._excluded[same] = [(ticks(left), ticks(right)) for left, right in term.within(begin, end)]
        return self._excluded[same]


def _later(last: int | None, swept: Swept) -> int | None:
    """The code of the part in which the camera is in use at the end, if there is one."""
    if swept.last is None or (last is not None and is_due(last, after=False)):
        return last
    return swept.last


def _camera(one: _Added) -> CameraFigures:
    measured = one.measured
    return CameraFigures(
        measured.camera_id,
        measured.village_id,
        shares_of([measured], tally_of(())),
        one.states,
        one.excluded_now,
        measured.excluded,
        measured.unobserved,
        measured.outages,
        one.unit,
    )


def tally_of(judged: Iterable[FaultFigures]) -> tuple[RepairTally, RepairTally]:
    """Repairs before and after exclusions."""
    found = list(judged)
    return tally_repairs(one.before for one in found), tally_repairs(one.after for one in found)


def _shares(added: Sequence[_Added], judged: Sequence[FaultFigures]) -> dict[str, BothShares]:
    return shares_of([one.measured for one in added], tally_of(judged))


def _unit(unit: str, added: Sequence[_Added], judged: Sequence[FaultFigures]) -> UnitFigures:
    theirs = [one for one in judged if unit in one.units and one.after.verdict != "not_counted"]
    still = [one for one in theirs if one.fault.closed is None or not one.after.repaired]
    return UnitFigures(unit, len(added), _shares(added, theirs), len(theirs), len(still))


def _day(codes: Mapping[int, int], measure: str) -> BothShares:
    tallies: BothTallies = tallied(codes, measure)
    before, after = (Share(one.ok, one.known, one.unknown) for one in (tallies.before, tallies.after))
    return BothShares(before, after)
