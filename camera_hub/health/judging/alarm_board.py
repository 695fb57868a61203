"""Pure: the alarms that are open, from tick to tick: which should be, what must change, and what has just recovered."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from camera_hub.health.judging.alarm_changes import (
    AlarmChange,
    AlarmClosing,
    AlarmEnding,
    OpenAlarm,
    alarm_changes,
    open_after,
)
from camera_hub.health.judging.alarm_severity import SeverityRules
from camera_hub.health.judging.causes import AlarmKey, CameraCase, ExpectedAlarm, JudgingRules, expected_alarms
from camera_hub.health.judging.verdict import Aspect, Verdict


@dataclass(frozen=True, slots=True)
class Observed:
    """What judging knows at one moment. `clocks`: the verdict on each device's clock. `excluded`: cameras that are not
    judged now; `important`: key cameras; `own`: alarms of the hub itself."""

    cases: Sequence[CameraCase]
    clocks: Mapping[int, Verdict]
    excluded: Collection[int] = frozenset()
    important: Collection[int] = frozenset()
    own: Sequence[ExpectedAlarm] = ()


@dataclass(frozen=True, slots=True)
class AlarmPlan:
    """What must change. `waits`: alarms are pending, so that it must be worked out again though nothing is new."""

    changes: tuple[AlarmChange, ...] = ()
    waits: bool = False


class AlarmBoard:
    """The open alarms. Times are monotonic seconds, `wall` for the record."""

    def __init__(self, rules: JudgingRules, severities: SeverityRules, open_alarms: Iterable[OpenAlarm] = ()) -> None:
        self._rules = rules
        self._severities = severities
        self._open = list(open_alarms)
        self._recovered: dict[AlarmKey, float] = {}

    @property
    def open(self) -> Sequence[OpenAlarm]:
        """The alarms that are open."""
        return self._open

    def plan(self, observed: Observed, now: float, wall: datetime) -> AlarmPlan:
        """What must happen to the open alarms. Nothing is changed until it is `commit`ted."""
        self._recovered = {key: at for key, at in self._recovered.items() if now - at < self._rules.limit}
        judged = [case for case in observed.cases if case.camera_id not in observed.excluded]
        expected = expected_alarms(
            judged,
            observed.clocks,
            open_keys=frozenset(alarm.key for alarm in self._open),
            recovered=self._recovered,
            now=now,
            rules=self._rules,
        )
        weighed = [self._weighed(alarm, observed.important) for alarm in (*observed.own, *expected)]
        changes = alarm_changes(
            self._open,
            weighed,
            wall,
            excluded=observed.excluded,
            observed={case.camera_id for case in observed.cases},
        )
        return AlarmPlan(changes, any(alarm.pending for alarm in expected))

    def commit(
        self, changes: Sequence[AlarmChange], opened: Mapping[AlarmKey, int], now: float, wall: datetime
    ) -> bool:
        """`changes` have been written; `opened`: the ids of new alarms. Answers whether a village, device or the hub's
        uplink has recovered."""
        self._open = open_after(self._open, changes, opened, wall)
        parents = [
            one.key
            for one in changes
            if isinstance(one, AlarmClosing)
            and one.ending is AlarmEnding.RECOVERED
            and one.key.level != "camera"
            and one.key.aspect is Aspect.MEDIA
        ]
        self._recovered.update(dict.fromkeys(parents, now))
        return bool(parents)

    def _weighed(self, alarm: ExpectedAlarm, important: Collection[int]) -> ExpectedAlarm:
        is_key = alarm.key.level in ("camera", "device") and any(camera in important for camera in alarm.members)
        return replace(alarm, severity=self._severities.of(alarm.cause, alarm.key.aspect, important=is_key))
