"""What an eye does with a picture file from a phone."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from camera_hub.errors import HubError, Reason
from camera_hub.eye.messages import Photo
from camera_hub.eye.photo import photo
from tests.eye.key_frames import scene


def jpeg(width: int, height: int, exif: bytes = b"") -> bytes:
    done, data = cv2.imencode(".jpg", scene(width, height))
    assert done
    body = bytes(data)
    if not exif:
        return body
    segment = b"Exif\0\0" + exif
    return body[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + body[2:]


def png(width: int, height: int) -> bytes:
    done, data = cv2.imencode(".png", scene(width, height))
    assert done
    return bytes(data)


# Orientation 6 (turned right), and a text as GPS data would be one.
TURNED = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0" + b"SECRET-PLACE"


def shape(data: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[1], image.shape[0]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (jpeg(640, 360), (640, 360)),
        (jpeg(3200, 1800), (1600, 900)),
        (jpeg(1000, 4000), (400, 1600)),
        (png(320, 240), (320, 240)),
        (jpeg(640, 360, TURNED), (360, 640)),
    ],
    ids=["small", "wide", "high", "png", "turned"],
)
def test_a_photo_becomes_an_upright_jpeg_without_metadata(data: bytes, size: tuple[int, int]) -> None:
    seen, made = photo(Photo(), data)
    assert (seen.width, seen.height) == size == shape(made)
    assert made.startswith(b"\xff\xd8")
    assert b"Exif" not in made
    assert b"SECRET" not in made


def stated_png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0" * 64


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + b"\0" * 100,
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0\x00\x00" + b"\0" * 50,
        b"\xff\xd8" + b"\xff" * 5000,
        jpeg(640, 360)[:300],
        stated_png(100_000, 100_000),
        stated_png(0, 10),
        stated_png(640, 480),
        jpeg(64, 64).replace(b"\xff\xc0\x00\x11\x08\x00\x40\x00\x40", b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff"),
    ],
    ids=[
        "empty",
        "gif",
        "svg",
        "zip",
        "head",
        "no length",
        "filler",
        "cut",
        "giant png",
        "no width",
        "no data",
        "giant",
    ],
)
def test_what_is_no_photo_has_a_named_reason(data: bytes) -> None:
    with pytest.raises(HubError) as error:
        photo(Photo(), data)
    assert error.value.reason == Reason.PHOTO_UNREADABLE
