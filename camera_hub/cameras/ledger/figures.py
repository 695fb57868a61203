"""How complete a camera's file is, and how long its filing may take. Pure.

Completeness = mandatory fields of the county that are filled in and valid ÷ all mandatory fields, in percent. Values
are judged when they are stored, so what is filled in is valid. What only a camera that is connected can have (its
address, MAC, encoding, resolution) is not asked of one that is not. A village's is the same over all its cameras that
are neither retired nor removed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from camera_hub.cameras.ledger.fields import FIELDS

_CONNECTED_ONLY = frozenset({"ipv4", "mac", "encoding", "resolution", "access_network"})
_MANDATORY = tuple(one.key for one in FIELDS if one.required)


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many mandatory fields are filled in, of how many; the missing ones by key."""

    filled: int = 0
    asked: int = 0
    missing: tuple[str, ...] = ()

    @property
    def percent(self) -> int:
        """Rounded down: 100 only when nothing is missing."""
        return 100 if self.filled == self.asked else self.filled * 100 // self.asked


def completeness(values: Mapping[str, str], *, connected: bool) -> Completeness:
    """Of one camera's values by key."""
    asked = [key for key in _MANDATORY if connected or key not in _CONNECTED_ONLY]
    missing = tuple(key for key in asked if not values.get(key) and not (key == "ipv4" and values.get("ipv6")))
    return Completeness(len(asked) - len(missing), len(asked), missing)


def together(parts: Iterable[Completeness]) -> Completeness:
    """Of a village; which fields are missing is not said."""
    known = list(parts)
    return Completeness(sum(one.filled for one in known), sum(one.asked for one in known))


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a camera's filing with the police stands (Order 799, Article 14). `due_on`, `days_left`: while it is due;
    negative days are overdue."""

    state: Literal["filed", "submitted", "due", "overdue", "not_needed", "not_in_use"]
    due_on: date | None = None
    days_left: int | None = None


def filing(values: Mapping[str, str], begun: date | None, today: date, limit_days: int) -> Filing:
    """`begun`: when the camera was put to use, None: not yet; `limit_days`: after how many days it must be filed.

    Article 14 does not concern cameras of Article 9 (other public places).
    """
    if values.get("filing_state") == "filed":
        return Filing("filed")
    if values.get("legal_basis") == "art9_other":
        return Filing("not_needed")
    if values.get("service_state") == "removed" or begun is None or begun > today:
        return Filing("not_in_use")
    due_on = begun + timedelta(days=limit_days)
    left = (due_on - today).days
    if values.get("filing_state") == "submitted":
        return Filing("submitted", due_on, left)
    return Filing("overdue" if left < 0 else "due", due_on, left)
