"""NAL units to RTP payloads: RFC 6184 packetization mode 1 and RFC 7798, each without decoding order numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

PAYLOAD_LIMIT = 1400
_STAP_A, _FU_A = 24, 28
_H265_AGGREGATE, _H265_FRAGMENT = 48, 49


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP payload; `last` sets the marker bit. `padding`: bytes of padding after it. `lost`: it takes its number,
    and never arrives."""

    payload: bytes
    last: bool
    foreign_type: int | None = None  # a payload type that is not the stream's
    padding: int = 0
    lost: bool = False


def h264_packets(nals: Sequence[bytes], limit: int = PAYLOAD_LIMIT) -> tuple[Packet, ...]:
    """Payloads of one H.264 access unit: small neighbours share a STAP-A, large units are split into FU-As."""
    payloads: list[bytes] = []
    for group in _grouped(nals, limit, header=1):
        nal = group[0]
        if len(group) > 1:
            importance = max(one[0] & 0x60 for one in group)
            payloads.append(bytes([importance | _STAP_A]) + _with_lengths(group))
        elif len(nal) <= limit:
            payloads.append(nal)
        else:
            payloads += _fragments(nal[1:], limit, bytes([nal[0] & 0xE0 | _FU_A]), nal[0] & 0x1F)
    return _marked(payloads)


def h265_packets(nals: Sequence[bytes], limit: int = PAYLOAD_LIMIT) -> tuple[Packet, ...]:
    """Payloads of one H.265 access unit: aggregation packets, single units and fragmentation units."""
    payloads: list[bytes] = []
    for group in _grouped(nals, limit, header=2):
        nal = group[0]
        if len(group) > 1:
            payloads.append(_h265_header(nal, _H265_AGGREGATE) + _with_lengths(group))
        elif len(nal) <= limit:
            payloads.append(nal)
        else:
            payloads += _fragments(nal[2:], limit, _h265_header(nal, _H265_FRAGMENT), nal[0] >> 1 & 0x3F)
    return _marked(payloads)


def nals_of(packets: Sequence[Packet], codec: str) -> list[bytes]:
    """The NAL units of one access unit that `h264_packets` or `h265_packets` made."""
    header, aggregate, fragment = (2, _H265_AGGREGATE, _H265_FRAGMENT) if codec == "h265" else (1, _STAP_A, _FU_A)
    nals: list[bytes] = []
    for payload in (packet.payload for packet in packets):
        kind = payload[0] >> 1 & 0x3F if header == 2 else payload[0] & 0x1F
        if kind == aggregate:
            at = header
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                nals.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == fragment:
            piece = payload[header + 1 :]
            if payload[header] & 0x80:
                first = payload[header] & (0x3F if header == 2 else 0x1F)
                start = _h265_header(payload, first) if header == 2 else bytes([payload[0] & 0xE0 | first])
                nals.append(start + piece)
            else:
                nals[-1] += piece
        else:
            nals.append(payload)
    return nals


def _h265_header(nal: bytes, kind: int) -> bytes:
    return bytes([nal[0] & 0x81 | kind << 1, nal[1]])


def _with_lengths(nals: Sequence[bytes]) -> bytes:
    return b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def _fragments(data: bytes, limit: int, indicator: bytes, kind: int) -> list[bytes]:
    room = limit - len(indicator) - 1
    pieces = [data[start : start + room] for start in range(0, len(data), room)]
    last = len(pieces) - 1
    return [
        indicator + bytes([(0x80 if number == 0 else 0) | (0x40 if number == last else 0) | kind]) + piece
        for number, piece in enumerate(pieces)
    ]


def _grouped(nals: Sequence[bytes], limit: int, header: int) -> list[list[bytes]]:
    """Runs of neighbours that fit into one payload."""
    groups: list[list[bytes]] = []
    room = 0
    for nal in nals:
        need = 2 + len(nal)
        if groups and need <= room:
            groups[-1].append(nal)
            room -= need
        else:
            groups.append([nal])
            room = limit - header - need
    return groups


def _marked(payloads: list[bytes]) -> tuple[Packet, ...]:
    last = len(payloads) - 1
    return tuple(Packet(payload, number == last) for number, payload in enumerate(payloads))
