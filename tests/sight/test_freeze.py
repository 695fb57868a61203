"""Frozen is exact repetition; a scene in which nothing moves is not frozen."""

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.sight.freeze import compare, frozen, marks, moment, read_moment, tiles_again, write_moment
from camera_hub.sight.memory import MORE, read_memory, write_memory
from camera_hub.sight.picture_check import PictureCheck, check_picture
from camera_hub.sight.view import View
from tests.sight.scenes import Image, noisy, street, with_clock

FAULT = 60.0


def looked(pictures: Sequence[Image], *, at: float = 400.0, memory: str | None = None) -> PictureCheck:
    """A look: as many of the pictures as are asked for."""
    found = check_picture(pictures[0], memory, at=at)
    for number, picture in enumerate(pictures[1:], 1):
        if not found.again:
            break
        found = check_picture(picture, found.memory, at=at + 2 * number)
    assert not found.again
    return found


@pytest.mark.parametrize("light", [1.0, 0.5], ids=["day", "night"])
def test_a_frozen_scene_under_a_running_clock_is_frozen(light: float) -> None:
    scene = noisy(street(light=light), 2, 1)
    before = looked([with_clock(scene, second) for second in range(1 + MORE)], at=0.0)
    assert "frozen" not in before.scores
    found = looked([with_clock(scene, second) for second in range(100, 101 + MORE)], memory=before.memory)
    assert found.scores["frozen"] == 0.0


@pytest.mark.parametrize("light", [1.0, 0.5], ids=["day", "night"])
@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_a_still_scene_with_a_sensor_s_noise_lives(light: float, sigma: float) -> None:
    pictures = [with_clock(noisy(street(light=light), sigma, seed), seed) for seed in range(12)]
    memory = None
    for look in range(3):
        found = looked(pictures[4 * look : 4 * look + 4], at=1000.0 * look, memory=memory)
        memory = found.memory
    assert found.scores["frozen"] >= FAULT


def test_what_moves_or_changes_its_light_lives_at_once() -> None:
    before = check_picture(street(car=0.1), at=1.0)
    for other in (street(car=0.5), street(car=0.1, light=0.95)):
        found = check_picture(other, before.memory, at=301.0)
        assert (found.scores["frozen"], found.again) == (100.0, False)


def test_one_pair_alone_is_not_believed() -> None:
    scene = street(car=0.3)
    before = check_picture(scene, at=1.0)
    same = check_picture(scene, before.memory, at=301.0)
    assert same.again
    assert "frozen" not in same.scores
    moved = check_picture(street(car=0.6), same.memory, at=303.0)
    assert (moved.scores["frozen"], moved.again) == (100.0, False)


def test_a_tile_comes_again_only_where_it_has_a_texture() -> None:
    texture = np.random.default_rng(1).integers(60, 200, (360, 640, 3)).astype(np.uint8)
    half = texture.copy()
    half[:, 320:] = 90
    first, second, third = (marks(moment(image, View.of(image), 0.0)) for image in (texture, half, texture // 2))
    assert tiles_again(first, []) == (32, 0)
    assert tiles_again(second, [first]) == (16, 16)
    assert tiles_again(third, [first, second]) == (32, 0)


def encoded(pictures: Sequence[Image], bitrate: int) -> list[Image]:
    """Key frames of a camera's encoder, after rate control has settled."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = pictures[0].shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 10), Fraction(10)
    encoder.bit_rate = bitrate
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=10:min-keyint=10:threads=1"}
    decoder = av.CodecContext.create("h264", "r")
    keys = []
    for packet in [
        *(p for i in pictures for p in encoder.encode(av.VideoFrame.from_ndarray(i, format="bgr24"))),
        *encoder.encode(None),
    ]:
        keys += [f.to_ndarray(format="bgr24").astype(np.uint8) for f in decoder.decode(packet) if f.key_frame]
    return keys[4:]


@pytest.mark.slow
@pytest.mark.parametrize("bitrate", [400_000, 2_000_000])
def test_after_a_real_encoder_frozen_and_quiet_are_told_apart(bitrate: int) -> None:
    scene = street(car=0.3)
    held = noisy(scene, 1, 1)
    freeze = encoded([with_clock(held, number // 10) for number in range(100)], bitrate)
    quiet = encoded([with_clock(noisy(scene, 0.5, number), number // 10) for number in range(100)], bitrate)
    scores = []
    for keys in (freeze, quiet):
        before = check_picture(keys[0], at=1.0)
        scores.append(looked(keys[1:], memory=before.memory).scores["frozen"])
    assert scores[0] < FAULT <= scores[1]


def test_a_moment_survives_as_text_and_the_memory_stays_short() -> None:
    image = np.random.default_rng(1).integers(0, 255, (1080, 1920, 3), np.uint8)
    kept = moment(image, View.of(image), 12.5)
    again = read_moment(write_moment(kept))
    assert again is not None
    assert (again.at, again.size) == (12.5, (1920, 1080))
    assert np.array_equal(again.samples, kept.samples)
    found = check_picture(image, at=0.0)
    for turn in range(6):
        found = check_picture(image, found.memory, at=1000.0 * turn)
        assert found.memory is not None
        assert len(found.memory) <= 16_000
    smaller = image[:540, :960]
    assert compare(kept, moment(smaller, View.of(smaller), 13.0)) is None


@given(
    st.text(max_size=60)
    | st.sampled_from(["4|0|0|0|0||", "4|x|0|0|0|||1,2,3,AAAA", "4|0.5|1|0|0|black=0|AAAA|1,640,360,!!"])
)
def test_a_strange_memory_is_an_empty_one(text: str) -> None:
    read = read_memory(text)
    assert read.moments == ()
    assert read_memory(write_memory(read)) == read


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_repetition_never_scores_better(first: float, second: float) -> None:
    less, more = sorted((first, second))
    assert 0 <= frozen(more) <= frozen(less) <= 100
