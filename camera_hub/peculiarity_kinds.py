"""The closed list of what can be peculiar about a device: where it departs from a standard, and how it is borne.

Hub and relays share the list; pages have a sentence for each kind. A value is a short word or number, never an address
or anything else that could hold a login. Nothing here is a fault of the device that somebody must mend.
"""

from enum import StrEnum

MAX_VALUE = 256
"""Characters of a value."""


class PeculiarityKind(StrEnum):
    """What is peculiar. The comments say which values there are."""

    # RTSP
    RTSP_CSEQ = "rtsp_cseq"  # "wrong" | "missing": responses do not repeat the request's CSeq
    RTSP_STRAY_BYTES = "rtsp_stray_bytes"  # "yes": bytes between interleaved packets that belong to nothing
    RTSP_CONTROL_URL = "rtsp_control_url"  # "session" | "base" | "request": the URL that PLAY is accepted on
    RTSP_OPTIONS_FIRST = "rtsp_options_first"  # "yes": DESCRIBE is answered only after OPTIONS
    RTSP_KEEP_ALIVE = "rtsp_keep_alive"  # "GET_PARAMETER" | "OPTIONS" | "RTCP": what keeps its sessions alive
    RTSP_TRANSPORT = "rtsp_transport"  # "udp": RTP over TCP is refused
    DIGEST_OFFERED = "digest_offered"  # "rtsp" | "http": never given the password in the clear (Basic) any more
    # RTP
    RTP_STANDING_CLOCK = "rtp_standing_clock"
    RTP_SSRC_RESTARTS = "rtp_ssrc_restarts"
    RTP_FOREIGN_PAYLOAD = "rtp_foreign_payload"
    INTRA_REFRESH = "intra_refresh"
    # ONVIF and HTTP
    NO_CLOCK = "no_clock"
    CLOCK_LOCAL_TIME = "clock_local_time"
    SOAP11 = "soap11"
    UNDECLARED_PREFIX = "undeclared_prefix"
    ENCODING = "encoding"
    CONTENT_LENGTH = "content_length"
    URI_REPAIRED = "uri_repaired"
    TLS_ONLY = "tls_only"
    LOGIN_HIDDEN = "login_hidden"
