"""Columns of records, which are read whatever somebody has put into them.

SQLite stores any value in any column, so a record that was tampered with may hold a time that is no time, broken JSON
or a word that nobody knows. Such a value comes as an `Unreadable` one of the column's own Python type: whoever lists
records need not mind, and whoever seals, verifies or shows them asks `is_unreadable`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import JSON, Column, Dialect, Double, Float, Integer, MetaData, String, Table, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from camera_hub.store.tables.base import UtcDateTime

_EXACT = 2**53 - 1
"""The largest whole number that JSON, and so a seal, holds exactly."""
_DEEPEST = 32
"""Lists and objects within each other that a JSON column may hold."""


class Unreadable:
    """A value that its column cannot hold, or that nobody knows. `stored`: a text that was stored, and that is no word
    of its column; None: what was stored is not even a text."""

    stored: str | None = None


class UnreadableTime(Unreadable, datetime):
    """Reads as the third day of the first year: no clock shows that, and every time zone can."""

    @classmethod
    def made(cls) -> Self:
        """It, whatever was stored."""
        return cls(1, 1, 3, tzinfo=UTC)


class UnreadableInt(Unreadable, int):
    """Reads as 0."""


class UnreadableFloat(Unreadable, float):
    """Reads as 0."""


class UnreadableText(Unreadable, str):
    """Reads as those of the bytes that are text, or as what stands for an unknown word."""


class UnreadableList(Unreadable, list[Any]):
    """Reads as empty."""


class UnreadableMap(Unreadable, dict[str, Any]):
    """Reads as empty."""


def is_unreadable(value: object) -> bool:
    """Whether the value of a column could not be read."""
    return isinstance(value, Unreadable)


class ReadableTime(UtcDateTime):
    """A time; see the module."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """See TypeDecorator."""
        return _guarded(super().result_processor(dialect, coltype), datetime, UnreadableTime.made)


class ReadableInt(TypeDecorator[int]):
    """A whole number that JSON holds exactly; see the module."""

    impl = Integer
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """See TypeDecorator."""
        return _number


class ReadableFloat(TypeDecorator[float]):
    """A finite number; see the module."""

    impl = Double
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """See TypeDecorator."""
        return _finite


class ReadableText(TypeDecorator[str]):
    """A text; see the module."""

    impl = String
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """See TypeDecorator."""
        return _text


class Word(TypeDecorator[str]):
    """One of some words; what is none of them reads as `otherwise`."""

    impl = String
    cache_ok = True

    def __init__(self, length: int, *words: str, otherwise: str) -> None:
        super().__init__(length)
        self.words = words
        self.otherwise = otherwise

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """See TypeDecorator."""
        known = frozenset(self.words)

        def process(value: Any) -> Any:
            if value is None or value in known:
                return value
            unknown = UnreadableText(self.otherwise)
            unknown.stored = value if isinstance(value, str) else None
            return unknown

        return process


class ReadableJson(TypeDecorator[Any]):
    """A list, or an object (`kind` dict), with nothing in it that could not be sealed; see the module."""

    impl = JSON
    cache_ok = True

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """As JSON compares: what is asked of an object's key is no JSON."""
        return self.impl_instance.coerce_compared_value(op, value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """See TypeDecorator."""
        read = super().result_processor(dialect, coltype)
        empty = UnreadableMap if self.kind is dict else UnreadableList

        def process(value: Any) -> Any:
            if value is None:
                return None
            try:
                found = value if read is None else read(value)
                sound = isinstance(found, self.kind) and _sound(found, _DEEPEST)
            except (ValueError, TypeError, RecursionError):
                sound = False
            return found if sound else empty()

        return process


class Readable:
    """A mixin of entities whose columns are all read so. Of yes and no none is unreadable: any value is one of both."""

    @classmethod
    def __table_cls__(cls, name: str, metadata: MetaData, *items: Any, **options: Any) -> Table:
        """SQLAlchemy's hook: makes the table beneath the entity."""
        for item in items:
            if isinstance(item, Column):
                item.type = _readable(item)
        return Table(name, metadata, *items, **options)


class NumberIn(FunctionElement[int]):
    """A whole number within a JSON object, NULL where there is none: also where the column holds no JSON, which SQLite
    answers with an error, or the key a text, which PostgreSQL does."""

    inherit_cache = True
    type = Integer()

    def __init__(self, column: Any, key: str) -> None:
        if not key.isidentifier():
            raise ValueError(f"{key!r} is no key of an event")
        super().__init__(column, literal_column(key))


@compiles(NumberIn)
def _number_in(element: NumberIn, compiler: SQLCompiler, **options: Any) -> str:
    column, key = (compiler.process(one, **options) for one in element.clauses)
    return f"CASE WHEN json_valid({column}) THEN json_extract({column}, '$.{key}') END"


@compiles(NumberIn, "postgresql")
def _number_in_postgresql(element: NumberIn, compiler: SQLCompiler, **options: Any) -> str:
    column, key = (compiler.process(one, **options) for one in element.clauses)
    text = f"({column} ->> '{key}')"
    return f"CASE WHEN {text} ~ '^[0-9]{{1,9}}$' THEN CAST({text} AS INTEGER) END"


def _readable(column: "Column[Any]") -> TypeEngine[Any]:
    kind = column.type
    if isinstance(kind, ReadableTime | ReadableInt | ReadableFloat | ReadableText | ReadableJson | Word):
        return kind
    if isinstance(kind, UtcDateTime):
        return ReadableTime()
    if isinstance(kind, Integer) or column.foreign_keys:  # whose type SQLAlchemy takes from the key, an id, later on
        return ReadableInt()
    if isinstance(kind, Float):
        return ReadableFloat()
    if isinstance(kind, String):
        return ReadableText(kind.length)
    if isinstance(kind, JSON):
        raise TypeError(f"{column.name}: say of what kind its JSON is (ReadableJson)")
    return kind


def _guarded(read: Callable[[Any], Any] | None, kind: type, otherwise: Callable[[], Any]) -> Callable[[Any], Any]:
    def process(value: Any) -> Any:
        if value is None:
            return None
        try:
            found = value if read is None else read(value)
        except (ValueError, TypeError, OverflowError, AttributeError):
            return otherwise()
        return found if isinstance(found, kind) else otherwise()

    return process


def _number(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and -_EXACT <= value <= _EXACT):
        return value
    return UnreadableInt()


def _finite(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _EXACT:
        return float(value)
    return UnreadableFloat()


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return UnreadableText(value.decode("utf-8", "replace") if isinstance(value, bytes) else "")


def _sound(value: Any, deepest: int) -> bool:
    """Whether it has canonical JSON (access.audit.canonical), and is not deeper than `deepest`."""
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return abs(value) <= _EXACT
    if isinstance(value, float):
        return math.isfinite(value)
    if deepest <= 0:
        return False
    if isinstance(value, Mapping):
        return all(_sound(key, deepest) and _sound(one, deepest - 1) for key, one in value.items())
    return isinstance(value, Sequence) and all(_sound(one, deepest - 1) for one in value)
