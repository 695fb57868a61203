"""The one base error, its closed list of kinds, and the closed list of reasons.

A kind is the class of an error and has an HTTP status. A reason says exactly what is wrong, and is what pages
translate; the same reasons appear on tiles, observations, alarms and discovery rows. Foreign exceptions are translated
into `HubError` once, in the package that wraps the foreign library.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """The class of an error; `status` is its HTTP status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    BUSY = "busy"
    UNSUPPORTED = "unsupported"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    STORAGE_FULL = "storage_full"
    INTERNAL = "internal"

    @property
    def status(self) -> int:
        return _STATUS[self]


_STATUS = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.BUSY: 429,
    Kind.UNSUPPORTED: 415,
    Kind.UNREACHABLE: 502,
    Kind.TIMEOUT: 504,
    Kind.UNAVAILABLE: 503,
    Kind.STORAGE_FULL: 507,
    Kind.INTERNAL: 500,
}


class Reason(StrEnum):
    """Exactly what is wrong with a device, camera, stream or picture. Pages translate these."""

    # reaching it
    UNREACHABLE = "unreachable"
    PORT_CLOSED = "port_closed"
    TIMED_OUT = "timed_out"
    TLS_FAILED = "tls_failed"
    TLS_NEEDED = "tls_needed"
    NOT_RTSP = "not_rtsp"
    REDIRECTED = "redirected"
    HUB_UPLINK = "hub_uplink"
    VILLAGE_LINK = "village_link"
    DEVICE_DOWN = "device_down"
    # which addresses are connected to at all
    ADDRESS_REFUSED = "address_refused"
    NO_RANGES = "no_ranges"
    ADDRESS_CHANGED = "address_changed"
    # login and protocol
    WRONG_PASSWORD = "wrong_password"
    LOGIN_NEEDED = "login_needed"
    LOCKED_OUT = "locked_out"
    CLOCK_REFUSED = "clock_refused"
    LOGIN_PAUSED = "login_paused"
    NO_RIGHTS = "no_rights"
    NOT_ACTIVATED = "not_activated"
    ONVIF_OFF = "onvif_off"
    ONVIF_USER = "onvif_user"
    CLOCK_WRONG = "clock_wrong"
    DEVICE_FULL = "device_full"
    # its settings
    SETTING_UNSUPPORTED = "setting_unsupported"
    SETTING_REFUSED = "setting_refused"
    SETTING_UNPROVED = "setting_unproved"
    SETTINGS_BOUNDED = "settings_bounded"
    CHANGED_NOTHING = "changed_nothing"
    CHANGED_PARTLY = "changed_partly"
    SET_BY_RECORDER = "set_by_recorder"
    NO_SETTINGS_WAY = "no_settings_way"
    NO_SUB_STREAM = "no_sub_stream"
    CODEC_NOT_OFFERED = "codec_not_offered"
    SIZE_NOT_OFFERED = "size_not_offered"
    CLOCK_UNREADABLE = "clock_unreadable"
    CLOCK_DRIFTS = "clock_drifts"
    CLOCK_NTP_UNHEARD = "clock_ntp_unheard"
    CLOCK_LIES = "clock_lies"
    # what it answered
    BAD_REPLY = "bad_reply"
    REPLY_TOO_LARGE = "reply_too_large"
    SOAP_FAULT = "soap_fault"
    STREAM_NOT_FOUND = "stream_not_found"
    # the stream
    NO_MEDIA = "no_media"
    CHANNEL_OFFLINE = "channel_offline"
    MULTICAST_ONLY = "multicast_only"
    NO_KEY_FRAME = "no_key_frame"
    NO_PARAMETER_SETS = "no_parameter_sets"
    INTRA_REFRESH = "intra_refresh"
    LOSSY = "lossy"
    STALLED = "stalled"
    LATE = "late"
    NO_H264 = "no_h264"
    B_FRAMES = "b_frames"
    SOURCE_UNSUPPORTED = "source_unsupported"
    PLAYBACK_UNSUPPORTED = "playback_unsupported"
    CODEC_UNSUPPORTED = "codec_unsupported"
    AUDIO_NONE = "audio_none"
    AUDIO_UNSUPPORTED = "audio_unsupported"
    AUDIO_REFUSED = "audio_refused"
    AUDIO_FORBIDDEN = "audio_forbidden"
    # steering
    PTZ_NONE = "ptz_none"
    PTZ_UNSUPPORTED = "ptz_unsupported"
    PTZ_NO_RIGHTS = "ptz_no_rights"
    PTZ_LOCKED = "ptz_locked"
    PTZ_TAKEN_OVER = "ptz_taken_over"
    PTZ_STOP_FAILED = "ptz_stop_failed"
    PTZ_MOVES_BY_ITSELF = "ptz_moves_by_itself"
    PTZ_PRESET_GONE = "ptz_preset_gone"
    PTZ_PRESET_NOT_KEPT = "ptz_preset_not_kept"
    PTZ_PRESET_COPIED = "ptz_preset_copied"
    PTZ_PRESET_STAYS = "ptz_preset_stays"
    PTZ_PRESETS_FULL = "ptz_presets_full"
    # the picture
    BLACK = "black"
    NO_SIGNAL = "no_signal"
    OVEREXPOSED = "overexposed"
    UNDEREXPOSED = "underexposed"
    BLURRED = "blurred"
    COVERED = "covered"
    COLOUR_CAST = "colour_cast"
    NOISY = "noisy"
    STRIPED = "striped"
    FROZEN = "frozen"
    MOVED = "moved"
    LOW_CONTRAST = "low_contrast"
    UNDECODABLE = "undecodable"
    # a picture that is to be a reference
    REFERENCE_NO_LOOK = "reference_no_look"
    REFERENCE_OTHER_PROFILE = "reference_other_profile"
    REFERENCE_UNFIT = "reference_unfit"
    # the texts in it
    OSD_NAME_MISSING = "osd_name_missing"
    OSD_NAME_WRONG = "osd_name_wrong"
    OSD_TIME_MISSING = "osd_time_missing"
    OSD_CLOCK_WRONG = "osd_clock_wrong"
    # what the device keeps
    NO_RECORDING = "no_recording"
    RECORDING_GAPS = "recording_gaps"
    RECORDING_SHORT = "recording_short"
    RECORDING_UNKNOWN = "recording_unknown"
    # the hub itself
    NOT_APPROVED = "not_approved"
    RETIRED = "retired"
    NOT_WAITING = "not_waiting"
    DUPLICATE = "duplicate"
    CHANNELS_MISSING = "channels_missing"
    CHANNEL_NEEDED = "channel_needed"
    IDENTITY_CHANGED = "identity_changed"
    PICTURES_DIFFER = "pictures_differ"
    DECIDED_ALREADY = "decided_already"
    BUSY = "busy"
    OVERLOADED = "overloaded"
    ROUNDS_LATE = "rounds_late"
    ROUNDS_STOPPED = "rounds_stopped"
    RELAY_RESTARTED = "relay_restarted"
    QUARANTINED = "quarantined"
    HUB_AWAY = "hub_away"
    STORAGE_FULL = "storage_full"
    DATABASE_BUSY = "database_busy"
    DATABASE_AWAY = "database_away"
    # a value of the ledger
    VALUE_UNKNOWN_FIELD = "value_unknown_field"
    VALUE_KNOWN = "value_known"
    VALUE_TOO_LONG = "value_too_long"
    VALUE_CODE = "value_code"
    VALUE_NUMBER = "value_number"
    VALUE_DATE = "value_date"
    VALUE_PHONE = "value_phone"
    VALUE_MAC = "value_mac"
    VALUE_DIVISION = "value_division"
    VALUE_EXCEL = "value_excel"
    VALUE_GB_ID = "value_gb_id"
    VALUE_GB_ID_TAKEN = "value_gb_id_taken"
    VALUE_COORDINATE = "value_coordinate"
    # a camera that only has a file
    NOT_CONNECTED = "not_connected"
    # a photo of the ledger
    PHOTO_UNREADABLE = "photo_unreadable"
    PHOTO_TOO_MANY = "photo_too_many"
    # the map
    MAP_GEOMETRY = "map_geometry"
    MAP_CORNERS = "map_corners"
    MAP_POSITION = "map_position"
    MAP_PICTURE_UNREADABLE = "map_picture_unreadable"
    MAP_TOO_MANY_PLACES = "map_too_many_places"
    # a row of a sheet
    ROW_NAME_MISSING = "row_name_missing"
    ROW_NAME_LONG = "row_name_long"
    ROW_ADDRESS_MISSING = "row_address_missing"
    ROW_PORT = "row_port"
    ROW_CHANNEL = "row_channel"
    ROW_VILLAGE_MISSING = "row_village_missing"
    ROW_VILLAGE_UNKNOWN = "row_village_unknown"
    ROW_OTHER_VILLAGE = "row_other_village"
    ROW_VILLAGE_FIXED = "row_village_fixed"
    ROW_ADDRESS_FIXED = "row_address_fixed"
    ROW_CAMERA_UNKNOWN = "row_camera_unknown"
    ROW_PLACE_CLASS = "row_place_class"
    ROW_TOO_LONG = "row_too_long"
    ROW_LOGIN_HALF = "row_login_half"
    ROW_LOGIN_CONFLICT = "row_login_conflict"
    ROW_URL_ELSEWHERE = "row_url_elsewhere"
    ROW_MAIN_URL_MISSING = "row_main_url_missing"
    ROW_DOUBLE = "row_double"
    ROW_REGISTERED = "row_registered"
    ROW_GB_ID_DOUBLE = "row_gb_id_double"
    ROW_COORDINATE_MISSING = "row_coordinate_missing"
    ROW_UNCONNECTED = "row_unconnected"
    ROW_SDK_PORT = "row_sdk_port"
    ROW_OUTSIDE_RANGES = "row_outside_ranges"
    ROW_PUBLIC_ADDRESS = "row_public_address"
    # a camera of a run that was not seen
    NO_PAGE = "no_page"
    PAGE_HIDDEN = "page_hidden"
    PAGE_COVERED = "page_covered"
    OFF_SCREEN = "off_screen"
    NO_PICTURE = "no_picture"
    PASSED_OVER = "passed_over"
    PICTURE_NOT_IN_TIME = "picture_not_in_time"


DATABASE_REASONS = frozenset({Reason.STORAGE_FULL, Reason.DATABASE_BUSY, Reason.DATABASE_AWAY})
"""The hub cannot read or write its own rows: they say nothing about what was asked for."""


Param = str | int | float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is wrong: an exact reason code, the English sentence with cause and remedy, and the values that pages insert
    into their own sentence for the reason. All of one observation."""

    reason: str
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)


LONGEST_REASON: Final = 32
"""Characters of a reason code, and of each column that keeps one: none is ever cut. The suite holds every code against
it (tests/test_house.py)."""


class HubError(Exception):
    """An expected failure: its kind, an exact `reason` code, an English sentence with cause and remedy.

    `reason` is a `Reason` or, for forms and sessions, another stable snake_case code. `params` are the values that a
    page inserts into its own translation of the reason. None of them may contain a secret.
    """

    def __init__(self, kind: Kind, detail: str, *, reason: str | None = None, **params: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.reason = str(reason) if reason is not None else kind.value
        self.params = params

    @property
    def explanation(self) -> Explanation:
        """What is wrong, without the kind; of the params those that can be shown."""
        shown = {name: value for name, value in self.params.items() if isinstance(value, str | int | float)}
        return Explanation(self.reason, self.detail, shown)

    def body(self) -> dict[str, Any]:
        """The JSON body that an API client gets."""
        return {"error": self.kind.value, "reason": self.reason, "detail": self.detail, "params": self.params}
