"""Steps that the checks share: grey, without captions, scaled, as JPEG."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.errors import HubError, Kind, Reason

Image = NDArray[np.uint8]
"""(height, width, 3), BGR, or (height, width), grey."""

CAPTION_SHARE = 0.18
"""Of the height, at the top and at the bottom: where cameras burn in their name and clock."""


def grey(image: Image) -> Image:
    """The luma of an image: shape (height, width)."""
    return image if image.ndim == 2 else cast(Image, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def without_caption(image: Image) -> Image:
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
    """A JPEG or PNG file as BGR, turned upright as its EXIF says; None when it cannot be decoded."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return cast(Image | None, image)


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
