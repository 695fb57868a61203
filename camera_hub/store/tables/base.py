"""What all tables share: naming of constraints, aware UTC times, sealed bytes."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, LargeBinary, MetaData, Table
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


class Sealed(LargeBinary):
    """A column that contains only what `access.vault` has sealed (AES-GCM), never plain secrets. When the vault gets a
    new key, all of them are sealed anew (access.sealed_columns).
    """


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, also on SQLite (which does not store the zone). A naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone is not stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def table_of(entity: type["Base"]) -> Table:
    """The table beneath a mapped class: batches by other columns than the key go past the ORM."""
    table = entity.__table__
    assert isinstance(table, Table)
    return table


class Base(DeclarativeBase):
    """Declarative base; constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 (SQLAlchemy's own declaration)
