"""Relays ask before each attempt with a login; here the request meets the account that counts the device's attempts."""

from typing import Any, Protocol

from camera_hub.cameras.credentials.login_budget import Attempt, LoginBudget
from camera_hub.cameras.credentials.login_memory import LoginKey
from camera_hub.errors import HubError, Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.relay.messages import LoginMay, LoginSaid


class LoginProcess(Protocol):
    """A relay process that asks for permits (relays.process)."""

    @property
    def id(self) -> int: ...
    def post(self, type_: str, values: dict[str, Any]) -> None: ...


class LoginAccounts(Protocol):
    """At which account a feed's attempts are counted (feeds.feed_logins)."""

    def account(self, key: FeedKey) -> LoginKey | None: ...


class LoginPermits:
    """Permits that relays hold, by relay process and number. A permit ends with its process at the latest."""

    def __init__(self, logins: LoginBudget, accounts: LoginAccounts, background: Background) -> None:
        self._logins = logins
        self._accounts = accounts
        self._background = background
        self._held: dict[tuple[int, int], Attempt] = {}

    def on_login_request(self, process: LoginProcess, key: FeedKey, turn: int) -> None:
        """A login.ask message of that process."""
        account = self._accounts.account(key)
        if account is None:
            _answer(process, LoginMay(turn, Reason.BUSY, "the feed is being closed"))
            return
        self._background.start(_name(process.id, turn), self._begin(process, turn, account))

    def on_outcome(self, process: int, said: LoginSaid) -> None:
        """A login.said message. A request that still waits for its permit is given up."""
        attempt = self._held.get((process, said.turn))
        if attempt is None:
            self._background.stop(_name(process, said.turn))
        elif said.outcome == "accepted":
            attempt.accepted()
        elif said.outcome == "doubted":
            attempt.doubted()
        else:
            if said.outcome == "refused":
                attempt.refused(said.reason or Reason.WRONG_PASSWORD)
            attempt.end()
            del self._held[process, said.turn]

    def on_process_ended(self, process: int) -> None:
        """The process has ended: nobody knows what became of its attempts."""
        self._background.stop_all(f"login permit {process}/")
        for key in [key for key in self._held if key[0] == process]:
            self._held.pop(key).lost()

    async def _begin(self, process: LoginProcess, turn: int, account: LoginKey) -> None:
        try:
            attempt = await self._logins.begin(account, "rtsp")
        except HubError as error:
            _answer(process, LoginMay(turn, error.reason, error.detail, error.params.get("retry_in")))
            return
        self._held[process.id, turn] = attempt
        _answer(process, LoginMay(turn))


def _answer(process: LoginProcess, may: LoginMay) -> None:
    process.post("login.may", may.head("login.may"))


def _name(process: int, turn: int) -> str:
    return f"login permit {process}/{turn}"
