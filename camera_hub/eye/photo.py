"""One request: a picture file from somebody's phone → an upright JPEG without metadata. Pure.

Only JPEG, PNG and WebP are read, and only when their header states a bearable size: a file of 100 kB can demand
gigabytes.
"""

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.decode import MAX_PIXELS
from camera_hub.eye.messages import MAX_PART, Photo, Seen
from camera_hub.sight.images import from_file, to_jpeg, within_square

_MAX_PIXELS = 2 * MAX_PIXELS
"""Phones have up to 64 million pixels and more; 80 million are 240 MB as an image."""
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of a JPEG that state its size (SOF0 …)."""
_BARE = frozenset({0x01, *range(0xD0, 0xDA)})
"""Markers without a length."""


def photo(request: Photo, data: bytes) -> tuple[Seen, bytes]:
    """Size and JPEG of the picture in `data`. Raises HubError(UNSUPPORTED, PHOTO_UNREADABLE)."""
    stated = _jpeg_size(data) or _png_size(data) or _webp_size(data)
    if stated is None:
        raise _unreadable("format", "it is neither JPEG nor PNG nor WebP")
    if not 0 < stated[0] * stated[1] <= _MAX_PIXELS:
        raise _unreadable("pixels", f"it states {stated[0]} × {stated[1]} pixels")
    image = from_file(data)
    if image is None:
        raise _unreadable("damaged", "it is damaged")
    image = within_square(image, max(16, min(request.max_side, 8192)))
    quality = request.quality
    while len(jpeg := to_jpeg(image, quality)) > MAX_PART:
        # A drawing with much detail: first what nobody sees, then pixels.
        if quality > 60:
            quality -= 10
        else:
            image = within_square(image, max(image.shape[:2]) * 3 // 4)
    height, width = image.shape[:2]
    return Seen(width, height), jpeg


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a JPEG's first frame header states."""
    if not data.startswith(b"\xff\xd8"):
        return None
    place = 2
    while place + 9 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _BARE:
            place += 2
        elif marker in _FRAMES:
            return int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        else:
            length = int.from_bytes(data[place + 2 : place + 4])
            if length < 2:
                return None
            place += 2 + length
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a WebP file states (RFC 9649): simple, lossless or extended. The other two are asked for
    their own size, too, where a canvas is stated before them: decoders believe either."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    place, largest = 12, None
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        stated = _webp_chunk(kind, data[place + 8 : place + 18])
        if stated is not None and (largest is None or stated[0] * stated[1] > largest[0] * largest[1]):
            largest = stated
        place += 8 + size + size % 2
    return largest


def _webp_chunk(kind: bytes, head: bytes) -> tuple[int, int] | None:
    if len(head) < 10:
        return None
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L" and head[0] == 0x2F:
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    return None


def _unreadable(why: str, sentence: str) -> HubError:
    return HubError(
        Kind.UNSUPPORTED,
        f"the photo cannot be read: {sentence}; take it again as JPEG or PNG",
        reason=Reason.PHOTO_UNREADABLE,
        why=why,
    )
