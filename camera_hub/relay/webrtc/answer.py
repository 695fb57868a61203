"""Writes the SDP answer: ICE-lite, DTLS server, one candidate per announced address, our SSRCs per track. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ifaddr

from camera_hub.relay.webrtc.offer import Offer, Section

_MAPS = {"pcmu": "PCMU/8000", "pcma": "PCMA/8000", "opus": "opus/48000/2"}


@dataclass(frozen=True, slots=True)
class Ssrcs:
    """Synchronization sources of one track."""

    media: int
    rtx: int | None


@dataclass(frozen=True, slots=True)
class Transport:
    """What the browser needs to reach us."""

    ufrag: str
    password: str
    fingerprint: str
    addresses: Sequence[str]
    port: int


def write_answer(offer: Offer, transport: Transport, ssrcs: Mapping[int, Ssrcs], session: int) -> str:
    """The SDP answer. `ssrcs` by the number of the m-line, for each one that is served."""
    lines = [
        "v=0",
        f"o=hub {session} 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        *([f"a=group:BUNDLE {' '.join(offer.bundle)}"] if offer.bundle else []),
        "a=msid-semantic: WMS *",
        *_transport(transport),  # here, too: some peers look for it in rejected sections
    ]
    for number, section in enumerate(offer.sections):
        if section.types is not None:
            lines += _video(section, section.types.by_codec, transport, ssrcs[number])
        elif section.audio is not None:
            lines += _audio(section, section.audio, transport, ssrcs[number])
        elif section.idle:
            lines += _idle(section, transport)
        else:
            lines += _refused(section)
    return "\r\n".join(lines) + "\r\n"


def _refused(section: Section) -> list[str]:
    """RFC 3264, 6: port 0; it is in no bundle (RFC 8843, 7.3.3)."""
    return [
        f"m={section.kind} 0 {section.protocol} {section.named[0]}",
        "c=IN IP4 0.0.0.0",
        *_named(section),
        *(["a=rtcp-mux"] if section.kind in ("audio", "video") else []),
        "a=inactive",
        *_mid(section),
    ]


def _idle(section: Section, transport: Transport) -> list[str]:
    head = _head(section.kind, section, transport, [section.named[0]], "inactive")
    return [*head, *_named(section), *_tail(transport)]


def _named(section: Section) -> list[str]:
    number, mapped = section.named
    return [f"a=rtpmap:{number} {mapped}"] if mapped else []


def _video(
    section: Section, kinds: Mapping[str, tuple[int, int | None]], transport: Transport, ssrcs: Ssrcs
) -> list[str]:
    formats = [str(number) for pair in kinds.values() for number in pair if number is not None]
    lines = _head("video", section, transport, formats)
    with_rtx = False
    for name, (media, rtx) in kinds.items():
        lines += [
            f"a=rtpmap:{media} {name.upper()}/90000",
            f"a=rtcp-fb:{media} nack",
            f"a=rtcp-fb:{media} nack pli",
            f"a=rtcp-fb:{media} ccm fir",
        ]
        if parameters := section.parameters.get(media):
            lines.append(f"a=fmtp:{media} {parameters}")
        if rtx is not None:
            with_rtx = True
            lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={media}"]
    lines.append(_msid(section))
    if with_rtx:
        lines.append(f"a=ssrc-group:FID {ssrcs.media} {ssrcs.rtx}")
    lines.append(f"a=ssrc:{ssrcs.media} cname:hub")
    if with_rtx:
        lines.append(f"a=ssrc:{ssrcs.rtx} cname:hub")
    return [*lines, *_tail(transport)]


def _audio(section: Section, kinds: dict[str, int], transport: Transport, ssrcs: Ssrcs) -> list[str]:
    """Audio is not retransmitted: a browser conceals a lost packet better than it uses a late one."""
    return [
        *_head("audio", section, transport, [str(number) for number in kinds.values()]),
        *(f"a=rtpmap:{number} {_MAPS[name]}" for name, number in kinds.items()),
        _msid(section),
        f"a=ssrc:{ssrcs.media} cname:hub",
        *_tail(transport),
    ]


def _head(
    kind: str, section: Section, transport: Transport, formats: list[str], direction: str = "sendonly"
) -> list[str]:
    return [
        f"m={kind} {transport.port} {section.protocol} {' '.join(formats)}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=rtcp-mux",
        f"a={direction}",
        *_mid(section),
    ]


def _mid(section: Section) -> list[str]:
    return [f"a=mid:{section.mid}"] if section.mid else []


def _msid(section: Section) -> str:
    name = section.mid or section.kind
    return f"a=msid:hub-{name} track-{name}"


def _transport(transport: Transport) -> list[str]:
    return [
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.password}",
        f"a=fingerprint:{transport.fingerprint}",
        "a=setup:passive",
    ]


def _tail(transport: Transport) -> list[str]:
    return [
        *_transport(transport),
        *_candidates(transport),  # in each section: aiortc reads those of the last one, browsers those of the first
    ]


def _candidates(transport: Transport) -> list[str]:
    lines = [
        f"a=candidate:{index + 1} 1 udp {2130706431 - index} {address} {transport.port} typ host"
        for index, address in enumerate(transport.addresses)
    ]
    return [*lines, "a=end-of-candidates"]


def usable_addresses(announced: Sequence[str], machine: Sequence[str], *, ipv6: bool) -> tuple[str, ...]:
    """Addresses to offer: the configured ones, else the machine's, loopback last (for a browser on this machine)."""
    if announced:
        return tuple(announced)
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = []
    for text in machine:
        address = ipaddress.ip_address(text.partition("%")[0])
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            continue
        if (ipv6 or address.version == 4) and address not in found:
            found.append(address)
    return tuple(str(address) for address in sorted(found, key=lambda one: (one.is_loopback, one.version)))


def machine_addresses() -> tuple[str, ...]:
    """Addresses of this machine's interfaces, and loopback."""
    found = [
        entry.ip if isinstance(entry.ip, str) else entry.ip[0]
        for adapter in ifaddr.get_adapters()
        for entry in adapter.ips
    ]
    return tuple(dict.fromkeys([*found, "127.0.0.1"]))
