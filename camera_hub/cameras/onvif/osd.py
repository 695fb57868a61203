"""Texts in the picture (OSD): listed, set, made, removed; Media (ver10) and Media2 (ver20) do it in the same words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, get_args

from lxml import etree

from camera_hub.cameras.onvif.describe import MAX_TOKEN, clean
from camera_hub.cameras.onvif.device import MEDIA1, OnvifDevice
from camera_hub.cameras.onvif.envelopes import attribute, child, children, text_of
from camera_hub.cameras.onvif.media2 import MEDIA2
from camera_hub.cameras.onvif.plain_calls import as_request, call, drop, element, put
from camera_hub.errors import HubError, Kind, Reason

MAX_OSDS = 512
MAX_TEXT = 128
Place = Literal["upper_left", "upper_right", "lower_left", "lower_right", "custom"]
PLACES: tuple[Place, ...] = get_args(Place)
_PLACES: dict[str, Place] = {
    "upperleft": "upper_left",
    "upperright": "upper_right",
    "lowerleft": "lower_left",
    "lowerright": "lower_right",
}
_WRITTEN = {"upper_left": "UpperLeft", "upper_right": "UpperRight", "lower_left": "LowerLeft"}
_POINTS = {
    "upper_left": ("-0.95", "0.9"),
    "upper_right": ("0.45", "0.9"),
    "lower_left": ("-0.95", "-0.9"),
    "lower_right": ("0.45", "-0.9"),
}
"""Where the corners are for devices that take coordinates alone: −1 is left and below."""
_OSD = ("VideoSourceConfigurationToken", "Type", "Position", "TextString", "Image", "Extension")
_POSITION = ("Type", "Pos", "Extension")
_TEXT = (
    "IsPersistentText",
    "Type",
    "DateFormat",
    "TimeFormat",
    "FontSize",
    "FontColor",
    "BackgroundColor",
    "PlainText",
)
_DATES, _TIMES = ("yyyy-MM-dd", "yyyy/MM/dd"), ("HH:mm:ss",)


@dataclass(frozen=True, slots=True)
class ListedOsd:
    """One text as the device lists it. `configuration`: of the video source. `clock`: it is a date or a time, and
    `text` its formats. `node`: as it was read."""

    token: str
    configuration: str
    clock: bool
    text: str
    place: Place
    node: etree._Element = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OsdOptions:
    """What the device offers; empty: it does not say."""

    places: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    dates: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OsdService:
    """Where a device's texts are set: the service that lists them."""

    device: OnvifDevice
    space: str
    path: str

    async def listed(self) -> list[ListedOsd]:
        """Raises HubError."""
        answer = await call(self.device.conversation, self.path, self.space, "GetOSDs")
        found = (_listed(one) for one in islice(children(answer.content("GetOSDsResponse"), "OSDs"), MAX_OSDS))
        return [one for one in found if one is not None]

    async def options(self, configuration: str) -> OsdOptions:
        """Raises HubError."""
        answer = await call(
            self.device.conversation, self.path, self.space, "GetOSDOptions", ConfigurationToken=configuration
        )
        node = child(answer.content("GetOSDOptionsResponse"), "OSDOptions")
        text = child(node, "TextOption")

        def texts(parent: etree._Element | None, name: str) -> tuple[str, ...]:
            return tuple(clean(one.text, 40) for one in islice(children(parent, name), 64))

        return OsdOptions(
            frozenset(one.lower() for one in texts(node, "PositionOption")),
            frozenset(one.lower() for one in texts(text, "Type")),
            texts(text, "DateFormat"),
            texts(text, "TimeFormat"),
        )

    async def write(
        self, known: ListedOsd | None, configuration: str, wanted: "WantedText", options: OsdOptions
    ) -> None:
        """Change the text, or make one where there is none. Raises HubError."""
        if known is None:
            node = element(self.space, "OSD", token="")
            put(node, "VideoSourceConfigurationToken", configuration, _OSD)
            put(node, "Type", "Text", _OSD)
        else:
            node = as_request(known.node, self.space, "OSD")
        if known is None or wanted.place != known.place:
            _move(_child(node, "Position", _OSD), wanted.place, options)
        _fill(_child(node, "TextString", _OSD), wanted, options)
        operation = "CreateOSD" if known is None else "SetOSD"
        await call(self.device.conversation, self.path, self.space, operation, node)

    async def remove(self, token: str) -> None:
        """Raises HubError."""
        await call(self.device.conversation, self.path, self.space, "DeleteOSD", OSDToken=token)


@dataclass(frozen=True, slots=True)
class WantedText:
    """`text` None: the date and the time."""

    text: str | None
    place: Place


async def osd_service(device: OnvifDevice, services: Mapping[str, str]) -> tuple[OsdService, list[ListedOsd]]:
    """The service that lists texts, and what it lists. Raises HubError where none does."""
    ways = [OsdService(device, space, services[space]) for space in (MEDIA2, MEDIA1) if space in services]
    refused: HubError | None = None
    empty: OsdService | None = None
    for one in ways:
        try:
            listed = await one.listed()
        except HubError as error:
            if error.reason not in (Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF):
                raise
            refused = error
            continue
        if listed:
            return one, listed
        empty = empty or one
    if empty is None:
        raise refused or HubError(
            Kind.UNREACHABLE, "the device lists no service for texts in the picture", reason=Reason.SOAP_FAULT
        )
    return empty, []


def _listed(node: etree._Element) -> ListedOsd | None:
    token, text = attribute(node, "token")[:MAX_TOKEN], child(node, "TextString")
    if not token or text is None:
        return None
    kind = text_of(text, "Type").lower()
    clock = kind in ("date", "time", "dateandtime")
    formats = {"date": ("DateFormat",), "time": ("TimeFormat",)}.get(kind, ("DateFormat", "TimeFormat"))
    shown = " ".join(one for name in formats if (one := text_of(text, name))) if clock else text_of(text, "PlainText")
    place = text_of(node, "Position", "Type").lower().replace("_", "")
    return ListedOsd(
        token,
        text_of(node, "VideoSourceConfigurationToken")[:MAX_TOKEN],
        clock,
        clean(shown, MAX_TEXT),
        _PLACES.get(place, "custom"),
        node,
    )


def _child(parent: etree._Element, name: str, order: tuple[str, ...]) -> etree._Element:
    found = child(parent, name)
    return found if found is not None else put(parent, name, "", order)


def _move(position: etree._Element, place: Place, options: OsdOptions) -> None:
    name = _WRITTEN.get(place, "LowerRight")
    drop(position, "Pos")
    if options.places and name.lower() not in options.places and "custom" in options.places:
        put(position, "Type", "Custom", _POSITION)
        x, y = _POINTS[place]
        put(position, "Pos", "", _POSITION).attrib.update({"x": x, "y": y})
    else:
        put(position, "Type", name, _POSITION)


def _fill(text: etree._Element, wanted: WantedText, options: OsdOptions) -> None:
    if wanted.text is not None:
        for name in ("DateFormat", "TimeFormat"):
            drop(text, name)
        put(text, "Type", "Plain", _TEXT)
        put(text, "PlainText", wanted.text, _TEXT)
        return
    drop(text, "PlainText")
    put(text, "Type", "DateAndTime", _TEXT)
    put(text, "DateFormat", _offered(_DATES, options.dates), _TEXT)
    put(text, "TimeFormat", _offered(_TIMES, options.times), _TEXT)


def _offered(wanted: tuple[str, ...], offered: tuple[str, ...]) -> str:
    """The first that the device offers, in its own spelling; where it offers none of them, its own first one."""
    by_name = {one.lower() if ":" not in one else one: one for one in offered}
    found = next((by_name[key] for one in wanted if (key := one.lower() if ":" not in one else one) in by_name), None)
    return found or next(iter(offered), wanted[0])
