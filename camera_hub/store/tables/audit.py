"""The audit chain, and what supervisors and operators have added to sealed records of patrols."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base, Sealed
from camera_hub.store.tables.readable import Readable, Word


class AuditLink(Readable, Base):
    """One link of the chain (access.audit.links). Never changed, never deleted."""

    __tablename__ = "audit_links"
    __table_args__ = (Index("ix_audit_links_subject_kind", "subject", "kind"),)

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))  # patrol | patrol_review | patrol_expired | restored | …
    subject: Mapped[str] = mapped_column(String(64))  # "run:17"
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of what was sealed
    previous: Mapped[str] = mapped_column(String(64), unique=True)  # two links can never follow the same one
    hash: Mapped[str] = mapped_column(String(64))
    key: Mapped[int]  # number of the audit key of `mac`; no foreign key: a lost key must not hide its links
    mac: Mapped[str] = mapped_column(String(64))


class AuditCopy(Base):
    """What a link has sealed: canonical JSON, compressed (zlib). Deleted by retention together with the record."""

    __tablename__ = "audit_copies"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class AuditKey(Base):
    """A key of links, sealed by the vault: so links can be verified after the vault's own key has changed."""

    __tablename__ = "audit_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(Sealed)
    created_at: Mapped[datetime]


class RunReview(Readable, Base):
    """What was added to the sealed record of a patrol: a supervisor's approval or return, an operator's note."""

    __tablename__ = "run_reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Word(12, "approved", "returned", "note", otherwise="note"))
    words: Mapped[str] = mapped_column(String(500), default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
