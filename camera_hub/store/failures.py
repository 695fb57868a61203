"""Translates what database drivers raise into errors with a cause and a remedy. Pure.

Integrity errors are not failures of the database: they concern the rows, and pass through.
"""

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from camera_hub.errors import HubError, Kind, Reason

_FULL = "there is no space left where the database is stored; free some, and the hub continues by itself"
_BUSY = "the database is locked or overloaded; try again in a moment. If this lasts, find out what else uses it"
_AWAY = (
    "the database does not answer; the hub continues by itself as soon as it does. Check the database server and disk"
)

_POSTGRES_BUSY = {"53300", "55P03", "57014", "40001", "40P01"}
"""too_many_connections, lock_not_available, query_canceled, serialization_failure, deadlock_detected"""

_POSTGRES_AWAY = {"57P01", "57P02", "57P03", "58030", "25006"}
"""admin_shutdown, crash_shutdown, cannot_connect_now, io_error, read_only_sql_transaction"""


def failure_of(error: BaseException) -> HubError | None:
    """The failure that the error means; None if it is not a failure of the database (a bug, a violated constraint)."""
    if isinstance(error, PoolTimeout):
        return busy()
    if isinstance(error, IntegrityError) or not isinstance(error, SQLAlchemyError):
        return None
    cause = error.orig if isinstance(error, DBAPIError) else None
    if (name := getattr(cause, "sqlite_errorname", None)) is not None:
        return _sqlite(str(name))
    state = getattr(cause, "sqlstate", None)
    if state is None:
        lost = isinstance(error, DBAPIError) and (error.connection_invalidated or _is_lost(cause))
        return away() if lost else None
    if state == "53100":
        return HubError(Kind.STORAGE_FULL, _FULL, reason=Reason.STORAGE_FULL)
    if state in _POSTGRES_BUSY:
        return busy()
    return away() if state.startswith("08") or state in _POSTGRES_AWAY else None


def busy() -> HubError:
    """The database is locked by another process, or overloaded."""
    return HubError(Kind.UNAVAILABLE, _BUSY, reason=Reason.DATABASE_BUSY)


def away() -> HubError:
    """The database cannot be reached, or its file cannot be read."""
    return HubError(Kind.UNAVAILABLE, _AWAY, reason=Reason.DATABASE_AWAY)


def _sqlite(name: str) -> HubError | None:
    if name == "SQLITE_FULL":
        return HubError(Kind.STORAGE_FULL, _FULL, reason=Reason.STORAGE_FULL)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return busy()
    prefixes = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_PERM")
    return away() if name.startswith(prefixes) else None


def _is_lost(cause: BaseException | None) -> bool:
    """Whether a PostgreSQL error without a code is a connection that failed or was lost."""
    return cause is not None and type(cause).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout")
