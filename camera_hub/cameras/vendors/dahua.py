"""Dahua's CGI interface, read-only: what the device is, its channels with their titles, clock, disks, RTSP port.

Its indices begin at 0, its RTSP paths and the numbers on its screen at 1. A recorder has a title for every channel that
it could have; which of them have a camera, it tells beside that.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from camera_hub.cameras.described import Disk, Identity
from camera_hub.cameras.onvif.describe import MAX_CHANNELS, clean, codec_of, mac_of
from camera_hub.cameras.vendors.answers import (
    MAX_DISKS,
    Encoding,
    VendorChannel,
    VendorSaid,
    moment,
    number,
    pairs_of,
    rows_of,
    truth,
)
from camera_hub.cameras.vendors.interface import VendorInterface

TYPE = "/cgi-bin/magicBox.cgi?action=getDeviceType"
_SERIAL = "/cgi-bin/magicBox.cgi?action=getSerialNo"
_NAME = "/cgi-bin/magicBox.cgi?action=getMachineName"
_VERSION = "/cgi-bin/magicBox.cgi?action=getSoftwareVersion"
TITLES = "/cgi-bin/configManager.cgi?action=getConfig&name=ChannelTitle"
_REMOTE = "/cgi-bin/LogicDeviceManager.cgi?action=getCameraAll"
_STATES = "/cgi-bin/LogicDeviceManager.cgi?action=getCameraState&uniqueChannels[0]=-1"
CLOCK = "/cgi-bin/global.cgi?action=getCurrentTime"
_RTSP = "/cgi-bin/configManager.cgi?action=getConfig&name=RTSP"
_NETWORK = "/cgi-bin/configManager.cgi?action=getConfig&name=Network"
_ENCODE = "/cgi-bin/configManager.cgi?action=getConfig&name=Encode"
DISKS = "/cgi-bin/storageDevice.cgi?action=getDeviceAllInfo"
_RECORDER = ("nvr", "dvr", "xvr", "hcvr", "hdcvr", "ivss", "evs", "ihcvr")
_MEGABYTE = 1024 * 1024


async def described(device: VendorInterface, zone: tzinfo) -> VendorSaid | None:
    """What the device says; None where it has no such interface. Raises HubError with the Reason."""
    kind = _value(await pairs_of(await device.get(TYPE)), "type", "deviceType")
    if not kind:
        return None
    serial = _value(await pairs_of(await device.tolerant(_SERIAL)), "sn", "serialNumber", "serialNo")
    name = _value(await pairs_of(await device.tolerant(_NAME)), "name", "machineName")
    version = _value(await pairs_of(await device.tolerant(_VERSION)), "version")
    titles = rows_of(await pairs_of(await device.tolerant(TITLES, needed=True)), "table.ChannelTitle")
    remote = _by_channel(await pairs_of(await device.tolerant(_REMOTE)), "camera", "UniqueChannel")
    states = _by_channel(await pairs_of(await device.tolerant(_STATES)), "states", "channel")
    sent = device.now()
    clock = _value(await pairs_of(await device.tolerant(CLOCK)), "result")
    middle = sent + (device.now() - sent) / 2
    rtsp = number(_value(await pairs_of(await device.tolerant(_RTSP)), "table.RTSP.Port")) or None
    encodings = rows_of(await pairs_of(await device.tolerant(_ENCODE)), "table.Encode")
    network = await pairs_of(await device.tolerant(_NETWORK))
    told = disks(await pairs_of(await device.tolerant(DISKS)))
    recorder = any(word in kind.lower() for word in _RECORDER) or len(titles) > 1 or bool(remote)
    channels = _channels(titles, remote, states, encodings, recorder=recorder)
    if recorder and not channels:
        raise device.without_channels()
    return VendorSaid(
        Identity("Dahua", clean(kind), clean(version), clean(serial), _mac(network)),
        clean(name) if name.strip().lower() != serial.strip().lower() else "",
        channels or (VendorChannel(1, ""),),
        recorder,
        _offset(clock, middle, zone),
        rtsp,
        told,
    )


def _channels(
    titles: Mapping[int, Mapping[str, str]],
    remote: Mapping[int, Mapping[str, str]],
    states: Mapping[int, Mapping[str, str]],
    encodings: Mapping[int, Mapping[str, str]],
    *,
    recorder: bool,
) -> tuple[VendorChannel, ...]:
    """One for each title that has a camera: what is disabled or empty by its recorder's own words is left out."""
    found = []
    for index in sorted({*titles, *remote, *(states if recorder else ())}):
        state = states.get(index, {}).get("connectionState", "").strip().lower()
        enabled = truth(remote.get(index, {}).get("Enable", ""))
        if recorder and (state in ("empty", "disable", "disabled") or enabled is False):
            continue
        if recorder and remote and index not in remote and not state:
            continue  # a title without a camera
        name = titles.get(index, {}).get("Name", "") or remote.get(index, {}).get("DeviceInfo.Name", "")
        online = None if not state else state == "connected"
        found.append(
            VendorChannel(
                index + 1,
                clean(name),
                online,
                _encoding(encodings.get(index, {}), "MainFormat[0]"),
                _sub(encodings.get(index, {})),
            )
        )
    return tuple(found[:MAX_CHANNELS])


def _by_channel(pairs: Mapping[str, str], table: str, field: str) -> dict[int, dict[str, str]]:
    """Rows by the channel that they name, counted from 0; a row that names none is that of its own index."""
    found: dict[int, dict[str, str]] = {}
    for index, row in rows_of(pairs, table).items():
        channel = number(row.get(field, ""), MAX_CHANNELS - 1)
        found.setdefault(index if channel is None else channel, row)
    return found


def _encoding(row: Mapping[str, str], format_: str) -> Encoding:
    codec = row.get(f"{format_}.Video.Compression", "").split("H")[-1]
    return Encoding(
        codec_of(f"H{codec}" if codec else ""),
        number(row.get(f"{format_}.Video.Width", ""), 32768) or None,
        number(row.get(f"{format_}.Video.Height", ""), 32768) or None,
    )


def _sub(row: Mapping[str, str]) -> Encoding | None:
    """None where the device says that its first extra stream is switched off."""
    if truth(row.get("ExtraFormat[0].VideoEnable", "")) is False:
        return None
    return _encoding(row, "ExtraFormat[0]")


def _offset(text: str, middle: datetime, zone: tzinfo) -> float | None:
    found = moment(text, zone)
    return (found - middle.astimezone(UTC)).total_seconds() + 0.5 if found is not None else None  # whole seconds


def disks(pairs: Mapping[str, str]) -> tuple[Disk, ...]:
    """Of an answer to DISKS."""
    rows = rows_of(pairs, "list.info", MAX_DISKS) or rows_of(pairs, "info", MAX_DISKS)
    found = []
    for _, row in sorted(rows.items()):
        broken = truth(row.get("Detail[0].IsError", ""))
        total, used = (_bytes(row.get(f"Detail[0].{name}", "")) for name in ("TotalBytes", "UsedBytes"))
        found.append(
            Disk(
                clean(row.get("Name", ""), 32),
                "error" if broken else clean(row.get("State", ""), 32).lower(),
                total // _MEGABYTE if total is not None else None,
                max(0, total - used) // _MEGABYTE if total is not None and used is not None else None,
            )
        )
    return tuple(found)


def _bytes(text: str) -> int | None:
    return number(text.partition(".")[0], 10**15 - 1)


def _mac(pairs: Mapping[str, str]) -> str:
    return next(
        (mac for key, value in pairs.items() if key.endswith(".PhysicalAddress") and (mac := mac_of(value))), ""
    )


def _value(pairs: Mapping[str, str], *names: str) -> str:
    """The first of these values that the answer has; "" where it has none of them."""
    return next((pairs[name] for name in names if name in pairs), "")
