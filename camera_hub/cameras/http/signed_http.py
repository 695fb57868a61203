"""Asking a device over HTTP with its login, where that is no ONVIF: pictures, vendors' interfaces.

A request goes out unsigned first, unless the device's challenge is known. Basic, which carries the password in the
clear, is answered only where Digest was never offered by the device. A try that is refused is counted by the one login
budget; nothing is sent once more that was refused.
"""

import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp, TlsNeeded
from camera_hub.cameras.http.endings import AS_FRAMED, Ending
from camera_hub.cameras.http.messages import HttpPeer, HttpReply, HttpRequest
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.http_auth import Authenticator, AuthOutcome, NonceUse
from camera_hub.peculiarity_kinds import PeculiarityKind

log = logging.getLogger(__name__)

_REMEMBERED = 1024
_Key = tuple[HttpPeer, DeviceLogin, bool]
_SENDINGS = 5
"""How often one request is sent at most (see Authenticator.unauthorized)."""


class LoginTry(Protocol):
    """The current try of the login budget."""

    def accepted(self) -> None: ...
    def doubted(self) -> None: ...
    async def again(self, reason: str) -> bool: ...


class LoginTries(Protocol):
    """What signed requests need of the login budget."""

    def account(self, login: DeviceLogin, address: str, port: int) -> Any: ...
    def trying(self, account: Any, service: Literal["http"]) -> AbstractAsyncContextManager[LoginTry]: ...


class PeculiarityNotes(Protocol):
    """What signed requests need of cameras.peculiarities."""

    async def note(self, device_id: int, kind: PeculiarityKind | str, value: str) -> None: ...


def _says_nothing(reply: HttpReply) -> HubError | None:
    return None


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """A device's web server and its login. `peculiarities`: what is known of the device. `basic`: whether the password
    may be sent in the clear where the device has never offered Digest. `refusal`: what a 401 says in its body (locked,
    not activated), None where that is nothing; asked of each 401, before anything is signed.
    """

    peer: HttpPeer
    login: DeviceLogin | None
    check: Check
    peculiarities: Mapping[str, str] = field(default_factory=dict)
    basic: bool = True
    refusal: Callable[[HttpReply], HubError | None] = field(default=_says_nothing, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, as `SignedHttp.ask` was called."""

    target: HttpTarget
    login: DeviceLogin
    request: HttpRequest
    deadline: Deadline
    ending: Ending
    login_proved: bool

    @property
    def key(self) -> _Key:
        return self.target.peer, self.login, self.target.basic


class SignedHttp:
    """Remembers each device's challenge, so that a later request is signed at once; each request has a signer of its
    own, so that a 401 to one is never taken for an answer to another. That a registered device has offered Digest is
    kept in `notes`."""

    def __init__(self, http: DeviceHttp, logins: LoginTries, notes: PeculiarityNotes | None = None) -> None:
        self._http = http
        self._logins = logins
        self._notes = notes
        self._known: OrderedDict[_Key, NonceUse] = OrderedDict()
        self._digest_seen: OrderedDict[tuple[str, int], bool] = OrderedDict()

    def digest_seen(self, peer: HttpPeer) -> bool:
        """Whether the device has offered Digest."""
        return self._digest_seen.get((peer.address, peer.port), False)

    async def ask(
        self,
        target: HttpTarget,
        request: HttpRequest,
        deadline: Deadline,
        *,
        ending: Ending = AS_FRAMED,
        login_proved: bool = False,
    ) -> HttpReply:
        """The answer to the request. Raises HubError: LOGIN_NEEDED, WRONG_PASSWORD, what `target.refusal` says, or what
        the transport met.

        `login_proved`: the device has accepted the login a moment ago; a 401 to what is signed then means that this
        user may not ask for it (NO_RIGHTS), and is no refused login.
        """
        if not target.login:
            reply = await self._sent(target, request, deadline, ending)
            if reply.status == 401:
                _raise_said(target, reply, sent=False)
                raise HubError(
                    Kind.UNREACHABLE,
                    "the device asks for a login and none is set; enter it",
                    reason=Reason.LOGIN_NEEDED,
                )
            return reply
        asked = _Asked(target, target.login, request, deadline, ending, login_proved)
        account = self._logins.account(target.login, target.peer.address, target.peer.port)
        async with self._logins.trying(account, "http") as attempt:
            try:
                reply, signed = await self._proved(asked, attempt)
            except TlsNeeded:  # nothing signed follows a redirect
                self._known.pop(asked.key, None)
                reply, signed = await self._proved(asked, attempt)
            if signed:
                attempt.accepted()
        return reply

    async def _proved(self, asked: "_Asked", attempt: LoginTry) -> tuple[HttpReply, bool]:
        """The answer, and whether it was given to a login. Raises HubError(WRONG_PASSWORD)."""
        target, key = asked.target, asked.key
        known = self._known.get(key)
        signer = self._signer(asked, known)
        proved = signer.challenged  # it is remembered because the device has accepted the login
        for _ in range(_SENDINGS):
            sent = signer.challenged
            reply = await self._sent(target, _signed(asked.request, signer), asked.deadline, asked.ending)
            if reply.status != 401:
                break
            outcome = signer.unauthorized(reply.all("www-authenticate"))
            if signer.digest_seen:
                await self._offered_digest(target.peer, asked.login)
            if outcome is AuthOutcome.TRY and target.refusal(reply) is None:
                if signer.unsure and not asked.login_proved:
                    attempt.doubted()
                if not sent or proved:
                    proved = False
                    continue
                if not asked.login_proved and await attempt.again(Reason.WRONG_PASSWORD):
                    continue
            self._forget(key, known)
            _raise_said(target, reply, sent=sent)
            raise _no_rights() if sent and asked.login_proved else _refused(unsent=not sent)
        else:
            self._forget(key, known)
            raise _no_rights() if asked.login_proved else _refused(unsent=False)
        signer.accepted()
        if (accepted := signer.accepted_use) is not None:
            self._remember(self._known, key, accepted)
        return reply, signer.challenged

    def _forget(self, key: "_Key", known: NonceUse | None) -> None:
        """Of a challenge that does not serve any more; another request may have a newer one by now."""
        if self._known.get(key) is known:
            self._known.pop(key, None)

    async def _offered_digest(self, peer: HttpPeer, login: DeviceLogin) -> None:
        if self.digest_seen(peer):
            return
        self._remember(self._digest_seen, (peer.address, peer.port), True)
        if self._notes is None or login.device_id is None:
            return
        try:
            await self._notes.note(login.device_id, PeculiarityKind.DIGEST_OFFERED, "yes")
        except HubError as error:  # what was asked of the device counts more
            log.warning("a peculiarity of device %d cannot be kept: %s", login.device_id, error)

    def _signer(self, asked: "_Asked", known: NonceUse | None) -> Authenticator:
        target, login = asked.target, asked.login
        seen = self.digest_seen(target.peer) or PeculiarityKind.DIGEST_OFFERED in target.peculiarities
        return Authenticator(login.username, login.password, basic=target.basic, digest_seen=seen, known=known)

    async def _sent(self, target: HttpTarget, request: HttpRequest, deadline: Deadline, ending: Ending) -> HttpReply:
        return await self._http.exchange(target.peer, request, deadline, check=target.check, ending=ending)

    @staticmethod
    def _remember(known: OrderedDict[Any, Any], key: object, value: object) -> None:
        known[key] = value
        known.move_to_end(key)
        while len(known) > _REMEMBERED:
            known.popitem(last=False)


def _signed(request: HttpRequest, signer: Authenticator) -> HttpRequest:
    value = signer.authorization(request.method, request.path, secrets.token_hex(8))
    if value is None:
        return request
    return replace(request, headers={**request.headers, "Authorization": value}, signed=True)


def _raise_said(target: HttpTarget, reply: HttpReply, *, sent: bool) -> None:
    """Raise what the 401 says in its body. Where nothing was signed, that is no refused try of the login budget."""
    if (said := target.refusal(reply)) is not None:
        if not sent:
            said.params["untried"] = True
        raise said


def _no_rights() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device accepts this user but not this request; give the user the right to read the configuration",
        reason=Reason.NO_RIGHTS,
    )


def _refused(*, unsent: bool) -> HubError:
    if unsent:
        return HubError(
            Kind.UNREACHABLE,
            "the device asks for a kind of login that is not sent (the password in the clear, or an unknown one);"
            " switch Digest on in its settings",
            reason=Reason.BAD_REPLY,
        )
    return HubError(
        Kind.UNREACHABLE,
        "the device refuses this user name and password for its web interface",
        reason=Reason.WRONG_PASSWORD,
    )
