"""Scenes, tours, runs."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Layout, Name, RequestBody, Text


class SceneBody(RequestBody):
    name: Name
    layout: Layout
    cameras: list[Id | None] = Field(max_length=36)


class SceneAnswer(Answer):
    id: int
    name: str
    layout: Layout
    cameras: list[int | None]
    owner_id: int | None
    created_at: datetime


class StopBody(RequestBody):
    """A camera or a scene (exactly one), and how long it is shown, in seconds."""

    camera_id: Id | None = None
    scene_id: Id | None = None
    dwell_s: int = Field(15, ge=3, le=3600)
    note: Text = ""


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
    """Act on a run. `revision` is that of the state one looked at; an older one is answered 409 with the new state."""

    revision: int
    position: int | None = Field(None, ge=0)  # for jump


class StopCamera(Answer):
    id: int
    name: str
    village: str
    skipped: str | None  # Reason why this camera is not shown now


class PlanStop(Answer):
    position: int
    name: str
    note: str
    layout: Layout
    dwell_s: int
    cameras: list[StopCamera | None]  # per tile


class RunStepAnswer(Answer):
    sequence: int
    lap: int
    position: int
    name: str
    cameras: list[StopCamera | None]
    outcome: Literal["shown", "skipped"]
    reason: str | None
    started_at: datetime
    ended_at: datetime | None
    shown_s: float | None


class RunAnswer(Answer):
    """A run as it stands at `now` (hub time): pages count down from `time_left_s` by themselves."""

    id: int
    tour_id: int
    tour_name: str
    state: Literal["running", "paused", "ended"]
    revision: int
    loop: bool
    lap: int
    position: int
    time_left_s: float
    next_position: int | None  # None: the last stop of the last lap
    now: datetime
    started_name: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    stops: list[PlanStop]
    shown: int  # stops shown and skipped so far
    skipped: int


class RunRecord(Answer):
    """A run and its record, line by line."""

    run: RunAnswer
    steps: list[RunStepAnswer]
