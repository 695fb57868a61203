"""ICE-lite, DTLS-SRTP and RTCP towards browsers; the only home of aiortc, aioice and pylibsrtp."""
