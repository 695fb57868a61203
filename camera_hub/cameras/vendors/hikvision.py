"""Hikvision's ISAPI, read-only: what the device is, its channels with their names, clock, disks, RTSP port.

Analogue and local inputs are under System/Video/inputs, a recorder's IP channels under ContentMgmt/InputProxy; both
count in one row, as its RTSP paths do. An InputProxy entry lists only what was added, but with some firmware only what
is on line.
"""

from datetime import UTC, datetime, tzinfo

from lxml import etree

from camera_hub.cameras.described import Disk, Identity
from camera_hub.cameras.onvif.describe import MAX_CHANNELS, clean, codec_of, mac_of
from camera_hub.cameras.onvif.envelopes import text_of
from camera_hub.cameras.vendors.answers import (
    MAX_DISKS,
    Encoding,
    VendorChannel,
    VendorSaid,
    listed,
    moment,
    number,
    truth,
    xml_of,
)
from camera_hub.cameras.vendors.interface import VendorInterface

INFO = "/ISAPI/System/deviceInfo"
TIME = "/ISAPI/System/time"
_INPUTS = "/ISAPI/System/Video/inputs/channels"
_PROXIES = "/ISAPI/ContentMgmt/InputProxy/channels"
_STATUS = "/ISAPI/ContentMgmt/InputProxy/channels/status"
_STREAMS = "/ISAPI/Streaming/channels"
STORAGE = "/ISAPI/ContentMgmt/Storage"
_PORTS = "/ISAPI/Security/adminAccesses"
_RECORDER = ("nvr", "dvr", "hdvr", "hybrid", "cvr", "mnvr", "xvr")


async def described(device: VendorInterface, zone: tzinfo) -> VendorSaid | None:
    """What the device says; None where it has no such interface. Raises HubError with the Reason."""
    info = await xml_of(await device.get(INFO), "DeviceInfo")
    if info is None:
        return None
    sent = device.now()
    clock = await xml_of(await device.tolerant(TIME), "Time")
    middle = sent + (device.now() - sent) / 2
    inputs = await xml_of(await device.tolerant(_INPUTS, needed=True), "VideoInputChannelList")
    listing = await xml_of(await device.tolerant(_PROXIES, needed=True), "InputProxyChannelList")
    proxies = _names(listing, "InputProxyChannel")
    online = _online(await xml_of(await device.tolerant(_STATUS), "InputProxyChannelStatusList"))
    streams = _streams(await xml_of(await device.tolerant(_STREAMS), "StreamingChannelList"))
    storage = await xml_of(await device.tolerant(STORAGE), "storage")
    ports = await xml_of(await device.tolerant(_PORTS), "AdminAccessProtocolList")
    names = dict.fromkeys(online, "") | _names(inputs, "VideoInputChannel") | proxies
    kind = text_of(info, "deviceType").lower()
    recorder = listing is not None or len(names) > 1 or any(word in kind for word in _RECORDER)
    if recorder and not names:
        raise device.without_channels()
    names = names or {1: ""}
    channels = tuple(
        VendorChannel(one, name, online.get(one), streams.get((one, 1), Encoding()), _sub(streams, one))
        for one, name in sorted(names.items())[:MAX_CHANNELS]
    )
    return VendorSaid(
        _identity(info),
        clean(text_of(info, "deviceName")),
        channels,
        recorder,
        _offset(clock, middle, zone),
        _rtsp_port(ports),
        disks(storage),
    )


def _identity(info: etree._Element) -> Identity:
    firmware = " ".join(
        word for word in (text_of(info, "firmwareVersion"), text_of(info, "firmwareReleasedDate")) if word
    )
    return Identity(
        manufacturer=clean(text_of(info, "manufacturer")) or "Hikvision",
        model=clean(text_of(info, "model")),
        firmware=clean(firmware),
        serial=clean(text_of(info, "serialNumber")),
        mac=mac_of(text_of(info, "macAddress")),
    )


def _names(node: etree._Element | None, name: str) -> dict[int, str]:
    """Channel number → its name. Two that claim one number are one."""
    found: dict[int, str] = {}
    for one in listed(node, name) if node is not None else ():
        channel = number(text_of(one, "id"), 4096)
        if channel:
            found.setdefault(channel, clean(text_of(one, "name")))
    return found


def _online(node: etree._Element | None) -> dict[int, bool]:
    found: dict[int, bool] = {}
    for one in listed(node, "InputProxyChannelStatus") if node is not None else ():
        channel, online = number(text_of(one, "id"), 4096), truth(text_of(one, "online"))
        if channel and online is not None:
            found[channel] = online
    return found


def _streams(node: etree._Element | None) -> dict[tuple[int, int], Encoding]:
    """(Channel, 1 for the main stream or 2 for the sub stream) → how it is encoded."""
    found: dict[tuple[int, int], Encoding] = {}
    for one in listed(node, "StreamingChannel", MAX_CHANNELS * 3) if node is not None else ():
        both = number(text_of(one, "id"), 409_699)
        if both is not None and both % 100 in (1, 2):
            found[both // 100, both % 100] = Encoding(
                codec_of(text_of(one, "Video", "videoCodecType")),
                number(text_of(one, "Video", "videoResolutionWidth"), 32768) or None,
                number(text_of(one, "Video", "videoResolutionHeight"), 32768) or None,
            )
    return found


def _sub(streams: dict[tuple[int, int], Encoding], channel: int) -> Encoding | None:
    """None only where the channel's streams are listed and no second one is among them."""
    if (channel, 1) in streams:
        return streams.get((channel, 2))
    return streams.get((channel, 2), Encoding())


def _offset(clock: etree._Element | None, middle: datetime, zone: tzinfo) -> float | None:
    found = moment(text_of(clock, "localTime"), zone)
    return (found - middle.astimezone(UTC)).total_seconds() + 0.5 if found is not None else None  # whole seconds


def disks(node: etree._Element | None) -> tuple[Disk, ...]:
    """Of an answer to STORAGE."""
    if node is None:
        return ()
    return tuple(
        Disk(
            clean(text_of(one, "hddName") or text_of(one, "nasType") or text_of(one, "id"), 32),
            clean(text_of(one, "status"), 32).lower(),
            number(text_of(one, "capacity"), 10**9),
            number(text_of(one, "freeSpace"), 10**9),
        )
        for kind in ("hdd", "nas")
        for one in listed(node, kind, MAX_DISKS)
    )[:MAX_DISKS]


def _rtsp_port(node: etree._Element | None) -> int | None:
    for one in listed(node, "AdminAccessProtocol", 32) if node is not None else ():
        if text_of(one, "protocol").lower() == "rtsp":
            return number(text_of(one, "portNo")) or None
    return None
