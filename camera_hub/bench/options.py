"""Values of command line options that several commands share."""

from camera_hub.bench.plan import CIPHERS, Cipher
from camera_hub.errors import HubError, Kind


def cipher(name: str) -> Cipher:
    """A cipher by its name. Raises HubError(INVALID)."""
    for known in CIPHERS:
        if known == name:
            return known
    raise HubError(Kind.INVALID, f"there is no cipher {name!r}; choose from {', '.join(CIPHERS)}")


def size(text: str) -> tuple[int, int]:
    """Width and height of "WIDTHxHEIGHT". Raises HubError(INVALID)."""
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and 64 <= int(width) <= 3840 and 64 <= int(height) <= 2160):
        raise HubError(Kind.INVALID, f"{text!r} is not a picture size; write for example 1280x720")
    return int(width), int(height)
