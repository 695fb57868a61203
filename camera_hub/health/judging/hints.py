"""Pure: what was seen of a camera shortly before it was lost, and which losses are of one place at one time.

A camera that was covered or turned away a moment before it fell silent was perhaps no victim of its power supply. What
has been so for long says nothing: a lens that is blurred all year is no hint. Places are compared, never persons.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from camera_hub.errors import Param, Reason
from camera_hub.eye.messages import FAULT_BELOW

SEEN = (Reason.COVERED, Reason.MOVED, Reason.BLURRED)
"""What hands can do to a picture, the most telling first."""
REPORTED = ("tamper", "video_loss", "hardware")
"""Of what devices report (cameras.device_events.topics), the most telling first; a lid that was opened is the last."""

REPORT_WINDOW = 120.0
"""Seconds before a loss was noticed: a minute, and up to another until a round has noticed it."""
LOOK_WINDOW = 360.0
"""A picture is looked at every five minutes."""
LATELY = 900.0
"""What was seen for longer than this before the loss is how the camera is."""
MOST = 4096
"""Sightings that are kept of all cameras together; beyond, the oldest go."""

GROUP_SECONDS = 150.0
"""Losses within this time are of one time."""
GROUP_METRES = 60.0
"""Cameras this near to each other stand at one place."""
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class LossHint:
    """`kind`: a Reason of SEEN, or one of REPORTED. `seconds`: before the loss was noticed. `score`: of the picture."""

    kind: str
    camera_id: int | None
    seconds: float
    score: float | None = None

    def params(self) -> dict[str, Param | None]:
        """As it stands on an alarm."""
        source = "picture" if self.kind in SEEN else "device"
        return {
            "kind": self.kind,
            "source": source,
            "camera_id": self.camera_id,
            "seconds": round(self.seconds),
            "score": None if self.score is None else round(self.score),
        }


@dataclass(frozen=True, slots=True)
class _Sighting:
    first: float
    last: float
    score: float | None = None


@dataclass(slots=True)
class Sightings:
    """What was seen lately; times are monotonic seconds."""

    _of_camera: dict[tuple[int, str], _Sighting] = field(default_factory=dict)
    _of_device: dict[tuple[int, str], _Sighting] = field(default_factory=dict)

    def look(self, camera_id: int, at: float, scores: Mapping[str, float]) -> None:
        """The scores of a look at the picture; a look without any says nothing."""
        for kind in SEEN:
            score = scores.get(kind.value)
            if score is None:
                continue
            key = (camera_id, kind.value)
            if score >= FAULT_BELOW:
                self._of_camera.pop(key, None)
            else:
                known = self._of_camera.pop(key, None)
                self._of_camera[key] = _Sighting(known.first if known is not None else at, at, score)
        _bound(self._of_camera)

    def report(self, device_id: int, camera_id: int | None, kind: str, at: float) -> None:
        """The device reports that this has begun; `camera_id` None: of itself."""
        if kind not in REPORTED:
            return
        kept, key = (self._of_device, device_id) if camera_id is None else (self._of_camera, camera_id)
        kept.pop((key, kind), None)
        kept[key, kind] = _Sighting(at, at)
        _bound(kept)

    def hint(self, cameras: Collection[int], devices: Collection[int], lost_at: float) -> LossHint | None:
        """What was seen of any of them shortly before they were lost: the most telling, of equals the latest."""
        found: list[tuple[int, float, LossHint]] = []
        for kept, ids, is_camera in ((self._of_camera, cameras, True), (self._of_device, devices, False)):
            for number in ids:
                for rank, kind in enumerate((*REPORTED[:1], *SEEN, *REPORTED[1:])):
                    sighting = kept.get((number, str(kind)))
                    if sighting is not None and _counts(str(kind), sighting, lost_at):
                        seconds = max(0.0, lost_at - sighting.last)
                        hint = LossHint(str(kind), number if is_camera else None, seconds, sighting.score)
                        found.append((rank, seconds, hint))
        return min(found, key=lambda one: one[:2], default=(0, 0.0, None))[2]


@dataclass(frozen=True, slots=True)
class CameraMount:
    """Where a camera stands, as far as its file says. `position`: longitude and latitude. `pole`: "" where unknown."""

    camera_id: int
    device_id: int
    village_id: int
    position: tuple[float, float] | None = None
    pole: str = ""


@dataclass(frozen=True, slots=True)
class PlaceLoss:
    """A loss of these cameras, and the group that it belongs to."""

    at: float
    places: Sequence[CameraMount]
    group: str


def group_of(places: Sequence[CameraMount], at: float, losses: Iterable[PlaceLoss]) -> str | None:
    """The group of an earlier loss at the same place and time, the latest one; None where there is none."""
    near = [one for one in losses if abs(at - one.at) <= GROUP_SECONDS and _touch(places, one.places)]
    return max(near, key=lambda one: one.at).group if near else None


def _touch(some: Sequence[CameraMount], others: Sequence[CameraMount]) -> bool:
    return any(_same(one, other) for one in some for other in others)


def _same(one: CameraMount, other: CameraMount) -> bool:
    if one.device_id == other.device_id:
        return True
    if one.village_id == other.village_id and one.pole and one.pole == other.pole:
        return True
    if one.position is None or other.position is None:
        return False
    return _metres(one.position, other.position) <= GROUP_METRES


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    middle = math.radians((one[1] + other[1]) / 2)
    east, north = (one[0] - other[0]) * math.cos(middle), one[1] - other[1]
    return math.hypot(east, north) * _METRES_PER_DEGREE


def _counts(kind: str, sighting: _Sighting, lost_at: float) -> bool:
    if sighting.last > lost_at:
        return sighting.last - lost_at <= REPORT_WINDOW and kind in REPORTED  # it was told while it was lost
    if kind in REPORTED:
        return lost_at - sighting.last <= REPORT_WINDOW
    return lost_at - sighting.last <= LOOK_WINDOW and lost_at - sighting.first <= LATELY


def _bound(kept: dict[tuple[int, str], _Sighting]) -> None:
    while len(kept) > MOST:
        del kept[next(iter(kept))]
