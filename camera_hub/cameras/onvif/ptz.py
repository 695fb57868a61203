"""The PTZ service (ONVIF PTZ, ver20): nodes, status, moves, presets.

Written by hand as Media2 is: a press of a button is one small message, which zeep would take milliseconds to make.
Names are compared as in `envelopes`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from camera_hub.cameras.http.messages import bad_reply
from camera_hub.cameras.onvif.conversation import SoapConversation
from camera_hub.cameras.onvif.envelopes import SOAP, Envelope, attribute, child, children, local, local_name, text_of
from camera_hub.errors import HubError, Kind

PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_FOV = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationSpaceFov"
"""Translations in which ±1 is the border of the picture, seen from its middle (ONVIF PTZ, 5.8.2)."""

MAX_NODES = 64
MAX_SPACES = 64
MAX_PRESETS = 512
MAX_PRESET_TOKEN = 128
_MAX_NAME = 128
_MAX_RANGE = 1e6


@dataclass(frozen=True, slots=True)
class PtzRange:
    """From the lowest to the highest value of an axis, as the device counts."""

    low: float = -1.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class PtzSpace:
    """What a node understands for one kind of move. `y` None: zoom. `uri` "": the device's default."""

    x: PtzRange = PtzRange()
    y: PtzRange | None = None
    uri: str = ""


@dataclass(frozen=True, slots=True)
class PtzNode:
    """What moves a camera. None: it does not have that kind of move. `presets`: how many it can keep."""

    token: str
    continuous: PtzSpace | None = None
    continuous_zoom: PtzSpace | None = None
    absolute: PtzSpace | None = None
    absolute_zoom: PtzSpace | None = None
    relative: PtzSpace | None = None
    relative_zoom: PtzSpace | None = None
    fov: PtzSpace | None = None
    presets: int = 0
    home: bool = False


@dataclass(frozen=True, slots=True)
class PtzStatus:
    """Where the camera points, and whether it moves; None: the device does not say."""

    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None
    moving: bool | None = None


@dataclass(frozen=True, slots=True)
class ListedPreset:
    """A preset as the device lists it; its name may be empty, or another one's as well."""

    token: str
    name: str


@dataclass(frozen=True, slots=True)
class PtzVector:
    """Pan, tilt and zoom, as the device counts. None: no such part in the message. `space`: "" for the default."""

    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None
    space: str = ""


class Ptz:
    """The calls of a PTZ service at `path`; all raise HubError."""

    def __init__(self, conversation: SoapConversation, path: str) -> None:
        self._conversation = conversation
        self._path = path

    async def nodes(self) -> list[PtzNode]:
        """What can be moved; of several with one token the first. Empty where the device names none."""
        answer = await self._call("GetNodes")
        found: dict[str, PtzNode] = {}
        for one in islice(children(answer.content("GetNodesResponse"), "PTZNode"), MAX_NODES):
            found.setdefault(attribute(one, "token"), _node(one))
        return list(found.values())

    async def status(self, profile: str) -> PtzStatus:
        answer = await self._call("GetStatus", _text("ProfileToken", profile))
        return _status(child(answer.content("GetStatusResponse"), "PTZStatus"))

    async def tells_moving(self) -> bool:
        """Whether GetStatus tells truly if the camera moves (GetServiceCapabilities: MoveStatus)."""
        answer = await self._call("GetServiceCapabilities")
        found = child(answer.content("GetServiceCapabilitiesResponse"), "Capabilities")
        return found is not None and attribute(found, "MoveStatus").lower() in ("true", "1")

    async def move(self, profile: str, velocity: PtzVector, seconds: float | None) -> None:
        """ContinuousMove. `seconds`: after which the device stops by itself (Timeout); None: not said."""
        parts = [_text("ProfileToken", profile), _vector("Velocity", velocity)]
        if seconds is not None:
            parts.append(_text("Timeout", f"PT{seconds:g}S"))
        await self._call("ContinuousMove", *parts)

    async def stop(self, profile: str) -> None:
        await self._call("Stop", _text("ProfileToken", profile), _text("PanTilt", "true"), _text("Zoom", "true"))

    async def move_by(self, profile: str, translation: PtzVector) -> None:
        """RelativeMove."""
        await self._call("RelativeMove", _text("ProfileToken", profile), _vector("Translation", translation))

    async def move_to(self, profile: str, position: PtzVector) -> None:
        """AbsoluteMove."""
        await self._call("AbsoluteMove", _text("ProfileToken", profile), _vector("Position", position))

    async def presets(self, profile: str) -> list[ListedPreset]:
        """The presets in the device's order, at most MAX_PRESETS; of several with one token the first. One whose token
        is longer than is kept is left out."""
        answer = await self._call("GetPresets", _text("ProfileToken", profile))
        found: dict[str, ListedPreset] = {}
        for one in islice(children(answer.content("GetPresetsResponse"), "Preset"), MAX_PRESETS):
            token = _exact(one, "token")
            if 0 < len(token) <= MAX_PRESET_TOKEN:
                found.setdefault(token, ListedPreset(token, text_of(one, "Name")[:_MAX_NAME]))
        return list(found.values())

    async def set_preset(self, profile: str, name: str, token: str | None = None) -> str:
        """Store the present position, in a new preset or in that one. Returns its token, "" where the device does not
        tell."""
        parts = [_text("ProfileToken", profile), _text("PresetName", name)]
        if token is not None:
            parts.append(_text("PresetToken", token))
        answer = await self._call("SetPreset", *parts)
        return text_of(answer.content("SetPresetResponse"), "PresetToken")[:MAX_PRESET_TOKEN]

    async def go_to(self, profile: str, token: str) -> None:
        """GotoPreset."""
        await self._call("GotoPreset", _text("ProfileToken", profile), _text("PresetToken", token))

    async def remove_preset(self, profile: str, token: str) -> None:
        await self._call("RemovePreset", _text("ProfileToken", profile), _text("PresetToken", token))

    async def go_home(self, profile: str) -> None:
        """GotoHomePosition."""
        await self._call("GotoHomePosition", _text("ProfileToken", profile))

    async def _call(self, operation: str, *parts: etree._Element) -> Envelope:
        envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "tptz": PTZ, "tt": _SCHEMA})
        etree.SubElement(envelope, f"{{{SOAP}}}Header")
        body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
        etree.SubElement(body, f"{{{PTZ}}}{operation}").extend(parts)
        answer = await self._conversation.call(self._path, envelope, f"{PTZ}/{operation}")
        if answer.content(f"{operation}Response") is None and operation.startswith("Get"):
            raise bad_reply(f"no {operation}Response")
        return answer


def _text(name: str, value: str) -> etree._Element:
    element = etree.Element(f"{{{PTZ}}}{name}")
    try:
        element.text = value
    except ValueError as error:
        raise HubError(Kind.INVALID, f"{name} holds letters that XML does not have") from error
    return element


def _vector(name: str, value: PtzVector) -> etree._Element:
    element = etree.Element(f"{{{PTZ}}}{name}")
    if value.pan is not None or value.tilt is not None:
        part = etree.SubElement(element, f"{{{_SCHEMA}}}PanTilt", x=_number(value.pan), y=_number(value.tilt))
        if value.space:
            part.set("space", value.space)
    if value.zoom is not None:
        etree.SubElement(element, f"{{{_SCHEMA}}}Zoom", x=_number(value.zoom))
    return element


def _number(value: float | None) -> str:
    return f"{value or 0.0:.4f}".rstrip("0").rstrip(".")


def _node(node: etree._Element) -> PtzNode:
    spaces: dict[str, list[etree._Element]] = {}
    supported = child(node, "SupportedPTZSpaces")
    for one in list(supported)[:MAX_SPACES] if supported is not None else ():
        if isinstance(one.tag, str):
            spaces.setdefault(local(one), []).append(one)

    def best(name: str, *, plane: bool, low: float = -1.0) -> PtzSpace | None:
        """The generic space, else the first one."""
        listed = [one for one in spaces.get(name.lower(), []) if text_of(one, "URI") != _FOV]
        generic = [one for one in listed if "generic" in text_of(one, "URI").lower()]
        return _space((generic or listed)[0], plane=plane, low=low, named=not generic) if listed else None

    translations = spaces.get("relativepantilttranslationspace", [])
    fov = next((one for one in translations if text_of(one, "URI") == _FOV), None)
    most = text_of(node, "MaximumNumberOfPresets")
    return PtzNode(
        attribute(node, "token"),
        best("ContinuousPanTiltVelocitySpace", plane=True),
        best("ContinuousZoomVelocitySpace", plane=False),
        best("AbsolutePanTiltPositionSpace", plane=True),
        best("AbsoluteZoomPositionSpace", plane=False, low=0.0),
        best("RelativePanTiltTranslationSpace", plane=True),
        best("RelativeZoomTranslationSpace", plane=False),
        _space(fov, plane=True, low=-1.0, named=True) if fov is not None else None,
        min(int(most), MAX_PRESETS) if most.isascii() and most.isdigit() and len(most) < 9 else 0,
        text_of(node, "HomeSupported").lower() in ("true", "1"),
    )


def _space(element: etree._Element, *, plane: bool, low: float, named: bool) -> PtzSpace:
    uri = text_of(element, "URI") if named else ""
    across = _range(child(element, "XRange"), low)
    return PtzSpace(across, _range(child(element, "YRange"), -1.0) if plane else None, uri[:256])


def _range(element: etree._Element | None, low: float) -> PtzRange:
    """The device's range; the usual one where it is none."""
    least, most = _float(text_of(element, "Min")), _float(text_of(element, "Max"))
    return PtzRange(least, most) if least is not None and most is not None and least < most else PtzRange(low, 1.0)


def _exact(node: etree._Element, name: str) -> str:
    """An attribute as it stands there: it is sent back."""
    return next((str(value) for key, value in node.attrib.items() if local_name(str(key)) == name), "")


def _float(text: str) -> float | None:
    try:
        value = float(text[:32])
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= _MAX_RANGE else None


def _status(said: etree._Element | None) -> PtzStatus:
    pan_tilt, zoom = child(said, "Position", "PanTilt"), child(said, "Position", "Zoom")
    words = [text_of(said, "MoveStatus", axis).upper() for axis in ("PanTilt", "Zoom")]
    return PtzStatus(
        _float(attribute(pan_tilt, "x")) if pan_tilt is not None else None,
        _float(attribute(pan_tilt, "y")) if pan_tilt is not None else None,
        _float(attribute(zoom, "x")) if zoom is not None else None,
        _moving(words),
    )


def _moving(words: Sequence[str]) -> bool | None:
    if "MOVING" in words:
        return True
    return False if "IDLE" in words else None
