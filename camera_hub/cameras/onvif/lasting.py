"""What conversations have in common that last: the way to the device, and the try of the login budget behind them."""

from camera_hub.cameras.credentials.login_budget import Attempt
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.endings import ENVELOPE
from camera_hub.cameras.http.messages import HttpPeer, HttpReply, HttpRequest
from camera_hub.cameras.onvif.conversation import LARGE
from camera_hub.cameras.onvif.envelopes import read_envelope
from camera_hub.cameras.onvif.faults import wants_login
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError


class LastingTry:
    """The budget's attempt as the conversation sees it; `proved` once the login was accepted."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.proved = False

    def accepted(self) -> None:
        self.proved = True
        self._attempt.accepted()

    def doubted(self) -> None:
        self._attempt.doubted()

    def forbidden(self) -> None:
        self._attempt.forbidden()

    def refused(self, reason: str) -> None:
        self._attempt.refused(reason)

    async def again(self, reason: str) -> bool:
        return await self._attempt.again(reason)


class LastingLine:
    """Implements conversation.SoapLine. `seconds`: for the next call. `refusals`: signed requests refused in a row."""

    def __init__(self, http: DeviceHttp, peer: HttpPeer, check: Check, seconds: float) -> None:
        self._http = http
        self._peer = peer
        self._check = check
        self.seconds = seconds
        self.refusals = 0

    async def send(self, request: HttpRequest) -> HttpReply:
        deadline = Deadline(self.seconds)
        reply = await self._http.exchange(self._peer, request, deadline, check=self._check, ending=ENVELOPE)
        if request.signed:
            self.refusals = self.refusals + 1 if refuses_login(reply) else 0
        return reply


def refuses_login(reply: HttpReply) -> bool:
    """Whether the answer to a signed request refuses the login, or this user the call.

    The words of its fault decide, never the text around them: devices declare the namespaces of WS-Security in every
    envelope.
    """
    if reply.status == 401 or reply.status < 400:
        return reply.status == 401
    if len(reply.body) > LARGE:
        return False
    try:
        words = read_envelope(reply.body, reply.first("content-type")).fault
    except HubError:
        return False
    return wants_login(reply.status, words)
