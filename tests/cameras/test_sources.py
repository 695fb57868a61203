"""Which stream is pulled, and from where."""

import pytest

from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.reach import ReachPolicy
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.streams.selection import Candidate, Quality, picked
from camera_hub.cameras.streams.sources import ChosenStream, StreamSources
from camera_hub.cameras.streams.stream_addresses import StreamAddresses
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN, FakeVault
from tests.fakes.clock import ManualClock

H264 = frozenset({"h264"})


def source_of(chosen: ChosenStream) -> RtspLiveSource:
    """Where the stream is pulled from."""
    assert isinstance(chosen.spec.source, RtspLiveSource)
    return chosen.spec.source


BOTH = frozenset({"h264", "h265"})


class FakeAsker:
    """Answers a stream's address, or fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.synchronized: list[str] = []
        self.error: HubError | None = None
        self.answer = "rtsp://192.168.1.64:554/new/{}"

    async def stream_uri(self, target: OnvifTarget, profile: str, *, timeout: float | None = None) -> str:
        self.asked.append((target.host, profile))
        if self.error is not None:
            raise self.error
        return self.answer.format(profile)

    async def sync_point(self, target: OnvifTarget, profile: str) -> None:
        self.synchronized.append(profile)


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker()


@pytest.fixture
def sources(
    database: Database, clock: ManualClock, register: Register, asker: FakeAsker, bus: EventBus
) -> StreamSources:
    return StreamSources(
        database,
        StreamAddresses(database, clock, register, asker, FakeVault()),
        register,
        asker,
        bus,
        Peculiarities(database, bus, clock),
        DeviceChecks(database, ReachPolicy),
    )


@pytest.fixture
async def camera(register: Register, villages: list[int]) -> int:
    """A camera with an H.265 main and an H.264 sub stream, as far as its device claims."""
    found = await register.devices.register(ADMIN, villages[0], "192.168.1.64", username="admin", password="secret-1")
    return found.cameras[0].id


MAIN265, SUB264 = Candidate(1, "main", "h265"), Candidate(2, "sub", "h264")


@pytest.mark.parametrize(
    ("candidates", "quality", "codecs", "expected"),
    [
        ([MAIN265, SUB264], "auto", H264, 2),
        ([MAIN265, SUB264], "main", H264, 2),
        ([MAIN265, SUB264], "main", BOTH, 1),
        ([Candidate(1, "main", "h264"), Candidate(2, "sub", "h265")], "auto", H264, 1),
        ([Candidate(1, "main", None)], "sub", H264, 1),
        ([Candidate(1, "main", None), SUB264], "main", H264, 1),
    ],
)
def test_a_viewer_gets_what_it_can_play(
    candidates: list[Candidate], quality: Quality, codecs: frozenset[str], expected: int
) -> None:
    assert picked(candidates, quality, codecs).stream_id == expected


@pytest.mark.parametrize(
    ("candidates", "reason"),
    [
        ([MAIN265], Reason.NO_H264),
        ([Candidate(1, "main", "mjpeg")], Reason.CODEC_UNSUPPORTED),
        ([], Reason.NO_MEDIA),
    ],
)
def test_what_cannot_be_shown_has_its_reason(candidates: list[Candidate], reason: Reason) -> None:
    with pytest.raises(HubError) as caught:
        picked(candidates, "auto", H264)
    assert caught.value.reason == reason


def test_a_player_without_h264_is_not_told_to_change_the_camera() -> None:
    with pytest.raises(HubError, match=r"sends H\.264 only, which this player does not take") as caught:
        picked([Candidate(1, "main", "h264"), SUB264], "auto", frozenset({"h265"}))
    assert caught.value.reason == Reason.CODEC_UNSUPPORTED
    assert "set its sub stream" not in str(caught.value)


def test_a_codec_that_a_camera_does_not_name_has_a_sentence_of_its_own() -> None:
    with pytest.raises(HubError, match="does not say which codec") as caught:
        picked([Candidate(1, "main", "unknown")], "auto", H264)
    assert caught.value.params["codec"] == "unknown"


async def test_the_address_is_asked_when_it_is_pulled_and_again_only_after_a_while(
    sources: StreamSources, asker: FakeAsker, camera: int, clock: ManualClock
) -> None:
    chosen = await sources.choose(camera, "auto", H264)
    assert (chosen.role, chosen.codec) == ("sub", "h264")
    assert source_of(chosen).url == "rtsp://192.168.1.64:554/new/p1s"
    assert (source_of(chosen).address, source_of(chosen).port) == ("192.168.1.64", 554)
    assert (source_of(chosen).username, source_of(chosen).password) == ("admin", "secret-1")
    assert "secret-1" not in repr(chosen)
    again = await sources.choose(camera, "sub", H264)
    assert source_of(again).url == source_of(chosen).url
    assert len(asker.asked) == 1
    clock.move(181)
    await sources.choose(camera, "auto", H264)
    assert len(asker.asked) == 2


async def test_a_stream_that_plays_is_not_asked_for_and_one_that_fails_is(
    sources: StreamSources, asker: FakeAsker, camera: int, clock: ManualClock
) -> None:
    stream = (await sources.choose(camera, "auto", H264)).stream_id
    sources.plays(stream)
    clock.move(3600)
    await sources.choose(camera, "auto", H264)
    assert len(asker.asked) == 1
    sources.doubt(stream)
    await sources.choose(camera, "auto", H264)
    assert len(asker.asked) == 2
    sources.plays(stream)
    sources.rest(stream)
    await sources.choose(camera, "auto", H264)
    assert len(asker.asked) == 2, "what was answered lately still serves"


async def test_a_device_that_does_not_answer_keeps_viewers_waiting_only_once(
    sources: StreamSources, asker: FakeAsker, camera: int, clock: ManualClock
) -> None:
    asker.error = HubError(Kind.TIMEOUT, "silent", reason=Reason.TIMED_OUT)
    await sources.choose(camera, "auto", H264)
    await sources.choose(camera, "auto", H264)
    assert len(asker.asked) == 1
    clock.move(31)
    await sources.choose(camera, "auto", H264)
    assert len(asker.asked) == 2


async def test_a_silent_onvif_falls_back_to_the_last_address(
    sources: StreamSources, asker: FakeAsker, camera: int
) -> None:
    asker.error = HubError(Kind.TIMEOUT, "silent", reason=Reason.TIMED_OUT)
    assert source_of(await sources.choose(camera, "auto", H264)).url == "rtsp://192.168.1.64:554/1/sub"


async def test_a_refused_login_is_not_tried_over_rtsp_too(
    sources: StreamSources, asker: FakeAsker, camera: int
) -> None:
    asker.error = HubError(Kind.UNREACHABLE, "refused", reason=Reason.WRONG_PASSWORD)
    with pytest.raises(HubError) as caught:
        await sources.choose(camera, "auto", H264)
    assert caught.value.reason == Reason.WRONG_PASSWORD


async def test_a_changed_login_asks_anew(
    sources: StreamSources, asker: FakeAsker, camera: int, register: Register
) -> None:
    await sources.choose(camera, "auto", H264)
    device = (await register.devices.all(ADMIN))[0]
    await register.devices.change(ADMIN, device.id, password="secret-2")
    chosen = await sources.choose(camera, "auto", H264)
    assert (source_of(chosen).password, chosen.spec.credentials_version) == ("secret-2", 2)
    assert len(asker.asked) == 2


async def test_what_the_stream_says_of_itself_counts(
    sources: StreamSources, camera: int, bus: EventBus, register: Register
) -> None:
    chosen = await sources.choose(camera, "auto", H264)
    with bus.subscribe(CameraChanged) as told:
        await sources.learned(chosen.stream_id, "h265", 704, 576)
        assert (await told.next()) == CameraChanged(camera, chosen.village_id)
    with pytest.raises(HubError) as caught:
        await sources.choose(camera, "auto", H264)
    assert caught.value.reason == Reason.NO_H264
    view = await register.cameras.get(ADMIN, camera)
    assert [(one.codec, one.width) for one in view.streams if one.role == "sub"] == [("h265", 704)]


async def test_a_retired_camera_is_not_pulled(sources: StreamSources, camera: int, register: Register) -> None:
    await register.cameras.retire(ADMIN, [camera])
    with pytest.raises(HubError) as caught:
        await sources.choose(camera, "auto", H264)
    assert caught.value.reason == Reason.RETIRED


async def test_a_camera_by_url_is_pulled_without_asking_and_is_no_error_to_synchronize(
    sources: StreamSources, asker: FakeAsker, register: Register, villages: list[int]
) -> None:
    found = await register.devices.register_url(ADMIN, villages[0], "大坝", "rtsp://u:p@10.1.1.1/live")
    chosen = await sources.choose(found.cameras[0].id, "auto", H264)
    assert (source_of(chosen).url, source_of(chosen).port, source_of(chosen).username) == (
        "rtsp://10.1.1.1/live",
        554,
        "u",
    )
    await sources.sync_point(chosen.stream_id)
    assert asker.asked == []
    assert asker.synchronized == []


async def test_a_key_frame_is_asked_of_the_profile(sources: StreamSources, asker: FakeAsker, camera: int) -> None:
    chosen = await sources.choose(camera, "auto", H264)
    await sources.sync_point(chosen.stream_id)
    assert asker.synchronized == ["p1s"]
