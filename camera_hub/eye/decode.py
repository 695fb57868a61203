"""Decoder: one access unit to an image, with FFmpeg."""

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from camera_hub.errors import HubError, Kind, Reason

MAX_PIXELS = 40_000_000
"""More than any camera has (8K: 33 million); a forged SPS can demand far more memory than the frame has bytes."""

_DECODERS = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}


def decode(codec: str, data: bytes) -> NDArray[np.uint8]:
    """The first picture of an access unit as BGR, 8 bits, shape (height, width, 3).

    `codec`: "h264" or "h265" (`data`: Annex B, parameter sets first), or "mjpeg" (`data`: a JPEG).
    Raises HubError(UNSUPPORTED): CODEC_UNSUPPORTED for any other codec, UNDECODABLE for data without a picture.
    """
    name = _DECODERS.get(codec)
    if name is None:
        raise HubError(
            Kind.UNSUPPORTED,
            f"{codec[:16]} is not decoded; set the camera's stream to H.264 or H.265",
            reason=Reason.CODEC_UNSUPPORTED,
        )
    try:
        decoder = av.CodecContext.create(name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1  # decode threads cost over 1 GB of address space with 4K H.265
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
        if not frames:
            raise _undecodable("it contains no complete picture")
        frame = frames[0]
        if frame.width * frame.height > MAX_PIXELS:
            raise _undecodable(f"it states {frame.width} × {frame.height} pixels")
        image = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise _undecodable(type(error).__name__) from error
    return image


def _undecodable(why: str) -> HubError:
    return HubError(
        Kind.UNSUPPORTED,
        f"the key frame cannot be decoded: {why}; restart the camera if this repeats",
        reason=Reason.UNDECODABLE,
    )
