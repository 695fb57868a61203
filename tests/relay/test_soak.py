"""The soak, short: half a minute each time, 20 minutes by `python -m tests.relay.soak` or CAMERA_HUB_LONG=1."""

import os

import pytest

from tests.relay.soak import Report, Sample, judge, slope, soak

LONG = os.environ.get("CAMERA_HUB_LONG") == "1"


async def test_viewers_come_and_go_and_cameras_drop_and_the_relay_keeps_nothing() -> None:
    report = await soak(20.0 if LONG else 0.4)
    assert report.failures == 0
    assert report.viewers > 10
    assert report.drops > 1
    assert (report.feeds_last, report.viewers_last) == (4, 0)
    assert report.files_last - report.files_first <= 4
    assert report.tasks_last - report.tasks_first <= 16
    if LONG:
        assert report.flat, report


@pytest.mark.parametrize(("growth", "flat"), [(0.0, True), (0.05, False)])
def test_a_leak_is_told_from_noise(growth: float, flat: bool) -> None:
    samples = [Sample(2.0 * at, 70 + growth * at + (at % 7) / 5, 20, 40) for at in range(450)]
    report = Report(20.0)
    judge(report, samples)
    assert report.flat is flat
    assert slope(samples) == pytest.approx(growth * 1800, abs=5)
