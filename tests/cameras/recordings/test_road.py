"""What devices have recorded, asked of simulated recorders and cameras by each road."""

import pytest

from camera_hub.cameras.recordings.judging import completeness
from camera_hub.errors import Reason
from camera_hub.simulator.model import Vendor
from camera_hub.simulator.vendors.dahua_cgi import DahuaCgi
from camera_hub.store.database import Database
from tests.cameras.recordings.site import ZONE, RecordingSite, device_plan, recording_site

ROADS = [(Vendor.UNIVIEW, False, "onvif"), (Vendor.HIKVISION, True, "hikvision"), (Vendor.DAHUA, True, "dahua")]


@pytest.mark.slow
@pytest.mark.parametrize(("vendor", "onvif_off", "road"), ROADS)
async def test_each_channel_of_a_recorder_has_its_own_recordings(
    database: Database, vendor: Vendor, onvif_off: bool, road: str
) -> None:
    async with recording_site(database, device_plan(vendor), onvif_off=onvif_off) as site:
        await site.fault("no_recording", 0, channel=2)
        await site.fault("no_recording", 5, channel=3)
        await site.fault("recording_gaps", 6, channel=4)
        found = await site.confirmed()
        assert {one.status.road for one in found} == {road}
        assert [one.status.reason for one in found] == [
            None, Reason.NO_RECORDING, Reason.NO_RECORDING, Reason.RECORDING_GAPS, None, None, None, None,
        ]  # fmt: skip
        well, never, stopped, gaps = found[:4]
        assert len(well.days) == 32
        assert all(day.missing == 0 and day.gaps == 0 for day in well.days)
        assert (never.status.params["cause"], never.status.oldest) == ("none", None)
        assert (stopped.status.params["cause"], stopped.days[-1].gaps) == ("stopped", 1)
        whole = [day for day in gaps.days[1:-1]]
        assert {(day.seconds, day.due, day.gaps) for day in whole} == {(18 * 3600, 24 * 3600, 1)}
        told = site.found()[-8:]
        assert [one.reason for one in told] == [one.status.reason for one in found]
        assert {one.aspect for one in told} == {"recording"}
        assert site.device.state.stats.logins_failed == 0
        assert site.device.http.onvif.search.open_searches == 0
        assert _open_finders(site) == 0


@pytest.mark.parametrize(("vendor", "onvif_off"), [(one, off) for one, off, _ in ROADS])
async def test_a_wrong_clock_moves_no_recording_to_another_day(
    database: Database, vendor: Vendor, onvif_off: bool
) -> None:
    async with recording_site(database, device_plan(vendor, recorder=False), onvif_off=onvif_off) as site:
        await site.fault("clock_skew", -5 * 86400 - 3600)
        (found,) = await site.confirmed()
        assert found.status.state == "ok"
        off = (site.device.state.now() - site.clock.now()).total_seconds()
        assert found.status.clock_offset_s == pytest.approx(off, abs=3)
        assert all(day.missing <= 3 for day in found.days)
        assert completeness(found.days[:-1])[1] == pytest.approx(31 * 86400, abs=3 * 3600)


@pytest.mark.parametrize(("vendor", "onvif_off"), [(one, off) for one, off, _ in ROADS])
async def test_a_clock_that_is_centuries_off_tells_no_days_and_ends_no_check(
    database: Database, vendor: Vendor, onvif_off: bool
) -> None:
    async with recording_site(database, device_plan(vendor, recorder=False), onvif_off=onvif_off) as site:
        await site.fault("clock_skew", 200 * 366 * 86400)
        (found,) = await site.confirmed()
        assert (found.status.state, found.status.problem) == ("unknown", Reason.CLOCK_UNREADABLE)
        assert not found.days


async def test_what_cannot_be_told_is_not_known_and_no_fault(database: Database) -> None:
    async with recording_site(database, device_plan(Vendor.NONE, recorder=False, kept_days=0)) as site:
        (found,) = await site.confirmed()
        assert (found.status.state, found.status.problem) == ("unknown", Reason.RECORDING_UNKNOWN)
        assert site.found() == []


async def test_a_failed_disk_is_told_as_the_cause(database: Database) -> None:
    async with recording_site(database, device_plan(recorder=False), onvif_off=True) as site:
        await site.fault("disk_failed", 12)
        (found,) = await site.confirmed()
        assert (found.status.reason, found.status.params["cause"]) == (Reason.NO_RECORDING, "disk")
        await site.fault("disk_failed", on=False)
        await site.check()
        (found,) = await site.listed()
        assert found.status.reason in (None, Reason.RECORDING_GAPS), "shortly after midnight the day before lacks hours"
        assert "cause" not in found.status.params


async def test_days_too_few_count_where_the_disk_is_full(database: Database) -> None:
    async with recording_site(database, device_plan(recorder=False), onvif_off=True) as site:
        await site.fault("recording_short", 7)
        (found,) = await site.confirmed()
        assert (found.status.reason, found.status.params["days"]) == (Reason.RECORDING_SHORT, 7)
        assert len(found.days) == 8


async def test_recording_on_events_alone_has_no_gaps(database: Database) -> None:
    async with recording_site(database, device_plan(recorder=False), onvif_off=True) as site:
        await site.fault("recording_on_events")
        (found,) = await site.confirmed()
        assert found.status.state == "ok"
        assert {(day.due, day.gaps) for day in found.days} == {(0, 0)}


async def test_onvif_without_history_knows_oldest_and_newest_and_the_vendor_tells_the_rest(database: Database) -> None:
    async with recording_site(database, device_plan(recorder=False)) as site:
        await site.fault("no_event_search")
        (found,) = await site.confirmed()
        assert (found.status.road, len(found.days)) == ("hikvision", 32)
        await site.fault("vendor_http_off")
        await site.check()
        (found,) = await site.listed()
        assert (found.status.road, found.status.state) == ("onvif", "ok")
        assert found.status.oldest is not None


@pytest.mark.parametrize(("vendor", "onvif_off"), [(one, off) for one, off, _ in ROADS])
@pytest.mark.parametrize("lie", [0, 1])
async def test_answers_that_never_end_or_tell_of_the_future_are_bounded(
    database: Database, vendor: Vendor, onvif_off: bool, lie: int
) -> None:
    async with recording_site(database, device_plan(vendor, recorder=False), onvif_off=onvif_off) as site:
        await site.fault("recording_lies", lie)
        (found,) = await site.confirmed()
        now = site.clock.now()
        assert found.status.latest is None or found.status.latest <= now
        assert all((day.seconds or 0) <= 86400 for day in found.days)
        assert all(day.date <= now.astimezone(ZONE).date() for day in found.days)
        assert sum(site.device.state.stats.requests.values()) < 1500
        assert site.device.http.onvif.search.open_searches == 0
        assert _open_finders(site) == 0


async def test_a_device_that_does_not_answer_keeps_what_was_known(database: Database) -> None:
    async with recording_site(database, device_plan(recorder=False)) as site:
        await site.confirmed()
        await site.fault("dead")
        error = await site.check()
        assert error is not None
        assert error.reason == Reason.PORT_CLOSED
        (found,) = await site.listed()
        assert (found.status.state, found.status.problem) == ("ok", Reason.PORT_CLOSED)


@pytest.mark.slow
async def test_later_checks_ask_for_what_is_new_alone(database: Database) -> None:
    async with recording_site(database, device_plan(), onvif_off=True) as site:
        await site.check()
        first = site.device.state.stats.requests["/ISAPI/ContentMgmt/search"]
        await site.check()
        again = site.device.state.stats.requests["/ISAPI/ContentMgmt/search"] - first
        assert (first, again) == (8 * 33, 8 * 2)


def _open_finders(site: RecordingSite) -> int:
    questions = site.device.http._vendor._questions
    return questions.recordings.finders if isinstance(questions, DahuaCgi) else 0
