"""Signing in: throttle, password, session, in that order, and the same answer whatever is wrong."""

from dataclasses import dataclass, field

from camera_hub.access.accounts import Account, Accounts
from camera_hub.access.sessions import Sessions
from camera_hub.access.throttle import Throttle
from camera_hub.errors import HubError, Kind


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; the token goes into the cookie and nowhere else."""

    account: Account
    token: str = field(repr=False)


class SignIn:
    """Turns a name and a password into a session."""

    def __init__(self, accounts: Accounts, sessions: Sessions, throttle: Throttle) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._throttle = throttle

    async def __call__(self, username: str, password: str, *, address: str, agent: str) -> SignedIn:
        """Raises HubError: UNAUTHENTICATED "sign_in_failed" (whichever was wrong), BUSY "too_many_failures"."""
        username = username.strip()
        await self._throttle.attempt(username, address)
        account = await self._accounts.check(username, password)
        if account is None:
            raise HubError(
                Kind.UNAUTHENTICATED,
                "user name or password is wrong, or the account is disabled",
                reason="sign_in_failed",
            )
        await self._throttle.succeeded(username, address)
        return SignedIn(account, await self._sessions.start(account.id, address=address, agent=agent))
