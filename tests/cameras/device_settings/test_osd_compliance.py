"""Whether the texts in a picture are as they should be: pure."""

from collections.abc import Sequence

import pytest

from camera_hub.cameras.device_settings.osd_compliance import ShownClock, compliance, told
from camera_hub.cameras.device_settings.values import OsdText

RIGHT = ShownClock(0.4, 0.0)
TIME = "yyyy-MM-dd HH:mm:ss"


def texts(names: Sequence[str], times: Sequence[str] = (TIME,)) -> list[OsdText]:
    return [
        *(OsdText(f"n{place}", "name", text, "lower_left") for place, text in enumerate(names)),
        *(OsdText(f"t{place}", "time", text, "upper_right") for place, text in enumerate(times)),
    ]


@pytest.mark.parametrize(
    ("shown", "clock", "faults"),
    [
        (texts(["村口 东"]), RIGHT, []),
        (texts(["村口东"]), RIGHT, []),
        (texts(["村口－东　"]), RIGHT, []),  # padded, other punctuation
        (texts(["东沟村村口东"]), RIGHT, []),
        (texts(["东沟村", "村口 东"]), RIGHT, []),
        (texts(["村口 东", "东沟村"]), RIGHT, []),  # the village below
        (texts(["村口", "东"]), RIGHT, []),
        (texts(["村口西"]), RIGHT, ["osd_name_wrong"]),
        (texts(["Camera 01"]), RIGHT, ["osd_name_wrong"]),
        (texts([]), RIGHT, ["osd_name_missing"]),
        (texts(["  - "]), RIGHT, ["osd_name_missing"]),
        (texts(["村口东"], []), RIGHT, ["osd_time_missing"]),
        (texts(["村口东"], ["HH:mm:ss"]), RIGHT, ["osd_time_missing"]),  # without a date
        (texts(["村口东"], ["yyyy-MM-dd", "HH:mm:ss"]), RIGHT, []),
        (texts(["村口东"], [""]), RIGHT, []),  # the device does not say how
        (texts(["村口东"]), ShownClock(-45.0, 0.0), ["osd_clock_wrong"]),
        (texts(["村口东"]), ShownClock(0.0, -28_800.0), ["osd_clock_wrong"]),
        (texts(["村口东"]), ShownClock(None), []),
        (texts([], []), ShownClock(999.0), ["osd_name_missing", "osd_time_missing"]),
    ],
)
def test_texts_are_judged(shown: Sequence[OsdText], clock: ShownClock, faults: list[str]) -> None:
    found = compliance(shown, "村口-东", "东沟村", clock, 30.0)
    assert (list(found.faults), found.state) == (faults, "fault" if faults else "ok")


def test_a_hidden_text_does_not_count() -> None:
    hidden = [OsdText("1", "name", "村口东", "lower_left", shown=False), *texts([])]
    assert compliance(hidden, "村口东", "", RIGHT, 30.0).faults == ("osd_name_missing",)


@pytest.mark.parametrize(
    ("clock", "reason"), [(ShownClock(-45.0), None), (ShownClock(0.0, -28_800.0), "osd_clock_wrong")]
)
def test_a_wrong_clock_is_told_once(clock: ShownClock, reason: str | None) -> None:
    found = compliance(texts(["村口东"]), "村口东", "", clock, 30.0)
    assert found.state == "fault"
    assert told(found, clock, 30.0) == reason
