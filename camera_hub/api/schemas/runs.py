"""Runs: tours being run, and their records."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Count, Id, Layout, RequestBody, Text
from camera_hub.api.schemas.proof import ResultCountsAnswer


class StartRun(RequestBody):
    tour_id: Id
    loop: bool = False


class Control(RequestBody):
    """Act on a run. `revision` is that of the state the user saw; an outdated one gets 409 with the new state."""

    revision: Count
    position: Count | None = None  # for jump
    reason: Literal["operator", "attention"] = "operator"  # for pause; attention: nobody answered the page


class ExtendRun(RequestBody):
    """Show the present stop longer."""

    revision: Count
    seconds: int = Field(30, ge=5, le=600)


class HandOverRun(RequestBody):
    """Make that user the run's operator."""

    revision: Count
    user_id: Id
    note: Text = ""


class TakeOverRun(RequestBody):
    """Become the run's operator."""

    revision: Count
    note: Text = ""


class ItineraryCameraAnswer(Answer):
    id: int
    name: str
    village: str


class ItineraryPresetAnswer(Answer):
    camera_id: int
    token: str
    name: str


class ItineraryStopAnswer(Answer):
    position: int
    name: str
    more: int  # cameras beside the one that it is named after
    note: str
    layout: Layout
    dwell_s: int
    cameras: list[ItineraryCameraAnswer | None]  # per tile
    presets: list[ItineraryPresetAnswer]  # PTZ presets at which it shows its cameras, in the order of the tiles
    key: bool  # each of its cameras is confirmed singly


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
    preset: str | None  # the PTZ preset at which it was to be shown …
    preset_state: str | None  # … reached, moving, or why not by the end of the stop; null: not known


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


class RunPresetAnswer(Answer):
    """A camera that the present stop shows at a PTZ preset. `state` null: it is not known where it points.

    `reason` and `params` tell why it is not there: somebody else steers it (`taken`), or it does not go (`failed`).
    """

    camera_id: int
    name: str
    state: Literal["reached", "moving", "taken", "failed"] | None
    reason: str | None
    params: dict[str, str | int | float]  # for the page's own sentence


class RunOperatorAnswer(Answer):
    id: int | None  # None: the account is gone
    name: str


class PossibleOperator(Answer):
    """Somebody who may run the tour."""

    id: int
    name: str


class RunProgressAnswer(Answer):
    """All 0 when the run has ended."""

    done: int  # stops of the tour that are over
    total: int
    left_s: float  # seconds until all are over


class RunInterruptAnswer(Answer):
    """The alarm that interrupted the patrol."""

    alarm_id: int
    level: Literal["hub", "village", "device", "camera"]
    severity: Literal["critical", "major", "minor", "warning"]
    cause: str
    village: str
    opened_at: datetime
    closed_at: datetime | None
    cameras: list[ItineraryCameraAnswer]  # at most 16
    more: int  # further alarms since then that would have interrupted


class RunHandoverAnswer(Answer):
    """How the present operator was handed the patrol."""

    id: int
    at: datetime
    by_id: int | None  # None: the account is gone
    by_name: str
    position: int  # of the stop that was on …
    stop: str  # … its name …
    stop_more: int  # … and how many cameras it shows beside the one that it is named after
    note: str
    received_at: datetime | None  # when the operator opened the patrol or put the message away


class RunEventAnswer(Answer):
    """What was done to a run. `detail` depends on `kind`: see patrol.runs.run_events."""

    id: int
    at: datetime
    kind: str
    position: int  # of the stop that was on
    user_id: int | None
    user_name: str  # empty: the hub itself
    detail: dict[str, str | int | float | None]


class RunAnswer(Answer):
    """A run as it is at `now` (hub time): pages count down from `time_left_s` by themselves.

    `closing`: the stops of a patrol are all over, and it can be submitted once nothing is open.
    """

    id: int
    tour_id: int
    tour_name: str
    state: Literal["running", "paused", "closing", "ended"]
    revision: int
    loop: bool
    lap: int
    position: int
    stop_count: int | None  # of the itinerary; None when it has ended
    time_left_s: float
    next_position: int | None  # where `next` goes; None: nowhere
    step: int | None  # sequence of the open line of the record, which pages report on
    now: datetime
    started_name: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None  # submitted, stopped, all_dead, expired
    dead: list[SkippedCameraAnswer]  # cameras of the present stop that are skipped
    presets: list[RunPresetAnswer]  # cameras of the present stop that are shown at a PTZ preset
    shown: int  # stops shown and skipped so far
    skipped: int
    operator: RunOperatorAnswer  # who runs it now
    confirm: Literal["screen", "camera", "end"]  # as the tour had it at the start, like …
    least_s: int  # … the seconds that a camera must be visible to count as seen
    pause_reason: Literal["operator", "attention", "alarm", "ptz"] | None
    attention_minutes: int  # the page asks the operator after so long without input, then pauses; 0: never
    interrupt: RunInterruptAnswer | None
    extended_s: float  # seconds by which the present stop was extended
    remaining: list[int]  # positions that are offered once more when the stops are over
    progress: RunProgressAnswer
    counts: ResultCountsAnswer | None  # None for a loop, of which nothing is confirmed
    expires_at: datetime | None  # when a patrol that is paused or closing expires, if nobody goes on with it
    handover: RunHandoverAnswer | None  # None: its operator started it or took it over


class RunSteps(Answer):
    """Lines of a record in order. `next`: pass it as `after` to get those that follow; null at the end.

    `rolled_up`: lines before this sequence are sums. When it has grown since the previous page, start again.
    """

    steps: list[RunStepAnswer]
    next: int | None
    rolled_up: int
