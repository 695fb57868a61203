"""DTLS-SRTP with one browser, by aiortc's RTCDtlsTransport over our ICE-lite agent; SRTCP is decrypted here."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTP_PROFILES,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from pylibsrtp import Error as SrtpError
from pylibsrtp import Session

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.libraries import set_dtls_role, srtp_sessions
from camera_hub.relay.webrtc import rtcp
from camera_hub.relay.webrtc.ice import IcePeer

if TYPE_CHECKING:  # a relay does not load it (`relay.lean_imports`)
    from aiortc import RTCIceTransport

MAX_SENDERS = 64
"""SSRCs that a browser may report from: one per m-line in practice. libsrtp keeps each, and searches them linearly."""
CERTIFICATE_LIFE = 24 * 3600.0


class Certificate:
    """A self-signed certificate, shared by many peers."""

    def __init__(self) -> None:
        self.own = RTCCertificate.generateCertificate()
        self.fingerprint = next(
            f"{print_.algorithm} {print_.value}"
            for print_ in self.own.getFingerprints()
            if print_.algorithm == "sha-256"
        )


class CertificateStore:
    """Makes a new certificate once a day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made = clock.monotonic()
        self._certificate = Certificate()

    def current(self) -> Certificate:
        """For a new peer."""
        now = self._clock.monotonic()
        if now - self._made > CERTIFICATE_LIFE:
            self._made, self._certificate = now, Certificate()
        return self._certificate


class Dtls:
    """One handshake and the keys that it yields. AES_128_GCM first: it costs half of SHA1_80."""

    def __init__(self, ice: IcePeer, certificate: Certificate) -> None:
        self._ice = ice
        self._transport = RTCDtlsTransport(cast("RTCIceTransport", ice), [certificate.own])
        preferred = (SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80)
        set_dtls_role(self._transport, "server", [profile for profile in preferred if profile in SRTP_PROFILES])
        self.closed = asyncio.Event()
        self._transport.on("statechange", self._on_state_change)

    async def start(self, fingerprints: tuple[tuple[str, str], ...]) -> None:
        """Do the handshake; the browser must own a certificate of these fingerprints. Raises HubError."""
        wanted = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints])
        await self._transport.start(wanted)
        if self._transport.state != "connected":
            raise HubError(Kind.UNAVAILABLE, "the DTLS handshake with the browser failed", reason="dtls_failed")

    def receive_reports(self, clock: Clock, on_reports: Callable[[list[tuple[int, rtcp.Report]]], None]) -> None:
        """Pass on the browser's RTCP from now on, by (SSRC, report), in the port's read callback. Once connected."""
        _, receiving = srtp_sessions(self._transport)
        senders: set[bytes] = set()

        def on_media(data: bytes) -> str | None:
            if not 192 <= data[1] <= 223:  # RFC 5761: media, which no browser was asked to send
                return "unwanted_media"
            sender = data[4:8]
            if sender not in senders and len(senders) >= MAX_SENDERS:
                return "too_many_senders"
            try:
                clear = receiving.unprotect_rtcp(data)
            except SrtpError:
                return "bad_srtp"
            senders.add(sender)
            try:
                reports = rtcp.read(clear, clock.now().timestamp())
            except ValueError:
                return "bad_rtcp"
            on_reports(reports)
            return None

        self._ice.receive_media(on_media)

    @property
    def sending_session(self) -> Session:
        """The SRTP session that encrypts what is sent, once connected."""
        return srtp_sessions(self._transport)[0]

    async def stop(self) -> None:
        """Send close_notify and release everything."""
        self._ice.receive_media(None)
        await self._transport.stop()
        self._ice.close()

    def _on_state_change(self) -> None:
        if self._transport.state in ("closed", "failed"):
            self.closed.set()
