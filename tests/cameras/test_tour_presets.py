"""Domes of the simulator at the presets of a running tour: where they are, who has taken them, what a kill leaves."""

import asyncio
from dataclasses import replace

import pytest

from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.cameras.ptz.tours import TourPresets
from camera_hub.cameras.ptz.wishes import MoveWish
from camera_hub.errors import Reason
from camera_hub.events import PtzChanged
from camera_hub.settings import PtzSettings
from camera_hub.store.database import Database
from tests.cameras.ptz_site import OPERATOR, PtzSite, ptz_site

RUN, TOUR = 5, "早巡"
PAGE = "page-0001"


async def placed(site: PtzSite, presets: TourPresets, token: str, state: str | None) -> PresetPlace | None:
    """Where the tour has the dome, once that is `state`."""
    with site.bus.subscribe(PtzChanged) as changes:
        async with asyncio.timeout(60):
            while (None if (found := presets.placed(RUN, site.camera, token)) is None else found.state) != state:
                await changes.next()
    return found


async def two_presets(site: PtzSite) -> tuple[str, str]:
    """Two presets of the dome, at different places; nobody steers it afterwards."""
    await site.presets.open(OPERATOR, site.camera)
    east = await site.presets.add(OPERATOR, site.camera, "桥东")
    await site.control.command(OPERATOR, site.camera, MoveWish(1.0, 0.0, 0.0), PAGE)
    await site.until(lambda state: state.moving)
    await site.until(lambda state: not state.moving)
    west = await site.presets.add(OPERATOR, site.camera, "桥西")
    await site.control.release(OPERATOR, site.camera)
    return east.token, west.token


@pytest.mark.slow
async def test_a_tour_is_told_when_the_dome_is_there_and_who_has_taken_it(database: Database) -> None:
    async with ptz_site(database) as site:
        presets = TourPresets(site.control)
        east, west = await two_presets(site)
        assert presets.placed(RUN, site.camera, east) is None, "it was not sent there"
        await presets.bring(RUN, TOUR, site.camera, east)
        assert presets.placed(RUN, site.camera, east) == PresetPlace("moving")
        await placed(site, presets, east, "reached")
        await presets.bring(RUN, TOUR, site.camera, west)  # the next stop wants it elsewhere
        assert presets.placed(RUN, site.camera, east) is None
        await placed(site, presets, west, "reached")
        assert site.operations()[-2:] == ["GotoPreset", "GotoPreset"]

        await site.control.command(OPERATOR, site.camera, MoveWish(0.5, 0.0, 0.0), PAGE)
        taken = presets.placed(RUN, site.camera, west)
        assert taken is not None
        assert taken.why is not None
        assert (taken.state, taken.why.reason, taken.why.params["name"]) == (
            "taken",
            Reason.PTZ_LOCKED,
            OPERATOR.display_name,
        )
        await presets.bring(RUN, TOUR, site.camera, west)  # nobody is turned away for a tour
        await site.control.release(OPERATOR, site.camera)
        refused = await placed(site, presets, west, "failed")
        assert refused is not None
        assert refused.why is not None
        assert refused.why.reason == Reason.PTZ_LOCKED
        await presets.bring(RUN, TOUR, site.camera, west)
        await placed(site, presets, west, "reached")
        await presets.leave(RUN, TOUR, site.camera)
        await site.until(lambda state: state.moving)
        assert presets.placed(RUN, site.camera, west) is None
        assert site.operations()[-1] == "GotoHomePosition"


@pytest.mark.slow
async def test_a_preset_that_the_device_has_lost_is_named_as_such(database: Database) -> None:
    async with ptz_site(database) as site:
        presets = TourPresets(site.control)
        east, _ = await two_presets(site)
        await site.presets.remove(OPERATOR, site.camera, east)
        await presets.bring(RUN, TOUR, site.camera, east)
        gone = await placed(site, presets, east, "failed")
        assert gone is not None
        assert gone.why is not None
        assert gone.why.reason == Reason.PTZ_PRESET_GONE


@pytest.mark.slow
async def test_a_camera_that_cannot_be_steered_is_named_and_holds_up_no_other_one(database: Database) -> None:
    async with ptz_site(database) as site:
        presets = TourPresets(site.control)
        east, _ = await two_presets(site)
        await asyncio.gather(
            presets.bring(RUN, TOUR, site.fixed, "1"),
            presets.bring(RUN, TOUR, 999, "1"),
            presets.bring(RUN, TOUR, site.camera, east),
        )
        await placed(site, presets, east, "reached")
        one = await placed(replace(site, camera=site.fixed), presets, "1", "failed")
        assert one is not None
        assert one.why is not None
        assert one.why.reason == Reason.PTZ_NONE
        missing = presets.placed(RUN, 999, "1")
        assert missing is not None
        assert missing.state == "failed"


@pytest.mark.slow
async def test_what_a_killed_hub_has_turned_is_returned_by_the_next_one(database: Database) -> None:
    async with ptz_site(database, PtzSettings(lock_seconds=0.2, return_home_seconds=0.3)) as site:
        presets = TourPresets(site.control)
        east, _ = await two_presets(site)
        await presets.bring(RUN, TOUR, site.camera, east)
        await placed(site, presets, east, "reached")
        # Its row is all that a hub leaves that is killed; the first one here does nothing more.
        async with site.another_hub() as next_hub:
            found = replace(site, control=next_hub)
            await found.until(lambda state: not state.moving and next_hub.at_home(site.camera) is True)
        assert site.operations()[-1] == "GotoHomePosition"


@pytest.mark.slow
async def test_the_tour_that_goes_on_after_a_kill_is_not_stopped_by_the_clearing_up(database: Database) -> None:
    async with ptz_site(database) as site:
        east, _ = await two_presets(site)
        before = len(site.operations())
        session = await site.control.session(OPERATOR, site.camera)
        await TourPresets(site.control).bring(RUN, TOUR, site.camera, east)
        session.left_moving()  # as this hub's start does with each camera that the former one may have left moving
        await placed(site, TourPresets(site.control), east, "reached")
        assert site.operations()[before:] == ["GotoPreset"]
