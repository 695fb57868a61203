"""Noise and stripes: what a sensor, a cable or an amplifier adds.

Noisy: single pixels differ from their neighbours everywhere, also where the picture is plain. Texture does that only
where it is; rain, snowfall and insects do it in few places. So the plainest parts count.

Striped: waves or rows that run through the whole picture. A wave is a peak in the spectrum that stands alone above its
surroundings; rows (or columns) that are lost or lifted as one differ from those on both sides. Fences, blinds, tiled
walls and ploughed fields have stripes, too, but not over the whole picture, nor with one and the same strength and
spacing.
"""

import cv2
import numpy as np

from camera_hub.sight.scoring import score
from camera_hub.sight.view import HEIGHT, WIDTH, Floats, View

_PARTS = 12
"""Parts of the height (or width) that are looked at for lost rows."""
_SEGMENTS = 10
"""Parts of a row that must agree."""
_LOWEST = 7
"""Waves over the height of the picture from which on they are stripes, and no shading."""
_WINDOW = (np.hanning(HEIGHT // 2)[:, None] * np.hanning(WIDTH // 2)[None, :]).astype(np.float32)
_EDGE = HEIGHT // 2 // 9
"""Rows at the upper and lower edge, where captions are."""
_FAR = 8
_BESIDE = 0.4 * np.where(np.abs(np.arange(-_FAR, _FAR + 1)) > 2, 1.0, 0.0) / (2 * (_FAR - 2))
_AMPLITUDE = 16.0 / (WIDTH // 2 * (HEIGHT // 2)) / 2
"""From a peak of the windowed spectrum to grey levels."""


def _high() -> Floats:
    """1 for waves that are stripes, 0 for slower ones."""
    down = np.minimum(np.arange(HEIGHT // 2), HEIGHT // 2 - np.arange(HEIGHT // 2))[:, None]
    right = np.arange(WIDTH // 4 + 1)[None, :] * HEIGHT / WIDTH
    return (np.hypot(down, right) >= _LOWEST).astype(np.float32)


_HIGH = _high()


def noisy(view: View) -> float:
    """Score 0 (snow) … 100."""
    return score(view.noise, best=2.0, limit=5.0, worst=14.0)


def striped(view: View) -> float:
    """Score 0 (stripes all over) … 100."""
    half: Floats = cv2.resize(view.grey, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
    middle = half[_EDGE:-_EDGE]
    lost = max(_lost(middle), _lost(np.ascontiguousarray(middle.T)))
    # 1 is the limit.
    return score(max(_wave(half), lost), best=0.7, limit=1.0, worst=1.6)


def _wave(half: Floats) -> float:
    centred = np.clip(half - cv2.blur(half, (61, 61)), -60, 60) * _WINDOW
    whole = cv2.dft(centred, flags=cv2.DFT_COMPLEX_OUTPUT)[:, : centred.shape[1] // 2 + 1]
    spectrum = cv2.magnitude(whole[:, :, 0], whole[:, :, 1]) * _AMPLITUDE
    around = np.fft.ifftshift(cv2.blur(np.fft.fftshift(spectrum, axes=0).astype(np.float32), (9, 9)), axes=0)
    # Level and upright edges lie along the two axes of the spectrum: a wave must stand alone there, too.
    around[:, 0] = np.maximum(around[:, 0], np.fft.ifftshift(_beside(np.fft.fftshift(spectrum[:, 0]))))
    around[0] = np.maximum(around[0], _beside(spectrum[0]))
    alone = spectrum / (around + 0.03) * np.minimum(spectrum / 4.0, 1.0) * _HIGH
    strength = float(alone.max()) / 6.6
    if strength < 0.7:
        return strength
    at = np.unravel_index(int(np.argmax(alone)), alone.shape)
    return strength * min(1.0, _spread(half, int(at[0]), int(at[1])) / 0.75)


def _beside(line: Floats) -> Floats:
    """Part of the mean of what is 3 to 8 places away, on both sides: a wave among level edges is still one."""
    return np.convolve(np.pad(line, _FAR, mode="reflect"), _BESIDE, mode="valid").astype(np.float32)


def _spread(half: Floats, down: int, right: int) -> float:
    """Over how much of the picture this wave runs: the share of its parts in which it is at least half as strong as in
    the strongest ones."""
    height, width = half.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    turn = np.exp(-2j * np.pi * (down * rows / height + right * columns / width))
    fine = np.clip(half - cv2.blur(half, (31, 31)), -40, 40)
    parts = np.abs((fine * turn).reshape(6, height // 6, 8, width // 8).mean(axis=(1, 3)))
    return float((parts >= 0.5 * max(float(np.quantile(parts, 0.8)), 0.5)).mean())


def _lost(half: Floats) -> float:
    """Whether rows all over stand out as one from those above and below. An edge of the scene does not stand out from
    both sides, and a kerb, a wire or a gutter is one row among many."""
    parts = half.reshape(half.shape[0], _SEGMENTS, -1).mean(axis=2)
    near = np.stack([parts[one : parts.shape[0] - 4 + one] for one in range(5)])
    left = np.clip(parts[2:-2] - np.sort(near, axis=0)[2], -40, 40)
    half_way = _SEGMENTS // 2
    common = np.sort(left, axis=1)[:, half_way - 1 : half_way + 1].mean(axis=1)  # np.median takes a millisecond
    starts = np.arange(_PARTS) * left.shape[0] // _PARTS
    rows = np.diff(starts, append=left.shape[0])
    strengths = np.sqrt(np.add.reduceat(common**2, starts) / rows)
    of_all = np.sqrt(np.add.reduceat((left**2).mean(axis=1), starts) / rows)
    shares = strengths / np.maximum(0.5, of_all)
    strength, share = (float(np.sort(one)[_PARTS // 4]) for one in (strengths, shares))
    return min(strength / 5.0, share / 0.55)
