"""What would change: tables of (read, wanted) → items."""

from dataclasses import replace
from typing import Any

import pytest

from camera_hub.cameras.device_settings.applying import in_turns
from camera_hub.cameras.device_settings.plan import bounded, count, planned, unread
from camera_hub.cameras.device_settings.previews import spread
from camera_hub.cameras.device_settings.recorders import CameraBehind, recorders_of
from camera_hub.cameras.device_settings.values import (
    PARTS,
    Bounds,
    CameraSettings,
    ClockState,
    OsdText,
    PlannedItem,
    SettingsCamera,
    SettingsDevice,
    SettingsProblem,
    SettingsReading,
    SubStream,
    WantedChange,
    WantedClock,
    WantedOsd,
    WantedSub,
    merged,
)
from camera_hub.cameras.device_settings.verdicts import read_back_verdict
from camera_hub.cameras.device_settings.way import plain, refused, unproved
from camera_hub.cameras.identity import DeviceFacts
from camera_hub.errors import HubError, Kind, Reason

CLOCK = ClockState("manual", None, 120.0, "CST-8", 8 * 3600)
ZONE = {"zone_offset_s": 8 * 3600, "daylight": False}
SUB = SubStream(
    "e1",
    "h265",
    640,
    360,
    25,
    250,
    512,
    ("h264", "h265"),
    Bounds(1, 100),
    Bounds(1, 25),
    Bounds(64, 2048),
    ((640, 360), (704, 576)),
)
NAME, TIME = OsdText("o1", "name", "Camera 01", "lower_left"), OsdText("o2", "time", "yyyy-MM-dd", "upper_right")
DEVICE = SettingsDevice(
    7,
    1,
    "村口",
    "10.0.0.7",
    80,
    "/onvif/device_service",
    "onvif",
    (SettingsCamera(70, "村口东", "v1", sub_profile="p2"),),
)


def reading(**changed: Any) -> SettingsReading:
    camera = CameraSettings(70, (NAME, TIME), SUB, PARTS)
    return replace(SettingsReading(CLOCK, (camera,), PARTS), **changed)


def clock(**wanted: Any) -> WantedChange:
    return WantedChange(clock=WantedClock(**wanted))


@pytest.mark.parametrize(
    ("change", "read", "verdicts"),
    [
        (clock(set_now=True), {}, ["change"]),
        (clock(set_now=True), {"clock": replace(CLOCK, offset_s=-0.9)}, ["same"]),
        (clock(set_now=True), {"clock": replace(CLOCK, offset_s=None)}, [Reason.CLOCK_UNREADABLE]),
        (clock(set_now=True), {"clock": None}, [Reason.CLOCK_UNREADABLE]),
        (clock(set_now=True), {"can": ()}, [Reason.SETTING_UNSUPPORTED]),
        (clock(set_now=True), {"can": (), "clock": replace(CLOCK, offset_s=0.2)}, ["same"]),
        (clock(zone="CST-8"), {}, ["same"]),
        # A zone that means the same keeps the device's own way of writing it.
        (clock(zone="CST-8"), {"clock": replace(CLOCK, zone="GMT+08:00", zone_offset_s=8 * 3600)}, ["same"]),
        (clock(zone="CST-8"), {"clock": replace(CLOCK, zone="GMT+08:00", zone_offset_s=-8 * 3600)}, ["change"]),
        (clock(zone="CST-8"), {"clock": replace(CLOCK, zone="UTC0", zone_offset_s=0)}, ["change"]),
        (clock(zone="CST-8"), {"clock": replace(CLOCK, daylight=True)}, ["change"]),
        (clock(set_now=True, ntp_server="10.0.0.1"), {}, ["change", "change"]),
        (
            clock(ntp_server="NTP.example."),
            {"clock": replace(CLOCK, source="ntp", ntp_server="ntp.example")},
            ["same"],
        ),
        (
            clock(ntp_server="ntp.example"),
            {"clock": replace(CLOCK, source="ntp", ntp_server="ntp.example", from_dhcp=True)},
            ["change"],
        ),
        (clock(ntp_server="ntp.example"), {"clock": replace(CLOCK, ntp_server="ntp.example")}, ["change"]),
        (
            clock(set_now=True),
            {"problems": (SettingsProblem("clock", None, Reason.SOAP_FAULT),)},
            [Reason.SOAP_FAULT],
        ),
        (WantedChange(osd=WantedOsd(name="camera_name")), {}, ["change"]),
        (WantedChange(osd=WantedOsd(name="Camera 01")), {}, ["same"]),
        (WantedChange(osd=WantedOsd(name="Camera 01", name_position="upper_left")), {}, ["change"]),
        (WantedChange(osd=WantedOsd(name="x", time=True)), {}, ["change", "change"]),
        (WantedChange(osd=WantedOsd(name="x")), {"cameras": (CameraSettings(70),)}, [Reason.SETTING_UNSUPPORTED]),
        (WantedChange(osd=WantedOsd(name="x")), {"cameras": (CameraSettings(70, can=PARTS),)}, ["change"]),
        (WantedChange(sub=WantedSub(codec="h264")), {}, ["change"]),
        (WantedChange(sub=WantedSub(codec="h265")), {}, ["same"]),
        (
            WantedChange(sub=WantedSub(codec="h264")),
            {"cameras": (CameraSettings(70, (), replace(SUB, codecs=("h265",)), PARTS),)},
            [Reason.CODEC_NOT_OFFERED],
        ),
        (WantedChange(sub=WantedSub(width=320, height=240)), {}, [Reason.SIZE_NOT_OFFERED]),
        (WantedChange(sub=WantedSub(width=704, height=576)), {}, ["change"]),
        (WantedChange(sub=WantedSub(fps=25)), {"cameras": ()}, [Reason.SETTING_UNSUPPORTED]),
    ],
)
def test_each_part_is_changed_is_the_same_or_cannot(
    change: WantedChange, read: dict[str, Any], verdicts: list[str]
) -> None:
    items = planned(DEVICE, reading(**read), change)
    assert [item.reason or item.verdict for item in items] == verdicts
    assert all((item.verdict == "cannot") == (item.reason is not None) for item in items)
    assert len(items) == count(DEVICE, change)


@pytest.mark.parametrize(("via", "reason"), [("onvif", Reason.NO_SUB_STREAM), ("dahua", Reason.SETTING_UNSUPPORTED)])
def test_a_camera_without_a_sub_stream_is_told_so(via: str, reason: Reason) -> None:
    device = replace(DEVICE, via=via, cameras=(SettingsCamera(70, "村口东", "v1"),))
    (item,) = planned(device, reading(cameras=()), WantedChange(sub=WantedSub(fps=25)))
    assert (item.verdict, item.reason) == ("cannot", reason)


def test_an_item_says_how_it_is_and_how_it_would_be() -> None:
    change = WantedChange(
        WantedClock(set_now=True, zone="CST-8"), WantedOsd(name="camera_name", time=True), WantedSub("h264", 2.0)
    )
    clock_, name, time, sub = planned(DEVICE, reading(), change)
    assert clock_.before == {"offset_s": 120.0, "source": "manual", "zone": "CST-8", **ZONE}
    assert clock_.after == {**clock_.before, "offset_s": 0.0}
    assert (name.before["text"], name.after["text"], name.after["position"]) == ("Camera 01", "村口东", "lower_left")
    assert (time.after["text"], time.after["position"]) == ("yyyy-MM-dd HH:mm:ss", "upper_right")
    assert (sub.after["codec"], sub.after["gov_length"], sub.after["fps"]) == ("h264", 50, 25)
    assert [one.key for one in (clock_, name, time, sub)] == ["7:clock", "7:70:osd_name", "7:70:osd_time", "7:70:sub"]


@pytest.mark.parametrize(
    ("wanted", "after", "told"),
    [
        (WantedSub(gov_seconds=2.0), {"gov_length": 50}, {}),
        (WantedSub(gov_seconds=10.0), {"gov_length": 100}, {"gov_seconds": 10.0}),
        (WantedSub(fps=60), {"fps": 25}, {"fps": 60}),
        (WantedSub(fps=10, gov_seconds=2.0), {"fps": 10, "gov_length": 20}, {}),
        (WantedSub(bitrate_kbit=4), {"bitrate_kbit": 64}, {"bitrate_kbit": 4}),
        (WantedSub(gov_seconds=0.01), {"gov_length": 1}, {}),
    ],
)
def test_a_sub_stream_stays_within_what_the_device_offers(
    wanted: WantedSub, after: dict[str, Any], told: dict[str, Any]
) -> None:
    change = WantedChange(sub=wanted)
    (item,) = planned(DEVICE, reading(), change)
    assert {name: item.after[name] for name in after} == after
    assert bounded(item, change) == told


def test_a_camera_behind_a_recorder_is_set_there() -> None:
    items = planned(replace(DEVICE, recorder_id=3), reading(), clock(set_now=True))
    assert [(one.verdict, one.reason, one.via_device_id) for one in items] == [("cannot", "set_by_recorder", 3)]


def test_a_device_that_cannot_be_read_says_why_for_each_part() -> None:
    error = HubError(Kind.TIMEOUT, "no answer", reason=Reason.TIMED_OUT)
    items = unread(DEVICE, WantedChange(WantedClock(set_now=True), WantedOsd(name="x")), error)
    assert [(one.part, one.verdict, one.reason) for one in items] == [
        ("clock", "cannot", "timed_out"),
        ("osd_name", "cannot", "timed_out"),
    ]


CLOCK_ITEM = PlannedItem(
    "7:clock",
    7,
    None,
    "clock",
    "change",
    {"offset_s": 120.0, "zone": "UTC0", "source": "manual"},
    {"offset_s": 0.0, "zone": "CST-8", "source": "manual"},
)


@pytest.mark.parametrize(
    ("read", "verdict"),
    [
        ({"offset_s": 0.4, "zone": "CST-8"}, (True, None)),
        ({"offset_s": 0.4, "zone": "CST-08:00:00"}, (True, None)),  # written otherwise, and means the same
        ({"offset_s": 120.3, "zone": "UTC0"}, (False, "changed_nothing")),
        ({"offset_s": 0.4, "zone": "UTC0"}, (False, "changed_partly")),
        ({"offset_s": 28800.0, "zone": "CST-8"}, (False, "changed_partly")),
        ({"zone": "CST-8"}, (False, "changed_partly")),
        ({"offset_s": 3.0, "zone": "UTC0"}, (False, "changed_partly")),
    ],
)
def test_a_verdict_follows_from_what_is_read_back(read: dict[str, Any], verdict: tuple[bool, str | None]) -> None:
    found = read_back_verdict(CLOCK_ITEM, read)
    assert (found.ok, found.reason) == verdict


def test_a_partial_change_says_what_was_set_and_what_was_not() -> None:
    found = read_back_verdict(CLOCK_ITEM, {"offset_s": 0.0, "zone": "UTC0"})
    assert (found.params["set"], found.params["lacks"]) == ("offset_s", "zone")


FACTS = DeviceFacts("", "DS-1234567890", "44:19:b6:01:02:03", "", (1, "10.0.0.7", 80))


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([], {}),
        ([CameraBehind(3, 1, host="10.0.0.7")], {7: 3}),
        ([CameraBehind(3, 2, host="10.0.0.7")], {}),  # the same address in another village
        ([CameraBehind(3, 2, serial="DS-1234567890")], {7: 3}),
        ([CameraBehind(3, 2, mac="44-19-B6-01-02-03")], {7: 3}),
        ([CameraBehind(3, 1, serial="0000000000", mac="00:00:00:00:00:00")], {}),
        ([CameraBehind(7, 1, host="10.0.0.7")], {}),  # itself
        ([CameraBehind(3, 1, host="10.0.0.8", serial="another")], {}),
    ],
)
def test_a_recorder_is_known_by_what_it_lists(listed: list[CameraBehind], found: dict[int, int]) -> None:
    assert recorders_of({7: FACTS}, listed) == found


def test_work_is_spread_over_villages_and_devices() -> None:
    devices = [replace(DEVICE, device_id=number, village_id=number // 10) for number in (10, 11, 12, 20, 21)]
    assert [one.device_id for one in spread(devices)] == [10, 20, 11, 21, 12]
    items = [replace(CLOCK_ITEM, device_id=number, key=f"{number}:{part}") for number in (10, 20) for part in "ab"]
    assert [one.key for one in in_turns(items, devices)] == ["10:a", "20:a", "10:b", "20:b"]


def test_parts_that_were_not_read_are_kept() -> None:
    problem = SettingsProblem("sub", 70, Reason.SOAP_FAULT)
    old = reading(problems=(problem,))
    new = SettingsReading(replace(CLOCK, offset_s=0.0), (), ("clock",))
    found = merged(old, new, PARTS[:2])
    assert found.clock == new.clock
    assert found.cameras == old.cameras
    assert found.problems == (problem,)
    assert set(found.can) == {"clock", "osd_name", "osd_time", "sub"}
    again = merged(found, SettingsReading(None, (CameraSettings(70, (), None, ("sub",)),), ()), PARTS[4:])
    assert again.clock == new.clock
    assert (again.cameras[0].osd, again.cameras[0].sub, again.problems) == ((NAME, TIME), None, ())


def test_a_devices_own_words_are_in_no_verdict() -> None:
    said = HubError(Kind.UNREACHABLE, "the device refuses the call: village secret", reason=Reason.SOAP_FAULT)
    for told in (plain(said), refused(said), unproved(said)):
        assert "secret" not in f"{told.detail} {told.params}"
    assert plain(said).reason == Reason.SOAP_FAULT
    other = HubError(Kind.TIMEOUT, "no answer in time", reason=Reason.TIMED_OUT)
    assert plain(other).detail == other.detail
