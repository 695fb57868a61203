"""Small steps that the other modules share: grey, scaled, JPEG."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.errors import HubError, Kind, Reason

Image = NDArray[np.uint8]

CAPTION = 0.18
"""Share of the height, at the top and at the bottom, where cameras burn in their name and clock."""


def grey(image: Image) -> Image:
    """The luma of an image."""
    return image if image.ndim == 2 else cast(Image, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def without_caption(image: Image) -> Image:
    """The middle of the picture, where no name and no running clock stands."""
    band = round(image.shape[0] * CAPTION)
    return image[band : image.shape[0] - band]


def scaled(image: Image, max_width: int) -> Image:
    """The image, made smaller (never larger) so that it is at most `max_width` wide; 0 leaves it as it is."""
    height, width = image.shape[:2]
    if not 0 < max_width < width:
        return image
    size = (max_width, max(1, round(height * max_width / width)))
    return cast(Image, cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def to_jpeg(image: Image, quality: int = 85) -> bytes:
    """The image as JPEG. Raises HubError when it cannot be written (a side over 65,535)."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise HubError(Kind.UNSUPPORTED, "the picture cannot be written as JPEG", reason=Reason.UNDECODABLE)
    return bytes(data)
