"""What ISAPI tells of recordings: storage, schedules, days with recordings, files. All times are the device's local
ones, whatever the "Z" behind them says."""

import re
from datetime import UTC, datetime, timedelta

from lxml import etree

from camera_hub.simulator import recordings
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.vendors.refusals import HIKVISION_SPACE as _SPACE
from camera_hub.simulator.web import HttpRequest

_DISTRIBUTION = re.compile(r"/ISAPI/ContentMgmt/record/tracks/(\d+)01/dailyDistribution")
_SEARCH = "/ISAPI/ContentMgmt/search"
_TRACKS = "/ISAPI/ContentMgmt/record/tracks"
_MOST_MATCHES = 40
_CAPACITY, _FREE = 3_815_447, 20_480
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_YEARS = timedelta(days=3650)


class IsapiRecordings:
    """The answers of one device."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state

    def storage(self) -> str:
        """A recorder's disk, or the card of a camera."""
        if not self._state.plan.kept_days:
            return f'<storage {_SPACE}><hddList size="1"/></storage>'
        state = "error" if Fault.DISK_FAILED in self._state.faults() else "ok"
        return (
            f'<storage {_SPACE}><hddList size="1"><hdd><id>1</id><hddName>hdda</hddName><hddType>SATA</hddType>'
            f"<status>{state}</status><capacity>{_CAPACITY}</capacity><freeSpace>{_FREE}</freeSpace>"
            "<property>RW</property></hdd></hddList></storage>"
        )

    def answer(self, request: HttpRequest) -> str | None:
        """The answer to what is about recordings, None to everything else."""
        if not self._state.plan.kept_days:
            return None
        if request.path == _TRACKS and request.method == "GET":
            return self._tracks()
        if request.method != "POST":
            return None
        if request.path == _SEARCH:
            return self._search(request.body)
        if (match := _DISTRIBUTION.fullmatch(request.path)) is not None:
            return self._distribution(self._channel(int(match[1])), request.body)
        return None

    def _tracks(self) -> str:
        return f"<TrackList {_SPACE}>{''.join(self._track(one) for one in self._state.plan.channels)}</TrackList>"

    def _track(self, channel: Channel) -> str:
        mode = "MOTION" if Fault.RECORDING_ON_EVENTS in self._state.faults(channel) else "CMR"
        actions = "".join(
            f"<ScheduleAction><id>{number}</id><ScheduleActionStartTime><DayOfWeek>{name}</DayOfWeek>"
            f"<TimeOfDay>00:00:00</TimeOfDay></ScheduleActionStartTime><ScheduleActionEndTime><DayOfWeek>{name}"
            "</DayOfWeek><TimeOfDay>24:00:00</TimeOfDay></ScheduleActionEndTime><Actions><Record>true</Record>"
            f"<ActionRecordingMode>{mode}</ActionRecordingMode></Actions></ScheduleAction>"
            for number, name in enumerate(_WEEKDAYS, start=1)
        )
        track = f"{channel.number}01"
        return (
            f"<Track><id>{track}</id><Channel>{track}</Channel><Enable>true</Enable><TrackSchedule><ScheduleBlockList>"
            f"<ScheduleBlock>{actions}</ScheduleBlock></ScheduleBlockList></TrackSchedule></Track>"
        )

    def _distribution(self, channel: Channel | None, body: bytes) -> str | None:
        asked = _read(body)
        if channel is None or asked is None:
            return None
        try:
            month = datetime(int(asked.get("year", "")), int(asked.get("monthOfYear", "")), 1)
        except ValueError:
            return None
        following = (month + timedelta(days=32)).replace(day=1)
        days: dict[int, None] = {}
        for begin, end in self._stretches(channel, month, following):
            day = begin.date()
            while day <= (end - timedelta(seconds=1)).date():
                days.setdefault(day.day)
                day += timedelta(days=1)
        rows = "".join(
            f"<day><id>{day}</id><dayOfMonth>{day}</dayOfMonth><record>{str(day in days).lower()}</record>"
            "<recordType>time</recordType></day>"
            for day in range(1, (following - timedelta(days=1)).day + 1)
        )
        return f"<trackDailyDistribution {_SPACE}><dayList>{rows}</dayList></trackDailyDistribution>"

    def _search(self, body: bytes) -> str | None:
        asked = _read(body)
        if asked is None:
            return None
        channel = self._channel(int(asked.get("trackID", "0")[:-2] or 0))
        begin, end = (datetime.fromisoformat(asked.get(name, "").rstrip("Z")) for name in ("startTime", "endTime"))
        found = self._files(channel, begin, end) if channel is not None else []
        position, most = int(asked.get("searchResultPostion", "0")), min(_MOST_MATCHES, int(asked["maxResults"]))
        lies = self._state.faults(channel).get(Fault.RECORDING_LIES)
        if lies == 0:
            position = 0  # the same page again and again
        page = found[position : position + most]
        more = lies == 0 or position + most < len(found)
        status = "MORE" if more else "OK" if page else "NO MATCHES"
        matches = "".join(
            f"<searchMatchItem><sourceID>{{0000000000-0000-0000-0000-000000000000}}</sourceID>"
            f"<trackID>{asked.get('trackID', '')}</trackID><timeSpan><startTime>{_written(since)}</startTime>"
            f"<endTime>{_written(until)}</endTime></timeSpan></searchMatchItem>"
            for since, until in page
        )
        return (
            f"<CMSearchResult {_SPACE}><searchID>{asked.get('searchID', '')}</searchID>"
            f"<responseStatus>true</responseStatus><responseStatusStrg>{status}</responseStatusStrg>"
            f"<numOfMatches>{len(page)}</numOfMatches><matchList>{matches}</matchList></CMSearchResult>"
        )

    def _channel(self, number: int) -> Channel | None:
        return next((one for one in self._state.plan.channels if one.number == number), None)

    def _stretches(self, channel: Channel, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """In local time, naive, as all that is asked."""
        plan, now = self._state.plan, self._state.now()
        found = recordings.stretches(self._state.faults(channel), plan.kept_days, now, self._within(begin, end))
        return [(self._local(since), self._local(until)) for since, until in found]

    def _files(self, channel: Channel, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        plan, now, faults = self._state.plan, self._state.now(), self._state.faults(channel)
        found = recordings.files(faults, plan.kept_days, now, self._within(begin, end))
        local = [(self._local(since), self._local(until)) for since, until in found]
        if faults.get(Fault.RECORDING_LIES) == 1:
            local = [*local, *reversed(local), (end, end + _YEARS)]
        return local

    def _local(self, moment: datetime) -> datetime:
        return self._state.settings.local(moment).replace(tzinfo=None)

    def _within(self, begin: datetime, end: datetime) -> tuple[datetime, datetime]:
        ahead = self._local(self._state.now()) - self._state.now().astimezone(UTC).replace(tzinfo=None)
        return (begin - ahead).replace(tzinfo=UTC), (end - ahead).replace(tzinfo=UTC)


def _read(body: bytes) -> dict[str, str] | None:
    """The texts of a request's elements by their names; None where it is no XML."""
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None
    return {etree.QName(one).localname: (one.text or "").strip() for one in root.iter() if isinstance(one.tag, str)}


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
