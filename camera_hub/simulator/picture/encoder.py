"""FFmpeg's encoders, given our pictures."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from camera_hub.simulator.picture.canvas import Canvas

_NICE = 10


class Abandoned(Exception):
    """The result is no longer needed."""


def encode(
    codec: str,
    pictures: Iterable[Canvas],
    *,
    size: tuple[int, int],
    fps: int,
    bitrate: int | None = None,
    options: Mapping[str, str] | None = None,
    full_range: bool = False,
    all_keys: bool = False,
    stop: threading.Event | None = None,
) -> Iterator[tuple[bytes, int, bool]]:
    """Encoded access units in coding order, each with the number of its picture and whether it is a key frame.

    `size` is width and height; `full_range` says that luma runs from 0 to 255, as JPEG requires; `all_keys` makes every
    picture a key frame. Raises Abandoned once `stop` is set, so that a farm can end while one of its threads encodes.
    """
    more = {"forced-idr": "1"} if all_keys else {}
    encoder = _opened(codec, size, fps, bitrate, dict(options or {}) | more, full_range=full_range)
    for number, picture in enumerate(pictures):
        if stop is not None and stop.is_set():
            raise Abandoned
        frame = av.VideoFrame.from_ndarray(_stacked(picture), format="yuvj420p" if full_range else "yuv420p")
        frame.pts = number
        if all_keys:
            frame.pict_type = PictureType.I
        for packet in encoder.encode(frame):
            yield bytes(packet), packet.pts or 0, packet.is_keyframe
    for packet in encoder.encode(None):
        yield bytes(packet), packet.pts or 0, packet.is_keyframe


class PictureEncoder:
    """Encodes picture by picture: each comes out at once."""

    def __init__(
        self, codec: str, *, size: tuple[int, int], fps: int, bitrate: int, options: Mapping[str, str]
    ) -> None:
        self._encoder = _opened(codec, size, fps, bitrate, dict(options) | {"forced-idr": "1"}, full_range=False)
        self._number = 0

    def encode(self, picture: Canvas, *, key: bool) -> tuple[bytes, bool]:
        """The access unit of a picture, and whether it is a key frame; `key` makes it one."""
        frame = av.VideoFrame.from_ndarray(_stacked(picture), format="yuv420p")
        frame.pts = self._number
        if key:
            frame.pict_type = PictureType.I
        self._number += 1
        packets = self._encoder.encode(frame)
        if len(packets) != 1:
            raise RuntimeError(f"the encoder made {len(packets)} access units of one picture")
        return bytes(packets[0]), packets[0].is_keyframe


def be_nice(nice: int = _NICE) -> None:
    """Give encoding in this thread a low priority, never a higher one than it has. On Linux that is per thread."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))


def _opened(
    codec: str, size: tuple[int, int], fps: int, bitrate: int | None, options: dict[str, str], *, full_range: bool
) -> VideoCodecContext:
    encoder = av.CodecContext.create(codec, "w")
    if not isinstance(encoder, VideoCodecContext):
        raise TypeError(f"{codec} is not a video encoder")
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuvj420p" if full_range else "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    if bitrate is not None:
        encoder.bit_rate = bitrate
    encoder.options = options
    return encoder


def _stacked(canvas: Canvas) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    height, width = canvas.y.shape
    flat = np.concatenate([canvas.y.reshape(-1), canvas.u.reshape(-1), canvas.v.reshape(-1)])
    return flat.reshape(height * 3 // 2, width)
