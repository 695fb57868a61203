"""What a check says of a camera's recording, given the one before: pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from camera_hub.cameras.described import Disk
from camera_hub.cameras.recordings.days import RecordingDay
from camera_hub.cameras.recordings.judging import RecordingLimits, disk_state, judged, unanswered
from camera_hub.cameras.recordings.schedule import made
from camera_hub.cameras.recordings.values import KnownRecording, RecordingStatus, SaidOfCamera, SaidOfDevice

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 29, 4, 0, tzinfo=UTC)  # noon
TODAY = date(2026, 11, 29)
LIMITS = RecordingLimits()
OLD, FRESH = NOW - timedelta(days=400), NOW - timedelta(hours=1)
FULL, ROOMY, BROKEN = Disk("a", "ok", 4_000_000, 20_000), Disk("a", "ok", 4_000_000, 3_000_000), Disk("a", "error", 4)
EVENTS = made([])


def days(*missing_hours: float, due: float = 24) -> list[RecordingDay]:
    """The last days, the oldest first; today is half over."""
    found = []
    for back, missing in enumerate(reversed(missing_hours)):
        hours = due / 2 if back == 0 else due
        seconds = round((hours - missing) * 3600)
        found.append(RecordingDay(TODAY - timedelta(days=back), NOW, seconds, round(hours * 3600), int(missing > 0)))
    return found[::-1]


def said(kept: float | None = 35, silent: float = 0, **more: Any) -> SaidOfCamera:
    if kept is None:
        return SaidOfCamera(1, True)
    found = SaidOfCamera(1, True, NOW - timedelta(days=kept), NOW - timedelta(hours=silent))
    return replace(found, **more)


def check(
    told: SaidOfCamera | None,
    found: Sequence[RecordingDay] = (),
    *,
    disks: Sequence[Disk] | None = None,
    before: RecordingStatus | None = None,
    since: datetime = OLD,
    recorder: bool = True,
    at: datetime = NOW,
) -> RecordingStatus:
    device = SaidOfDevice("onvif", 0.0, {}, tuple(disks) if disks is not None else None)
    known = KnownRecording(before or RecordingStatus(1))
    return judged(known, told, device, found, at, since=since, recorder=recorder, limits=LIMITS, zone=ZONE)


def confirmed(told: SaidOfCamera | None, found: Sequence[RecordingDay] = (), **more: Any) -> RecordingStatus:
    first = check(told, found, **more)
    more["before"] = first
    return check(told, found, **{**more, "at": NOW + timedelta(minutes=10)})


WELL = (0,) * 8


@pytest.mark.parametrize(
    ("told", "found", "more", "expected"),
    [
        (said(), days(*WELL), {}, ("ok", None)),
        (said(None), (), {}, ("fault", "no_recording")),
        (said(None), (), {"recorder": False}, ("unknown", None)),  # a camera without a card
        (said(None), (), {"recorder": False, "disks": []}, ("unknown", None)),
        (said(None), (), {"recorder": False, "disks": [ROOMY]}, ("fault", "no_recording")),
        (said(35, 3), days(*WELL), {}, ("fault", "no_recording")),
        (said(35, 1.5), days(*WELL), {}, ("ok", None)),
        (said(35, 3, schedule=EVENTS), days(*WELL, due=0), {}, ("ok", None)),
        (said(35, 3, running=True), days(*WELL), {}, ("ok", None)),
        (said(), days(0, 0, 0, 0, 0, 0, 0, 2), {}, ("fault", "recording_gaps")),  # today
        (said(), days(0, 0, 0, 0, 0, 0, 4, 0), {}, ("fault", "recording_gaps")),  # yesterday
        (said(), days(0, 0, 0, 4, 0, 0, 0, 0), {}, ("ok", None)),  # some days ago, and well since
        (said(), days(0, 2, 2, 2, 2, 2, 0, 0), {}, ("fault", "recording_gaps")),  # day after day
        (said(), days(0, 0, 0, 0, 0, 0, 0.9, 0), {}, ("ok", None)),  # a power cut
        (said(7), days(*WELL), {}, ("fault", "recording_short")),
        (said(7), days(*WELL), {"since": FRESH}, ("ok", None)),  # it may have been put up a week ago
        (said(7), days(*WELL), {"since": FRESH, "disks": [FULL]}, ("fault", "recording_short")),
        (said(7), days(*WELL), {"since": FRESH, "disks": [ROOMY]}, ("ok", None)),
        (said(29.5), days(*WELL), {}, ("ok", None)),
        (None, (), {}, ("unknown", None)),
        (SaidOfCamera(1, False), (), {}, ("unknown", None)),
    ],
)
def test_a_check_is_judged(
    told: SaidOfCamera | None, found: Sequence[RecordingDay], more: dict[str, object], expected: tuple[str, str | None]
) -> None:
    status = confirmed(told, found, **more)
    assert (status.state, status.reason) == expected


def test_a_fault_counts_once_it_was_seen_twice_and_ends_at_once() -> None:
    first = check(said(None))
    assert (first.state, first.reason, first.unconfirmed) == ("unknown", None, "no_recording")
    soon = check(said(None), before=first, at=NOW + timedelta(minutes=1))
    assert soon.state == "unknown"
    second = check(said(None), before=soon, at=NOW + timedelta(minutes=10))
    assert (second.state, second.since, second.unconfirmed) == ("fault", NOW, None)
    third = check(said(), days(*WELL), before=second, at=NOW + timedelta(minutes=20))
    assert (third.state, third.reason, third.since) == ("ok", None, NOW + timedelta(minutes=20))


def test_what_does_not_answer_stays_what_it_was() -> None:
    fault = confirmed(said(None))
    assert unanswered(fault, "timed_out", NOW).state == "fault"
    silent = check(None, before=fault)
    assert (silent.state, silent.problem) == ("fault", "recording_unknown")


def test_the_cause_is_the_disk_where_it_says_so() -> None:
    assert confirmed(said(35, 12), disks=[FULL, BROKEN]).params["cause"] == "disk"
    assert confirmed(said(35, 12), disks=[FULL]).params["cause"] == "stopped"
    assert confirmed(said(None)).params["cause"] == "none"


def test_a_device_whose_oldest_day_goes_has_no_more_room() -> None:
    before = check(said(8), days(*WELL), since=FRESH)
    after = check(said(7), days(*WELL), since=FRESH, before=before)
    assert after.overwrites
    later = check(said(7), days(*WELL), since=FRESH, before=after, at=NOW + timedelta(minutes=10))
    assert later.reason == "recording_short"


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ([], "none"),
        (["ok"], "ok"),
        (["Success", "sleeping"], "ok"),
        (["ok", "error"], "error"),
        (["unformatted"], "error"),
        (["SMART Failed"], "error"),
        (["not exist"], "error"),
    ],
)
def test_disks_are_told_in_one_word(words: Sequence[str], state: str) -> None:
    assert disk_state([Disk("a", word.lower()) for word in words]) == state
    assert disk_state(None) is None
