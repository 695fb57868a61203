"""The pure rules of steering: who holds a camera, what is due at it, and wishes in the numbers of a device."""

from datetime import UTC, datetime, timedelta

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.onvif.ptz import PtzNode, PtzRange, PtzSpace, PtzStatus, PtzVector
from camera_hub.cameras.ptz import watchdog
from camera_hub.cameras.ptz.capabilities import centred, step, velocity
from camera_hub.cameras.ptz.home import HomeReturn
from camera_hub.cameras.ptz.lock import Claim, PtzHolder, PtzLock, claim, person, released, tour
from camera_hub.cameras.ptz.presets import unique_names
from camera_hub.cameras.ptz.store import NO_PLAN, HomePlan
from camera_hub.cameras.ptz.watchdog import Motion


def who(user_id: int, role: Role) -> Actor:
    return Actor(user_id, f"u{user_id}", f"用户{user_id}", role)


ADMIN, FIRST, SECOND = who(1, Role.TOWNSHIP_ADMIN), who(2, Role.OPERATOR), who(3, Role.OPERATOR)
KEEPER = who(4, Role.MAINTAINER)


@pytest.mark.parametrize(
    ("holds", "asks", "granted"),
    [
        (tour(1, "早巡"), person(KEEPER), True),
        (tour(1, "早巡"), tour(2, "晚巡"), False),
        (person(KEEPER), person(FIRST), True),
        (person(FIRST), person(SECOND), False),
        (person(FIRST), person(FIRST), True),
        (person(FIRST), person(ADMIN), True),
        (person(ADMIN), person(FIRST), False),
        (person(KEEPER), tour(1, "早巡"), False),
    ],
)
def test_who_may_take_over(holds: PtzHolder, asks: PtzHolder, granted: bool) -> None:
    lock = PtzLock(holds, 115.0)
    found = claim(lock, asks, 100.0, 15.0)
    assert found.granted is granted
    assert found.lock.holder is (asks if granted else holds)
    assert claim(lock, asks, 115.0, 15.0) == Claim(True, PtzLock(asks, 130.0))  # its time is over


def test_only_the_holder_gives_the_lock_back() -> None:
    lock = PtzLock(person(FIRST), 115.0)
    assert released(lock, person(SECOND)) == lock
    assert released(lock, person(FIRST)) is None


def test_a_move_that_nobody_wants_any_more_is_stopped() -> None:
    motion = watchdog.kept(watchdog.moved(10.0, 11.0), 11.4)
    what, wait = watchdog.due(motion, 10.5, timeout_told=False, watched=True)
    assert what is None
    assert wait == pytest.approx(0.9)
    assert watchdog.due(motion, 11.0, timeout_told=True, watched=True) == ("refresh", 0.0)
    assert watchdog.due(motion, 11.4, timeout_told=True, watched=True) == ("stop", 0.0)


def test_a_stop_that_fails_is_tried_again_and_shown_as_moving_until_it_is_given_up() -> None:
    now, tries = 100.0, 0
    motion = watchdog.to_stop(watchdog.moved(99.0, 100.0), now)
    while motion.phase == "stopping":
        what, wait = watchdog.due(motion, now, timeout_told=True, watched=False)
        if what == "stop":
            tries += 1
            motion = watchdog.stopped(motion, now, answered=False, tells=True)
        assert motion.shown
        now += max(wait, 0.05)
    assert motion.phase == "unstoppable"
    assert watchdog.STOP_BOUND <= now - 100.0 < watchdog.STOP_BOUND + 5
    assert tries < watchdog.STOP_BOUND


def test_a_device_that_says_ok_and_moves_on_is_stopped_some_times_and_then_left_alone() -> None:
    now, stops = 100.0, 0
    motion = watchdog.to_stop(Motion(), now)
    while motion.phase == "stopping":
        what, wait = watchdog.due(motion, now, timeout_told=True, watched=True)
        if what == "stop":
            stops += 1
            motion = watchdog.stopped(motion, now, answered=True, tells=True)
        elif what == "look":
            motion = watchdog.looked(motion, now, True)
        now += max(wait, 0.01)
    assert (motion.phase, stops) == ("by_itself", watchdog.STOPS)
    assert not watchdog.looked(motion, now, False).shown


NODE = PtzNode(
    "n",
    continuous=PtzSpace(PtzRange(-100, 100), PtzRange(-50, 50)),
    absolute=PtzSpace(PtzRange(0, 360), PtzRange(0, 90)),
)


def test_wishes_become_numbers_of_the_device() -> None:
    assert velocity(NODE, 0.5, -1.0, 0.0) == PtzVector(50.0, -50.0, None)
    assert velocity(NODE, 0.0, 0.0, 1.0) is None  # it has no zoom
    timed = step(NODE, 1, 0, 0, 2)
    assert timed is not None
    assert timed.kind == "continuous"
    assert timed.seconds == pytest.approx(0.4)
    middle = centred(NODE, 0.5, 0.5, PtzStatus(350.0, 45.0, None))
    assert middle is not None
    assert middle.vector == PtzVector(350.0, 45.0, None)
    beyond = centred(NODE, 1.0, 0.0, PtzStatus(350.0, 85.0, None))
    assert beyond is not None
    assert beyond.vector.pan == pytest.approx(26.0)
    assert beyond.vector.tilt == 90.0
    assert centred(NODE, 0.5, 0.5, PtzStatus()) is None


def test_names_of_presets_are_told_apart() -> None:
    named = [("1", "门"), ("2", "门"), ("3", ""), ("4", "门 (2)"), ("5", "")]
    found = unique_names(named)
    assert found == {"1": "门", "2": "门 (3)", "3": "3", "4": "门 (2)", "5": "5"}


WALL = datetime(2026, 11, 30, tzinfo=UTC)


def away(plan: HomePlan = NO_PLAN, seconds: float = 60.0) -> HomeReturn:
    """A camera that was sent somewhere at 100."""
    home = HomeReturn(plan, seconds, 0.0, lambda: None)
    home.commanded(100.0)
    home.sent()
    return home


@pytest.mark.parametrize(
    ("plan", "seconds", "able", "due"),
    [
        (NO_PLAN, 60.0, True, 160.0),
        (NO_PLAN, 60.0, False, None),  # neither a preset for it nor a home position of the device
        (HomePlan("7", None, None), 60.0, False, 160.0),
        (HomePlan("7", 5.0, None), 60.0, False, 109.0),  # over already: a second ago at the earliest
        (HomePlan("7", 0.0, None), 60.0, True, None),
        (NO_PLAN, 0.0, True, None),
        (HomePlan(None, None, WALL + timedelta(seconds=500)), 60.0, True, 610.0),
        (HomePlan(None, None, WALL - timedelta(seconds=500)), 60.0, True, 160.0),
    ],
)
def test_when_a_camera_returns_home(plan: HomePlan, seconds: float, able: bool, due: float | None) -> None:
    assert away(plan, seconds).due(110.0, WALL, able=able) == due


def test_a_camera_that_a_tour_shows_stays_until_that_tour_lets_it_go() -> None:
    home = away()
    home.stays_for = tour(1, "早巡")
    assert home.due(1000.0, WALL, able=True) is None
    home.let_go(tour(2, "晚巡"))
    assert home.due(1000.0, WALL, able=True) is None
    home.let_go(tour(1, ""))
    assert home.due(1000.0, WALL, able=True) == 999.0
    home.commanded(1000.0)
    assert home.due(1000.0, WALL, able=True) == 1060.0
    home.at_once()
    assert home.due(1000.0, WALL, able=True) == 999.0


def test_whether_a_camera_is_at_home_is_known_of_what_was_sent_there() -> None:
    home = HomeReturn(NO_PLAN, 60.0, 0.0, lambda: None)

    def stands() -> tuple[bool, bool | None]:
        return home.away, home.there

    assert stands() == (False, None)
    home.sent()
    assert stands() == (True, False)
    home.sent(home=True)
    assert stands() == (True, False), "it is away until the device has taken the call"
    home.obeyed()
    assert stands() == (False, True)
    assert home.due(9999.0, WALL, able=True) is None
    home.sent()
    home.tried()
    assert stands() == (False, None), "it is tried once"


def test_a_new_plan_is_told_and_another_place_is_not_known_to_be_reached() -> None:
    told: list[int] = []
    home = HomeReturn(NO_PLAN, 60.0, 0.0, lambda: told.append(1))
    home.obeyed()
    home.replan(HomePlan(None, 5.0, WALL + timedelta(seconds=5)))
    assert (home.there, home.suspended_until(WALL)) == (True, WALL + timedelta(seconds=5))
    assert home.suspended_until(WALL + timedelta(seconds=5)) is None
    home.replan(HomePlan("7", 5.0, None))
    assert (home.there, len(told)) == (None, 2)
    home.sent()
    home.stays_for = tour(1, "早巡")
    home.forget()
    assert not home.away
    assert home.stays_for is None
