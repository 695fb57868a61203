"""Login permits: the hub is asked before each attempt with a login. Only it knows what ONVIF and other relays tried,
and so how many attempts are left before the device locks the account.

What a relay says of an attempt is the contract of cameras.credentials.login_budget: "accepted" as soon as the camera
answers a signed request with something that only a right login gets; "refused" when it refused a signed request
(HubError with WRONG_PASSWORD or LOCKED_OUT, unless `untried` says that the login was not sent); "doubted" when it
answered what an accepted challenge had signed with another challenge; "over" for all else.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.messages import FeedSpec, LoginMay, LoginSaid

Outcome = Literal["accepted", "doubted", "refused", "over"]
_REFUSED = frozenset({Reason.WRONG_PASSWORD, Reason.LOCKED_OUT})

WAIT_SECONDS = 120.0
"""For the hub's answer. It may take long: each channel of a silent recorder waits for the ones before to time out."""


class LoginPermit:
    """Permission for one attempt. Call `accepted` as soon as the camera accepts the login: others wait for that."""

    def __init__(
        self,
        report: Callable[[Outcome, str | None], None] | None = None,
        another: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._report = report
        self._another = another
        self._reported = False

    def accepted(self) -> None:
        """The camera has accepted the login; reported once."""
        if self._report is not None and not self._reported:
            self._reported = True
            self._report("accepted", None)

    def doubted(self) -> None:
        """The camera has answered what an accepted challenge had signed with another one: perhaps it refuses the login.
        `accepted` ends the doubt."""
        if self._report is not None:
            self._reported = False
            self._report("doubted", None)

    async def again(self) -> None:
        """The camera has refused the signed request, and another one is to follow: it is another attempt. Raises
        HubError where that is not permitted.
        """
        if self._another is not None:
            self._reported = False
            await self._another()


class LoginPermitRequests:
    """Of one relay. `post` sends to the hub; without `asks` (no hub that answers) every attempt is permitted."""

    def __init__(self, post: Callable[[dict[str, Any]], None], *, asks: bool) -> None:
        self._post = post
        self._asks = asks
        self._turns = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[LoginMay]] = {}

    def on_answer(self, answer: LoginMay) -> None:
        """A login.may message of the hub; late ones are ignored."""
        future = self._waiting.get(answer.turn)
        if future is not None and not future.done():
            future.set_result(answer)

    @asynccontextmanager
    async def trying(self, spec: FeedSpec) -> AsyncIterator[LoginPermit]:
        """Hold this while a session with a login is being opened, or answers another challenge; without a login nothing
        is asked.

        Raises HubError: UNAUTHENTICATED with the hub's reason and `retry_in` while the login must not be tried,
        BUSY when the hub has not answered within WAIT_SECONDS.
        """
        if not self._asks or spec.username is None:
            yield LoginPermit()
            return
        turn, future = self._ask(spec)

        def report(outcome: Outcome, reason: str | None) -> None:
            self._post(LoginSaid(turn, outcome, reason).head("login.said"))

        async def another() -> None:
            nonlocal turn
            report("refused", Reason.WRONG_PASSWORD)
            del self._waiting[turn]
            turn, future = self._ask(spec)
            _check_permitted(await self._answer(future))

        refused: str | None = None
        try:
            _check_permitted(await self._answer(future))
            yield LoginPermit(report, another)
        except HubError as error:
            if error.reason in _REFUSED and not error.params.get("untried"):
                refused = error.reason
            raise
        finally:
            del self._waiting[turn]
            report("refused" if refused is not None else "over", refused)

    def _ask(self, spec: FeedSpec) -> tuple[int, asyncio.Future[LoginMay]]:
        turn = next(self._turns)
        future = self._waiting[turn] = asyncio.get_running_loop().create_future()
        self._post({"type": "login.ask", "feed": spec.feed, "turn": turn})
        return turn, future

    @staticmethod
    async def _answer(future: "asyncio.Future[LoginMay]") -> LoginMay:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await future
        except TimeoutError as error:
            raise HubError(
                Kind.BUSY,
                f"other streams of this device are still being opened after {WAIT_SECONDS:g} s; the next attempt "
                "follows by itself",
                reason=Reason.BUSY,
            ) from error


def _check_permitted(answer: LoginMay) -> None:
    if answer.reason is not None:
        raise HubError(
            Kind.UNAUTHENTICATED, answer.detail, reason=answer.reason, retry_in=answer.retry_in, untried=True
        )
