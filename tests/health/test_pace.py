"""Whether the hub's rounds move on, and whether they keep their period."""

from camera_hub.errors import Reason
from camera_hub.health.judging.pace import SETTLE_SECONDS, PaceWatch, Waiting

PERIOD = 60.0


def causes(watch: PaceWatch, reports: dict[float, Waiting]) -> list[str | None]:
    found = []
    for at, waiting in reports.items():
        watch.report(waiting, at)
        alarm = watch.expected(at)
        found.append(None if alarm is None else alarm.cause)
    return found


def test_rounds_that_look_at_nothing_for_three_periods_stand_still() -> None:
    watch = PaceWatch(PERIOD, 0.0)
    watch.looked(10.0)
    assert causes(watch, {100.0: Waiting(1, 40), 189.0: Waiting(3, 40), 191.0: Waiting(3, 40)}) == [
        None,
        None,
        Reason.ROUNDS_STOPPED,
    ]
    watch.looked(200.0)
    assert watch.expected(201.0) is None


def test_a_hub_without_cameras_that_wait_is_not_stuck() -> None:
    watch = PaceWatch(PERIOD, 0.0)
    assert causes(watch, {10_000.0: Waiting(0, 0), 20_000.0: Waiting(0, 3)}) == [None, None]


def test_rounds_that_are_late_say_how_many_wait_and_close_with_hysteresis() -> None:
    watch = PaceWatch(PERIOD, 0.0)
    late, some, few = Waiting(8, 40), Waiting(3, 40), Waiting(1, 40)

    def after(waiting: Waiting, begin: float) -> list[str | None]:
        watch.looked(begin + SETTLE_SECONDS)
        return causes(watch, {begin: waiting, begin + SETTLE_SECONDS - 1: waiting, begin + SETTLE_SECONDS: waiting})

    assert after(late, 0.0) == [None, None, Reason.ROUNDS_LATE]
    alarm = watch.expected(61.0)
    assert alarm is not None
    assert alarm.params == {"late": 8, "total": 40}
    assert after(some, 100.0) == [Reason.ROUNDS_LATE] * 3, "between the two shares it stays what it was"
    assert after(few, 200.0) == [Reason.ROUNDS_LATE, Reason.ROUNDS_LATE, None]
    assert after(some, 300.0) == [None] * 3


def test_a_peak_is_none() -> None:
    watch = PaceWatch(PERIOD, 0.0)
    assert (
        causes(watch, {0.0: Waiting(9, 40), 50.0: Waiting(0, 40), 70.0: Waiting(9, 40), 120.0: Waiting(9, 40)})
        == [None] * 4
    )
