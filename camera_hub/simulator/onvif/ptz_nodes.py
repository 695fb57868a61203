"""What a dome says that it can do: its PTZ node, its PTZ configuration and the options of that."""

from collections.abc import Collection

from camera_hub.simulator.dome import Vector
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel

MAX_PRESETS = 16
SHORTEST, LONGEST, DEFAULT = 0.1, 60.0, 5.0
"""Seconds of a continuous move: least, most, and where the command names none."""
_PAN_TILT = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/"
_ZOOM = "http://www.onvif.org/ver10/tptz/ZoomSpaces/"
POSITION, VELOCITY = _PAN_TILT + "PositionGenericSpace", _PAN_TILT + "VelocityGenericSpace"
TRANSLATION, FIELD_OF_VIEW = _PAN_TILT + "TranslationGenericSpace", _PAN_TILT + "TranslationSpaceFov"
ZOOM_POSITION, ZOOM_VELOCITY = _ZOOM + "PositionGenericSpace", _ZOOM + "VelocityGenericSpace"
ZOOM_TRANSLATION = _ZOOM + "TranslationGenericSpace"
SPEED, ZOOM_SPEED = _PAN_TILT + "GenericSpeedSpace", _ZOOM + "ZoomGenericSpeedSpace"
_BOTH = (("XRange", -1), ("YRange", -1))
_Spaces = tuple[tuple[str, str, tuple[tuple[str, int], ...]], ...]
_ABSOLUTE: _Spaces = (
    ("AbsolutePanTiltPositionSpace", POSITION, _BOTH),
    ("AbsoluteZoomPositionSpace", ZOOM_POSITION, (("XRange", 0),)),
)
_RELATIVE: _Spaces = (
    ("RelativePanTiltTranslationSpace", TRANSLATION, _BOTH),
    ("RelativePanTiltTranslationSpace", FIELD_OF_VIEW, _BOTH),
    ("RelativeZoomTranslationSpace", ZOOM_TRANSLATION, (("XRange", -1),)),
)
_CONTINUOUS: _Spaces = (
    ("ContinuousPanTiltVelocitySpace", VELOCITY, _BOTH),
    ("ContinuousZoomVelocitySpace", ZOOM_VELOCITY, (("XRange", -1),)),
)
_SPEEDS: _Spaces = (("PanTiltSpeedSpace", SPEED, (("XRange", 0),)), ("ZoomSpeedSpace", ZOOM_SPEED, (("XRange", 0),)))


def node(channel: Channel, faults: Collection[Fault]) -> str:
    """The PTZ node of a dome."""
    presets = 0 if Fault.PTZ_NO_PRESETS in faults else MAX_PRESETS
    home = str(Fault.PTZ_NO_HOME not in faults).lower()
    return (
        f'<tptz:PTZNode token="PTZNode_{channel.number}" FixedHomePosition="false">'
        f"<tt:Name>PTZ {channel.number}</tt:Name>"
        f"<tt:SupportedPTZSpaces>{_spaces(faults)}</tt:SupportedPTZSpaces>"
        f"<tt:MaximumNumberOfPresets>{presets}</tt:MaximumNumberOfPresets>"
        f"<tt:HomeSupported>{home}</tt:HomeSupported></tptz:PTZNode>"
    )


def configuration(number: int, faults: Collection[Fault] = ()) -> str:
    """The content of a PTZConfiguration."""
    absolute = "" if Fault.PTZ_NO_ABSOLUTE in faults else (
        f"<tt:DefaultAbsolutePantTiltPositionSpace>{POSITION}</tt:DefaultAbsolutePantTiltPositionSpace>"
        f"<tt:DefaultAbsoluteZoomPositionSpace>{ZOOM_POSITION}</tt:DefaultAbsoluteZoomPositionSpace>"
    )  # fmt: skip
    relative = "" if Fault.PTZ_NO_RELATIVE in faults else (
        f"<tt:DefaultRelativePanTiltTranslationSpace>{TRANSLATION}</tt:DefaultRelativePanTiltTranslationSpace>"
        f"<tt:DefaultRelativeZoomTranslationSpace>{ZOOM_TRANSLATION}</tt:DefaultRelativeZoomTranslationSpace>"
    )  # fmt: skip
    return (
        f"<tt:Name>PTZ {number}</tt:Name><tt:UseCount>2</tt:UseCount>"
        f"<tt:NodeToken>PTZNode_{number}</tt:NodeToken>{absolute}{relative}"
        f"<tt:DefaultContinuousPanTiltVelocitySpace>{VELOCITY}</tt:DefaultContinuousPanTiltVelocitySpace>"
        f"<tt:DefaultContinuousZoomVelocitySpace>{ZOOM_VELOCITY}</tt:DefaultContinuousZoomVelocitySpace>"
        f"<tt:DefaultPTZTimeout>PT{DEFAULT:g}S</tt:DefaultPTZTimeout>"
    )


def options(faults: Collection[Fault]) -> str:
    """The PTZConfigurationOptions of every dome."""
    return (
        f"<tptz:PTZConfigurationOptions><tt:Spaces>{_spaces(faults)}</tt:Spaces>"
        f"<tt:PTZTimeout><tt:Min>PT{SHORTEST:g}S</tt:Min><tt:Max>PT{LONGEST:g}S</tt:Max></tt:PTZTimeout>"
        "</tptz:PTZConfigurationOptions>"
    )


def vector(position: Vector) -> str:
    """A PTZVector."""
    pan, tilt, zoom = position
    return (
        f'<tt:PanTilt x="{pan:.4f}" y="{tilt:.4f}" space="{POSITION}"/>'
        f'<tt:Zoom x="{zoom:.4f}" space="{ZOOM_POSITION}"/>'
    )


def _spaces(faults: Collection[Fault]) -> str:
    absolute = () if Fault.PTZ_NO_ABSOLUTE in faults else _ABSOLUTE
    relative = () if Fault.PTZ_NO_RELATIVE in faults else _RELATIVE
    return "".join(
        f"<tt:{element}><tt:URI>{uri}</tt:URI>"
        + "".join(f"<tt:{axis}><tt:Min>{low}</tt:Min><tt:Max>1</tt:Max></tt:{axis}>" for axis, low in ranges)
        + f"</tt:{element}>"
        for element, uri, ranges in (*absolute, *relative, *_CONTINUOUS, *_SPEEDS)
    )
