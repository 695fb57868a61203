"""Requests of one session, with its id and login: challenged (401), signed, sent again; what the refusals mean."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.http_auth import Authenticator, AuthOutcome
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.relay.rtsp.connection import CameraConnection, InterleavedReader, dial
from camera_hub.relay.rtsp.learnt import Learnt
from camera_hub.relay.rtsp.message import Response
from camera_hub.relay.rtsp.pending import first_of

USER_AGENT = "camera-hub"
ANSWER_DEADLINE = 10.0
PATIENCE = 3.0
"""Seconds without an answer to DESCRIBE after which OPTIONS is sent, for cameras that wait for it."""
GRACE = 1.0
"""Seconds after the answer to OPTIONS in which DESCRIBE may still be answered, before it is sent again."""
_TIMES = 5
"""How often one request is sent at most (see Authenticator.unauthorized)."""
_STATUS = {
    403: (
        Kind.FORBIDDEN,
        Reason.WRONG_PASSWORD,
        "the camera does not allow this user to watch; give the user the right to live video in the camera",
    ),
    404: (
        Kind.NOT_FOUND,
        Reason.STREAM_NOT_FOUND,
        "the camera knows no such stream; check the stream's URL, or read the camera's profiles again",
    ),
    453: (
        Kind.BUSY,
        Reason.DEVICE_FULL,
        "the camera serves as many viewers as it can; disconnect others that watch it directly",
    ),
    454: (Kind.UNAVAILABLE, Reason.BAD_REPLY, "the camera has lost the session; it is opened again"),
    503: (Kind.BUSY, Reason.DEVICE_FULL, "the camera is busy; disconnect others that watch it directly"),
}

_FORBIDDEN = (
    Kind.FORBIDDEN,
    Reason.SOAP_FAULT,
    "the camera forbids this stream to the hub, whatever the password; allow the hub's address in the camera (address "
    "filter), and give the user the right to live video",
)


class Permit(Protocol):
    """What is needed of the hub's permission to try the login."""

    def doubted(self) -> None:
        """What an accepted challenge had signed was answered with another one: perhaps refused."""
        ...

    def accepted(self) -> None:
        """The camera has accepted it."""
        ...

    async def again(self) -> None:
        """It has refused a signed request, and another one is to follow. Raises HubError where it may not."""
        ...


Permits = Callable[[], AbstractAsyncContextManager[Permit]]
"""Permission for one more attempt with the login; leaving it by a HubError tells the hub that the login was refused."""


class SessionRequests:
    """An async context manager: entering connects. `reader` gets the interleaved packets.

    Over one connection; cameras that hang up after a 401, or at what comes before OPTIONS, get a second one.
    """

    def __init__(self, source: RtspLiveSource, url: str, reader: InterleavedReader, learnt: Learnt) -> None:
        self._source = source
        self._url = url
        self._reader = reader
        self._learnt = learnt
        self._connection: CameraConnection | None = None
        self._redialled = False
        self._login: Authenticator | None = None
        if source.username:
            seen = learnt.get(PeculiarityKind.DIGEST_OFFERED) is not None
            self._login = Authenticator(
                source.username,
                source.password or "",
                basic=True,
                digest_seen=seen,
                stale_believed=learnt.stale_believed,
            )
        self.session = ""
        self.login_accepted = False
        self.permit: Permit | None = None
        self._doubted = False
        """For the attempt that is being made."""
        self.permits: Permits | None = None
        """Set once the session plays: whoever opened it has given the permission for that back."""

    @property
    def connection(self) -> CameraConnection:
        """The present one."""
        assert self._connection is not None, "it has not been entered"
        return self._connection

    @property
    def login_at_stake(self) -> bool:
        """Whether a refusal may be one of our login: it is being sent, and was not accepted yet."""
        return not self.login_accepted and self._login is not None and self._login.challenged

    @property
    def may_redial(self) -> bool:
        """Whether what was lost can be begun again: no session, and no second connection yet."""
        return not self.session and not self._redialled

    async def __aenter__(self) -> Self:
        self._connection = await self._dial()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.connection.close()

    async def redial(self) -> None:
        """Connect once more. Raises HubError."""
        self._redialled = True
        self.connection.close()
        self._connection = await self._dial()

    async def _dial(self) -> CameraConnection:
        tls = self._url.startswith("rtsps:")
        return await dial(self._source.address, self._source.port, tls=tls, reader=self._reader)

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        deadline: float = ANSWER_DEADLINE,
        *,
        nudge: bool = False,
    ) -> Response:
        """Send a request, again with credentials when the camera demands them (401), and on a new connection where the
        camera has answered on this one and then closed it. Raises HubError.

        Returns the answer with any other status, errors included. `nudge`: send OPTIONS to a camera that is silent.
        """
        try:
            return await self._signed(method, url, headers, deadline, nudge=nudge)
        except HubError as error:
            closed = error.reason == Reason.UNREACHABLE and self.connection.responses.answered
            if not closed or not self.may_redial:
                raise
        await self.redial()
        return await self._signed(method, url, headers, deadline, nudge=False)

    async def _signed(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        deadline: float,
        *,
        nudge: bool,
        permitted: bool = False,
    ) -> Response:
        for _ in range(_TIMES):
            signed = self._login is not None and self._login.challenged
            fresh = self._login is not None and self._login.fresh
            answer = await self._exchange(method, url, headers or {}, deadline, nudge=nudge)
            quirk = self.connection.responses.quirk
            if quirk and self._learnt.get(PeculiarityKind.RTSP_CSEQ) is None:
                self._learnt.note(PeculiarityKind.RTSP_CSEQ, quirk)
            if answer.status != 401:
                if self._login is not None and signed:
                    self._login.accepted()
                    self.login_accepted = self.login_accepted or answer.status < 400
                    if answer.status < 400:
                        self._end_doubt()
                return answer
            if self._login is None:
                raise HubError(
                    Kind.UNAUTHENTICATED,
                    "the camera demands a login, and none is stored; enter user name and password of the device",
                    reason=Reason.LOGIN_NEEDED,
                )
            outcome = self._login.unauthorized(answer.headers.get("www-authenticate", ()))
            self._learnt.stale_believed = self._login.stale_believed
            if self._login.digest_seen:
                self._learnt.note(PeculiarityKind.DIGEST_OFFERED, "yes")
            if self.permits is not None and not permitted:
                # Every session of a device may come here in the same minute, when its password was changed.
                async with self.permits() as permit:
                    if outcome is not AuthOutcome.TRY:
                        raise _refused(outcome)
                    self.permit, self._doubted = permit, False
                    self._note_doubt()
                    answer = await self._signed(method, url, headers, deadline, nudge=False, permitted=True)
                    if self._login.challenged:
                        permit.accepted()
                    return answer
            if outcome is not AuthOutcome.TRY:
                raise _refused(outcome)
            self._note_doubt()
            if fresh and self.permit is not None:
                await self.permit.again()
        raise _refused(AuthOutcome.REFUSED)

    def _note_doubt(self) -> None:
        """The last 401 answered what an accepted challenge had signed: perhaps a refused try of the permit."""
        if self._login is not None and self._login.unsure and self.permit is not None:
            self._doubted = True
            self.permit.doubted()

    def _end_doubt(self) -> None:
        if self._doubted and self.permit is not None:
            self._doubted = False
            self.permit.accepted()

    def post(self, method: str, url: str) -> None:
        """Send a request whose answer does not matter. Raises HubError for what cannot be sent."""
        self.connection.post(method, url, self._common(method, url))

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], deadline: float, *, nudge: bool
    ) -> Response:
        """One request and its answer."""
        connection = self.connection
        pending = connection.send(method, url, {**headers, **self._common(method, url)})
        if nudge and not await pending.wait(PATIENCE):
            options = connection.send("OPTIONS", url, self._common("OPTIONS", url))
            await first_of([pending, options], deadline)
            if options.answered and not await pending.wait(GRACE):
                pending.give_up()
                pending = connection.send(method, url, {**headers, **self._common(method, url)})
                answer = await pending.answer(deadline)
                self._learnt.note(PeculiarityKind.RTSP_OPTIONS_FIRST, "yes")
                return answer
            options.give_up()
        return await pending.answer(deadline)

    def _common(self, method: str, url: str) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT}
        if self.session:
            headers["Session"] = self.session
        if self._login is not None and (value := self._login.authorization(method, url, secrets.token_hex(8))):
            headers["Authorization"] = value
        return headers


def checked(method: str, answer: Response, *, login_at_stake: bool = False) -> Response:
    """The answer if it is a success (2xx). Raises HubError. `login_at_stake`: see SessionRequests."""
    status = answer.status
    if 200 <= status < 300:
        return answer
    if 300 <= status < 400:
        raise HubError(
            Kind.UNSUPPORTED,
            f"the camera redirects to another address ({method}: {status}), which the hub does not follow; register "
            "the stream's real address",
            reason=Reason.REDIRECTED,
        )
    other = (Kind.UNAVAILABLE, Reason.BAD_REPLY, "the camera refuses the request; restart it, or update its firmware")
    kind, reason, sentence = _STATUS.get(status, other)
    if status == 403 and not login_at_stake:
        kind, reason, sentence = _FORBIDDEN  # no login was sent, or it was accepted: it is not what is wrong
    raise HubError(kind, f"{sentence} ({method}: {status})", reason=reason, status=status)


def _refused(outcome: AuthOutcome) -> HubError:
    match outcome:
        case AuthOutcome.UNANSWERABLE:
            reason, sentence = (
                Reason.BAD_REPLY,
                "the camera demands a login in a way that the hub does not know (neither Digest with SHA-256 or MD5, "
                "nor Basic); change the authentication of RTSP in the camera",
            )
        case AuthOutcome.DOWNGRADED:
            reason, sentence = (
                Reason.BAD_REPLY,
                "the camera asked for the password in the clear (Basic) after it had offered Digest; the password was "
                "not sent: check whether this is still the same device, and set its RTSP authentication to Digest",
            )
        case _:
            reason, sentence = (
                Reason.WRONG_PASSWORD,
                "the camera refuses user name or password; correct the device's login",
            )
    return HubError(Kind.UNAUTHENTICATED, sentence, reason=reason)
