"""The PTZ service of dome cameras: a position that moves with time, and presets."""

from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from camera_hub.simulator.model import Channel
from camera_hub.simulator.onvif.call import Call, Operation, Profile, Profiles
from camera_hub.simulator.onvif.media import ptz_configuration
from camera_hub.simulator.onvif.soap import Refusal

MAX_PRESETS = 16
_POSITION_SPACE = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"
_VELOCITY_SPACE = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace"
_ZOOM_SPACE = "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"
_ZOOM_VELOCITY = "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace"
Vector = tuple[float, float, float]
"""Pan and tilt from -1 to 1, zoom from 0 to 1."""
_HOME: Vector = (0.0, 0.0, 0.0)
_LONGEST_MOVE = 5.0
_FULL_TRAVEL = 4.0
"""Seconds from the middle to the end of an axis at full speed."""


@dataclass(slots=True)
class Dome:
    """Where one camera points, and how it moves."""

    position: Vector = _HOME
    velocity: Vector = _HOME
    since: float = 0.0
    until: float = 0.0
    presets: dict[str, tuple[str, Vector]] = field(default_factory=dict)
    next_preset: int = 1

    def at(self, now: float) -> Vector:
        """The position at a moment."""
        time = max(0.0, min(now, self.until) - self.since) / _FULL_TRAVEL
        pan, tilt, zoom = (here + speed * time for here, speed in zip(self.position, self.velocity, strict=True))
        return max(-1.0, min(1.0, pan)), max(-1.0, min(1.0, tilt)), max(0.0, min(1.0, zoom))

    def moving(self, now: float) -> bool:
        return now < self.until and self.velocity != _HOME

    def move(self, velocity: Vector, now: float, seconds: float) -> None:
        """Start to move, for at most that long."""
        self.position, self.velocity, self.since, self.until = self.at(now), velocity, now, now + seconds

    def jump(self, position: Vector, now: float) -> None:
        """Go to a position at once."""
        self.position, self.velocity, self.since, self.until = position, _HOME, now, now


class PtzService:
    """Moves domes."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self.domes = {profile.channel.number: Dome() for profile in profiles.all if profile.channel.ptz}
        self.operations: dict[str, Operation] = {
            "tptz:GetServiceCapabilities": self._get_capabilities,
            "tptz:GetNodes": self._get_nodes,
            "tptz:GetNode": self._get_node,
            "tptz:GetConfigurations": self._get_configurations,
            "tptz:GetStatus": self._get_status,
            "tptz:ContinuousMove": self._move,
            "tptz:Stop": self._stop,
            "tptz:GetPresets": self._get_presets,
            "tptz:SetPreset": self._set_preset,
            "tptz:GotoPreset": self._goto_preset,
            "tptz:RemovePreset": self._remove_preset,
            "tptz:GotoHomePosition": self._go_home,
        }

    async def _get_capabilities(self, call: Call) -> str:
        return '<tptz:Capabilities EFlip="false" Reverse="false" MoveStatus="true" StatusPosition="true"/>'

    async def _get_nodes(self, call: Call) -> str:
        return "".join(_node(channel) for channel in call.state.plan.channels if channel.ptz)

    async def _get_node(self, call: Call) -> str:
        token = call.envelope.text("tptz:NodeToken")
        for channel in call.state.plan.channels:
            if channel.ptz and token == f"PTZNode_{channel.number}":
                return _node(channel)
        raise Refusal("There is no such node", "ter:InvalidArgVal", "ter:NoEntity")

    async def _get_configurations(self, call: Call) -> str:
        return "".join(
            f'<tptz:PTZConfiguration token="PTZ_{one.channel.number}">{ptz_configuration(one)}</tptz:PTZConfiguration>'
            for one in self._profiles.all
            if one.number == 1 and one.channel.ptz
        )

    async def _get_status(self, call: Call) -> str:
        dome, now = self._dome(call), call.state.clock.monotonic()
        moving = "MOVING" if dome.moving(now) else "IDLE"
        return (
            f"<tptz:PTZStatus><tt:Position>{_vector(dome.at(now))}</tt:Position><tt:MoveStatus><tt:PanTilt>{moving}"
            f"</tt:PanTilt><tt:Zoom>{moving}</tt:Zoom></tt:MoveStatus>"
            f"<tt:UtcTime>{call.state.now():%Y-%m-%dT%H:%M:%SZ}</tt:UtcTime></tptz:PTZStatus>"
        )

    async def _move(self, call: Call) -> str:
        def part(path: str, axis: str) -> float:
            element = call.envelope.find(f"tptz:Velocity/tt:{path}")
            try:
                value = float(element.get(axis, "0")) if element is not None else 0.0
            except ValueError:
                value = 2.0
            if not -1 <= value <= 1:
                raise Refusal("A velocity must be between -1 and 1", "ter:InvalidArgVal", "ter:InvalidVelocity")
            return value

        velocity = part("PanTilt", "x"), part("PanTilt", "y"), part("Zoom", "x")
        self._dome(call).move(velocity, call.state.clock.monotonic(), _LONGEST_MOVE)
        return ""

    async def _stop(self, call: Call) -> str:
        self._dome(call).move(_HOME, call.state.clock.monotonic(), 0)
        return ""

    async def _get_presets(self, call: Call) -> str:
        return "".join(
            f'<tptz:Preset token="{token}"><tt:Name>{escape(name)}</tt:Name>'
            f"<tt:PTZPosition>{_vector(position)}</tt:PTZPosition></tptz:Preset>"
            for token, (name, position) in self._dome(call).presets.items()
        )

    async def _set_preset(self, call: Call) -> str:
        dome = self._dome(call)
        token = call.envelope.text("tptz:PresetToken")
        if token and token not in dome.presets:
            raise Refusal("There is no such preset", "ter:InvalidArgVal", "ter:NoToken")
        if not token:
            if len(dome.presets) >= MAX_PRESETS:
                raise Refusal("There are too many presets", "ter:Action", "ter:TooManyPresets", sender=False)
            token = f"Preset_{dome.next_preset}"
            dome.next_preset += 1
        name = call.envelope.text("tptz:PresetName", token)
        dome.presets[token] = (name, dome.at(call.state.clock.monotonic()))
        return f"<tptz:PresetToken>{token}</tptz:PresetToken>"

    async def _goto_preset(self, call: Call) -> str:
        dome, (_, position) = self._dome(call), self._preset(call)
        dome.jump(position, call.state.clock.monotonic())
        return ""

    async def _remove_preset(self, call: Call) -> str:
        self._preset(call)
        del self._dome(call).presets[call.envelope.text("tptz:PresetToken")]
        return ""

    async def _go_home(self, call: Call) -> str:
        self._dome(call).jump(_HOME, call.state.clock.monotonic())
        return ""

    def _dome(self, call: Call) -> Dome:
        profile: Profile = self._profiles.of(call.envelope.text("tptz:ProfileToken"))
        if (dome := self.domes.get(profile.channel.number)) is None:
            raise Refusal("The camera cannot be moved", "ter:InvalidArgVal", "ter:NoPTZProfile")
        return dome

    def _preset(self, call: Call) -> tuple[str, Vector]:
        found = self._dome(call).presets.get(call.envelope.text("tptz:PresetToken"))
        if found is None:
            raise Refusal("There is no such preset", "ter:InvalidArgVal", "ter:NoToken")
        return found


def _vector(position: Vector) -> str:
    pan, tilt, zoom = position
    return (
        f'<tt:PanTilt x="{pan:.4f}" y="{tilt:.4f}" space="{_POSITION_SPACE}"/>'
        f'<tt:Zoom x="{zoom:.4f}" space="{_ZOOM_SPACE}"/>'
    )


def _node(channel: Channel) -> str:
    def space(element: str, uri: str, *ranges: tuple[str, int]) -> str:
        inside = "".join(f"<tt:{axis}><tt:Min>{low}</tt:Min><tt:Max>1</tt:Max></tt:{axis}>" for axis, low in ranges)
        return f"<tt:{element}><tt:URI>{uri}</tt:URI>{inside}</tt:{element}>"

    both = (("XRange", -1), ("YRange", -1))
    return (
        f'<tptz:PTZNode token="PTZNode_{channel.number}"><tt:Name>PTZ {channel.number}</tt:Name><tt:SupportedPTZSpaces>'
        + space("AbsolutePanTiltPositionSpace", _POSITION_SPACE, *both)
        + space("AbsoluteZoomPositionSpace", _ZOOM_SPACE, ("XRange", 0))
        + space("ContinuousPanTiltVelocitySpace", _VELOCITY_SPACE, *both)
        + space("ContinuousZoomVelocitySpace", _ZOOM_VELOCITY, ("XRange", -1))
        + f"</tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>{MAX_PRESETS}</tt:MaximumNumberOfPresets>"
        "<tt:HomeSupported>true</tt:HomeSupported></tptz:PTZNode>"
    )
