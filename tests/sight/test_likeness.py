"""Two pictures show the same place, or not; where that cannot be told, a person looks."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.sight.likeness import alike, outline
from camera_hub.simulator.picture.scenes import Look, Scene, SceneKind
from tests.sight.scenes import Image, flat, noisy, street, with_clock

FITS = 60.0
STREET = outline(street())


def view(kind: SceneKind, *, night: bool = False, turn: float = 0.1, size: tuple[int, int] = (640, 360)) -> Image:
    return Scene(Look(kind, night), *size).frame(turn, round(turn * 8)).y.astype(np.uint8)


def turned(image: Image, right: int, down: int, zoom: float = 1.0) -> Image:
    height, width = image.shape[:2]
    matrix = np.array([[zoom, 0, right + (1 - zoom) * width / 2], [0, zoom, down + (1 - zoom) * height / 2]])
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT).astype(np.uint8)


@pytest.mark.parametrize("kind", SceneKind)
def test_the_same_place_is_alike_whatever_passes_by(kind: SceneKind) -> None:
    known = outline(view(kind))
    for other in (
        view(kind, turn=0.6),
        view(kind, turn=0.4, size=(1920, 1080)),
        turned(view(kind, turn=0.5), 25, 8),
        turned(view(kind, turn=0.5), 0, 0, 1.1),
    ):
        score = alike(known, other)
        assert score is not None
        assert score >= FITS


@pytest.mark.parametrize("kind", SceneKind)
@pytest.mark.parametrize("night", [False, True])
def test_another_place_is_not(kind: SceneKind, night: bool) -> None:
    known = outline(view(kind, night=night))
    scores = [alike(known, view(other, night=night)) for other in SceneKind if other is not kind]
    assert all(score is not None and score < FITS for score in scores)


@pytest.mark.parametrize(
    "image",
    [
        noisy(street(), 2, 1),
        street(light=0.5),
        noisy(street(light=0.2), 1.5, 2),
        street(car=0.4),
        with_clock(street(), 77),
        cv2.resize(street(), (352, 288)).astype(np.uint8),
        cv2.cvtColor(street(), cv2.COLOR_BGR2GRAY).astype(np.uint8),
    ],
    ids=["noise", "dusk", "night", "car", "caption", "smaller", "grey"],
)
def test_light_and_caption_do_not_count(image: Image) -> None:
    score = alike(STREET, image)
    assert score is not None
    assert score >= FITS


@pytest.mark.parametrize("image", [flat((0, 0, 0)), flat((200, 90, 30)), noisy(flat((8, 8, 8)), 1.5, 3)])
def test_nothing_is_said_where_nothing_can_be_made_out(image: Image) -> None:
    assert outline(image) == ""
    assert alike(STREET, image) is None
    assert alike(outline(image), street()) is None


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda data: f"1:{data.hex()}"))
@pytest.mark.slow
def test_what_is_no_outline_is_compared_with_nothing(text: str) -> None:
    assert alike(text, street()) is None
