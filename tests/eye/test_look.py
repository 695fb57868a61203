"""What an eye does with one key frame."""

import av
import numpy as np
import pytest

from camera_hub.errors import HubError, Reason
from camera_hub.eye.decode import decode
from camera_hub.eye.look import look
from camera_hub.eye.messages import Look
from tests.eye.key_frames import key_frame, scene


@pytest.mark.parametrize(("codec", "encoder"), [("h264", "libx264"), ("h265", "libx265"), ("mjpeg", "mjpeg")])
def test_one_key_frame_becomes_one_picture_of_the_right_colours(codec: str, encoder: str) -> None:
    image = decode(codec, key_frame(encoder, 320, 240))
    assert image.shape == (240, 320, 3)
    for row, column in ((20, 20), (120, 160), (220, 300)):
        assert np.abs(image[row, column].astype(int) - scene(320, 240)[row, column]).max() < 40


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x00\x00\x01", b"no video at all", key_frame("libx264", 320, 240)[:40]],
    ids=["empty", "start code", "text", "cut off"],
)
def test_what_is_no_picture_has_a_named_reason(data: bytes) -> None:
    with pytest.raises(HubError) as error:
        decode("h264", data)
    assert error.value.reason == Reason.UNDECODABLE


def test_an_unknown_codec_has_a_named_reason() -> None:
    with pytest.raises(HubError) as error:
        decode("vp9", b"data")
    assert error.value.reason == Reason.CODEC_UNSUPPORTED


def test_the_jpeg_is_scaled_down_and_never_up() -> None:
    data = key_frame("libx264", 640, 360)
    for max_width, size in ((0, (640, 360)), (320, (320, 180)), (4000, (640, 360))):
        seen, jpeg = look(Look("h264", max_width=max_width), data)
        picture = decode("mjpeg", jpeg)
        assert (picture.shape[1], picture.shape[0]) == size
        assert (seen.width, seen.height, seen.scores) == (640, 360, {})


def test_scores_and_no_jpeg() -> None:
    data = key_frame("libx264", 640, 360)
    seen, jpeg = look(Look("h264", jpeg=False, scores=True), data)
    assert jpeg == b""
    assert seen.scores["black"] == 100.0
    assert "frozen" not in seen.scores
    again = seen
    for _ in range(2):
        again, _ = look(Look("h264", jpeg=False, scores=True, memory=again.memory), data)
        assert again.again
    again, _ = look(Look("h264", jpeg=False, scores=True, memory=again.memory), data)
    assert again.scores["frozen"] == 0.0


def test_a_parameter_set_that_asks_for_a_giant_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camera_hub.eye.decode.MAX_PIXELS", 320 * 240 - 1)
    with pytest.raises(HubError, match="320 × 240"):
        decode("h264", key_frame("libx264", 320, 240))


def test_ffmpeg_can_decode_what_cameras_send() -> None:
    for name in ("h264", "hevc", "mjpeg"):
        assert name in av.codecs_available
