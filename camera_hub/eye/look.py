"""One request: decode the key frame, score it, scale it, encode it as JPEG. Pure."""

from dataclasses import replace

from camera_hub.eye.decode import decode
from camera_hub.eye.messages import FAULT_BELOW, Look, Seen
from camera_hub.sight.black import black
from camera_hub.sight.freeze import frozen, signature
from camera_hub.sight.images import scaled, to_jpeg
from camera_hub.sight.likeness import alike, outline


def look(request: Look, data: bytes) -> tuple[Seen, bytes]:
    """Size and scores of the key frame, and its JPEG (empty unless `request.jpeg`).

    `data`: as for `decode`. Raises HubError(UNSUPPORTED) for a key frame that cannot be decoded.
    """
    image = decode(request.codec, data)
    height, width = image.shape[:2]
    seen = Seen(width, height)
    if request.scores:
        dark = black(image)
        # A black picture repeats itself as well; only its cause is reported.
        same = frozen(request.previous, image) if request.previous is not None and dark >= FAULT_BELOW else None
        seen = Seen(width, height, black=dark, frozen=same, signature=signature(image))
    if request.outline:
        seen = replace(seen, outline=outline(image))
    if request.known is not None:
        seen = replace(seen, alike=alike(request.known, image))
    jpeg = to_jpeg(scaled(image, request.max_width), request.quality) if request.jpeg else b""
    return seen, jpeg
