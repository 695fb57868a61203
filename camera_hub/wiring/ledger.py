"""Cameras' files, built and connected: their photos, and the map of where they stand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from camera_hub.api import map
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.cameras.ledger.ledgers import Ledgers
from camera_hub.cameras.ledger.photos import Photos
from camera_hub.cameras.map.base_picture import BasePictures
from camera_hub.cameras.map.coverages import Coverages
from camera_hub.cameras.map.extents import Extents
from camera_hub.cameras.map.key_places import KeyPlaces
from camera_hub.cameras.map.positions import CameraPositions
from camera_hub.cameras.map.township_map import TownshipMap
from camera_hub.media.engine import MediaEngine
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class LedgerParts:
    """What routes use."""

    photos: Photos
    bases: BasePictures
    whole_map: TownshipMap
    key_places: KeyPlaces
    positions: CameraPositions
    coverages: Coverages

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            Photos: self.photos,
            BasePictures: self.bases,
            TownshipMap: self.whole_map,
            KeyPlaces: self.key_places,
            CameraPositions: self.positions,
            Coverages: self.coverages,
        }

    def live(self) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {
            "camera_position": map.live_positions(self.positions),
            "map": map.live_map(self.whole_map, self.bases, self.key_places),
        }


@asynccontextmanager
async def ledger_parts(core: CoreParts, media: MediaEngine, ledgers: Ledgers) -> AsyncIterator[LedgerParts]:
    """Photos and the map. Files that no row names are deleted first: a hub that was killed may have left some."""
    clock, bus, database, data_dir, settings = core.clock, core.bus, core.database, core.data_dir, core.settings
    photos = Photos(data_dir, database, bus, clock, media.eyes, settings.ledger)
    await photos.sweep()
    extents = Extents(settings.map, settings.ledger)
    bases = BasePictures(data_dir, database, bus, clock, media.eyes, extents)
    await bases.sweep()
    yield LedgerParts(
        photos,
        bases,
        TownshipMap(database, extents, settings.map),
        KeyPlaces(database, bus, clock, extents),
        CameraPositions(database, bus, clock, ledgers, extents),
        Coverages(database, clock, settings.map),
    )
