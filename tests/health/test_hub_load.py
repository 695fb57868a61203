"""When the hub's own load is an alarm."""

from camera_hub.errors import Reason
from camera_hub.health.judging.hub_load import CLOSE_SECONDS, KEY, RAISE_SECONDS, LoadWatch, Overload

FULL, FINE = Overload((0, 1)), Overload()


def test_a_peak_is_no_alarm_and_a_load_that_lasts_is_one_until_it_is_over_for_good() -> None:
    watch = LoadWatch()
    assert watch.expected(0.0) is None
    watch.report(FULL, 0.0)
    assert watch.expected(RAISE_SECONDS - 1) is None
    watch.report(FINE, RAISE_SECONDS - 1)
    assert watch.expected(1000.0) is None
    watch.report(FULL, 1000.0)
    watch.report(FULL, 1010.0)
    alarm = watch.expected(1000.0 + RAISE_SECONDS)
    assert alarm is not None
    assert (alarm.key, alarm.cause, alarm.members) == (KEY, Reason.OVERLOADED, frozenset())
    assert "relay 0 and relay 1" in alarm.detail
    assert "media.relays" in alarm.detail
    watch.report(FINE, 1100.0)
    assert watch.expected(1100.0 + CLOSE_SECONDS - 1) is not None
    watch.report(FULL, 1110.0)
    watch.report(FINE, 1120.0)
    assert watch.expected(1100.0 + CLOSE_SECONDS) is not None, "it came back meanwhile"
    assert watch.expected(1120.0 + CLOSE_SECONDS) is None


def test_it_says_what_is_overloaded_and_what_helps_there() -> None:
    hub = Overload(hub=True).detail()
    assert "looks are postponed" in hub
    assert "CPU" in hub
    assert not any(words in hub for words in ("pictures wait", "media.relays", "relay ")), (
        "none of that is true or helps"
    )
    both = Overload((1,), hub=True).detail()
    assert "relay 1 cannot carry more" in both
    assert hub in both
    assert both.startswith(hub), "where it is cut that is not lost"


def test_the_alarm_of_a_hub_before_a_restart_closes_unless_the_load_is_still_there() -> None:
    assert LoadWatch(open_since=0.0).expected(CLOSE_SECONDS - 1) is not None
    assert LoadWatch(open_since=0.0).expected(CLOSE_SECONDS) is None
    watch = LoadWatch(open_since=0.0)
    watch.report(Overload(hub=True), 5.0)
    assert watch.expected(1000.0) is not None
    assert watch.hub_is_late
