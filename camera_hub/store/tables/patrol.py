"""Scenes, tours, runs and their record."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base
from camera_hub.store.tables.readable import Readable, ReadableJson, Word


class Scene(Base):
    """A layout and its cameras; tiles may turn through several."""

    __tablename__ = "scenes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    layout: Mapped[str] = mapped_column(String(8))  # 16, 1+5, 3x4, … (patrol.layout)
    cameras: Mapped[list[int | None]] = mapped_column(JSON, default=list)  # camera id per tile, None = empty
    # Tile index → {cameras: [id] | place_class | village_id, seconds}: the tile turns through these (tours.carousels).
    carousels: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSON, default=dict)
    magnify_s: Mapped[int | None]  # seconds that each small tile is shown large in turn; None: not
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]


class Tour(Base):
    """Ordered stops."""

    __tablename__ = "tours"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(255), default="")
    kind: Mapped[str | None] = mapped_column(String(24))  # the template or place class that it was made from
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)  # roles that may run it; empty: all that run tours
    confirm: Mapped[str] = mapped_column(String(8), default="screen")  # screen | camera | end
    least_s: Mapped[int] = mapped_column(default=3)  # seconds that a camera must be visible to count as seen
    interrupt: Mapped[str] = mapped_column(String(8), default="none")  # alarms that interrupt: none | critical | major
    edit_roles: Mapped[list[str]] = mapped_column(JSON, default=list)  # roles that may change it; empty: all that do
    # Places that it was built from: {place_classes, village_ids, per_stop, dwell_s, left_out} (patrol.tours.TourSource)
    source: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    revision: Mapped[int] = mapped_column(default=0)  # of two who change it at once, the second gets a conflict
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    changed_name: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime | None]  # None: never since changes are told
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))  # its owner
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]  # put away: it is not started, and not listed among the others
    retired_at: Mapped[datetime | None]


class TourStop(Base):
    """One stop: a camera, a scene, or a layout with cameras of its own; and its dwell in seconds."""

    __tablename__ = "tour_stops"
    __table_args__ = (UniqueConstraint("tour_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tour_id: Mapped[int] = mapped_column(ForeignKey("tours.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    camera_id: Mapped[int | None] = mapped_column(ForeignKey("cameras.id", ondelete="RESTRICT"))
    scene_id: Mapped[int | None] = mapped_column(ForeignKey("scenes.id", ondelete="RESTRICT"))
    layout: Mapped[str | None] = mapped_column(String(8))  # of a stop of several cameras without a scene
    cameras: Mapped[list[int | None] | None] = mapped_column(JSON(none_as_null=True))  # … camera id per tile
    title: Mapped[str] = mapped_column(String(64), default="")  # … what it is called; empty: by its cameras
    dwell_s: Mapped[int]
    note: Mapped[str] = mapped_column(String(255), default="")
    key: Mapped[bool] = mapped_column(default=False)  # a key stop: each of its cameras is confirmed singly


class TourStopPreset(Base):
    """The PTZ preset at which a stop shows one of its cameras. That of a camera which its scene does not show (any
    more) is kept for when it does again."""

    __tablename__ = "tour_stop_presets"

    stop_id: Mapped[int] = mapped_column(ForeignKey("tour_stops.id", ondelete="CASCADE"), primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(64), default="")  # as the device called it when it was chosen


class Run(Readable, Base):
    """A tour being run, or that was run.

    (itinerary, this row, now) gives the stop and the time left, so a restart needs no recovery. `itinerary` is the tour
    as it was at the start: [{position, dwell_s, name, note, layout, key, cameras: [{id, name, village}], presets:
    [{camera_id, token, name}]}], in older runs with one `preset` instead; it
    is large and never changes, so it is loaded only on request (patrol.runs.itinerary).
    While running, stop `position` began at `anchor_at`. While paused, `elapsed_s` of it has passed. A patrol (`loop`
    false) whose stops are all over is closing since `anchor_at`, its `lap` is 1, and stops are shown once more.
    """

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    tour_id: Mapped[int] = mapped_column(ForeignKey("tours.id", ondelete="RESTRICT"), index=True)
    tour_name: Mapped[str] = mapped_column(String(64))
    itinerary: Mapped[list[dict[str, Any]]] = mapped_column(ReadableJson(list), deferred=True, deferred_raiseload=True)
    loop: Mapped[bool] = mapped_column(default=False)
    lap: Mapped[int] = mapped_column(default=0)
    confirm: Mapped[str] = mapped_column(
        Word(8, "screen", "camera", "end", otherwise="screen"), default="screen"
    )  # as the tour had it at the start, like …
    least_s: Mapped[int] = mapped_column(default=3)
    interrupt: Mapped[str] = mapped_column(Word(8, "none", "critical", "major", otherwise="none"), default="none")
    state: Mapped[str] = mapped_column(Word(8, "running", "paused", "closing", "ended", otherwise="ended"), index=True)
    pause_reason: Mapped[str | None] = mapped_column(
        Word(16, "operator", "attention", "alarm", "ptz", otherwise="operator")
    )  # timetable.PauseReason; None while not paused
    alarm_id: Mapped[int | None]  # the alarm that interrupted; alarms are deleted by time, so no foreign key
    more_alarms: Mapped[int] = mapped_column(default=0)  # alarms since then that would have interrupted
    position: Mapped[int] = mapped_column(default=0)
    anchor_at: Mapped[datetime]
    elapsed_s: Mapped[float] = mapped_column(default=0.0)
    extended_s: Mapped[float] = mapped_column(default=0.0)  # seconds by which the present stop was extended
    revision: Mapped[int] = mapped_column(default=0)  # of two operators who act at once, the second gets a conflict
    steps: Mapped[int] = mapped_column(default=0)  # steps so far; the sequence of the next one
    shown: Mapped[int] = mapped_column(default=0)  # of these, stops that were on …
    skipped: Mapped[int] = mapped_column(default=0)  # … and stops that were skipped
    rolled_up: Mapped[int] = mapped_column(default=0)  # steps before this sequence are summed (patrol.rollup)
    started_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    started_name: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    operator_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )  # who runs it now
    operator_name: Mapped[str] = mapped_column(String(64), default="")
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(
        String(24)
    )  # submitted | stopped | all_dead (a loop) | expired; finished: from before patrols were submitted


class RunEvent(Readable, Base):
    """What was done to a run, and by whom: started, paused, resumed, jumped, extended, handed over, interrupted …"""

    __tablename__ = "run_events"
    __table_args__ = (
        Index("ix_run_events_run_id_id", "run_id", "id"),
        # Of a year of records, those in which somebody took part: by what they did, and by the few events naming them.
        Index("ix_run_events_user_id_run_id", "user_id", "run_id"),
        Index("ix_run_events_kind_run_id", "kind", "run_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(24))
    position: Mapped[int | None]  # of the stop that was on
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(64), default="")  # empty: the hub itself
    detail: Mapped[dict[str, Any]] = mapped_column(ReadableJson(dict), default=dict)


class RunStep(Readable, Base):
    """One line of a run's record: a stop that was on, or why it was skipped.

    `times` is 1, or how many steps of one stop and day were summed into this line: then `sequence` and `lap` are those
    of the first one, the times cover all of them, and `shown_s` is their sum.
    """

    __tablename__ = "run_steps"
    __table_args__ = (Index("ix_run_steps_run_id_sequence", "run_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    times: Mapped[int] = mapped_column(default=1)
    lap: Mapped[int]
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(128))
    outcome: Mapped[str] = mapped_column(Word(8, "shown", "skipped", otherwise="shown"))
    reason: Mapped[str | None] = mapped_column(String(32))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    shown_s: Mapped[float | None]  # seconds that the stop was on, pauses included, whether anybody saw it or not


class RunStepCamera(Readable, Base):
    """One camera of a line of the record: how long it was really visible on a page, or why it was not.

    `visible_s` is NULL in lines from before it was measured. `why` is a reason why the camera was skipped, or no_page,
    page_hidden, no_picture. `preset` names the PTZ preset at which it was to be shown, `preset_state` tells what had
    become of that by the end of the stop: reached, moving, or a reason why not; NULL where nobody knows.
    """

    __tablename__ = "run_step_cameras"

    id: Mapped[int] = mapped_column(primary_key=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("run_steps.id", ondelete="CASCADE"), index=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="RESTRICT"), index=True)
    times: Mapped[int] = mapped_column(default=1)  # steps summed in this line
    visible_s: Mapped[float | None]
    seen_from: Mapped[datetime | None]
    seen_until: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(32))
    preset: Mapped[str | None] = mapped_column(String(128))  # its name
    preset_state: Mapped[str | None] = mapped_column(String(32))
