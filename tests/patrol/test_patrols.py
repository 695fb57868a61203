"""A patrol as its operators meet it: dead stops offered again, alarms, steered cameras, hand-over, its end."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.errors import HubError, Kind
from camera_hub.events import AlarmChanged, PtzChanged, RunChanged, Subscription
from camera_hub.patrol.runs.engine import Engine
from camera_hub.patrol.runs.itinerary import Itinerary, ItineraryStop
from camera_hub.patrol.runs.keeper import RunMoved
from camera_hub.patrol.runs.run_proof import ResultCounts
from camera_hub.patrol.runs.runs import MAX_ACTIVE
from camera_hub.patrol.runs.views import RunView
from camera_hub.patrol.runs.warming import AFTER_CLOSING
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Run, RunStep, Tour, User
from tests.patrol.centre import SETTINGS, Centre, centre, clock

__all__ = ["centre", "clock"]


@dataclass
class Proof:
    """Keeps the results of one patrol in memory: who is there when a stop is left counts as normal at once."""

    confirms: bool = True
    results: dict[tuple[int, int], str] = field(default_factory=dict)
    ends: list[str | None] = field(default_factory=list)

    async def begin(self, session: AsyncSession, run: Run, itinerary: Itinerary) -> None:
        self.results = {(stop.position, camera): "open" for stop in itinerary for camera in stop.ids}

    async def left(
        self, session: AsyncSession, run: Run, step: RunStep, stop: ItineraryStop, dead: Mapping[int, str]
    ) -> None:
        for camera in stop.ids:
            if camera in dead:
                self.results[stop.position, camera] = "excused"
            elif self.confirms and step.outcome == "shown":
                self.results[stop.position, camera] = "normal"

    async def open_positions(self, session: AsyncSession, run_id: int) -> Collection[int]:
        return {position for (position, _), result in self.results.items() if result == "open"}

    async def excused(self, session: AsyncSession, run_id: int) -> Mapping[int, Collection[int]]:
        found = defaultdict[int, set[int]](set)
        for (position, camera), result in self.results.items():
            if result == "excused":
                found[position].add(camera)
        return found

    async def counts(self, session: AsyncSession, run_ids: Collection[int]) -> Mapping[int, ResultCounts]:
        results = list(self.results.values())
        return dict.fromkeys(run_ids, ResultCounts(results.count("open"), results.count("normal")))

    async def may_submit(self, session: AsyncSession, run: Run) -> None:
        if "open" in self.results.values():
            raise HubError(Kind.CONFLICT, "some cameras are not confirmed", reason="still_open")

    async def ended(self, session: AsyncSession, run: Run) -> None:
        assert run.state == "ended"
        self.ends.append(run.end_reason)


@dataclass
class Steering:
    """Cameras that a person steers; brings and leaves cameras of tours."""

    steered: set[int] = field(default_factory=set)
    said: list[tuple[str, int]] = field(default_factory=list)

    def steered_by_person(self, camera_id: int) -> bool:
        return camera_id in self.steered

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None:
        self.said.append((token, camera_id))

    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None:
        return None

    async def leave(self, run_id: int, name: str, camera_id: int) -> None:
        self.said.append(("leave", camera_id))


async def revive(centre: Centre, *cameras: int) -> None:
    async with centre.database.write() as session:
        await session.execute(update(Camera).where(Camera.id.in_(cameras)).values(health="ok", cause=None))


async def person(centre: Centre, name: str, role: Role = Role.OPERATOR, **given: Any) -> Actor:
    async with centre.database.write() as session:
        user = User(
            username=name,
            display_name=name,
            role=role.value,
            password_hash="-",
            created_at=centre.clock.now(),
            **{"all_villages": True} | given,
        )
        session.add(user)
        await session.flush()
        return Actor(user.id, name, name, role)


async def ruled(centre: Centre, tour: int, **rules: Any) -> int:
    async with centre.database.write() as session:
        await session.execute(update(Tour).where(Tour.id == tour).values(**rules))
    return tour


async def alarm(centre: Centre, *cameras: int, severity: str = "major") -> int:
    async with centre.database.write() as session:
        camera = await session.get_one(Camera, cameras[0])
        row = Alarm(
            level="village",
            severity=severity,
            cause="unreachable",
            village_id=camera.village_id,
            opened_at=centre.clock.now(),
        )
        session.add(row)
        await session.flush()
        for member in cameras:
            session.add(AlarmMember(alarm_id=row.id, camera_id=member, joined_at=centre.clock.now()))
        found, village = row.id, camera.village_id
    centre.bus.publish(AlarmChanged(found, village))
    return found


async def told(heard: Subscription) -> None:
    """Until a run has changed."""
    async with asyncio.timeout(60):
        await heard.next()


async def events(centre: Centre, on: Engine, run: int) -> list[tuple[str, str]]:
    """(kind, by whom) of all."""
    return [(event.kind, event.user_name) for event in await on.reader.events(centre.actor, run)]


async def test_dead_stops_are_offered_again_when_they_are_back(centre: Centre) -> None:
    tour = await centre.tour(10, 10, 10)
    await centre.kill(centre.cameras[0], centre.cameras[1])
    proof = Proof()
    async with centre.engine(proof) as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert (run.position, run.remaining) == (2, ())
        await centre.clock.walk(11)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.state, run.remaining, run.next_position) == ("closing", (), None)
        with pytest.raises(HubError, match="submit the patrol"):
            await on.runs.control(centre.actor, run.id, "next", run.revision)
        await revive(centre, centre.cameras[1])
        run = await on.reader.get(centre.actor, run.id)
        assert (run.remaining, run.next_position) == ((1,), 1)
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        assert (run.state, run.position, run.time_left_s) == ("running", 1, 10)
        await centre.clock.walk(10.5)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.state, run.remaining) == ("closing", ())
        run = await on.runs.submit(centre.actor, run.id, "无异常", run.revision)
        assert (run.state, run.end_reason, proof.ends) == ("ended", "submitted", ["submitted"])
        assert [line[:3] for line in await centre.lines(on, run.id)] == [
            (0, "skipped", "unreachable"),
            (1, "skipped", "unreachable"),
            (2, "shown", None),
            (1, "shown", None),
        ]
        assert [kind for kind, _ in await events(centre, on, run.id)] == [
            "started",
            "closing",
            "next",
            "closing",
            "submitted",
        ]


async def test_what_nobody_confirmed_is_offered_and_a_stop_that_dies_then_is_excused(centre: Centre) -> None:
    tour = await centre.tour(10, 10)
    proof = Proof(confirms=False)
    async with centre.engine(proof) as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(21)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.state, run.remaining, run.counts) == ("closing", (0, 1), ResultCounts(2, 0))
        with pytest.raises(HubError, match="not confirmed"):
            await on.runs.submit(centre.actor, run.id, "", run.revision)
        await centre.kill(centre.cameras[0])
        proof.results[1, centre.cameras[1]] = "normal"
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        assert (run.state, run.remaining) == ("closing", ())
        assert (await on.runs.submit(centre.actor, run.id, "")).end_reason == "submitted"


async def test_the_record_has_what_a_person_did_before_what_followed_from_it(centre: Centre) -> None:
    tour = await centre.tour(10)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        assert run.state == "closing"
        events = await on.reader.events(centre.actor, run.id)
        assert [event.kind for event in events] == ["started", "next", "closing"]


async def test_a_patrol_of_dead_cameras_can_be_submitted_at_once(centre: Centre) -> None:
    tour = await centre.tour(10, 10)
    await centre.kill(*centre.cameras)
    proof = Proof()
    async with centre.engine(proof) as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert (run.state, run.skipped, run.step) == ("closing", 2, None)
        assert set(proof.results.values()) == {"excused"}
        assert (await on.runs.submit(centre.actor, run.id, "全部离线")).end_reason == "submitted"


async def test_an_alarm_interrupts_and_the_patrol_goes_on_at_the_same_stop(centre: Centre) -> None:
    tour = await ruled(centre, await centre.tour(10, 20, 30), interrupt="major")
    await alarm(centre, centre.cameras[4])  # before the patrol: no news
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(14)
        with centre.bus.subscribe(RunChanged) as heard:
            await alarm(centre, centre.cameras[4], severity="minor")
            first = await alarm(centre, centre.cameras[4], centre.cameras[5])
            await told(heard)
            run = await on.reader.get(centre.actor, run.id)
            assert (run.state, run.pause_reason, run.position, run.time_left_s) == ("paused", "alarm", 1, 16.0)
            assert run.interrupt is not None
            assert (run.interrupt.alarm_id, run.interrupt.village, run.interrupt.more) == (first, "西沟村", 0)
            assert [camera.id for camera in run.interrupt.cameras] == centre.cameras[4:6]
            centre.bus.publish(AlarmChanged(first, None))  # it grew: the same alarm
            await alarm(centre, centre.cameras[0], severity="critical")
            await told(heard)
        await centre.clock.walk(60)
        run = await on.reader.get(centre.actor, run.id)
        assert run.interrupt is not None
        assert (run.pause_reason, run.interrupt.alarm_id, run.interrupt.more) == ("alarm", first, 1)
        run = await on.runs.control(centre.actor, run.id, "resume", run.revision)
        assert (run.state, run.position, run.time_left_s, run.interrupt) == ("running", 1, 20, None)
        assert await events(centre, on, run.id) == [
            ("started", "张三"),
            ("interrupted", ""),
            ("another_alarm", ""),
            ("resumed", "张三"),
        ]


async def test_only_the_tours_rule_interrupts_and_never_a_loop(centre: Centre) -> None:
    tours = [await ruled(centre, await centre.tour(60), interrupt=rule) for rule in ("none", "critical", "major")]
    async with centre.engine() as on:
        for tour in tours:
            await on.runs.start(centre.actor, tour, loop=False)
        await on.runs.start(centre.actor, tours[2], loop=True)
        with centre.bus.subscribe(RunChanged) as heard:
            await alarm(centre, centre.cameras[0])
            await told(heard)
            assert [run.tour_id for run in await on.reader.list(centre.actor, state="paused")] == [tours[2]]
            await alarm(centre, centre.cameras[1], severity="critical")
            await told(heard)
            await told(heard)
        assert {run.tour_id for run in await on.reader.list(centre.actor, state="paused")} == {*tours[1:]}


async def test_a_patrol_waits_while_a_person_steers_a_camera_of_its_stop(centre: Centre) -> None:
    tour = await centre.tour(10, 20)
    steering = Steering()
    async with centre.engine(steering=steering) as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(4)
        steering.steered = {centre.cameras[0]}
        with centre.bus.subscribe(RunChanged) as heard:
            centre.bus.publish(PtzChanged(centre.cameras[0], 1))
            await told(heard)
            await centre.clock.walk(30)
            run = await on.reader.get(centre.actor, run.id)
            assert (run.state, run.pause_reason, run.position, run.time_left_s) == ("paused", "ptz", 0, 6.0)
            steering.steered = set()
            centre.bus.publish(PtzChanged(centre.cameras[0], 1))
            await told(heard)
            run = await on.reader.get(centre.actor, run.id)
            assert (run.state, run.pause_reason, run.time_left_s) == ("running", None, 6.0)
            # An operator who goes on all the same is not stopped again at this stop.
            steering.steered = {centre.cameras[0]}
            centre.bus.publish(PtzChanged(centre.cameras[0], 1))
            await told(heard)
        run = await on.reader.get(centre.actor, run.id)
        run = await on.runs.control(centre.actor, run.id, "resume", run.revision)
        await centre.clock.walk(3)
        assert (await on.reader.get(centre.actor, run.id)).state == "running"


async def test_a_patrol_is_handed_over_and_taken_over(centre: Centre) -> None:
    tour = await centre.tour(60)
    li, wang = await person(centre, "li"), await person(centre, "wang", Role.TOWNSHIP_ADMIN)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert (run.operator.id, run.operator.name) == (centre.actor.user_id, "张三")
        with pytest.raises(HubError, match="take it over instead"):
            await on.runs.hand_over(li, run.id, li.user_id, "", run.revision)
        for nobody in (999, (await person(centre, "v", Role.VILLAGE_ADMIN)).user_id):
            with pytest.raises(HubError, match="may not run this tour"):
                await on.runs.hand_over(centre.actor, run.id, nobody, "", run.revision)
        first, second = await asyncio.gather(
            on.runs.hand_over(centre.actor, run.id, li.user_id, "换班", run.revision),
            on.runs.take_over(wang, run.id, "", run.revision),
            return_exceptions=True,
        )
        assert isinstance(first, RunView)
        assert isinstance(second, RunMoved)
        assert second.view.operator.name == "li"
        run = await on.runs.take_over(wang, run.id, "带班", second.view.revision)
        with pytest.raises(HubError, match="runs this patrol already"):
            await on.runs.take_over(wang, run.id, "", run.revision)
        assert [event.detail for event in await on.reader.events(centre.actor, run.id)][1:] == [
            {"to": li.user_id, "to_name": "li", "note": "换班"},
            {"from": li.user_id, "from_name": "li", "note": "带班"},
        ]


async def test_the_next_offered_stop_of_a_patrol_that_is_over_is_warm_while_somebody_may_be_there(
    centre: Centre,
) -> None:
    tour = await centre.tour(5, 5, 5)
    async with centre.engine(Proof(confirms=False)) as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(16)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.state, run.next_position) == ("closing", 0)
        centre.media.warmed.clear()
        await centre.clock.walk(30)
        assert set(centre.media.warmed) == {((centre.cameras[0],), f"run-{run.id}-next-ahead", 15.0)}
        assert len(centre.media.warmed) >= 3, "renewed before it ends"
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        await centre.clock.walk(1)
        assert ((centre.cameras[1],), f"run-{run.id}-next", 15.0) in centre.media.warmed, "as of any stop"
        await centre.clock.walk(AFTER_CLOSING + 5)
        assert (await on.reader.get(centre.actor, run.id)).state == "closing"
        centre.media.warmed.clear()
        await centre.clock.walk(30)
        assert centre.media.warmed == [], "nobody has gone on with it"


async def test_who_is_handed_a_patrol_has_a_message_until_it_is_received_or_passed_on(centre: Centre) -> None:
    tour = await centre.tour(60, 60)
    li, wang = await person(centre, "li"), await person(centre, "wang")
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert run.handover is None
        await centre.clock.walk(5)
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        run = await on.runs.hand_over(centre.actor, run.id, li.user_id, "桥头有施工", run.revision)
        handover = run.handover
        assert handover is not None
        names = [stop.name for stop in await on.reader.itinerary(li, run.id)]
        assert (handover.by_id, handover.by_name, handover.note) == (centre.actor.user_id, "张三", "桥头有施工")
        assert (handover.position, handover.stop, handover.stop_more) == (1, names[1], 0)
        assert (handover.at, handover.received_at) == (run.now, None)
    async with centre.engine() as on:  # the hub has been restarted
        kept = await on.reader.get(li, run.id)
        assert kept.handover == handover
        with pytest.raises(HubError) as refused:
            await on.runs.receive(wang, run.id)
        assert (refused.value.reason, refused.value.params["name"]) == ("not_operator", "li")
        await centre.clock.walk(5)
        with centre.bus.subscribe(RunChanged) as heard:
            received = await on.runs.receive(li, run.id)
            await told(heard)
            assert received.handover == replace(handover, received_at=received.now)
            await centre.clock.walk(1)
            again = await on.runs.receive(li, run.id)
        assert (again.handover, again.revision) == (received.handover, run.revision)
        assert [kind for kind, _ in await events(centre, on, run.id)].count("received") == 1
        onward = await on.runs.hand_over(li, run.id, wang.user_id, "", again.revision)
        assert onward.handover is not None
        assert (onward.handover.by_name, onward.handover.received_at) == ("li", None)
        taken = await on.runs.take_over(li, run.id, "", onward.revision)
        assert taken.handover is None, "who takes it over knows it"
        over = await on.runs.control(li, run.id, "stop", taken.revision)
        assert over.handover is None
        with pytest.raises(HubError) as late:
            await on.runs.receive(li, run.id)
        assert late.value.reason == "run_ended"


async def test_who_has_handed_a_patrol_over_does_not_submit_it(centre: Centre) -> None:
    tour = await centre.tour(5)
    li = await person(centre, "li")
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(6)
        run = await on.runs.hand_over(centre.actor, run.id, li.user_id, "", (await on.reader.get(li, run.id)).revision)
        assert run.state == "closing"
        with pytest.raises(HubError) as refused:
            await on.runs.submit(centre.actor, run.id, "")
        assert (refused.value.reason, refused.value.params["name"]) == ("not_operator", "li")
        assert (await on.runs.submit(li, run.id, "")).end_reason == "submitted"


async def test_a_patrol_that_nobody_goes_on_with_says_when_it_expires(centre: Centre) -> None:
    tour = await centre.tour(5)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert run.expires_at is None
        run = await on.runs.control(centre.actor, run.id, "pause", run.revision)
        assert run.expires_at == run.now + timedelta(hours=SETTINGS.closing_hours)
        await on.runs.control(centre.actor, run.id, "resume", run.revision)
        await centre.clock.walk(6)
        run = await on.reader.get(centre.actor, run.id)
        assert run.state == "closing"
        assert run.expires_at == run.started_at + timedelta(seconds=5, hours=SETTINGS.closing_hours)


async def test_a_tour_is_run_by_its_roles(centre: Centre) -> None:
    tour = await ruled(centre, await centre.tour(60), roles=["leader"])
    admin, other = await person(centre, "admin", Role.TOWNSHIP_ADMIN), await person(centre, "other")
    async with centre.engine() as on:
        with pytest.raises(HubError, match="other roles: leader") as refused:
            await on.runs.start(other, tour, loop=False)
        assert (refused.value.kind, refused.value.reason) == (Kind.FORBIDDEN, "tour_not_yours")
        run = await on.runs.start(admin, tour, loop=False)
        for operation in (
            on.runs.control(other, run.id, "next", run.revision),
            on.runs.take_over(other, run.id, "", run.revision),
            on.runs.hand_over(admin, run.id, other.user_id, "", run.revision),
        ):
            with pytest.raises(HubError, match=r"other roles: leader|may not run"):
                await operation


async def test_a_stop_is_extended_but_not_for_ever(centre: Centre) -> None:
    tour = await centre.tour(10, 10)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(4)
        run = await on.runs.extend(centre.actor, run.id, 30, run.revision)
        assert (run.time_left_s, run.extended_s, run.progress.left_s) == (36, 30, 46)
        await centre.clock.walk(37)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.extended_s) == (1, 0)
        for _ in range(6):
            run = await on.runs.extend(centre.actor, run.id, 600, run.revision)
        with pytest.raises(HubError, match="pause the run instead"):
            await on.runs.extend(centre.actor, run.id, 600, run.revision)


async def test_a_patrol_that_nobody_goes_on_with_expires(centre: Centre) -> None:
    tour = await centre.tour(10)
    async with centre.engine() as on:
        closing = await on.runs.start(centre.actor, tour, loop=False)
        paused = await on.runs.start(centre.actor, await centre.tour(10), loop=False)
        paused = await on.runs.control(centre.actor, paused.id, "pause", paused.revision)
        show = await on.runs.start(centre.actor, await centre.tour(10), loop=True)
        show = await on.runs.control(centre.actor, show.id, "pause", show.revision)
        await centre.clock.walk(15)
    centre.clock.move(timedelta(hours=12).total_seconds())
    async with centre.engine() as on:
        await centre.clock.walk(1)
        ended = [await on.reader.get(centre.actor, run.id) for run in (closing, paused, show)]
        assert [(run.state, run.end_reason) for run in ended] == [("ended", "expired")] * 2 + [("paused", None)]
        assert (await events(centre, on, closing.id))[-1] == ("expired", "")


async def test_no_more_runs_than_can_be_shown_and_no_tour_without_cameras(centre: Centre) -> None:
    tour = await centre.tour(10)
    async with centre.engine() as on:
        for _ in range(MAX_ACTIVE):
            await on.runs.start(centre.actor, tour, loop=True)
        with pytest.raises(HubError, match="end one first"):
            await on.runs.start(centre.actor, tour, loop=False)
        run = (await on.reader.list(centre.actor, state="active"))[0]
        await on.runs.control(centre.actor, run.id, "stop", run.revision)
        await centre.tours.remove(centre.actor, tour)
        with pytest.raises(HubError, match="no such tour"):
            await on.runs.start(centre.actor, tour, loop=False)


async def test_what_belongs_to_a_start_or_an_end_is_all_or_nothing(centre: Centre) -> None:
    tour = await centre.tour(10)

    async def refuse(session: AsyncSession, run: Run) -> None:
        raise HubError(Kind.CONFLICT, "somebody else has started it")

    class Sealed(Proof):
        async def ended(self, session: AsyncSession, run: Run) -> None:
            raise HubError(Kind.UNAVAILABLE, "the chain cannot be written")

    async with centre.engine(Sealed()) as on:
        with centre.bus.subscribe(RunChanged) as heard:
            with pytest.raises(HubError, match="somebody else"):
                await on.runs.start(centre.actor, tour, loop=False, tie=refuse)
            assert await on.reader.list(centre.actor) == []
            run = await on.runs.start(centre.actor, tour, loop=False)
            await centre.clock.walk(11)
            with pytest.raises(HubError, match="chain"):
                await on.runs.submit(centre.actor, run.id, "")
            assert (await on.reader.get(centre.actor, run.id)).state == "closing"
            assert await heard.next() == RunChanged(run.id)
        async with centre.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(Run)) == 1
