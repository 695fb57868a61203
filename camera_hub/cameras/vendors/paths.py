"""The catalogue of RTSP paths: how makers name their streams, from a channel's number to a path and back. Pure.

Sources: makers' own manuals. The hub never stores an address made from it: streams of source "vendor" keep the name of
the pattern, and the path is made when the stream is pulled.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from camera_hub.cameras import urls

Role = Literal["main", "sub"]

MOST_CHANNELS = 256


@dataclass(frozen=True, slots=True)
class PathPattern:
    """How one maker names its streams. In `main` and `sub` {n} is the channel's number, counted from 1, plus `first`
    minus 1. `one`: a camera's paths, which name no channel. `makers`: whose; empty: anybody's.
    """

    name: str
    main: str
    sub: str
    makers: frozenset[str] = frozenset()
    first: int = 1
    _numbers: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        both = "|".join(re.escape(one).replace(r"\{n\}", r"(\d{1,4})") for one in (self.main, self.sub))
        object.__setattr__(self, "_numbers", re.compile(rf"(?:{both})/?(?:[&?].*)?", re.IGNORECASE))

    @property
    def one(self) -> bool:
        return "{n}" not in self.main

    def path(self, number: int, role: Role) -> str:
        """The path of a channel's stream."""
        return (self.main if role == "main" else self.sub).replace("{n}", str(number + self.first - 1))

    def number(self, path: str) -> int | None:
        """The number of the channel whose stream that path names; None for another path."""
        match = self._numbers.fullmatch(path)
        if match is None or self.one:
            return None
        number = int(next(one for one in match.groups() if one is not None)) - self.first + 1
        return number if 0 < number <= MOST_CHANNELS else None


CATALOGUE = (
    PathPattern("hikvision", "/Streaming/Channels/{n}01", "/Streaming/Channels/{n}02", frozenset({"hikvision"})),
    PathPattern(
        "dahua",
        "/cam/realmonitor?channel={n}&subtype=0",
        "/cam/realmonitor?channel={n}&subtype=1",
        frozenset({"dahua"}),
    ),
    PathPattern("uniview_recorder", "/unicast/c{n}/s0/live", "/unicast/c{n}/s1/live", frozenset({"uniview"})),
    PathPattern("hikvision_old", "/h264/ch{n}/main/av_stream", "/h264/ch{n}/sub/av_stream", frozenset({"hikvision"})),
    PathPattern(
        "hikvision_old_ip", "/h264/ch{n}/main/av_stream", "/h264/ch{n}/sub/av_stream", frozenset({"hikvision"}), 33
    ),
    PathPattern("uniview", "/media/video1", "/media/video2", frozenset({"uniview"})),
    PathPattern("tplink", "/stream1", "/stream2", frozenset({"tplink"})),
    PathPattern("channels", "/ch{n}/main", "/ch{n}/sub"),
    PathPattern("numbered", "/11", "/12"),
    PathPattern("live", "/live/main", "/live/sub"),
    PathPattern("any", "/", ""),
)
"""In the order in which they are tried. `any`: a server that shows its one picture whatever path is asked for."""
ANY = CATALOGUE[-1]
_BY_NAME = {one.name: one for one in CATALOGUE}


def pattern(name: str) -> PathPattern | None:
    """The pattern of that name, None where the catalogue has none."""
    return _BY_NAME.get(name)


def ordered(maker: str) -> list[PathPattern]:
    """All patterns, that maker's own ones first, then those that belong to others."""
    return sorted(CATALOGUE[:-1], key=lambda one: maker not in one.makers)


def number_of(url: str) -> int | None:
    """The channel's number that a checked stream URL names by one of the patterns, None where it names none.

    In Hikvision's old paths a recorder's IP channels begin at 33.
    """
    rest = url.partition("://")[2]
    path = rest[len(rest.partition("/")[0]) :]
    found = (one.number(path) for one in sorted(CATALOGUE, key=lambda one: -one.first))
    return next((number for number in found if number is not None), None)


def address(name: str, number: int, role: Role, host: str, port: int) -> str:
    """The URL of a channel's stream, "" where that pattern has none."""
    found = pattern(name)
    path = found.path(number, role) if found is not None else ""
    place = f"[{host}]" if ":" in host else host
    return urls.onto(f"rtsp://{place}:{port}{path}", host).url if path else ""
