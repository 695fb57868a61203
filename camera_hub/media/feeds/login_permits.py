"""Relays ask before each try of a login; here the question meets the device's one account of tries."""

import logging
from collections.abc import Callable

from camera_hub.cameras.credentials.login_budget import Attempt, LoginBudget, LoginKey
from camera_hub.errors import HubError, Reason
from camera_hub.media.background import Background
from camera_hub.relay.messages import LoginMay, LoginSaid

log = logging.getLogger(__name__)


class LoginPermits:
    """Turns that relays hold, by relay process and number. A turn ends with its relay at the latest."""

    def __init__(self, logins: LoginBudget, background: Background) -> None:
        self._logins = logins
        self._background = background
        self._held: dict[tuple[int, int], Attempt] = {}

    def ask(self, process: int, turn: int, account: LoginKey | None, answer: Callable[[LoginMay], object]) -> None:
        """A login.ask message of that process; `account` None: the feed is not wanted any more."""
        if account is None:
            answer(LoginMay(turn, Reason.BUSY, "the feed is being closed"))
            return
        self._background.start(_name(process, turn), self._begin(process, turn, account, answer))

    def said(self, process: int, said: LoginSaid) -> None:
        """A login.said message. What is still waiting for its turn is given up."""
        attempt = self._held.get((process, said.turn))
        if attempt is None:
            self._background.stop(_name(process, said.turn))
        elif said.outcome == "accepted":
            attempt.accepted()
        else:
            if said.outcome == "refused":
                attempt.refused(said.reason or Reason.WRONG_PASSWORD)
            attempt.end()
            del self._held[process, said.turn]

    def gone(self, process: int) -> None:
        """The process has ended: what it was about to try was not heard of."""
        self._background.stop_all(f"login turn {process}/")
        for key in [key for key in self._held if key[0] == process]:
            self._held.pop(key).end()

    async def _begin(self, process: int, turn: int, account: LoginKey, answer: Callable[[LoginMay], object]) -> None:
        try:
            attempt = await self._logins.begin(account, "rtsp")
        except HubError as error:
            answer(LoginMay(turn, error.reason, error.detail, error.params.get("retry_in")))
            return
        self._held[process, turn] = attempt
        answer(LoginMay(turn))


def _name(process: int, turn: int) -> str:
    return f"login turn {process}/{turn}"
