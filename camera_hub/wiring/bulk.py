"""Changes of many things at once, built and connected: jobs, and the logins, addresses, cameras and sheets that use
them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.access.key_rotation import KeyRotation
from camera_hub.api import jobs
from camera_hub.api.live_changes import PersonalReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.bulk.camera_changes import CameraChanges
from camera_hub.cameras.bulk.key_change import KeyChange
from camera_hub.cameras.bulk.login_asking import DeviceLoginAsker, StoredStreamUrls
from camera_hub.cameras.bulk.login_changes import LoginChanges
from camera_hub.cameras.bulk.subnets import SubnetChanges
from camera_hub.cameras.imports.camera_editor import RowEditor
from camera_hub.cameras.imports.imports import Imports
from camera_hub.cameras.imports.known_reader import KnownReader
from camera_hub.cameras.imports.runs import ImportRuns
from camera_hub.cameras.imports.sheets import ImportSheets
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.ledger.unconnected import UnconnectedCameras
from camera_hub.sheets.reading import sheet_reader
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.register import RegisterParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class BulkParts:
    """What others need of jobs and what runs as one."""

    jobs: Jobs
    logins: LoginChanges
    subnets: SubnetChanges
    cameras: CameraChanges
    key: KeyChange
    imports: Imports
    import_runs: ImportRuns
    import_sheets: ImportSheets
    unconnected: UnconnectedCameras

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            Jobs: self.jobs,
            LoginChanges: self.logins,
            SubnetChanges: self.subnets,
            CameraChanges: self.cameras,
            KeyChange: self.key,
            Imports: self.imports,
            ImportRuns: self.import_runs,
            ImportSheets: self.import_sheets,
            UnconnectedCameras: self.unconnected,
        }

    def live_personal(self) -> dict[Topic, PersonalReader]:
        """By topic, for the pages of the one user concerned."""
        return {"job": jobs.live(self.jobs)}


@asynccontextmanager
async def bulk_parts(core: CoreParts, devices: DeviceParts, cameras: RegisterParts) -> AsyncIterator[BulkParts]:
    """Jobs, and what runs as jobs."""
    clock, bus, database, vault = core.clock, core.bus, core.database, core.vault
    register, ledgers, checks = cameras.register, cameras.ledgers, devices.checks
    urls = StoredStreamUrls(database, vault)
    asker = DeviceLoginAsker(devices.describer, devices.onvif, devices.logins, urls, checks, devices.trust)
    known = KnownReader(database, checks, vault)
    unconnected = UnconnectedCameras(database, bus, clock, ledgers)
    editor = RowEditor(register.cameras, ledgers)
    sheets = core.settings.sheets
    async with (
        Jobs(clock, bus) as jobs,
        ImportRuns(database, vault, jobs, cameras.intake, editor, unconnected) as import_runs,
    ):
        yield BulkParts(
            jobs,
            LoginChanges(database, bus, clock, vault, asker, jobs, cameras.profiles),
            SubnetChanges(database, checks, devices.onvif, register.devices, jobs),
            CameraChanges(database, ledgers, jobs),
            KeyChange(KeyRotation(database, vault, clock), jobs),
            Imports(database, clock, vault, sheet_reader(sheets), known, sheets),
            import_runs,
            ImportSheets(database, vault, known),
            unconnected,
        )
