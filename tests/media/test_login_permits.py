"""Turns of login tries that relays hold, on the hub's side."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.login_memory import LoginKey
from camera_hub.errors import Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.login_permits import LoginPermits
from camera_hub.relay.messages import LoginMay, LoginSaid
from tests.fakes.clock import ManualClock

NVR = LoginKey("192.0.2.7", 554, "a login", 1, 1)


KEY = FeedKey(0, "s1")


@dataclass
class Process:
    """A relay process; keeps what it is answered."""

    id: int
    answers: dict[int, LoginMay] = field(default_factory=dict)

    def post(self, type_: str, values: dict[str, Any]) -> None:
        assert type_ == "login.may"
        answer = LoginMay.of(values)
        self.answers[answer.turn] = answer


class Accounts:
    """The one recorder's account; none for a feed that is not wanted."""

    def account(self, key: FeedKey) -> LoginKey | None:
        return NVR if key == KEY else None


class Site:
    """Two relay processes and one recorder."""

    def __init__(self, clock: ManualClock, background: Background) -> None:
        self.clock = clock
        self.budget = LoginBudget(clock)
        self.permits = LoginPermits(self.budget, Accounts(), background)
        self.processes = {number: Process(number) for number in (1, 2)}

    async def ask(self, process: int, turn: int) -> LoginMay | None:
        """Ask; what is answered at once, None for one that must wait."""
        self.permits.on_login_request(self.processes[process], KEY, turn)
        await self.clock.settle()
        return self.answer(process, turn)

    def answer(self, process: int, turn: int) -> LoginMay | None:
        """What has been answered so far."""
        return self.processes[process].answers.get(turn)

    async def say(self, process: int, turn: int, outcome: Literal["accepted", "doubted", "refused", "over"]) -> None:
        self.permits.on_outcome(process, LoginSaid(turn, outcome))
        await self.clock.settle()


@pytest.fixture
async def site(clock: ManualClock) -> AsyncIterator[Site]:
    async with Background() as background:
        yield Site(clock, background)


async def test_of_two_relays_one_tries_a_login_and_both_hear_that_it_is_wrong(site: Site) -> None:
    assert await site.ask(1, 1) == LoginMay(1)
    assert await site.ask(2, 1) is None
    await site.say(1, 1, "refused")
    assert site.answer(2, 1) == LoginMay(1)
    assert await site.ask(1, 2) is None
    await site.say(2, 1, "refused")
    told = site.answer(1, 2)
    assert told is not None
    assert told.reason == Reason.WRONG_PASSWORD
    assert told.retry_in == pytest.approx(1800)


async def test_a_relay_that_dies_leaves_its_turn_to_the_next_and_its_try_counts_as_one(site: Site) -> None:
    assert await site.ask(1, 1) == LoginMay(1)
    assert await site.ask(1, 2) is None
    assert await site.ask(2, 1) is None
    site.permits.on_process_ended(1)
    await site.clock.settle()
    assert site.answer(1, 2) is None
    assert site.answer(2, 1) == LoginMay(1)
    assert site.budget.wait(NVR, "rtsp") == 0
    assert site.budget.pause(1).tries_left == 5
    await site.say(2, 1, "accepted")
    assert site.budget.pause(1).tries_left == 6
    site.permits.on_process_ended(2)
    assert site.budget.pause(1).tries_left == 6, "that login was right"


async def test_a_doubt_counts_with_the_refusal_after_it(site: Site) -> None:
    assert await site.ask(1, 1) == LoginMay(1)
    await site.say(1, 1, "accepted")
    await site.say(1, 1, "doubted")
    await site.say(1, 1, "refused")
    assert site.budget.pause(1).tries_left == 4


async def test_a_relay_that_gives_up_waiting_takes_no_turn(site: Site) -> None:
    assert await site.ask(1, 1) == LoginMay(1)
    assert await site.ask(2, 1) is None
    await site.say(2, 1, "over")
    await site.say(1, 1, "accepted")
    assert site.answer(2, 1) is None
    assert await site.ask(2, 2) == LoginMay(2), "told early: the first one goes on meanwhile"
    await site.say(1, 1, "over")
    await site.say(2, 2, "over")
    assert await site.ask(1, 3) == LoginMay(3)


async def test_a_feed_that_is_no_longer_wanted_gets_none(site: Site) -> None:
    site.permits.on_login_request(site.processes[1], FeedKey(0, "gone"), 1)
    answer = site.answer(1, 1)
    assert answer is not None
    assert answer.reason == Reason.BUSY
