"""Blur and soft shapes, in numpy: OpenCV is sight's, and what is judged must not be made by the judge's own means."""

import numpy as np
from numpy.typing import NDArray

from camera_hub.bench.sight.scenes import Picture


def blurred(image: Picture, sigma: float) -> Picture:
    """With a Gaussian point spread of `sigma` pixels; edges are mirrored."""
    pad = int(3 * sigma) + 2
    widths = [(pad, pad), (pad, pad)] + [(0, 0)] * (image.ndim - 2)
    wide = np.pad(image, widths, mode="reflect" if pad < min(image.shape[:2]) else "edge")
    rows = np.fft.fftfreq(wide.shape[0])[:, None]
    columns = np.fft.rfftfreq(wide.shape[1])[None, :]
    transfer = np.exp(-2 * (np.pi * sigma) ** 2 * (rows**2 + columns**2)).astype(np.float32)
    if image.ndim == 3:
        transfer = transfer[:, :, None]
    spectrum = np.fft.rfft2(wide, axes=(0, 1)) * transfer
    smooth = np.fft.irfft2(spectrum, s=wide.shape[:2], axes=(0, 1))
    return smooth[pad:-pad, pad:-pad].astype(np.float32)


def coordinates(image: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Row and column of every pixel."""
    rows, columns = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    return rows, columns


def soft_disc(image: Picture, x: float, y: float, radius: float, softness: float) -> NDArray[np.float32]:
    """1 within the radius, falling to 0 over `softness` pixels beyond it."""
    rows, columns = coordinates(image)
    disc: NDArray[np.float32] = np.clip(1 - (np.hypot(columns - x, rows - y) - radius) / softness, 0, 1)
    return disc
