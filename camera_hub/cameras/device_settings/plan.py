"""What would change: (what was read, what is wanted) → one item per part of each device and camera. Pure.

An item is `same` where nothing need be done, and `cannot` where the device does not offer it, with the reason. What is
wanted beyond what a device offers is brought within its bounds, and told (`settings_bounded`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from camera_hub.cameras.device_settings.values import (
    CAMERA_NAME,
    CameraSettings,
    Fact,
    OsdText,
    Part,
    PlannedItem,
    SettingsCamera,
    SettingsDevice,
    SettingsReading,
    SubStream,
    WantedChange,
    WantedClock,
    WantedOsd,
    WantedSub,
)
from camera_hub.cameras.device_settings.zones import meant, summer
from camera_hub.errors import HubError, Param, Reason

SAME_SECONDS = 1.0
"""A clock that is off by no more need not be set: devices tell whole seconds."""
TIME_TEXT = "yyyy-MM-dd HH:mm:ss"
"""What the county asks of the time in the picture: all of it, in 24 hours."""
NAME_POSITION, TIME_POSITION = "lower_left", "upper_left"
"""Where a text that lacks is put: the time above, the name below."""
_GOV_FPS = 25
"""Frames a second, for a key-frame interval, where a device does not tell its own."""

_Facts = dict[str, Fact]


class CannotSet(Exception):
    """A part that cannot be as wanted, with the reason; never leaves this module."""

    def __init__(self, reason: str, detail: str, **params: Param) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.params = str(reason), detail, params


def planned(device: SettingsDevice, reading: SettingsReading, change: WantedChange) -> list[PlannedItem]:
    """The items of one device, in the order in which they are set."""
    items: list[PlannedItem] = []
    if (clock := change.clock) is not None:
        if clock.set_now or clock.zone is not None:
            items.append(_judged(device, None, "clock", reading, lambda: _clock(reading, clock)))
        if clock.ntp_server is not None:
            items.append(_judged(device, None, "ntp", reading, lambda: _ntp(reading, clock)))
    for camera in device.cameras:
        items += _of_camera(device, camera, reading, change)
    if device.recorder_id is not None:
        return [_by_recorder(item, device.recorder_id) for item in items]
    return items


def unread(device: SettingsDevice, change: WantedChange, error: HubError) -> list[PlannedItem]:
    """The items of a device that could not be read at all: nothing can be said of them but why."""
    why = error.explanation
    return [
        item
        if item.via_device_id is not None
        else replace(item, verdict="cannot", reason=why.reason, detail=why.detail, params=why.params)
        for item in planned(device, SettingsReading(None, ()), change)
    ]


def count(device: SettingsDevice, change: WantedChange) -> int:
    """How many items a device has."""
    clock, osd = change.clock, change.osd
    own = 0 if clock is None else (clock.set_now or clock.zone is not None) + (clock.ntp_server is not None)
    per_camera = (change.sub is not None) + (0 if osd is None else (osd.name is not None) + (osd.time is not None))
    return own + per_camera * len(device.cameras)


def _of_camera(
    device: SettingsDevice, camera: SettingsCamera, reading: SettingsReading, change: WantedChange
) -> list[PlannedItem]:
    found = reading.camera(camera.camera_id) or CameraSettings(camera.camera_id)
    osd, sub = change.osd, change.sub
    items: list[PlannedItem] = []
    if osd is not None and osd.name is not None:
        name = camera.name if osd.name == CAMERA_NAME else osd.name
        items.append(_judged(device, camera, "osd_name", reading, lambda: _osd_name(found, osd, name)))
    if osd is not None and osd.time is not None:
        items.append(_judged(device, camera, "osd_time", reading, lambda: _osd_time(found, osd)))
    if sub is not None:
        items.append(_judged(device, camera, "sub", reading, lambda: _sub(device, camera, found.sub, sub)))
    return items


def _judged(
    device: SettingsDevice,
    camera: SettingsCamera | None,
    part: Part,
    reading: SettingsReading,
    compute: Callable[[], tuple[_Facts, _Facts]],
) -> PlannedItem:
    """The item of one part. `compute`: as it is, and what of it would become what. Raises CannotSet."""
    camera_id = camera.camera_id if camera is not None else None
    key = f"{device.device_id}:{part}" if camera_id is None else f"{device.device_id}:{camera_id}:{part}"
    item = PlannedItem(key, device.device_id, camera_id, part, "cannot")
    if (problem := reading.problem(part, camera_id)) is not None:
        return replace(item, reason=problem.reason, detail=problem.detail, params=problem.params)
    try:
        before, after = compute()
    except CannotSet as error:
        return replace(item, reason=error.reason, detail=error.detail, params=error.params)
    item = replace(item, before=before, after=before | after)
    found = reading.camera(camera_id) if camera_id is not None else None
    if all(same(part, name, before.get(name), value) for name, value in after.items()):
        return replace(item, verdict="same")
    if part not in (reading.can if camera_id is None else found.can if found is not None else ()):
        return replace(
            item,
            reason=Reason.SETTING_UNSUPPORTED.value,
            detail="the device does not offer this setting to the hub; set it on the device's own page",
        )
    return replace(item, verdict="change")


def same(part: Part, name: str, left: Fact, right: Fact) -> bool:
    """Whether a fact is as wanted: a clock within its tolerance, a zone that means the same, names in any case."""
    if name == "offset_s" and isinstance(left, int | float) and isinstance(right, int | float):
        return abs(left - right) <= SAME_SECONDS
    if name == "zone" and isinstance(left, str) and isinstance(right, str):
        return left == right or (meant(left) is not None and meant(left) == meant(right))
    if name == "ntp_server" and isinstance(left, str) and isinstance(right, str):
        return left.lower().rstrip(".") == right.lower().rstrip(".")
    return left == right


def _by_recorder(item: PlannedItem, recorder_id: int) -> PlannedItem:
    return replace(
        item,
        verdict="cannot",
        reason=Reason.SET_BY_RECORDER.value,
        detail="its recorder sets this camera, and would undo what is set here; set it on the recorder",
        params={},
        via_device_id=recorder_id,
    )


def _clock(reading: SettingsReading, wanted: WantedClock) -> tuple[_Facts, _Facts]:
    state = reading.clock
    if state is None or state.offset_s is None:
        raise CannotSet(
            Reason.CLOCK_UNREADABLE,
            "the device does not tell its time, so that nobody could see whether it was set; set it on the device",
        )
    before: _Facts = {
        "offset_s": round(state.offset_s, 2),
        "source": state.source,
        "zone": state.zone,
        "zone_offset_s": state.zone_offset_s,
        "daylight": state.daylight,
    }
    after: _Facts = {"offset_s": 0.0} if wanted.set_now else {}
    if wanted.zone is not None:
        # By what it means: a device's own way of writing a zone is kept, where that is the zone wanted.
        seconds = meant(wanted.zone)
        zone = state.zone if state.zone and state.zone_offset_s == seconds else wanted.zone
        after |= {"zone": zone, "zone_offset_s": seconds, "daylight": summer(wanted.zone)}
    return before, after


def _ntp(reading: SettingsReading, wanted: WantedClock) -> tuple[_Facts, _Facts]:
    state = reading.clock
    if state is None:
        raise CannotSet(Reason.CLOCK_UNREADABLE, "the device does not tell how its clock is set; set it on the device")
    before: _Facts = {"ntp_server": state.ntp_server, "from_dhcp": state.from_dhcp, "source": state.source}
    return before, {"ntp_server": wanted.ntp_server, "from_dhcp": False, "source": "ntp"}


def name_text(texts: tuple[OsdText, ...]) -> OsdText | None:
    """The text that is the camera's name: of several the longest."""
    names = [one for one in texts if one.kind == "name"]
    return max(names, key=lambda one: (one.shown, len(one.text)), default=None)


def time_text(texts: tuple[OsdText, ...]) -> OsdText | None:
    """The text that is the time: of several the one that says most."""
    times = [one for one in texts if one.kind == "time"]
    return max(times, key=lambda one: (one.shown, len(one.text)), default=None)


def _osd_name(found: CameraSettings, wanted: WantedOsd, name: str) -> tuple[_Facts, _Facts]:
    known = name_text(found.osd)
    before: _Facts = {"text": "", "shown": False, "position": None}
    if known is not None:
        before = {"text": known.text, "shown": known.shown, "position": known.position}
    position = wanted.name_position or (known.position if known is not None else NAME_POSITION)
    return before, {"text": name, "shown": True, "position": position}


def _osd_time(found: CameraSettings, wanted: WantedOsd) -> tuple[_Facts, _Facts]:
    known = time_text(found.osd)
    before: _Facts = {"text": "", "shown": False, "position": None}
    if known is not None:
        before = {"text": known.text, "shown": known.shown, "position": known.position}
    if not wanted.time:
        return before, {"shown": False}
    position = wanted.time_position or (known.position if known is not None else TIME_POSITION)
    # A device that shows a time without saying how keeps its format.
    text = TIME_TEXT if known is None or known.text or not known.shown else ""
    return before, {"text": text, "shown": True, "position": position}


def _sub(
    device: SettingsDevice, camera: SettingsCamera, state: SubStream | None, wanted: WantedSub
) -> tuple[_Facts, _Facts]:
    if state is None and device.via == "onvif" and camera.sub_profile is None:
        raise CannotSet(
            Reason.NO_SUB_STREAM,
            "this camera has no sub stream; switch one on at the device, then read the device again",
        )
    if state is None:
        raise CannotSet(
            Reason.SETTING_UNSUPPORTED, "the device does not tell how its sub stream is encoded; set it on the device"
        )
    before: _Facts = {
        "codec": state.codec,
        "width": state.width,
        "height": state.height,
        "fps": state.fps,
        "gov_length": state.gov_length,
        "bitrate_kbit": state.bitrate_kbit,
    }
    after: _Facts = {}
    if wanted.codec is not None:
        if wanted.codec != state.codec and wanted.codec not in state.codecs:
            raise CannotSet(
                Reason.CODEC_NOT_OFFERED,
                f"the device does not offer {wanted.codec} for its sub stream",
                codec=wanted.codec,
                offered=", ".join(state.codecs),
            )
        after["codec"] = wanted.codec
    if wanted.width is not None and wanted.height is not None:
        after |= _size(state, wanted.width, wanted.height)
    fps = state.fps
    if wanted.fps is not None:
        fps = state.fps_range.bounded(wanted.fps) if state.fps_range is not None else wanted.fps
        after["fps"] = fps
    if wanted.gov_seconds is not None:
        frames = max(1, round(wanted.gov_seconds * (fps or _GOV_FPS)))
        after["gov_length"] = state.gov_range.bounded(frames) if state.gov_range is not None else frames
    if wanted.bitrate_kbit is not None:
        limits = state.bitrate_range
        after["bitrate_kbit"] = limits.bounded(wanted.bitrate_kbit) if limits is not None else wanted.bitrate_kbit
    return before, after


def _size(state: SubStream, width: int, height: int) -> _Facts:
    if state.resolutions and (width, height) not in state.resolutions:
        raise CannotSet(
            Reason.SIZE_NOT_OFFERED,
            f"the device does not offer {width} × {height} for its sub stream",
            size=f"{width}×{height}",
            offered=", ".join(f"{one}×{other}" for one, other in state.resolutions[:16]),
        )
    return {"width": width, "height": height}


def bounded(item: PlannedItem, change: WantedChange) -> Mapping[str, Param]:
    """What of a sub stream is set otherwise than wanted, because the device does not offer it: name → wanted value."""
    wanted = change.sub
    if wanted is None or item.part != "sub" or item.verdict == "cannot":
        return {}
    found: dict[str, Param] = {}
    for name, value in (("fps", wanted.fps), ("bitrate_kbit", wanted.bitrate_kbit)):
        if value is not None and item.after.get(name) != value:
            found[name] = value
    fps, gov = item.after.get("fps") or _GOV_FPS, item.after.get("gov_length")
    if wanted.gov_seconds is not None and isinstance(fps, int) and gov != max(1, round(wanted.gov_seconds * fps)):
        found["gov_seconds"] = wanted.gov_seconds
    return found
