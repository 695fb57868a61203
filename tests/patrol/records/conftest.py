"""A site with sealed patrols."""

from pathlib import Path

import pytest

from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.patrol.records.site import SealedSite


@pytest.fixture
async def site(database: Database, clock: ManualClock, tmp_path: Path) -> SealedSite:
    site = SealedSite(database, clock, tmp_path)
    await site.build()
    return site
