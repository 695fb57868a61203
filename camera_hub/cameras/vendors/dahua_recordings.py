"""What a device with Dahua's CGI has recorded: disks, schedules, files of a stretch of time.

A finder is made once for a conversation, and given back; for each search it is closed. Channels count from 1 there,
and from 0 in the schedules. Source: Dahua's HTTP API (finding media files, record settings).
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, tzinfo
from typing import Self
from urllib.parse import quote

from camera_hub.cameras.described import Disk
from camera_hub.cameras.http.messages import bad_reply
from camera_hub.cameras.recordings.schedule import RecordingSchedule, made
from camera_hub.cameras.recordings.spans import Span
from camera_hub.cameras.vendors import dahua
from camera_hub.cameras.vendors.answers import number, pairs_of, rows_of
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.recordings import (
    MOST_FOUND,
    MOST_PAGES,
    DeviceTime,
    FoundFiles,
    clock_error,
    no_search,
)
from camera_hub.errors import HubError

_FINDER = "/cgi-bin/mediaFileFind.cgi?action="
_RECORD = "/cgi-bin/configManager.cgi?action=getConfig&name=Record"
_MODE = "/cgi-bin/configManager.cgi?action=getConfig&name=RecordMode"
_AT_A_TIME = 100
_EPOCH = datetime(2015, 1, 1)
_OBJECT = re.compile(r"\w{1,32}")
_SECTION = re.compile(r"TimeSection\[([0-6])\]\[(\d)\]")
_PERIOD = re.compile(r"(\d{1,10})\s+(\d{1,2}):(\d{1,2}):(\d{1,2})\s*-\s*(\d{1,2}):(\d{1,2}):(\d{1,2})")
_REGULAR = 1
"""The bit of a period's mask that says that it is recorded without an event."""
_OFF = "2"


class DahuaRecordings:
    """Implements recordings.vendor_road.VendorRecordings: one conversation with one device, opened by `finding`."""

    def __init__(self, device: VendorInterface, time: DeviceTime, finder: str) -> None:
        self._device = device
        self._time = time
        self._finder = finder

    @classmethod
    @asynccontextmanager
    async def finding(cls, device: VendorInterface, time: DeviceTime) -> AsyncIterator[Self]:
        """Raises HubError where the device makes no finder."""
        reply = await device.get(f"{_FINDER}factory.create")
        if reply is None:
            raise no_search()
        made_ = (await pairs_of(reply)).get("result", "").strip()
        if not _OBJECT.fullmatch(made_):
            raise bad_reply("no finder of media files")
        try:
            yield cls(device, time, made_)
        finally:
            await _given_back(device, f"{_FINDER}destroy&object={made_}")

    async def disks(self) -> tuple[Disk, ...] | None:
        """None where it does not tell. Raises HubError."""
        reply = await self._device.tolerant(dahua.DISKS)
        return dahua.disks(await pairs_of(reply)) if reply is not None else None

    async def schedules(self) -> dict[int, RecordingSchedule]:
        """By channel number, as far as it tells them. Raises HubError."""
        rows = rows_of(await pairs_of(await self._device.tolerant(_RECORD)), "table.Record")
        modes = rows_of(await pairs_of(await self._device.tolerant(_MODE)), "table.RecordMode")
        return {
            index + 1: made(()) if modes.get(index, {}).get("Mode", "").strip() == _OFF else _schedule(row)
            for index, row in rows.items()
        }

    async def oldest(self, channel: int, now: datetime) -> datetime | None:
        """The beginning of the oldest file, None where there is none. Raises HubError."""
        found = await self._found(channel, _EPOCH, self._time.shown(now), 1, 1)
        return min((begin for begin, _ in found.files), default=None)

    async def says_empty(self, channel: int, span: Span) -> bool:
        """It has no such call."""
        return False

    async def files(self, channel: int, span: Span) -> FoundFiles:
        """The files that touch a stretch of time. Raises HubError."""
        begin, end = self._time.shown(span.begin), self._time.shown(span.end)
        return await self._found(channel, begin, end, _AT_A_TIME, MOST_PAGES)

    async def _found(self, channel: int, begin: datetime, end: datetime, at_a_time: int, pages: int) -> FoundFiles:
        condition = (
            f"&condition.Channel={channel}&condition.StartTime={_written(begin)}&condition.EndTime={_written(end)}"
            "&condition.Types[0]=dav"
        )
        # A search that finds nothing is answered as a refusal.
        if await self._device.get(f"{_FINDER}findFile&object={self._finder}{condition}") is None:
            return FoundFiles(())
        try:
            return await self._told(at_a_time, pages)
        finally:
            await _given_back(self._device, f"{_FINDER}close&object={self._finder}")

    async def _told(self, at_a_time: int, pages: int) -> FoundFiles:
        files: dict[tuple[datetime, datetime], None] = {}
        for _ in range(pages):
            question = f"{_FINDER}findNextFile&object={self._finder}&count={at_a_time}"
            pairs = await pairs_of(await self._device.get(question))
            count = number(pairs.get("found", ""), 10_000)
            if count is None:
                raise bad_reply("no number of files found")
            before = len(files)
            for _, row in sorted(rows_of(pairs, "items", at_a_time).items()):
                begin, end = self._time.true(row.get("StartTime", "")), self._time.true(row.get("EndTime", ""))
                if begin is not None and end is not None and begin < end:
                    files.setdefault((begin, end))
            if count < at_a_time:
                return FoundFiles(tuple(files))
            if len(files) == before or len(files) >= MOST_FOUND:  # it says the same again, or never ends
                break
        return FoundFiles(tuple(files), whole=False)


async def device_time(device: VendorInterface, zone: tzinfo) -> DeviceTime:
    """Raises HubError."""
    sent = device.now()
    said = (await pairs_of(await device.tolerant(dahua.CLOCK))).get("result", "")
    middle = sent + (device.now() - sent) / 2
    return DeviceTime(zone, clock_error(said, middle, zone))


async def _given_back(device: VendorInterface, path: str) -> None:
    """A finder that cannot be given back ends by itself after a while; what was found counts all the same."""
    try:
        await device.tolerant(path)
    except HubError:
        return


def _schedule(row: Mapping[str, str]) -> RecordingSchedule:
    """Its weekdays count from Sunday; the eighth is that of holidays."""
    periods = []
    for key, value in row.items():
        section, period = _SECTION.fullmatch(key), _PERIOD.match(value[:64])
        if section is None or period is None:
            continue
        mask, *clock = (int(one) for one in period.groups())
        if mask & _REGULAR:
            begin, end = (hour * 3600 + minute * 60 + second for hour, minute, second in (clock[:3], clock[3:]))
            periods.append(((int(section[1]) - 1) % 7, begin, end))
    return made(periods)


def _written(at: datetime) -> str:
    return quote(f"{at:%Y-%m-%d %H:%M:%S}")
