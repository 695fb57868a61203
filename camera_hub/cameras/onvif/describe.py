"""From a device's answers to what it is: one device, its cameras, their main and sub streams. Pure.

Profiles are grouped by their video source, so that a recorder with eight sources yields eight cameras; channels without
a camera behind them still have profiles and are kept. An ONVIF profile says what the device claims; the actual codec is
learned from the stream itself.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from camera_hub.cameras import urls
from camera_hub.cameras.described import Channel, Described, DescribedStream, Identity
from camera_hub.errors import HubError
from camera_hub.peculiarity_kinds import MAX_VALUE, PeculiarityKind
from camera_hub.text import clean_name
from camera_hub.text_decoding import decoded

MAX_CHANNELS = 256
MAX_PROFILES = 1024
MAX_TOKEN = 128
"""ONVIF allows 64; longer tokens are cut to what the columns can store."""

_SUB_AREA = 704 * 576
_GENERIC = re.compile(
    r"(video|media|main|sub|minor|major|second|third|stream|profile|source|config(uration)?|channel|camera|cam|ipc|ipcamera|nvt|onvif|token|src|vsc"
    r"|default|user|h\.?26[45]|jpeg|video_?src|v|vs|ch|no|na|null|none|network|[\s_.:#()-]|\d)*",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"[\s_.:(\[（-]*(main|sub|minor|major|second|third)?[\s_-]*(stream|profile)[\s_-]*\d*[)\]）]?$|[\s_.:(-]*[主子辅副]码流\d*[)）]?$",
    re.IGNORECASE,
)
_SCOPE = re.compile(r"onvif://www\.onvif\.org/([^/]+)/(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Profile:
    """One media profile as the device lists it. `codec` is its claim: h264, h265, mpeg4, jpeg or None. `ptz`: whether
    it has a PTZ configuration, `node`: the PTZ node that this names."""

    token: str
    name: str
    source: str
    source_name: str = ""
    configuration: str = ""
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    ptz: bool = False
    node: str = ""

    @property
    def area(self) -> int:
        return (self.width or 0) * (self.height or 0)


@dataclass(frozen=True, slots=True)
class Said:
    """All answers of a device. `uris`: profile token → stream address; `osd`: source configuration → text.
    `nodes`: PTZ nodes, asked for where no profile has a PTZ configuration."""

    identity: Identity
    profiles: tuple[Profile, ...]
    scopes: tuple[str, ...] = ()
    hostname: str = ""
    uris: Mapping[str, str] = field(default_factory=dict)
    osd: Mapping[str, str] = field(default_factory=dict)
    nodes: int = 0


def described(
    said: Said,
    *,
    host: str,
    port: int,
    path: str,
    clock_offset_s: float | None,
    peculiarities: Mapping[str, str] | None = None,
) -> Described:
    """The device that these answers describe."""
    groups: dict[str, list[Profile]] = {}
    for profile in said.profiles:
        if len(groups) < MAX_CHANNELS or profile.source in groups:
            groups.setdefault(profile.source, []).append(profile)
    name = device_name(said)
    several = len(groups) > 1
    channels = []
    for number, (source, profiles) in enumerate(groups.items(), 1):
        main, sub = main_and_sub(profiles)
        channels.append(
            Channel(
                source,
                channel_name(profiles, said.osd) or (f"{name} {number}" if several else name),
                _stream(main, said.uris, host),
                _stream(sub, said.uris, host) if sub is not None else None,
                ptz=any(one.ptz for one in profiles) or (not several and said.nodes > 0),
            )
        )
    return Described(
        host,
        port,
        path,
        "recorder" if several else "camera",
        name,
        said.identity,
        tuple(channels),
        clock_offset_s,
        _rtsp_port(channels),
        {**(peculiarities or {}), **_repaired(said.uris.values(), host)},
    )


def main_and_sub(profiles: Iterable[Profile]) -> tuple[Profile, Profile | None]:
    """The profile with the best picture, and the one for tiles: smaller, preferably H.264, the best up to 704 x 576."""
    ordered = sorted(profiles, key=lambda one: -one.area)
    main = ordered[0]
    smaller = [one for one in ordered[1:] if one.area < main.area or one.codec != main.codec or not one.area]
    smaller = smaller or ordered[1:]
    smaller = [one for one in smaller if one.codec in ("h264", None)] or [
        one for one in smaller if one.codec in ("h265", None)
    ]
    fitting = [one for one in smaller if one.area <= _SUB_AREA]
    return main, (fitting[0] if fitting else smaller[-1] if smaller else None)


def device_name(said: Said) -> str:
    """The name that somebody gave the device, else its manufacturer and model."""
    scopes = scope_values(said.scopes)
    makers = {said.identity.model.lower(), said.identity.manufacturer.lower()}
    for candidate in (*scopes.get("name", ()), said.hostname):
        if (name := clean(candidate)) and not generic(name) and name.lower() not in makers:
            return name
    return clean(f"{said.identity.manufacturer} {said.identity.model}") or "Camera"


def channel_name(profiles: Iterable[Profile], osd: Mapping[str, str]) -> str:
    """The text in the picture (OSD), else the video source's name, else the profile's name. "" if all are generic."""
    profiles = list(profiles)
    candidates = [osd.get(one.configuration, "") for one in profiles]
    candidates += [one.source_name for one in profiles]
    candidates += [_ROLE.sub("", one.name) for one in profiles]
    return next((name for text in candidates if (name := clean(text)) and not generic(name)), "")


def scope_values(scopes: Iterable[str]) -> dict[str, list[str]]:
    """onvif://www.onvif.org/<category>/<value> by category in lower case, percent-decoded."""
    values: dict[str, list[str]] = {}
    for scope in list(scopes)[:64]:
        if match := _SCOPE.fullmatch(scope.strip()):
            value = decoded(unquote_to_bytes(match[2])).text  # percent-encoded UTF-8, or GBK
            values.setdefault(match[1].lower(), []).append(clean(value))
    return values


def generic(name: str) -> bool:
    """Whether a name says nothing about the place ("Profile_1", "VideoSource 2", "IPCamera")."""
    return _GENERIC.fullmatch(name) is not None


def clean(text: str | None, limit: int = 64) -> str:
    """A device's text, cleaned for use as a name: printable, one line, bounded."""
    return clean_name("".join(c if c.isprintable() else " " for c in text or ""))[:limit].strip()


def mac_of(text: str | None) -> str:
    """A MAC address as aa:bb:cc:dd:ee:ff, "" when it is not one (or all zeros or all ones, which identify nothing)."""
    digits = re.sub(r"[^0-9a-f]", "", (text or "").lower())
    if len(digits) != 12 or digits in ("0" * 12, "f" * 12):
        return ""
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def codec_of(text: str | None) -> str | None:
    """A claimed encoding as our name for the codec."""
    word = re.sub(r"[^a-z0-9]", "", (text or "").lower())
    return {"h264": "h264", "h265": "h265", "hevc": "h265", "jpeg": "mjpeg", "mpeg4": "mpeg4"}.get(word)


def _stream(profile: Profile, uris: Mapping[str, str], host: str) -> DescribedStream:
    try:
        url = urls.onto(uris[profile.token], host).url
    except (KeyError, HubError):
        url = ""
    return DescribedStream(profile.token, profile.codec, profile.width, profile.height, url)


def _repaired(uris: Iterable[str], host: str) -> dict[str, str]:
    """What the device said in place of a stream address, and what was taken of it; of several the first (case 28)."""
    for uri in uris:
        try:
            repaired = urls.onto(uri, host).repaired
        except HubError:
            continue
        if repaired:
            return {PeculiarityKind.URI_REPAIRED: clean(repaired, MAX_VALUE)}
    return {}


def _rtsp_port(channels: Iterable[Channel]) -> int | None:
    return next((urls.known(channel.main.url).port for channel in channels if channel.main.url), None)
