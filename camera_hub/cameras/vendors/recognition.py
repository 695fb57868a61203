"""Whose HTTP interface a device has, from what it answers to requests without a login. Nothing is signed for that.

Many web servers ask for a login whatever path is asked for, and some answer anything with a page: a path alone proves
nothing. So whoever asks both is looked at for its maker's signs (realm, Server header, words), and in doubt both are
possible, the likelier first.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.messages import HttpPeer, HttpReply, HttpRequest
from camera_hub.cameras.reach import Check
from camera_hub.cameras.vendors import dahua, hikvision
from camera_hub.errors import HubError
from camera_hub.http_auth import read_challenges

Vendor = Literal["hikvision", "dahua"]
VENDORS: tuple[Vendor, ...] = get_args(Vendor)

_ASKED: dict[Vendor, str] = {"hikvision": hikvision.INFO, "dahua": dahua.TYPE}
_ANSWERS: dict[Vendor, re.Pattern[bytes]] = {
    "hikvision": re.compile(rb"<(?:\w{1,20}:)?(DeviceInfo|ResponseStatus|userCheck)\b|notActivated", re.IGNORECASE),
    "dahua": re.compile(rb"^\s*(type|deviceType)=|not\s?initiali[sz]ed|^\s*Error\b", re.IGNORECASE),
}
"""What only that vendor answers to its path, with or without a login."""
_SIGNS: dict[Vendor, re.Pattern[str]] = {
    "hikvision": re.compile(
        r"hikvision|App-webs|DNVRS-Webs|DVRDVS|HikDigital|\bDS-\w|IP Camera\(|isapi", re.IGNORECASE
    ),
    "dahua": re.compile(r"dahua|Login to [0-9A-Z]{6,}|DH[_-]|amcrest|imou|lechange", re.IGNORECASE),
}
"""Signs of a maker in realm, Server header or manufacturer's name."""
_MAKERS: dict[str, re.Pattern[str]] = {
    "hikvision": _SIGNS["hikvision"],
    "dahua": _SIGNS["dahua"],
    "uniview": re.compile(r"uniview|\bunv\b|宇视", re.IGNORECASE),
    "tplink": re.compile(r"tp-?link|mercury|mercusys|vigi|tapo|水星|普联", re.IGNORECASE),
}
_PEEK = 4096


class Asker(Protocol):
    """What this needs of cameras.http.device_http."""

    async def exchange(
        self, peer: HttpPeer, request: HttpRequest, deadline: Deadline, *, check: Check
    ) -> HttpReply: ...


@dataclass(frozen=True, slots=True)
class Recognised:
    """What answers at a port: the vendors whose interface it may be, likeliest first, and `signs`: the words by which
    the maker may be known all the same."""

    port: int
    vendors: tuple[Vendor, ...]
    signs: str = ""


async def recognised(http: Asker, peer: HttpPeer, check: Check, seconds: float) -> Recognised | None:
    """What answers at that port; None where nothing does."""
    replies = dict(
        zip(VENDORS, await asyncio.gather(*(_reply(http, peer, check, one, seconds) for one in VENDORS)), strict=True)
    )
    if all(reply is None for reply in replies.values()):
        return None
    return judged(peer.port, replies)


def judged(port: int, replies: dict[Vendor, HttpReply | None]) -> Recognised:
    """Whose interface it is by the answers to each vendor's path. Pure."""
    signs = " ".join(dict.fromkeys(word for reply in replies.values() if reply is not None for word in _words(reply)))
    sure = [one for one, reply in replies.items() if reply is not None and _ANSWERS[one].search(reply.body[:_PEEK])]
    asking = [one for one, reply in replies.items() if reply is not None and reply.status == 401 and _digest(reply)]
    named = [one for one in asking if _SIGNS[one].search(signs)]
    found = dict.fromkeys([*(one for one in sure if one in asking or len(sure) == 1), *named, *asking])
    return Recognised(port, tuple(found), signs)


def maker_of(*texts: str) -> str:
    """The maker whose signs these texts bear ("hikvision", "dahua", "uniview", "tplink"), "" where none is known."""
    return next((maker for maker, signs in _MAKERS.items() if any(signs.search(text) for text in texts)), "")


async def _reply(http: Asker, peer: HttpPeer, check: Check, vendor: Vendor, seconds: float) -> HttpReply | None:
    try:
        return await http.exchange(peer, HttpRequest("GET", _ASKED[vendor]), Deadline(seconds), check=check)
    except HubError:
        return None


def _digest(reply: HttpReply) -> bool:
    return any(one.scheme == "digest" for one in read_challenges(reply.all("www-authenticate")))


def _words(reply: HttpReply) -> list[str]:
    realms = [one.realm for one in read_challenges(reply.all("www-authenticate"))]
    return [word[:128] for word in (reply.first("server"), *realms) if word]
