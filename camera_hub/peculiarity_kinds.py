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
    DIGEST_OFFERED = "digest_offered"  # "yes": never given the password in the clear (Basic) any more
    # RTP
    RTP_STANDING_CLOCK = "rtp_standing_clock"  # "standing" | "wrong_rate": frames are stamped by their arrival
    RTP_SSRC_RESTARTS = "rtp_ssrc_restarts"  # "yes": SSRC or numbering begin anew within a session
    RTP_FOREIGN_PAYLOAD = "rtp_foreign_payload"  # "yes": other payload types within the video's numbering
    INTRA_REFRESH = "intra_refresh"  # "yes": recovery points, and hardly any key frames
    # ONVIF and HTTP
    ONVIF_UNUSED = "onvif_unused"  # why it is not described over ONVIF: a Reason, "own_user": ONVIF has other users
    NO_CLOCK = "no_clock"  # "refused" | "no usable time" | "local time only"
    CLOCK_LOCAL_TIME = "clock_local_time"  # "+8 h": its UTC is local time; it judges logins by true time
    SOAP11 = "soap11"  # "answers" | "only"
    UNDECLARED_PREFIX = "undeclared_prefix"  # "yes"
    ENCODING = "encoding"  # the encoding that was found where another was declared
    CONTENT_LENGTH = "content_length"  # "long" | "short" | "chunked" | "length" (impossible)
    URI_REPAIRED = "uri_repaired"  # what it answered → what was taken, without logins
    TLS_ONLY = "tls_only"  # the port
    CHANNELS_UNLISTED = "channels_unlisted"  # names of cameras that its recorder did not list the last time
    LOGIN_HIDDEN = "login_hidden"  # the HTTP status with which it answers what carries no login
    PTZ_TIMEOUT = "ptz_timeout"  # "refused": a move must not say when it ends
    PTZ_STOP = "ptz_stop"  # "refused": only a move of velocity zero stops it
    ENDPOINT_VARIES = "endpoint_varies"  # "yes": it makes a new WS-Discovery endpoint at times, as a person has said
