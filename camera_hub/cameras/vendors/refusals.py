"""Why a vendor's interface refuses: HTTP status and the words in the body → HubError with a Reason. Pure.

Hikvision answers XML (`userCheck`, `ResponseStatus` with a subStatusCode), Dahua a line of text or JSON. Firmware
spells all of it in different ways, so words are searched for, within the first bytes.
"""

import re
from datetime import datetime, timedelta

from camera_hub.cameras.http.messages import HttpReply, bad_reply
from camera_hub.errors import HubError, Kind, Reason

_READ = 4096
"""Bytes of a refusal that are read."""
_LONGEST_LOCK = 24 * 3600
_LOCKED = re.compile(
    r"lockstatus\W{1,8}lock\b|\b(user|account|ip|login)[ _]?(has been |is |was )?locked\b|\block(ed)?[ _]?out\b"
    r"|too many (failed |wrong )?(login|attempt)|(用户|账号|帐号|IP|设备).{0,8}锁定",
    re.IGNORECASE,
)
_UNLOCK = re.compile(
    r"(?:unlocktime|remain(?:ing)?[ _]?(?:un)?lock[ _]?(?:time|seconds?)?)\D{1,12}(?P<seconds>\d{1,7})"
    r"|(?:after|in|wait)\s{1,3}(?P<minutes>\d{1,5})\s{0,3}min",
    re.IGNORECASE,
)
_NOT_ACTIVATED = re.compile(
    r"not[ _-]?activated|inactivated|activated\W{1,4}false|not[ _-]?(yet )?initiali[sz]ed|uninitiali[sz]ed"
    r"|未(激活|初始化)",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"device[ _]?busy|(max|over|too ?many|exceed|reach)\w{0,24}[ _]?(session|user|connect|stream|client|link)"
    r"|no[ _]?more[ _]?(session|connection)|notenough(resource|bandwidth)"
    r"|bandwidth[ _]?(not|in)[ _]?(enough|sufficient)|连接数|会话数",
    re.IGNORECASE,
)
_NO_RIGHTS = re.compile(
    r"low[ _]?privilege|bad[ _]?authori[sz]ation|invalid[ _]?authority|no[ _]?(permission|authority|right)|权限",
    re.IGNORECASE,
)
_NOT_OFFERED = re.compile(
    r"not[ _]?support|method[ _]?not[ _]?allowed|invalid[ _]?operation|not[ _]?implement|bad[ _]?request"
    r"|not[ _]?found|unknown",
    re.IGNORECASE,
)


def told(reply: HttpReply, vendor: str, now: datetime) -> HubError | None:
    """What a refusal says beyond "the login is wrong": locked, not activated; None where it says neither."""
    words = _words(reply)
    if _NOT_ACTIVATED.search(words):
        return HubError(
            Kind.UNREACHABLE,
            "the device is not activated: no administrator's password is set yet; set one with the maker's tool, then "
            "add it",
            reason=Reason.NOT_ACTIVATED,
            cause=vendor,
        )
    if _LOCKED.search(words):
        return locked_out(_lock_seconds(words), now)
    return None


def of_reply(reply: HttpReply, vendor: str, now: datetime) -> HubError | None:
    """Why the device did not answer with what was asked; None for an answer, and for what it does not offer (see
    `offered`)."""
    if reply.status == 200:
        return None
    if (error := told(reply, vendor, now)) is not None:
        return error
    words = _words(reply)
    if reply.status == 503 or _FULL.search(words):
        return HubError(
            Kind.UNREACHABLE,
            "the device accepts no more connections; close other software that uses it, or try later",
            reason=Reason.DEVICE_FULL,
            cause=vendor,
        )
    if not offered(reply):
        return None
    if reply.status in (401, 403) or _NO_RIGHTS.search(words):
        return HubError(
            Kind.UNREACHABLE,
            "the device accepts this user but not this request; give the user the right to read the configuration",
            reason=Reason.NO_RIGHTS,
        )
    return bad_reply(f"HTTP {reply.status}")


def offered(reply: HttpReply) -> bool:
    """Whether the device knows what was asked: a call that its firmware lacks is answered in many ways."""
    if reply.status in (404, 405, 410, 501):
        return False
    if reply.status in (400, 403, 500):
        words = _words(reply)
        return _NOT_OFFERED.search(words) is None or _NO_RIGHTS.search(words) is not None
    return True


def locked_out(seconds: int | None, now: datetime) -> HubError:
    """The error for a device that has locked itself; `seconds` until it says that it opens again, None: unknown."""
    if seconds is None:
        return HubError(
            Kind.UNREACHABLE,
            "the device has locked us out after wrong logins; wait half an hour, then correct the login",
            reason=Reason.LOCKED_OUT,
        )
    minutes = max(1, -(-seconds // 60))
    until = now + timedelta(seconds=seconds)
    return HubError(
        Kind.UNREACHABLE,
        f"the device has locked itself after wrong logins, for {minutes} min by its own words (until "
        f"{until:%Y-%m-%d %H:%M} UTC); correct the login then, or unlock it at the device",
        reason=Reason.LOCKED_OUT,
        cause="timed",
        minutes=minutes,
        until=until.isoformat(timespec="seconds"),
    )


def _lock_seconds(words: str) -> int | None:
    match = _UNLOCK.search(words)
    if match is None:
        return None
    seconds = int(match["seconds"]) if match["seconds"] else int(match["minutes"]) * 60
    return seconds if 0 < seconds <= _LONGEST_LOCK else None


def _words(reply: HttpReply) -> str:
    return reply.body[:_READ].decode("utf-8", "replace")
