"""Who is notified of what: tables and long runs in injected time."""

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from camera_hub.access.policy import Role
from camera_hub.health.notices.policy import NoticePolicy, decide
from camera_hub.health.notices.rules import EVERYTHING, RuleView
from camera_hub.health.notices.situation import (
    AlarmFacts,
    Decisions,
    PlannedNotice,
    QuietHours,
    Receiver,
    ReceiverKey,
    Situation,
    Told,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 12:00 of the site
MIDNIGHT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
POLICY = NoticePolicy()
OPERATOR: ReceiverKey = ("user", 1)
GROUP: ReceiverKey = ("channel", 1)
RECEIVERS = (
    Receiver(OPERATOR, Role.OPERATOR, quiet=POLICY.quiet),
    Receiver(GROUP, rules=(EVERYTHING,), quiet=POLICY.quiet),
)


def alarm(number: int = 1, minutes: float = 0.0, **more: Any) -> AlarmFacts:
    """A camera without picture since `minutes`."""
    given: dict[str, Any] = {"level": "camera", "aspect": "media", "severity": "major", "village_id": 1, **more}
    age = given.pop("age", minutes * 60)
    subject = given.pop("subject", f"{given['level']}:{given['aspect']}:{number}")
    given.setdefault("unattended", age)
    return AlarmFacts(number, given.pop("level"), given.pop("aspect"), given.pop("severity"), subject, age=age, **given)


def situation(*alarms: AlarmFacts, now: datetime = NOON, **more: Any) -> Situation:
    more.setdefault("receivers", RECEIVERS)
    more.setdefault("digest_made", True)
    return Situation(now, now.astimezone(ZONE), alarms, **more)


def told(number: int, key: ReceiverKey = OPERATOR, kind: str = "opened", **more: Any) -> Told:
    given = {"subject": f"camera:media:{number}", "at": NOON - timedelta(hours=5), "ended": False, **more}
    return Told(number, key, given["subject"], kind, given["at"], given["ended"])


def kinds(decisions: Decisions, key: ReceiverKey = OPERATOR) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.kind, one.alarm_ids) for one in decisions.notices if one.receiver == key]


@pytest.mark.parametrize(
    ("facts", "minutes"),
    [
        ({"level": "camera"}, 30),
        ({"level": "camera", "key": True}, 2),
        ({"level": "device"}, 10),
        ({"level": "device", "key": True}, 2),
        ({"level": "village", "severity": "critical"}, 10),
        ({"level": "hub", "severity": "critical", "village_id": None}, 10),
        ({"aspect": "picture", "severity": "minor", "key": True}, 2),
        ({"aspect": "picture", "severity": "major"}, 30),
        ({"aspect": "picture", "severity": "minor"}, None),
        ({"aspect": "clock", "severity": "warning"}, None),
        ({"aspect": "recording", "severity": "major"}, None),
        ({"aspect": "osd", "severity": "warning"}, None),
        ({"acknowledged": True}, None),
        ({"suspended": True}, None),
    ],
)
def test_what_lasts_is_notified_after_its_time_and_some_of_it_never_by_itself(
    facts: dict[str, Any], minutes: float | None
) -> None:
    for at, expected in (
        (minutes, 1),
        (None if minutes is None else minutes - 0.1, 0),
        (60 if minutes is None else None, 0),
    ):
        if at is not None:
            found = decide(situation(alarm(1, at, **facts)), POLICY)
            assert [one.kind for one in found.notices] == ["opened", "opened"] * expected
            assert len(found.told) == 2 * expected


@pytest.mark.parametrize(
    ("facts", "sound"),
    [({"level": "village"}, True), ({"key": True}, True), ({}, False), ({"level": "device"}, False)],
)
def test_only_villages_and_key_cameras_are_heard(facts: dict[str, Any], sound: bool) -> None:
    assert decide(situation(alarm(1, 40, **facts)), POLICY).notices[0].sound is sound


@pytest.mark.parametrize(
    ("receiver", "village", "meant"),
    [
        (Receiver(OPERATOR, Role.VILLAGE_ADMIN, villages=frozenset({1})), 1, True),
        (Receiver(OPERATOR, Role.VILLAGE_ADMIN, villages=frozenset({2})), 1, False),
        (Receiver(OPERATOR, Role.VILLAGE_ADMIN, villages=frozenset({1})), None, False),
        (Receiver(OPERATOR, Role.LEADER), 1, False),
        (Receiver(GROUP, rules=(RuleView(village_id=2),)), 1, False),
        (Receiver(GROUP, rules=(RuleView(min_severity="major"),)), 1, True),
        (Receiver(GROUP), 1, False),
        (Receiver(OPERATOR, Role.OPERATOR, since=NOON), 1, True),
    ],
)
def test_a_receiver_gets_what_is_its_business(receiver: Receiver, village: int | None, meant: bool) -> None:
    found = decide(situation(alarm(1, 40, village_id=village), receivers=(receiver,)), POLICY)
    assert bool(found.notices) is meant


def test_who_is_new_is_not_told_of_what_others_were_told_before() -> None:
    receiver = Receiver(OPERATOR, Role.OPERATOR, since=NOON)
    before = alarm(1, 40, notified_at=NOON - timedelta(minutes=1))
    after = alarm(2, 40, notified_at=NOON)
    assert kinds(decide(situation(before, after, receivers=(receiver,)), POLICY)) == [("opened", (2,))]


@pytest.mark.parametrize(("level", "seconds"), [("camera", 300.0), ("device", 60.0), ("village", 60.0)])
def test_an_end_is_told_a_little_later_and_only_where_its_beginning_was(level: str, seconds: float) -> None:
    ended = alarm(1, 90, level=level, closed_for=seconds - 1)
    rows = [told(1)]
    assert decide(situation(ended, told=rows), POLICY).is_empty
    found = decide(situation(replace(ended, closed_for=seconds), told=rows), POLICY)
    assert [(one.receiver, one.kind) for one in found.notices] == [(OPERATOR, "closed")]
    assert found.ended == [(1, OPERATOR)]


def test_an_alarm_that_a_higher_one_took_over_ends_without_a_word_once_that_is_told() -> None:
    taken = alarm(1, 9, closed_for=30.0, ending="merged", merged_into=2, key=True)
    parent = alarm(2, 5, level="village", severity="critical")
    assert decide(situation(taken, parent, told=[told(1)]), POLICY).is_empty
    rows = [told(1), told(2, subject="village:media:1")]
    found = decide(situation(taken, parent, told=rows), POLICY)
    assert (found.ended, found.notices) == ([(1, OPERATOR)], [])
    passed = replace(parent, closed_for=300.0)  # it ended before anybody was told of it
    found = decide(situation(taken, passed, told=[told(1)]), POLICY)
    assert kinds(found) == [("closed", (1,))]
    assert decide(situation(replace(taken, merged_into=None), told=[told(1)]), POLICY).ended == [(1, OPERATOR)]


@pytest.mark.parametrize("ending", ["excluded", "unobserved"])
def test_what_is_judged_no_more_is_no_repair(ending: str) -> None:
    found = decide(situation(alarm(1, 90, closed_for=900.0, ending=ending), told=[told(1)]), POLICY)
    assert (found.ended, found.notices) == ([(1, OPERATOR)], [])


def test_one_that_comes_again_before_its_end_was_told_goes_on() -> None:
    before, again = alarm(1, 90, closed_for=40.0), alarm(2, 0.3, subject="camera:media:1")
    found = decide(situation(before, again, told=[told(1)]), POLICY)
    assert (found.notices, found.ended, found.told) == ([], [(1, OPERATOR)], [(2, OPERATOR, "opened")])


def test_one_that_came_before_is_told_as_flapping_and_settles_slowly() -> None:
    again = alarm(2, 31, subject="camera:media:1")
    rows = [told(1, ended=True, at=NOON - timedelta(minutes=90))]
    found = decide(situation(again, told=rows, receivers=RECEIVERS[:1]), POLICY)
    assert kinds(found) == [("flapping", (2,))]
    assert found.told == [(2, OPERATOR, "flapping")]
    rows = [told(2, kind="flapping", subject="camera:media:1")]
    assert decide(situation(replace(again, closed_for=1799.0), told=rows), POLICY).is_empty
    assert kinds(decide(situation(replace(again, closed_for=1800.0), told=rows), POLICY)) == [("closed", (2,))]


def test_a_told_alarm_that_begins_to_flap_is_told_once() -> None:
    flaps = alarm(1, 90, flapping=True)
    found = decide(situation(flaps, told=[told(1)], receivers=RECEIVERS[:1]), POLICY)
    assert (kinds(found), found.changed) == ([("flapping", (1,))], [(1, OPERATOR)])
    assert decide(situation(flaps, told=[told(1, kind="flapping")], receivers=RECEIVERS[:1]), POLICY).is_empty


def test_losses_of_one_place_are_one_notice() -> None:
    place = [alarm(n, 31 - n / 10, place_group="pole 7") for n in range(1, 5)]
    later = alarm(9, 25, place_group="pole 7")
    found = decide(situation(*place, later, alarm(5, 31)), POLICY)
    assert kinds(found) == [("opened", (5,)), ("opened", (1, 2, 3, 4, 9))]


def test_at_night_only_what_is_critical_is_told_and_the_rest_in_the_morning() -> None:
    camera, village = alarm(1, 40), alarm(2, 40, level="village", severity="critical")
    assert kinds(decide(situation(camera, village, now=MIDNIGHT), POLICY)) == [("opened", (2,))]
    morning = MIDNIGHT + timedelta(hours=7)
    found = decide(situation(camera, village, now=morning, told=[told(2)], receivers=RECEIVERS[:1]), POLICY)
    assert kinds(found) == [("opened", (1,))]
    loud = Receiver(GROUP, rules=(EVERYTHING,))  # a channel without quiet hours
    assert kinds(decide(situation(camera, now=MIDNIGHT, receivers=(loud,)), POLICY), GROUP) == [("opened", (1,))]


@pytest.mark.parametrize(
    ("start", "end", "at", "quiet"),
    [
        ("22:00", "07:00", "22:00", True),
        ("22:00", "07:00", "06:59", True),
        ("22:00", "07:00", "07:00", False),
        ("12:00", "14:00", "13:59", True),
        ("12:00", "14:00", "14:00", False),
        ("00:00", "00:00", "00:00", False),
    ],
)
def test_quiet_hours(start: str, end: str, at: str, quiet: bool) -> None:
    assert QuietHours(time.fromisoformat(start), time.fromisoformat(end)).has(time.fromisoformat(at)) is quiet


def test_escalation_goes_to_township_admins_then_leaders_and_once() -> None:
    people = [
        Receiver(("user", number), role)
        for number, role in enumerate((Role.OPERATOR, Role.TOWNSHIP_ADMIN, Role.LEADER, Role.MAINTAINER), 1)
    ]
    rows = [told(1, person.key) for person in people] + [told(1, GROUP)]
    receivers = (*people, RECEIVERS[1])
    day = alarm(1, 24 * 60, owner_id=4)
    for facts, expected in (
        (day, [2, 4]),
        (replace(day, age=72 * 3600, unattended=72 * 3600, escalation=1), [2, 3, 4]),
        (replace(day, escalation=1), []),
        (replace(day, suspended=True), []),
        (replace(day, severity="minor"), []),
        (replace(day, unattended=3600.0), []),  # resumed an hour ago
    ):
        found = decide(situation(facts, receivers=receivers, told=rows), POLICY)
        people_told = [
            one.receiver[1] for one in found.notices if one.kind == "escalated" and one.receiver[0] == "user"
        ]
        assert people_told == expected
        assert any(one.receiver == GROUP for one in found.notices) is bool(expected)


def test_what_lasts_is_reminded_of_once_a_day_in_one_notice_by_day() -> None:
    day = 86400.0
    many = [alarm(n, 600, untold=day - n * 3600, escalation=2) for n in range(20)]
    rows = [told(n) for n in range(20)]
    found = decide(situation(*many, told=rows, receivers=RECEIVERS[:1]), POLICY)
    assert [(one.kind, len(one.alarm_ids)) for one in found.notices] == [("reminder", 13)]
    assert len(found.reminded) == 13
    assert decide(situation(*many[1:], told=rows, receivers=RECEIVERS[:1]), POLICY).is_empty  # none is due by itself
    assert decide(situation(*many, told=rows, now=MIDNIGHT, receivers=RECEIVERS[:1]), POLICY).is_empty
    mine = [replace(one, owner_id=1) for one in many]
    rows += [told(n, GROUP) for n in range(20)]
    assert {one.receiver for one in decide(situation(*mine, told=rows), POLICY).notices} == {OPERATOR}


def test_the_digest_comes_once_a_day_with_what_has_no_notice_of_its_own() -> None:
    clocks = [alarm(n, 900, aspect="clock", severity="warning") for n in (1, 2)]
    known, taken = alarm(3, 900, escalation=2), alarm(4, 900, acknowledged=True, escalation=2)
    leader = Receiver(("user", 3), Role.LEADER)
    receivers = (*RECEIVERS, leader)
    rows = [told(3), told(3, GROUP)]
    eight = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    found = decide(
        situation(*clocks, known, taken, now=eight, digest_made=False, told=rows, receivers=receivers), POLICY
    )
    assert found.digest == eight.astimezone(ZONE).date()
    assert {one.receiver: (set(one.alarm_ids), one.open) for one in found.notices} == {
        OPERATOR: ({1, 2, 4}, 1),
        GROUP: ({1, 2, 4}, 1),
        leader.key: ({1, 2, 3, 4}, 0),
    }
    for early in (eight - timedelta(seconds=1), eight + timedelta(hours=15)):  # before its time; at night
        assert decide(situation(*clocks, now=early, digest_made=False), POLICY).is_empty
    nothing = decide(situation(known, now=eight, digest_made=False, told=rows), POLICY)
    assert (nothing.notices, nothing.digest is not None) == ([], True)


@dataclass
class World:
    """Alarms that come and go by a trace, told by `decide` pass after pass, as the announcer does with rows.

    A restart forgets nothing here, for all that it needs is in rows; so do these lists.
    """

    receivers: tuple[Receiver, ...] = RECEIVERS
    policy: NoticePolicy = POLICY
    zone: ZoneInfo = ZONE
    start: datetime = NOON
    alarms: dict[int, AlarmFacts] = field(default_factory=dict)
    opened: dict[int, datetime] = field(default_factory=dict)
    closed: dict[int, datetime] = field(default_factory=dict)
    told: dict[tuple[int, ReceiverKey], Told] = field(default_factory=dict)
    sent: list[tuple[datetime, PlannedNotice]] = field(default_factory=list)
    digests: set[Any] = field(default_factory=set)

    def open(self, number: int, at: datetime, **facts: Any) -> None:
        self.alarms[number], self.opened[number] = alarm(number, **facts), at

    def close(self, number: int, at: datetime) -> None:
        self.closed[number] = at

    def step(self, now: datetime) -> Decisions:
        """One pass at that time of the wall clock."""
        local = now.astimezone(self.zone)
        standing = {row.alarm_id for row in self.told.values() if not row.ended}
        self.alarms = {n: one for n, one in self.alarms.items() if n not in self.closed or n in standing}
        facts = []
        for number, one in self.alarms.items():
            closed = self.closed.get(number)
            age = (now - self.opened[number]).total_seconds()
            gone = None if closed is None else (now - closed).total_seconds()
            untold = None if one.notified_at is None else (now - one.notified_at).total_seconds()
            facts.append(replace(one, age=age, unattended=age, closed_for=gone, untold=untold))
        recent: dict[ReceiverKey, list[datetime]] = defaultdict(list)
        for at, notice in self.sent[-400:]:
            if now - at < timedelta(seconds=self.policy.window):
                recent[notice.receiver].append(at)
        since = now - timedelta(seconds=self.policy.flapping_window)
        self.told = {key: row for key, row in self.told.items() if not row.ended or row.at > since}
        made = local.date() in self.digests
        found = decide(
            Situation(now, local, facts, self.receivers, tuple(self.told.values()), recent, made), self.policy
        )
        self.sent += [(now, one) for one in found.notices]
        for pair in found.ended:
            self.told[pair] = replace(self.told[pair], ended=True)
        for pair in found.changed:
            self.told[pair] = replace(self.told[pair], kind="flapping")
        for number, key, kind in found.told:
            assert (number, key) not in self.told, "told twice"
            self.told[number, key] = Told(number, key, self.alarms[number].subject, kind, now, False)
        for number in found.notified:
            self.alarms[number] = replace(self.alarms[number], notified_at=self.alarms[number].notified_at or now)
        for number in found.reminded:
            self.alarms[number] = replace(self.alarms[number], notified_at=now)
        for number, level in found.escalated.items():
            self.alarms[number] = replace(self.alarms[number], escalation=level)
        if found.digest is not None:
            self.digests.add(found.digest)
        return found

    def run(self, seconds: float, each: float, happens: Callable[[datetime], None]) -> None:
        now = self.start
        while now < self.start + timedelta(seconds=seconds):
            happens(now)
            self.step(now)
            now += timedelta(seconds=each)

    def most_in_ten_minutes(self, key: ReceiverKey) -> int:
        times = [at for at, one in self.sent if one.receiver == key]
        return max((sum(at <= t < at + timedelta(minutes=10) for t in times) for at in times), default=0)


@pytest.mark.parametrize("half", [30, 150, 600])
@pytest.mark.parametrize("key", [True, False])
def test_toggling_for_two_hours_is_a_few_notices(half: int, key: bool) -> None:
    """Down and up again every `half` seconds for two hours: nothing, or that it is down, flaps, and has settled."""
    world = World(receivers=RECEIVERS[:1])

    def happens(now: datetime) -> None:
        number, second = divmod(int((now - NOON).total_seconds()), 2 * half)
        if now >= NOON + timedelta(hours=2):
            return
        if second == 0:
            world.open(number + 1, now, subject="camera:media:7", key=key)
        elif half <= second < half + 30:
            world.close(number + 1, now)

    world.run(3.5 * 3600, 30, happens)
    said = [one.kind for _, one in world.sent]
    assert (
        said
        in {
            (30, False): ([],),
            (30, True): ([],),
            (150, False): ([],),
            (150, True): (["opened", "flapping", "closed"], ["opened", "closed"]),
            (600, False): ([],),
            (600, True): (["opened", "closed", "flapping", "closed"],),  # slow enough to be told once as repaired
        }[half, key]
    )


def test_an_alarm_that_flaps_while_it_is_open_is_three_notices() -> None:
    """As judging says it: one alarm from the first loss until it has settled, flapping after some minutes."""
    world = World(receivers=RECEIVERS[:1])

    def happens(now: datetime) -> None:
        minute = (now - NOON).total_seconds() / 60
        if minute == 0:
            world.open(1, now, key=True)
        elif minute == 4:
            world.alarms[1] = replace(world.alarms[1], flapping=True)
        elif minute == 130:
            world.close(1, now)

    world.run(4 * 3600, 30, happens)
    assert [one.kind for _, one in world.sent] == ["opened", "flapping", "closed"]


def test_a_day_of_storms_is_at_most_ten_notices_in_any_ten_minutes() -> None:
    """Villages, recorders and cameras come and go all day, hundreds at a time; nobody gets more than he can read, and
    what was told as begun is told as ended."""
    draw = random.Random(12)
    people = tuple(
        Receiver(("user", number), role, villages=None if number < 4 else frozenset({number}), quiet=POLICY.quiet)
        for number, role in enumerate((Role.OPERATOR, Role.TOWNSHIP_ADMIN, Role.LEADER, Role.VILLAGE_ADMIN), 1)
    )
    world = World(receivers=(*people, RECEIVERS[1], Receiver(("channel", 2), rules=(EVERYTHING,))))
    ends: dict[int, datetime] = {}
    numbers = itertools.count(1)
    last = timedelta(hours=24)

    def happens(now: datetime) -> None:
        for number in [one for one, at in ends.items() if at <= now]:
            world.close(number, now)
            del ends[number]
        if now - NOON > last or draw.random() > 0.35:
            return
        for _ in range(draw.choice((1, 1, 2, 5, 40))):
            number = next(numbers)
            level, severity = draw.choice((("camera", "major"),) * 6 + (("village", "critical"), ("device", "major")))
            aspect = draw.choice(("media",) * 5 + ("picture", "clock"))
            subject = f"{level}:{aspect}:{draw.randrange(300)}"
            if any(one.subject == subject and n not in world.closed for n, one in world.alarms.items()):
                continue
            key, group = draw.random() < 0.2, draw.choice((None, None, f"pole {draw.randrange(9)}"))
            village = draw.randrange(1, 17)
            world.open(
                number, now, level=level, severity=severity, aspect=aspect, subject=subject, key=key,
                place_group=group, village_id=village,
            )  # fmt: skip
            ends[number] = now + timedelta(minutes=draw.choice((1, 5, 20, 60, 120)))

    world.run(30 * 3600, 150, happens)
    for receiver in world.receivers:
        assert 0 < world.most_in_ten_minutes(receiver.key) <= 10
    begun: dict[ReceiverKey, set[int]] = defaultdict(set)
    over: dict[ReceiverKey, set[int]] = defaultdict(set)
    for _, one in world.sent:
        if one.kind in ("opened", "flapping"):
            assert one.kind == "flapping" or not begun[one.receiver] & set(one.alarm_ids), "told twice"
            begun[one.receiver] |= set(one.alarm_ids)
        elif one.kind == "closed":
            assert not over[one.receiver] & set(one.alarm_ids), "ended twice"
            over[one.receiver] |= set(one.alarm_ids)
    assert len(world.sent) > 200
    assert not [
        row
        for row in world.told.values()
        if not row.ended and row.alarm_id in world.closed and row.receiver == ("channel", 2) and row.kind == "opened"
    ], "without quiet hours every end is told by now"


def days(moments: Iterable[datetime], zone: ZoneInfo) -> list[str]:
    """The local times at which a digest was made, by these passes."""
    world = World(receivers=RECEIVERS[:1], zone=zone)
    world.open(1, NOON - timedelta(days=3), aspect="clock", severity="warning")
    return [
        now.astimezone(zone).strftime("%d %H:%M")
        for now in moments
        for one in world.step(now).notices
        if one.kind == "digest"
    ]


def test_the_digest_is_made_once_a_day_whatever_the_clock_does() -> None:
    minute = timedelta(minutes=1)
    berlin = ZoneInfo("Europe/Berlin")
    spring = datetime(2027, 3, 27, 0, 0, tzinfo=UTC)
    assert days([spring + n * minute for n in range(3 * 1440)], berlin) == ["27 08:00", "28 08:00", "29 08:00"]
    autumn = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
    assert days([autumn + n * minute for n in range(3 * 1440)], berlin) == ["24 08:00", "25 08:00", "26 08:00"]
    eight = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    stepped = [eight + n * minute for n in (-1, 0, 1, -30, -29, 0, 1, 90, 5)]  # set back, and forward again
    assert days(stepped, ZONE) == ["23 08:00"]
    away = [eight - minute, eight + timedelta(hours=3), eight + timedelta(hours=4), eight + timedelta(days=1)]
    assert days(away, ZONE) == ["23 11:00", "24 08:00"]
    night = [eight + timedelta(hours=15), eight + timedelta(hours=16, minutes=30), eight + timedelta(days=1)]
    assert days(night, ZONE) == ["24 08:00"]
