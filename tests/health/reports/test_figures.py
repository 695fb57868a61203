"""Ranking, shares, repairs and stretches of time at their edges."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from camera_hub.errors import HubError
from camera_hub.health.exclusions import ExclusionTerm, Interval, WeeklyWindow, weekly_window
from camera_hub.health.reports.builder import ReportBuilder
from camera_hub.health.reports.figures import FIGURES, RANKED, Rank, Share, ranking, shares_of
from camera_hub.health.reports.repairs import HOUR, Fault, RepairTally, judge_repair
from camera_hub.health.reports.report import ReportRules
from camera_hub.health.reports.span import Stretch, common, report_span, ticks, united, without
from camera_hub.health.reports.words import WORDS

DUE = {"critical": 4.0, "major": 24.0, "minor": 72.0, "warning": 168.0}
SPAN = (1000 * HOUR, 2000 * HOUR)


def test_every_figure_has_words_and_a_value() -> None:
    assert tuple(WORDS) == FIGURES
    assert tuple(shares_of((), (RepairTally(), RepairTally()))) == FIGURES
    assert "repair_time" not in RANKED


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(1, 1, 10_000), (999_999, 1_000_000, 9_999), (0, 3, 0), (1, 3, 3_333), (0, 0, None)],
)
def test_a_percentage_is_rounded_down(part: int, whole: int, shown: int | None) -> None:
    assert Share(part, whole).hundredths == shown


def test_villages_that_read_the_same_share_a_place() -> None:
    villages = [
        (1, True, Share(98_000, 100_000)),
        (2, True, Share(99, 100)),
        (3, True, Share(98_001, 100_000)),  # 98.00 % as well
        (4, True, Share(50, 100)),
        (5, False, Share()),
        (6, True, Share()),
    ]
    assert ranking(villages) == [
        Rank(2, 1, 9_900),
        Rank(1, 2, 9_800, tied=True),
        Rank(3, 2, 9_800, tied=True),
        Rank(4, 4, 5_000),
        Rank(6, None, None, why="nothing_known"),
        Rank(5, None, None, why="no_cameras"),
    ]
    assert ranking([]) == []


def fault(
    opened: float, closed: float | None, *, repaired: bool = True, excluded: list[Stretch] | None = None
) -> Fault:
    until = None if closed is None else int(closed * HOUR)
    away = excluded or []
    return Fault(
        1, "camera", "media", "x", "major", 1, 1, 1, int(opened * HOUR), until, repaired, False, away, frozenset({1})
    )


@pytest.mark.parametrize(
    ("one", "verdict", "decided", "repaired"),
    [
        (fault(1100, 1110), "on_time", True, True),
        (fault(1100, 1124), "on_time", True, True),
        (fault(1100, 1124.001), "late", True, True),
        (fault(1100, None), "late", True, False),
        (fault(1990, None), "open", False, False),
        (fault(1990, 2003), "open", False, False),  # after the span: not known then
        (fault(1990, 2000), "open", False, False),  # the next span's
        (fault(970, 1000), "late", False, True),  # was overdue in the span before
        (fault(990, 1000), "on_time", True, True),
        (fault(976, None), "late", True, False),  # overdue with the first moment of the span
        (fault(975, None), "late", False, False),
        (fault(1100, 1110, repaired=False), "not_counted", False, False),
        (fault(1990, 2003, repaired=False), "open", False, False),
        # 24 hours that count end only after what is excluded
        (fault(1100, 1130, excluded=[(1105 * HOUR, 1111 * HOUR)]), "on_time", True, True),
        (fault(1100, 1131, excluded=[(1105 * HOUR, 1111 * HOUR)]), "late", True, True),
        (fault(1100, 1140, excluded=[(1124 * HOUR, 1140 * HOUR)]), "on_time", True, True),
        (fault(1980, None, excluded=[(1990 * HOUR, 2500 * HOUR)]), "open", False, False),
    ],
)
def test_each_fault_is_decided_once(one: Fault, verdict: str, decided: bool, repaired: bool) -> None:
    judged = judge_repair(one, DUE, SPAN, after=True)
    assert (judged.verdict, judged.decided, judged.repaired) == (verdict, decided, repaired)


def test_spans_that_follow_each_other_decide_each_fault_once() -> None:
    edges = [1000, 1010, 1024, 1025, 1300, 2000]
    for opened in (1001, 1000, 986, 985.999, 1024):
        for closed in (None, 1010, 1024, 1025, 1049):
            if closed is not None and closed < opened:
                continue
            one = fault(opened, closed)
            spans = [(a * HOUR, b * HOUR) for a, b in pairwise(edges)]
            judged = [judge_repair(one, DUE, span, after=False) for span in spans if one.opened < span[1]]
            assert sum(each.decided for each in judged) == 1, (opened, closed)
            assert sum(each.repaired for each in judged) == (closed is not None), (opened, closed)


def test_the_same_weekly_window_of_many_cameras_is_unrolled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    unrolled = []
    within = WeeklyWindow.within

    def counted(self: WeeklyWindow, begin: datetime, end: datetime) -> list[Interval]:
        unrolled.append((begin, end))
        return within(self, begin, end)

    monkeypatch.setattr(WeeklyWindow, "within", counted)
    zone = ZoneInfo("Asia/Shanghai")
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    terms = [
        ExclusionTerm(
            one, "camera", one, "sleep", "", begin, end, weekly_window(range(7), "22:00", "06:00", ZoneInfo(zone.key))
        )
        for one in range(1, 50)
    ]
    span = report_span(date(2026, 2, 1), date(2026, 2, 28), zone, datetime(2026, 4, 1, tzinfo=UTC))
    builder = ReportBuilder(span, ReportRules(DUE, "online_time"), terms, [], span.begin)
    found = [builder.excluded("camera", one, 1, 1) for one in range(1, 50)]
    assert len(unrolled) == 1
    assert all(one == found[0] for one in found)
    assert len(found[0]) == 29


STRETCHES: list[list[Stretch]] = [[], [(0, 3)], [(1, 2), (4, 6)], [(2, 5)], [(0, 9)], [(0, 1), (1, 2), (5, 7), (6, 8)]]


@pytest.mark.parametrize("one", STRETCHES)
@pytest.mark.parametrize("other", STRETCHES)
def test_stretches_are_sets_of_moments(one: list[Stretch], other: list[Stretch]) -> None:
    def moments(stretches: list[Stretch]) -> set[int]:
        return {at for begin, end in stretches for at in range(begin, end)}

    left, right = united(one), united(other)
    assert moments(left) == moments(one)
    assert moments(common(left, right)) == moments(one) & moments(other)
    assert moments(without(left, right)) == moments(one) - moments(other)
    for found in (left, common(left, right), without(left, right)):
        assert found == united(found)


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("2026-03-02", "2026-03-01", "report_order"),
        ("2025-01-01", "2026-03-01", "report_too_long"),
        ("2026-04-01", "2026-04-01", "report_not_begun"),
        ("2026-03-31", "2026-03-31", None),
        ("2026-03-29", "2026-03-29", None),
    ],
)
def test_a_span_is_whole_days_of_the_site(first: str, last: str, reason: str | None) -> None:
    berlin, now = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 31, 12, tzinfo=UTC)
    days = date.fromisoformat(first), date.fromisoformat(last)
    if reason is not None:
        with pytest.raises(HubError) as caught:
            report_span(*days, berlin, now)
        assert caught.value.reason == reason
        return
    span = report_span(*days, berlin, now)
    hours = (span.end - span.begin) / HOUR
    assert (hours, span.over) == {"2026-03-31": (14, False), "2026-03-29": (23, True)}[first]  # summer time begins
    assert span.begin == ticks(datetime.combine(days[0], datetime.min.time(), tzinfo=berlin))
