"""Steps that the checks share: grey, without captions, scaled, as JPEG."""

from typing import Literal, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.errors import HubError, Kind, Reason

Image = NDArray[np.uint8]
"""(height, width, 3), BGR, or (height, width), grey."""

Sample = TypeVar("Sample", bound=np.generic)

CAPTION_SHARE = 0.18
"""Of the height, at the top and at the bottom: where cameras burn in their name and clock."""


def grey(image: Image) -> Image:
    """The luma of an image: shape (height, width)."""
    return image if image.ndim == 2 else cast(Image, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def without_caption(image: NDArray[Sample]) -> NDArray[Sample]:
    """The rows in the middle, which contain neither name nor clock; same width."""
    band = round(image.shape[0] * CAPTION_SHARE)
    return image[band : image.shape[0] - band]


def scaled(image: Image, max_width: int) -> Image:
    """The image scaled down, never up, to at most `max_width` pixels in width; 0: unchanged."""
    height, width = image.shape[:2]
    if not 0 < max_width < width:
        return image
    size = (max_width, max(1, round(height * max_width / width)))
    return cast(Image, cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def within_square(image: Image, side: int) -> Image:
    """The image scaled down, never up, so that neither side is longer than `side` pixels."""
    height, width = image.shape[:2]
    if max(height, width) <= side:
        return image
    return scaled(image, max(1, round(width * side / max(height, width))))


def from_file(data: bytes) -> Image | None:
    """A JPEG, PNG or WebP file as BGR, turned upright as its EXIF says, what is transparent as white; None when it
    cannot be decoded.
    """
    buffer = np.frombuffer(data, np.uint8)
    try:
        image = cast(Image | None, cv2.imdecode(buffer, cv2.IMREAD_COLOR))
        if image is None or data.startswith(b"\xff\xd8"):
            return image
        raw = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if raw is None or raw.ndim != 3 or raw.shape[2] != 4:
        return image
    del image
    return _on_white(cast(NDArray[np.uint8 | np.uint16], raw), _orientation(buffer))


def _on_white(raw: NDArray[np.uint8 | np.uint16], orientation: int) -> Image:
    """BGRA on white, upright; a band of rows at a time, since the sums take four times the room."""
    most = int(np.iinfo(raw.dtype).max)
    height, width = raw.shape[:2]
    whole = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, 256):
        band = raw[top : top + 256].astype(np.float32) * (255 / most)
        alpha = band[:, :, 3:] / 255
        whole[top : top + 256] = (band[:, :, :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    if orientation >= 5:  # 5: mirrored along the diagonal, the others turned from there
        whole = whole.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        whole = whole[:, ::-1]
    if orientation in (3, 4, 7, 8):
        whole = whole[::-1]
    return np.ascontiguousarray(whole)


def _orientation(buffer: NDArray[np.uint8]) -> int:
    """The orientation that a file's EXIF states (TIFF tag 0x0112): 1 … 8; 1 where there is none."""
    try:
        _, kinds, blocks = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_REDUCED_GRAYSCALE_8)
    except cv2.error:
        return 1
    found = dict(zip(kinds, blocks, strict=False)).get(cv2.IMAGE_METADATA_EXIF)
    exif = np.asarray(found).tobytes() if found is not None else b""
    exif = exif.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if exif[:2] == b"II" else "big"
    start = int.from_bytes(exif[4:8], order)
    for place in range(start + 2, start + 2 + 12 * min(int.from_bytes(exif[start : start + 2], order), 200), 12):
        if int.from_bytes(exif[place : place + 2], order) == 0x0112:
            orientation = int.from_bytes(exif[place + 8 : place + 10], order)
            return orientation if 1 <= orientation <= 8 else 1
    return 1


def to_jpeg(image: Image, quality: int = 85) -> bytes:
    """The image as JPEG. Raises HubError(UNSUPPORTED) when it cannot be encoded (a side over 65,535 pixels)."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise HubError(
            Kind.UNSUPPORTED,
            "the picture cannot be encoded as JPEG; lower the camera's resolution",
            reason=Reason.UNDECODABLE,
        )
    return bytes(data)
