"""Templates of tours: which places they show, how they are confirmed, and when such a patrol is usually due.

Places only. Times and seasons are what townships practise; each site changes them as it sees fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from camera_hub.access.policy import Actor
from camera_hub.patrol import township
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera


@dataclass(frozen=True, slots=True)
class Season:
    """First and last day of each year, as month and day: "06-01". The last may lie in the following year."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class SuggestedPlan:
    """When such a patrol is usually due. `weekdays`: 0 (Monday) to 6; empty: each day. No season: the whole year."""

    times: tuple[str, ...] = ()
    every_minutes: int | None = None
    weekdays: tuple[int, ...] = ()
    seasons: tuple[Season, ...] = ()


@dataclass(frozen=True, slots=True)
class TourTemplate:
    """A tour as it is proposed (see patrol.tours.tours.TourDraft and TourSource)."""

    kind: str
    place_classes: tuple[str, ...]
    plan: SuggestedPlan
    per_stop: int = 1
    dwell_s: int = 15
    confirm: str = "screen"
    least_s: int = 3
    interrupt: str = "critical"


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template, and how many approved cameras stand at such places now."""

    template: TourTemplate = field(repr=False)
    cameras: int


_WORKDAYS = (0, 1, 2, 3, 4)

TEMPLATES = (
    TourTemplate("key_roads", ("key_road",), SuggestedPlan(("07:30", "11:30", "17:30", "21:00")), per_stop=4),
    TourTemplate("key_units", ("key_unit",), SuggestedPlan(("09:00", "15:00", "20:00"))),
    TourTemplate(
        "high_incidence", ("high_incidence", "square"), SuggestedPlan(("10:00", "15:30", "20:00", "23:00")), dwell_s=20
    ),
    # Arrival and leaving times of the morning and the afternoon; the patrol must not be called away for every fault.
    TourTemplate(
        "schools", ("school",), SuggestedPlan(("07:10", "11:20", "13:40", "16:20"), weekdays=_WORKDAYS), dwell_s=20
    ),
    TourTemplate(
        "water",
        ("water",),
        SuggestedPlan(("11:00", "13:00", "15:00", "17:30"), seasons=(Season("05-01", "09-30"),)),
        dwell_s=20,
        confirm="camera",
    ),
    # Straw of wheat and rape is burnt in early summer, that of rice and maize in autumn; mostly towards the evening.
    TourTemplate(
        "straw",
        ("field",),
        SuggestedPlan(
            ("10:00", "14:00", "17:00", "19:30"), seasons=(Season("05-20", "06-30"), Season("09-20", "11-20"))
        ),
        dwell_s=20,
    ),
    TourTemplate(
        "forest_fire",
        ("forest",),
        SuggestedPlan(("09:00", "11:00", "13:30", "16:00", "19:00"), seasons=(Season("10-01", "05-31"),)),
        dwell_s=20,
        confirm="camera",
    ),
    TourTemplate(
        "flood",
        ("water", "key_road"),
        SuggestedPlan(every_minutes=120, seasons=(Season("05-15", "09-30"),)),
        confirm="camera",
    ),
    TourTemplate("night_entrances", ("entrance",), SuggestedPlan(("22:00", "01:00", "04:00")), per_stop=4),
)


class TourTemplates:
    """The operation behind api/tour-templates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, actor: Actor) -> tuple[TemplateView, ...]:
        """All templates: one statement."""
        if not township.sees(actor):
            return ()
        query = select(Camera.place_class, func.count()).where(Camera.state == "approved").group_by(Camera.place_class)
        async with self._database.read() as session:
            counts: Mapping[str, int] = {place: count for place, count in await session.execute(query)}
        return tuple(TemplateView(one, sum(counts.get(place, 0) for place in one.place_classes)) for one in TEMPLATES)
