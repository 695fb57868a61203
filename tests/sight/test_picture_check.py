"""What is wrong with one picture, and what is not; with the camera's own reference and without."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.sight.picture_check import check_picture
from camera_hub.sight.reference import read_reference
from camera_hub.sight.scoring import score
from tests.sight.scenes import SIZE, Image, flat, noisy, street, with_clock

FAULT = 60.0
HEIGHT, WIDTH = SIZE
ROWS, COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


def faults(image: Image, reference: str | None = None) -> set[str]:
    found = check_picture(image, references={"day": reference, "night": reference} if reference else None)
    assert all(0 <= value <= 100 for value in found.scores.values())
    return {name for name, value in found.scores.items() if value < FAULT}


def learnt(image: Image) -> str:
    return check_picture(image, with_features=True).features or ""


def levels(values: np.ndarray) -> Image:
    image: Image = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return image


def lettered(image: Image, text: str, scale: float, place: tuple[int, int]) -> Image:
    marked = image.copy()
    cv2.putText(marked, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (235, 235, 235), 3)
    return marked


def bars() -> Image:
    colours = [(192, 192, 192), (0, 192, 192), (192, 192, 0), (0, 192, 0), (192, 0, 192), (0, 0, 192), (192, 0, 0)]
    return np.repeat(np.array(colours, np.uint8)[None, (COLUMNS[0] * 7 / WIDTH).astype(int)], HEIGHT, axis=0)


def waves(down: float, right: float, height: float) -> Image:
    return levels(street() + (height * np.sin(2 * np.pi * (ROWS * down + COLUMNS * right)))[:, :, None])


def blurred(image: Image, sigma: float) -> Image:
    return levels(np.asarray(cv2.GaussianBlur(image, (0, 0), sigma)))


def lost_rows() -> Image:
    image = street()
    random = np.random.default_rng(3)
    for row in np.flatnonzero(random.random(HEIGHT) < 0.2):
        image[row] = random.integers(0, 255)
    return image


CLOTH = levels(90 + 8 * np.sin(COLUMNS / 130)[:, :, None] * np.ones(3) + 5 * np.sin(ROWS / 90)[:, :, None])

FAULTY: list[tuple[str, Image, set[str]]] = [
    ("black", flat((0, 0, 0)), {"black"}),
    ("video black", flat((16, 16, 16)), {"black"}),
    ("a dead sensor with noise", noisy(flat((10, 10, 10)), 3, 1), {"black"}),
    ("blue", flat((200, 20, 20)), {"no_signal"}),
    ("dark blue", flat((90, 0, 0)), {"no_signal"}),
    ("grey", flat((128, 128, 128)), {"no_signal"}),
    ("words in the middle of blue", lettered(flat((190, 40, 0)), "NO VIDEO", 2.0, (150, 200)), {"no_signal"}),
    ("words in a corner of black", lettered(flat((0, 0, 0)), "VIDEO LOSS", 1.6, (20, 80)), {"no_signal"}),
    ("colour bars", bars(), {"no_signal"}),
    ("white", levels(street() * 3.0 + 60), {"overexposed"}),
    ("washed out", levels(street() * 1.0 + 130), {"overexposed"}),
    ("next to black", street(light=0.12), {"underexposed"}),
    ("out of focus", blurred(street(), 5), {"blurred"}),
    ("far out of focus", blurred(street(), 10), {"blurred"}),
    ("out of focus, with noise", noisy(blurred(street(), 5), 2, 1), {"blurred"}),
    ("cloth", noisy(CLOTH, 2, 1), {"covered"}),
    ("a pink tint", levels(street() * np.array([1.3, 0.7, 1.3])), {"colour_cast"}),
    ("a green tint", levels(street() * np.array([0.6, 1.2, 0.6])), {"colour_cast"}),
    ("snow", noisy(street(), 40, 1), {"noisy"}),
    ("waves", waves(1 / 14, 0, 20), {"striped"}),
    ("slanting waves", waves(1 / 12, 1 / 20, 20), {"striped"}),
    ("upright stripes", waves(0, 1 / 12, 20), {"striped"}),
    ("lost rows", lost_rows(), {"striped"}),
    ("a grey veil", levels(street() * 0.12 + 150), {"low_contrast"}),
]


@pytest.mark.parametrize(("image", "expected"), [row[1:] for row in FAULTY], ids=[row[0] for row in FAULTY])
def test_each_fault_is_called_by_its_name_with_a_caption_and_without(image: Image, expected: set[str]) -> None:
    assert faults(image) == expected
    assert faults(with_clock(image, 7)) == expected


@pytest.mark.parametrize("edge", [slice(-28, None), slice(0, 28)])
def test_snow_is_seen_beside_a_caption_s_plate(edge: slice) -> None:
    image = noisy(street(), 30, 3)
    image[edge] = 16
    assert faults(image) == {"noisy"}


def banner() -> Image:
    image = street()
    image[60:110, 40:600] = (30, 28, 205)
    return image


def winter() -> Image:
    field = np.where(ROWS < 110, 205.0, 226 - (ROWS - 110) / 20)
    field[100:118, 150:420] = 90
    field[130:300:37, 40::90] = 110
    return levels(np.repeat(field[:, :, None], 3, axis=2))


def dusk() -> Image:
    return levels(street() * np.clip(1.2 - ROWS / HEIGHT * 1.8, 0.16, 1.3)[:, :, None])


def wall() -> Image:
    image = street()
    image[:, :460] = levels(215 - 20 * np.hypot(COLUMNS / WIDTH, ROWS / HEIGHT))[:, :460, None]
    return noisy(image, 1, 2)


WELL: list[tuple[str, Image]] = [
    ("day", street()),
    ("noise", noisy(street(), 4, 1)),
    ("night with lamps", noisy(street(light=0.12, lamps=True), 2, 1)),
    ("infrared", cv2.cvtColor(noisy(street(light=0.4), 3, 1), cv2.COLOR_BGR2GRAY).astype(np.uint8)),
    ("one lamp", street(light=0.0, lamps=True)),
    ("a red banner", banner()),
    ("a field under snow", winter()),
    ("dusk", dusk()),
    ("a white wall", wall()),
    ("a car", street(car=0.4)),
    ("small", cv2.resize(street(), (352, 288), interpolation=cv2.INTER_AREA).astype(np.uint8)),
    ("large", cv2.resize(street(), (1920, 1080), interpolation=cv2.INTER_CUBIC).astype(np.uint8)),
]


@pytest.mark.parametrize("image", [row[1] for row in WELL], ids=[row[0] for row in WELL])
def test_what_is_no_fault_is_called_none(image: Image) -> None:
    assert faults(image) == set()


def turned(right: int, down: int) -> Image:
    wide = cv2.copyMakeBorder(street(), 200, 200, 400, 400, cv2.BORDER_REFLECT).astype(np.uint8)
    return wide[200 + down : 200 + down + HEIGHT, 400 + right : 400 + right + WIDTH].copy()


def hidden(share: float) -> Image:
    soft = np.clip((COLUMNS / WIDTH - (1 - share)) * 20, 0, 1)[:, :, None]
    return noisy(levels(street() * (1 - soft) + soft * np.array([60, 70, 95])), 1, 3)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (noisy(street(), 2, 9), set()),
        (street(light=0.7), set()),
        (street(car=0.6), set()),
        (turned(12, 4), set()),
        (turned(110, 0), {"moved"}),
        (turned(-220, 20), {"moved"}),
        (hidden(0.7), {"covered"}),
        (blurred(street(), 4), {"blurred"}),
        (levels(street() * np.array([1.5, 1.0, 0.7])), {"colour_cast"}),
    ],
    ids=["itself", "darker", "a car", "by 2 %", "by 17 %", "by 34 %", "a hand", "out of focus", "a tint"],
)
def test_a_camera_is_judged_by_its_own_normal(image: Image, expected: set[str]) -> None:
    known = "\n".join(learnt(noisy(street(car=place), 2, seed)) for seed, place in enumerate((0.1, 0.5, 0.9)))
    assert faults(image, known) == expected


def test_a_view_of_one_colour_has_no_cast_for_a_camera_that_always_sees_it() -> None:
    lawn = levels(np.array([60, 120, 70]) + 3 * street().astype(np.float32).mean(axis=2)[:, :, None] / 10)
    lawn[40:300:20, 30:600:25] = (30, 60, 35)
    assert "colour_cast" not in faults(lawn, learnt(lawn))


def test_what_passes_within_seconds_is_no_fault() -> None:
    first = check_picture(flat((0, 0, 0)), at=1.0)
    assert first.again
    second = check_picture(street(), first.memory, at=3.0)
    assert min(second.scores.values()) >= FAULT
    lasting = check_picture(flat((0, 0, 0)), first.memory, at=3.0)
    assert (lasting.scores["black"], lasting.again) == (0.0, False)


@pytest.mark.parametrize(
    ("image", "expected"),
    [(street(), "day"), (street()[:, :, 0], "night"), (np.repeat(street()[:, :, :1], 3, axis=2), "night")],
)
def test_a_picture_without_colour_is_one_by_night(image: Image, expected: str) -> None:
    assert check_picture(image).profile == expected


@pytest.mark.parametrize("size", [(48, 64), (16, 16), (2, 3), (1, 1), (2000, 90)])
@pytest.mark.parametrize("value", [0, 120])
def test_the_strangest_sizes_are_judged(size: tuple[int, int], value: int) -> None:
    assert faults(np.full((*size, 3), value, np.uint8))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: f"1:{data.hex()}"))
def test_what_is_no_reference_is_none(text: str) -> None:
    assert read_reference(text) is None


@given(st.floats(-1, 2), st.floats(-1, 2))
def test_scores_fall_with_the_fault(first: float, second: float) -> None:
    less, more = sorted((first, second))
    scores = [score(value, best=0.2, limit=0.5, worst=0.9) for value in (less, more)]
    assert 100 >= scores[0] >= scores[1] >= 0
    assert (scores[1] < FAULT) == (more > 0.5) or abs(more - 0.5) < 0.01
