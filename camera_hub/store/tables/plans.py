"""Plans, special protection periods, and the occurrences that follow from them: when a tour is due, and what became
of it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base
from camera_hub.store.tables.readable import Readable, ReadableJson, Word


class Plan(Base):
    """When a tour is due, in the site's time.

    A rule is {"times": ["08:30", …], "every": {"minutes", "begin", "end"} | None} (patrol.plans.rules), a season
    {"first": "06-01", "last": "09-15"}. `rule` is in force on `weekdays` outside of special periods; `in_special` says
    what is in force within them: the same rule (same), nothing (off), or `special_rule` on every day (other).
    """

    __tablename__ = "plans"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(255), default="")
    tour_id: Mapped[int] = mapped_column(ForeignKey("tours.id", ondelete="RESTRICT"), index=True)
    night_tour_id: Mapped[int | None] = mapped_column(ForeignKey("tours.id", ondelete="RESTRICT"))  # None: the same
    night_from: Mapped[str] = mapped_column(String(5), default="22:00")  # the night variant's clock times
    night_to: Mapped[str] = mapped_column(String(5), default="06:00")
    enabled: Mapped[bool] = mapped_column(default=True)
    first_day: Mapped[date | None] = mapped_column(Date)  # None: without that limit
    last_day: Mapped[date | None] = mapped_column(Date)
    seasons: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # of every year; empty: all of it
    weekdays: Mapped[list[int]] = mapped_column(JSON, default=list)  # 0 = Monday … 6
    rule: Mapped[dict[str, Any]] = mapped_column(JSON)
    in_special: Mapped[str] = mapped_column(String(8), default="same")  # same | off | other
    special_rule: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    grace_minutes: Mapped[int] = mapped_column(default=30)
    prompted: Mapped[list[int]] = mapped_column(JSON, default=list)  # users who are prompted first; empty: all
    revision: Mapped[int] = mapped_column(default=0)
    made_until: Mapped[datetime | None]  # occurrences before this time are rows
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    changed_name: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class SpecialPeriod(Base):
    """A special protection period: a holiday or an event, from `begins_at` until just before `ends_at`. A draft, as a
    copy of last year's is, has no effect until somebody has checked its days."""

    __tablename__ = "special_periods"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))  # holiday | event
    note: Mapped[str] = mapped_column(String(255), default="")
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    all_day_duty: Mapped[bool] = mapped_column(default=True)  # the centre is on duty for 24 hours
    draft: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=0)
    changed_name: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime]


class PlanOccurrence(Readable, Base):
    """One due time of a plan. Its state follows from these times, its run and the present time
    (patrol.plans.states), and is stored so that it can be asked for.

    `late_at`: not started until then, it is late. `over_at`: not started until then, it is missed.
    """

    __tablename__ = "occurrences"
    __table_args__ = (UniqueConstraint("plan_id", "due_at"), Index("ix_occurrences_state_due_at", "state", "due_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id", ondelete="RESTRICT"))
    plan_name: Mapped[str] = mapped_column(String(64))
    tour_id: Mapped[int] = mapped_column(ForeignKey("tours.id", ondelete="RESTRICT"), index=True)
    tour_name: Mapped[str] = mapped_column(String(64))
    variant: Mapped[str] = mapped_column(Word(8, "day", "night", otherwise="day"))
    special: Mapped[bool] = mapped_column(default=False)  # due by the rule for special periods
    due_at: Mapped[datetime] = mapped_column(index=True)
    late_at: Mapped[datetime]
    over_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(Word(8, "due", "running", "late", "missed", "done", otherwise="missed"))
    late: Mapped[bool] = mapped_column(default=False)  # started late, or not started and late now
    why: Mapped[str | None] = mapped_column(
        Word(16, "not_started", "given_up", "hub_down", otherwise="not_started")
    )  # of a missed one
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    started_at: Mapped[datetime | None]
    started_name: Mapped[str] = mapped_column(String(64), default="")
    ended_at: Mapped[datetime | None]
    declined: Mapped[list[int]] = mapped_column(ReadableJson(list), default=list)  # users who said "not me"
