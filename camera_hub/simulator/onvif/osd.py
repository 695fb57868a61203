"""The texts in the pictures, which Media and Media2 list and set in the same words."""

from xml.sax.saxutils import escape

from camera_hub.simulator.onvif.call import Call, Operation, Profiles
from camera_hub.simulator.onvif.soap import Refusal
from camera_hub.simulator.settings import DATE, DATE_AND_TIME, DATE_FORMATS, PLAIN, TIME, TIME_FORMATS, Osd

_MOST, _MOST_PLAIN, _MOST_CLOCKS = 6, 5, 1
_LONGEST_TEXT = 32
_POSITIONS = ("UpperLeft", "UpperRight", "LowerLeft", "LowerRight", "Custom")
_KINDS = (PLAIN, DATE, TIME, DATE_AND_TIME)
_FONTS = (16, 64)


class OsdService:
    """One media service's operations, `space` being its prefix."""

    def __init__(self, profiles: Profiles, space: str) -> None:
        self._profiles = profiles
        self._space = space
        self.operations: dict[str, Operation] = {
            f"{space}:GetOSDs": self._list,
            f"{space}:GetOSD": self._get,
            f"{space}:GetOSDOptions": self._get_options,
            f"{space}:SetOSD": self._set,
            f"{space}:CreateOSD": self._create,
            f"{space}:DeleteOSD": self._delete,
        }

    async def _list(self, call: Call) -> str:
        wanted, token = call.envelope.text(f"{self._space}:ConfigurationToken"), ""
        if self._space == "tr2":
            token = call.envelope.text("tr2:OSDToken")
        if token:
            return self._written(self._named(call, token), "OSDs")
        channel = self._channel(wanted) if wanted else None
        listed = sorted(call.state.settings.osds.values(), key=lambda one: (one.channel, one.token))
        return "".join(self._written(one, "OSDs") for one in listed if channel in (None, one.channel))

    async def _get(self, call: Call) -> str:
        return self._written(self._named(call, call.envelope.text(f"{self._space}:OSDToken")), "OSD")

    async def _get_options(self, call: Call) -> str:
        self._channel(call.envelope.text(f"{self._space}:ConfigurationToken"))

        def each(element: str, values: tuple[str, ...]) -> str:
            return "".join(f"<tt:{element}>{value}</tt:{element}>" for value in values)

        element = f"{self._space}:OSDOptions"
        low, high = _FONTS
        return (
            f'<{element}><tt:MaximumNumberOfOSDs Total="{_MOST}" Image="0" PlainText="{_MOST_PLAIN}" '
            f'Date="{_MOST_CLOCKS}" Time="{_MOST_CLOCKS}" DateAndTime="{_MOST_CLOCKS}"/><tt:Type>Text</tt:Type>'
            f"{each('PositionOption', _POSITIONS)}<tt:TextOption>{each('Type', _KINDS)}"
            f"<tt:FontSizeRange><tt:Min>{low}</tt:Min><tt:Max>{high}</tt:Max></tt:FontSizeRange>"
            f"{each('DateFormat', tuple(DATE_FORMATS))}{each('TimeFormat', tuple(TIME_FORMATS))}"
            f"</tt:TextOption></{element}>"
        )

    async def _set(self, call: Call) -> str:
        before = self._named(call, self._attribute(call, "token"))
        call.state.settings.osds[before.token] = self._read(call, before)
        return ""

    async def _create(self, call: Call) -> str:
        channel = self._channel(call.envelope.text(f"{self._space}:OSD/tt:VideoSourceConfigurationToken"))
        wanted = self._read(call, Osd("", channel, PLAIN))
        others = [one for one in call.state.settings.osds.values() if one.channel == channel]
        clocks = [one for one in others if one.kind != PLAIN]
        if len(others) >= _MOST or (wanted.kind != PLAIN and len(clocks) >= _MOST_CLOCKS):
            raise Refusal("There are too many texts", "ter:Action", "ter:MaxOSDs", sender=False)
        return f"<{self._space}:OSDToken>{call.state.settings.create(wanted)}</{self._space}:OSDToken>"

    async def _delete(self, call: Call) -> str:
        found = self._named(call, call.envelope.text(f"{self._space}:OSDToken"))
        del call.state.settings.osds[found.token]
        return ""

    def _read(self, call: Call, before: Osd) -> Osd:
        """The text as the request describes it; what it leaves out stays as before. Raises Refusal."""

        def text(path: str, default: str) -> str:
            return call.envelope.text(f"{self._space}:OSD/{path}", default)

        if text("tt:Type", "Text") != "Text":
            raise _invalid("Pictures cannot be shown")
        kind = text("tt:TextString/tt:Type", before.kind)
        plain = text("tt:TextString/tt:PlainText", before.text)
        position = text("tt:Position/tt:Type", before.position)
        date = text("tt:TextString/tt:DateFormat", before.date_format)
        time = text("tt:TextString/tt:TimeFormat", before.time_format)
        size = text("tt:TextString/tt:FontSize", str(before.font_size))
        if kind not in _KINDS or position not in _POSITIONS or date not in DATE_FORMATS or time not in TIME_FORMATS:
            raise _invalid("The kind of text, its position or its format is not supported")
        if len(plain) > _LONGEST_TEXT or (kind == PLAIN and not plain.isprintable()):
            raise _invalid(f"A text has at most {_LONGEST_TEXT} characters")
        if not size.isdigit() or not _FONTS[0] <= int(size) <= _FONTS[1]:
            raise _invalid("The size of the letters is not supported")
        point = self._point(call, before) if position == "Custom" else None
        return Osd(before.token, before.channel, kind, plain, position, point, date, time, int(size))

    def _point(self, call: Call, before: Osd) -> tuple[float, float]:
        found = call.envelope.find(f"{self._space}:OSD/tt:Position/tt:Pos")
        if found is None:
            return before.point or (0.0, 0.0)
        try:
            x, y = float(found.get("x", "0")), float(found.get("y", "0"))
        except ValueError as error:
            raise _invalid("That is not a position") from error
        if not (-1 <= x <= 1 and -1 <= y <= 1):
            raise _invalid("A position is between -1 and 1")
        return x, y

    def _attribute(self, call: Call, name: str) -> str:
        found = call.envelope.find(f"{self._space}:OSD")
        return "" if found is None else found.get(name) or ""

    def _named(self, call: Call, token: str) -> Osd:
        found = call.state.settings.osds.get(token)
        if found is None:
            raise Refusal("There is no such text", "ter:InvalidArgVal", "ter:NoConfig")
        return found

    def _channel(self, token: str) -> int:
        for profile in self._profiles.all:
            if token == f"VideoSourceConfig_{profile.channel.number}":
                return profile.channel.number
        raise Refusal("There is no such video source configuration", "ter:InvalidArgVal", "ter:NoConfig")

    def _written(self, osd: Osd, element: str) -> str:
        name = f"{self._space}:{element}"
        point = "" if osd.point is None else f'<tt:Pos x="{osd.point[0]:g}" y="{osd.point[1]:g}"/>'
        dated = f"<tt:DateFormat>{osd.date_format}</tt:DateFormat>" if osd.kind in (DATE, DATE_AND_TIME) else ""
        timed = f"<tt:TimeFormat>{osd.time_format}</tt:TimeFormat>" if osd.kind in (TIME, DATE_AND_TIME) else ""
        plain = f"<tt:PlainText>{escape(osd.text)}</tt:PlainText>" if osd.kind == PLAIN else ""
        return (
            f'<{name} token="{osd.token}">'
            f"<tt:VideoSourceConfigurationToken>VideoSourceConfig_{osd.channel}</tt:VideoSourceConfigurationToken>"
            f"<tt:Type>Text</tt:Type><tt:Position><tt:Type>{osd.position}</tt:Type>{point}</tt:Position>"
            f"<tt:TextString><tt:Type>{osd.kind}</tt:Type>{dated}{timed}<tt:FontSize>{osd.font_size}</tt:FontSize>"
            f"{plain}</tt:TextString></{name}>"
        )


def _invalid(reason: str) -> Refusal:
    return Refusal(reason, "ter:InvalidArgVal", "ter:ConfigModify")
