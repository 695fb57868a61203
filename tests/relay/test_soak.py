"""The soak, short: half a minute each time, 20 minutes by `python -m tests.relay.soak` or CAMERA_HUB_LONG=1."""

import os

import pytest

from tests.relay.soak import Report, Sample, judge, slope, soak

LONG = os.environ.get("CAMERA_HUB_LONG") == "1"


@pytest.mark.slow
async def test_viewers_come_and_go_and_cameras_drop_and_the_relay_keeps_nothing() -> None:
    report = await soak(20.0 if LONG else 0.4)
    assert report.failures == 0
    assert report.viewers > 10
    assert report.drops > 1
    assert (report.feeds_last, report.viewers_last) == (4, 0)
    assert report.samples > 5
    assert report.flat, report


@pytest.mark.parametrize(
    ("kept_per_viewer_kb", "files", "tasks", "flat"),
    [(0, 0, 0, True), (40, 0, 0, True), (150, 0, 0, False), (0, 6, 0, False), (0, 0, 20, False)],
)
def test_a_short_soak_sees_what_a_viewer_leaves_behind(
    kept_per_viewer_kb: float, files: int, tasks: int, flat: bool
) -> None:
    """Thirty viewers in eighteen seconds, beside the megabyte that a young relay grows by."""
    grown = (1200 + 30 * kept_per_viewer_kb) / 1000
    samples = [Sample(2.0 * at, 74 + grown * at / 9, 12 + files * at // 9, 23 + tasks * at // 9) for at in range(10)]
    report = Report(0.4)
    judge(report, samples)
    assert report.flat is flat


@pytest.mark.parametrize(("growth", "flat"), [(0.0, True), (0.05, False)])
def test_a_leak_is_told_from_noise(growth: float, flat: bool) -> None:
    samples = [Sample(2.0 * at, 70 + growth * at + (at % 7) / 5, 20, 40) for at in range(450)]
    report = Report(20.0)
    judge(report, samples)
    assert report.flat is flat
    assert slope(samples) == pytest.approx(growth * 1800, abs=5)
