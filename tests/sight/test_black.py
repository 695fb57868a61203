"""Black is when nothing can be made out; night is not black."""

import numpy as np
import pytest

from camera_hub.sight.black import black
from tests.sight.scenes import Image, flat, noisy, street, with_clock

FAULT = 60.0


@pytest.mark.parametrize(
    "image",
    [
        street(),
        noisy(street(), 4, 1),
        street(light=0.12, lamps=True),
        noisy(street(light=0.15), 4, 1),
        noisy(street(light=0.1), 2, 1),
        flat((250, 250, 250)) - street(light=0.05),
    ],
    ids=["day", "noise", "night with lamps", "noisy night", "moonlight", "fog"],
)
def test_what_shows_something_is_a_picture(image: Image) -> None:
    assert black(image) == 100.0
    assert black(with_clock(image, 7)) == 100.0


@pytest.mark.parametrize(
    "image",
    [flat((0, 0, 0)), flat((16, 16, 16)), noisy(flat((10, 10, 10)), 3, 1), flat((200, 20, 20)), flat((128, 128, 128))],
    ids=["black", "video black", "covered, with noise", "blue screen", "grey screen"],
)
def test_what_shows_nothing_is_black_however_its_caption_shines(image: Image) -> None:
    assert black(image) < FAULT
    assert black(with_clock(image, 7)) < FAULT


def test_one_lamp_is_enough() -> None:
    night = street(light=0.0, lamps=True)
    assert night.mean() < 10
    assert black(night) >= FAULT


def test_grey_images_and_small_ones_are_judged_too() -> None:
    assert black(street()[..., 0]) == 100.0
    assert black(np.zeros((48, 64), np.uint8)) == 0.0
