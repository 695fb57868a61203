"""Tours, runs."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Count, Id, Layout, Name, RequestBody, Text
from camera_hub.api.schemas.ptz import PresetToken


class StopBody(RequestBody):
    """A camera or a scene (exactly one), and how long it is shown, in seconds."""

    camera_id: Id | None = None
    scene_id: Id | None = None
    dwell_s: int = Field(15, ge=3, le=3600)
    note: Text = ""
    preset: PresetToken | None = None  # of a camera: the PTZ preset at which it is shown


class TourBody(RequestBody):
    name: Name
    note: Text = ""
    stops: list[StopBody] = Field(min_length=1, max_length=200)


class StopAnswer(Answer):
    position: int
    camera_id: int | None
    scene_id: int | None
    name: str
    dwell_s: int
    note: str
    preset: str | None


class TourAnswer(Answer):
    id: int
    name: str
    note: str
    stops: list[StopAnswer]
    duration_s: int
    created_at: datetime
    last_run_at: datetime | None


class StartRun(RequestBody):
    tour_id: Id
    loop: bool = False


class Control(RequestBody):
    """Act on a run. `revision` is that of the state the user saw; an outdated one gets 409 with the new state."""

    revision: Count
    position: Count | None = None  # for jump


class ItineraryCameraAnswer(Answer):
    id: int
    name: str
    village: str


class ItineraryStopAnswer(Answer):
    position: int
    name: str
    note: str
    layout: Layout
    dwell_s: int
    cameras: list[ItineraryCameraAnswer | None]  # per tile


class RunItinerary(Answer):
    """The tour as it was when the run started. It never changes: fetch it once."""

    stops: list[ItineraryStopAnswer]


class StepCamera(Answer):
    """A camera of a line of the record. `visible_s`: seconds that a page really showed it; null where not measured.

    `why` it was not seen: a reason why it was skipped, or no_page, page_hidden, no_picture.
    """

    id: int
    name: str
    village: str
    times: int
    visible_s: float | None
    seen_from: datetime | None
    seen_until: datetime | None
    why: str | None


class RunStepAnswer(Answer):
    """A line of the record. `times` over 1: the sum of so many old steps of this stop on one day."""

    sequence: int
    times: int
    lap: int
    position: int
    name: str
    cameras: list[StepCamera]
    outcome: Literal["shown", "skipped"]
    reason: str | None
    started_at: datetime
    ended_at: datetime | None
    shown_s: float | None  # seconds that the stop was on, whether anybody saw it or not


class SkippedCameraAnswer(Answer):
    id: int
    reason: str


class RunAnswer(Answer):
    """A run as it is at `now` (hub time): pages count down from `time_left_s` by themselves."""

    id: int
    tour_id: int
    tour_name: str
    state: Literal["running", "paused", "ended"]
    revision: int
    loop: bool
    lap: int
    position: int
    stop_count: int | None  # of the itinerary; None when it has ended
    time_left_s: float
    next_position: int | None  # None: the last stop of the last lap
    step: int | None  # sequence of the open line of the record, which pages report on
    now: datetime
    started_name: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    dead: list[SkippedCameraAnswer]  # cameras of the present stop that are skipped
    shown: int  # stops shown and skipped so far
    skipped: int


class RunSteps(Answer):
    """Lines of a record in order. `next`: pass it as `after` to get those that follow; null at the end.

    `rolled_up`: lines before this sequence are sums. When it has grown since the previous page, start again.
    """

    steps: list[RunStepAnswer]
    next: int | None
    rolled_up: int
