"""One operation's SOAP calls to one device: posts envelopes and authenticates the way the device asks for.

The first protected call goes out without a login; the answer says which scheme is wanted (401 + Digest, or 400 with
ter:NotAuthorized for UsernameToken; the Core specification forbids both at once). The choice is kept for the rest of
the conversation. A login that was refused is sent once more at most: with the other scheme if the device offers it, or
with the hub's time in place of the device's where its clock is off by a time zone. All of that is one try of the login
budget. The password is never sent in the clear (Basic).
"""

import asyncio
import copy
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from lxml import etree

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.http.device_http import TlsNeeded
from camera_hub.cameras.http.messages import HttpReply, HttpRequest, bad_reply
from camera_hub.cameras.onvif import faults
from camera_hub.cameras.onvif.device_clock import off_by_zone
from camera_hub.cameras.onvif.envelopes import SOAP, SOAP11, Envelope, read_envelope
from camera_hub.cameras.onvif.username_token import username_token
from camera_hub.errors import HubError, Reason
from camera_hub.http_auth import Authenticator, AuthOutcome
from camera_hub.peculiarity_kinds import PeculiarityKind

_Mode = Literal["none", "digest", "token"]

LARGE = 24 * 1024
"""Bytes of an answer from which on it is read in a thread: it would hold up the loop for over 10 ms."""

_OPEN = {"GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetHostname", "GetEndpointReference"}
"""What devices answer without a login (ONVIF Core, access class PRE_AUTH): an answer proves nothing about it."""


_REPEATABLE = {"SetSynchronizationPoint", "ContinuousMove", "Stop", "AbsoluteMove", "GotoPreset", "GotoHomePosition"}
"""What does the same when it is sent twice, beside all that only reads: such a call goes out on a kept connection, and
once more on a new one if the device had given that up."""


class SoapLine(Protocol):
    """The way to one device: its address, one deadline."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """The device's answer. Raises HubError, TlsNeeded."""
        ...


class LoginTry(Protocol):
    """The current try of the login budget."""

    def accepted(self) -> None: ...
    def doubted(self) -> None: ...
    def forbidden(self) -> None: ...
    def refused(self, reason: str) -> None: ...
    async def again(self, reason: str) -> bool: ...


@dataclass(slots=True)
class KnownDevice:
    """What is known of a device, and what a conversation learns about it.

    `clock_offset_s`: device minus hub. `sign_by_hub`: UsernameTokens are judged by true time whatever clock it shows.
    `hides_login`: a call without a login is answered as if it did not exist. `soap11`: it understands nothing newer.
    `other_clock`: with which login the other clock was tried in vain. `learnt`: peculiarities by kind.
    """

    clock_offset_s: float | None = None
    sign_by_hub: bool = False
    hides_login: bool = False
    soap11: bool = False
    digest_seen: bool = False
    other_clock: int | None = None
    learnt: dict[str, str] = field(default_factory=dict)

    def take(self, peculiarities: Mapping[str, str]) -> None:
        """Begin with what was learnt in former conversations."""
        self.sign_by_hub = self.sign_by_hub or PeculiarityKind.CLOCK_LOCAL_TIME in peculiarities
        self.hides_login = self.hides_login or PeculiarityKind.LOGIN_HIDDEN in peculiarities
        self.digest_seen = self.digest_seen or PeculiarityKind.DIGEST_OFFERED in peculiarities


@dataclass(frozen=True, slots=True)
class _Answer:
    """An HTTP reply and the envelope in it; `unreadable` says why there is none."""

    reply: HttpReply
    envelope: Envelope | None
    unreadable: HubError | None = None

    @property
    def words(self) -> str:
        return self.envelope.fault if self.envelope is not None else ""

    @property
    def asks_for_login(self) -> bool:
        return faults.wants_login(self.reply.status, self.words)

    @property
    def may_hide_login(self) -> bool:
        return self.envelope is None and faults.may_hide_login(self.reply.status, self.reply.body)


class SoapConversation:
    """`attempt` is the budget's current try, None without a login. `try_hidden` says whether a login may be sent to a
    device that has not asked for one; it is called once per such try.
    """

    def __init__(
        self,
        line: SoapLine,
        login: DeviceLogin | None,
        device: KnownDevice,
        now: Callable[[], datetime],
        attempt: LoginTry | None,
        try_hidden: Callable[[], bool],
    ) -> None:
        self._line = line
        self._login = login or None
        self.device = device
        self._now = now
        self._attempt = attempt
        self._try_hidden = try_hidden
        self._mode: _Mode = "none"
        self._digest = self._authenticator()
        self._by_hub = device.sign_by_hub
        self._proved = False
        self._spoken = False
        self._asks_nobody = False  # it has answered without a login what needs one elsewhere

    def now(self) -> datetime:
        """The hub's time."""
        return self._now()

    async def call(self, path: str, message: etree._Element, action: str) -> Envelope:
        """The device's answer to the call, without a fault. Raises HubError."""
        try:
            return await self._call(path, message, action)
        except TlsNeeded:  # nothing signed follows a redirect: begin again, without a login
            self._mode, self._digest = "none", self._authenticator()
            return await self._call(path, message, action)

    async def _call(self, path: str, message: etree._Element, action: str) -> Envelope:
        operation = action.rpartition("/")[2]
        if self.device.hides_login and self._login and not self._proved:
            self._mode = "none" if operation in _OPEN else "token"
        answer = await self._sent(path, message, action)
        if not self.device.soap11 and faults.wants_soap11(answer.reply.status, answer.words):
            self.device.soap11 = True
            self._learn(PeculiarityKind.SOAP11, "only")
            answer = await self._sent(path, message, action)
        if answer.asks_for_login:
            answer = await self._answered(path, message, action, answer)
        elif answer.may_hide_login and self._login and not self._proved:
            answer = await self._unhidden(path, message, action, answer)
        elif self._mode == "token" and not self._proved and answer.envelope is not None:
            self._accepted()
        if (error := faults.of_status(answer.reply.status)) is not None:
            raise error
        if answer.envelope is None:
            if answer.reply.status != 200:
                raise faults.without_fault(answer.reply.status)
            raise answer.unreadable or bad_reply("no SOAP envelope")
        if answer.words:
            raise faults.of_fault(answer.words)
        if self._mode == "none" and operation not in _OPEN:
            self._asks_nobody = True
        return answer.envelope

    async def _answered(self, path: str, message: etree._Element, action: str, answer: _Answer) -> _Answer:
        """Answer what the device asks for: Digest, a UsernameToken, that again with the other clock."""
        if self._digest is None:
            raise faults.refused(answer.words, tried=False, speaks_onvif=answer.envelope is not None)
        tried: list[str] = []
        if self._mode == "token":
            tried.append("token")  # as it was sent just now
        while True:
            outcome = self._digest.unauthorized(answer.reply.all("www-authenticate"))
            self.device.digest_seen = self._digest.digest_seen
            if self._digest.digest_seen:
                self._learn(PeculiarityKind.DIGEST_OFFERED, "yes")
            unsure = self._digest.unsure and self._mode == "digest"
            if outcome is AuthOutcome.TRY and "digest" not in tried:
                self._mode = "digest"
            elif outcome is AuthOutcome.UNANSWERABLE and not tried:
                self._mode = "token"
            elif tried == ["token"] and self._other_clock():
                self._by_hub = True
            else:
                raise self._refused(answer.words)
            if unsure and self._attempt is not None:
                self._attempt.doubted()
            if tried and not await self._may_try_again(answer.words):
                raise self._refused(answer.words)
            if self._by_hub:
                self.device.other_clock = hash(self._login)
            tried.append(self._mode)
            answer = await self._sent(path, message, action)
            if not answer.asks_for_login:
                self._accepted()
                return answer

    async def _unhidden(self, path: str, message: etree._Element, action: str, answer: _Answer) -> _Answer:
        """Whether the same call gets through with a login: then its absence was what the device refused (case 23)."""
        if self._mode == "none":
            if not self._spoken and not self._try_hidden():
                return answer
            self._mode = "token"
            hidden, answer = answer, await self._sent(path, message, action)
            if answer.may_hide_login and self._spoken and await self._by_other_clock():
                answer = await self._sent(path, message, action)
            if answer.asks_for_login:
                return await self._answered(path, message, action, answer)
            if answer.envelope is not None:
                self.device.hides_login = True
                self._learn(PeculiarityKind.LOGIN_HIDDEN, str(hidden.reply.status))
                self._accepted()
                return answer
            self._mode = "none"
        elif answer.may_hide_login and self._spoken and await self._by_other_clock():
            answer = await self._sent(path, message, action)
            if answer.envelope is not None and not answer.asks_for_login:
                self._accepted()
                return answer
        if self._spoken and answer.may_hide_login and not self._asks_nobody:
            raise self._refused("")  # it does speak ONVIF here: what it refuses is the login
        return answer

    def _other_clock(self) -> bool:
        """Whether the hub's time is worth a try in place of the device's: once per login (case 22)."""
        if self._proved or self._by_hub or self.device.other_clock == hash(self._login):
            return False
        return off_by_zone(self.device.clock_offset_s)

    async def _by_other_clock(self) -> bool:
        """Sign with the hub's time from now on, where that is worth a try and the budget has room for one."""
        if not self._other_clock() or not await self._may_try_again(""):
            return False
        self.device.other_clock = hash(self._login)
        self._by_hub = True
        return True

    async def _may_try_again(self, words: str) -> bool:
        """Whether the budget has room for one more signed request, now that one was refused."""
        return self._attempt is None or await self._attempt.again(faults.refused(words, tried=True).reason)

    def _accepted(self) -> None:
        self._proved = True
        if self._mode == "token" and self._by_hub and not self.device.sign_by_hub:
            self.device.sign_by_hub = True
            hours = round((self.device.clock_offset_s or 0.0) / 1800) / 2
            self._learn(PeculiarityKind.CLOCK_LOCAL_TIME, f"{hours:+g} h")
        if self._digest is not None:
            self._digest.accepted()
        if self._attempt is not None:
            self._attempt.accepted()

    def _refused(self, words: str) -> HubError:
        error = faults.refused(words, tried=True)
        if self._proved and error.reason == Reason.WRONG_PASSWORD:
            # It was accepted a moment ago: what lacks is the user's right to this call.
            if self._attempt is not None:
                self._attempt.forbidden()
            return faults.of_fault(words or "this user may not make this call")
        offset = self.device.clock_offset_s
        unsure = self._mode == "token" and not self.device.sign_by_hub
        if unsure and offset is not None and off_by_zone(offset) and error.reason == Reason.WRONG_PASSWORD:
            error = faults.refused_by_clock(offset)
        if self._attempt is not None:
            self._attempt.refused(error.reason)
        return error

    async def _sent(self, path: str, message: etree._Element, action: str) -> _Answer:
        headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        if self._mode == "token" and self._login is not None:
            message = _signed(message, username_token(self._login, self._signing_time(), secrets.token_bytes(16)))
        elif self._mode == "digest" and self._digest is not None:
            headers["Authorization"] = self._digest.authorization("POST", path, secrets.token_hex(8)) or ""
        body = etree.tostring(message, xml_declaration=True, encoding="UTF-8")
        if self.device.soap11:
            headers |= {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
            body = body.replace(SOAP.encode(), SOAP11.encode())
        operation = action.rpartition("/")[2]
        safe = operation.startswith("Get") or operation in _REPEATABLE
        request = HttpRequest("POST", path, headers, body, safe=safe, signed=self._mode != "none")
        return await self._read(await self._line.send(request))

    def _signing_time(self) -> datetime:
        offset = 0.0 if self._by_hub else self.device.clock_offset_s or 0.0
        return self._now() + timedelta(seconds=offset)

    async def _read(self, reply: HttpReply) -> _Answer:
        if reply.framing:
            self._learn(PeculiarityKind.CONTENT_LENGTH, reply.framing)
        try:
            kind = reply.first("content-type")
            if len(reply.body) > LARGE:
                envelope = await asyncio.to_thread(read_envelope, reply.body, kind)
            else:
                envelope = read_envelope(reply.body, kind)
        except HubError as error:
            return _Answer(reply, None, error)
        self._spoken = True
        if envelope.soap11:
            self.device.learnt.setdefault(PeculiarityKind.SOAP11, "answers")
        if envelope.undeclared:
            self._learn(PeculiarityKind.UNDECLARED_PREFIX, "yes")
        if envelope.encoding:
            self._learn(PeculiarityKind.ENCODING, envelope.encoding)
        return _Answer(reply, envelope)

    def _learn(self, kind: PeculiarityKind, value: str) -> None:
        self.device.learnt[kind] = value

    def _authenticator(self) -> Authenticator | None:
        if self._login is None:
            return None
        return Authenticator(
            self._login.username, self._login.password, basic=False, digest_seen=self.device.digest_seen
        )


def _signed(envelope: etree._Element, security: etree._Element) -> etree._Element:
    envelope = copy.deepcopy(envelope)
    space = etree.QName(envelope).namespace
    header = envelope.find(f"{{{space}}}Header")
    if header is None:
        header = etree.Element(f"{{{space}}}Header")
        envelope.insert(0, header)
    header.append(security)
    return envelope
