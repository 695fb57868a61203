"""Tones: made for cameras, and found again in what a browser would hear."""

import math
from functools import cache

import av
import numpy as np
from av import AudioFrame
from av.audio.codeccontext import AudioCodecContext

SECONDS = 1


@cache
def tone(hertz: int, codec: str = "pcm_alaw", *, rate: int = 8000, samples: int = 320) -> tuple[bytes, ...]:
    """A second of it as RTP payloads; a whole number of hertz loops without a click."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout, context.format = rate, "mono", "s16"
    payloads = []
    for start in range(0, SECONDS * rate, samples):
        wave = np.sin(2 * math.pi * hertz * np.arange(start, start + samples) / rate) * 8000
        frame = AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, start
        payloads += [bytes(packet) for packet in context.encode(frame)]
    return tuple(payloads)


def loudest(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]", rate: int) -> float | None:
    """The strongest frequency in hertz; None in silence."""
    if len(samples) < rate // 4 or float(np.abs(samples).max()) < 500:
        return None
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate / len(samples)
