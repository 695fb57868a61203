"""Which records a supervisor may sign together: those in which nothing asks for a look."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update

from camera_hub.patrol.records.listing import RecordList, RecordQuery, RecordRow
from camera_hub.store.tables import Finding, RunEvent, RunResult
from tests.patrol.records.site import SealedSite


async def row(site: SealedSite) -> RecordRow:
    (found,) = await RecordList(site.database).listed(site.leader, RecordQuery())
    return found


async def quiet(site: SealedSite) -> int:
    """A submitted patrol of which everything was normal."""
    async with site.chain() as chain:
        run = await site.patrol(chain)
    async with site.database.write() as session:
        await session.execute(update(RunResult).values(result="normal", words="", cause=None))
        await session.execute(delete(Finding))
    return run


async def test_a_patrol_of_which_all_was_normal(site: SealedSite) -> None:
    run = await quiet(site)
    found = await row(site)
    assert (found.all_normal, found.reviews, found.changed) == (True, 0, False)
    async with site.database.write() as session:
        session.add(RunEvent(run_id=run, at=site.clock.now(), kind="result_changed", position=0, detail={}))
    assert not (await row(site)).all_normal, "somebody had said otherwise before"


async def test_a_note_asks_to_be_read(site: SealedSite) -> None:
    run = await quiet(site)
    async with site.chain() as chain:
        await site.reviews(chain).note(site.operator, run, "3 站当时有雾")
    found = await row(site)
    assert (found.all_normal, found.reviews) == (False, 1)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "more",
    [
        {"skipped": 1},
        {"unseen": 1},
        {"findings": 1},
        {"presets_missed": 1},
        {"presets_unknown": 1},
        {"unreadable": 1},
        {"results": {"normal": 3, "abnormal": 1}},
        {"results": {"normal": 3, "excused": 1}},
        {"results": {"normal": 3, "open": 1}},
        {"results": {"normal": 0}},
        {"end_reason": "expired"},
        {"seal": None},
    ],
)
async def test_whatever_asks_for_a_look(site: SealedSite, more: dict[str, Any]) -> None:
    await quiet(site)
    found = await row(site)
    assert found.all_normal
    assert not replace(found, **more).all_normal


async def test_a_preset_of_which_nobody_knows_whether_it_was_reached(site: SealedSite) -> None:
    run = await quiet(site)
    presets = "UPDATE run_step_cameras SET preset = '桥', preset_state = {} WHERE id = 1"
    await site.sql(presets.format("NULL"))
    found = await row(site)
    assert (found.id, found.presets_missed, found.presets_unknown, found.all_normal) == (run, 0, 1, False)
    await site.sql(presets.format("'reached'"))
    found = await row(site)
    assert (found.presets_unknown, found.all_normal) == (0, True)


@pytest.mark.one_database
async def test_a_record_of_before_presets_were_kept(site: SealedSite) -> None:
    """Its itinerary names one, its lines none: what nobody had written down is no reason to look."""
    await quiet(site)
    await site.sql('UPDATE runs SET itinerary = replace(itinerary, \'"preset": null\', \'"preset": "1"\')')
    assert (await row(site)).all_normal
