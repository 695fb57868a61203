"""Paths of streams and snapshots by vendor. Number 1 is the main stream, 2 the sub stream; channels count from 1."""

import re

from camera_hub.simulator.model import Channel, Vendor

_STREAMS = {
    Vendor.HIKVISION: "/Streaming/Channels/{channel}{stream:02}",
    Vendor.DAHUA: "/cam/realmonitor?channel={channel}&subtype={index}",
    Vendor.UNIVIEW: "/unicast/c{channel}/s{index}/live",
    Vendor.NONE: "/stream{stream}",
}
_SNAPSHOTS = {
    Vendor.HIKVISION: "/ISAPI/Streaming/channels/{channel}{stream:02}/picture",
    Vendor.DAHUA: "/cgi-bin/snapshot.cgi?channel={channel}&type={index}",
    Vendor.UNIVIEW: "/LAPI/V1.0/Channels/{channel}/Media/Video/Streams/{index}/Snapshot",
    Vendor.NONE: "/snapshot/{channel}/{stream}.jpg",
}
_OTHERS = "/ch{channel}/stream{stream}"
"""Channels beside the first one of a device of no vendor."""
_END = r"(?:[/?&].*)?"
_PATTERNS = {
    Vendor.HIKVISION: re.compile(r"/Streaming/Channels/(?P<channel>\d+)(?P<stream>\d\d)" + _END, re.IGNORECASE),
    Vendor.DAHUA: re.compile(r"/cam/realmonitor/?\?channel=(?P<channel>\d+)&subtype=(?P<index>\d)" + _END),
    Vendor.UNIVIEW: re.compile(r"/unicast/c(?P<channel>\d+)/s(?P<index>\d)/live" + _END),
    Vendor.NONE: re.compile(r"(?:/ch(?P<channel>\d+))?/stream(?P<stream>\d)" + _END),
}
_PICTURES = {
    Vendor.HIKVISION: re.compile(r"/ISAPI/Streaming/channels/(?P<channel>\d+)(?P<stream>\d\d)/picture", re.IGNORECASE),
    Vendor.DAHUA: re.compile(r"/cgi-bin/snapshot\.cgi\?channel=(?P<channel>\d+)(?:&type=(?P<index>\d))?"),
    Vendor.UNIVIEW: re.compile(r"/LAPI/V1\.0/Channels/(?P<channel>\d+)/Media/Video/Streams/(?P<index>\d)/Snapshot"),
    Vendor.NONE: re.compile(r"/snapshot/(?P<channel>\d+)/(?P<stream>\d)\.jpg"),
}


def stream_path(vendor: Vendor, channel: Channel, number: int) -> str:
    """Path and query of a stream's RTSP URL."""
    form = _OTHERS if vendor is Vendor.NONE and channel.number > 1 else _STREAMS[vendor]
    return form.format(channel=channel.number, stream=number, index=number - 1)


def snapshot_path(vendor: Vendor, channel: Channel, number: int) -> str:
    """Path and query of a stream's JPEG."""
    return _SNAPSHOTS[vendor].format(channel=channel.number, stream=number, index=number - 1)


def stream_of(vendor: Vendor, url: str) -> tuple[int, int] | None:
    """Channel and stream of an RTSP URL, or of that of its tracks; None: it has another vendor's path, or none."""
    path = "/" + url.partition("://")[2].partition("/")[2]
    return _numbers(_PATTERNS[vendor].fullmatch(path))


def picture_of(vendor: Vendor, path: str) -> tuple[int, int] | None:
    """Channel and stream of a snapshot's path and query; None: it is none."""
    return _numbers(_PICTURES[vendor].fullmatch(path))


def _numbers(found: re.Match[str] | None) -> tuple[int, int] | None:
    if found is None:
        return None
    parts = found.groupdict()
    if parts.get("stream"):
        return int(parts.get("channel") or 1), int(parts["stream"])
    return int(parts["channel"]), int(parts.get("index") or 0) + 1
