"""For how long a main stream that came too late is not used."""

from camera_hub.media.feeds.sub_stream_fallback import RELAPSE, REST, REST_CAP, LateCameras
from tests.fakes.clock import ManualClock


def test_it_rests_for_a_while_and_longer_after_each_relapse(clock: ManualClock) -> None:
    late, rests = LateCameras(clock), []
    for _ in range(7):
        late.found(1)
        clock.move(1)
        late.found(1)  # reported again meanwhile: nothing new
        seconds = 1
        while late.rests(1):
            clock.move(1)
            seconds += 1
        rests.append(seconds)
        clock.move(RELAPSE / 2)
    assert rests == [REST, 2 * REST, 4 * REST, 8 * REST, REST_CAP, REST_CAP, REST_CAP]
    assert not late.rests(2)


def test_a_good_while_forgives(clock: ManualClock) -> None:
    late = LateCameras(clock)
    late.found(1)
    clock.move(REST + RELAPSE / 2)
    late.sweep()
    late.found(1)
    clock.move(1.5 * REST)
    assert late.rests(1), "remembered, and longer"
    clock.move(10_000.0)
    late.sweep()
    late.found(1)
    clock.move(REST)
    assert not late.rests(1)
