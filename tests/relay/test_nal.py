"""Parameter sets and slices, read from what real encoders write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.ingest import nal
from camera_hub.relay.ingest.codecs import BY_NAME, H264, NalRole
from tests.relay.clip import clip


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(320, 240), (416, 234), (1920, 1080)])
def test_the_size_of_an_h264_picture_is_that_after_cropping(width: int, height: int) -> None:
    sps, _ = clip(width=width, height=height, seconds=1).parameters()
    info = nal.parse_h264_sps(sps)
    assert (info.width, info.height, info.has_b_frames) == (width, height, False)
    assert info.profile == sps[1:4].hex()


@pytest.mark.parametrize(("width", "height"), [(320, 240), (416, 232)])
def test_the_size_of_an_h265_picture_is_that_after_cropping(width: int, height: int) -> None:
    shown = clip(codec="h265", width=width, height=height, seconds=1)
    sps = next(unit for unit in shown.parameters() if nal.h265_type(unit) == nal.H265_SPS)
    info = nal.parse_h265_sps(sps)
    assert (info.width, info.height, info.has_b_frames) == (width, height, False)


def test_b_frames_are_seen_in_h264_slices() -> None:
    plain = [nal.h264_is_b(unit) for frame in clip().frames for unit in frame]
    with_b = [nal.h264_is_b(unit) for frame in clip(options="bframes=2:b-adapt=0").frames for unit in frame]
    assert not any(plain)
    assert any(with_b)


@given(st.binary(min_size=0, max_size=64))
def test_any_bytes_are_read_or_refused_with_value_error(data: bytes) -> None:
    for read, header in ((nal.parse_h264_sps, b"\x67"), (nal.parse_h265_sps, b"\x42\x01")):
        try:
            info = read(header + data)
        except ValueError:
            continue
        assert 0 < info.width <= 16384
        assert 0 < info.height <= 16384


def test_the_parts_of_a_key_frame() -> None:
    roles = [H264.role(unit) for unit in clip().frames[0]]
    assert roles[0] is NalRole.PARAMETER_SET
    assert roles[-1] is NalRole.KEY_SLICE
    assert {BY_NAME["h265"].role(unit) for unit in clip(codec="h265", seconds=1).frames[0]} >= {
        NalRole.PARAMETER_SET,
        NalRole.KEY_SLICE,
    }
