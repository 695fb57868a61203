"""Faults by name, and the switchboard that records what is switched for a village, a device or a channel."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from camera_hub.simulator.model import KeyFrames
from camera_hub.simulator.picture.scenes import AMOUNTS, Mood, Weather

SIX_MONTHS = 182 * 86_400.0


class Fault(StrEnum):
    """What can be wrong. A fault of a village applies to all its devices, one of a device to all its channels."""

    # reaching it
    DEAD = "dead"  # device: connections are refused, open ones cut; channel: no picture from it
    VILLAGE_DOWN = "village_down"  # as if the cable were pulled: nothing is refused, nothing answers
    HALF_OPEN = "half_open"  # connections are accepted, then silence; running streams stop without closing
    FLAPPING = "flapping"  # alternately dead and alive; the value is the length of each phase in seconds
    SLEEPING = "sleeping"  # the value is how many hours around noon, by its own clock, it is awake
    SLOW_DRIP = "slow_drip"  # one byte a second
    # login and protocol
    WRONG_PASSWORD = "wrong_password"
    DIGEST_ONLY = "digest_only"  # ONVIF refuses UsernameToken
    TOKEN_ONLY = "token_only"  # ONVIF refuses HTTP Digest
    CLOCK_SKEW = "clock_skew"  # the value is the error of the device's clock in seconds
    BARE_401 = "bare_401"  # a signed request is refused without a challenge
    NEW_NONCE = "new_nonce"  # the value is after how many seconds another one is asked for; 0: for each request
    REALM_WITH_BASIC = "realm_with_basic"
    DEVICE_FULL = "device_full"  # RTSP 453
    ONVIF_OFF = "onvif_off"  # ONVIF answers 404, RTSP and the vendor's HTTP interface still work
    VENDOR_HTTP_OFF = "vendor_http_off"  # the vendor's HTTP interface answers 404, RTSP and ONVIF still work
    NOT_ACTIVATED = "not_activated"
    LOCKED = "locked"  # the value is for how many seconds from now
    TOO_MANY_CONNECTIONS = "too_many_connections"  # in the vendor's own words and codes
    # who it says it is (`state.py`)
    SHARED_SERIAL = "shared_serial"
    SHARED_MAC = "shared_mac"
    SHARED_ENDPOINT = "shared_endpoint"
    # what it answers
    REDIRECT = "redirect"  # RTSP and HTTP 302 to the canary
    GIANT_REPLY = "giant_reply"  # Content-Length of 1.5 GB
    NAT_XADDR = "nat_xaddr"  # it names the addresses that it has behind its router
    FORWARDED_PORTS = "forwarded_ports"  # reachable through its village's router alone, at ports of its own
    # ONVIF, HTTP, discovery (`onvif/quirks.py`, `onvif/gate.py`, `discovery.py`)
    LOGIN_FOR_ALL = "login_for_all"
    LOGIN_HIDDEN = "login_hidden"
    NO_CLOCK = "no_clock"  # the value is the HTTP status
    LOCAL_TIME_ONLY = "local_time_only"
    UTC_IS_LOCAL = "utc_is_local"
    SOAP_11 = "soap_11"
    UNDECLARED_PREFIX = "undeclared_prefix"
    BROKEN_UTF8 = "broken_utf8"
    TRAILING_NUL = "trailing_nul"
    GB2312 = "gb2312"
    LONG_CONTENT_LENGTH = "long_content_length"  # the value is by how many bytes
    URI_TWO_PORTS = "uri_two_ports"
    URI_PADDED = "uri_padded"
    URI_MAPPED_HOST = "uri_mapped_host"
    LOGIN_IN_PATH = "login_in_path"
    TLS_ONLY = "tls_only"
    TLS_XADDR = "tls_xaddr"
    ONLINE_CHANNELS_ONLY = "online_channels_only"
    OFFICE_DEVICE = "office_device"
    RELATES_TO_ODD = "relates_to_odd"
    STRAY_AROUND_XML = "stray_around_xml"
    GBK_SCOPES = "gbk_scopes"
    GBK_TITLES = "gbk_titles"  # the vendor's HTTP interface answers in GBK, whatever it declares
    NO_EVENTS = "no_events"
    ABSOLUTE_TIMES = "absolute_times"  # subscriptions end at a time of the device's clock, not after a duration
    SHORT_PULLS = "short_pulls"  # a pull longer than ten seconds is refused, and does not renew
    TCP_REFUSED = "tcp_refused"  # RTSP over UDP only
    # RTSP (`rtsp/quirks.py`)
    CSEQ_ZERO = "cseq_zero"
    CSEQ_BEFORE = "cseq_before"
    CSEQ_MISSING = "cseq_missing"
    BLANK_HEADER_LINE = "blank_header_line"
    PLAY_REFUSES_SLASH = "play_refuses_slash"  # the value is the status
    PLAY_SESSION_URL = "play_session_url"  # the value is the status
    OPTIONS_FIRST = "options_first"  # the value is the status; 0: silence, -1: the connection is closed
    KEEP_ALIVE_GET_PARAMETER = "keep_alive_get_parameter"  # for these four the value is the session's time-out
    KEEP_ALIVE_UNLISTED = "keep_alive_unlisted"
    KEEP_ALIVE_OPTIONS = "keep_alive_options"
    KEEP_ALIVE_RTCP = "keep_alive_rtcp"
    SDP_BARE = "sdp_bare"
    SDP_TWO_TYPES = "sdp_two_types"
    CODEC_UNNAMED = "codec_unnamed"
    CONTENT_BASE_ODD = "content_base_odd"
    MULTICAST_ONLY = "multicast_only"
    TLS_PORT = "tls_port"
    WEB_SERVER = "web_server"
    # the stream
    THIN = "thin"  # over TCP each session is limited to a bit rate; the value is bit/s
    NO_KEY_FRAME = "no_key_frame"
    B_FRAMES = "b_frames"
    STRAY_BYTES = "stray_bytes"  # bytes between interleaved frames; the value is every how many pictures
    # its RTP packets (`rtsp/rtp_faults.py`)
    FOREIGN_PAYLOAD = "foreign_payload"  # another payload type in the same numbering; the value: after so many packets
    EMPTY_PACKETS = "empty_packets"
    SSRC_RESTARTS = "ssrc_restarts"
    SEQUENCE_RESTARTS = "sequence_restarts"
    JOINED_KEY_FRAME = "joined_key_frame"
    STANDING_CLOCK = "standing_clock"
    PAIRED_TIMESTAMPS = "paired_timestamps"
    NO_MARKER = "no_marker"
    LOST_PACKETS = "lost_packets"  # the value: one of so many packets is lost
    INTRA_REFRESH = "intra_refresh"  # the value is the interval between IDR pictures in seconds
    # PTZ (`onvif/ptz.py`)
    PTZ_IGNORES_TIMEOUT = "ptz_ignores_timeout"  # it moves until it is told to stop
    PTZ_FAULTS_ON_STOP = "ptz_faults_on_stop"  # only a move with velocity zero stops it, or its time-out
    PTZ_FAULTS_ON_TIMEOUT = "ptz_faults_on_timeout"  # a move that names one is refused; others never end
    PTZ_NO_ABSOLUTE = "ptz_no_absolute"  # nor does it tell its position
    PTZ_NO_RELATIVE = "ptz_no_relative"
    PTZ_NO_PRESETS = "ptz_no_presets"
    PTZ_NO_HOME = "ptz_no_home"
    PTZ_DUPLICATE_NAMES = "ptz_duplicate_names"  # with the value 1 every token is listed twice, too
    PTZ_MOVES_BY_ITSELF = "ptz_moves_by_itself"  # the value: after how many seconds without a command
    PTZ_SLOW = "ptz_slow"  # the value: seconds before it answers
    # settings on the device (`onvif/device.py`, `onvif/osd.py`, `onvif/encoders.py`)
    SETTINGS_REFUSED = "settings_refused"  # 0: ter:ActionNotSupported, 1: ter:NotAuthorized
    SETTINGS_IGNORED = "settings_ignored"  # it says OK, and changes nothing
    CLOCK_LIES = "clock_lies"  # a time is accepted; the value: seconds until the clock is as wrong as before
    OSD_READONLY = "osd_readonly"
    ENCODER_RANGES = "encoder_ranges"  # values outside its options are refused instead of being bent
    LOW_FPS = "low_fps"  # the value is frames per second
    OSD_OTHER_NAME = "osd_other_name"  # texts as if somebody had set them so (`settings.py`)
    OSD_NO_NAME = "osd_no_name"
    OSD_NO_TIME = "osd_no_time"
    # what it keeps (`recordings.py`)
    NO_RECORDING = "no_recording"  # the value is since how many hours; 0: there is nothing at all
    RECORDING_GAPS = "recording_gaps"  # the value is how many hours of each day lack
    RECORDING_SHORT = "recording_short"  # the value is how many days are kept
    DISK_FAILED = "disk_failed"  # the value is since how many hours; the disk says so
    RECORDING_ON_EVENTS = "recording_on_events"  # some minutes of each hour, and the schedule says so
    RECORDING_LIES = "recording_lies"  # 0: answers that never end, 1: recordings of the future
    NO_SEARCH = "no_search"  # ONVIF has no service for recordings
    NO_EVENT_SEARCH = "no_event_search"  # ONVIF tells the oldest and the newest recording alone
    # the picture (`picture/moods.py`); the worse ones first: a channel has one of them
    BLACK = "black"
    BLUE_SCREEN = "blue_screen"
    NO_SIGNAL = "no_signal"
    COLOUR_BARS = "colour_bars"
    FROZEN = "frozen"
    FROZEN_WITH_CLOCK = "frozen_with_clock"
    COVERED = "covered"
    OVEREXPOSED = "overexposed"  # the value is stops
    UNDEREXPOSED = "underexposed"  # the value is stops
    BLURRED = "blurred"  # the value is the standard deviation in thousandths of the width
    LOW_CONTRAST = "low_contrast"  # the value is the share of the contrast that is left
    COLOUR_CAST = "colour_cast"  # the value is chroma levels
    NOISY = "noisy"  # the value is the standard deviation in luma levels
    STRIPED = "striped"  # the value is luma levels
    MOVED = "moved"  # the value is by which share of the picture's width the camera was turned
    # what is no fault of the camera (`picture/weather.py`); these and one of the picture's go together
    INFRARED = "infrared"
    RAIN = "rain"
    INSECTS = "insects"
    HEADLIGHTS = "headlights"


MOODS = {Fault(mood.value): mood for mood in Mood if mood is not Mood.FINE}
"""The faults of the picture."""
WEATHERS = {Fault(weather.value): weather for weather in Weather if weather is not Weather.CLEAR}


DEFAULT_VALUES = {
    Fault.CLOCK_SKEW: -SIX_MONTHS,
    Fault.FLAPPING: 15.0,
    Fault.SLEEPING: 12.0,
    Fault.LOCKED: 1800.0,
    Fault.THIN: 100_000.0,
    Fault.NEW_NONCE: 20.0,
    Fault.NO_CLOCK: 400.0,
    Fault.LONG_CONTENT_LENGTH: 64.0,
    Fault.PLAY_REFUSES_SLASH: 405.0,
    Fault.PLAY_SESSION_URL: 460.0,
    Fault.OPTIONS_FIRST: 400.0,
    Fault.KEEP_ALIVE_GET_PARAMETER: 60.0,
    Fault.KEEP_ALIVE_UNLISTED: 60.0,
    Fault.KEEP_ALIVE_OPTIONS: 60.0,
    Fault.KEEP_ALIVE_RTCP: 60.0,
    Fault.STRAY_BYTES: 40.0,
    Fault.FOREIGN_PAYLOAD: 10.0,
    Fault.INTRA_REFRESH: 30.0,
    Fault.LOST_PACKETS: 500.0,
    Fault.PTZ_DUPLICATE_NAMES: 0.0,
    Fault.PTZ_MOVES_BY_ITSELF: 5.0,
    Fault.PTZ_SLOW: 0.4,
    Fault.SETTINGS_REFUSED: 0.0,
    Fault.CLOCK_LIES: 0.0,
    Fault.NO_RECORDING: 0.0,
    Fault.RECORDING_GAPS: 6.0,
    Fault.RECORDING_SHORT: 7.0,
    Fault.DISK_FAILED: 12.0,
    Fault.RECORDING_LIES: 0.0,
    Fault.LOW_FPS: 2.0,
    **{fault: AMOUNTS[mood] for fault, mood in MOODS.items() if mood in AMOUNTS},
}
INNER_ADDRESS = "192.168.1.64"
"""The address that a device behind a router announces (fault `nat_xaddr`)."""


class Switchboard:
    """Which faults are on, and who gets key frames, by target. Listeners are called after each change of a fault."""

    def __init__(self) -> None:
        self._on: dict[str, dict[Fault, float]] = {}
        self._key_frames: dict[str, KeyFrames] = {}
        self._listeners: list[Callable[[], None]] = []

    def switch(self, target: str, fault: Fault, *, on: bool, value: float | None = None) -> None:
        """Switch one fault of one target; switching twice is not an error."""
        faults = self._on.setdefault(target, {})
        if on:
            faults[fault] = DEFAULT_VALUES.get(fault, 0.0) if value is None else value
        else:
            faults.pop(fault, None)
        for listener in self._listeners:
            listener()

    def active(self, targets: Iterable[str]) -> Mapping[Fault, float]:
        """The faults that are on for any of the targets; the narrowest (last) one decides the value."""
        found: dict[Fault, float] = {}
        for target in targets:
            found.update(self._on.get(target, {}))
        return found

    def all_on(self) -> list[dict[str, str | float]]:
        """Every fault that is on, for the control interface."""
        return [
            {"target": target, "fault": fault.value, "value": value}
            for target, faults in sorted(self._on.items())
            for fault, value in faults.items()
        ]

    def set_key_frames(self, target: str, key_frames: KeyFrames | None) -> None:
        """Override the plan for one target; None ends that."""
        if key_frames is None:
            self._key_frames.pop(target, None)
        else:
            self._key_frames[target] = key_frames

    def key_frames(self, targets: Iterable[str]) -> KeyFrames | None:
        """What overrides the plan for these targets, the narrowest (last) one first; None: nothing does."""
        found = [self._key_frames[target] for target in targets if target in self._key_frames]
        return found[-1] if found else None

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called after each change."""
        self._listeners.append(listener)
