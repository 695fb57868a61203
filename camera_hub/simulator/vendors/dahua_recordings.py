"""What Dahua's CGI tells of recordings: disks, schedules, and its finders of media files. Times are local ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from camera_hub.simulator import recordings
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel
from camera_hub.simulator.state import DeviceState

_DISK = 4_000_786_153_472
_MOST_FINDERS = 4
_MOST_FILES = 100
_YEARS = timedelta(days=3650)
Lines = Iterator[str]


@dataclass(slots=True)
class _Finder:
    """What it has found and not told yet; None: it does not search. `every`: for a device that begins anew."""

    left: list[tuple[datetime, datetime]] | None = None
    every: tuple[tuple[datetime, datetime], ...] = ()


class DahuaRecordings:
    """The answers of one device, which has few finders and keeps them until they are destroyed."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        self._finders: dict[str, _Finder] = {}
        self._next = 8137

    @property
    def finders(self) -> int:
        """Finders that nobody has given back."""
        return len(self._finders)

    def storage(self) -> Lines:
        """A recorder's disk, or the card of a camera."""
        if not self._state.plan.kept_days:
            return
        failed = Fault.DISK_FAILED in self._state.faults()
        yield "list.info[0].Name=/dev/sda"
        yield f"list.info[0].State={'Error' if failed else 'Success'}"
        yield "list.info[0].Detail[0].Type=ReadWrite"
        yield f"list.info[0].Detail[0].TotalBytes={_DISK}.000000"
        yield f"list.info[0].Detail[0].UsedBytes={_DISK // 100 * 99}.000000"
        yield f"list.info[0].Detail[0].IsError={str(failed).lower()}"

    def schedules(self) -> Lines:
        """Of each channel seven days and one for holidays; bit 1 of a period is regular recording, 2 motion."""
        for channel in self._state.plan.channels:
            mask = 2 if Fault.RECORDING_ON_EVENTS in self._state.faults(channel) else 1
            for day in range(8):
                yield f"table.Record[{channel.number - 1}].TimeSection[{day}][0]={mask} 00:00:00-23:59:59"

    def modes(self) -> Lines:
        """Whether each channel follows its schedule."""
        return (f"table.RecordMode[{one.number - 1}].Mode=0" for one in self._state.plan.channels)

    def answer(self, action: str, query: dict[str, str]) -> Lines | None:
        """The answer of mediaFileFind.cgi, None for a refusal."""
        if not self._state.plan.kept_days:
            return None
        if action == "factory.create":
            return self._create()
        finder = self._finders.get(query.get("object", ""))
        if finder is None:
            return None
        match action:
            case "findFile" if finder.left is None:
                return self._find(finder, query)
            case "findNextFile" if finder.left is not None:
                return self._next_files(finder, min(_MOST_FILES, int(query.get("count", "0"))))
            case "close":
                finder.left = None
                return iter(("OK",))
            case "destroy":
                del self._finders[query["object"]]
                return iter(("OK",))
        return None

    def _create(self) -> Lines | None:
        if len(self._finders) >= _MOST_FINDERS:
            return None
        token = f"{self._next:08}"
        self._next += 1
        self._finders[token] = _Finder()
        return iter((f"result={token}",))

    def _find(self, finder: _Finder, query: dict[str, str]) -> Lines | None:
        channel = self._channel(int(query.get("condition.Channel", "0")))
        if channel is None:
            return None
        begin, end = (datetime.fromisoformat(query[f"condition.{name}Time"]) for name in ("Start", "End"))
        found = self._files(channel, begin, end)
        if not found:
            return None  # that is how it says that there is nothing
        finder.left, finder.every = found, tuple(found)
        return iter(("OK",))

    def _next_files(self, finder: _Finder, count: int) -> Lines:
        assert finder.left is not None
        endless = any(self._state.faults(one).get(Fault.RECORDING_LIES) == 0 for one in self._state.plan.channels)
        if endless:
            told = [finder.every[number % len(finder.every)] for number in range(count)]
        else:
            told, finder.left = finder.left[:count], finder.left[count:]
        yield f"found={len(told)}"
        for number, (since, until) in enumerate(told):
            yield f"items[{number}].Channel=0"
            yield f"items[{number}].StartTime={since:%Y-%m-%d %H:%M:%S}"
            yield f"items[{number}].EndTime={until:%Y-%m-%d %H:%M:%S}"
            yield f"items[{number}].Type=dav"

    def _channel(self, number: int) -> Channel | None:
        return next((one for one in self._state.plan.channels if one.number == number), None)

    def _files(self, channel: Channel, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        plan, now, faults = self._state.plan, self._state.now(), self._state.faults(channel)
        local = self._state.settings.local
        ahead = local(now).replace(tzinfo=None) - now.astimezone(UTC).replace(tzinfo=None)
        within = ((begin - ahead).replace(tzinfo=UTC), (end - ahead).replace(tzinfo=UTC))
        found = [
            (local(since).replace(tzinfo=None), local(until).replace(tzinfo=None))
            for since, until in recordings.files(faults, plan.kept_days, now, within)
        ]
        if faults.get(Fault.RECORDING_LIES) == 1:
            found = [*found, *reversed(found), (end, end + _YEARS)]
        return found
