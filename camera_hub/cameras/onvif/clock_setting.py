"""A device's clock, read with all that belongs to it, and set: SetSystemDateAndTime, SetNTP (ONVIF Core, 8.1).

Times are whole seconds on the wire; who sets one accounts for the way that it travels.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lxml import etree

from camera_hub.cameras.http.messages import bad_reply
from camera_hub.cameras.onvif.describe import clean
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.device_clock import DeviceClock, device_time, moment
from camera_hub.cameras.onvif.envelopes import child, children, text_of
from camera_hub.cameras.onvif.plain_calls import DEVICE_SPACE, SCHEMA, call, element

ClockSource = Literal["ntp", "manual"]
_HALF_SECOND = 0.5


@dataclass(frozen=True, slots=True)
class ToldClock:
    """What a device tells of its clock. `offset_s`: device minus hub, None where it tells no usable time. `took_s`: how
    long the answer took."""

    source: ClockSource | None
    said: DeviceClock
    time: datetime | None
    offset_s: float | None
    took_s: float


@dataclass(frozen=True, slots=True)
class NtpSetting:
    """`server`: the first one, "" for none."""

    server: str
    from_dhcp: bool


async def read_clock(device: OnvifDevice) -> ToldClock:
    """Without a login, where the device tells its time to everybody; logins are signed by what it tells from now on.

    Raises HubError.
    """
    conversation = device.conversation
    before = conversation.now()
    answer = await call(conversation, device.path, DEVICE_SPACE, "GetSystemDateAndTime")
    after = conversation.now()
    node = child(answer.content("GetSystemDateAndTimeResponse"), "SystemDateAndTime")
    if node is None:
        raise bad_reply("no SystemDateAndTime")
    said = DeviceClock(
        _moment(child(node, "UTCDateTime")),
        _moment(child(node, "LocalDateTime")),
        clean(text_of(node, "TimeZone", "TZ"), 80),
        text_of(node, "DaylightSavings").lower() in ("true", "1"),
    )
    time = device_time(said, after)
    # Devices cut the fraction of a second off: half of one on average.
    offset = (time - (before + (after - before) / 2)).total_seconds() + _HALF_SECOND if time is not None else None
    if offset is not None:
        conversation.device.clock_offset_s = offset
    kind = text_of(node, "DateTimeType").lower()
    source: ClockSource | None = "ntp" if kind == "ntp" else "manual" if kind == "manual" else None
    return ToldClock(source, said, time, offset, (after - before).total_seconds())


async def read_ntp(device: OnvifDevice) -> NtpSetting:
    """Needs the login. Raises HubError."""
    answer = await call(device.conversation, device.path, DEVICE_SPACE, "GetNTP")
    node = child(answer.content("GetNTPResponse"), "NTPInformation")
    if node is None:
        raise bad_reply("no NTPInformation")
    from_dhcp = text_of(node, "FromDHCP").lower() in ("true", "1")
    servers = [*children(node, "NTPFromDHCP" if from_dhcp else "NTPManual"), *children(node, "NTPManual")]
    found = (_host(one) for one in servers[:8])
    return NtpSetting(next((one for one in found if one), ""), from_dhcp)


async def set_clock(
    device: OnvifDevice, source: ClockSource, *, zone: str, daylight: bool, utc: datetime | None = None
) -> None:
    """`utc` belongs to `manual` alone; `zone` "": is not sent. Raises HubError; what was read before holds no more."""
    content = [
        element(DEVICE_SPACE, "DateTimeType", text="NTP" if source == "ntp" else "Manual"),
        element(DEVICE_SPACE, "DaylightSavings", text="true" if daylight else "false"),
    ]
    if zone:
        content.append(element(DEVICE_SPACE, "TimeZone", element(SCHEMA, "TZ", text=zone)))
    if utc is not None:
        content.append(_written(utc.astimezone(UTC)))
    await call(device.conversation, device.path, DEVICE_SPACE, "SetSystemDateAndTime", *content)


async def set_ntp(device: OnvifDevice, server: str) -> None:
    """One server, an address or a name; none from DHCP. Raises HubError."""
    kind, field = "DNS", "DNSname"
    try:
        version = ipaddress.ip_address(server).version
        kind, field = f"IPv{version}", f"IPv{version}Address"
    except ValueError:
        pass
    manual = element(DEVICE_SPACE, "NTPManual", element(SCHEMA, "Type", text=kind), element(SCHEMA, field, text=server))
    dhcp = element(DEVICE_SPACE, "FromDHCP", text="false")
    await call(device.conversation, device.path, DEVICE_SPACE, "SetNTP", dhcp, manual)


def _host(node: etree._Element) -> str:
    return next(
        (clean(text, 255) for name in ("IPv4Address", "DNSname", "IPv6Address") if (text := text_of(node, name))), ""
    )


def _moment(node: etree._Element | None) -> datetime | None:
    names = (("Date", "Year"), ("Date", "Month"), ("Date", "Day"), ("Time", "Hour"), ("Time", "Minute"))
    return moment(text_of(node, *one) for one in (*names, ("Time", "Second"))) if node is not None else None


def _written(utc: datetime) -> etree._Element:
    def part(name: str, **values: int) -> etree._Element:
        return element(SCHEMA, name, *(element(SCHEMA, one, text=str(value)) for one, value in values.items()))

    return element(
        DEVICE_SPACE,
        "UTCDateTime",
        part("Time", Hour=utc.hour, Minute=utc.minute, Second=utc.second),
        part("Date", Year=utc.year, Month=utc.month, Day=utc.day),
    )
