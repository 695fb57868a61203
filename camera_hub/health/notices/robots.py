"""Group robots of WeCom (企业微信) and DingTalk (钉钉): a POST of JSON, answered with 200 and an error code.

Both take twenty messages a minute; a text has at most 2,048 bytes (WeCom). DingTalk's signature is HMAC-SHA256 over
time and secret, and is refused when the hub's clock is an hour off.
Sources: developer.work.weixin.qq.com/document/path/91770; open.dingtalk.com/document/robots/custom-robot-access.
"""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote_plus

from camera_hub.clock import Clock
from camera_hub.health.notices.sending import (
    ChannelTarget,
    HttpAnswer,
    HttpClients,
    OutgoingNotice,
    PostOutcome,
    PostResult,
    by_status,
)

SPACING = 3.0
"""Seconds between two messages: twenty a minute."""

_WECOM_BYTES = 2048
_DINGTALK_BYTES = 6000
_JSON = {"Content-Type": "application/json; charset=utf-8"}

_WECOM = {
    45009: ("channel_rate", PostOutcome.THROTTLED, 60.0),
    45033: ("channel_rate", PostOutcome.THROTTLED, 60.0),
    93000: ("channel_key", PostOutcome.FAILED, 0.0),
    40014: ("channel_key", PostOutcome.FAILED, 0.0),
    60020: ("channel_ip", PostOutcome.FAILED, 0.0),
    -1: ("channel_busy", PostOutcome.FAILED, 0.0),
}
_DINGTALK = {
    130101: ("channel_rate", PostOutcome.THROTTLED, 600.0),  # blocked for ten minutes
    410100: ("channel_rate", PostOutcome.THROTTLED, 600.0),
    90030: ("channel_rate", PostOutcome.THROTTLED, 600.0),
    300001: ("channel_key", PostOutcome.FAILED, 0.0),
    400101: ("channel_key", PostOutcome.FAILED, 0.0),
    400102: ("channel_stopped", PostOutcome.FAILED, 0.0),
    400106: ("channel_key", PostOutcome.FAILED, 0.0),
    400013: ("channel_stopped", PostOutcome.FAILED, 0.0),
    -1: ("channel_busy", PostOutcome.FAILED, 0.0),
}
_DINGTALK_CHECK = 310000
"""A message that its security settings refuse: the text says which of them."""


class WecomSender:
    """Posts a text to a group robot of WeCom."""

    spacing = SPACING

    def __init__(self, target: ChannelTarget, clients: HttpClients) -> None:
        self._target = target
        self._clients = clients

    async def send(self, notice: OutgoingNotice) -> PostResult:
        """One message. Never raises for a faulty receiver."""
        text: dict[str, Any] = {"content": worded(notice, _WECOM_BYTES)}
        if phones := self._target.settings.get("phones"):
            text["mentioned_mobile_list"] = phones
        body = json.dumps({"msgtype": "text", "text": text}, ensure_ascii=False).encode()
        answer = await self._clients.ask(self._target, "POST", self._target.url, body, _JSON)
        return judged(answer, _WECOM)


class DingtalkSender:
    """Posts a text to a group robot of DingTalk, signed if it has a secret."""

    spacing = SPACING

    def __init__(self, target: ChannelTarget, clients: HttpClients, clock: Clock) -> None:
        self._target = target
        self._clients = clients
        self._clock = clock

    async def send(self, notice: OutgoingNotice) -> PostResult:
        """One message. Never raises for a faulty receiver."""
        url = self._target.url
        if sign := self._target.secret.get("sign"):
            url += ("&" if "?" in url else "?") + signed(str(sign), int(self._clock.now().timestamp() * 1000))
        message: dict[str, Any] = {"msgtype": "text", "text": {"content": worded(notice, _DINGTALK_BYTES)}}
        if phones := self._target.settings.get("phones"):
            message["at"] = {"atMobiles": phones}
        body = json.dumps(message, ensure_ascii=False).encode()
        answer = await self._clients.ask(self._target, "POST", url, body, _JSON)
        return judged(answer, _DINGTALK)


def signed(secret: str, milliseconds: int) -> str:
    """The signature's part of DingTalk's address."""
    mac = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return f"timestamp={milliseconds}&sign={quote_plus(base64.b64encode(mac))}"


def worded(notice: OutgoingNotice, most: int) -> str:
    """Title, text and number of a notice, within so many bytes; a text that is too long ends with a whole line."""
    end = f"\n（编号 {notice.id}）"
    text = f"{notice.said('title')}\n{notice.said('text')}"
    room = most - len(end.encode())
    if len(text.encode()) > room:
        more = "\n……"
        kept = text.encode()[: room - len(more.encode())].decode("utf-8", "ignore")
        text = (kept.rpartition("\n")[0] or kept) + more
    return text + end


def judged(answer: HttpAnswer | PostResult, known: dict[int, tuple[str, PostOutcome, float]]) -> PostResult:
    """What a robot's answer means: a 200 is no receipt yet."""
    if isinstance(answer, PostResult):
        return answer
    if answer.status == 429:
        return PostResult(PostOutcome.THROTTLED, "HTTP 429", "channel_rate", 60.0)
    by_http = by_status(answer.status)
    if by_http.outcome is not PostOutcome.DELIVERED:
        return by_http
    try:
        said = json.loads(answer.body)
        code, words = int(said["errcode"]), str(said.get("errmsg", ""))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return PostResult(PostOutcome.FAILED, "answers, but not as a robot does", "channel_answer")
    if code == 0:
        return by_http
    error = f"errcode {code}"
    if code == _DINGTALK_CHECK:
        return PostResult(PostOutcome.FAILED, error, _refused_by(words))
    reason, outcome, pause = known.get(code, ("channel_refused", PostOutcome.REFUSED, 0.0))
    return PostResult(outcome, error, reason, pause)


def _refused_by(words: str) -> str:
    """Which of DingTalk's security settings refused it."""
    said = words.lower()
    if "keyword" in said or "关键词" in words:
        return "channel_keyword"
    if "timestamp" in said:
        return "channel_clock"
    if "ip" in said.split() or "whitelist" in said or "白名单" in words:
        return "channel_ip"
    return "channel_sign"
