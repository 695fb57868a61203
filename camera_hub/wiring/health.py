"""Health, built and connected: rounds, reference pictures, alarms and their pictures, boards and reports."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from camera_hub.api import alarms
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.ledger.past import PastFiles
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.health.alarm_pictures.keeper import AlarmPictureKeeper, PictureSources
from camera_hub.health.alarm_pictures.pictures import AlarmPictures
from camera_hub.health.alarm_pictures.recent import RecentPictures
from camera_hub.health.alarms.alarms import Alarms
from camera_hub.health.alarms.handling import AlarmHandling
from camera_hub.health.board import HealthBoard
from camera_hub.health.camera_file import HealthFiles
from camera_hub.health.county.checks import CountyChecks
from camera_hub.health.county.judge import CountyJudge
from camera_hub.health.exclusion_register import ExclusionRegister
from camera_hub.health.history import ObservationHistory
from camera_hub.health.references.book import ReferenceBook
from camera_hub.health.references.compared_looks import ComparedLooks
from camera_hub.health.references.learning import learning_rules
from camera_hub.health.references.references import References
from camera_hub.health.reports.periods import PeriodRecorder
from camera_hub.health.reports.reports import Reports
from camera_hub.health.rollup.rollup import RollUp
from camera_hub.health.round_plans import RoundPlans
from camera_hub.health.rounds.reachability import DeviceContacts
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.health.trip import TripList
from camera_hub.media.engine import MediaEngine
from camera_hub.running import keep_running, running
from camera_hub.sheets.reading import sheet_reader
from camera_hub.store.picture_files import PictureFiles
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class Inspecting:
    """What looks at cameras, and what it compares pictures with."""

    rounds: Rounds
    book: ReferenceBook
    alarm_files: PictureFiles


@dataclass(frozen=True, slots=True)
class HealthParts:
    """What routes use."""

    rounds: Rounds
    alarms: Alarms
    only_for_routes: Parts

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {Rounds: self.rounds, Alarms: self.alarms, **self.only_for_routes}

    def live(self) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {"alarm": alarms.live(self.alarms)}


@asynccontextmanager
async def inspecting(
    core: CoreParts, devices: DeviceParts, media: MediaEngine, steering: PtzControl
) -> AsyncIterator[Inspecting]:
    """Rounds, running, above what their pictures are compared with and kept in."""
    settings, clock, bus, database = core.settings, core.clock, core.bus, core.database
    alarm_files = PictureFiles(core.data_dir / "alarm-pictures")
    recent = RecentPictures()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(PeriodRecorder(database, bus, clock))
        references = PictureFiles(core.data_dir / "references")
        learning = learning_rules(settings.pictures)
        book = await stack.enter_async_context(ReferenceBook(database, references, bus, clock, learning, steering))
        origins = PictureSources(recent, book, media.pictures)
        room = settings.pictures.alarm_mb * 1_000_000
        keeper = await stack.enter_async_context(AlarmPictureKeeper(database, alarm_files, bus, clock, origins, room))
        looks = ComparedLooks(media.looks, book, keeper, recent, media.pictures, clock)
        contacts = DeviceContacts(devices.checks, devices.onvif)
        rounds = await stack.enter_async_context(
            Rounds(settings.health, clock, bus, database, looks, contacts, core.zone)
        )
        yield Inspecting(rounds, book, alarm_files)


@asynccontextmanager
async def health_parts(
    core: CoreParts, devices: DeviceParts, media: MediaEngine, steering: PtzControl
) -> AsyncIterator[HealthParts]:
    """Health, with its rounds, its roll-up and the judge of county lists running."""
    settings, clock, bus, database, zone = core.settings, core.clock, core.bus, core.database, core.zone
    roll_up = RollUp(database, clock, zone, timedelta(days=settings.health.look_days))
    judge = CountyJudge(database, clock, zone)
    past_files = PastFiles(database, settings.ledger, zone)
    async with (
        inspecting(core, devices, media, steering) as inspected,
        running(keep_running("roll-up", roll_up.run_once, clock=clock), "roll-up"),
        running(keep_running("county list checks", judge.run_once, clock=clock), "county list checks"),
    ):
        yield HealthParts(
            inspected.rounds,
            Alarms(database),
            {
                ExclusionRegister: ExclusionRegister(database, bus, clock, zone),
                Reports: Reports(database, clock, settings.reports, zone, past_files, settings.health.alarm_keep_days),
                AlarmHandling: AlarmHandling(database, bus, clock),
                References: References(database, clock, inspected.book, media.looks),
                AlarmPictures: AlarmPictures(database, inspected.alarm_files),
                ObservationHistory: ObservationHistory(database, clock, settings.health),
                HealthBoard: HealthBoard(database, clock, inspected.rounds, zone),
                CountyChecks: CountyChecks(database, clock, sheet_reader(settings.sheets), judge, zone),
                TripList: TripList(database, clock),
                RoundPlans: RoundPlans(database, bus, clock, zone),
                HealthFiles: HealthFiles(database, clock, zone),
            },
        )
