"""Leave to try a login, asked of the hub before each open: it alone knows what ONVIF and other relays have tried."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.messages import FeedSpec, LoginMay, LoginSaid

WAIT_SECONDS = 120.0
"""A turn may be long in coming: every channel of a silent recorder waits for the ones before it to time out."""


class LoginPermit:
    """Leave for one open. `accepted` as soon as the camera has taken the login: others then need not wait."""

    def __init__(self, say: Callable[[Literal["accepted", "refused", "over"], str | None], None] | None = None) -> None:
        self._say = say
        self._told = False

    def accepted(self) -> None:
        if self._say is not None and not self._told:
            self._told = True
            self._say("accepted", None)


class LoginPermitRequests:
    """Of one relay. `post` sends to the hub; without `asks` (no hub that answers) every try is free."""

    def __init__(self, post: Callable[[dict[str, Any]], None], *, asks: bool) -> None:
        self._post = post
        self._asks = asks
        self._turns = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[LoginMay]] = {}

    def heard(self, answer: LoginMay) -> None:
        """A login.may message; late ones are ignored."""
        future = self._waiting.get(answer.turn)
        if future is not None and not future.done():
            future.set_result(answer)

    @asynccontextmanager
    async def trying(self, spec: FeedSpec) -> AsyncIterator[LoginPermit]:
        """Hold while a session with a login is being opened. Raises HubError while the login must not be tried."""
        if not self._asks or spec.username is None:
            yield LoginPermit()
            return
        turn = next(self._turns)

        def say(outcome: Literal["accepted", "refused", "over"], reason: str | None) -> None:
            self._post(LoginSaid(turn, outcome, reason).head("login.said"))

        reason: str | None = None
        future = self._waiting[turn] = asyncio.get_running_loop().create_future()
        self._post({"type": "login.ask", "feed": spec.feed, "turn": turn})
        try:
            _granted(await self._answer(future))
            yield LoginPermit(say)
        except HubError as error:
            reason = error.reason
            raise
        finally:
            del self._waiting[turn]
            say("refused" if reason == Reason.WRONG_PASSWORD else "over", reason)

    @staticmethod
    async def _answer(future: "asyncio.Future[LoginMay]") -> LoginMay:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await future
        except TimeoutError as error:
            busy = "the device's other streams are still being opened"
            raise HubError(Kind.BUSY, busy, reason=Reason.BUSY) from error


def _granted(answer: LoginMay) -> None:
    if answer.reason is not None:
        raise HubError(
            Kind.UNAUTHENTICATED, answer.detail, reason=answer.reason, retry_in=answer.retry_in, untried=True
        )
