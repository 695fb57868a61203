"""DTLS-SRTP with one browser, by aiortc's RTCDtlsTransport over our ICE-lite end; SRTCP is opened here.

Private attributes of aiortc and pylibsrtp in use (a contract test names each): RTCDtlsTransport._set_role,
._srtp_profiles, ._tx_srtp, ._rx_srtp; Session._srtp.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, SRTP_PROFILES
from pylibsrtp import Error as SrtpError

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.webrtc import rtcp
from camera_hub.relay.webrtc.ice import IcePeer
from camera_hub.relay.webrtc.srtp_sender import SrtpSender
from camera_hub.relay.webrtc.udp_port import UdpPort

MAX_SENDERS = 64
"""SSRCs that a browser may report under: one per m-line in practice. libsrtp keeps each, and looks through all."""


class Certificate:
    """The relay's certificate, the same for all peers of a day. `made`: monotonic seconds."""

    def __init__(self, now: float) -> None:
        self.made = now
        self.own = RTCCertificate.generateCertificate()
        self.fingerprint = next(
            f"{print_.algorithm} {print_.value}"
            for print_ in self.own.getFingerprints()
            if print_.algorithm == "sha-256"
        )


class Dtls:
    """One handshake and the keys that come of it. AES_128_GCM first: it costs half of SHA1_80."""

    def __init__(self, ice: IcePeer, certificate: Certificate) -> None:
        self._ice = ice
        self._transport = RTCDtlsTransport(cast(RTCIceTransport, ice), [certificate.own])
        self._transport._set_role("server")
        self._transport._srtp_profiles = [
            profile for profile in (SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80) if profile in SRTP_PROFILES
        ]
        self.closed = asyncio.Event()
        self._transport.on("statechange", self._changed)

    async def start(self, fingerprints: tuple[tuple[str, str], ...]) -> None:
        """Shake hands; the browser must own a certificate of these fingerprints. Raises HubError."""
        wanted = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints])
        await self._transport.start(wanted)
        if self._transport.state != "connected":
            raise HubError(Kind.UNAVAILABLE, "the DTLS handshake with the browser failed", reason="dtls_failed")

    def listen(self, clock: Clock, take: Callable[[list[tuple[int, rtcp.Report]]], None]) -> None:
        """Hand over what RTCP says from now on, in the port's own read. Once connected."""
        opened = self._transport._rx_srtp
        senders: set[bytes] = set()

        def heard(data: bytes) -> str | None:
            if not 192 <= data[1] <= 223:  # RFC 5761: media, which nobody was invited to send
                return "unwanted_media"
            sender = data[4:8]
            if sender not in senders and len(senders) >= MAX_SENDERS:
                return "too_many_senders"
            try:
                clear = opened.unprotect_rtcp(data)
            except SrtpError:
                return "bad_srtp"
            senders.add(sender)
            try:
                reports = rtcp.read(clear, clock.now().timestamp())
            except ValueError:
                return "bad_rtcp"
            take(reports)
            return None

        self._ice.hears = heard

    def outlet(self, port: UdpPort, *, gso: bool) -> SrtpSender:
        """The way out for packets, once connected."""
        return SrtpSender(port, self._ice, self._transport._tx_srtp, gso=gso)

    async def stop(self) -> None:
        """Say goodbye and let go of everything."""
        self._ice.hears = None
        await self._transport.stop()
        self._ice.close()

    def _changed(self) -> None:
        if self._transport.state in ("closed", "failed"):
            self.closed.set()
