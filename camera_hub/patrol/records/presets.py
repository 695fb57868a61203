"""At which PTZ presets the cameras of a record were to be shown, and whether they had come there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camera_hub.access.audit.canonical import Json
from camera_hub.patrol.records.content import Content, Row

REACHED = "reached"
"""Of run_step_cameras.preset_state."""


@dataclass(frozen=True, slots=True)
class PresetVisit:
    """A time that a stop was on (`step`: its row) and one of its cameras was wanted at a preset. `state`: reached,
    moving, or a reason why not; None: nobody knows."""

    step: Row
    position: int
    camera_id: int
    preset: str
    state: str | None

    @property
    def missed(self) -> bool:
        """Whether it is known that the camera had not come there."""
        return self.state is not None and self.state != REACHED


def preset_visits(content: Content) -> Sequence[PresetVisit]:
    """All of a record, in the order of its steps; of one step by the rows of its cameras."""
    steps = {one.get("id"): one for one in content.get("run_steps", ())}
    found: list[PresetVisit] = []
    for row in content.get("run_step_cameras", ()):
        step, preset, state = steps.get(row.get("step_id")), row.get("preset"), row.get("preset_state")
        if step is not None and isinstance(preset, str):
            position, camera = _number(step.get("position")), _number(row.get("camera_id"))
            found.append(PresetVisit(step, position, camera, preset, state if isinstance(state, str) else None))
    return sorted(found, key=lambda one: _number(one.step.get("sequence")))


def last_visits(visits: Sequence[PresetVisit]) -> Mapping[tuple[int, int], PresetVisit]:
    """By stop and camera: the last time, which is the one that pages tell of."""
    return {(one.position, one.camera_id): one for one in visits}


def _number(value: Json) -> int:
    return value if isinstance(value, int) else -1
