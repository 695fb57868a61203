"""Frozen is exact repetition; a scene in which nothing moves is not frozen."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.sight.freeze import frozen, score, signature
from tests.sight.scenes import Image, noisy, street, with_clock

FAULT = 60.0
SMALL = np.zeros((360, 640), np.uint8)


def compare(before: Image, after: Image) -> float:
    result = frozen(signature(before), after)
    assert result is not None
    return result


@pytest.mark.parametrize("light", [1.0, 0.15], ids=["day", "night"])
def test_a_frozen_scene_under_a_running_clock_is_frozen(light: float) -> None:
    scene = noisy(street(light=light), 2, 1)
    assert compare(with_clock(scene, 1), with_clock(scene, 200)) == 0.0


@pytest.mark.parametrize("light", [1.0, 0.15], ids=["day", "night"])
def test_a_still_scene_with_a_sensor_s_noise_lives(light: float) -> None:
    scene = street(light=light)
    assert compare(noisy(scene, 1.5, 1), noisy(scene, 1.5, 2)) >= FAULT


def test_a_clean_scene_lives_when_something_moved_or_the_light_changed() -> None:
    assert compare(street(car=0.1), street(car=0.5)) == 100.0
    assert compare(street(), street(light=0.98)) == 100.0


def encoded(pictures: list[Image], bitrate: int = 600_000) -> list[Image]:
    """The pictures as they come out of a camera's encoder, one key frame each, after rate control has settled."""
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
    return keys


@pytest.mark.slow
def test_after_a_real_encoder_frozen_and_still_are_told_apart() -> None:
    scene = street(car=0.3)
    held = noisy(scene, 2, 1)
    freeze = encoded([with_clock(held, number // 10) for number in range(160)])
    still = encoded([with_clock(noisy(scene, 2, number), number // 10) for number in range(160)])
    assert compare(freeze[8], freeze[-1]) < FAULT
    assert compare(still[8], still[-1]) >= FAULT


def test_a_signature_is_short_and_only_of_its_own_size() -> None:
    text = signature(np.zeros((2160, 3840, 3), np.uint8))
    assert len(text) <= 4096
    assert frozen(text, np.zeros((1080, 1920, 3), np.uint8)) is None
    assert frozen(signature(np.zeros((20, 20), np.uint8)), np.zeros((20, 20), np.uint8)) == 0.0


@pytest.mark.slow
@settings(max_examples=30)
@given(st.text(max_size=60) | st.just("1:640x360:AAAA") | st.just("1:640x360:!!"))
def test_a_strange_signature_is_not_judged(text: str) -> None:
    assert frozen(text, SMALL) is None


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_repetition_never_scores_better(first: float, second: float) -> None:
    less, more = sorted((first, second))
    assert 0 <= score(more) <= score(less) <= 100
