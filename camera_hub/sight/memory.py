"""What is remembered of a camera's pictures from one key frame to the next, as text of at most 16 kB: a few pictures'
samples, the best repetition among them, and which faults are to be confirmed by the next key frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from camera_hub.sight.freeze import CERTAIN, Sampled, compare, frozen, read_moment, write_moment
from camera_hub.sight.scoring import FAULT_BELOW

MORE = 3
"""Key frames of one look after the first one, at most."""
_KEPT = 4
"""Pictures."""
_LONGEST = 16_000
_PAUSE = 1800.0
"""Seconds after which a scene in which nothing moves is looked at through several key frames again, though nothing
spoke for a freeze the last time."""


@dataclass(frozen=True, slots=True)
class Memory:
    """`moments`: oldest first. `repeated`: the largest share of samples that two of them had in common. `tries`: key
    frames of the present look so far. `pending`: scores that the next key frame is to confirm. `settled`: when a still
    scene was last looked at closely."""

    moments: Sequence[Sampled] = ()
    repeated: float = 0.0
    tries: int = 0
    pending: Mapping[str, float] = field(default_factory=dict)
    settled: float = 0.0


def judged_freeze(memory: Memory, now: Sampled) -> tuple[float | None, Memory, bool]:
    """The score for freeze (None: nothing to compare with, or not decided yet), what is remembered now, and whether one
    more key frame is needed to decide."""
    found = [one for kept in memory.moments if (one := compare(kept, now)) is not None]
    if not found:
        return None, replace(memory, moments=(now,), repeated=0.0), False
    if any(one.alive for one in found):
        return 100.0, replace(memory, moments=(now,), repeated=0.0), False
    best = max([memory.repeated, *(one.repeated for one in found)])
    # The oldest is kept: light drifts slowly.
    moments = (*memory.moments, now) if len(memory.moments) < _KEPT else (memory.moments[0], *memory.moments[2:], now)
    after = replace(memory, moments=moments, repeated=best)
    twice = sum(one.repeated >= CERTAIN for one in found) >= 2
    if best >= CERTAIN and (twice or memory.repeated >= CERTAIN):
        return frozen(best), after, False
    closely = best >= CERTAIN or memory.tries > 0 or now.at - memory.settled >= _PAUSE
    if closely and memory.tries < MORE:
        return None, after, True
    settled = now.at if closely else memory.settled
    # One pair alone is not believed: what follows must be the same as well.
    return max(frozen(best), FAULT_BELOW), replace(after, settled=settled), False


def confirmed(memory: Memory, scores: Mapping[str, float]) -> tuple[dict[str, float], Memory, bool]:
    """Scores with those faults alone that an earlier key frame of this look had, too: what passes the camera within
    seconds is none. Also what is remembered, and whether one more key frame is needed to confirm."""
    faults = {name: value for name, value in scores.items() if value < FAULT_BELOW}
    if memory.tries == 0 and faults:
        return dict(scores), replace(memory, pending=dict(scores)), True
    before = memory.pending
    shown = {name: max(value, before.get(name, value)) for name, value in scores.items()}
    return shown, replace(memory, pending={}), False


def write_memory(memory: Memory) -> str:
    """As text; the middle pictures are left out where it would be too long."""
    pending = ",".join(f"{name}={value:.1f}" for name, value in memory.pending.items())
    head = f"3|{memory.repeated:.4f}|{memory.tries}|{memory.settled:.0f}|{pending}"
    moments = [write_moment(one) for one in memory.moments]
    while moments and len(head) + sum(len(one) + 1 for one in moments) > _LONGEST:
        del moments[len(moments) // 2]
    return "|".join([head, *moments])


def read_memory(text: str | None) -> Memory:
    """From `write_memory`; an empty one for anything else."""
    parts = (text or "").split("|")
    if len(parts) < 5 or parts[0] != "3":
        return Memory()
    try:
        named = (one.partition("=") for one in parts[4].split(",") if one)
        pending = {name: float(value) for name, _, value in named}
        moments = tuple(one for part in parts[5 : 5 + _KEPT] if (one := read_moment(part)) is not None)
        return Memory(moments, float(parts[1]), int(parts[2]), pending, float(parts[3]))
    except ValueError:
        return Memory()
