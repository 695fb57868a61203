"""Packetizer: the NAL units of a frame as RTP payloads, once per feed. Pure.

Large NAL units are cut into equal fragments with a shorter last one, so that GSO can send them.

H.264: single NAL units, STAP-A and FU-A (RFC 6184, packetization mode 1). H.265: AP and FU (RFC 7798).
"""

from collections.abc import Iterable, Sequence

from camera_hub.relay.ingest.codecs import Codec

_STAP_A, _FU_A = 24, 28  # RFC 6184 table 3
_AP, _FU = 48, 49  # RFC 7798 section 4.4


def packetize(codec: Codec, units: Iterable[bytes], limit: int) -> tuple[bytes, ...]:
    """RTP payloads of at most `limit` bytes: small neighbours are aggregated, large NAL units fragmented evenly."""
    payloads: list[bytes] = []
    small: list[bytes] = []
    room = limit - codec.header_size
    for unit in units:
        if len(unit) + 2 <= room:
            room -= len(unit) + 2
            small.append(unit)
            continue
        if small:
            payloads.append(_aggregate(codec, small))
            small, room = [], limit - codec.header_size
        if len(unit) + 2 <= room:
            room -= len(unit) + 2
            small.append(unit)
        elif len(unit) <= limit:
            payloads.append(unit)
        else:
            payloads.extend(_fragment(codec, unit, limit))
    if small:
        payloads.append(_aggregate(codec, small))
    return tuple(payloads)


def passes_unchanged(payloads: Sequence[bytes], limit: int) -> bool:
    """Whether a NAL unit can be sent on in the payloads that it came in: one, or equal fragments with a shorter last
    one as `packetize` would cut them; none above the limit, and not so small that cutting anew would save packets."""
    size = len(payloads[0])
    if size > limit:
        return False
    if len(payloads) == 1:
        return True
    if 2 * size < limit:
        return False
    for payload in payloads:
        if len(payload) != size:
            return payload is payloads[-1] and len(payload) < size
    return True


def _aggregate(codec: Codec, units: Sequence[bytes]) -> bytes:
    if len(units) == 1:
        return units[0]
    body = b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
    if codec.header_size == 1:
        nal_ref_idc = max(unit[0] & 0x60 for unit in units)
        return bytes((nal_ref_idc | _STAP_A,)) + body
    return bytes(((_AP << 1) | (units[0][0] & 0x01), units[0][1])) + body


def _fragment(codec: Codec, unit: bytes, limit: int) -> list[bytes]:
    if codec.header_size == 1:
        nal_type, indicator = unit[0] & 0x1F, bytes(((unit[0] & 0xE0) | _FU_A,))
    else:
        nal_type, indicator = (unit[0] >> 1) & 0x3F, bytes(((unit[0] & 0x81) | (_FU << 1), unit[1]))
    start, size = codec.header_size, len(unit)
    count = -(-(size - start) // (limit - len(indicator) - 1))
    step = -(-(size - start) // count)
    first, middle, last = (indicator + bytes((flag | nal_type,)) for flag in (0x80, 0x00, 0x40))
    pieces = [middle + unit[at : at + step] for at in range(start, size, step)]
    pieces[0] = first + pieces[0][len(first) :]
    pieces[-1] = last + pieces[-1][len(last) :]
    return pieces


def gso_runs(
    payloads: Sequence[bytes], *, overhead: int = 40, segments: int = 60, size: int = 64_000
) -> tuple[int, ...]:
    """Ends (exclusive) of the runs that one send with UDP_SEGMENT may carry: equal payloads, a shorter one at the end.

    A run has at most `segments` packets and `size` bytes; `overhead` bytes are added to each payload on the wire.
    """
    count, lengths = len(payloads), list(map(len, payloads))
    if count == 1:
        return (1,)
    if 1 < count <= segments and count * (lengths[0] + overhead) <= size:
        alike = lengths.count(lengths[0])
        if alike == count or (alike == count - 1 and lengths[-1] < lengths[0]):
            return (count,)  # the usual case
    ends: list[int] = []
    start = 0
    for index in range(1, len(payloads) + 1):
        if index < len(payloads):
            width, count = len(payloads[start]), index - start
            fits = count < segments and (count + 1) * (width + overhead) <= size
            if fits and len(payloads[index - 1]) == width and len(payloads[index]) <= width:
                continue
        ends.append(index)
        start = index
    return tuple(ends)
