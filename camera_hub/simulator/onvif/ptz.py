"""The PTZ service of dome cameras: moves, presets, the home position, and the stubborn kinds of device."""

from typing import Any
from xml.sax.saxutils import escape

from camera_hub.simulator.dome import Command, Dome, Preset, Vector, field_of_view
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel
from camera_hub.simulator.onvif import ptz_nodes as nodes
from camera_hub.simulator.onvif.call import Call, Operation, Profile, Profiles
from camera_hub.simulator.onvif.ptz_nodes import MAX_PRESETS
from camera_hub.simulator.onvif.soap import Refusal, seconds

_LONGEST_NAME = 64
_COMMANDS = (
    "ContinuousMove", "AbsoluteMove", "RelativeMove", "Stop", "GotoPreset", "GotoHomePosition",
    "SetPreset", "RemovePreset", "SetHomePosition",
)  # fmt: skip
Parts = tuple[float | None, float | None, float | None]


class PtzService:
    """Moves domes. Every command is remembered with its arrival (`Dome.commands`), refused ones too."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        commands = dict(
            zip(
                _COMMANDS,
                (self._move, self._go, self._go_aside, self._stop, self._go_to_preset, self._go_home,
                 self._set_preset, self._remove_preset, self._set_home),
                strict=True,
            )
        )  # fmt: skip
        questions = {
            "GetServiceCapabilities": self._get_capabilities,
            "GetNodes": self._get_nodes,
            "GetNode": self._get_node,
            "GetConfigurations": self._get_configurations,
            "GetConfiguration": self._get_configuration,
            "GetConfigurationOptions": self._get_options,
            "GetStatus": self._get_status,
            "GetPresets": self._get_presets,
        }
        self.operations: dict[str, Operation] = {
            **{f"tptz:{name}": _slowly(operation) for name, operation in questions.items()},
            **{f"tptz:{name}": _slowly(_recorded(self, name, work)) for name, work in commands.items()},
        }

    def dome(self, call: Call) -> Dome:
        """The dome of the profile that is named. Raises Refusal."""
        profile: Profile = self._profiles.of(call.envelope.text("tptz:ProfileToken"))
        if (dome := call.state.domes.get(profile.channel.number)) is None:
            raise Refusal("The camera cannot be moved", "ter:InvalidArgVal", "ter:NoPTZProfile")
        return dome

    async def _get_capabilities(self, call: Call) -> str:
        position = str(Fault.PTZ_NO_ABSOLUTE not in call.state.faults()).lower()
        return (
            '<tptz:Capabilities EFlip="false" Reverse="false" GetCompatibleConfigurations="false" MoveStatus="true"'
            f' StatusPosition="{position}"/>'
        )

    async def _get_nodes(self, call: Call) -> str:
        return "".join(nodes.node(one, call.state.faults(one).keys()) for one in self._domes(call))

    async def _get_node(self, call: Call) -> str:
        channel = self._named(call, "tptz:NodeToken", "PTZNode_", "ter:NoEntity")
        return nodes.node(channel, call.state.faults(channel).keys())

    async def _get_configurations(self, call: Call) -> str:
        return "".join(self._configuration(call, one) for one in self._domes(call))

    async def _get_configuration(self, call: Call) -> str:
        return self._configuration(call, self._named(call, "tptz:PTZConfigurationToken", "PTZ_", "ter:NoConfig"))

    async def _get_options(self, call: Call) -> str:
        channel = self._named(call, "tptz:ConfigurationToken", "PTZ_", "ter:NoConfig")
        return nodes.options(call.state.faults(channel).keys())

    async def _get_status(self, call: Call) -> str:
        dome, now = self.dome(call), call.state.clock.monotonic()
        position = dome.at(now)
        moving = "MOVING" if dome.moving(now) else "IDLE"
        told = Fault.PTZ_NO_ABSOLUTE not in self._faults(call)
        return (
            f"<tptz:PTZStatus>{f'<tt:Position>{nodes.vector(position)}</tt:Position>' if told else ''}"
            f"<tt:MoveStatus><tt:PanTilt>{moving}</tt:PanTilt><tt:Zoom>{moving}</tt:Zoom></tt:MoveStatus>"
            f"<tt:UtcTime>{call.state.now():%Y-%m-%dT%H:%M:%SZ}</tt:UtcTime></tptz:PTZStatus>"
        )

    async def _move(self, call: Call, told: dict[str, Any]) -> None:
        dome, faults = self.dome(call), self._faults(call)
        velocity = told["velocity"] = _parts(call, "Velocity", "ter:InvalidVelocity", "a velocity")
        text = call.envelope.text("tptz:Timeout")
        asked = told["timeout"] = seconds(text) if text else None
        if text and Fault.PTZ_FAULTS_ON_TIMEOUT in faults:
            raise Refusal("The time-out is not supported", "ter:InvalidArgVal", "ter:TimeoutNotSupported")
        if text and (asked is None or asked <= 0):
            raise Refusal("That is not a time-out", "ter:InvalidArgVal", "ter:TimeoutNotSupported")
        lasts: float | None = min(max(asked or nodes.DEFAULT, nodes.SHORTEST), nodes.LONGEST)
        if not faults.keys().isdisjoint((Fault.PTZ_IGNORES_TIMEOUT, Fault.PTZ_FAULTS_ON_TIMEOUT)):
            lasts = None
        dome.drive(velocity, call.state.clock.monotonic(), lasts)

    async def _go(self, call: Call, told: dict[str, Any]) -> None:
        dome = self.dome(call)
        self._unless(call, Fault.PTZ_NO_ABSOLUTE, "Absolute moves are not supported")
        _space(call, "Position", "PanTilt", nodes.POSITION)
        _space(call, "Position", "Zoom", nodes.ZOOM_POSITION)
        pan, tilt, zoom = told["position"] = _parts(call, "Position", "ter:InvalidPosition", "a position")
        if zoom is not None and zoom < 0:
            raise Refusal("A zoom must be between 0 and 1", "ter:InvalidArgVal", "ter:InvalidPosition")
        now = call.state.clock.monotonic()
        here = dome.at(now)
        dome.go(_completed((pan, tilt, zoom), here), now, _speed(call))

    async def _go_aside(self, call: Call, told: dict[str, Any]) -> None:
        dome = self.dome(call)
        self._unless(call, Fault.PTZ_NO_RELATIVE, "Relative moves are not supported")
        space = _space(call, "Translation", "PanTilt", nodes.TRANSLATION, nodes.FIELD_OF_VIEW)
        _space(call, "Translation", "Zoom", nodes.ZOOM_TRANSLATION)
        steps = told["translation"] = _parts(call, "Translation", "ter:InvalidTranslation", "a translation")
        told["space"] = space
        now = call.state.clock.monotonic()
        here = dome.at(now)
        wide, high = field_of_view(here[2]) if space == nodes.FIELD_OF_VIEW else (2.0, 2.0)
        # From -1 to 1 is the whole field of view, or the whole travel of the axis (that of zoom is 1).
        pan, tilt, zoom = (step or 0.0 for step in steps)
        dome.go((here[0] + pan * wide / 2, here[1] + tilt * high / 2, here[2] + zoom), now, _speed(call))

    async def _stop(self, call: Call, told: dict[str, Any]) -> None:
        dome = self.dome(call)
        self._unless(call, Fault.PTZ_FAULTS_ON_STOP, "Stop is not supported")
        parts = {
            "pan_tilt": call.envelope.text("tptz:PanTilt", "true"),
            "zoom": call.envelope.text("tptz:Zoom", "true"),
        }
        wanted = {part: text in ("true", "1") for part, text in parts.items()}
        told.update(wanted)
        dome.stop(call.state.clock.monotonic(), **wanted)

    async def _get_presets(self, call: Call) -> str:
        dome = self.dome(call)
        self._unless(call, Fault.PTZ_NO_PRESETS, "Presets are not supported")
        listed = list(dome.presets.items())
        twice = self._faults(call).get(Fault.PTZ_DUPLICATE_NAMES)
        if twice is not None:  # every second one bears the name of the one before it
            listed = [(token, Preset(listed[at & ~1][1].name, one.position)) for at, (token, one) in enumerate(listed)]
            listed = [one for one in listed for _ in range(2 if twice >= 1 else 1)]
        return "".join(
            f'<tptz:Preset token="{token}"><tt:Name>{escape(preset.name)}</tt:Name>'
            f"<tt:PTZPosition>{nodes.vector(preset.position)}</tt:PTZPosition></tptz:Preset>"
            for token, preset in listed
        )

    async def _set_preset(self, call: Call, told: dict[str, Any]) -> str:
        dome = self.dome(call)
        self._unless(call, Fault.PTZ_NO_PRESETS, "Presets are not supported")
        token, name = call.envelope.text("tptz:PresetToken"), call.envelope.text("tptz:PresetName")
        told["preset"], told["name"] = token, name
        known = dome.presets.get(token)
        if token and known is None:
            raise Refusal("There is no such preset", "ter:InvalidArgVal", "ter:NoToken")
        if not token and len(dome.presets) >= MAX_PRESETS:
            raise Refusal("There are too many presets", "ter:Action", "ter:TooManyPresets", sender=False)
        if len(name) > _LONGEST_NAME:
            raise Refusal("The name is too long", "ter:InvalidArgVal", "ter:InvalidPresetName")
        taken = {preset.name for other, preset in dome.presets.items() if other != token}
        if name in taken and Fault.PTZ_DUPLICATE_NAMES not in self._faults(call):
            raise Refusal("There is a preset of that name", "ter:InvalidArgVal", "ter:PresetExist")
        name = name or (known.name if known else "")
        token = told["preset"] = dome.keep(name, dome.at(call.state.clock.monotonic()), token)
        return f"<tptz:PresetToken>{token}</tptz:PresetToken>"

    async def _go_to_preset(self, call: Call, told: dict[str, Any]) -> None:
        dome = self.dome(call)
        _, preset = self._preset(call, dome, told)
        dome.go(preset.position, call.state.clock.monotonic(), _speed(call))

    async def _remove_preset(self, call: Call, told: dict[str, Any]) -> None:
        dome = self.dome(call)
        token, _ = self._preset(call, dome, told)
        del dome.presets[token]

    async def _go_home(self, call: Call, told: dict[str, Any]) -> None:
        dome = self.dome(call)
        self._home_position(call)
        dome.go(dome.home, call.state.clock.monotonic(), _speed(call))

    async def _set_home(self, call: Call, told: dict[str, Any]) -> None:
        dome = self.dome(call)
        self._home_position(call)
        dome.home = dome.at(call.state.clock.monotonic())

    def _faults(self, call: Call) -> dict[Fault, float]:
        return dict(call.state.faults(self._profiles.of(call.envelope.text("tptz:ProfileToken")).channel))

    def _unless(self, call: Call, fault: Fault, reason: str) -> None:
        """Raises Refusal where the camera has that fault."""
        if fault in self._faults(call):
            raise Refusal(reason, "ter:ActionNotSupported", sender=False, status=500)

    def _home_position(self, call: Call) -> None:
        if Fault.PTZ_NO_HOME in self._faults(call):
            raise Refusal("There is no home position", "ter:Action", "ter:NoHomePosition", sender=False, status=500)

    def _preset(self, call: Call, dome: Dome, told: dict[str, Any]) -> tuple[str, Preset]:
        self._unless(call, Fault.PTZ_NO_PRESETS, "Presets are not supported")
        token = told["preset"] = call.envelope.text("tptz:PresetToken")
        found = dome.presets.get(token)
        if found is None:
            raise Refusal("There is no such preset", "ter:InvalidArgVal", "ter:NoToken")
        return token, found

    @staticmethod
    def _domes(call: Call) -> list[Channel]:
        return [channel for channel in call.state.plan.channels if channel.ptz]

    def _named(self, call: Call, path: str, prefix: str, subcode: str) -> Channel:
        token = call.envelope.text(path)
        for channel in self._domes(call):
            if token == f"{prefix}{channel.number}":
                return channel
        raise Refusal("There is no such node or configuration", "ter:InvalidArgVal", subcode)

    @staticmethod
    def _configuration(call: Call, channel: Channel) -> str:
        inside = nodes.configuration(channel.number, call.state.faults(channel).keys())
        return f'<tptz:PTZConfiguration token="PTZ_{channel.number}">{inside}</tptz:PTZConfiguration>'


def _slowly(operation: Operation) -> Operation:
    """The same, but answered late where the device is slow."""

    async def answer(call: Call) -> str:
        try:
            return await operation(call)
        finally:
            if (pause := call.state.faults().get(Fault.PTZ_SLOW)) is not None:
                await call.state.clock.sleep(pause)

    return answer


def _recorded(service: PtzService, name: str, work: Any) -> Operation:
    """The command, remembered by its dome with its arrival and its outcome."""

    async def answer(call: Call) -> str:
        dome = service.dome(call)
        told: dict[str, Any] = {}
        refused = ""
        try:
            return await work(call, told) or ""
        except Refusal as refusal:
            refused = str(refusal)
            raise
        finally:
            dome.commanded += 1
            dome.commands.append(Command(call.arrived, name, told, refused))

    return answer


def _parts(call: Call, element: str, subcode: str, what: str) -> Parts:
    """Pan, tilt and zoom of a vector, each from -1 to 1; None: it is not named. Raises Refusal."""

    def part(path: str, axis: str) -> float | None:
        found = call.envelope.find(f"tptz:{element}/tt:{path}")
        if found is None:
            return None
        try:
            value = float(found.get(axis, "0"))
        except ValueError:
            value = 2.0
        if not -1 <= value <= 1:
            raise Refusal(f"The parts of {what} must be between -1 and 1", "ter:InvalidArgVal", subcode)
        return value

    return part("PanTilt", "x"), part("PanTilt", "y"), part("Zoom", "x")


def _space(call: Call, element: str, axis: str, *known: str) -> str:
    """The space of a vector's part, by default the first known one. Raises Refusal."""
    found = call.envelope.find(f"tptz:{element}/tt:{axis}")
    space = known[0] if found is None else found.get("space") or known[0]
    if space not in known:
        raise Refusal("The space is not supported", "ter:InvalidArgVal", "ter:SpaceNotSupported")
    return space


def _speed(call: Call) -> float:
    """The speed that is asked for, from 0 to 1; 1 where none is."""
    found = call.envelope.find("tptz:Speed/tt:PanTilt")
    if found is None:
        return 1.0
    try:
        return min(1.0, max(abs(float(found.get("x", "1"))), abs(float(found.get("y", "1")))))
    except ValueError as error:
        raise Refusal("That is not a speed", "ter:InvalidArgVal", "ter:InvalidSpeed") from error


def _completed(wanted: Parts, here: Vector) -> Vector:
    pan, tilt, zoom = (at if there is None else there for there, at in zip(wanted, here, strict=True))
    return pan, tilt, zoom
