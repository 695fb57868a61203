"""Offers of browsers read, answers written, addresses chosen, reports built and understood."""

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription, rtp
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Kind
from camera_hub.relay.sender_report import ntp_time, sender_report
from camera_hub.relay.webrtc.answer import Ssrcs, Transport, usable_addresses, write_answer
from camera_hub.relay.webrtc.offer import Offer, read_offer

HEAD = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mids}\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n"
)
H264 = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104\r\na=mid:{mid}\r\na=recvonly\r\na=rtcp-mux\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "a=rtpmap:104 H264/90000\r\na=fmtp:104 packetization-mode=0;profile-level-id=42e01f\r\n"
    "a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n"
)
H265 = "a=rtpmap:49 H265/90000\r\na=fmtp:49 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST\r\n"
VP8 = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9 0 8 13\r\na=mid:{mid}\r\na=recvonly\r\na=rtcp-mux\r\n"
    "a=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n"
)
TRANSPORT = Transport("uf", "pw", "sha-256 CC", ("192.0.2.7", "127.0.0.1"), 8189)


def offer(*sections: str) -> str:
    mids = [str(index) for index in range(len(sections))]
    return HEAD.format(mids=" ".join(mids)) + "".join(
        section.format(mid=mid) for section, mid in zip(sections, mids, strict=True)
    )


def test_each_line_takes_h264_mode_1_with_its_rtx() -> None:
    read = read_offer(offer(H264, H264))
    assert [section.types.by_codec for section in read.sections if section.types] == [{"h264": (102, 103)}] * 2
    assert read.codecs == ("h264",)
    assert read.fingerprints == (("sha-256", "AA:BB"),)


def test_h265_is_named_when_every_line_takes_it() -> None:
    both = H264.replace("102 103", "102 103 49") + H265
    assert read_offer(offer(both, both)).codecs == ("h264", "h265")
    assert read_offer(offer(both, H264)).codecs == ("h264",)


def test_a_line_without_h264_is_refused_in_the_answer_and_the_others_are_served() -> None:
    read = read_offer(offer(VP8, H264))
    answer = write_answer(read, TRANSPORT, {1: Ssrcs(11, 12)}, 5)
    first, second = answer.split("m=")[1:]
    assert first.startswith("video 0 UDP/TLS/RTP/SAVPF 96\r\n")
    assert "a=inactive" in first
    assert second.startswith("video 8189 UDP/TLS/RTP/SAVPF 102 103\r\n")
    assert "a=group:BUNDLE 1\r\n" in answer
    for line in (
        "a=ice-lite",
        "a=setup:passive",
        "a=sendonly",
        "a=ssrc-group:FID 11 12",
        "a=fmtp:103 apt=102",
        "a=candidate:1 1 udp 2130706431 192.0.2.7 8189 typ host",
        "a=end-of-candidates",
    ):
        assert f"{line}\r\n" in answer


def test_an_audio_line_is_served_where_it_is_allowed_and_refused_where_not() -> None:
    text = offer(H264, AUDIO, AUDIO)
    allowed = read_offer(text, audio=True)
    assert [section.audio for section in allowed.sections] == [None, {"opus": 111, "pcmu": 0, "pcma": 8}, None]
    answer = write_answer(allowed, TRANSPORT, {0: Ssrcs(11, 12), 1: Ssrcs(13, None)}, 5)
    _, _, audio, second = answer.split("m=")
    assert audio.startswith("audio 8189 UDP/TLS/RTP/SAVPF 111 0 8\r\n")
    for line in ("a=rtpmap:111 opus/48000/2", "a=rtpmap:8 PCMA/8000", "a=sendonly", "a=ssrc:13 cname:hub"):
        assert f"{line}\r\n" in audio
    assert second.startswith("audio 0 ")
    assert "a=group:BUNDLE 0 1\r\n" in answer
    forbidden = read_offer(text)
    assert allowed.codecs == forbidden.codecs == ("h264",)
    refused = write_answer(forbidden, TRANSPORT, {0: Ssrcs(11, 12)}, 5).split("m=")[2]
    assert refused.startswith("audio 0 ")
    assert "a=inactive" in refused


@pytest.mark.parametrize("line", ["a=sendonly", "a=inactive"])
def test_an_audio_line_that_takes_nothing_is_refused(line: str) -> None:
    read = read_offer(offer(H264, AUDIO.replace("a=recvonly", line)), audio=True)
    assert not read.sections[1].served


@pytest.mark.parametrize(
    ("sdp", "kind"),
    [
        ("", Kind.INVALID),
        ("x" * 300_000, Kind.TOO_LARGE),
        (offer(*[H264] * 41), Kind.TOO_LARGE),
        (offer(H264).replace("a=mid:0\r\n", ""), Kind.INVALID),
        (offer(H264, H264).replace("BUNDLE 0 1", "BUNDLE 0"), Kind.INVALID),
        (offer(H264).replace("a=ice-ufrag:abcd\r\n", ""), Kind.INVALID),
        (offer(H264).replace("sha-256", "md5"), Kind.INVALID),
        (offer(H264).replace("m=video 9", "m=video nine"), Kind.INVALID),
        (offer(H264) + "a=setup:passive\r\n", Kind.INVALID),
    ],
)
def test_an_offer_that_cannot_be_answered_says_why(sdp: str, kind: Kind) -> None:
    with pytest.raises(HubError) as raised:
        read_offer(sdp.replace("a=setup:actpass\r\n", "", 1) if "passive" in sdp else sdp)
    assert raised.value.kind is kind


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40), st.text(max_size=8)), max_size=6), st.booleans())
def test_a_mutated_offer_is_answered_or_refused(changes: list[tuple[int, int, str]], of_player: bool) -> None:
    sdp = offer(H264, VP8, AUDIO)
    for at, cut, text in changes:
        sdp = sdp[:at] + text + sdp[at + cut :]
    try:
        read = read_offer(sdp, audio=of_player, tracks=1 if of_player else None)
    except HubError:
        return
    strictly_read(answered(read))


def answered(read: Offer) -> str:
    numbered = enumerate(read.sections)
    ssrcs = {number: Ssrcs(10 + number, 90 + number if one.types else None) for number, one in numbered if one.served}
    return write_answer(read, TRANSPORT, ssrcs, 5)


def strictly_read(answer: str) -> list[tuple[str, bool]]:
    """(kind, served) per section, as strict peers read an answer: each payload type is looked up, and what is rejected,
    and nothing else, is in no bundle. Pion refuses the whole answer otherwise."""
    head, *bodies = answer.split("\r\nm=")
    group = next((line.split(" ")[1:] for line in head.split("\r\n") if line.startswith("a=group:BUNDLE ")), [])
    found = []
    for body in bodies:
        (kind, port, _, *formats), *attributes = [line.split(" ") for line in body.rstrip("\r\n").split("\r\n")]
        maps = {line[0].removeprefix("a=rtpmap:") for line in attributes if line[0].startswith("a=rtpmap:")}
        assert formats
        if kind in ("audio", "video"):
            # A rejected section of which the offer named no payload type repeats the word that stood there.
            looked_up = [word for word in formats if word.isdecimal() or port != "0"]
            assert all(number in maps or int(number) < 96 for number in looked_up), body
        mids = [line[0].removeprefix("a=mid:") for line in attributes if line[0].startswith("a=mid:")]
        assert port != "0" or not set(mids) & set(group), "a rejected section is in no bundle"
        assert port == "0" or not group or set(mids) <= set(group)
        served = ["a=sendonly"] in attributes
        assert served or ["a=inactive"] in attributes
        assert port != "0" or not served
        found.append((kind, served))
    return found


BOTH = H264.replace("103 104", "103 104 49") + H265
H265_ALONE = "m=video 9 UDP/TLS/RTP/SAVPF 49\r\na=mid:{mid}\r\na=recvonly\r\na=rtcp-mux\r\n" + H265
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:{mid}\r\na=sctp-port:5000\r\n"
OPUS = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
NO_MODE = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 H264/90000\r\n"
NO, V, A = "-", "video", "audio"


@pytest.mark.parametrize(
    ("sections", "silent", "with_sound"),
    [
        ((H264,), V, V),
        ((H264, AUDIO), V, V + A),
        ((AUDIO, H264), V, A + V),
        ((OPUS, H264), V, A + V),
        ((AUDIO,), None, A),
        ((H264, H264, AUDIO), V, V + A),
        ((VP8, H264, OPUS), NO + V, NO + V + A),
        ((H264, DATA), V, V),
        ((DATA, AUDIO, H264), NO + V, NO + A + V),
        ((H265_ALONE, AUDIO), V, V + A),
        ((NO_MODE,), V, V),
        ((VP8,), None, None),
        ((VP8, OPUS), None, NO + A),
        ((H264.replace("m=video 9", "m=video 0"), BOTH), NO + V, NO + V),
        ((H264.replace("m=video 9", "m=video 0") + "a=bundle-only\r\n",), V, V),
        ((H264.replace("recvonly", "sendrecv"), OPUS), V, V + A),
        ((H264.replace("recvonly", "sendonly"),), None, None),
    ],
)
def test_whatever_a_player_offers_one_picture_and_its_sound_are_served(
    sections: tuple[str, ...], silent: str | None, with_sound: str | None
) -> None:
    """Rejected sections are valid for peers that look each payload type up."""
    for audio, expected in ((False, silent), (True, with_sound)):
        read = read_offer(offer(*sections), audio=audio, tracks=1)
        if expected is None:
            assert not any(section.served for section in read.sections)
            continue
        found = strictly_read(answered(read))
        assert [kind for kind, _ in found] == [section.partition(" ")[0][2:] for section in sections]
        assert "".join(kind if served else NO for kind, served in found).replace(NO, "") == expected.replace(NO, "")


def test_the_section_that_takes_most_is_the_one_that_is_served() -> None:
    read = read_offer(offer(H265_ALONE, BOTH, H264), tracks=1)
    assert [section.served for section in read.sections] == [False, True, False]
    assert read.codecs == ("h264", "h265")
    assert read_offer(offer(H265_ALONE, VP8), tracks=1).codecs == ("h265",)


def test_a_player_that_bundles_nothing_gets_the_picture_and_one_without_mids_too() -> None:
    """Each m-line has its own transport then: one of them is served, by its own ICE credentials."""
    apart = offer(OPUS + "a=ice-ufrag:sound\r\n", H264 + "a=ice-ufrag:picture\r\n")
    apart = apart.replace("a=group:BUNDLE 0 1\r\n", "").replace("a=ice-ufrag:abcd\r\n", "")
    for sdp in (apart, apart.replace("a=mid:0\r\n", "").replace("a=mid:1\r\n", "")):
        read = read_offer(sdp, audio=True, tracks=1)
        assert (read.ufrag, read.bundle) == ("picture", ())
        answer = answered(read)
        assert strictly_read(answer) == [("audio", False), ("video", True)]
        assert "BUNDLE" not in answer
        assert ("a=mid:" in answer) == ("a=mid:" in sdp)


def test_a_bundle_has_the_transport_of_its_first_section_that_is_not_rejected() -> None:
    """RFC 8843, 7.3.1: a balanced offer has credentials in each section. What cannot even be idle is rejected."""
    sdp = offer(OPUS + "a=ice-ufrag:sound\r\n", H264 + "a=ice-ufrag:picture\r\n").replace("a=ice-ufrag:abcd\r\n", "")
    assert read_offer(sdp, tracks=1).bundle == ("0", "1")
    assert read_offer(sdp, tracks=1).ufrag == "sound"
    plain = sdp.replace("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP")
    assert (read_offer(plain, tracks=1).ufrag, read_offer(plain, tracks=1).bundle) == ("picture", ("1",))
    single = sdp.replace("a=ice-ufrag:picture\r\n", "")  # as with max-bundle
    assert read_offer(single, tracks=1).ufrag == "sound"


def test_a_direction_of_the_whole_session_counts() -> None:
    sdp = offer(H264.replace("a=recvonly\r\n", ""))
    assert not read_offer(sdp.replace("t=0 0\r\n", "t=0 0\r\na=inactive\r\n"), tracks=1).sections[0].served
    assert read_offer(sdp.replace("t=0 0\r\n", "t=0 0\r\na=recvonly\r\n"), tracks=1).sections[0].served


@pytest.mark.parametrize("order", ["video", "audio", "both", "sound"])
async def test_aiortc_takes_the_answer_to_each_order_of_its_sections(order: str) -> None:
    """With and without sound, picture first or sound first, balanced bundle."""
    kinds = {"video": ["video", "audio"], "audio": ["audio", "video"], "both": ["video", "audio", "video"]}
    client = RTCPeerConnection()
    try:
        for kind in kinds.get(order, ["audio"]):
            client.addTransceiver(kind, direction="recvonly")
        client.createDataChannel("chat")
        await client.setLocalDescription(await client.createOffer())
        read = read_offer(client.localDescription.sdp, audio=order in ("audio", "sound"), tracks=1)
        transport = Transport("uf" * 4, "pw" * 12, f"sha-256 {':'.join(['AB'] * 32)}", ("127.0.0.1",), 9)
        numbered = enumerate(read.sections)
        ssrcs = {number: Ssrcs(10 + number, 90 + number) for number, section in numbered if section.served}
        answer = write_answer(read, transport, ssrcs, 1)
        strictly_read(answer)
        await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        served = {one.kind for one in client.getTransceivers() if one.currentDirection == "recvonly"}
        assert served == {"audio": {"audio", "video"}, "sound": {"audio"}}.get(order, {"video"})
    finally:
        await client.close()


async def test_aiortc_understands_the_answer() -> None:
    client = RTCPeerConnection()
    try:
        for _ in range(3):
            client.addTransceiver("video", direction="recvonly")
        await client.setLocalDescription(await client.createOffer())
        read = read_offer(client.localDescription.sdp)
        ssrcs = {index: Ssrcs(10 + index, 20 + index) for index in range(len(read.sections))}
        fingerprint = TRANSPORT.__class__("uf" * 4, "pw" * 12, f"sha-256 {':'.join(['AB'] * 32)}", ("127.0.0.1",), 9)
        answer = write_answer(read, fingerprint, ssrcs, 1)
        await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert [one.currentDirection for one in client.getTransceivers()] == ["recvonly"] * 3
    finally:
        await client.close()


def test_announced_addresses_are_those_set_else_the_machines_with_loopback_last() -> None:
    machine = ("127.0.0.1", "10.0.0.5", "fe80::1%eth0", "2001:db8::5", "::1", "169.254.1.1", "10.0.0.5")
    assert usable_addresses(("203.0.113.9",), machine, ipv6=True) == ("203.0.113.9",)
    assert usable_addresses((), machine, ipv6=True) == ("10.0.0.5", "2001:db8::5", "127.0.0.1", "::1")
    assert usable_addresses((), machine, ipv6=False) == ("10.0.0.5", "127.0.0.1")


def test_a_sender_report_is_read_by_aiortc() -> None:
    packets = rtp.RtcpPacket.parse(sender_report(7, 1_800_000_000.5, 90_000, 12, 3456))
    report, names = packets
    assert isinstance(report, rtp.RtcpSrPacket)
    assert isinstance(names, rtp.RtcpSdesPacket)
    info = report.sender_info
    assert (report.ssrc, info.rtp_timestamp, info.packet_count, info.octet_count) == (7, 90_000, 12, 3456)
    assert info.ntp_timestamp == ntp_time(1_800_000_000.5)
    assert names.chunks[0].items == [(1, b"hub")]
