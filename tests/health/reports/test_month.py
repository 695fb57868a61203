"""A simulated month: the report through the database equals an independent computation from the raw rows, exactly."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.ledger.past import PastFiles
from camera_hub.health.reports.figures import FIGURES, BothShares
from camera_hub.health.reports.reports import NamedReport, ReportQuery, Reports
from camera_hub.health.reports.span import SECOND
from camera_hub.health.reports.words import WORDS
from camera_hub.settings import LedgerSettings, ReportSettings
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.health.reports.independent import Independent, Triple
from tests.health.reports.simulated_month import simulated_month

TOWNSHIP = Actor(1, "leader", "领导", Role.LEADER)
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def in_minutes(name: str, both: BothShares) -> tuple[Triple, Triple]:
    """As independent computes it."""
    scale = {"time": 60 * SECOND, "mean": 60 * SECOND}.get(WORDS[name].unit, 1)
    found = []
    for share in (both.before, both.after):
        whole = share.whole if WORDS[name].unit == "mean" else share.whole / scale
        found.append((share.part / scale, whole, share.unknown / scale))
    return (found[0], found[1])  # type: ignore[return-value]


def expected(own: Independent, name: str, village: int | None) -> tuple[Triple, Triple]:
    found = []
    for when in ("before", "after"):
        part, whole, unknown = own.figure(name, when, village)
        if name == "repair_time":
            whole = own.figure("repairs", when, village)[0]
        found.append((part, whole, unknown))
    return (found[0], found[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "first", "last", "seed"),
    [
        (SHANGHAI, date(2026, 10, 1), date(2026, 10, 31), 1),
        (BERLIN, date(2026, 10, 1), date(2026, 10, 31), 2),  # summer time ends
        (BERLIN, date(2026, 3, 28), date(2026, 3, 29), 3),  # and begins
    ],
    ids=["Shanghai", "Berlin", "two days"],
)
@pytest.mark.one_database
async def test_a_month_equals_an_independent_computation(
    database: Database, zone: ZoneInfo, first: date, last: date, seed: int
) -> None:
    month = simulated_month(zone, first, last, seed=seed)
    await month.store(database)
    clock = ManualClock(month.end + timedelta(days=2))
    files = PastFiles(database, LedgerSettings(), zone)
    reports = Reports(database, clock, ReportSettings(), zone, files, 400.0)
    own = Independent(month)
    found = await reports.report(TOWNSHIP, ReportQuery(first, last))
    report = found.report
    computed = [name for name in FIGURES if name != "ledger"]
    assert {name: in_minutes(name, report.shares[name]) for name in computed} == {
        name: expected(own, name, None) for name in computed
    }
    for village in report.villages:
        one = village.village_id
        assert village.cameras == len(own.cameras_in[one])
        for name in computed:
            assert in_minutes(name, village.shares[name]) == expected(own, name, one), (one, name)
        assert village.rank.place == own.place("online_time", one)
    assert [one.rank.why for one in report.villages].count("no_cameras") == 1
    for day in report.days:
        for measure, both in (("online", day.online), ("intact", day.intact)):
            known = own.by_day[day.day, measure, "known"]
            assert (both.after.part, both.after.whole) == (
                own.by_day[day.day, measure, "ok"] * 60 * SECOND,
                known * 60 * SECOND,
            )
    for cause in report.causes:
        assert (cause.count, cause.lasted) == (
            own.causes[cause.cause, "count"],
            own.causes[cause.cause, "lasted"] * 60 * SECOND,
        )
    assert {name for name, _ in own.causes if own.causes[name, "lasted"]} <= {one.cause for one in report.causes}
    most = sorted(own.outages.values(), reverse=True)[: len(report.flapping)]
    assert [one.after for one in report.flapping] == most
    assert {one.unit for one in report.units} == set(own.units.values())
    for unit in report.units:
        listed = {
            one.fault.id for one in report.faults if unit.unit in one.units and one.after.verdict != "not_counted"
        }
        assert unit.faults == len(listed)
        assert listed <= own.faults_of_unit(unit.unit)
    # There is something to get wrong.
    for name in computed:
        both = report.shares[name]
        assert both.before != both.after or name == "repair_in_time", name
        assert both.after.whole, name
    await asked_again(reports, clock, found)


async def asked_again(reports: Reports, clock: ManualClock, found: NamedReport) -> None:
    clock.move(86400)
    query = ReportQuery(found.report.span.first, found.report.span.last)
    again = await reports.report(TOWNSHIP, query)
    assert again is not found
    for name in ("shares", "villages", "cameras", "units", "days", "causes", "faults", "unobserved"):
        assert getattr(again.report, name) == getattr(found.report, name)
