"""What a device with Hikvision's ISAPI has recorded: disks, schedules, days with recordings, files of a day.

A track is a channel's stream: 101 is the first channel's main one. Times of searches are the device's local ones, with
a "Z" that means nothing. Sources: ISAPI developer guides (searching for video files, recording schedules).
"""

import secrets
from datetime import date, datetime, timedelta, tzinfo

from lxml import etree

from camera_hub.cameras.described import Disk
from camera_hub.cameras.http.messages import bad_reply
from camera_hub.cameras.onvif.envelopes import child, text_of
from camera_hub.cameras.recordings.schedule import DAY_SECONDS, RecordingSchedule, made
from camera_hub.cameras.recordings.spans import Span
from camera_hub.cameras.vendors import hikvision
from camera_hub.cameras.vendors.answers import listed, number, truth, xml_of
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.recordings import (
    MOST_FOUND,
    MOST_PAGES,
    DeviceTime,
    FoundFiles,
    clock_error,
    no_search,
)

_SEARCH = "/ISAPI/ContentMgmt/search"
_TRACKS = "/ISAPI/ContentMgmt/record/tracks"
_AT_A_TIME = 64
_MOST_MONTHS = 14
_MAX_ACTIONS = 128
_EPOCH = datetime(2015, 1, 1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class HikvisionRecordings:
    """Implements recordings.vendor_road.VendorRecordings: one conversation with one device."""

    def __init__(self, device: VendorInterface, time: DeviceTime) -> None:
        self._device = device
        self._time = time
        self._no_days = False
        self._known: dict[tuple[int, date], set[date]] = {}

    async def disks(self) -> tuple[Disk, ...] | None:
        """None where it does not tell. Raises HubError."""
        storage = await xml_of(await self._device.tolerant(hikvision.STORAGE), "storage")
        return hikvision.disks(storage) if storage is not None else None

    async def schedules(self) -> dict[int, RecordingSchedule]:
        """By channel number, as far as it tells them. Raises HubError."""
        node = await xml_of(await self._device.tolerant(_TRACKS), "TrackList")
        found: dict[int, RecordingSchedule] = {}
        for one in listed(node, "Track") if node is not None else ():
            track = number(text_of(one, "id"), 409_699)
            if track is not None and track % 100 == 1:
                found.setdefault(track // 100, _schedule(one))
        return found

    async def oldest(self, channel: int, now: datetime) -> datetime | None:
        """The beginning of the oldest file, None where there is none. Raises HubError."""
        months = await self._months(channel, self._time.shown(now).date())
        if months is not None:
            day = min((one for month in months for one in month), default=None)
            if day is None:
                return None
            shown = datetime(day.year, day.month, day.day)
            found, _, _ = await self._page(channel, shown, shown + timedelta(days=1), 0, 1)
            return min((begin for begin, _ in found), default=self._time.from_shown(shown))
        found, _, _ = await self._page(channel, _EPOCH, self._time.shown(now), 0, 1)
        return min((begin for begin, _ in found), default=None)

    async def says_empty(self, channel: int, span: Span) -> bool:
        """Whether it says that none of its days in a stretch of time has recordings. Raises HubError."""
        day, last = self._time.shown(span.begin).date(), self._time.shown(span.end).date()
        while day <= last:
            days = await self._month(channel, day.replace(day=1))
            if days is None or day in days:
                return False
            day += timedelta(days=1)
        return True

    async def files(self, channel: int, span: Span) -> FoundFiles:
        """The files that touch a stretch of time. Raises HubError."""
        begin, end = self._time.shown(span.begin), self._time.shown(span.end)
        files: dict[tuple[datetime, datetime], None] = {}
        position = 0
        for _ in range(MOST_PAGES):
            found, matches, more = await self._page(channel, begin, end, position, _AT_A_TIME)
            before = len(files)
            files.update(dict.fromkeys(found))
            if not more:
                return FoundFiles(tuple(files))
            if len(files) == before or len(files) >= MOST_FOUND:  # it says the same again, or never ends
                break
            position += matches
        return FoundFiles(tuple(files), whole=False)

    async def _months(self, channel: int, today: date) -> list[set[date]] | None:
        """Of each month back to the first without recordings, its days with some; None where it does not tell."""
        found: list[set[date]] = []
        month = today.replace(day=1)
        for _ in range(_MOST_MONTHS):
            days = await self._month(channel, month)
            if days is None:
                return None
            days = {one for one in days if one <= today}
            if not days and found:
                break
            found.append(days)
            month = (month - timedelta(days=1)).replace(day=1)
        return found

    async def _month(self, channel: int, month: date) -> set[date] | None:
        if (channel, month) in self._known:
            return self._known[channel, month]
        if self._no_days:
            return None
        question = (
            f'<?xml version="1.0" encoding="UTF-8"?><trackDailyParam><year>{month.year}</year>'
            f"<monthOfYear>{month.month}</monthOfYear></trackDailyParam>"
        )
        path = f"{_TRACKS}/{channel}01/dailyDistribution"
        reply = await self._device.tolerant_search(path, question.encode())
        node = await xml_of(reply, "trackDailyDistribution")
        if node is None:
            self._no_days = True  # older firmware: it is not asked again in this conversation
            return None
        found = set()
        for one in listed(node, "day", 31):
            day = number(text_of(one, "dayOfMonth") or text_of(one, "id"), 31)
            if day and truth(text_of(one, "record")):
                try:
                    found.add(month.replace(day=day))
                except ValueError:
                    continue
        self._known[channel, month] = found
        return found

    async def _page(
        self, channel: int, begin: datetime, end: datetime, position: int, most: int
    ) -> tuple[list[tuple[datetime, datetime]], int, bool]:
        """Files, how many the device says these are, and whether it has more. Raises HubError."""
        question = (
            '<?xml version="1.0" encoding="UTF-8"?><CMSearchDescription>'
            f"<searchID>{_search_id()}</searchID><trackList><trackID>{channel}01</trackID></trackList>"
            f"<timeSpanList><timeSpan><startTime>{_written(begin)}</startTime><endTime>{_written(end)}</endTime>"
            f"</timeSpan></timeSpanList><maxResults>{most}</maxResults>"
            f"<searchResultPostion>{position}</searchResultPostion>"
            "<metadataList><metadataDescriptor>//recordType.meta.std-cgi.com</metadataDescriptor></metadataList>"
            "</CMSearchDescription>"
        )
        reply = await self._device.search(_SEARCH, question.encode())
        if reply is None:
            raise no_search()
        node = await xml_of(reply, "CMSearchResult")
        if node is None:
            raise bad_reply("no CMSearchResult")
        found = []
        for one in listed(node, "searchMatchItem", most):
            span = child(one, "timeSpan")
            starts, ends = self._time.true(text_of(span, "startTime")), self._time.true(text_of(span, "endTime"))
            if starts is not None and ends is not None and starts < ends:
                found.append((starts, ends))
        told = number(text_of(node, "numOfMatches"), 10_000)
        more = text_of(node, "responseStatusStrg").strip().upper() == "MORE"
        return found, told if told else len(found), more


async def device_time(device: VendorInterface, zone: tzinfo) -> DeviceTime:
    """Raises HubError."""
    sent = device.now()
    node = await xml_of(await device.tolerant(hikvision.TIME), "Time")
    middle = sent + (device.now() - sent) / 2
    return DeviceTime(zone, clock_error(text_of(node, "localTime"), middle, zone))


def _schedule(track: etree._Element) -> RecordingSchedule:
    if truth(text_of(track, "Enable")) is False:
        return made(())
    periods = []
    for action in listed(track, "ScheduleAction", _MAX_ACTIONS):
        record = truth(text_of(action, "Actions", "Record"))
        mode = text_of(action, "Actions", "ActionRecordingMode").strip().upper()
        if record is False or mode not in ("CMR", ""):
            continue
        begins, ends = child(action, "ScheduleActionStartTime"), child(action, "ScheduleActionEndTime")
        weekday, last = _weekday(text_of(begins, "DayOfWeek")), _weekday(text_of(ends, "DayOfWeek"))
        begin, end = _second(text_of(begins, "TimeOfDay")), _second(text_of(ends, "TimeOfDay"))
        if weekday is None or begin is None or end is None:
            continue
        if last == (weekday + 1) % 7 and last != weekday:  # over midnight
            periods += [(weekday, begin, DAY_SECONDS), (last, 0, end)]
        else:
            periods.append((weekday, begin, end or DAY_SECONDS))
    return made(periods)


def _weekday(text: str) -> int | None:
    name = text.strip().lower()
    return _WEEKDAYS.index(name) if name in _WEEKDAYS else None


def _second(text: str) -> int | None:
    parts = [number(one, 59 if place else 24) for place, one in enumerate(text.strip()[:8].split(":"))]
    if not 2 <= len(parts) <= 3 or None in parts:
        return None
    hour, minute, second = (*(one or 0 for one in parts), 0)[:3]
    return min(DAY_SECONDS, hour * 3600 + minute * 60 + second)


def _search_id() -> str:
    digits = secrets.token_hex(16).upper()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
