"""What an eye does with a picture file from a phone."""

import asyncio
import socket
import struct
import zlib

import cv2
import numpy as np
import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.__main__ import serve
from camera_hub.eye.messages import MAX_FILE, MAX_PART, Photo
from camera_hub.eye.photo import photo
from camera_hub.running import running
from camera_hub.wire import Pipe
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


def oriented(extension: str, image: np.ndarray, orientation: int) -> bytes:
    """A PNG or WebP whose EXIF states an orientation."""
    done, encoded = cv2.imencode(extension, image)
    assert done
    data = bytes(encoded)
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + struct.pack("<HH", orientation, 0) + b"\0\0\0\0"
    if extension == ".png":
        chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
        return data[:33] + chunk + data[33:]
    height, width = (int(one) for one in image.shape[:2])
    flags = bytes([0x08 | (0x10 if image.shape[2] == 4 else 0), 0, 0, 0])
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    canvas = b"VP8X" + struct.pack("<I", 10) + flags + size
    frame = data[12:] if data[12:16] != b"VP8X" else data[30:]
    body = b"WEBP" + canvas + frame + b"EXIF" + struct.pack("<I", len(exif)) + exif
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("extension", [".png", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_drawing_stands_upright_on_white_as_an_opaque_one_does(extension: str, orientation: int) -> None:
    plain = np.zeros((60, 90, 3), np.uint8)
    plain[:20, :30] = (0, 0, 255)  # one corner red, the rest white where it is transparent
    plain[20:] = plain[:, 30:] = 255
    plain[:20, 30:] = 255
    clear = np.dstack([plain, np.full((60, 90), 255, np.uint8)])
    clear[(plain == 255).all(axis=2)] = 0
    shown = [
        cv2.imdecode(np.frombuffer(photo(Photo(quality=100), oriented(extension, one, orientation))[1], np.uint8), 1)
        for one in (plain, clear)
    ]
    assert shown[0] is not None
    assert shown[1] is not None
    assert shown[0].shape == shown[1].shape == ((60, 90, 3) if orientation < 5 else (90, 60, 3))
    assert int(np.abs(shown[0].astype(int) - shown[1].astype(int)).max()) < 40


def webp_of(kind: bytes, head: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(head)) + head
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    "data",
    [
        webp_of(b"VP8X", bytes([0x10, 0, 0, 0]) + b"\xff" * 6),
        webp_of(b"VP8L", b"\x2f" + b"\xff" * 4 + bytes(40)),
        webp_of(b"VP8 ", b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(40)),
        webp_of(b"VP8 ", b"\x10\0\0\x9d\x01\x2a\x40\0\x40\0" + bytes(40)),
        b"RIFF\0\0\0\0WEBP",
    ],
    ids=["giant canvas", "giant lossless", "giant", "no data", "empty"],
)
def test_a_webp_that_is_a_bomb_or_broken_has_a_named_reason(data: bytes) -> None:
    with pytest.raises(HubError) as error:
        photo(Photo(), data)
    assert error.value.reason == Reason.PHOTO_UNREADABLE


def test_a_drawing_full_of_detail_fits_into_one_message() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2400, 2400, 3), np.uint8)
    done, data = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert done
    seen, made = photo(Photo(max_side=4096), bytes(data))
    assert len(made) <= MAX_PART
    assert shape(made) == (seen.width, seen.height)


async def test_a_file_comes_in_parts() -> None:
    ours, theirs = socket.socketpair()
    data = jpeg(640, 360)
    async with running(serve(theirs.detach()), "eye"):
        ours.setblocking(False)
        pipe = Pipe(*await asyncio.open_connection(sock=ours))
        async with running(received(pipe), "receiving"):
            for part in (data[:1000], data[1000:5000]):
                await pipe.call({"type": "part"}, part)
            whole = await pipe.call(Photo().head("image"), data[5000:])
            assert shape(whole.body) == (640, 360)
            assert (await pipe.call(Photo().head("image"), data)).head["width"] == 640, "nothing is left over"
            for _ in range(MAX_FILE // MAX_PART):
                await pipe.call({"type": "part"}, bytes(MAX_PART))
            with pytest.raises(HubError) as error:
                await pipe.call({"type": "part"}, b"x")
            assert error.value.kind is Kind.TOO_LARGE
        await pipe.close()


async def received(pipe: Pipe) -> None:
    while await pipe.receive() is not None:
        continue
