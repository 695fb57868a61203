"""Hours in which nothing is wrong, as lively as real ones: not one alarm, by day or by night."""

import os
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import pytest

from camera_hub.eye.messages import FAULT_BELOW, FAULTS, Seen
from camera_hub.store.database import Database
from tests.fakes.media import FakeMedia, FakeSight
from tests.health.township import township

LONG = bool(os.environ.get("CAMERA_HUB_LONG"))
pytestmark = pytest.mark.slow

SPOILT = 97
"""One of so many looks at a camera finds nothing: a lost packet, a busy device. None is a fault, as it is confirmed by
no other."""


@dataclass
class LivelyMedia(FakeMedia):
    """Scores that come close to faults, a single spoilt look now and then, and dusk."""

    profile: Literal["day", "night"] = "day"
    spoilt: int = 0
    _looks_at: dict[int, Any] = field(default_factory=dict)

    async def look(self, camera_id: int, *, scores: bool = False, memory: str | None = None, **_: Any) -> FakeSight:
        number = next(self._looks_at.setdefault(camera_id, count(camera_id * 31)))
        if number % SPOILT == 0:
            self.spoilt += 1
            return FakeSight("no_media", "nothing came")
        if not scores:
            return FakeSight()
        found = {
            fault.value: FAULT_BELOW + (number * 13 + place * 7) % 40
            for place, fault in enumerate(FAULTS)
            if fault != "frozen" or memory is not None
        }
        if number % SPOILT == SPOILT // 2:
            found["blurred"] = 20.0  # an insect on the lens
            self.spoilt += 1
        return FakeSight(seen=Seen(704, 576, found, self.profile, f"{camera_id}-{number}"))


async def test_nothing_is_raised_by_day_at_dusk_and_by_night(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CAMERA_HUB_LONG: 320 cameras, an hour of each."""
    villages, cameras, minutes = (16, 20, 60) if LONG else (8, 5, 20)
    monkeypatch.setattr("tests.health.township.FakeMedia", LivelyMedia)
    async with township(database, (cameras,) * villages, tick=5.0, recorder=3) as place:
        assert isinstance(place.media, LivelyMedia)
        for profile in ("day", "night"):
            place.media.profile = profile
            await place.walk(60 * minutes)
        assert place.media.spoilt > 0
        assert place.record.looks > villages * cameras * minutes
        assert place.alarms == []
        assert place.record.states == villages * cameras * 4, "four aspects of each camera, and none ever changed"
