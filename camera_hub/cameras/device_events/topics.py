"""What a device's topics mean: pure, by a closed list. Whatever is not in it is dropped unread.

Topics of ONVIF, Hikvision, Dahua, Uniview and Axis for motion, tampering, video and hardware. Topics of object
analytics (faces, plates, people, counting, lines, loitering …) are not in it, and must not be: the hub sees places and
devices, never persons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from camera_hub.cameras.onvif.notifications import Items, Notification

Topic = tuple[str, ...]


class DeviceEventKind(StrEnum):
    """What is reported."""

    MOTION = "motion"
    TAMPER = "tamper"  # covered, turned away, scene changed
    VIDEO_LOSS = "video_loss"
    PICTURE = "picture"  # too dark, too bright, too blurry, in the device's opinion
    HARDWARE = "hardware"  # disk, fan, power, temperature


_KINDS: dict[Topic, DeviceEventKind] = {
    ("videosource", "motionalarm"): DeviceEventKind.MOTION,
    ("videoanalytics", "motionalarm"): DeviceEventKind.MOTION,
    ("videoanalytics", "motiondetection"): DeviceEventKind.MOTION,
    ("ruleengine", "cellmotiondetector", "motion"): DeviceEventKind.MOTION,
    ("ruleengine", "motionregiondetector", "motion"): DeviceEventKind.MOTION,
    ("ruleengine", "videomotion"): DeviceEventKind.MOTION,
    ("videosource", "globalscenechange"): DeviceEventKind.TAMPER,
    ("videosource", "tamper"): DeviceEventKind.TAMPER,
    ("videosource", "videoblind"): DeviceEventKind.TAMPER,
    ("videosource", "cameratampering"): DeviceEventKind.TAMPER,
    ("ruleengine", "tamperdetector", "tamper"): DeviceEventKind.TAMPER,
    ("ruleengine", "videoblind"): DeviceEventKind.TAMPER,
    ("videosource", "signalloss"): DeviceEventKind.VIDEO_LOSS,
    ("videosource", "videoloss"): DeviceEventKind.VIDEO_LOSS,
    ("videosource", "videosignalloss"): DeviceEventKind.VIDEO_LOSS,
    ("videosource", "connectionfailed"): DeviceEventKind.VIDEO_LOSS,
    ("videosource", "signaltoolow"): DeviceEventKind.VIDEO_LOSS,
    ("videosource", "videolost"): DeviceEventKind.VIDEO_LOSS,
    ("device", "videoloss"): DeviceEventKind.VIDEO_LOSS,
    ("device", "signalloss"): DeviceEventKind.VIDEO_LOSS,
    ("videosource", "imagetoodark"): DeviceEventKind.PICTURE,
    ("videosource", "imagetoobright"): DeviceEventKind.PICTURE,
    ("videosource", "imagetooblurry"): DeviceEventKind.PICTURE,
    ("device", "hardwarefailure"): DeviceEventKind.HARDWARE,
    ("device", "storagefailure"): DeviceEventKind.HARDWARE,
}
"""By the beginning of a topic; what follows says which service of the device noticed it."""
_LONGEST = max(map(len, _KINDS))
_STATES = (
    "state",
    "ismotion",
    "istamper",
    "failed",
    "critical",
    "value",
    "active",
    "alarm",
    "loss",
    "lost",
)
_YES = ("true", "1", "yes", "on", "active", "begin", "start", "lost")
_NO = ("false", "0", "no", "off", "inactive", "end", "stop", "ok", "normal")
_SOURCES = ("source", "videosourcetoken", "videosource", "videosourceconfigurationtoken", "channel", "token")
"""Names of the items that say at which picture, the best first."""


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One report. `sources`: tokens that may name a picture, the best first. `active` None: it was, and is over."""

    kind: DeviceEventKind
    sources: tuple[str, ...]
    active: bool | None


@dataclass(frozen=True, slots=True)
class ReportedCamera:
    """What a camera of a device is found by."""

    camera_id: int
    channel: str


def kind_of(topic: Topic) -> DeviceEventKind | None:
    """What a topic is about; None: nothing of concern."""
    for length in range(min(len(topic), _LONGEST), 0, -1):
        if (found := _KINDS.get(topic[:length])) is not None:
            return found
    return None


def wanted(topic: Topic) -> bool:
    """Whether messages of that topic are read at all."""
    return kind_of(topic) is not None


def report_of(notification: Notification) -> DeviceReport | None:
    """What a notification reports; None for one that is of no concern or says nothing."""
    kind = kind_of(notification.topic)
    if kind is None:
        return None
    state = _state(notification.data)
    if notification.operation == "deleted":
        active: bool | None = False
    elif state is not None:
        active = state
    elif notification.operation == "initialized":
        return None  # a property without a value
    else:
        active = None
    items = {name.lower(): value for name, value in reversed(notification.source) if value}
    return DeviceReport(kind, tuple(items[name] for name in _SOURCES if name in items), active)


def camera_of(sources: Sequence[str], cameras: Sequence[ReportedCamera]) -> int | None:
    """Which camera of the device a report means; None: none of them, or the device itself.

    The token of the picture decides; else the number at its end, where that fits one camera alone. A device with one
    camera means that one.
    """
    if len(cameras) == 1:
        return cameras[0].camera_id
    for token in sources:
        for one in cameras:
            if one.channel == token:
                return one.camera_id
    for token in sources:
        number = _number_at_end(token)
        fitting = [one.camera_id for one in cameras if number is not None and _number_at_end(one.channel) == number]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _state(data: Items) -> bool | None:
    values = {name.lower(): value.strip().lower() for name, value in reversed(data)}
    for name in _STATES:
        value = values.get(name)
        if value in _YES:
            return True
        if value in _NO:
            return False
    return None


def _number_at_end(token: str) -> int | None:
    digits = token[len(token.rstrip("0123456789")) :]
    return int(digits) if 0 < len(digits) <= 6 else None
