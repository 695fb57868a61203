"""Where a dome camera points and how it moves: a position that is a function of time, and what it remembers.

Pan and tilt run from -1 to 1 (pan 0 is straight ahead, positive to the right and endless: 1 and -1 are the same place;
positive tilt is up), zoom from 0 (wide) to 1.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from camera_hub.simulator.faults import Fault

Vector = tuple[float, float, float]
"""Pan, tilt, zoom; or the velocity of each, from -1 to 1."""
STILL: Vector = (0.0, 0.0, 0.0)
HOME: Vector = (0.0, 0.0, 0.0)
TURN = 4.0
"""Seconds from the middle to the end of an axis at full speed."""
FIELD_OF_VIEW = (0.5, 1.0)
"""Width and height of the picture in units of pan and tilt, at zoom 0."""
MAGNIFICATION = 8.0
"""At zoom 1."""
_JOURNEY = (0.3, 1.2)
"""Seconds that going to a position takes: at least, and at most (at full speed)."""
_SECONDS_PER_UNIT = 2.0
_SLOWEST = 0.1
_WANDER_WIDTH, _WANDER_SECONDS = 0.2, 12.0
"""How far to each side, and how long there and back, a dome that moves by itself swings."""
_REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Command:
    """A PTZ command as it arrived. `at` is a moment of the clock that never steps (CLOCK_MONOTONIC), in seconds."""

    at: float
    operation: str
    details: Mapping[str, Any]
    refused: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"at": self.at, "operation": self.operation, "refused": self.refused, **self.details}


@dataclass(frozen=True, slots=True)
class Preset:
    """A place that has a name."""

    name: str
    position: Vector


@dataclass(frozen=True, slots=True)
class _Drive:
    """Moving with a velocity until somebody stops it or the time is up; `until` None: for ever."""

    begins: Vector
    velocity: Vector
    since: float
    until: float | None = None

    def at(self, now: float) -> Vector:
        passed = max(0.0, (now if self.until is None else min(now, self.until)) - self.since) / TURN
        pan, tilt, zoom = (here + speed * passed for here, speed in zip(self.begins, self.velocity, strict=True))
        return _limited((pan, tilt, zoom))

    def moving(self, now: float) -> bool:
        return self.velocity != STILL and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class _Journey:
    """Going from one place to another, faster in the middle."""

    begins: Vector
    ends: Vector
    since: float
    until: float

    def at(self, now: float) -> Vector:
        if now >= self.until:
            return _limited(self.ends)
        part = max(0.0, now - self.since) / (self.until - self.since)
        part = part * part * (3 - 2 * part)
        pan, tilt, zoom = (a + (b - a) * part for a, b in zip(self.begins, self.ends, strict=True))
        return _limited((pan, tilt, zoom))

    def moving(self, now: float) -> bool:
        return now < self.until


@dataclass(frozen=True, slots=True)
class _Wander:
    """Panning there and back for ever, without anybody's command."""

    begins: Vector
    since: float

    def at(self, now: float) -> Vector:
        turn = (now - self.since) / _WANDER_SECONDS % 1
        aside = 4 * turn if turn < 0.25 else 2 - 4 * turn if turn < 0.75 else 4 * turn - 4
        pan, tilt, zoom = self.begins
        return _limited((pan + aside * _WANDER_WIDTH, tilt, zoom))

    def moving(self, now: float) -> bool:
        return True


class Dome:
    """One camera's motion, presets and home position. Every moment is one of the clock that never steps."""

    def __init__(
        self, faults: Callable[[], Mapping[Fault, float]], presets: Mapping[str, Preset] | None = None
    ) -> None:
        self.presets: dict[str, Preset] = dict(presets or {})
        self.home = HOME
        self.commands: deque[Command] = deque(maxlen=_REMEMBERED)
        """The last ones, oldest first."""
        self.commanded = 0
        self._faults = faults
        self._motion: _Drive | _Journey | _Wander = _Drive(HOME, STILL, 0.0, 0.0)
        self._idle_since: float | None = None
        """Since when nobody commands it, while it has the fault `ptz_moves_by_itself`."""
        self._next_preset = len(self.presets) + 1

    def at(self, now: float) -> Vector:
        """The position at a moment."""
        self._by_itself(now)
        return self._motion.at(now)

    def moving(self, now: float) -> bool:
        self._by_itself(now)
        return self._motion.moving(now)

    def drive(
        self, velocity: tuple[float | None, float | None, float | None], now: float, seconds: float | None
    ) -> None:
        """Move with a velocity for that long (None: until it is told otherwise). An axis that is None keeps its own."""
        before = self._motion.velocity if isinstance(self._motion, _Drive) and self._motion.moving(now) else STILL
        pan, tilt, zoom = (old if new is None else new for new, old in zip(velocity, before, strict=True))
        end = None if seconds is None else now + seconds
        self._set(_Drive(self.at(now), (pan, tilt, zoom), now, end), now)

    def go(self, position: Vector, now: float, speed: float = 1.0) -> None:
        """Go to a position, which takes about a second at full speed. A pan beyond 1 is reached by turning on."""
        here = self.at(now)
        far = max(abs(there - at) for there, at in zip(position, here, strict=True))
        least, most = _JOURNEY
        seconds = min(max(far * _SECONDS_PER_UNIT, least), most) / min(max(speed, _SLOWEST), 1.0)
        self._set(_Journey(here, position, now, now + seconds) if far else _Drive(here, STILL, now, now), now)

    def stop(self, now: float, *, pan_tilt: bool = True, zoom: bool = True) -> None:
        """Stand still, in some or all axes."""
        if (pan_tilt and zoom) or not isinstance(self._motion, _Drive):
            self._set(_Drive(self.at(now), STILL, now, now), now)
            return
        until = self._motion.until
        velocity = (0.0 if pan_tilt else None, 0.0 if pan_tilt else None, 0.0 if zoom else None)
        self.drive(velocity, now, None if until is None else max(0.0, until - now))

    def keep(self, name: str, position: Vector, token: str = "") -> str:
        """Keep a position as a preset, a new one without a token. Returns its token."""
        if not token:
            token = f"Preset_{self._next_preset}"
            self._next_preset += 1
        self.presets[token] = Preset(name or token, position)
        return token

    def _set(self, motion: "_Drive | _Journey | _Wander", now: float) -> None:
        self._motion = motion
        self._idle_since = None

    def _by_itself(self, now: float) -> None:
        """Begin to wander, or end it, as the fault says; it is looked at whenever somebody asks for the position."""
        idle = self._faults().get(Fault.PTZ_MOVES_BY_ITSELF)
        if idle is None:
            if isinstance(self._motion, _Wander):
                self._motion = _Drive(self._motion.at(now), STILL, now, now)
            self._idle_since = None
        elif isinstance(self._motion, _Wander) or self._motion.moving(now):
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
            if idle <= 0:
                self._motion = _Wander(self._motion.at(now), now)
        elif now - self._idle_since >= idle:
            self._motion = _Wander(self._motion.at(now), now)


def field_of_view(zoom: float) -> tuple[float, float]:
    """Width and height of the picture in units of pan and tilt."""
    factor = magnification(zoom)
    return FIELD_OF_VIEW[0] / factor, FIELD_OF_VIEW[1] / factor


def magnification(zoom: float) -> float:
    """How many times larger things appear than at zoom 0: the same step of zoom always enlarges by the same factor."""
    return float(MAGNIFICATION**zoom)


def _limited(position: Vector) -> Vector:
    pan, tilt, zoom = position
    if not -1 <= pan <= 1:
        pan = (pan + 1) % 2 - 1
    return pan, max(-1.0, min(1.0, tilt)), max(0.0, min(1.0, zoom))
