"""Parses an offer (RFC 8866, JSEP RFC 9429): what each m-line accepts, and the peer's ICE and DTLS parameters. Pure.

Offers come from our own pages, which take as many pictures as they offer m-lines, and from any other program (WHEP),
which takes one camera: of such an offer one video section and one for sound are served, nothing is sent in the rest.
They are 80 kB (16 tracks) to 180 kB (36 tracks) from Chromium, so parsing is one pass over the lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from camera_hub.errors import HubError, Kind
from camera_hub.relay.peer.track import PayloadTypes

MAX_OFFER = 256 * 1024
MAX_SECTIONS = 40
_SECURE = ("UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVP")
_AUDIO = {"PCMU/8000": "pcmu", "PCMA/8000": "pcma", "OPUS/48000": "opus"}
_STATIC = {0: "PCMU/8000", 8: "PCMA/8000"}
_DIGESTS = ("sha-256", "sha-384", "sha-512")
_TOKEN = re.compile(r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]{1,64}")
"""A token of RFC 8866: what may be repeated in an answer."""
_MAPPED = re.compile(r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]{1,64}/[0-9]{1,7}(?:/[0-9]{1,2})?")
_FIRST_DYNAMIC = 96
_DIRECTIONS = {"sendrecv", "sendonly", "recvonly", "inactive"}


@dataclass(slots=True)
class _Codec:
    name: str = ""
    rate: str = ""
    format: dict[str, str] = field(default_factory=dict)
    feedback: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    """One m-line. `types` is None unless it is video that is served, `audio` (codec → payload type) unless it is the
    audio section that is served. `idle`: it is accepted, but nothing is ever sent in it.

    `named`: the one format that is named where the section is idle or rejected, and its rtpmap ("" = it needs none).
    """

    kind: str
    protocol: str
    mid: str
    types: PayloadTypes | None
    parameters: dict[int, str] = field(default_factory=dict)  # payload type → fmtp to answer with
    audio: dict[str, int] | None = None
    idle: bool = False
    named: tuple[str, str] = ("0", "")

    @property
    def served(self) -> bool:
        return self.types is not None or self.audio is not None


@dataclass(frozen=True, slots=True)
class Offer:
    """A parsed offer. `bundle`: mids of the accepted sections, which share one transport, in the offer's order; empty
    where it bundles nothing. `fingerprints`: (algorithm, value).
    """

    sections: tuple[Section, ...]
    bundle: tuple[str, ...]
    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]

    @property
    def codecs(self) -> tuple[str, ...]:
        """Codecs that every served video section accepts, H.264 first."""
        served = [set(section.types.by_codec) for section in self.sections if section.types is not None]
        common = set.intersection(*served) if served else set()
        return tuple(name for name in ("h264", "h265") if name in common)


@dataclass(frozen=True, slots=True)
class _Body:
    """One m-line as it came: what could be served of it, its attributes, and whether its transport is one of ours."""

    section: Section
    attributes: dict[str, list[str]]
    reachable: bool = True


def read_offer(sdp: str, *, audio: bool = False, audio_codec: str | None = None, tracks: int | None = None) -> Offer:
    """Parse; with `audio` one audio m-line is served, too: in `audio_codec` alone, where that is known. Many players
    prepare for the first codec that an answer names, and never hear another.

    `tracks`: how many video m-lines are served at most, those that take the most codecs first; others of their bundle
    stay idle, since a few peers (aiortc) wait for the transport of a rejected one for ever. None: all that take H.264,
    which must be bundled. Raises HubError(INVALID or TOO_LARGE) with the cause.
    """
    if len(sdp) > MAX_OFFER:
        raise HubError(Kind.TOO_LARGE, f"the offer has {len(sdp)} characters, the limit is {MAX_OFFER}")
    head, *parts = _split(sdp)
    if not parts:
        raise _invalid("has no m-line")
    if len(parts) > MAX_SECTIONS:
        raise HubError(Kind.TOO_LARGE, f"the offer has {len(parts)} m-lines, the limit is {MAX_SECTIONS}")
    session = _attributes(head)
    bodies = [_body(part, session, audio_codec) for part in parts]
    mids = [body.section.mid for body in bodies if body.section.mid]
    if len(set(mids)) != len(mids):
        raise _invalid("uses a mid twice")
    groups = [value.split()[1:] for value in session.get("group", []) if value.startswith("BUNDLE ")]
    if tracks is None:
        if len(mids) != len(bodies):
            raise _invalid("has an m-line without a mid")
        if len(bodies) > 1 and not set(mids) <= set(next(iter(groups), [])):
            raise _invalid("does not bundle its m-lines; use bundlePolicy max-bundle or balanced")
        videos = [body for body in bodies if body.section.types is not None and "h264" in body.section.types.by_codec]
    else:
        takes = [body for body in bodies if body.section.types is not None]
        videos = sorted(takes, key=lambda one: -len(one.section.types.by_codec if one.section.types else ()))[:tracks]
    sounds = [body for body in bodies if body.section.audio is not None] if audio else []
    carrier = next(iter([*videos, *sounds]), None)
    group = next((one for one in groups if carrier is not None and carrier.section.mid in one), [])
    videos, sounds = (
        [body for body in found if body is carrier or body.section.mid in group] for found in (videos, sounds)
    )
    served = [*videos, *sounds[:1]]
    if tracks is None:
        accepted = served
    else:
        accepted = [body for body in bodies if body in served or (body.section.mid in group and _may_idle(body))]
    sections = tuple(
        body.section if body in served else replace(body.section, types=None, audio=None, idle=body in accepted)
        for body in bodies
    )
    bundle = tuple(mid for mid in group if any(mid == body.section.mid for body in accepted))
    ufrag, fingerprints = _transport(bodies, accepted, group, session)
    if any(_first(body.attributes, "setup") == "passive" for body in accepted):
        raise _invalid("wants to be the DTLS server; offer actpass or active")
    return Offer(sections, bundle, ufrag, fingerprints)


def _transport(
    bodies: Sequence[_Body], accepted: Sequence[_Body], group: Sequence[str], session: dict[str, list[str]]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """ICE user fragment and fingerprints of what is accepted. With a bundle it is the transport of the first section of
    it that is not rejected (RFC 8843, 7.3.1); the others may name none.
    """

    def rank(body: _Body) -> tuple[bool, int]:
        mid = body.section.mid
        return body not in accepted, group.index(mid) if mid in group else len(group)

    places = [body.attributes for body in sorted(bodies, key=rank)]
    ufrag = next((one for place in [*places, session] if (one := _first(place, "ice-ufrag"))), "")
    fingerprints = next((many for place in [*places, session] if (many := _fingerprints(place))), ())
    if not ufrag or not fingerprints:
        raise _invalid("has no ICE user fragment or no SHA-2 fingerprint")
    return ufrag, fingerprints


def _may_idle(body: _Body) -> bool:
    section = body.section
    number, mapped = section.named
    return section.kind in ("audio", "video") and body.reachable and (mapped != "" or int(number) < _FIRST_DYNAMIC)


def _body(part: list[str], session: dict[str, list[str]], audio_codec: str | None) -> _Body:
    attributes = _attributes(part[1:])
    words = part[0][2:].split()
    if len(words) < 4 or not _is_number(port := words[1].split("/")[0]):
        raise _invalid("has a malformed m-line")
    kind, _, protocol, *formats = words
    mid = _first(attributes, "mid")
    if mid and not _TOKEN.fullmatch(mid):
        raise _invalid("has a malformed mid")
    section = Section(kind, protocol, mid, None, named=_named(formats, attributes))
    given_up = int(port) == 0 and "bundle-only" not in attributes  # RFC 8843, 6: 0 and bundle-only is no rejection
    if given_up or protocol not in _SECURE or "rtcp-mux" not in attributes:
        return _Body(section, attributes, reachable=False)
    if {"sendonly", "inactive"} & (_DIRECTIONS & attributes.keys() or _DIRECTIONS & session.keys()):
        return _Body(section, attributes)
    if kind == "video":
        section = _video(section, _codecs(formats, attributes))
    elif kind == "audio":
        section = replace(section, audio=_audio(_codecs(formats, attributes), audio_codec))
    return _Body(section, attributes)


def _video(section: Section, codecs: dict[int, _Codec]) -> Section:
    chosen: dict[str, tuple[int, int | None]] = {}
    for name, number in (("h264", _h264(codecs)), ("h265", _h265(codecs))):
        if number is not None:
            chosen[name] = (number, _rtx(codecs, number))
    if not chosen:
        return section
    parameters = {number: _fmtp(codecs[number]) for number, _ in chosen.values()}
    return replace(section, types=PayloadTypes(chosen), parameters=parameters)


def _named(formats: Sequence[str], attributes: dict[str, list[str]]) -> tuple[str, str]:
    """A format, and its rtpmap, for an answer that sends nothing in the section. RFC 3264 (6) lets peers ignore both
    in a rejected one, but some look every payload type up: a static one, or one with the map that the offer has.
    """
    maps = dict(_rtpmap(value) for value in attributes.get("rtpmap", []))
    mapped = [number for number in formats if _MAPPED.fullmatch(maps.get(number, ""))]
    for number, name in _STATIC.items():
        if str(number) in formats:
            return str(number), name
    if mapped:
        return mapped[0], maps[mapped[0]]
    numbered = [number for number in formats if _is_number(number)]
    static = [number for number in numbered if int(number) < _FIRST_DYNAMIC]
    if numbered:
        return static[0] if static else "0", ""
    return next((word for word in formats if _TOKEN.fullmatch(word)), "0"), ""


def _rtpmap(value: str) -> tuple[str, str]:
    number, _, rest = value.partition(" ")
    return number, rest.strip()


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


def _audio(codecs: dict[int, _Codec], only: str | None) -> dict[str, int] | None:
    """Payload types of the audio codecs that cameras may send, or of the `only` one; None when there is none."""
    found: dict[str, int] = {}
    for number, codec in codecs.items():
        mapped = f"{codec.name}/{codec.rate.partition('/')[0]}" if codec.name else _STATIC.get(number, "")
        if mapped in _AUDIO and only in (None, _AUDIO[mapped]):
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
    """Packetization mode 1; constrained baseline first, since its decoders decode main profile, too.

    Last comes a player that states no mode: that means mode 0 (RFC 6184, 8.1), but those that leave it out take
    fragments, while what states mode 0 does not.
    """
    fit = [
        (number, codec.format.get("profile-level-id", "42e01f").lower())
        for number, codec in codecs.items()
        if codec.name == "H264" and codec.format.get("packetization-mode") == "1"
    ]
    for wanted in ("42e0", "42c0", "4200", "4d00", "6400", ""):
        for number, profile in fit:
            if profile.startswith(wanted):
                return number
    return next(
        (no for no, codec in codecs.items() if codec.name == "H264" and "packetization-mode" not in codec.format), None
    )


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
    """The fmtp to answer with; "" where the offer has none."""
    if codec.name == "H264" and "packetization-mode" in codec.format:
        profile = codec.format.get("profile-level-id", "42e01f")
        return f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={_token(profile)}"
    return ";".join(f"{_token(key)}={_token(value)}" for key, value in codec.format.items() if key)


def _token(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum() or letter in "-_.,+/")
