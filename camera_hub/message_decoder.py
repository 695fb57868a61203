"""Strict decoding of a message's head (a JSON object) into its dataclass: names, types and ranges are checked. Pure.

Every process checks what another one sends here and nowhere else, so that a decoded message can be trusted.
Supported annotations: `str`, `int`, `float`, `bool`, `None`, enumerations, `Literal`, `tuple[X, ...]`, `dict[str, X]`,
dataclasses (also as a tagged union, whose members have a field `kind: Literal[…]`), unions of these, and `Annotated`
with `Range` or `Length`.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

MAX_ITEMS = 10_000
"""Elements of one list at most."""
MAX_NAMED = 16
MAX_NAME = 32
"""Names of one mapping at most, and characters of each."""
_INT64 = 1 << 63

Decoded = TypeVar("Decoded")
_Check = Callable[[str, Any], Any]


class MessageError(ValueError):
    """A head is not valid for its type of message. The text names the field, never its value."""


@dataclass(frozen=True, slots=True)
class Range:
    """A number's bounds, inclusive."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Length:
    """The bounds of a string's length in characters, inclusive."""

    low: int
    high: int


def decode(kind: type[Decoded], head: Mapping[str, Any]) -> Decoded:
    """The head as a `kind`, a dataclass. Unknown keys are ignored, for the sake of newer peers. Raises MessageError."""
    values: dict[str, Any] = {}
    for name, check, required in _plan(cast(Any, kind)):
        if name in head:
            values[name] = check(f"{kind.__name__}.{name}", head[name])
        elif required:
            raise MessageError(f"{kind.__name__}.{name} is missing")
    return kind(**values)


@cache
def _plan(kind: Any) -> tuple[tuple[str, _Check, bool], ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (one.name, _check_of(hints[one.name]), one.default is MISSING and one.default_factory is MISSING)
        for one in fields(kind)
    )


def _check_of(annotation: Any) -> _Check:
    """The function that checks and converts a JSON value for this annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bounded(_check_of(arguments[0]), arguments[1:])
    if origin in (Union, UnionType):
        return _union(arguments)
    if origin is Literal:
        return _one_of({value: value for value in arguments})
    if origin is tuple:
        return _items(_check_of(arguments[0]))
    if origin is dict:
        return _values(_check_of(arguments[1]))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _one_of({member.value: member for member in annotation})
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and is_dataclass(annotation):
        return lambda where, value: decode(annotation, _object(where, value))
    raise TypeError(f"no decoder for {annotation!r}")


def _bool(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise MessageError(f"{where} must be true or false")
    return value


def _int(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise MessageError(f"{where} must be an integer of at most 64 bits")
    return value


def _float(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MessageError(f"{where} must be a number")
    if not -_INT64 <= value < _INT64:  # also refuses NaN, for which every comparison is false
        raise MessageError(f"{where} must be a finite number")
    return value


def _str(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise MessageError(f"{where} must be a string")
    return value


def _null(where: str, value: Any) -> None:
    if value is not None:
        raise MessageError(f"{where} must be null")


_PLAIN: dict[Any, _Check] = {bool: _bool, int: _int, float: _float, str: _str, NoneType: _null}


def _object(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MessageError(f"{where} must be an object")
    return value


def _one_of(values: dict[Any, Any]) -> _Check:
    words = ", ".join(map(str, values))

    def check(where: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value not in values:
            raise MessageError(f"{where} must be one of {words}")
        return values[value]

    return check


def _items(check: _Check) -> _Check:
    def check_all(where: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)) or len(value) > MAX_ITEMS:
            raise MessageError(f"{where} must be a list of at most {MAX_ITEMS} items")
        return tuple(check(f"{where}[{at}]", item) for at, item in enumerate(value))

    return check_all


def _values(check: _Check) -> _Check:
    def check_all(where: str, value: Any) -> dict[str, Any]:
        named = _object(where, value)
        if len(named) > MAX_NAMED or any(len(name) > MAX_NAME for name in named):
            raise MessageError(f"{where} must have at most {MAX_NAMED} short names")
        return {name: check(f"{where}.…", item) for name, item in named.items()}

    return check_all


def _bounded(check: _Check, bounds: tuple[Any, ...]) -> _Check:
    def check_bounds(where: str, value: Any) -> Any:
        found = check(where, value)
        for bound in bounds:
            if isinstance(bound, Range) and not bound.low <= found <= bound.high:
                raise MessageError(f"{where} must lie between {bound.low:g} and {bound.high:g}")
            if isinstance(bound, Length) and not bound.low <= len(found) <= bound.high:
                raise MessageError(f"{where} must have {bound.low} to {bound.high} characters")
        return found

    return check_bounds


def _union(members: tuple[Any, ...]) -> _Check:
    if all(is_dataclass(member) for member in members):
        return _tagged({_tag(member): member for member in members})
    if NoneType in members:
        others = tuple(member for member in members if member is not NoneType)
        check = _check_of(others[0]) if len(others) == 1 else _union(others)
        return lambda where, value: None if value is None else check(where, value)
    checks = [_check_of(member) for member in members]

    def first_fitting(where: str, value: Any) -> Any:
        for number, check in enumerate(checks, 1):
            try:
                return check(where, value)
            except MessageError:
                if number == len(checks):
                    raise
        raise AssertionError

    return first_fitting


def _tag(member: Any) -> Any:
    """The value of the member's `kind`."""
    return get_args(get_type_hints(member)["kind"])[0]


def _tagged(members: dict[Any, Any]) -> _Check:
    kinds = _one_of(members)

    def check(where: str, value: Any) -> Any:
        found = _object(where, value)
        return decode(kinds(f"{where}.kind", found.get("kind")), found)

    return check
