"""The bench of picture faults: its places, its faults and its figures."""

import numpy as np
import pytest

from camera_hub.bench.sight import faults, weather
from camera_hub.bench.sight.outcome import Judged, of_all, of_class
from camera_hub.bench.sight.scenes import Profile, drawn
from camera_hub.bench.sight.trials import ACCEPTED, FINE, places
from camera_hub.eye.messages import FAULTS


@pytest.mark.parametrize("profile", ["day", "night", "lamps"])
def test_a_place_is_the_same_each_time_and_its_pictures_are_not(profile: Profile) -> None:
    size = (160, 90)
    one, other = drawn(3, profile, size), drawn(3, profile, size)
    assert np.array_equal(one.picture(5.0), other.picture(5.0))
    assert not np.array_equal(one.picture(5.0), one.picture(7.0))


def test_tuning_and_testing_share_no_place() -> None:
    tune, test = ({one.name for one in places(share, 4, None)} for share in ("tune", "test"))
    assert len(tune) == len(test) == 4 * 3 + 4
    assert not tune & test


@pytest.mark.slow
def test_every_fault_of_one_picture_is_tried_and_every_step_makes_a_picture() -> None:
    named = {fault.value for fault in FAULTS}
    assert set(faults.FAULTS) == named - {"moved", "frozen"}
    assert set().union(*ACCEPTED.values()) <= named
    picture = drawn(1, "day", (480, 270)).picture(1.0)
    for change in [*weather.NO_FAULTS.values(), *(step for steps in faults.FAULTS.values() for step in steps)]:
        changed = change(picture.copy(), np.random.default_rng(1))
        assert changed.shape == picture.shape
        assert np.isfinite(changed).all()


def test_the_figures_of_a_known_set() -> None:
    def judged(label: str, **scores: float) -> Judged:
        return Judged("place", "day", label, "0", scores)

    found = [
        judged("blurred", blurred=10.0),
        judged("blurred", covered=0.0, blurred=70.0),
        judged("blurred", blurred=65.0),
        judged("noisy", noisy=0.0, blurred=50.0),
        judged(FINE, blurred=55.0),
        judged(FINE, blurred=100.0),
        judged(FINE),
        judged(FINE, noisy=61.0),
    ]
    figures = of_class("blurred", found)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["named_exactly"] == pytest.approx(1 / 3)
    assert figures["precision"] == pytest.approx(1 / 3), "one of three that were called blurred was"
    assert figures["false_alarms"] == 1
    assert figures["roc"][-1] == [90.0, 0.25, 1.0]
    whole = of_all(found)
    assert (whole["false_alarm_rate"], whole["recall"], whole["scenes"]) == (0.25, 0.75, 1)
