"""What can be set on a device and stays set: its clock, the texts in its pictures, the encoders of its streams.

A device that is moved to another address keeps all this, and what its domes remember.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from camera_hub.simulator.model import Channel, SimDevice, StreamSpec
from camera_hub.simulator.picture.latin import latin

PLAIN, DATE, TIME, DATE_AND_TIME = "Plain", "Date", "Time", "DateAndTime"
DATE_FORMATS = {"yyyy-MM-dd": "%Y-%m-%d", "MM/dd/yyyy": "%m/%d/%Y", "dd/MM/yyyy": "%d/%m/%Y"}
TIME_FORMATS = {"HH:mm:ss": "%H:%M:%S", "hh:mm:ss tt": "%I:%M:%S %p"}
_ZONE = re.compile(
    r"(?:<[A-Za-z0-9+-]{3,}>|[A-Za-z]{3,})(?P<hours>[+-]?\d{1,2})(?::(?P<minutes>\d{2}))?(?::\d{2})?"
    r"(?P<summer>(?:<[A-Za-z0-9+-]{3,}>|[A-Za-z]{3,}).*)?"
)
_SUMMER = range(4, 11)
"""Months of summer time, whatever the zone's rule says."""


@dataclass(frozen=True, slots=True)
class Osd:
    """A text in a channel's picture. `kind` and the formats are ONVIF's words."""

    token: str
    channel: int
    kind: str
    text: str = ""
    position: str = "LowerRight"
    point: tuple[float, float] | None = None
    date_format: str = "yyyy-MM-dd"
    time_format: str = "HH:mm:ss"
    font_size: int = 32

    def shown(self, local: datetime) -> str:
        """What it writes into the picture at a moment of the device's local time."""
        date, time = DATE_FORMATS[self.date_format], TIME_FORMATS[self.time_format]
        forms = {DATE: date, TIME: time, DATE_AND_TIME: f"{date} {time}"}
        return self.text if self.kind == PLAIN else local.strftime(forms[self.kind])


@dataclass(frozen=True, slots=True)
class NtpServer:
    """An NTP server as ONVIF names it: `kind` is IPv4, IPv6 or DNS."""

    kind: str
    host: str


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """Where the device has its time from. `zone` is a POSIX time zone such as CST-8."""

    ntp: bool = False
    zone: str = "CST-8"
    daylight: bool = False
    servers: tuple[NtpServer, ...] = (NtpServer("IPv4", "192.168.1.1"),)
    servers_from_dhcp: bool = False


@dataclass(frozen=True, slots=True)
class OsdDisturbance:
    """What is wrong with the texts in a channel's picture."""

    other_name: bool = False
    no_name: bool = False
    no_time: bool = False


class DeviceSettings:
    """The present settings of one device."""

    def __init__(self, plan: SimDevice) -> None:
        self.clock = ClockSetting()
        self.osds = {osd.token: osd for channel in plan.channels for osd in _usual_osds(channel)}
        self._specs = {
            (channel.number, number): channel.stream(number) for channel in plan.channels for number in (1, 2)
        }
        self._next_osd = 3
        self._disturbed: dict[int, OsdDisturbance] = {}
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called after the encoder of a stream was changed."""
        self._listeners.append(listener)

    def forget_listeners(self) -> None:
        """The device that listened is gone."""
        self._listeners.clear()

    def spec(self, channel: int, number: int) -> StreamSpec:
        """The stream as it is encoded now."""
        return self._specs[channel, number]

    def encode(self, channel: int, number: int, spec: StreamSpec) -> None:
        """Encode a stream otherwise from now on."""
        if self._specs[channel, number] != spec:
            self._specs[channel, number] = spec
            for listener in self._listeners:
                listener()

    def disturb(self, channel: Channel, found: "OsdDisturbance") -> None:
        """Set a channel's texts as somebody has set them wrongly, or as they usually are; once, so that they can be set
        right again."""
        if self._disturbed.get(channel.number, OsdDisturbance()) == found:
            return
        self._disturbed[channel.number] = found
        for one in self._of(channel):
            del self.osds[one.token]
        name, time = _usual_osds(channel)
        if found.other_name:
            name = replace(name, text=f"{channel.name}(旧)")
        if not found.no_name:
            self.osds[name.token] = name
        if not found.no_time:
            self.osds[time.token] = time

    def create(self, osd: Osd) -> str:
        """Add a text. Returns its token."""
        token = f"OSD_{osd.channel}{self._next_osd:02}"
        self._next_osd += 1
        self.osds[token] = replace(osd, token=token)
        return token

    def local(self, moment: datetime) -> datetime:
        """A moment in the device's own time zone."""
        found = parsed_zone(self.clock.zone) or parsed_zone("CST-8")
        assert found is not None
        offset, has_summer = found
        summer = self.clock.daylight and has_summer and moment.month in _SUMMER
        return moment.astimezone(timezone(offset + timedelta(hours=summer)))

    def name(self, channel: Channel) -> str:
        """The name in a channel's picture, in Latin letters; empty: none is shown.

        For the name that the channel has by itself that is its label, with the village.
        """
        return "  ".join(
            channel.label if one.text == channel.name else latin(one.text)
            for one in self._of(channel)
            if one.kind == PLAIN
        )

    def caption(self, channel: Channel, moment: datetime, room: int) -> str:
        """The line in a channel's picture: the name, then date and time. A name gives way where both need more room."""
        clock = "  ".join(one.shown(self.local(moment)) for one in self._of(channel) if one.kind != PLAIN)
        name = self.name(channel)[: max(0, room - len(clock) - 2)]
        return f"{name}  {clock}" if name and clock else name or clock

    def _of(self, channel: Channel) -> list[Osd]:
        return [one for one in self.osds.values() if one.channel == channel.number]


def parsed_zone(text: str) -> tuple[timedelta, bool] | None:
    """Offset from UTC (positive: east), and whether there is summer time, of a POSIX time zone; None: it is none."""
    found = _ZONE.fullmatch(text.strip())
    if found is None or abs(int(found["hours"])) > 14:
        return None
    sign = -1 if found["hours"].startswith("-") else 1
    west = timedelta(hours=abs(int(found["hours"])), minutes=int(found["minutes"] or 0)) * sign
    return -west, found["summer"] is not None


def _usual_osds(channel: Channel) -> tuple[Osd, Osd]:
    return (
        Osd(f"OSD_{channel.number}01", channel.number, PLAIN, channel.name, "LowerLeft"),
        Osd(f"OSD_{channel.number}02", channel.number, DATE_AND_TIME),
    )
