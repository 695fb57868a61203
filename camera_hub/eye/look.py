"""One request: decode the key frame, score it, scale it, encode it as JPEG. Pure."""

from dataclasses import replace

from camera_hub.eye.decode import decode
from camera_hub.eye.messages import Look, Seen, picture_fault
from camera_hub.sight.images import scaled, to_jpeg
from camera_hub.sight.likeness import alike, outline
from camera_hub.sight.picture_check import check_picture


def look(request: Look, data: bytes) -> tuple[Seen, bytes]:
    """Size and scores of the key frame, and its JPEG (empty unless it was asked for).

    `data`: as for `decode`. Raises HubError(UNSUPPORTED) for a key frame that cannot be decoded.
    """
    image = decode(request.codec, data)
    height, width = image.shape[:2]
    seen = Seen(width, height)
    if request.scores:
        references = request.references if request.at_home else {}
        found = check_picture(image, request.memory, references, at=request.at, with_features=request.features)
        seen = Seen(width, height, found.scores, found.profile, found.memory, found.again, found.features)
    if request.outline:
        seen = replace(seen, outline=outline(image))
    if request.known is not None:
        seen = replace(seen, alike=alike(request.known, image))
    wanted = request.jpeg or (request.jpeg_of_faults and picture_fault(seen.scores) is not None)
    jpeg = to_jpeg(scaled(image, request.max_width), request.quality) if wanted else b""
    return seen, jpeg
