"""The proof of a patrol over a real database: what is seen, pictured, confirmed, excused, found and submitted."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, Role
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Photo, Seen
from camera_hub.patrol.proof.finding_list import FindingQuery
from camera_hub.patrol.proof.findings import NewFinding
from camera_hub.patrol.proof.moments import WAITING
from camera_hub.patrol.proof.parts import FOLDER, ProofMedia, ProofParts, proof
from camera_hub.patrol.proof.patrol_proof import PatrolProof
from camera_hub.patrol.proof.pictures import KeptPicture, StagedPicture
from camera_hub.patrol.proof.results import Confirmation
from camera_hub.patrol.proof.run_results import ResultView
from camera_hub.patrol.proof.transitions import Verdict
from camera_hub.patrol.runs.engine import Engine
from camera_hub.patrol.runs.runs import Verb
from camera_hub.patrol.runs.views import RunView
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.patrol.tours.stops import NewStop
from camera_hub.patrol.tours.tours import TourDraft
from camera_hub.settings import PatrolSettings
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Run, RunPicture, RunResult, Tour
from tests.fakes.stepped import SteppedClock
from tests.patrol.centre import Centre, ReportingPageOf, centre, clock
from tests.patrol.test_patrols import person

__all__ = ["centre", "clock"]

SETTINGS = PatrolSettings(picture_mb=100)


@dataclass(frozen=True)
class FakePicture:
    at: datetime
    jpeg: bytes


@dataclass
class FakePhotographer:
    """Every camera has a picture, but for those with `errors`. `asked`: (camera, width, stream)."""

    now: Callable[[], datetime]
    errors: dict[int, Exception] = field(default_factory=dict)
    asked: list[tuple[int, int, str]] = field(default_factory=list)
    size: int = 0

    async def take(
        self, camera_id: int, *, max_width: int, role: Literal["main", "sub"], seconds: float
    ) -> FakePicture:
        self.asked.append((camera_id, max_width, role))
        if (error := self.errors.get(camera_id)) is not None:
            raise error
        return FakePicture(self.now(), b"\xff\xd8%d" % len(self.asked) + bytes(self.size))


class FakeDecoder:
    """Reads what begins like a JPEG."""

    async def photo(self, request: Photo, data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        if not data.startswith(b"\xff\xd8"):
            raise HubError(Kind.UNSUPPORTED, "it is neither JPEG nor PNG", reason=Reason.PHOTO_UNREADABLE)
        return Seen(1, 1), data[:2] + b"made anew"


@dataclass
class FakeSeal:
    """Notes what it sealed: the run's state and the pictures of its results, as they were in the transaction."""

    sealed: list[tuple[int, str, list[tuple[int, str | None, str | None]]]] = field(default_factory=list)
    error: HubError | None = None

    async def patrol(self, session: AsyncSession, run_id: int) -> None:
        if self.error is not None:
            raise self.error
        run = await session.get_one(Run, run_id)
        rows = await session.execute(
            select(RunResult.camera_id, RunResult.sha256, RunResult.picture_why).where(RunResult.run_id == run_id)
        )
        self.sealed.append((run_id, run.state, [(row[0], row[1], row[2]) for row in rows]))


@dataclass
class Desk:
    """An operator's desk: a patrol under way, and everything that proves it."""

    centre: Centre
    on: Engine
    parts: ProofParts
    photographer: FakePhotographer
    seal: FakeSeal
    files: Path
    page: ReportingPageOf

    async def start(self, *stops: int | list[int], key: Collection[int] = (), confirm: str = "screen") -> RunView:
        """A tour of these stops of 10 s each, running: a camera, or several in a scene (by their index)."""
        cameras = self.centre.cameras
        made = [
            NewStop(cameras[stop], None, 10, "", key=n in key)
            if isinstance(stop, int)
            else NewStop(None, None, 10, "", key=n in key, layout="4", cameras=tuple(cameras[one] for one in stop))
            for n, stop in enumerate(stops)
        ]
        tour = (await self.centre.tours.create(self.centre.actor, TourDraft("重点路段", made))).id
        run = await self.on.runs.start(self.centre.actor, tour, loop=False)
        async with self.centre.database.write() as session:
            await session.execute(update(Run).where(Run.id == run.id).values(confirm=confirm))
        return run

    async def look(self, run: int, step: int, *cameras: int, seconds: float = 5.0) -> None:
        """A page shows these cameras (by their index) that long, and says so."""
        await self.centre.clock.walk(seconds)
        claims = [Sighting(self.centre.cameras[n], seconds) for n in cameras]
        await self.page.report(self.centre.actor, run, step, claims)
        await self.centre.clock.settle()

    async def confirm(
        self, run: int, position: int | None, *cameras: int, result: Verdict = "normal", words: str = "", **more: Any
    ) -> list[ResultView]:
        ids = tuple(self.centre.cameras[n] for n in cameras) or None
        wish = Confirmation(position, ids, result, words, **more)
        return list(await self.parts.results.confirm(self.centre.actor, run, wish))

    async def end(self, run: int, reason: str) -> None:
        """Submit it, give it up, or leave it alone until it expires."""
        if reason == "submitted":
            await self.on.runs.submit(self.centre.actor, run, "")
        elif reason == "stopped":
            await self.control(run, "stop")
        else:
            await self.centre.clock.advance(SETTINGS.closing_hours * 3600)
            await self.centre.clock.walk(5)

    async def results(self, run: int) -> dict[tuple[int, int], ResultView]:
        """By position and camera (its index)."""
        found = await self.parts.results.of(self.centre.actor, run)
        return {(one.position, self.centre.cameras.index(one.camera.id)): one for one in found}

    async def until(
        self, run: int, come: Callable[[dict[tuple[int, int], ResultView]], bool], step: float = 0.0
    ) -> None:
        """Until the results are so; pictures are taken beside everything else. `step`: of the clock meanwhile."""
        async with asyncio.timeout(60):
            while not come(await self.results(run)):
                await self.centre.clock.advance(step)

    async def control(self, run: int, verb: Verb, position: int | None = None) -> None:
        """Act on the run as it is now."""
        revision = (await self.on.reader.get(self.centre.actor, run)).revision
        await self.on.runs.control(self.centre.actor, run, verb, revision, position)

    async def over_to(self, run: int, actor: Actor) -> None:
        """Somebody else takes the patrol over."""
        revision = (await self.on.reader.get(actor, run)).revision
        await self.on.runs.take_over(actor, run, "", revision)

    async def pictured(self, run: int) -> None:
        """Until no picture is under way."""
        await self.until(
            run, lambda found: all(one.picture_url or one.picture_why for one in found.values() if one.seen)
        )

    async def stored(self) -> list[int]:
        async with self.centre.database.read() as session:
            return sorted(await session.scalars(select(RunPicture.id)))

    def kept(self) -> list[int]:
        return sorted(int(path.stem) for path in self.files.glob("*.jpg"))


class Bystander(Clock):
    """The time of the runs' loop, for others: it moves whenever that loop sleeps, whether they sleep or not."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.nap(seconds)


@asynccontextmanager
async def working(centre: Centre, folder: Path, settings: PatrolSettings = SETTINGS) -> AsyncIterator[Desk]:
    photographer, seal = FakePhotographer(centre.clock.now), FakeSeal()
    media = ProofMedia(photographer, FakeDecoder(), centre.media)
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(centre.engine(PatrolProof(seal, centre.media)))
        parts = await stack.enter_async_context(
            proof(settings, folder, Bystander(centre.clock), centre.bus, centre.database, media, on.keeper)
        )
        page = ReportingPageOf(parts.sightings, centre.actor.user_id, "page", centre.clock.monotonic())
        yield Desk(centre, on, parts, photographer, seal, folder / FOLDER, page)


@pytest.fixture
async def desk(centre: Centre, tmp_path: Path) -> AsyncIterator[Desk]:
    async with working(centre, tmp_path) as one:
        yield one


def refused(error: pytest.ExceptionInfo[HubError]) -> tuple[str, list[int]]:
    return error.value.reason, [one["id"] for one in error.value.params.get("cameras", [])]


async def test_a_patrol_is_seen_confirmed_and_submitted(desk: Desk) -> None:
    first, second, third = desk.centre.cameras[:3]
    run = await desk.start(0, [1, 2])
    assert {one.result for one in (await desk.results(run.id)).values()} == {"open"}
    with pytest.raises(HubError) as early:
        await desk.confirm(run.id, 0)
    assert refused(early) == ("not_seen", [first])
    await desk.look(run.id, 0, 0)
    await desk.pictured(run.id)
    assert [one.result for one in await desk.confirm(run.id, 0)] == ["normal"]
    await desk.control(run.id, "next")
    await desk.look(run.id, 1, 1, seconds=2.5)
    await desk.look(run.id, 1, 1, 2, seconds=4.0)
    await desk.pictured(run.id)
    assert [one.result for one in await desk.confirm(run.id, 1)] == ["normal", "normal"]
    with pytest.raises(HubError, match="running"):
        await desk.on.runs.submit(desk.centre.actor, run.id, "")
    await desk.centre.clock.walk(10)
    assert (await desk.on.reader.get(desk.centre.actor, run.id)).state == "closing"
    done = await desk.on.runs.submit(desk.centre.actor, run.id, "都好")
    assert (done.state, done.end_reason) == ("ended", "submitted")
    assert sorted(desk.photographer.asked) == [(camera, 640, "sub") for camera in (first, second, third)]
    ((sealed, state, pictures),) = desk.seal.sealed
    assert (sealed, state) == (run.id, "ended")
    digests = {hashlib.sha256((desk.files / f"{n}.jpg").read_bytes()).hexdigest() for n in desk.kept()}
    assert digests == {sha256 for _, sha256, _ in pictures}
    for url in [one.picture_url for one in (await desk.results(run.id)).values()]:
        assert url is not None
        number = int(url.rpartition("/")[2].removesuffix(".jpg"))
        assert (await desk.parts.results.picture(desk.centre.actor, run.id, number)).startswith(b"\xff\xd8")
        with pytest.raises(HubError, match="no such picture"):
            await desk.parts.results.picture(desk.centre.actor, run.id + 1, number)


@pytest.mark.parametrize("end", ["submitted", "stopped", pytest.param("expired", marks=pytest.mark.slow)])
async def test_a_patrol_is_sealed_however_it_ends_and_nothing_of_it_changes_any_more(desk: Desk, end: str) -> None:
    run = await desk.start(0)
    await desk.look(run.id, 0, 0)
    await desk.confirm(run.id, 0)
    finding = await desk.parts.findings.add(
        desk.centre.actor, run.id, NewFinding(0, desk.centre.cameras[0], "waste", "垃圾", change=True)
    )
    await desk.centre.clock.walk(10)
    assert desk.seal.sealed == []
    await desk.end(run.id, end)
    assert [(sealed, state) for sealed, state, _ in desk.seal.sealed] == [(run.id, "ended")]
    assert (await desk.on.reader.get(desk.centre.actor, run.id)).end_reason == end
    before = await desk.results(run.id)
    new = NewFinding(0, desk.centre.cameras[0], "waste", "垃圾")
    findings = desk.parts.findings
    for attempt in (
        desk.confirm(run.id, 0, 0, change=True),
        desk.confirm(run.id, 0, 0, result="abnormal", words="晚了", change=True),
        findings.add(desk.centre.actor, run.id, new),
        findings.change(desk.centre.actor, finding.id, "flood", "积水"),
        findings.delete(desk.centre.actor, finding.id),
        findings.add_photo(desk.centre.actor, finding.id, b"\xff\xd8"),
    ):
        with pytest.raises(HubError) as late:
            await attempt
        assert (late.value.kind, late.value.reason) == (Kind.CONFLICT, "run_ended")
    await desk.page.report(desk.centre.actor, run.id, 0, [Sighting(desk.centre.cameras[0], 9.0)])
    desk.parts.moments.take(run.id, 0, [desk.centre.cameras[0]])
    await desk.centre.clock.walk(5)
    assert await desk.results(run.id) == before


async def test_a_patrol_with_open_results_is_not_submitted_and_a_failing_seal_ends_nothing(desk: Desk) -> None:
    run = await desk.start(0, 1)
    await desk.look(run.id, 0, 0)
    await desk.confirm(run.id, 0)
    await desk.centre.clock.walk(20)
    with pytest.raises(HubError) as early:
        await desk.on.runs.submit(desk.centre.actor, run.id, "")
    assert refused(early) == ("still_open", [desk.centre.cameras[1]])
    (one,) = await desk.parts.results.of(desk.centre.actor, run.id, 1)
    assert (one.why, one.visits, one.seen) == ("no_page", 1, False)
    await desk.control(run.id, "jump", 1)
    await desk.look(run.id, 2, 1)
    await desk.confirm(run.id, 1)
    await desk.centre.clock.walk(10)
    desk.seal.error = HubError(Kind.STORAGE_FULL, "no room", reason=Reason.STORAGE_FULL)
    with pytest.raises(HubError, match="no room"):
        await desk.on.runs.submit(desk.centre.actor, run.id, "")
    assert (await desk.on.reader.get(desk.centre.actor, run.id)).state == "closing"


async def test_submitting_waits_for_a_confirmation_under_way(desk: Desk) -> None:
    run = (await desk.start(0)).id
    await desk.look(run, 0, 0)
    await desk.confirm(run, 0)
    await desk.control(run, "next")
    async with desk.centre.database.write() as session:  # as a confirmation: the run, then its results
        await session.execute(select(Run.id).where(Run.id == run).with_for_update())
        submitting = asyncio.create_task(desk.on.runs.submit(desk.centre.actor, run, ""))
        async with asyncio.timeout(60):
            while not desk.centre.database.is_sqlite:
                if await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    break
                await asyncio.sleep(0)
        await session.execute(select(RunResult.id).where(RunResult.run_id == run).with_for_update())
    assert (await submitting).end_reason == "submitted"


async def test_the_dead_are_excused_with_the_number_of_their_alarm_until_they_are_back(desk: Desk) -> None:
    dead, other = desk.centre.cameras[0], desk.centre.cameras[1]
    await desk.centre.kill(dead, cause="no_media")
    await desk.centre.kill(other, cause="wrong_password")
    now = desk.centre.clock.now()
    async with desk.centre.database.write() as session:
        alarms = [
            Alarm(level="camera", aspect="osd", cause="osd_name_wrong", camera_id=dead, opened_at=now),
            Alarm(level="camera", aspect="media", cause="no_media", camera_id=dead, opened_at=now),
            Alarm(level="camera", aspect="media", cause="no_media", camera_id=other, opened_at=now, closed_at=now),
        ]
        session.add_all(alarms)
        await session.flush()
        session.add_all(AlarmMember(alarm_id=one.id, camera_id=one.camera_id, joined_at=now) for one in alarms)
        number = alarms[1].id
    run = await desk.start(0, [1, 2], 3)
    assert run.position == 1
    await desk.look(run.id, 1, 2)
    after = {one.camera.id: one for one in await desk.confirm(run.id, 1)}  # nobody asks for the dead one of the screen
    assert (after[other].result, after[other].cause, after[other].reference) == ("excused", "wrong_password", None)
    results = await desk.results(run.id)
    assert (results[0, 0].result, results[0, 0].cause, results[0, 0].reference) == ("excused", "no_media", number)
    assert (results[0, 0].why, results[0, 0].visits) == ("no_media", 0)
    await desk.centre.clock.walk(20)
    assert (await desk.on.reader.get(desk.centre.actor, run.id)).state == "closing"
    async with desk.centre.database.write() as session:
        await session.execute(update(Camera).where(Camera.id == dead).values(health="ok", cause=None))
    view = await desk.on.reader.get(desk.centre.actor, run.id)
    assert set(view.remaining) == {0, 2}
    await desk.control(run.id, "jump", 0)
    await desk.look(run.id, view.shown + view.skipped, 0)
    result = (await desk.results(run.id))[0, 0]
    assert (result.result, result.cause, result.reference, result.seen) == ("open", None, None, True)
    await desk.confirm(run.id, 0)
    await desk.centre.kill(desk.centre.cameras[3], cause="no_media")  # since its stop was left, unseen
    await desk.centre.clock.walk(10)
    await desk.on.runs.submit(desk.centre.actor, run.id, "")
    assert (await desk.results(run.id))[2, 3].result == "excused"


async def test_what_shows_nothing_cannot_be_seen_but_can_be_reported(desk: Desk) -> None:
    black = desk.centre.cameras[0]
    await desk.centre.kill(black, cause="black")
    now = desk.centre.clock.now()
    async with desk.centre.database.write() as session:
        alarm = Alarm(level="camera", aspect="picture", cause="black", camera_id=black, opened_at=now)
        session.add(alarm)
        await session.flush()
        session.add(AlarmMember(alarm_id=alarm.id, camera_id=black, joined_at=now))
        number = alarm.id
    run = await desk.start(0)
    await desk.look(run.id, 0, 0)
    with pytest.raises(HubError) as unseen:
        await desk.confirm(run.id, 0)
    assert unseen.value.params["cameras"][0]["why"] == "black"
    (one,) = await desk.confirm(run.id, 0, 0, result="abnormal")
    assert (one.result, one.seen, one.cause, one.reference) == ("abnormal", False, "black", number)
    await desk.centre.clock.walk(10)
    assert (await desk.results(run.id))[0, 0].why == "black"
    await desk.on.runs.submit(desk.centre.actor, run.id, "")


async def test_of_two_who_confirm_at_once_the_second_gets_the_new_state(desk: Desk) -> None:
    run = await desk.start(0)
    await desk.look(run.id, 0, 0)
    other = Actor(desk.centre.actor.user_id, "li", "李四", Role.OPERATOR)
    wishes = (Confirmation(0, None, "normal"), Confirmation(0, (desk.centre.cameras[0],), "abnormal", "有人占道"))
    answers = await asyncio.gather(
        desk.parts.results.confirm(other, run.id, wishes[1]),
        desk.parts.results.confirm(desk.centre.actor, run.id, wishes[0]),
        return_exceptions=True,
    )
    # Who comes second confirms what is open there, which is nothing any more, or learns what the other has said.
    (one,) = (await desk.results(run.id)).values()
    refused = [answer.reason for answer in answers if isinstance(answer, HubError)]
    assert (one.result, refused) in (("abnormal", []), ("normal", ["already_confirmed"]))


async def test_every_change_of_a_confirmed_result_is_meant_has_a_reason_and_is_kept(desk: Desk) -> None:
    """Whoever had confirmed it, and whatever changes it: a confirmation, a finding, the finding's words, its end."""
    run, other = await desk.start(0), await person(desk.centre, "李四")
    camera = desk.centre.cameras[0]
    await desk.look(run.id, 0, 0)
    await desk.confirm(run.id, 0)
    by_name, findings = desk.parts.results.confirm, desk.parts.findings
    await desk.over_to(run.id, other)
    with pytest.raises(HubError) as late:
        await by_name(other, run.id, Confirmation(0, (camera,), "abnormal", "有人占道"))
    assert late.value.reason == "already_confirmed"
    named = {"position": 0, "id": camera, "result": "normal", "by": "张三", "seen_s": 5.0, "why": None}
    assert late.value.params["cameras"] == [named]
    with pytest.raises(HubError) as early:
        await findings.add(other, run.id, NewFinding(0, camera, "flood", "积水"))
    assert early.value.reason == "already_confirmed"
    assert (await desk.results(run.id))[0, 0].result == "normal"
    with pytest.raises(HubError) as mute:
        await by_name(other, run.id, Confirmation(0, (camera,), "abnormal", "", change=True))
    assert mute.value.reason == "words_needed"
    await by_name(other, run.id, Confirmation(0, (camera,), "abnormal", "有人占道", change=True))
    await desk.over_to(run.id, desk.centre.actor)
    await by_name(desk.centre.actor, run.id, Confirmation(0, (camera,), "normal", "已撤离", change=True))
    await desk.over_to(run.id, other)
    finding = await findings.add(other, run.id, NewFinding(0, camera, "flood", "积水", change=True))
    await findings.change(other, finding.id, "flood", "积水一片")
    await findings.delete(other, finding.id)
    events = await desk.on.reader.events(desk.centre.actor, run.id)
    kept = [
        (one.user_name, *(one.detail[name] for name in ("before", "before_words", "before_name", "result", "words")))
        for one in events
        if one.kind == "result_changed"
    ]
    assert kept == [
        ("李四", "normal", "", "张三", "abnormal", "有人占道"),
        ("张三", "abnormal", "有人占道", "李四", "normal", "已撤离"),
        ("李四", "normal", "已撤离", "张三", "abnormal", "积水"),
        ("李四", "abnormal", "积水", "李四", "abnormal", "积水一片"),
        ("李四", "abnormal", "积水一片", "李四", "open", ""),
    ]
    changes = [one for one in events if one.kind == "result_changed"]
    assert [one.detail["finding"] for one in changes] == [None, None, *[finding.id] * 3]
    assert changes[0].detail["before_by"] == desk.centre.actor.user_id
    assert datetime.fromisoformat(changes[0].detail["before_at"]) <= changes[0].at
    assert (await desk.results(run.id))[0, 0].confirmed_name is None


async def test_a_finding_takes_its_picture_and_makes_the_camera_abnormal(desk: Desk) -> None:
    actor, camera = desk.centre.actor, desk.centre.cameras[0]
    run = await desk.start(0, 1)
    await desk.look(run.id, 0, 0)
    await desk.pictured(run.id)
    finding = await desk.parts.findings.add(actor, run.id, NewFinding(0, camera, "road_hazard", "护栏断了"))
    assert desk.photographer.asked[-1] == (camera, 2560, "main")
    assert (finding.village, finding.camera, finding.user_name) == ("东沟村", "东沟村摄像机1", "张三")
    assert (await desk.parts.finding_list.picture(actor, finding.id)).startswith(b"\xff\xd8")
    one = (await desk.results(run.id))[0, 0]
    assert (one.result, one.words, one.findings, one.confirmed_name) == ("abnormal", "护栏断了", 1, "张三")
    assert await desk.parts.pictures.sweep() == 1  # the picture of the moment: replaced by the one in full size
    assert desk.kept() == await desk.stored()
    with pytest.raises(HubError) as unknown:
        await desk.parts.findings.add(actor, run.id, NewFinding(0, camera, "aliens", "x"))
    assert unknown.value.reason == "no_such_category"
    with_photo = await desk.parts.findings.add_photo(actor, finding.id, b"\xff\xd8 GPS 31.8 117.2")
    assert with_photo.photo_url == f"/api/findings/{finding.id}/photo.jpg"
    assert await desk.parts.finding_list.picture(actor, finding.id, photo=True) == b"\xff\xd8made anew"
    await desk.parts.findings.add_photo(actor, finding.id, b"\xff\xd8 another")
    for data in (b"", b"<svg/>", b"<html>", b"GIF89a"):
        with pytest.raises(HubError) as bad:
            await desk.parts.findings.add_photo(actor, finding.id, data)
        assert bad.value.reason == Reason.PHOTO_UNREADABLE
    with pytest.raises(HubError) as large:
        await desk.parts.findings.add_photo(actor, finding.id, bytes(8 * 1024 * 1024 + 1))
    assert large.value.kind is Kind.TOO_LARGE
    changed = await desk.parts.findings.change(actor, finding.id, "other", "护栏倒了")
    assert (changed.category, (await desk.results(run.id))[0, 0].words) == ("other", "护栏倒了")
    await desk.parts.findings.delete(actor, finding.id)
    one = (await desk.results(run.id))[0, 0]
    assert (one.result, one.words, one.findings, one.confirmed_name) == ("open", "", 0, None)
    await desk.parts.pictures.sweep()
    assert desk.kept() == await desk.stored() == [int(str(one.picture_url).rpartition("/")[2][:-4])]


async def test_the_picture_of_a_deleted_finding_goes_with_it(desk: Desk) -> None:
    actor, camera = desk.centre.actor, desk.centre.cameras[0]
    run = await desk.start(0)
    await desk.look(run.id, 0, 0)
    await desk.pictured(run.id)
    mistake, right = [
        await desk.parts.findings.add(actor, run.id, NewFinding(0, camera, "flood", words)) for words in ("a", "b")
    ]
    assert len(await desk.stored()) == 2
    await desk.parts.findings.delete(actor, mistake.id)
    assert len(await desk.stored()) == 1
    assert (await desk.parts.finding_list.picture(actor, right.id)).startswith(b"\xff\xd8")


async def test_a_finding_is_withdrawn_by_who_made_it_and_by_the_operator_until_the_patrol_is_over(desk: Desk) -> None:
    actor, camera, findings = desk.centre.actor, desk.centre.cameras[0], desk.parts.findings
    run = await desk.start(0)
    await desk.look(run.id, 0, 0)
    li, wang = await person(desk.centre, "li"), await person(desk.centre, "wang")
    own, of_li, last = [
        await findings.add(who, run.id, NewFinding(0, camera, "flood", words))
        for who, words in ((actor, "a"), (li, "b"), (actor, "c"))
    ]
    for call in (
        findings.delete(wang, own.id),
        findings.change(wang, own.id, "waste", "x"),
        findings.delete(li, own.id),
    ):
        with pytest.raises(HubError) as refused:
            await call
        assert refused.value.reason == "not_operator"
    await findings.delete(li, of_li.id)
    again = await findings.add(li, run.id, NewFinding(0, camera, "flood", "b"))
    await findings.delete(actor, again.id)
    await findings.delete(actor, own.id)
    events = await desk.on.reader.events(actor, run.id)
    assert [
        (one.user_name, one.detail["before_words"], one.detail["before_name"])
        for one in events
        if one.kind == "finding_deleted"
    ] == [("li", "b", "li"), ("张三", "b", "li"), ("张三", "a", "张三")]
    await desk.on.runs.control(actor, run.id, "stop", (await desk.on.reader.get(actor, run.id)).revision)
    with pytest.raises(HubError) as sealed:
        await findings.delete(actor, last.id)
    assert sealed.value.reason == "run_ended"


async def test_who_has_handed_a_patrol_over_confirms_nothing_more_and_what_was_confirmed_stays(desk: Desk) -> None:
    run = await desk.start(0, 1)
    await desk.look(run.id, 0, 0)
    await desk.confirm(run.id, 0)
    li = await person(desk.centre, "li")
    run = await desk.on.reader.get(li, run.id)
    await desk.on.runs.hand_over(desk.centre.actor, run.id, li.user_id, "", run.revision)
    finding = NewFinding(0, desk.centre.cameras[0], "flood", "积水", change=True)
    for attempt in (desk.confirm(run.id, 0), desk.parts.findings.add(desk.centre.actor, run.id, finding)):
        with pytest.raises(HubError) as refused:
            await attempt
        assert (refused.value.reason, refused.value.params["name"]) == ("not_operator", "li")
    (one,) = [one for one in (await desk.results(run.id)).values() if one.position == 0]
    assert (one.result, one.confirmed_name) == ("normal", desk.centre.actor.display_name)
    assert await desk.parts.results.confirm(li, run.id, Confirmation(0, None, "normal"))


async def test_a_patrol_that_is_kept_for_other_roles_is_not_confirmed_either(desk: Desk) -> None:
    run = (await desk.start(0)).id
    await desk.look(run, 0, 0)
    finding = await desk.parts.findings.add(desk.centre.actor, run, NewFinding(0, desk.centre.cameras[0], "flood", "a"))
    other = await person(desk.centre, "other")
    async with desk.centre.database.write() as session:
        await session.execute(update(Tour).values(roles=["leader"]))
    findings, camera = desk.parts.findings, desk.centre.cameras[0]
    for call in (
        desk.parts.results.confirm(other, run, Confirmation(0, None, "normal")),
        desk.parts.results.confirm(other, run, Confirmation(0, (camera,), "abnormal", "x")),
        findings.add(other, run, NewFinding(0, camera, "flood", "x")),
        findings.change(other, finding.id, "waste", "x"),
        findings.add_photo(other, finding.id, b"\xff\xd8"),
        findings.delete(other, finding.id),
    ):
        with pytest.raises(HubError) as refusal:
            await call
        assert refusal.value.reason == "tour_not_yours"
    await findings.change(desk.centre.actor, finding.id, "waste", "x")  # its owner may


async def test_findings_are_listed_by_place_time_category_and_words(desk: Desk) -> None:
    actor, cameras = desk.centre.actor, desk.centre.cameras
    run = await desk.start([0, 4])
    await desk.look(run.id, 0, 0, 4)
    for number in range(5):
        camera = cameras[4] if number % 2 else cameras[0]
        await desk.parts.findings.add(actor, run.id, NewFinding(0, camera, "waste", f"第{number}处 100%_"))
        await desk.centre.clock.advance(0.01)
    found = desk.parts.finding_list.listed
    page = await found(actor, FindingQuery(limit=2))
    assert ([one.words[1] for one in page.findings], page.total) == (["4", "3"], 5)
    rest = await found(actor, FindingQuery(limit=200, before=page.next))
    assert ([one.words[1] for one in rest.findings], rest.next) == (["2", "1", "0"], None)
    for query, number in (
        (FindingQuery(camera_id=cameras[4]), 2),
        (FindingQuery(village_id=page.findings[0].village_id), 3),
        (FindingQuery(category="flood"), 0),
        (FindingQuery(text="0%_"), 5),
        (FindingQuery(text="_处"), 0),  # no wildcard
        (FindingQuery(text="西沟"), 2),
        (FindingQuery(end=rest.findings[-1].at), 0),
        (FindingQuery(begin=rest.findings[-1].at), 5),
        (FindingQuery(run_id=run.id + 1), 0),
    ):
        assert (await found(actor, query)).total == number, query
    village = Actor(7, "v", "V", Role.VILLAGE_ADMIN, frozenset({1}))
    assert (await found(village, FindingQuery())).total == 0
    with pytest.raises(HubError, match="no such finding"):
        await desk.parts.finding_list.get(village, page.findings[0].id)


async def test_a_picture_is_tried_again_while_the_stop_is_on_and_its_lack_is_said(desk: Desk) -> None:
    first, second = desk.centre.cameras[:2]
    error = HubError(Kind.TIMEOUT, "none came", reason=Reason.NO_KEY_FRAME)
    desk.photographer.errors = {first: error, second: error}
    run = await desk.start([0, 1], 2)
    await desk.look(run.id, 0, 0, 1, seconds=4.0)
    del desk.photographer.errors[first]
    await desk.centre.clock.walk(3)
    await desk.until(run.id, lambda found: found[0, 0].picture_url is not None, step=0.1)
    assert (await desk.results(run.id))[0, 1].picture_url is None
    assert [one.result for one in await desk.confirm(run.id, 0)] == ["normal", "normal"]
    await desk.centre.clock.walk(7)
    await desk.until(run.id, lambda found: found[0, 1].picture_why is not None, step=0.5)
    one = (await desk.results(run.id))[0, 1]
    assert (one.picture_url, one.picture_why, desk.parts.moments.given_up) == (None, "no_key_frame", 1)


async def test_a_second_visit_takes_another_picture_unless_the_first_was_confirmed(desk: Desk) -> None:
    run = await desk.start([0, 1])
    await desk.look(run.id, 0, 0, 1)
    await desk.pictured(run.id)
    await desk.confirm(run.id, 0, 0)
    before = await desk.results(run.id)
    await desk.control(run.id, "previous")
    await desk.look(run.id, 1, 0, 1)
    await desk.until(run.id, lambda found: found[0, 1].picture_url != before[0, 1].picture_url)
    after = await desk.results(run.id)
    assert after[0, 0].picture_url == before[0, 0].picture_url
    assert after[0, 1].visits == 1
    assert await desk.parts.pictures.sweep() == 1
    assert desk.kept() == await desk.stored()


async def test_the_pictures_of_one_screen_are_kept_together(desk: Desk) -> None:
    """Else sixteen cameras that are seen at once are sixteen transactions, each with files, and the runs wait."""
    run = await desk.start([0, 1, 2])
    written = list[int]()
    write = desk.parts.pictures.add_staged

    async def noting(session: AsyncSession, run_id: int, staged: Sequence[StagedPicture]) -> Sequence[KeptPicture]:
        written.append(len(staged))
        return await write(session, run_id, staged)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.parts.pictures, "add_staged", noting)
        await desk.look(run.id, 0, 0, 1, 2)
        await desk.pictured(run.id)
    assert written == [3]
    assert desk.kept() == await desk.stored()


async def test_of_a_screen_the_pictures_that_came_are_kept_and_the_others_tried_again(desk: Desk) -> None:
    slow = desk.centre.cameras[1]
    desk.photographer.errors = {slow: HubError(Kind.TIMEOUT, "none came", reason=Reason.NO_KEY_FRAME)}
    run = await desk.start([0, 1, 2])
    await desk.look(run.id, 0, 0, 1, 2, seconds=4.0)
    await desk.until(run.id, lambda found: all(found[0, n].picture_url for n in (0, 2)))
    assert (await desk.results(run.id))[0, 1].picture_url is None
    desk.photographer.errors.clear()
    await desk.until(run.id, lambda found: found[0, 1].picture_url is not None, step=0.1)
    assert [camera for camera, _, _ in desk.photographer.asked].count(desk.centre.cameras[0]) == 1


async def test_a_picture_that_fails_as_nobody_has_foreseen_costs_no_other_one(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    broken = desk.centre.cameras[1]
    desk.photographer.errors = {broken: RuntimeError("a bug")}
    run = await desk.start([0, 1, 2])
    await desk.look(run.id, 0, 0, 1, 2, seconds=4.0)
    await desk.until(run.id, lambda found: all(found[0, n].picture_url for n in (0, 2)))
    assert f"the picture of camera {broken} failed unexpectedly" in caplog.text
    assert not list(desk.files.glob("*.part"))
    desk.photographer.errors.clear()
    await desk.until(run.id, lambda found: found[0, 1].picture_url is not None, step=0.1)
    assert [camera for camera, _, _ in desk.photographer.asked].count(desk.centre.cameras[0]) == 1
    assert desk.kept() == await desk.stored()


@pytest.mark.parametrize("error", [RuntimeError("a bug"), HubError(Kind.STORAGE_FULL, "the disk is full")])
async def test_where_a_picture_cannot_be_staged_or_kept_no_file_of_the_screen_is_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever it fails of: of those that were on the disk by then nothing is left, and they are taken again."""
    run = await desk.start([0, 1, 2])
    add, failing, left = desk.parts.pictures.add_staged, [True], list[Path]()
    unstage = desk.parts.pictures.unstage

    async def failing_once(
        session: AsyncSession, run_id: int, staged: Sequence[StagedPicture]
    ) -> Sequence[KeptPicture]:
        if failing:
            failing.pop()
            raise error
        return await add(session, run_id, staged)

    async def looked_at(staged: Collection[StagedPicture]) -> None:
        await unstage(staged)
        left.extend(desk.files.glob("*.part"))

    monkeypatch.setattr(desk.parts.pictures, "add_staged", failing_once)
    monkeypatch.setattr(desk.parts.pictures, "unstage", looked_at)
    await desk.look(run.id, 0, 0, 1, 2, seconds=4.0)
    await desk.until(run.id, lambda found: all(one.picture_url for one in found.values()), step=0.1)
    assert (failing, left) == ([], [])
    assert desk.kept() == await desk.stored()


async def test_a_picture_whose_transaction_fails_is_taken_again_and_leaves_no_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await desk.start([0, 1])
    writing, failing = desk.parts.pictures.writing, [True]

    @asynccontextmanager
    async def failing_once() -> AsyncIterator[AsyncSession]:
        async with writing() as session:
            yield session
            if failing:
                failing.pop()
                raise HubError(Kind.UNAVAILABLE, "the database is away", reason="database_away")

    monkeypatch.setattr(desk.parts.pictures, "writing", failing_once)
    await desk.look(run.id, 0, 0, 1)
    await desk.until(run.id, lambda found: all(one.picture_url for one in found.values()), step=0.1)
    assert not failing
    await desk.parts.pictures.sweep()
    assert desk.kept() == await desk.stored()
    assert not list(desk.files.glob("*.part"))


async def test_the_queue_of_pictures_is_bounded(desk: Desk) -> None:
    desk.parts.moments.take(1, 0, range(1, WAITING + 6))
    desk.parts.moments.take(1, 0, range(1, 6))  # they wait already
    assert desk.parts.moments.dropped == 5


async def killed_before_the_commit(desk: Desk, run: int) -> None:
    async with desk.parts.pictures.writing() as session:
        await desk.parts.pictures.add(session, run, "moment", b"\xff\xd8", desk.centre.clock.now())
        raise RuntimeError("killed")


async def test_a_hub_that_dies_between_file_and_row_leaves_nothing_for_ever(centre: Centre, tmp_path: Path) -> None:
    async with working(centre, tmp_path) as desk:
        run = await desk.start(0)
        with pytest.raises(RuntimeError, match="killed"):
            await killed_before_the_commit(desk, run.id)
        assert len(desk.kept()) == 1
        assert await desk.stored() == []
        async with centre.database.write() as session:
            values = {"seen_at": centre.clock.now(), "seen_s": 5.0}
            await session.execute(update(RunResult).where(RunResult.run_id == run.id).values(values))
    async with working(centre, tmp_path) as desk:
        await desk.centre.clock.settle()
        await desk.pictured(run.id)  # it had been seen: its picture is taken after all
        assert desk.kept() == await desk.stored() != []


async def test_at_the_bound_no_more_pictures_are_taken_first_of_what_is_normal(centre: Centre, tmp_path: Path) -> None:
    async with working(centre, tmp_path) as desk:
        run = await desk.start([0, 1])
        async with desk.parts.pictures.writing() as session:
            session.add(RunPicture(run_id=run.id, kind="moment", kept_at=centre.clock.now(), size=95_000_000))
        await desk.parts.pictures.sweep()
        await desk.look(run.id, 0, 0, 1)
        await desk.pictured(run.id)
        assert {one.picture_why for one in (await desk.results(run.id)).values()} == {"storage_full"}
        finding = await desk.parts.findings.add(centre.actor, run.id, NewFinding(0, centre.cameras[0], "other", "x"))
        assert finding.picture_url is not None
        desk.photographer.size = 6_000_000
        finding = await desk.parts.findings.add(centre.actor, run.id, NewFinding(0, centre.cameras[1], "other", "x"))
        assert (finding.picture_url, finding.picture_why) == (None, "storage_full")


async def test_the_pictures_of_a_deleted_patrol_go_with_it(desk: Desk) -> None:
    run = await desk.start(0)
    await desk.look(run.id, 0, 0)
    await desk.pictured(run.id)
    pictures = await desk.stored()
    async with desk.centre.database.write() as session:
        await session.execute(delete(Run).where(Run.id == run.id))
    assert await desk.stored() == []
    await desk.parts.pictures.delete(pictures)
    assert desk.kept() == []


@pytest.mark.parametrize("position", [-1, 7, 10**9])
async def test_who_is_bound_to_villages_and_what_does_not_exist_finds_nothing(desk: Desk, position: int) -> None:
    run = await desk.start(0)
    with pytest.raises(HubError) as unknown:
        await desk.confirm(run.id, position)
    assert unknown.value.reason == "no_such_stop"
    with pytest.raises(HubError, match="no such stop"):
        await desk.parts.findings.add(desk.centre.actor, run.id, NewFinding(position, 1, "other", "x"))
    village = Actor(7, "v", "V", Role.VILLAGE_ADMIN, frozenset({1}))
    with pytest.raises(HubError, match="no such run"):
        await desk.parts.results.of(village, run.id)
    loop = await desk.on.runs.start(desk.centre.actor, run.tour_id, loop=True)
    assert await desk.parts.results.of(desk.centre.actor, loop.id) == []
    with pytest.raises(HubError, match="no such patrol"):
        await desk.confirm(loop.id, 0)
