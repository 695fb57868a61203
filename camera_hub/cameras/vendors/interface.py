"""One device's own HTTP interface for the length of one operation: reads only, under one deadline and one login.

The password is never sent in the clear there: every vendor's interface knows Digest, so Basic is what something else
asks for.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.messages import HttpReply, HttpRequest
from camera_hub.cameras.http.signed_http import HttpTarget
from camera_hub.cameras.vendors import refusals
from camera_hub.errors import HubError, Kind, Reason

_CALL_SECONDS = 6.0
_DO_WITHOUT = frozenset({Reason.NO_RIGHTS, Reason.BAD_REPLY, Reason.DEVICE_FULL, Reason.REDIRECTED})
"""Why a call may fail without ending the operation. All else, the next call would meet too."""
_UNFINISHED = frozenset({Reason.TIMED_OUT, Reason.REPLY_TOO_LARGE})
"""What of an optional call can be done without, and not of one whose answer would be mistaken for "there is none"."""


class Asking(Protocol):
    """What this needs of cameras.http.signed_http."""

    async def ask(
        self, target: HttpTarget, request: HttpRequest, deadline: Deadline, *, login_proved: bool = False
    ) -> HttpReply:
        """The answer to the request."""
        ...


class VendorInterface:
    """`vendor`: whose, for errors. `now`: the hub's time."""

    def __init__(
        self, http: Asking, target: HttpTarget, deadline: Deadline, vendor: str, now: Callable[[], datetime]
    ) -> None:
        self._http = http
        self._target = target
        self._deadline = deadline
        self._vendor = vendor
        self._now = now
        self._proved = False
        self.no_rights: HubError | None = None
        """Of the last call that this user may not make."""

    def now(self) -> datetime:
        """The hub's time."""
        return self._now()

    async def get(self, path: str) -> HttpReply | None:
        """The answer, None where the device does not offer that. Raises HubError with the Reason."""
        return await self._ask(HttpRequest("GET", path))

    async def search(self, path: str, question: bytes) -> HttpReply | None:
        """As `get`, for what is asked by an XML document: nothing changes by that, so it may be sent again."""
        return await self._ask(HttpRequest("POST", path, {"Content-Type": "application/xml; charset=UTF-8"}, question))

    async def _ask(self, request: HttpRequest) -> HttpReply | None:
        self._deadline.check()
        reply = await self._http.ask(
            self._target, request, self._deadline.within(_CALL_SECONDS), login_proved=self._proved
        )
        if (error := refusals.of_reply(reply, self._vendor, self._now())) is not None:
            raise error
        self._proved = True
        return reply if reply.status == 200 else None

    async def tolerant(self, path: str, *, needed: bool = False) -> HttpReply | None:
        """As `get`, None also where the device refuses what can be done without. `needed`: an answer that is too slow
        or too large is an error all the same."""
        return await self._tolerated(self.get(path), needed=needed)

    async def tolerant_search(self, path: str, question: bytes) -> HttpReply | None:
        """As `search`, None also where the device refuses what can be done without."""
        return await self._tolerated(self.search(path, question), needed=False)

    async def _tolerated(self, asking: Awaitable[HttpReply | None], *, needed: bool) -> HttpReply | None:
        try:
            return await asking
        except HubError as error:
            if error.reason not in _DO_WITHOUT and (needed or error.reason not in _UNFINISHED):
                raise
            if error.reason == Reason.NO_RIGHTS:
                self.no_rights = error
            return None

    def without_channels(self) -> HubError:
        """The error for a recorder that lists no channel."""
        return self.no_rights or HubError(
            Kind.UNREACHABLE, "the recorder lists no channel; add cameras to it first", reason=Reason.NO_MEDIA
        )
