"""How cameras join and move, built and connected: search, proofs, questions which device is which."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from camera_hub.api import discovery, matches
from camera_hub.api.live_changes import PersonalReader, SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.discovery.announcements import Announcements
from camera_hub.cameras.discovery.sweeps import Sweeps
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.intake.retries import CandidateRetries
from camera_hub.cameras.matches.matches import Matches
from camera_hub.cameras.matches.proof import MoveProof
from camera_hub.cameras.matches.taking_over import TakingOver
from camera_hub.cameras.matches.watch import MoveWatch
from camera_hub.cameras.register.proofs import Proofs
from camera_hub.media.engine import MediaEngine
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.devices import DeviceParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class JoiningParts:
    """What routes use."""

    sweeps: Sweeps
    matches: Matches
    watch: MoveWatch
    announcements: Announcements

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            Sweeps: self.sweeps,
            Matches: self.matches,
            MoveWatch: self.watch,
            Announcements: self.announcements,
        }

    def live(self) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {"match": matches.live(self.matches)}

    def live_personal(self) -> dict[Topic, PersonalReader]:
        """By topic, for the pages of the one user concerned."""
        return {"sweep": discovery.live(self.sweeps)}


@asynccontextmanager
async def joining_parts(
    core: CoreParts, devices: DeviceParts, media: MediaEngine, intake: Intake
) -> AsyncIterator[JoiningParts]:
    """Proofs, the watch for devices that have moved, announcements where the settings want them, retries."""
    clock, bus, database, settings = core.clock, core.bus, core.database, core.settings.discovery
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(Proofs(database, bus, clock, media.prover))
        proof = MoveProof(devices.onvif, media.picture_fits)
        taking_over = TakingOver(core.vault, clock)
        asked = Matches(database, bus, clock, taking_over, devices.checks, proof, devices.trust)
        watch = await stack.enter_async_context(MoveWatch(database, bus, clock, devices.anonymous, devices.checks))
        announcements = Announcements(bus, clock)
        if settings.multicast and settings.announcements:
            await stack.enter_async_context(announcements)
        sweeps = await stack.enter_async_context(
            Sweeps(settings, devices.onvif, bus, clock, database, devices.addresses)
        )
        await stack.enter_async_context(CandidateRetries(database, clock, intake))
        yield JoiningParts(sweeps, asked, watch, announcements)
