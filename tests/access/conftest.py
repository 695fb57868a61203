"""The access room put together as app.py does, with a hash that costs nothing."""

from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher

from camera_hub.access.accounts import Accounts
from camera_hub.access.known_browsers import KnownBrowsers
from camera_hub.access.passwords import Passwords
from camera_hub.access.sessions import Sessions
from camera_hub.access.setup import FirstSetup
from camera_hub.access.sign_in import SignIn
from camera_hub.access.throttle import Throttle
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock

CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Real argon2id at its lowest cost."""


def cheap_passwords(min_length: int = 10) -> Passwords:
    return Passwords(min_length, CHEAP_HASHER)


@dataclass(frozen=True)
class Room:
    passwords: Passwords
    sessions: Sessions
    accounts: Accounts
    throttle: Throttle
    sign_in: SignIn
    setup: FirstSetup


@pytest.fixture
def room(database: Database, clock: ManualClock, bus: EventBus) -> Room:
    passwords = cheap_passwords()
    sessions = Sessions(database, clock, 12)
    accounts = Accounts(database, clock, bus, passwords, sessions)
    throttle = Throttle(database, clock, 3, 15)
    return Room(
        passwords,
        sessions,
        accounts,
        throttle,
        SignIn(accounts, sessions, throttle, KnownBrowsers(bytes(32), clock)),
        FirstSetup(database, clock, accounts, 60),
    )
