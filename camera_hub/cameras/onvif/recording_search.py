"""What a device has recorded (ONVIF Recording Search Service, Profile G): its recordings, and when data is present.

Searches are asynchronous: the device gives a token, and results are fetched until it says that it has told all. A
device may say "searching" for ever, or tell the same result again: rounds, results and events are bounded, and a search
is ended (EndSearch) however it ends, since devices have few of them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from camera_hub.cameras.http.messages import bad_reply
from camera_hub.cameras.onvif.describe import MAX_TOKEN, clean
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.envelopes import attribute, child, children, elements, local, text_of
from camera_hub.cameras.onvif.plain_calls import SCHEMA, Content, call, element, whole
from camera_hub.cameras.onvif.pull_points import moment
from camera_hub.errors import HubError, Reason

SEARCH = "http://www.onvif.org/ver10/search/wsdl"

MAX_RECORDINGS = 512
MAX_EVENTS = 20_000
_ROUNDS = 64
_IDLE_ROUNDS = 3
"""Answers in a row that bring nothing new and do not say that the search is over."""
_AT_A_TIME = 100
_MAX_TRACKS = 16
_TOPIC = "tns1:RecordingHistory/Track/State"
_TOPICS = "http://www.onvif.org/ver10/topics"
_WSNT = "http://docs.oasis-open.org/wsn/b-2"
_SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
_OLDEST, _NEWEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RecordingSummary:
    """GetRecordingSummary: by the device's clock. `number`: of recordings, which may all be empty."""

    number: int
    begins: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """One recording: what a device keeps of one source. Times by the device's clock, None where it keeps nothing.

    `source`: the client's or the device's own token of what is recorded; `tracks`: those with video, empty where the
    device lists none. `running`: whether it is recorded now, None where it does not say.
    """

    token: str
    source: str
    name: str
    begins: datetime | None
    ends: datetime | None
    running: bool | None
    tracks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """From `at` on data is present on a track of the recording, or is not."""

    recording: str
    track: str
    at: datetime
    present: bool


@dataclass(frozen=True, slots=True)
class PresenceHistory:
    """In the order of time. `until`: what is later was not told; None: everything was."""

    changes: tuple[PresenceChange, ...]
    until: datetime | None = None


async def summary(device: OnvifDevice, path: str) -> RecordingSummary:
    """Raises HubError."""
    answer = await call(device.conversation, path, SEARCH, "GetRecordingSummary")
    node = child(answer.content("GetRecordingSummaryResponse"), "Summary")
    if node is None:
        raise bad_reply("no Summary")
    number = whole(text_of(node, "NumberRecordings"), 100_000)
    begins, ends = time_of(text_of(node, "DataFrom")), time_of(text_of(node, "DataUntil"))
    return RecordingSummary(number or 0, begins, ends)


async def recordings(device: OnvifDevice, path: str) -> list[StoredRecording]:
    """All recordings of the device, at most MAX_RECORDINGS. Raises HubError."""
    found: dict[str, StoredRecording] = {}
    keep = _text("KeepAliveTime", "PT30S")
    answer = await call(device.conversation, path, SEARCH, "FindRecordings", element(SEARCH, "Scope"), keep)
    token = _search_token(answer.content("FindRecordingsResponse"))

    def take(node: Content) -> bool:
        before = len(found)
        for one in children(node, "RecordingInformation"):
            recording = _recording(one)
            if recording is not None and len(found) < MAX_RECORDINGS:
                found.setdefault(recording.token, recording)
        return len(found) > before

    await _collect(device, path, "GetRecordingSearchResults", token, take, lambda: len(found) >= MAX_RECORDINGS)
    return list(found.values())


async def recording(device: OnvifDevice, path: str, token: str) -> StoredRecording | None:
    """One recording as it is now (GetRecordingInformation). Raises HubError."""
    answer = await call(device.conversation, path, SEARCH, "GetRecordingInformation", RecordingToken=token)
    node = child(answer.content("GetRecordingInformationResponse"), "RecordingInformation")
    return _recording(node) if node is not None else None


async def history(
    device: OnvifDevice, path: str, tokens: Collection[str], begins: datetime, ends: datetime
) -> PresenceHistory:
    """When data was present in these recordings between two times of the device's clock (FindEvents), with the state at
    the beginning. Raises HubError: SOAP_FAULT where the device does not search events.
    """
    scope = element(SEARCH, "Scope", *(element(SCHEMA, "IncludedRecordings", text=one) for one in sorted(tokens)))
    topic = etree.Element(f"{{{_WSNT}}}TopicExpression", {"Dialect": _SET}, nsmap={"tns1": _TOPICS})
    topic.text = _TOPIC
    answer = await call(
        device.conversation,
        path,
        SEARCH,
        "FindEvents",
        _text("StartPoint", _written(begins)),
        _text("EndPoint", _written(ends)),
        scope,
        element(SEARCH, "SearchFilter", topic),
        _text("IncludeStartState", "true"),
        _text("KeepAliveTime", "PT30S"),
    )
    token = _search_token(answer.content("FindEventsResponse"))
    found: dict[PresenceChange, None] = {}

    def take(node: Content) -> bool:
        before = len(found)
        for one in children(node, "Result"):
            change = _change(one)
            if change is not None and len(found) < MAX_EVENTS:
                found.setdefault(change)
        return len(found) > before

    over = await _collect(device, path, "GetEventSearchResults", token, take, lambda: len(found) >= MAX_EVENTS)
    changes = tuple(sorted(found, key=lambda one: one.at))
    return PresenceHistory(changes, None if over else changes[-1].at if changes else begins)


async def _collect(
    device: OnvifDevice,
    path: str,
    operation: str,
    token: str,
    take: Callable[[Content], bool],
    full: Callable[[], bool],
) -> bool:
    """Fetch results until the device says that it has told all; whether it did. Raises HubError."""
    idle = 0
    try:
        for _ in range(_ROUNDS):
            answer = await call(
                device.conversation,
                path,
                SEARCH,
                operation,
                SearchToken=token,
                MinResults="1",
                MaxResults=str(_AT_A_TIME),
                WaitTime="PT1S",
            )
            node = child(answer.content(f"{operation}Response"), "ResultList")
            if node is None:
                raise bad_reply("no ResultList")
            idle = 0 if take(node) else idle + 1
            if text_of(node, "SearchState").lower() in ("completed", "unknown"):
                return not full()
            if full() or idle >= _IDLE_ROUNDS:
                return False
    finally:
        await _end(device, path, token)
    return False


async def _end(device: OnvifDevice, path: str, token: str) -> None:
    """Give the search back. Many devices end a completed one by themselves, and refuse this."""
    try:
        await call(device.conversation, path, SEARCH, "EndSearch", SearchToken=token)
    except HubError as error:
        if error.reason not in (Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.TIMED_OUT):
            raise


def _search_token(node: Content | None) -> str:
    token = text_of(node, "SearchToken")[:MAX_TOKEN]
    if not token:
        raise bad_reply("no SearchToken")
    return token


def _recording(node: Content) -> StoredRecording | None:
    token = text_of(node, "RecordingToken")[:MAX_TOKEN]
    if not token:
        return None
    source = child(node, "Source")
    tracks = [
        text_of(one, "TrackToken")[:MAX_TOKEN]
        for one in list(children(node, "Track"))[:_MAX_TRACKS]
        if text_of(one, "TrackType").lower() in ("video", "")
    ]
    begins, ends = time_of(text_of(node, "EarliestRecording")), time_of(text_of(node, "LatestRecording"))
    state = text_of(node, "RecordingStatus").lower()
    return StoredRecording(
        token,
        text_of(source, "SourceId")[:MAX_TOKEN],
        clean(text_of(source, "Name")),
        begins if ends is None or begins is None or begins <= ends else None,
        ends,
        {"recording": True, "initiated": False, "stopped": False, "removed": False}.get(state),
        tuple(one for one in tracks if one),
    )


def _change(node: Content) -> PresenceChange | None:
    recording, at = text_of(node, "RecordingToken")[:MAX_TOKEN], time_of(text_of(node, "Time"))
    if not recording or at is None:
        return None
    said: Mapping[str, str] = {
        attribute(one, "Name").lower(): attribute(one, "Value").lower()
        for one in elements(node)
        if local(one) == "simpleitem"
    }
    present = said.get("isdatapresent", said.get("isrecording"))
    if present not in ("true", "false", "1", "0"):
        return None
    return PresenceChange(recording, text_of(node, "TrackToken")[:MAX_TOKEN], at, present in ("true", "1"))


def time_of(text: str) -> datetime | None:
    """A time that a recording can have; None for one before 2000 or after 2100, by which devices say "none"."""
    found = moment(text.strip()) if text.strip() else None
    return found if found is not None and _OLDEST <= found <= _NEWEST else None


def _text(name: str, text: str) -> Content:
    return element(SEARCH, name, text=text)


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
