"""Access, built and connected: accounts, sessions, sign-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.access.accounts import Accounts
from camera_hub.access.grant_times import GrantTimes
from camera_hub.access.known_browsers import KnownBrowsers
from camera_hub.access.passwords import Passwords
from camera_hub.access.sessions import Sessions
from camera_hub.access.setup import FirstSetup
from camera_hub.access.sign_in import SignIn
from camera_hub.access.throttle import Throttle
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class AccessParts:
    """What others need of access."""

    sessions: Sessions
    accounts: Accounts
    throttle: Throttle
    sign_in: SignIn
    setup: FirstSetup

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            Sessions: self.sessions,
            Accounts: self.accounts,
            Throttle: self.throttle,
            SignIn: self.sign_in,
            FirstSetup: self.setup,
        }


@asynccontextmanager
async def access_parts(core: CoreParts, passwords: Passwords | None) -> AsyncIterator[AccessParts]:
    """Access, with the times of grants running; `passwords` None: as the settings say."""
    settings, database, clock = core.settings.access, core.database, core.clock
    passwords = passwords or Passwords(settings.password_min_length)
    sessions = Sessions(database, clock, settings.session_hours)
    accounts = Accounts(database, clock, core.bus, passwords, sessions)
    throttle = Throttle(database, clock, settings.login_failures, settings.login_failure_minutes)
    known = KnownBrowsers(core.vault.derived("known browsers"), clock)
    async with GrantTimes(database, clock, core.bus, sessions):
        yield AccessParts(
            sessions,
            accounts,
            throttle,
            SignIn(accounts, sessions, throttle, known),
            FirstSetup(database, clock, accounts, settings.setup_link_minutes),
        )
