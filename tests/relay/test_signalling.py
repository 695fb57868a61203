"""Offers of browsers read, answers written, addresses chosen, reports built and understood."""

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription, rtp
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Kind
from camera_hub.relay.sender_report import ntp_time, sender_report
from camera_hub.relay.webrtc.answer import Ssrcs, Transport, usable_addresses, write_answer
from camera_hub.relay.webrtc.offer import read_offer

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
    answer = write_answer(read, TRANSPORT, {"1": Ssrcs(11, 12)}, 5)
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
    answer = write_answer(allowed, TRANSPORT, {"0": Ssrcs(11, 12), "1": Ssrcs(13, None)}, 5)
    _, _, audio, second = answer.split("m=")
    assert audio.startswith("audio 8189 UDP/TLS/RTP/SAVPF 111 0 8\r\n")
    for line in ("a=rtpmap:111 opus/48000/2", "a=rtpmap:8 PCMA/8000", "a=sendonly", "a=ssrc:13 cname:hub"):
        assert f"{line}\r\n" in audio
    assert second.startswith("audio 0 ")
    assert "a=group:BUNDLE 0 1\r\n" in answer
    forbidden = read_offer(text)
    assert allowed.codecs == forbidden.codecs == ("h264",)
    refused = write_answer(forbidden, TRANSPORT, {"0": Ssrcs(11, 12)}, 5).split("m=")[2]
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


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40), st.text(max_size=8)), max_size=6))
def test_a_mutated_offer_is_answered_or_refused(changes: list[tuple[int, int, str]]) -> None:
    sdp = offer(H264, VP8)
    for at, cut, text in changes:
        sdp = sdp[:at] + text + sdp[at + cut :]
    try:
        read = read_offer(sdp)
    except HubError:
        return
    served = {section.mid: Ssrcs(1, 2) for section in read.sections if section.types is not None}
    assert write_answer(read, TRANSPORT, served, 1).startswith("v=0\r\n")


async def test_aiortc_understands_the_answer() -> None:
    client = RTCPeerConnection()
    try:
        for _ in range(3):
            client.addTransceiver("video", direction="recvonly")
        await client.setLocalDescription(await client.createOffer())
        read = read_offer(client.localDescription.sdp)
        ssrcs = {section.mid: Ssrcs(10 + index, 20 + index) for index, section in enumerate(read.sections)}
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
