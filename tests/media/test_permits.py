"""Turns of login tries that relays hold, on the hub's side."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from camera_hub.cameras.credentials.login_budget import LoginBudget, device_account
from camera_hub.errors import Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.login_permits import LoginPermits
from camera_hub.relay.messages import LoginMay, LoginSaid
from tests.fakes.clock import ManualClock

NVR = device_account(1, 1)


class Site:
    """Two relay processes and one recorder."""

    def __init__(self, clock: ManualClock, background: Background) -> None:
        self.clock = clock
        self.budget = LoginBudget(clock)
        self.permits = LoginPermits(self.budget, background)
        self.answers: dict[tuple[int, int], LoginMay] = {}

    async def ask(self, process: int, turn: int) -> LoginMay | None:
        """Ask; what is answered at once, None for one that must wait."""
        self.permits.ask(process, turn, NVR, lambda answer: self.answers.__setitem__((process, answer.turn), answer))
        await self.clock.settle()
        return self.answers.get((process, turn))

    async def say(self, process: int, turn: int, outcome: Literal["accepted", "refused", "over"]) -> None:
        self.permits.said(process, LoginSaid(turn, outcome))
        await self.clock.settle()


@pytest.fixture
async def site(clock: ManualClock) -> AsyncIterator[Site]:
    async with Background() as background:
        yield Site(clock, background)


async def test_of_two_relays_one_tries_a_login_and_both_hear_that_it_is_wrong(site: Site) -> None:
    assert await site.ask(1, 1) == LoginMay(1)
    assert await site.ask(2, 1) is None
    await site.say(1, 1, "refused")
    assert site.answers[2, 1] == LoginMay(1)
    assert await site.ask(1, 2) is None
    await site.say(2, 1, "refused")
    told = site.answers[1, 2]
    assert told.reason == Reason.WRONG_PASSWORD
    assert told.retry_in == pytest.approx(1800)


async def test_a_relay_that_dies_leaves_its_turn_to_the_next_and_nothing_is_held_against_the_login(site: Site) -> None:
    assert await site.ask(1, 1) == LoginMay(1)
    assert await site.ask(1, 2) is None
    assert await site.ask(2, 1) is None
    site.permits.gone(1)
    await site.clock.settle()
    assert (1, 2) not in site.answers
    assert site.answers[2, 1] == LoginMay(1)
    await site.say(2, 1, "refused")
    assert site.budget.wait(NVR, "rtsp") == 0


async def test_a_relay_that_gives_up_waiting_takes_no_turn(site: Site) -> None:
    assert await site.ask(1, 1) == LoginMay(1)
    assert await site.ask(2, 1) is None
    await site.say(2, 1, "over")
    await site.say(1, 1, "accepted")
    assert (2, 1) not in site.answers
    assert await site.ask(2, 2) == LoginMay(2), "told early: the first one goes on meanwhile"
    await site.say(1, 1, "over")
    await site.say(2, 2, "over")
    assert await site.ask(1, 3) == LoginMay(3)


async def test_a_feed_that_is_no_longer_wanted_is_told_so(site: Site) -> None:
    heard: list[LoginMay] = []
    site.permits.ask(1, 1, None, heard.append)
    assert [answer.reason for answer in heard] == [Reason.BUSY]
