"""Tours: ordered stops, how they are confirmed and interrupted, who may run and change them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Action, Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, TourChanged
from camera_hub.patrol import township
from camera_hub.patrol.tours.rights import require_edit, require_roles, require_run
from camera_hub.patrol.tours.stops import NewStop, StopView, copy_stops, put_stops, stop_views
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Run, Tour, TourStop, User


@dataclass(frozen=True, slots=True)
class TourSource:
    """The places that a tour was built from, so that new cameras there can be offered later.

    `village_ids` empty: all villages. `left_out`: cameras there that somebody does not want in this tour.
    """

    place_classes: tuple[str, ...]
    village_ids: tuple[int, ...] = ()
    per_stop: int = 1
    dwell_s: int = 15
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TourDraft:
    """A whole tour as it is asked for.

    `kind`: the template or place class that it was made from. `confirm`: screen, camera or end; `least_s`: seconds that
    a camera must be visible to count as seen; `interrupt`: which alarms interrupt a patrol of it: none, critical or
    major. `roles` may run it, `edit_roles` change it (empty: all that run or edit tours).
    """

    name: str
    stops: Sequence[NewStop]
    note: str = ""
    kind: str | None = None
    roles: tuple[str, ...] = ()
    edit_roles: tuple[str, ...] = ()
    confirm: str = "screen"
    least_s: int = 3
    interrupt: str = "none"
    source: TourSource | None = None


@dataclass(frozen=True, slots=True)
class TourView:
    """A tour and its stops; `duration_s` is one lap. `revision` grows with each change, `changed_name` made the last.

    `owner_id` is None when its owner has been deleted.
    """

    id: int
    name: str
    note: str
    kind: str | None
    roles: tuple[str, ...]
    edit_roles: tuple[str, ...]
    confirm: str
    least_s: int
    interrupt: str
    source: TourSource | None
    owner_id: int | None
    owner_name: str | None
    revision: int
    changed_name: str
    changed_at: datetime
    archived_at: datetime | None
    created_at: datetime
    last_run_at: datetime | None
    stops: tuple[StopView, ...] = field(repr=False)
    duration_s: int


class TourChangedMeanwhile(HubError):
    """The tour has changed since the caller read it; `view` is its present state."""

    def __init__(self, view: TourView) -> None:
        super().__init__(
            Kind.CONFLICT,
            f"{view.changed_name or 'somebody'} has changed this tour meanwhile; look at it and save again",
            reason="tour_changed",
            name=view.changed_name,
            at=view.changed_at.isoformat(),
        )
        self.view = view


class Tours:
    """The operations behind api/tours."""

    def __init__(self, settings: PatrolSettings, database: Database, bus: EventBus, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._bus = bus
        self._clock = clock

    async def list(self, actor: Actor, *, archived: bool = False) -> Sequence[TourView]:
        """All tours by name: those in use, or those that are archived."""
        if not township.sees(actor):
            return []
        async with self._database.read() as session:
            return await _views(session, None, archived=archived)

    async def get(self, actor: Actor, tour_id: int) -> TourView:
        """Also an archived one. Raises HubError(NOT_FOUND)."""
        township.require(actor, "tour")
        async with self._database.read() as session:
            return await _view(session, tour_id)

    async def create(self, actor: Actor, draft: TourDraft) -> TourView:
        """Create a tour. Raises HubError(INVALID), which names the stop that is wrong."""
        township.require(actor, "tour")
        now = self._clock.now()
        async with self._database.write() as session:
            tour = Tour(created_by=actor.user_id, created_at=now)
            _put(tour, draft)
            _touch(tour, actor, now)
            session.add(tour)
            await session.flush()
            await put_stops(session, tour.id, draft.stops, self._settings.max_stops)
            view = await _view(session, tour.id)
        self._bus.publish(TourChanged(view.id))
        return view

    async def change(self, actor: Actor, tour_id: int, draft: TourDraft, revision: int) -> TourView:
        """Replace the whole tour as it was at `revision`. Active runs keep the itinerary that they started with.

        Raises TourChangedMeanwhile, and HubError: NOT_FOUND, FORBIDDEN, INVALID.
        """
        township.require(actor, "tour")
        async with self._database.write() as session:
            tour = await tour_row(session, tour_id)
            require_edit(actor, tour.edit_roles, tour.created_by)
            if tour.revision != revision:
                raise TourChangedMeanwhile(await _view(session, tour_id))
            _put(tour, draft)
            _touch(tour, actor, self._clock.now())
            await put_stops(session, tour_id, draft.stops, self._settings.max_stops)
            await session.flush()
            view = await _view(session, tour_id)
        self._bus.publish(TourChanged(tour_id))
        return view

    async def copy(self, actor: Actor, tour_id: int, name: str) -> TourView:
        """A tour of one's own with the same stops and settings; all may change it. Raises HubError(NOT_FOUND)."""
        township.require(actor, "tour")
        now = self._clock.now()
        async with self._database.write() as session:
            old = await tour_row(session, tour_id)
            copied = {one: getattr(old, one) for one in ("note", "kind", "roles", "confirm", "least_s", "interrupt")}
            tour = Tour(name=name, source=old.source, created_by=actor.user_id, created_at=now, **copied)
            _touch(tour, actor, now)
            session.add(tour)
            await session.flush()
            await copy_stops(session, tour_id, tour.id)
            view = await _view(session, tour.id)
        self._bus.publish(TourChanged(view.id))
        return view

    async def archive(self, actor: Actor, tour_id: int, *, archived: bool) -> TourView:
        """Put the tour away, or take it back: an archived tour cannot be started and is not listed among the others."""
        township.require(actor, "tour")
        async with self._database.write() as session:
            tour = await tour_row(session, tour_id)
            require_edit(actor, tour.edit_roles, tour.created_by)
            if (tour.archived_at is not None) != archived:
                tour.archived_at = self._clock.now() if archived else None
                _touch(tour, actor, self._clock.now())
                await session.flush()
            view = await _view(session, tour_id)
        self._bus.publish(TourChanged(tour_id))
        return view

    async def remove(self, actor: Actor, tour_id: int) -> None:
        """Retire the tour; the records of its runs stay."""
        township.require(actor, "tour")
        async with self._database.write() as session:
            tour = await tour_row(session, tour_id)
            require_edit(actor, tour.edit_roles, tour.created_by)
            tour.retired_at = self._clock.now()
            # Delete its stops: they would block the removal of scenes and cameras for ever.
            await session.execute(delete(TourStop).where(TourStop.tour_id == tour_id))
        self._bus.publish(TourChanged(tour_id))


async def tour_row(session: AsyncSession, tour_id: int) -> Tour:
    """The tour's row. Raises HubError(NOT_FOUND) when there is none or it is retired."""
    tour = await session.get(Tour, tour_id)
    if tour is None or tour.retired_at is not None:
        raise township.not_found("tour")
    return tour


async def tour_to_run(session: AsyncSession, actor: Actor, tour_id: int) -> Tour:
    """The row of a tour that the actor starts. Raises HubError: NOT_FOUND, CONFLICT (archived), FORBIDDEN."""
    tour = await tour_row(session, tour_id)
    if tour.archived_at is not None:
        raise HubError(Kind.CONFLICT, "this tour is archived; take it back first", reason="tour_archived")
    require_run(actor, tour.roles, tour.created_by)
    return tour


def _put(tour: Tour, draft: TourDraft) -> None:
    require_roles(draft.roles, Action.RUN_TOURS)
    require_roles(draft.edit_roles, Action.EDIT_TOURS)
    tour.name, tour.note, tour.kind = draft.name, draft.note, draft.kind
    tour.roles, tour.edit_roles = list(draft.roles), list(draft.edit_roles)
    tour.confirm, tour.least_s, tour.interrupt = draft.confirm, draft.least_s, draft.interrupt
    tour.source = None if draft.source is None else asdict(draft.source)


def _touch(tour: Tour, actor: Actor, now: datetime) -> None:
    tour.revision = (tour.revision or 0) + 1
    tour.changed_by, tour.changed_name, tour.changed_at = actor.user_id, actor.display_name, now


async def _view(session: AsyncSession, tour_id: int) -> TourView:
    await tour_row(session, tour_id)
    return (await _views(session, tour_id))[0]


async def _views(session: AsyncSession, tour_id: int | None, *, archived: bool = False) -> list[TourView]:
    tours = (
        select(Tour, User.display_name)
        .outerjoin(User, User.id == Tour.created_by)
        .where(Tour.retired_at.is_(None))
        .order_by(Tour.name, Tour.id)
    )
    if tour_id is not None:
        tours = tours.where(Tour.id == tour_id)
    else:
        tours = tours.where(Tour.archived_at.is_not(None) if archived else Tour.archived_at.is_(None))
    stops = await stop_views(session, tour_id)
    last = {
        tour: at
        for tour, at in await session.execute(select(Run.tour_id, func.max(Run.started_at)).group_by(Run.tour_id))
    }
    return [
        _tour_view(tour, owner, stops.get(tour.id, ()), last.get(tour.id))
        for tour, owner in await session.execute(tours)
    ]


def _tour_view(tour: Tour, owner: str | None, stops: Sequence[StopView], last_run_at: datetime | None) -> TourView:
    return TourView(
        tour.id,
        tour.name,
        tour.note,
        tour.kind,
        tuple(tour.roles),
        tuple(tour.edit_roles),
        tour.confirm,
        tour.least_s,
        tour.interrupt,
        _source(tour.source),
        tour.created_by,
        owner,
        tour.revision,
        tour.changed_name,
        tour.changed_at or tour.created_at,
        tour.archived_at,
        tour.created_at,
        last_run_at,
        tuple(stops),
        sum(stop.dwell_s for stop in stops),
    )


def _source(stored: Mapping[str, Any] | None) -> TourSource | None:
    if stored is None:
        return None
    return TourSource(
        tuple(stored["place_classes"]),
        tuple(stored["village_ids"]),
        stored["per_stop"],
        stored["dwell_s"],
        tuple(stored["left_out"]),
    )
