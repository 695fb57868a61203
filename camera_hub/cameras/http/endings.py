"""Where a body is complete, whatever its framing says: devices announce a length and send less, or more. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_BEGUN = re.compile(rb"<(?:[\w.-]{1,40}:)?Envelope[\s>]", re.IGNORECASE)
_ENDED = re.compile(rb"</(?:[\w.-]{1,40}:)?Envelope\s{0,64}>", re.IGNORECASE)
_OVERLAP = 160


@dataclass(frozen=True, slots=True)
class Ending:
    """`begun`: this is such a body. `ended`: it is complete; `since` is how many bytes were looked at before."""

    begun: Callable[[bytes | bytearray], bool]
    ended: Callable[[bytes | bytearray, int], bool]


def _envelope_begun(content: bytes | bytearray) -> bool:
    return _BEGUN.search(_narrow(content[:4096])) is not None


def _envelope_ended(content: bytes | bytearray, since: int) -> bool:
    """Whether the envelope's end tag has come, outside comments and CDATA sections."""
    wide = b"\0" in content[:4]
    start = max(0, since - _OVERLAP * (2 if wide else 1))
    for match in _ENDED.finditer(_narrow(content[start:])):
        if wide or not _hidden(content, start + match.start()):
            return True
    return False


def _hidden(content: bytes | bytearray, place: int) -> bool:
    return any(
        (opened := content.rfind(begin, 0, place)) >= 0 and content.find(end, opened, place) < 0
        for begin, end in ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"))
    )


def _narrow(content: bytes | bytearray) -> bytes:
    """UTF-16 without its zero bytes; anything else as it is."""
    return bytes(content).replace(b"\0", b"") if b"\0" in content else bytes(content)


def _jpeg_begun(content: bytes | bytearray) -> bool:
    return content[:2] == b"\xff\xd8"


def _jpeg_ended(content: bytes | bytearray, since: int) -> bool:
    """Only at the end of what has come: a thumbnail within the picture has an end of its own."""
    return _jpeg_begun(content) and bytes(content[-8:]).rstrip(b"\r\n\0").endswith(b"\xff\xd9")


ENVELOPE = Ending(_envelope_begun, _envelope_ended)
"""A SOAP envelope."""
JPEG = Ending(_jpeg_begun, _jpeg_ended)
"""A picture."""
AS_FRAMED = Ending(lambda content: False, lambda content, since: False)
"""Whatever the framing says."""
