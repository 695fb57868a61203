"""Parses the browser's offer: what each m-line accepts, and the browser's ICE and DTLS parameters. Pure.

Offers are 80 kB (16 tracks) to 180 kB (36 tracks) from Chromium, so parsing is one pass over the lines.
"""

from dataclasses import dataclass, field, replace

from camera_hub.errors import HubError, Kind
from camera_hub.relay.peer.track import PayloadTypes

MAX_OFFER = 256 * 1024
MAX_SECTIONS = 40
_SECURE = ("UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVP")
_AUDIO = {"PCMU/8000": "pcmu", "PCMA/8000": "pcma", "OPUS/48000": "opus"}
_STATIC = {0: "PCMU/8000", 8: "PCMA/8000"}
_DIGESTS = ("sha-256", "sha-384", "sha-512")


@dataclass(slots=True)
class _Codec:
    name: str = ""
    rate: str = ""
    format: dict[str, str] = field(default_factory=dict)
    feedback: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    """One m-line. `types` is None unless it is video that can be served (with an H.264 that we can send), `audio`
    (codec → payload type) unless it is the audio section that is served.
    """

    kind: str
    protocol: str
    formats: tuple[str, ...]
    mid: str
    types: PayloadTypes | None
    parameters: dict[int, str] = field(default_factory=dict)  # payload type → fmtp to answer with
    audio: dict[str, int] | None = None

    @property
    def served(self) -> bool:
        return self.types is not None or self.audio is not None


@dataclass(frozen=True, slots=True)
class Offer:
    """A parsed offer. `fingerprints`: (algorithm, value)."""

    sections: tuple[Section, ...]
    bundle: tuple[str, ...]
    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]

    @property
    def codecs(self) -> tuple[str, ...]:
        """Codecs that every video section of this browser accepts, H.264 first."""
        served = [set(section.types.by_codec) for section in self.sections if section.types is not None]
        common = set.intersection(*served) if served else set()
        return tuple(name for name in ("h264", "h265") if name in common)


def read_offer(sdp: str, *, audio: bool = False) -> Offer:
    """Parse; with `audio` one audio m-line is served, too. Raises HubError(INVALID or TOO_LARGE) with the cause."""
    if len(sdp) > MAX_OFFER:
        raise HubError(Kind.TOO_LARGE, f"the offer has {len(sdp)} characters, the limit is {MAX_OFFER}")
    head, *bodies = _split(sdp)
    if not bodies:
        raise _invalid("has no m-line")
    if len(bodies) > MAX_SECTIONS:
        raise HubError(Kind.TOO_LARGE, f"the offer has {len(bodies)} m-lines, the limit is {MAX_SECTIONS}")
    session = _attributes(head)
    sections: list[Section] = []
    ufrag, fingerprints = _first(session, "ice-ufrag"), _fingerprints(session)
    for body in bodies:
        attributes = _attributes(body[1:])
        section = _section(body[0], attributes)
        if audio and section.kind == "audio" and not any(one.audio for one in sections):
            section = replace(section, audio=_audio(section, attributes))
        sections.append(section)
        ufrag = ufrag or _first(attributes, "ice-ufrag")
        fingerprints = fingerprints or _fingerprints(attributes)
        if _first(attributes, "setup") == "passive":
            raise _invalid("wants to be the DTLS server; offer actpass or active")
    mids = [section.mid for section in sections]
    if not all(mids) or len(set(mids)) != len(mids):
        raise _invalid("lacks a mid, or uses one twice")
    group = next((value.split()[1:] for value in session.get("group", []) if value.startswith("BUNDLE ")), [])
    if len(sections) > 1 and not set(mids) <= set(group):
        raise _invalid("does not bundle its m-lines; use bundlePolicy max-bundle or balanced")
    if not ufrag or not fingerprints:
        raise _invalid("has no ICE user fragment or no SHA-2 fingerprint")
    return Offer(tuple(sections), tuple(group or mids), ufrag, fingerprints)


def _invalid(what: str) -> HubError:
    return HubError(Kind.INVALID, f"the WebRTC offer {what}", reason="bad_offer")


def _split(sdp: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in sdp.split("\n"):
        line = line.rstrip("\r")
        if line.startswith("m="):
            parts.append([])
        if line:
            parts[-1].append(line)
    return parts


def _attributes(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            found.setdefault(name, []).append(value)
    return found


def _first(attributes: dict[str, list[str]], name: str) -> str:
    return attributes.get(name, [""])[0].strip()


def _fingerprints(attributes: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    pairs = (value.strip().partition(" ") for value in attributes.get("fingerprint", []))
    return tuple((name.lower(), value) for name, _, value in pairs if name.lower() in _DIGESTS)


def _section(media: str, attributes: dict[str, list[str]]) -> Section:
    words = media[2:].split()
    if len(words) < 4 or not _is_number(words[1].split("/")[0]):
        raise _invalid("has a malformed m-line")
    kind, _, protocol, *formats = words
    mid = _first(attributes, "mid")
    refused = Section(kind, protocol, tuple(formats), mid, None)
    if kind != "video" or not _accepts_media(protocol, attributes):
        return refused
    codecs = _codecs(formats, attributes)
    chosen: dict[str, tuple[int, int | None]] = {}
    for name, number in (("h264", _h264(codecs)), ("h265", _h265(codecs))):
        if number is not None:
            chosen[name] = (number, _rtx(codecs, number))
    if "h264" not in chosen:
        return refused
    parameters = {number: _fmtp(codecs[number]) for number, _ in chosen.values()}
    return Section(kind, protocol, tuple(formats), mid, PayloadTypes(chosen), parameters)


def _accepts_media(protocol: str, attributes: dict[str, list[str]]) -> bool:
    """Whether SRTP can be sent to the m-line at all."""
    return protocol in _SECURE and "rtcp-mux" in attributes and not {"sendonly", "inactive"} & attributes.keys()


def _audio(section: Section, attributes: dict[str, list[str]]) -> dict[str, int] | None:
    """Payload types of the audio codecs that cameras may send; None when there is none."""
    if not _accepts_media(section.protocol, attributes):
        return None
    found: dict[str, int] = {}
    for number, codec in _codecs(list(section.formats), attributes).items():
        mapped = f"{codec.name}/{codec.rate.partition('/')[0]}" if codec.name else _STATIC.get(number, "")
        if mapped in _AUDIO:
            found.setdefault(_AUDIO[mapped], number)
    return found or None


def _codecs(formats: list[str], attributes: dict[str, list[str]]) -> dict[int, _Codec]:
    codecs = {int(word): _Codec() for word in formats if _is_number(word) and int(word) < 128}
    for value in attributes.get("rtpmap", []):
        number, _, rest = value.partition(" ")
        if _is_number(number) and int(number) in codecs:
            name, _, rate = rest.strip().partition("/")
            codecs[int(number)].name, codecs[int(number)].rate = name.upper(), rate
    for value in attributes.get("fmtp", []):
        number, _, rest = value.partition(" ")
        if _is_number(number) and int(number) in codecs:
            pairs = (item.strip().partition("=") for item in rest.split(";"))
            codecs[int(number)].format = {key.lower(): text for key, _, text in pairs}
    return codecs


def _is_number(text: str) -> bool:
    """`isdigit` alone accepts superscripts, which `int` refuses, and any number of digits."""
    return text.isascii() and text.isdigit() and len(text) <= 6


def _h264(codecs: dict[int, _Codec]) -> int | None:
    """Packetization mode 1; constrained baseline first, since its decoders decode main profile, too."""
    fit = [
        (number, codec.format.get("profile-level-id", "42e01f").lower())
        for number, codec in codecs.items()
        if codec.name == "H264" and codec.format.get("packetization-mode") == "1"
    ]
    for wanted in ("42e0", "42c0", "4200", "4d00", "6400", ""):
        for number, profile in fit:
            if profile.startswith(wanted):
                return number
    return None


def _h265(codecs: dict[int, _Codec]) -> int | None:
    """Single stream (SRST, the default; RFC 7798); Main profile first, since that is what cameras send."""
    fit = [
        (number, codec.format.get("profile-id", "1"))
        for number, codec in codecs.items()
        if codec.name == "H265" and codec.format.get("tx-mode", "SRST").upper() == "SRST"
    ]
    return min(fit, key=lambda one: one[1] != "1", default=(None, ""))[0]


def _rtx(codecs: dict[int, _Codec], media: int) -> int | None:
    for number, codec in codecs.items():
        if codec.name == "RTX" and codec.format.get("apt") == str(media):
            return number
    return None


def _fmtp(codec: _Codec) -> str:
    if codec.name == "H264":
        profile = codec.format.get("profile-level-id", "42e01f")
        return f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={_token(profile)}"
    return ";".join(f"{_token(key)}={_token(value)}" for key, value in codec.format.items() if key)


def _token(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum() or letter in "-_.,+/")
