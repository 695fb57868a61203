"""The time at a device, from what devices write about their clocks (case 22)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.cameras.onvif.device_clock import DeviceClock, device_time, moment, off_by_zone, offsets

WINTER = datetime(2026, 1, 15, 12, 0)
SUMMER = datetime(2026, 7, 15, 12, 0)

ZONES = [
    # TZ, at what local time, the likeliest offset in hours
    ("CST-8", WINTER, 8),
    ("cst-8", WINTER, 8),
    ("CST-08:00", WINTER, 8),
    ("CST-8:00:00", WINTER, 8),
    (" CST-8 ", WINTER, 8),
    (":CST-8", WINTER, 8),
    ('"CST-8"', WINTER, 8),
    ("<+08>-8", WINTER, 8),
    ("<+0800>-8", WINTER, 8),
    ("ChinaStandardTime-8", WINTER, 8),
    ("IST-5:30", WINTER, 5.5),
    ("NPT-5:45", WINTER, 5.75),
    ("UTC0", WINTER, 0),
    ("UTC", WINTER, 0),
    ("Z", WINTER, 0),
    ("EST5EDT,M3.2.0,M11.1.0", WINTER, -5),
    ("EST5EDT,M3.2.0,M11.1.0", SUMMER, -4),
    ("EST5EDT", SUMMER, -4),
    ("CET-1CEST,M3.5.0,M10.5.0/3", WINTER, 1),
    ("CET-1CEST,M3.5.0,M10.5.0/3", SUMMER, 2),
    ("CET-1CEST,M3.5.0,M10.5.0/3", datetime(2026, 3, 29, 1, 59), 1),
    ("CET-1CEST,M3.5.0,M10.5.0/3", datetime(2026, 3, 29, 3, 0), 2),
    ("CET-1CEST,M3.5.0,M10.5.0/3", datetime(2026, 10, 25, 2, 59), 2),
    ("CET-1CEST,M3.5.0,M10.5.0/3", datetime(2026, 10, 25, 3, 0), 1),
    ("NZST-12NZDT,M9.5.0,M4.1.0/3", WINTER, 13),
    ("NZST-12NZDT,M9.5.0,M4.1.0/3", SUMMER, 12),
    ("LHST-10:30LHDT-11,M10.1.0,M4.1.0", WINTER, 11),
    ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", WINTER, -3),
    ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", SUMMER, -2),
    ("CST-8CDT,J120,J273", SUMMER, 9),
    ("CST-8CDT,J60,J61", datetime(2028, 3, 1, 12), 9),
    ("CST-8CDT,59,60", datetime(2028, 2, 29, 12), 9),
    ("CST-8CDT,M13.1.0,M11.1.0", SUMMER, 8),
    ("GMT+08:00", WINTER, -8),
    ("UTC+8", WINTER, -8),
    ("(UTC+08:00) Beijing, Chongqing, Hong Kong", WINTER, 8),
    ("+08:00", WINTER, 8),
    ("+0800", WINTER, 8),
    ("8", WINTER, 8),
    ("-5", WINTER, -5),
    ("Asia/Shanghai", WINTER, 8),
    ("Europe/Berlin", SUMMER, 2),
    ("China Standard Time", WINTER, 8),
    ("北京时间", WINTER, 8),
    ("PRC", WINTER, 8),
]


@pytest.mark.parametrize(("zone", "local", "hours"), ZONES)
def test_a_zone_is_read_however_it_is_written(zone: str, local: datetime, hours: float) -> None:
    assert offsets(zone, local)[0] == timedelta(hours=hours)


@pytest.mark.parametrize("zone", ["", "CST", "../../etc/passwd", "Nowhere/City", "CST-99:00", "x" * 500, "CST-8;rm"])
def test_what_is_no_zone_gives_no_time_or_the_usual_one(zone: str) -> None:
    assert offsets(zone, WINTER) in ([], [timedelta(hours=8)])


@pytest.mark.parametrize(
    "zone",
    [
        "GMT+08:00",
        "GMT-08:00",
        "UTC+8",
        "CST-8",
        "CST+8",
        "Asia/Shanghai",
        "GMT+08:00 Beijing",
        "TZ=CST-8",
        "<+08>-8",
        "GMT 8",
    ],
)
def test_a_sign_is_taken_as_it_fits_the_hubs_clock(zone: str) -> None:
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    said = DeviceClock(local=datetime(2026, 11, 23, 16, 0, 20), zone=zone)
    found = device_time(said, now)
    assert found == now + timedelta(seconds=20)


def test_utc_wins_and_without_anything_no_time_is_known() -> None:
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    utc = datetime(2026, 11, 23, 7, 0)
    assert device_time(DeviceClock(utc, datetime(2026, 1, 1), "CST-8"), now) == utc.replace(tzinfo=UTC)
    assert device_time(DeviceClock(zone="CST-8"), now) is None
    assert device_time(DeviceClock(local=utc, zone="?"), now) is None
    wrong = device_time(DeviceClock(local=datetime(2020, 1, 1, 12), zone="CST-8"), now)
    assert wrong == datetime(2020, 1, 1, 4, tzinfo=UTC)


def test_summer_time_that_the_zone_does_not_know_is_believed_where_it_fits() -> None:
    now = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)
    said = DeviceClock(local=datetime(2026, 7, 15, 17, 0), zone="CST-8", summer=True)
    assert device_time(said, now) == now


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (8, True),
        (-8, True),
        (5.5, True),
        (0.5, True),
        (8.01, True),
        (0, False),
        (0.01, False),
        (8.2, False),
        (72, False),
    ],
)
def test_an_error_of_whole_half_hours_is_a_matter_of_zones(hours: float, expected: bool) -> None:
    assert off_by_zone(hours * 3600) is expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((2026, 11, 23, 8, 0, 0), datetime(2026, 11, 23, 8)),
        (("2026", "11", " 23 ", "8", "0", "60"), datetime(2026, 11, 23, 8, 0, 59)),
        ((2026, 12, 31, 24, 0, 0), datetime(2027, 1, 1)),
        ((2026, 2, 30, 8, 0, 0), None),
        ((None, 1, 1, 1, 1, 1), None),
        ((0, 0, 0, 0, 0, 0), None),
        ((2026, 1, 1, 1, 1, -1), None),
        ((9999, 12, 31, 24, 0, 0), None),
    ],
)
def test_a_time_is_read_or_is_none(parts: tuple[object, ...], expected: datetime | None) -> None:
    assert moment(parts) == expected


@given(st.text(max_size=60), st.datetimes(), st.booleans())
def test_no_zone_breaks_the_reader(zone: str, local: datetime, summer: bool) -> None:
    offsets(zone, local, summer)
    device_time(DeviceClock(local=local, zone=zone, summer=summer), datetime(2026, 1, 1, tzinfo=UTC))
