"""The Transport header of SETUP (RFC 2326 section 12.39): which of the offered transports is used. Pure."""

from dataclasses import dataclass

LOWEST_PORT = 1024
"""No player receives video below; packets must not be sent to the services of its machine."""


@dataclass(frozen=True, slots=True)
class InterleavedChannels:
    """RTP and RTCP inside the RTSP connection, on these channels (0 … 255)."""

    rtp: int
    rtcp: int


@dataclass(frozen=True, slots=True)
class ClientPorts:
    """RTP and RTCP over UDP, to these ports of the player."""

    rtp: int
    rtcp: int


def choose_transport(header: str, address: str) -> InterleavedChannels | ClientPorts | None:
    """The first offered transport that can be served to the player at `address`; None when there is none (461).

    Multicast, recording, and a `destination` other than the player are refused: video is only sent to who asked.
    """
    for offer in header.split(","):
        fields = [field.strip() for field in offer.split(";")]
        values = {key.lower(): value for key, _, value in (field.partition("=") for field in fields[1:])}
        profile = fields[0].upper()
        if "multicast" in values or values.get("destination", address) != address:
            continue
        if values.get("mode", "play").strip("\"'").upper() != "PLAY":
            continue
        if profile == "RTP/AVP/TCP" and (pair := _parse_pair(values.get("interleaved", "0-1"), 0, 255)):
            return InterleavedChannels(*pair)
        ports = _parse_pair(values.get("client_port", ""), LOWEST_PORT, 65535)
        if profile in ("RTP/AVP", "RTP/AVP/UDP") and ports:
            return ClientPorts(*ports)
    return None


def _parse_pair(text: str, low: int, high: int) -> tuple[int, int] | None:
    """`first[-second]`, two different numbers within the range; None for anything else."""
    first, _, second = text.partition("-")
    if not _is_number(first):
        return None
    a = int(first)
    b = int(second) if _is_number(second) else a + 1
    return (a, b) if low <= a <= high and low <= b <= high and a != b else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5
