"""What we use of aiortc, aioice and pylibsrtp that they do not promise. An upgrade that moves it fails here."""

import inspect

import pytest
from aioice import stun
from aiortc import RTCCertificate, RTCDtlsTransport, rtcdtlstransport, rtp
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib


class Ice:
    role = "controlled"
    state = "completed"


@pytest.fixture
async def dtls() -> RTCDtlsTransport:
    return RTCDtlsTransport(Ice(), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]  # all it needs


@pytest.mark.parametrize("name", ["_set_role", "_srtp_profiles", "_rtp_router", "_tx_srtp", "_rx_srtp", "_ssl"])
async def test_the_dtls_transport_has(dtls: RTCDtlsTransport, name: str) -> None:
    assert hasattr(dtls, name)


async def test_the_dtls_transport_takes_its_datagrams_from_recv_and_send() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    assert "self.transport._recv()" in source
    assert "self.transport._send(data)" in source
    assert 'emit("statechange")' in source


async def test_reports_go_to_whoever_is_registered_for_an_ssrc(dtls: RTCDtlsTransport) -> None:
    class Sender:
        _ssrc = 5

        async def _handle_rtcp_packet(self, packet: rtp.AnyRtcpPacket) -> None: ...

    sender = Sender()
    dtls._rtp_router.register_sender(sender, 5)
    nack = rtp.RtcpRtpfbPacket(fmt=rtp.RTCP_RTPFB_NACK, ssrc=1, media_ssrc=5, lost=[7])
    assert dtls._rtp_router.route_rtcp(nack) == {sender}
    assert "recipient._handle_rtcp_packet(packet)" in inspect.getsource(RTCDtlsTransport)


def test_the_profiles_we_choose_among() -> None:
    assert rtcdtlstransport.SRTP_AEAD_AES_128_GCM in rtcdtlstransport.SRTP_PROFILES
    assert rtcdtlstransport.SRTP_AES128_CM_SHA1_80 in rtcdtlstransport.SRTP_PROFILES


@pytest.mark.parametrize("profile", [Policy.SRTP_PROFILE_AEAD_AES_128_GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80])
def test_srtp_protects_in_place_and_a_foreign_session_opens_it(profile: int) -> None:
    key = bytes(range(30)) if profile == Policy.SRTP_PROFILE_AES128_CM_SHA1_80 else bytes(range(28))
    session = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
    packet = rtp.RtpPacket(payload_type=96, sequence_number=9, timestamp=1, ssrc=3, payload=b"hello" * 20).serialize()
    raw, length = ffi.new("unsigned char[]", 2048), ffi.new("int *")
    ffi.buffer(raw)[0 : len(packet)] = packet
    length[0] = len(packet)
    assert lib.srtp_protect(session._srtp[0], raw, length) == lib.srtp_err_status_ok
    trailer = 10 if profile == Policy.SRTP_PROFILE_AES128_CM_SHA1_80 else 16
    assert length[0] == len(packet) + trailer  # always the same: the press lays a whole run out before it is encrypted
    other = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
    assert other.unprotect(bytes(ffi.buffer(raw)[0 : length[0]])) == packet


def test_the_stun_codec_checks_integrity() -> None:
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = "a:b"
    message.add_message_integrity(b"secret")
    read = stun.parse_message(bytes(message))
    assert read.check_message_integrity(b"secret")
    assert not read.check_message_integrity(b"other")
