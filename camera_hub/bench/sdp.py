"""The light client's offer and the parsing of the answer: recvonly H.264 with RTX, no header extensions. Pure.

No transport-wide feedback is offered, so that every server sends as a plain pass-through and none estimates bandwidth.
"""

import ipaddress
import re
from dataclasses import dataclass

from camera_hub.errors import HubError, Kind

MEDIA, RTX = 102, 103
"""Payload types; an answer may not change them."""
_FORMAT = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


@dataclass(frozen=True, slots=True)
class Local:
    """Our end: credentials, certificate and the one candidate."""

    ufrag: str
    password: str
    fingerprint: str  # "sha-256 AA:BB…"
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Remote:
    """The server's end. `fingerprints`: (algorithm, value)."""

    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    address: str
    port: int


def write_offer(local: Local, tracks: int) -> str:
    """An offer of `tracks` m-lines; we are the DTLS client, so that a server chooses from our list of ciphers."""
    mids = [str(number) for number in range(tracks)]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mids)}",
        "a=msid-semantic: WMS *",
    ]
    for mid in mids:
        lines += [
            f"m=video {local.port} UDP/TLS/RTP/SAVPF {MEDIA} {RTX}",
            f"c=IN IP4 {local.address}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=candidate:1 1 udp 2130706431 {local.address} {local.port} typ host",
            "a=end-of-candidates",
            f"a=ice-ufrag:{local.ufrag}",
            f"a=ice-pwd:{local.password}",
            f"a=fingerprint:{local.fingerprint}",
            "a=setup:active",
            f"a=mid:{mid}",
            "a=recvonly",
            "a=rtcp-mux",
            f"a=rtpmap:{MEDIA} H264/90000",
            f"a=rtcp-fb:{MEDIA} nack",
            f"a=rtcp-fb:{MEDIA} nack pli",
            f"a=fmtp:{MEDIA} {_FORMAT}",
            f"a=rtpmap:{RTX} rtx/90000",
            f"a=fmtp:{RTX} apt={MEDIA}",
        ]
    return "\r\n".join(lines) + "\r\n"


def read_answer(sdp: str) -> Remote:
    """What is needed to connect. Raises HubError(INVALID), which says why, when the answer cannot be used."""
    if re.search(r"^a=setup:active", sdp, re.M):
        raise HubError(Kind.INVALID, "the server wants to be the DTLS client, although the offer makes us the client")
    if not re.search(rf"^a=rtpmap:{MEDIA} H264/90000", sdp, re.M | re.I):
        raise HubError(Kind.INVALID, "the server answered without H.264 at the offered payload type")
    ufrag, password = _first(sdp, "ice-ufrag"), _first(sdp, "ice-pwd")
    prints = tuple(
        (algorithm.lower(), value) for algorithm, value in re.findall(r"^a=fingerprint:(\S+) (\S+)", sdp, re.M)
    )
    if not ufrag or not password or not prints:
        raise HubError(Kind.INVALID, "the answer lacks ICE credentials or a fingerprint")
    address, port = _candidate(sdp)
    return Remote(ufrag, password, tuple(dict.fromkeys(prints)), address, port)


def answered_ssrcs(sdp: str) -> list[int]:
    """The media SSRC that the server announces in each m-section, in order; 0 where it announces none."""
    found = []
    for section in re.split(r"^m=", sdp, flags=re.M)[1:]:
        announced = re.search(r"^a=ssrc:(\d+)", section, re.M)
        grouped = re.search(r"^a=ssrc-group:FID (\d+)", section, re.M)
        first = grouped or announced
        found.append(int(first[1]) if first is not None else 0)
    return found


def _first(sdp: str, name: str) -> str:
    found = re.search(rf"^a={name}:(\S+)", sdp, re.M)
    return found[1] if found is not None else ""


def _candidate(sdp: str) -> tuple[str, int]:
    """The loopback candidate if there is one, else the first IPv4 host candidate over UDP."""
    found: list[tuple[str, int]] = []
    for component, transport, address, port in re.findall(
        r"^a=candidate:\S+ (\d) (\S+) \d+ (\S+) (\d+) typ host", sdp, re.M
    ):
        try:
            version = ipaddress.ip_address(address).version
        except ValueError:  # a .local name
            continue
        if component == "1" and transport.lower() == "udp" and version == 4:
            found.append((address, int(port)))
    if not found:
        raise HubError(Kind.INVALID, "the answer has no IPv4 host candidate over UDP")
    return min(found, key=lambda one: one[0] != "127.0.0.1")
