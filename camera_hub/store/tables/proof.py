"""The proof of a patrol: the result of each camera at each stop, what was found, and the pictures that the hub took."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base
from camera_hub.store.tables.readable import Readable, Word


class RunPicture(Readable, Base):
    """A JPEG of a patrol: the file `<id>.jpg` in data_dir/patrol-pictures, written before this row is committed.

    Results and findings name it by its id, and keep its SHA-256 beside it: without a foreign key, since the rows of a
    run go together. A file never changes: a newer picture is another row.
    """

    __tablename__ = "run_pictures"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # moment | finding | photo (uploaded by a person)
    kept_at: Mapped[datetime]
    size: Mapped[int]  # bytes


class RunResult(Readable, Base):
    """The result of one camera at one stop of a patrol. The rows are made at its start, all `open`; loops have none.

    `seen_s` is the longest visit, in seconds. `why` it was not seen: no_page, page_hidden, page_covered, off_screen,
    passed_over (shorter than the least time), no_picture, or the fault of its picture (errors.Reason); None: it was
    seen, or the stop was not on yet. `cause` and `reference` are those of an excuse: why the camera could not be shown
    (errors.Reason), and the number of the alarm that was open for it.
    """

    __tablename__ = "run_results"
    __table_args__ = (
        UniqueConstraint("run_id", "position", "camera_id"),
        Index("ix_run_results_run_id_result", "run_id", "result"),
        Index("ix_run_results_confirmed_by_run_id", "confirmed_by", "run_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    position: Mapped[int]
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="RESTRICT"), index=True)
    key: Mapped[bool] = mapped_column(default=False)  # of a key stop: confirmed singly
    result: Mapped[str] = mapped_column(
        Word(8, "open", "normal", "abnormal", "excused", otherwise="unreadable"), default="open"
    )
    seen_s: Mapped[float] = mapped_column(default=0.0)
    seen_at: Mapped[datetime | None]  # when it had been visible for the tour's least time, at first
    why: Mapped[str | None] = mapped_column(String(32))
    visits: Mapped[int] = mapped_column(default=0)  # how often its stop was on
    step_id: Mapped[int | None]  # the run_steps row of the longest visit
    picture: Mapped[int | None]  # the run_pictures row
    picture_at: Mapped[datetime | None]  # when it was taken
    sha256: Mapped[str | None] = mapped_column(String(64))  # of the picture's file, in hexadecimal digits
    picture_why: Mapped[str | None] = mapped_column(String(32))  # why there is no picture (errors.Reason)
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    confirmed_name: Mapped[str | None] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None]
    words: Mapped[str] = mapped_column(String(255), default="")
    cause: Mapped[str | None] = mapped_column(String(32))
    reference: Mapped[int | None]  # alarms are deleted by time, so no foreign key


class Finding(Readable, Base):
    """What somebody found at a camera during a patrol: a place, a time, a category and words; never persons."""

    __tablename__ = "findings"
    __table_args__ = (Index("ix_findings_at_id", "at", "id"), Index("ix_findings_user_id_run_id", "user_id", "run_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="RESTRICT"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    category: Mapped[str] = mapped_column(String(32))  # a code of settings.patrol.finding_categories
    words: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(64))
    picture: Mapped[int | None]  # run_pictures rows
    picture_at: Mapped[datetime | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    picture_why: Mapped[str | None] = mapped_column(String(32))
    photo: Mapped[int | None]  # uploaded by a person
    photo_sha256: Mapped[str | None] = mapped_column(String(64))
