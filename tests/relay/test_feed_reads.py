"""A feed and what one read of its socket brings: several frames at once, foreign packets, B pictures."""

import struct
from dataclasses import dataclass, field

from camera_hub.errors import Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.login_permits import LoginPermitRequests
from camera_hub.relay.ingest.timestamps import TimestampMapper
from camera_hub.relay.ingest.video_pipeline import VideoPipeline
from camera_hub.relay.messages import FeedLearnt, FeedPhase, FeedSpec, FeedState, KeyFrame, RelayConfig, RtspLiveSource
from camera_hub.relay.rtsp.message import write_interleaved
from tests.fakes.clock import ManualClock
from tests.relay.clip import clip

IDR, P, B = b"\x65\x88body", b"\x41\x9abody", b"\x01\x9ebody"  # slice types 7, 5 and 6: I, P and B


@dataclass
class Observer:
    """Keeps what the feed reports."""

    states: list[FeedState] = field(default_factory=list)
    key_frames: list[bytes] = field(default_factory=list)
    learnt: list[FeedLearnt] = field(default_factory=list)

    def on_feed_state(self, state: FeedState) -> None:
        self.states.append(state)

    def on_feed_learnt(self, learnt: FeedLearnt) -> None:
        self.learnt.append(learnt)

    def on_key_frame(self, head: KeyFrame, access_unit: bytes) -> None:
        self.key_frames.append(access_unit)

    def on_key_frame_wanted(self, feed: str) -> None: ...


class PlayingFeed:
    """A feed whose session is set up, without a socket."""

    def __init__(self) -> None:
        self.clock, self.observer, self.sequence = ManualClock(), Observer(), 0
        config = RelayConfig()
        admission = AdmissionControl(1, 1, LoginPermitRequests(lambda _: None, asks=False), self.clock)
        source = RtspLiveSource("rtsp://192.0.2.1/1", "192.0.2.1", 554)
        self.feed = Feed(FeedSpec("s1", source), config, self.clock, admission, self.observer)
        self.feed._reader.begin(
            VideoPipeline(
                "h264", clip().parameters(), TimestampMapper(), limit=1200, first=0, ordered=True, payload_type=96
            )
        )
        self.feed.tap(0.5)

    def read(self, *units: bytes, kind: int = 96) -> None:
        """One read of the socket: each NAL unit is a frame of its own."""
        data = b""
        for unit in units:
            self.sequence += 1
            header = struct.pack("!BBHII", 0x80, 0x80 | kind, self.sequence, 3600 * self.sequence, 7)
            data += write_interleaved(0, header + unit)
        assert self.feed._reader.read_interleaved(data, 0, 0) == len(data)


async def test_only_key_frames_are_handed_out_as_key_frames_when_b_pictures_come_in_the_same_read() -> None:
    playing = PlayingFeed()
    playing.read(IDR)
    playing.clock.move(1.0)
    playing.read(P, B)
    assert len(playing.observer.key_frames) == 1
    assert playing.feed.figures.key_frames == 1
    assert playing.feed.state.reason is Reason.B_FRAMES
    playing.clock.move(1.0)
    playing.read(P, IDR, B)
    assert len(playing.observer.key_frames) == 2
    assert all(IDR in key_frame for key_frame in playing.observer.key_frames)


async def test_foreign_packets_do_not_count_as_the_stream_s_own() -> None:
    playing = PlayingFeed()
    playing.read(IDR)
    assert playing.feed.state.phase is FeedPhase.LIVE
    seen = playing.feed._reader.timeouts.packet_at
    playing.clock.move(9.0)
    playing.read(P, P, kind=97)
    assert playing.feed._reader.timeouts.packet_at == seen
    playing.feed._reader.on_packet(b"noise")
    assert playing.feed._reader.timeouts.packet_at == seen
    figures = playing.feed.read_figures()
    assert (figures["foreign_payload"], figures["bad_packets"]) == (2, 1)
    playing.read(b"x", P)
    assert playing.feed._reader.timeouts.packet_at == playing.clock.monotonic()


RECOVERY_POINT = b"\x06\x06\x01\x84\x80"


async def test_a_picture_that_decodes_is_not_cut_however_long_ago_its_key_frame_was() -> None:
    playing = PlayingFeed()
    playing.feed.tap(None)
    playing.read(IDR)
    for _ in range(50):
        playing.clock.move(1.0)
        playing.read(RECOVERY_POINT, P)
        playing.feed._check_stream(playing.clock.monotonic())
    assert (playing.feed.state.phase, playing.feed.state.reason) == (FeedPhase.LIVE, None)
    assert [learnt.kind for learnt in playing.observer.learnt] == [PeculiarityKind.INTRA_REFRESH]
    assert len(playing.feed.gop_cache.frames) == 51, "who comes now can begin"
    playing.feed.tap(0)
    playing.feed.tap(0)
    assert len(playing.observer.key_frames) == 1, "a look gets the last key frame, and not twice"
    assert playing.observer.key_frames[0].endswith(IDR)


async def test_after_a_loss_a_decoder_that_runs_goes_on_at_a_recovery_point() -> None:
    playing = PlayingFeed()
    playing.read(IDR, P)
    playing.sequence += 1  # a packet is lost
    playing.read(P, P, RECOVERY_POINT, P, P)
    figures = playing.feed.read_figures()
    assert (figures["frames"], figures["gaps"], figures["lost_gap"]) == (4, 1, 3)
