"""How long a main stream that came too late is left alone. Pure."""

from camera_hub.media.feeds.late_cameras import RELAPSE, REST, REST_CAP, LateCameras


def test_it_rests_for_a_while_and_longer_after_each_relapse() -> None:
    late, now, rests = LateCameras(), 1000.0, []
    for _ in range(7):
        late.found(1, now)
        late.found(1, now + 1)  # told again meanwhile: nothing new
        began = now
        while late.rests(1, now):
            now += 1
        rests.append(now - began)
        now += RELAPSE / 2
    assert rests == [REST, 2 * REST, 4 * REST, 8 * REST, REST_CAP, REST_CAP, REST_CAP]
    assert not late.rests(2, now)


def test_a_good_while_forgives() -> None:
    late = LateCameras()
    late.found(1, 0.0)
    late.forget(REST + RELAPSE / 2)
    late.found(1, REST + RELAPSE / 2)
    assert late.rests(1, REST + RELAPSE / 2 + 1.5 * REST), "remembered, and longer"
    now = 10_000.0
    late.forget(now)
    late.found(1, now)
    assert not late.rests(1, now + REST)
