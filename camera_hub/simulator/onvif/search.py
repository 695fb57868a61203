"""The recording search service (Profile G): recordings by video source, and when data was present."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from camera_hub.simulator import recordings
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel
from camera_hub.simulator.onvif.call import Call, Operation
from camera_hub.simulator.onvif.soap import Refusal
from camera_hub.simulator.state import DeviceState

_MOST_SEARCHES = 3
_AT_A_TIME = 40
_SOON = timedelta(days=400)


@dataclass(slots=True)
class _Search:
    """What of its results was not fetched yet; `all` of them for a device that begins again and again."""

    left: list[str]
    every: list[str] = field(default_factory=list)


class SearchService:
    """Searches of one device: it has few at a time, and forgets one only when it is ended."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        self._searches: dict[str, _Search] = {}
        self._next = 1
        self.operations: dict[str, Operation] = {
            "tse:GetRecordingSummary": self._summary,
            "tse:GetRecordingInformation": self._information,
            "tse:FindRecordings": self._find_recordings,
            "tse:FindEvents": self._find_events,
            "tse:GetRecordingSearchResults": self._results,
            "tse:GetEventSearchResults": self._results,
            "tse:EndSearch": self._end,
        }

    @property
    def open_searches(self) -> int:
        """Searches that nobody has ended."""
        return len(self._searches)

    async def _summary(self, call: Call) -> str:
        self._offered()
        ends = [self._ends(channel) for channel in self._state.plan.channels]
        begins = min((begin for begin, _ in ends if begin is not None), default=None)
        until = max((end for begin, end in ends if begin is not None), default=None)
        never = datetime(1970, 1, 1, tzinfo=UTC)
        return (
            f"<tse:Summary><tt:DataFrom>{_written(begins or never)}</tt:DataFrom><tt:DataUntil>"
            f"{_written(until or never)}</tt:DataUntil><tt:NumberRecordings>{len(ends)}</tt:NumberRecordings>"
            "</tse:Summary>"
        )

    async def _information(self, call: Call) -> str:
        self._offered()
        token = call.envelope.text("tse:RecordingToken")
        for channel in self._state.plan.channels:
            if token == _token(channel):
                return self._recording(channel, "tse")
        raise Refusal("There is no such recording", "ter:InvalidArgVal", "ter:NoRecording")

    async def _find_recordings(self, call: Call) -> str:
        self._offered()
        return self._begin([self._recording(channel, "tt") for channel in self._state.plan.channels])

    async def _find_events(self, call: Call) -> str:
        self._offered()
        if Fault.NO_EVENT_SEARCH in self._state.faults():
            raise Refusal("The operation is not supported", "ter:ActionNotSupported", status=500)
        begin, end = (_moment(call.envelope.text(f"tse:{name}")) for name in ("StartPoint", "EndPoint"))
        wanted = call.envelope.texts("tse:Scope/tt:IncludedRecordings")
        found = []
        for channel in self._state.plan.channels:
            if wanted and _token(channel) not in wanted:
                continue
            present = self._stretches(channel, (begin, end))
            if not present or present[0][0] > begin:
                found.append((begin, _event(channel, begin, present=False, start=True)))
            for since, until in present:
                found.append((since, _event(channel, since, present=True, start=since <= begin)))
                if until < min(end, self._state.now() - timedelta(seconds=2)):
                    found.append((until, _event(channel, until, present=False)))
        return self._begin([one for _, one in sorted(found)])

    async def _results(self, call: Call) -> str:
        search = self._searches.get(call.envelope.text("tse:SearchToken"))
        if search is None:
            raise Refusal("There is no such search", "ter:InvalidArgVal", "ter:InvalidToken")
        endless = self._state.faults().get(Fault.RECORDING_LIES) == 0
        if endless and not search.left:
            search.left = list(search.every)
        told, search.left = search.left[:_AT_A_TIME], search.left[_AT_A_TIME:]
        state = "Completed" if not search.left and not endless else "Searching"
        return f"<tse:ResultList><tt:SearchState>{state}</tt:SearchState>{''.join(told)}</tse:ResultList>"

    async def _end(self, call: Call) -> str:
        if self._searches.pop(call.envelope.text("tse:SearchToken"), None) is None:
            raise Refusal("There is no such search", "ter:InvalidArgVal", "ter:InvalidToken")
        return f"<tse:Endpoint>{_written(self._state.now())}</tse:Endpoint>"

    def _begin(self, results: list[str]) -> str:
        if len(self._searches) >= _MOST_SEARCHES:
            raise Refusal("There are too many searches", "ter:Action", "ter:ResourceProblem", sender=False)
        token = f"search_{self._next}"
        self._next += 1
        self._searches[token] = _Search(results, list(results))
        return f"<tse:SearchToken>{token}</tse:SearchToken>"

    def _offered(self) -> None:
        if Fault.NO_SEARCH in self._state.faults() or not self._state.plan.kept_days:
            raise Refusal("The operation is not supported", "ter:ActionNotSupported", status=500)

    def _stretches(self, channel: Channel, within: recordings.Stretch) -> list[recordings.Stretch]:
        faults = self._state.faults(channel)
        found = recordings.stretches(faults, self._state.plan.kept_days, self._state.now(), within)
        if faults.get(Fault.RECORDING_LIES) == 1:
            found.append((self._state.now(), self._state.now() + _SOON))
        return found

    def _ends(self, channel: Channel) -> tuple[datetime | None, datetime]:
        faults, now = self._state.faults(channel), self._state.now()
        end = recordings.latest(faults, now)
        if faults.get(Fault.RECORDING_LIES) == 1:
            end += _SOON
        return recordings.oldest(faults, self._state.plan.kept_days, now), end

    def _recording(self, channel: Channel, prefix: str) -> str:
        begin, end = self._ends(channel)
        data = ""
        if begin is not None:
            data = (
                f"<tt:EarliestRecording>{_written(begin)}</tt:EarliestRecording>"
                f"<tt:LatestRecording>{_written(end)}</tt:LatestRecording>"
            )
        never = datetime(1970, 1, 1, tzinfo=UTC)
        status = "Recording" if recordings.is_running(self._state.faults(channel)) else "Stopped"
        return (
            f"<{prefix}:RecordingInformation><tt:RecordingToken>{_token(channel)}</tt:RecordingToken><tt:Source>"
            f"<tt:SourceId>VideoSource_{channel.number}</tt:SourceId><tt:Name>{escape(channel.name)}</tt:Name>"
            "<tt:Location/><tt:Description/><tt:Address/></tt:Source>"
            f"{data}<tt:Content>continuous</tt:Content><tt:Track><tt:TrackToken>VIDEO001</tt:TrackToken>"
            "<tt:TrackType>Video</tt:TrackType><tt:Description/>"
            f"<tt:DataFrom>{_written(begin or never)}</tt:DataFrom><tt:DataTo>{_written(end)}</tt:DataTo>"
            f"</tt:Track><tt:RecordingStatus>{status}</tt:RecordingStatus></{prefix}:RecordingInformation>"
        )


def _token(channel: Channel) -> str:
    return f"Recording_{channel.number}"


def _event(channel: Channel, at: datetime, *, present: bool, start: bool = False) -> str:
    words = "true" if present else "false"
    return (
        f"<tt:Result><tt:RecordingToken>{_token(channel)}</tt:RecordingToken><tt:TrackToken>VIDEO001</tt:TrackToken>"
        f"<tt:Time>{_written(at)}</tt:Time><tt:Event><wsnt:Topic>tns1:RecordingHistory/Track/State</wsnt:Topic>"
        f'<wsnt:Message><tt:Message UtcTime="{_written(at)}"><tt:Source><tt:SimpleItem Name="RecordingToken" '
        f'Value="{_token(channel)}"/><tt:SimpleItem Name="Track" Value="VIDEO001"/></tt:Source><tt:Data>'
        f'<tt:SimpleItem Name="IsDataPresent" Value="{words}"/></tt:Data></tt:Message></wsnt:Message></tt:Event>'
        f"<tt:StartStateEvent>{'true' if start else 'false'}</tt:StartStateEvent></tt:Result>"
    )


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal("That is no time", "ter:InvalidArgVal") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
