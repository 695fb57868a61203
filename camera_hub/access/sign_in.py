"""Signing in: throttle, password, session, in that order, and the same answer whatever is wrong."""

from dataclasses import dataclass, field

from camera_hub.access.accounts import Account, Accounts
from camera_hub.access.known_browsers import KnownBrowsers
from camera_hub.access.sessions import Sessions
from camera_hub.access.throttle import SignInAttempt, Throttle
from camera_hub.errors import HubError, Kind


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. The token goes into the session's cookie and nowhere else, `known` into that of the browser."""

    account: Account
    token: str = field(repr=False)
    known: str = field(repr=False)


class SignIn:
    """Turns a name and a password into a session."""

    def __init__(self, accounts: Accounts, sessions: Sessions, throttle: Throttle, browsers: KnownBrowsers) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._throttle = throttle
        self._browsers = browsers

    async def __call__(self, username: str, password: str, *, address: str, agent: str, known: str = "") -> SignedIn:
        """`known`: the cookie that says for which accounts the browser is known.

        Raises HubError: UNAUTHENTICATED "sign_in_failed" (whichever was wrong), BUSY "too_many_failures".
        """
        username = username.strip()
        browser = self._browsers.browser(known, username)
        attempt = SignInAttempt(username, address, browser)
        await self._throttle.attempt(attempt)
        try:
            account = await self._accounts.check(username, password, stranger=not browser)
        except HubError:
            await self._throttle.untold(attempt)
            raise
        if account is None:
            raise HubError(
                Kind.UNAUTHENTICATED,
                "user name or password is wrong, or the account is disabled",
                reason="sign_in_failed",
            )
        await self._throttle.succeeded(attempt)
        return await self.start(account, address=address, agent=agent, known=known)

    async def start(self, account: Account, *, address: str, agent: str, known: str = "") -> SignedIn:
        """A session for an account whose user has proved to be who they are; the browser is known from now on."""
        token = await self._sessions.start(account.id, address=address, agent=agent)
        return SignedIn(account, token, self._browsers.with_account(known, account.username))
