"""What is remembered of a camera's pictures from one key frame to the next, as text of at most 16 kB: a few pictures'
samples, the best repetition among them, and which faults are to be confirmed by the next key frame.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from camera_hub.sight.freeze import (
    CERTAIN,
    FEWEST_TILES,
    MARKS,
    Sampled,
    compare,
    frozen,
    marks,
    read_moment,
    tiles_again,
    write_moment,
)
from camera_hub.sight.scoring import FAULT_BELOW

MORE = 3
"""Key frames of one look after the first one, at most."""
_KEPT = 4
"""Pictures."""
_MARKED = 24
"""Pictures whose tiles are known again."""
_HIT, _HITS = 3, 2
"""So many tiles (and a tenth of those with a texture) that are the very same as before speak for a freeze; so many key
frames with them decide."""
_PLAIN_HITS = 3
"""Key frames that decide in a picture without texture."""
_FIELDS = 7
_LONGEST = 16_000
_PAUSE = 1800.0
"""Seconds after which a scene in which nothing moves is looked at through several key frames again, though nothing
spoke for a freeze the last time."""


@dataclass(frozen=True, slots=True)
class Memory:
    """`moments`: oldest first. `marked`: `freeze.marks` of these and those before them. `repeated`: the largest share
    of a picture's tiles that were the very same before. `hits`: key frames that spoke for a freeze since something
    moved last. `tries`: key frames of the present look so far. `pending`: scores that the next key frame is to confirm.
    `settled`: when a still scene was last looked at closely."""

    moments: Sequence[Sampled] = ()
    marked: Sequence[bytes] = ()
    repeated: float = 0.0
    hits: int = 0
    tries: int = 0
    pending: Mapping[str, float] = field(default_factory=dict)
    settled: float = 0.0


def judged_freeze(memory: Memory, now: Sampled) -> tuple[float | None, Memory, bool]:
    """The score for freeze (None: nothing to compare with, or not decided yet), what is remembered now, and whether one
    more key frame is needed to decide."""
    found = [one for kept in memory.moments if (one := compare(kept, now)) is not None]
    mark = marks(now)
    if not found:
        return None, replace(memory, moments=(now,), marked=(mark,), repeated=0.0, hits=0), False
    if any(one.alive for one in found):
        return 100.0, replace(memory, moments=(now,), marked=(mark,), repeated=0.0, hits=0), False
    textured, again = tiles_again(mark, memory.marked)
    if textured >= FEWEST_TILES:
        share, hit, needed = again / textured, again >= _HIT and again >= 0.1 * textured, _HITS
    else:
        share = max(one.repeated for one in found)
        hit, needed = share >= CERTAIN, _PLAIN_HITS
    hits, best = memory.hits + hit, max(memory.repeated, share if hit else 0.0)
    # The oldest is kept: light drifts slowly.
    moments = (*memory.moments, now) if len(memory.moments) < _KEPT else (memory.moments[0], *memory.moments[2:], now)
    marked = (*memory.marked, mark)[-_MARKED:]
    after = replace(memory, moments=moments, marked=marked, repeated=best, hits=hits)
    if hits >= needed:
        return frozen(best), after, False
    closely = hit or (again > 0 and needed == _HITS) or memory.tries > 0 or now.at - memory.settled >= _PAUSE
    if closely and memory.tries < MORE:
        return None, after, True
    # What spoke for it once is not believed: it must do so again.
    return 100.0 if hits == 0 else 80.0, replace(after, settled=now.at if closely else memory.settled), False


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
    marked = base64.b64encode(b"".join(memory.marked)).decode()
    head = f"4|{memory.repeated:.4f}|{memory.hits}|{memory.tries}|{memory.settled:.0f}|{pending}|{marked}"
    moments = [write_moment(one) for one in memory.moments]
    while moments and len(head) + sum(len(one) + 1 for one in moments) > _LONGEST:
        del moments[len(moments) // 2]
    return "|".join([head, *moments])


def read_memory(text: str | None) -> Memory:
    """From `write_memory`; an empty one for anything else."""
    parts = (text or "").split("|")
    if len(parts) < _FIELDS or parts[0] != "4":
        return Memory()
    try:
        named = (one.partition("=") for one in parts[5].split(",") if one)
        pending = {name: float(value) for name, _, value in named}
        data = base64.b64decode(parts[6], validate=True)[: MARKS * _MARKED]
        marked = tuple(data[at : at + MARKS] for at in range(0, len(data) - MARKS + 1, MARKS))
        kept = parts[_FIELDS : _FIELDS + _KEPT]
        moments = tuple(one for part in kept if (one := read_moment(part)) is not None)
        return Memory(moments, marked, float(parts[1]), int(parts[2]), int(parts[3]), pending, float(parts[4]))
    except ValueError:
        return Memory()
