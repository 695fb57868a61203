"""At which level an alarm is raised: a dead link is one alarm, and staggered dying changes nothing about it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_hub.health.judging.alarm_board import AlarmBoard, Observed
from camera_hub.health.judging.alarm_changes import (
    AlarmChange,
    AlarmClosing,
    AlarmEnding,
    AlarmOpening,
    AlarmUpdate,
    OpenAlarm,
    alarm_changes,
)
from camera_hub.health.judging.alarm_severity import SeverityRules
from camera_hub.health.judging.causes import AlarmKey, CameraCase, ExpectedAlarm, JudgingRules, devices_to_check
from camera_hub.health.judging.verdict import Aspect, Verdict

RULES = JudgingRules(bad=2, bad_of=3, village_share=0.8, recheck=10.0, reach=2.0, clock_error=30.0)
LONG_AGO = -10_000.0
T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def village(number: int, cameras: int, recorder: int = 0) -> dict[int, CameraCase]:
    """Cameras number*100+1…; the last `recorder` of them are channels of one device."""
    found = {}
    for n in range(1, cameras + 1):
        camera = number * 100 + n
        device = number * 100 + 90 if n > cameras - recorder else camera
        found[camera] = CameraCase(camera, device, number, Verdict("ok", None, LONG_AGO), answered_at=LONG_AGO)
    return found


def silent(case: CameraCase, since: float = LONG_AGO, *, times: int = 2, cause: str = "unreachable") -> CameraCase:
    looks = tuple(since + 10.0 * n for n in range(times))
    media = Verdict("fault", cause, since) if times >= 2 else case.media
    return replace(case, media=media, silent_since=since, silences=looks)


def faulty(case: CameraCase, cause: str, since: float = LONG_AGO) -> CameraCase:
    return replace(case, media=Verdict("fault", cause, since))


class Board:
    """Alarms as the hub keeps them, from tick to tick. `log`: what was opened and recovered."""

    def __init__(self) -> None:
        self.board = AlarmBoard(RULES, SeverityRules())
        self.log: list[tuple[str, str, int, str]] = []
        self.endings: list[AlarmEnding] = []

    def tick(
        self,
        cases: Iterable[CameraCase],
        now: float = 0.0,
        clocks: dict[int, Verdict] | None = None,
        *,
        excluded: Collection[int] = (),
        important: Collection[int] = (),
    ) -> Sequence[AlarmChange]:
        wall = T0 + timedelta(seconds=now)
        changes = self.board.plan(Observed(list(cases), clocks or {}, excluded, important), now, wall).changes
        opened: dict[AlarmKey, int] = {}
        for change in changes:
            if isinstance(change, AlarmOpening):
                opened[change.alarm.key] = len(self.log) + 1
                self.log.append(("open", change.alarm.key.level, change.alarm.key.subject, change.alarm.cause))
            elif isinstance(change, AlarmClosing):
                self.endings.append(change.ending)
                if change.ending is AlarmEnding.RECOVERED:
                    self.log.append(("close", change.key.level, change.key.subject, ""))
        self.board.commit(changes, opened, now, wall)
        return changes

    @property
    def alarms(self) -> Sequence[OpenAlarm]:
        return self.board.open

    @property
    def open(self) -> list[tuple[str, int, str]]:
        return sorted((alarm.key.level, alarm.key.subject, alarm.cause) for alarm in self.alarms)


def test_a_healthy_site_has_no_alarm() -> None:
    board = Board()
    board.tick({**village(1, 20), **village(2, 20, recorder=8)}.values())
    assert board.log == []


def test_a_dead_village_is_one_alarm_that_lists_its_cameras() -> None:
    board = Board()
    dead = {n: silent(c) for n, c in village(1, 40, recorder=8).items()}
    board.tick([*dead.values(), *village(2, 20).values()])
    assert board.log == [("open", "village", 1, "village_link")]
    assert board.alarms[0].members == frozenset(dead)


def test_39_of_40_are_the_village_and_3_of_40_are_3_cameras() -> None:
    cases = village(1, 40)
    board = Board()
    board.tick([*(silent(c) for n, c in cases.items() if n != 140), cases[140], *village(2, 5).values()])
    assert board.open == [("village", 1, "village_link")]
    board = Board()
    board.tick([*(silent(c) if n <= 103 else c for n, c in cases.items()), *village(2, 5).values()])
    assert board.open == [("camera", n, "unreachable") for n in (101, 102, 103)]


def test_all_villages_at_once_are_the_hubs_uplink() -> None:
    board = Board()
    site = {n: c for v in range(1, 17) for n, c in village(v, 20).items()}
    board.tick([silent(c) for c in site.values()])
    assert board.open == [("hub", 0, "hub_uplink")]
    assert board.alarms[0].members == frozenset(site)


def test_a_recorder_is_one_alarm_while_its_village_lives() -> None:
    board = Board()
    cases = village(1, 12, recorder=8)
    board.tick([silent(c) if c.device_id == 190 else c for c in cases.values()])
    assert board.open == [("device", 190, "device_down")]


def test_a_village_whose_only_device_is_silent_has_a_dead_device_not_a_dead_link() -> None:
    board = Board()
    board.tick([*(silent(c) for c in village(1, 8, recorder=8).values()), *village(2, 4).values()])
    assert board.open == [("device", 190, "device_down")]


def test_one_login_of_a_recorder_is_one_alarm() -> None:
    board = Board()
    board.tick([faulty(c, "wrong_password") if c.device_id == 190 else c for c in village(1, 12, recorder=8).values()])
    assert board.open == [("device", 190, "wrong_password")]


def test_each_other_fault_is_its_cameras_own() -> None:
    board = Board()
    cases = village(1, 12, recorder=8)
    cases[101] = faulty(cases[101], "no_media")
    cases[102] = replace(cases[102], picture=Verdict("fault", "frozen", 0.0))
    cases[112] = faulty(cases[112], "stream_not_found")
    board.tick(cases.values())
    assert board.open == [("camera", 101, "no_media"), ("camera", 102, "frozen"), ("camera", 112, "stream_not_found")]


def test_a_wrong_clock_is_the_devices() -> None:
    board = Board()
    wrong = Verdict("fault", "clock_wrong", 0.0)
    board.tick(village(1, 12, recorder=8).values(), clocks={190: wrong, 101: wrong, 102: Verdict("ok", None, 0.0)})
    assert board.open == [("camera", 101, "clock_wrong"), ("device", 190, "clock_wrong")]


@pytest.mark.slow
def test_staggered_dying_is_still_one_alarm() -> None:
    """40 cameras fall silent one by one over 90 s, each confirmed 10 s later; ticks each second."""
    cases, others = village(1, 40), village(2, 20)
    board = Board()
    for second in range(160):
        for index, number in enumerate(sorted(cases)):
            since = index * 90 / 39
            if second >= since:
                cases[number] = silent(village(1, 40)[number], since, times=2 if second >= since + 10 else 1)
        alive = [replace(c, answered_at=second - 1.0) for c in others.values()]
        board.tick([*cases.values(), *alive], float(second))
    assert board.log == [("open", "village", 1, "village_link")]
    assert board.alarms[0].members == frozenset(cases)


def test_an_alarm_is_pending_no_longer_when_no_neighbour_follows() -> None:
    cases = village(1, 10)
    cases[101] = silent(cases[101], 0.0)
    board = Board()
    board.tick(cases.values(), 12.0)
    assert board.log == []
    board.tick(cases.values(), 0.0 + RULES.grace)
    assert board.open == [("camera", 101, "unreachable")]


def test_a_flapping_neighbour_cannot_keep_an_alarm_pending_for_ever() -> None:
    cases = village(1, 10)
    cases[101] = silent(cases[101], 0.0)
    board = Board()
    for second in range(0, 130, 5):
        cases[102] = replace(cases[102], silent_since=second - 1.0)
        board.tick(cases.values(), float(second))
    assert board.open == [("camera", 101, "unreachable")]


def test_a_young_camera_alarm_is_merged_silently_and_an_old_one_stays_its_own() -> None:
    board = Board()
    cases = village(1, 10)
    others = list(village(2, 4).values())
    cases[101] = silent(cases[101])
    board.tick([*cases.values(), *others], 0.0)
    cases[102] = silent(cases[102], 1000.0)
    board.tick([*cases.values(), *others], 1100.0)
    assert board.open == [("camera", 101, "unreachable"), ("camera", 102, "unreachable")]
    dead = {n: c if n <= 102 else silent(c, 1200.0) for n, c in cases.items()}
    board.tick([*dead.values(), *others], 1250.0)
    assert board.open == [("camera", 101, "unreachable"), ("village", 1, "village_link")]
    assert [word for word, *_ in board.log] == ["open", "open", "open"]


def test_one_recovery_closes_the_village_and_a_camera_that_stays_down_gets_its_own() -> None:
    board = Board()
    healthy, others = village(1, 10), list(village(2, 4).values())
    dead = {n: silent(c) for n, c in healthy.items()}
    board.tick([*dead.values(), *others], 0.0)
    # The link is back: three have been confirmed good, the rest is on its way, 110 stays dark.
    coming = {n: healthy[n] if n <= 103 else replace(c, recovering=n % 2 == 0) for n, c in dead.items()}
    coming[110] = dead[110]
    board.tick([*coming.values(), *others], 100.0)
    assert board.open == []
    coming = {n: c if n != 110 else dead[110] for n, c in healthy.items()}
    board.tick([*coming.values(), *others], 110.0)
    assert board.open == []
    coming[110] = replace(dead[110], silences=(105.0, 115.0), silent_since=LONG_AGO)
    board.tick([*coming.values(), *others], 120.0)
    assert board.log == [
        ("open", "village", 1, "village_link"),
        ("close", "village", 1, ""),
        ("open", "camera", 110, "unreachable"),
    ]


def test_a_recorder_that_returns_does_not_leave_its_slower_channels_behind_as_alarms() -> None:
    board = Board()
    cases = village(1, 12, recorder=8)
    dead = {n: silent(c) if c.device_id == 190 else c for n, c in cases.items()}
    board.tick(dead.values(), 0.0)
    board.tick({**dead, 105: cases[105]}.values(), 100.0)
    assert board.log == [("open", "device", 190, "device_down"), ("close", "device", 190, "")]


def test_a_village_is_not_blamed_before_another_has_answered() -> None:
    board = Board()
    dead = [silent(c, 0.0) for c in village(1, 10).values()]
    others = village(2, 10)
    board.tick([*dead, *others.values()], 11.0)
    assert board.log == []
    others[201] = replace(others[201], answered_at=5.0)
    board.tick([*dead, *others.values()], 11.0)
    assert board.open == [("village", 1, "village_link")]


def test_the_uplink_dying_is_one_alarm_though_villages_are_confirmed_one_by_one() -> None:
    board = Board()
    sites = {v: village(v, 10) for v in range(1, 17)}
    for second in range(40):
        cases = []
        for number, members in sites.items():
            since = number * 0.8  # found silent soon after each other, as neighbours are asked at once
            for case in members.values():
                if second < since:
                    cases.append(replace(case, answered_at=-1.0))
                else:
                    cases.append(silent(case, since, times=2 if second >= since + 10 else 1))
        board.tick(cases, float(second))
    assert board.log == [("open", "hub", 0, "hub_uplink")]


def test_cameras_added_to_a_dead_village_do_not_break_its_alarm_up() -> None:
    board = Board()
    dead = [silent(c) for c in village(1, 5).values()]
    others = list(village(2, 5).values())
    board.tick([*dead, *others])
    new = [CameraCase(150 + n, 150 + n, 1) for n in range(20)]
    board.tick([*dead, *new, *others], 10.0)
    assert board.log == [("open", "village", 1, "village_link")]


def test_a_retired_camera_closes_its_alarm_which_is_no_recovery() -> None:
    board = Board()
    cases = village(1, 10)
    cases[101] = faulty(cases[101], "no_media")
    board.tick(cases.values())
    del cases[101]
    board.tick(cases.values(), 10.0)
    assert (board.open, board.endings) == ([], [AlarmEnding.UNOBSERVED])


def test_an_alarms_cause_changes_without_a_second_alarm() -> None:
    board = Board()
    cases = village(1, 10)
    for cause in ("no_media", "no_key_frame"):
        cases[101] = faulty(cases[101], cause)
        board.tick(cases.values())
    assert board.open == [("camera", 101, "no_key_frame")]
    assert len(board.log) == 1


def test_a_camera_may_be_dead_and_have_a_wrong_clock() -> None:
    board = Board()
    cases = village(1, 10)
    cases[101] = faulty(cases[101], "no_media")
    board.tick(cases.values(), clocks={101: Verdict("fault", "clock_wrong", 0.0)})
    assert {s.key.aspect for s in board.alarms} == {Aspect.MEDIA, Aspect.CLOCK}


def test_neighbours_of_a_newly_silent_camera_are_checked_once_each() -> None:
    cases = {**village(1, 5), **village(2, 5)}
    assert devices_to_check(cases.values(), now=0.0, rules=RULES) == frozenset()
    cases[101] = silent(cases[101], 0.0, times=1)
    assert devices_to_check(cases.values(), now=1.0, rules=RULES) == {102, 103, 104, 105}
    for number in range(102, 106):
        cases[number] = replace(cases[number], answered_at=2.0)
    assert devices_to_check(cases.values(), now=3.0, rules=RULES) == frozenset()
    assert devices_to_check(cases.values(), now=10.0, rules=RULES) == {101}
    cases[101] = silent(cases[101], 0.0)
    assert devices_to_check(cases.values(), now=20.0, rules=RULES) == frozenset()


def test_only_what_is_no_longer_expected_is_closed() -> None:
    key = AlarmKey("camera", Aspect.MEDIA, 101)
    alarm = OpenAlarm(7, key, "no_media", frozenset({101}), T0)
    assert (
        alarm_changes([alarm], [ExpectedAlarm(key, "no_media", frozenset({101}), 1, 101, 101, pending=True)], T0) == ()
    )
    assert alarm_changes([alarm], [], T0) == (AlarmClosing(7, key),)


def test_members_join_and_leave_while_the_alarm_is_open() -> None:
    board = Board()
    cases, others = village(1, 10), list(village(2, 4).values())
    dead = {n: silent(c) if n <= 109 else c for n, c in cases.items()}
    board.tick([*dead.values(), *others])
    assert board.alarms[0].members == frozenset(range(101, 110))
    dead[110], dead[101] = silent(cases[110]), cases[101]
    changes = board.tick([*dead.values(), *others], 50.0)
    assert board.alarms[0].members == frozenset(range(102, 111))
    joined, left = frozenset({110}), frozenset({101})
    assert changes == (AlarmUpdate(1, "village_link", severity="critical", joined=joined, left=left),)
