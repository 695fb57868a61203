"""Steering cameras (PTZ): what a pad shows, and what goes over HTTP and the page's WebSocket."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from camera_hub.api.schemas.base import Answer, Id, Name, RequestBody, Serial
from camera_hub.cameras.onvif.ptz import MAX_PRESET_TOKEN, PtzRange
from camera_hub.cameras.ptz.presets import PtzView
from camera_hub.cameras.ptz.state import PtzState
from camera_hub.errors import Explanation

PresetToken = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_PRESET_TOKEN, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")
]
"""As the device wrote it: any letters."""
Speed = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Direction = Annotated[int, Field(ge=-1, le=1)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PtzRangeAnswer(Answer):
    low: float
    high: float


class PtzCapabilitiesAnswer(Answer):
    """What the camera can do. `point`: a click into the picture centres that place; ranges: of absolute positions."""

    continuous: bool
    zoom: bool
    absolute: bool
    relative: bool
    point: bool
    presets: bool
    home: bool
    max_presets: int
    pan: PtzRangeAnswer | None
    tilt: PtzRangeAnswer | None
    zoom_range: PtzRangeAnswer | None


class PtzPresetAnswer(Answer):
    """A preset. `name` is never empty and never twice; `home`: the camera returns there."""

    token: str
    name: str
    home: bool


class PtzHolderAnswer(Answer):
    """Who steers now. `user_id`: of a person, null for a tour. `priority`: who has a higher one takes over at once (3:
    township admin, 2: operator, 1: others, 0: a tour). `until`: when the lock ends without another command."""

    user_id: int | None
    name: str
    kind: Literal["person", "tour"]
    priority: int
    until: datetime


class PtzErrorAnswer(Answer):
    reason: str
    detail: str
    params: dict[str, str | int | float]


class PtzStateAnswer(Answer):
    """`moving` until the device has confirmed that it stands. `home_at`: when it returns to its home position."""

    moving: bool
    holder: PtzHolderAnswer | None
    home_at: datetime | None
    suspended_until: datetime | None
    last_error: PtzErrorAnswer | None


class PtzAnswer(Answer):
    """What a pad shows."""

    capabilities: PtzCapabilitiesAnswer
    presets: list[PtzPresetAnswer]
    state: PtzStateAnswer


class NewPreset(RequestBody):
    """Where the camera points now, as a new preset."""

    name: Name


class ChangePreset(RequestBody):
    """`here`: the preset is where the camera points now."""

    name: Name
    here: bool = False


class PtzHome(RequestBody):
    """Where the camera returns: a preset, or null for the device's own home position; and after how long."""

    token: PresetToken | None = None
    seconds: int | None = Field(None, ge=0, le=86400)


class PtzSuspend(RequestBody):
    """The camera does not return home for so long; 0: it does again."""

    minutes: int = Field(ge=0, le=7 * 24 * 60)


class PtzMove(RequestBody):
    """A program's move. It ends after `seconds` unless it is sent again."""

    pan: Speed = 0.0
    tilt: Speed = 0.0
    zoom: Speed = 0.0
    seconds: float = Field(1.0, ge=0.1, le=10, allow_inf_nan=False)


class PtzMoveMessage(RequestBody):
    """Page → hub: move; to be repeated every 400 ms for as long as it shall go on."""

    type: Literal["ptz"]
    serial: Serial
    camera: Id
    do: Literal["move"]
    pan: Speed = 0.0
    tilt: Speed = 0.0
    zoom: Speed = 0.0


class PtzPlainMessage(RequestBody):
    """Page → hub: stand still; go to the home position; give the camera back."""

    type: Literal["ptz"]
    serial: Serial
    camera: Id
    do: Literal["stop", "home", "release"]


class PtzPointMessage(RequestBody):
    """Page → hub: centre a place of the picture, from its left and its top."""

    type: Literal["ptz"]
    serial: Serial
    camera: Id
    do: Literal["point"]
    x: Share
    y: Share


class PtzStepMessage(RequestBody):
    """Page → hub: a step of a set length."""

    type: Literal["ptz"]
    serial: Serial
    camera: Id
    do: Literal["step"]
    pan: Direction = 0
    tilt: Direction = 0
    zoom: Direction = 0
    size: int = Field(1, ge=1, le=3)


class PtzPresetMessage(RequestBody):
    """Page → hub: go to a preset."""

    type: Literal["ptz"]
    serial: Serial
    camera: Id
    do: Literal["preset"]
    token: PresetToken


PtzMessage = Annotated[
    PtzMoveMessage | PtzPlainMessage | PtzPointMessage | PtzStepMessage | PtzPresetMessage, Field(discriminator="do")
]


class PtzStateMessage(Answer):
    """Hub → page: a camera that the page steers or shows. `serial`: of this page's last command to it, 0: none."""

    type: Literal["ptz"] = "ptz"
    camera: int
    serial: int
    state: PtzStateAnswer


def state_answer(state: PtzState, error: Explanation | None = None) -> PtzStateAnswer:
    """`error`: what only this page is told."""
    held = state.holder
    holder = None
    if held is not None and state.until is not None:
        user_id = held.id if held.kind == "person" else None
        holder = PtzHolderAnswer(
            user_id=user_id, name=held.name, kind=held.kind, priority=held.priority, until=state.until
        )
    told = error or state.error
    return PtzStateAnswer(
        moving=state.moving,
        holder=holder,
        home_at=state.home_at,
        suspended_until=state.suspended_until,
        last_error=PtzErrorAnswer(reason=told.reason, detail=told.detail, params=dict(told.params))
        if told is not None
        else None,
    )


def ptz_answer(view: PtzView) -> PtzAnswer:
    found = view.capabilities

    def shown(axis: PtzRange | None) -> PtzRangeAnswer | None:
        return PtzRangeAnswer.model_validate(axis) if axis is not None else None

    return PtzAnswer(
        capabilities=PtzCapabilitiesAnswer(
            continuous=found.continuous,
            zoom=found.zoom,
            absolute=found.absolute,
            relative=found.relative,
            point=found.point,
            presets=found.presets,
            home=found.home,
            max_presets=found.max_presets,
            pan=shown(found.pan_range),
            tilt=shown(found.tilt_range),
            zoom_range=shown(found.zoom_range),
        ),
        presets=[PtzPresetAnswer.model_validate(one) for one in view.presets],
        state=state_answer(view.state),
    )
