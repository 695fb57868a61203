"""References of cameras in memory and in the database, through looks as rounds make them, and as people answer them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.eye.messages import Seen
from camera_hub.health.alarm_pictures.recent import RecentPictures, SeenPicture
from camera_hub.health.references.book import ReferenceBook
from camera_hub.health.references.compared_looks import ComparedLooks
from camera_hub.health.references.learning import LearningRules
from camera_hub.health.references.references import References
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Camera, Device, ReferencePicture
from tests.fakes.clock import ManualClock
from tests.fakes.media import FakeSight
from tests.fakes.site import add_village

HOUR = timedelta(hours=1)
RULES = LearningRules(spread=6 * HOUR, follow=timedelta(days=3), ask=timedelta(days=1))
ADMIN = Actor(1, "admin", "镇管理员", Role.TOWNSHIP_ADMIN)
MAINTAINER = Actor(3, "fix", "李维保", Role.MAINTAINER, frozenset({1}))
STRANGER = Actor(4, "other", "外村", Role.VILLAGE_ADMIN, frozenset({99}))


@dataclass
class Homes:
    homes: dict[int, bool] = field(default_factory=dict)

    def at_home(self, camera_id: int) -> bool | None:
        return self.homes.get(camera_id)


@dataclass
class Lens:
    """What the camera shows; compares as the eye does: by name."""

    clock: ManualClock
    shows: str = "street"
    profile: str = "day"
    scores: dict[str, float] = field(default_factory=lambda: {"black": 99.0, "covered": 95.0})
    asked: list[dict[str, object]] = field(default_factory=list)
    reason: str | None = None
    saved: list[tuple[int, datetime]] = field(default_factory=list)
    trouble: set[int] = field(default_factory=set)

    async def look(
        self,
        camera_id: int,
        *,
        scores: bool = False,
        memory: str | None = None,
        references: Mapping[str, str] | None = None,
        at_home: bool = True,
        features: bool = False,
        jpeg: bool = True,
        jpeg_of_faults: bool = False,
        max_width: int = 0,
        deadline: float = 15.0,
    ) -> FakeSight:
        self.asked.append({"references": dict(references or {}), "features": features, "jpeg": jpeg})
        if self.reason is not None:
            return FakeSight(self.reason, "the test says so")
        found = dict(self.scores) if scores else {}
        known = (references or {}).get(self.profile)
        if known is not None and at_home and scores:
            found["moved"] = 97.0 if known.partition(" ")[0] == self.shows else 6.0
        shown = f"{self.shows} {self.clock.now():%d %H:%M}"
        bad = any(score < 60 for score in found.values())
        picture = f"jpeg of {shown}".encode() if jpeg or (jpeg_of_faults and bad) else None
        seen = Seen(640, 360, found, self.profile, "m", reference_features=shown if features else None)  # type: ignore[arg-type]
        return FakeSight(seen=seen, jpeg=picture, at=self.clock.now())

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        return "live", None

    def has_trouble(self, camera_id: int) -> bool:
        return camera_id in self.trouble

    async def save(self, camera_id: int, jpeg: bytes, at: datetime) -> None:
        self.saved.append((camera_id, at))


class Site:
    """A book over real tables and files, and what looks through it."""

    def __init__(self, database: Database, bus: EventBus, clock: ManualClock, folder: Path) -> None:
        self.database, self.bus, self.clock = database, bus, clock
        self.lens, self.homes, self.recent = Lens(clock), Homes(), RecentPictures()
        self.files = PictureFiles(folder / "references")
        self.open()

    def open(self) -> None:
        """As the hub does at its start."""
        self.book = ReferenceBook(self.database, self.files, self.bus, self.clock, RULES, self.homes)
        self.looks = ComparedLooks(self.lens, self.book, self.lens, self.recent, self.lens, self.clock)
        self.people = References(self.database, self.clock, self.book, self.lens)

    async def watch(self, camera_id: int, hours: float) -> FakeSight:
        """A look every five minutes."""
        for _ in range(round(hours * 12)):
            self.clock.move(300)
            look = await self.looks.look(camera_id, scores=True, jpeg=False, deadline=15)
        return look


@pytest.fixture
def site(database: Database, bus: EventBus, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(database, bus, clock, tmp_path)


async def test_a_reference_is_learnt_kept_with_its_picture_and_there_after_a_restart(site: Site) -> None:
    (camera,) = await add_village(site.database, site.clock, "东村", 1)
    async with site.book:
        assert (await site.people.of(ADMIN, camera)).day is None
        look = await site.watch(camera, 5)
        assert look.seen is not None
        assert "moved" not in look.seen.scores, "what only a candidate says is not judged"
        view = await site.people.of(ADMIN, camera)
        assert view.day is not None
        assert (view.day.state, view.day.at) == ("learning", None)
        await site.watch(camera, 2)
    site.open()
    async with site.book:
        view = await site.people.of(ADMIN, camera)
        assert view.day is not None
        assert view.day.state == "active"
        assert view.night is None
        assert (await site.people.read(ADMIN, camera, "day")).startswith(b"jpeg of street")
        look = await site.watch(camera, 0.1)
        assert look.seen is not None
        assert look.seen.scores["moved"] == 97.0
        with pytest.raises(HubError, match="no reference"):
            await site.people.read(ADMIN, camera, "night")


async def test_a_lasting_change_is_one_question_that_one_click_answers(site: Site) -> None:
    (camera,) = await add_village(site.database, site.clock, "东村", 1)
    async with site.book:
        await site.watch(camera, 7)
        site.lens.profile = "night"
        await site.watch(camera, 7)
        site.lens.profile, site.lens.shows = "day", "wall"
        await site.watch(camera, 25)
        assert [one.camera_id for one in await site.people.questions(MAINTAINER)] == [camera]
        assert await site.people.questions(STRANGER) == []
        view = await site.people.of(MAINTAINER, camera)
        assert view.question is not None
        assert (view.question.profile, view.question.score) == ("day", 6.0)
        assert (await site.people.read_look(MAINTAINER, camera, "day")).startswith(b"jpeg of wall")
        view = await site.people.give(MAINTAINER, camera, "day", "look")
        assert view.question is None
        assert view.day is not None
        assert (view.day.state, view.day.set_name) == ("active", "李维保")
        assert view.night is None, "the camera was turned: what it shows by night is learnt anew"
        look = await site.watch(camera, 0.2)
        assert look.seen is not None
        assert look.seen.scores["moved"] == 97.0
        assert (await site.people.read(MAINTAINER, camera, "day")).startswith(b"jpeg of wall")


async def test_a_fresh_picture_is_taken_or_refused_with_its_reason(site: Site) -> None:
    (camera,) = await add_village(site.database, site.clock, "东村", 1)
    async with site.book:
        for reason, change in (
            (Reason.REFERENCE_OTHER_PROFILE, {"profile": "night"}),
            (Reason.REFERENCE_UNFIT, {"scores": {"black": 0.0}}),
            (Reason.UNREACHABLE, {"reason": Reason.UNREACHABLE.value}),
        ):
            site.lens = Lens(site.clock, **change)
            site.open()
            with pytest.raises(HubError) as refused:
                await site.people.give(ADMIN, camera, "day", "now")
            assert refused.value.reason == reason
        with pytest.raises(HubError) as refused:
            await site.people.give(ADMIN, camera, "day", "look")
        assert refused.value.reason == Reason.REFERENCE_NO_LOOK
    site.lens = Lens(site.clock)
    site.open()
    async with site.book:
        view = await site.people.give(ADMIN, camera, "day", "now")
        assert view.day is not None
        assert view.day.state == "active"
        assert (await site.people.read(ADMIN, camera, "day")).startswith(b"jpeg of street")
        assert (await site.people.forget(ADMIN, camera)).day is None
        with pytest.raises(HubError, match="no reference"):
            await site.people.read(ADMIN, camera, "day")


async def test_another_device_learns_anew_and_a_deleted_camera_leaves_nothing(site: Site, tmp_path: Path) -> None:
    first, second = await add_village(site.database, site.clock, "东村", 2)
    async with site.book:
        for camera in (first, second):
            await site.people.give(ADMIN, camera, "day", "now")
        async with site.database.write() as session:
            device = Device(village_id=1, name="新", host="127.9.9.9", onvif_port=80, created_at=site.clock.now())
            session.add(device)
            await session.flush()
            await session.execute(update(Camera).where(Camera.id == first).values(device_id=device.id))
            await session.execute(delete(Camera).where(Camera.id == second))
        for camera in (first, second):
            site.bus.publish(CameraChanged(camera, 1))
        await site.clock.advance(0)
        await site.book.store()
        assert (await site.people.of(ADMIN, first)).day is None
        assert site.book.of(second).references == {}
        await site.book.sweep()
        async with site.database.read() as session:
            assert await session.scalar(select(func.count()).where(ReferencePicture.size > 0)) == 0
        assert list((tmp_path / "references").iterdir()) == []


@pytest.mark.one_database
async def test_a_camera_that_can_be_steered_is_compared_and_learnt_at_home_alone(site: Site) -> None:
    (camera,) = await add_village(site.database, site.clock, "东村", 1)
    async with site.database.write() as session:
        await session.execute(update(Camera).values(ptz=True))
    async with site.book:
        for home in (None, False):
            site.homes.homes = {} if home is None else {camera: home}
            await site.watch(camera, 8)
            assert site.book.profile(camera, "day").candidate is None
        site.homes.homes = {camera: True}
        await site.watch(camera, 7)
        assert site.book.profile(camera, "day").state == "active"
        site.homes.homes, site.lens.shows = {camera: False}, "elsewhere"
        look = await site.watch(camera, 48)
        assert look.seen is not None
        assert "moved" not in look.seen.scores
        assert site.book.profile(camera, "day").state == "active"


@pytest.mark.one_database
async def test_a_picture_is_encoded_only_where_somebody_will_want_it(site: Site) -> None:
    (camera,) = await add_village(site.database, site.clock, "东村", 1)
    async with site.book:
        await site.watch(camera, 7)
        site.lens.asked.clear()
        site.lens.saved.clear()
        await site.watch(camera, 10)
        assert sum(bool(one["jpeg"]) for one in site.lens.asked) == 10, "once an hour of a camera that is well"
        assert len(site.lens.saved) == 10
        assert site.recent.good(camera) is None
        site.lens.scores = {"black": 0.0}
        await site.watch(camera, 0.1)
        bad = site.recent.bad(camera)
        assert bad is not None
        assert bad.scores["black"] == 0.0
        assert len(site.lens.saved) == 10, "a bad picture is never the last good one"
        assert site.looks.feed_reason(camera) == ("live", None)
        site.lens.scores, site.lens.trouble = {"black": 99.0}, {camera}
        assert site.looks.feed_reason(camera) is None, "only a picture proves the repair"
        await site.looks.look(camera, scores=False, jpeg=False, deadline=15)
        good = site.recent.good(camera)
        assert good is not None
        assert good.at == site.clock.now()


def test_recent_pictures_are_bounded_and_the_oldest_go_first() -> None:
    recent = RecentPictures(limit=1000)
    for camera in range(20):
        recent.put(camera, SeenPicture(datetime.min, b"x" * 100, {}), good=camera % 2 == 0)
    assert recent.dropped == 10
    assert recent.good(0) is None
    assert recent.bad(19) is not None
    recent.put(19, SeenPicture(datetime.max, b"y" * 100, {}), good=False)
    assert recent.dropped == 10
    newest = recent.bad(19)
    assert newest is not None
    assert newest.at == datetime.max
