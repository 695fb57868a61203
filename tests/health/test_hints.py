"""What was seen before a loss, and which losses are of one place."""

from collections.abc import Sequence

import pytest

from camera_hub.health.judging.hints import MOST, CameraMount, PlaceLoss, Sightings, group_of

LOST = 1000.0
Told = tuple[str, float, float | None]
"""The kind of a hint, how long before the loss it was, and its score."""
Seen = tuple[float, int, str, float | None]
"""When, of which camera (0: the device), what, with which score (None: reported by the device)."""


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], None),
        ([(950, 1, "covered", 12)], ("covered", 50, 12)),
        ([(700, 1, "moved", 30)], ("moved", 300, 30)),
        ([(600, 1, "covered", 12)], None),  # too long ago
        ([(950, 1, "covered", 80)], None),  # well
        ([(700, 1, "covered", 12), (950, 1, "covered", 90)], None),  # it was uncovered again
        ([(50, 1, "blurred", 20), (350, 1, "blurred", 20), (950, 1, "blurred", 20)], None),  # it is always so
        ([(350, 1, "blurred", 20), (950, 1, "blurred", 25)], ("blurred", 50, 25)),
        ([(950, 2, "covered", 12)], None),  # another camera
        ([(950, 1, "noisy", 12)], None),  # nobody's hand
        ([(970, 1, "tamper", None)], ("tamper", 30, None)),
        ([(970, 0, "hardware", None)], ("hardware", 30, None)),  # a lid
        ([(870, 1, "tamper", None)], None),
        ([(970, 1, "motion", None)], None),
        ([(1040, 1, "video_loss", None)], ("video_loss", 0, None)),  # told while it was found lost
        ([(990, 1, "video_loss", None), (900, 1, "covered", 12)], ("covered", 100, 12)),
        ([(980, 1, "tamper", None), (900, 1, "covered", 12)], ("tamper", 20, None)),
    ],
)
def test_a_hint_is_what_has_just_happened(
    seen: Sequence[Seen], expected: tuple[str, float, float | None] | None
) -> None:
    sightings = Sightings()
    for at, camera, kind, score in seen:
        if score is None:
            sightings.report(7, camera or None, kind, at)
        else:
            sightings.look(camera, at, {kind: score})
    found = sightings.hint({1}, {7}, LOST)
    assert (found and (found.kind, found.seconds, found.score)) == expected


def test_sightings_are_bounded() -> None:
    sightings = Sightings()
    for camera in range(2 * MOST):
        sightings.look(camera, LOST, {"covered": 1.0})
    assert len(sightings._of_camera) == MOST
    assert sightings.hint({0}, {7}, LOST) is None
    assert sightings.hint({2 * MOST - 1}, {7}, LOST) is not None


HERE, NEAR, FAR = (117.3000, 31.8000), (117.3004, 31.8002), (117.3020, 31.8000)


@pytest.mark.parametrize(
    ("other", "seconds", "same"),
    [
        (CameraMount(2, 20, 1, NEAR), 100, True),
        (CameraMount(2, 20, 9, NEAR), 100, True),  # villages meet
        (CameraMount(2, 20, 1, FAR), 100, False),
        (CameraMount(2, 20, 1, NEAR), 200, False),
        (CameraMount(2, 20, 1, None, "d-17"), 100, True),
        (CameraMount(2, 20, 9, None, "d-17"), 100, False),  # poles are counted per village
        (CameraMount(2, 20, 1), 100, False),
        (CameraMount(2, 10, 1), 100, True),  # the same recorder
    ],
)
def test_losses_of_one_place_at_one_time_are_one_group(other: CameraMount, seconds: float, same: bool) -> None:
    first = PlaceLoss(LOST, [CameraMount(1, 10, 1, HERE, "d-17")], "camera:1")
    found = group_of([other], LOST + seconds, [first])
    assert found == ("camera:1" if same else None)
