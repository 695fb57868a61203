"""The RTP sender of one player, without sockets: order, timestamps, queue, drops."""

import asyncio
import struct
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.ingest.gop_cache import GopCache
from camera_hub.relay.ingest.resend_history import ResendHistory
from camera_hub.relay.messages import FeedPhase, FeedState
from camera_hub.relay.rtsp_server.rtp_sender import PACKETS_AT_ONCE, RtpSender
from camera_hub.running import running


@dataclass
class Wire:
    """A transport that accepts what the test lets it accept."""

    name: str = "tcp"
    budget: int = 1 << 30
    sent: list[tuple[int, int, bytes, bool]] = field(default_factory=list)  # sequence, time, payload, marker
    reports: list[bytes] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, ssrc: int, sequence: int, timestamp: int, payloads: tuple[bytes, ...], start: int, end: int) -> None:
        for place in range(start, end):
            number = (sequence + place - start) & 0xFFFF
            self.sent.append((number, timestamp, payloads[place], place == len(payloads) - 1))

    def send_rtcp(self, packet: bytes) -> None:
        self.reports.append(packet)

    async def ready(self) -> None:
        await self.open.wait()

    def close(self) -> None: ...


@dataclass
class Feed:
    """A feed of frames that the test makes."""

    gop_cache: GopCache
    history: ResendHistory
    name: str = "a"
    codec: str | None = "h264"
    index: int = 0
    time: int = 900_000

    def frame(self, key: bool, packets: int = 2) -> Frame:
        """The next frame, 40 ms later; its payloads name it."""
        self.index += packets
        self.time += 3600
        payloads = tuple(f"{self.time}/{n}".encode() for n in range(packets))
        size = sum(map(len, payloads))
        frame = Frame(self.index - packets, self.time, key, payloads, (), size, self.time / 90_000)
        self.gop_cache.add(frame)
        self.history.add(frame, keep_from=self.gop_cache.first_index)
        return frame


def feed() -> Feed:
    return Feed(GopCache(max_bytes=1 << 20, max_seconds=10.0), ResendHistory(max_packets=2048, seconds=2.0))


def stream(wire: Wire, *, backlog: int = 1 << 20) -> tuple[RtpSender, list[str], list[str]]:
    """The stream, why it ended, and whose key frames it wanted."""
    ends: list[str] = []
    wanted: list[str] = []
    made = RtpSender("h264", wire, max_backlog=backlog, on_end=ends.append, on_key_frame_wanted=wanted.append)
    return made, ends, wanted


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_it_begins_with_the_cached_group_hurried_to_the_live_edge() -> None:
    one, wire = feed(), Wire()
    for number in range(10):
        one.frame(key=number == 0)
    made, _, _ = stream(wire)
    first = made.sequence
    time = made.play(one, hurried=True)
    wire.open.set()
    async with running(made.run(), "sender"):
        await settled()
        made.on_frame(one.frame(key=False))
    assert [sequence for sequence, *_ in wire.sent] == [(first + n) & 0xFFFF for n in range(22)]
    times = [at for _, at, _, marker in wire.sent if marker]
    assert times[0] == time
    assert [b - a for a, b in pairwise(times)] == [90] * 9 + [3600]


async def test_for_a_recorder_it_begins_with_the_cached_group_as_it_was_taken() -> None:
    one, wire = feed(), Wire()
    taken = [one.frame(key=number == 0).timestamp for number in range(10)]
    made, _, _ = stream(wire)
    time = made.play(one, hurried=False)
    wire.open.set()
    async with running(made.run(), "sender"):
        await settled()
        taken.append((live := one.frame(key=False)).timestamp)
        made.on_frame(live)
        times = [at for _, at, _, marker in wire.sent if marker]
        assert times[0] == time
        assert [b - a for a, b in pairwise(times)] == [b - a for a, b in pairwise(taken)] == [3600] * 10
        made.pause()
        made.play(one, hurried=False)  # within the same group: its frames were sent, time must not step back
        await settled()
    again = [at for _, at, _, marker in wire.sent if marker][len(times) :]
    assert len(again) == 11
    assert all(b > a for a, b in pairwise([times[-1], *again]))


async def test_without_a_cached_group_it_asks_for_a_key_frame_and_waits_for_it() -> None:
    one, wire = feed(), Wire()
    made, _, wanted = stream(wire)
    assert made.play(one, hurried=True) is None
    assert wanted == ["a"]
    made.on_frame(one.frame(key=False))
    assert wire.sent == []
    made.on_frame(one.frame(key=True))
    made.on_frame(one.frame(key=False))
    assert len(wire.sent) == 4
    assert made.figures.dropped_frames == 1


async def test_a_slow_player_drops_to_the_next_key_frame_and_never_half_a_frame() -> None:
    one, wire = feed(), Wire()
    made, _, _ = stream(wire, backlog=4000)
    made.play(one, hurried=True)
    wire.budget = 1  # one piece fits, then the player reads no more
    large = one.frame(key=True, packets=PACKETS_AT_ONCE * 3)
    made.on_frame(large)
    wire.budget = 0
    for _ in range(400):
        made.on_frame(one.frame(key=False))
    made.on_frame(one.frame(key=True))
    last = one.frame(key=False)
    made.on_frame(last)
    wire.budget = 1 << 30
    wire.open.set()
    async with running(made.run(), "sender"):
        await settled()
    payloads = [payload for _, _, payload, _ in wire.sent]
    assert payloads[: PACKETS_AT_ONCE * 3] == list(large.payloads), "what was begun is finished"
    assert payloads[-2:] == list(last.payloads)
    numbers = [sequence for sequence, *_ in wire.sent]
    assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
    assert made.figures.dropped_frames > 300
    assert made.figures.dropped_frames + made.figures.frames == 403


async def test_after_a_break_of_the_feed_it_goes_on_with_a_key_frame() -> None:
    one, wire = feed(), Wire()
    made, ends, _ = stream(wire)
    made.play(one, hurried=True)
    made.on_frame(one.frame(key=True))
    made.on_feed_state(FeedState("a", FeedPhase.FAILED, reason="stalled"))
    made.on_frame(one.frame(key=False))
    assert len(wire.sent) == 2
    made.on_feed_state(FeedState("a", FeedPhase.LIVE, codec="h264"))
    made.on_frame(one.frame(key=True))
    assert len(wire.sent) == 4
    assert ends == []


async def test_what_the_description_does_not_cover_ends_it() -> None:
    for state, reason in (
        (FeedState("a", FeedPhase.LIVE, codec="h265"), "codec_changed"),
        (FeedState("a", FeedPhase.LIVE, codec="h264", reason="b_frames"), "b_frames"),
        (FeedState("a", FeedPhase.FAILED, reason="codec_unsupported", final=True), "codec_unsupported"),
    ):
        made, ends, _ = stream(Wire())
        made.on_feed_state(state)
        assert ends == [reason]


async def test_a_paused_player_gets_nothing_until_it_plays_again() -> None:
    one, wire = feed(), Wire()
    made, _, _ = stream(wire)
    made.play(one, hurried=True)
    made.on_frame(one.frame(key=True))
    made.pause()
    made.on_frame(one.frame(key=False))
    assert len(wire.sent) == 2
    before = made.sequence
    made.play(one, hurried=True)
    wire.open.set()
    async with running(made.run(), "sender"):
        await settled()
    assert wire.sent[2][0] == before & 0xFFFF, "the sequence goes on"
    assert len(wire.sent) == 2 + 4


async def test_a_sender_report_says_which_moment_a_timestamp_is() -> None:
    one, wire = feed(), Wire()
    made, _, _ = stream(wire)
    made.play(one, hurried=True)
    frame = one.frame(key=True)
    made.send_report(1_800_000_000.5, frame.timestamp / 90_000)
    assert wire.reports == [], "nothing was sent yet"
    made.on_frame(frame)
    made.send_report(1_800_000_000.5, frame.timestamp / 90_000)
    _, kind, _, ssrc, ntp, rtp, packets, octets = struct.unpack("!BBHIQIII", wire.reports[0][:28])
    assert (kind, ssrc, packets, octets) == (200, made.ssrc, 2, frame.size)
    assert rtp == wire.sent[0][1], "the frame's own timestamp at the frame's own moment"
    assert ntp >> 32 == 1_800_000_000 + 2_208_988_800


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 60), st.integers(0, 3)), min_size=1, max_size=60), st.booleans()
)
def test_sequences_never_jump_and_times_never_step_back(steps: list[tuple[bool, int, int]], hurried: bool) -> None:
    """Whatever a player reads when: frames of any size, a way that opens and shuts, breaks and new plays."""

    async def walk() -> None:
        one, wire = feed(), Wire()
        made, _, _ = stream(wire, backlog=3000)
        made.play(one, hurried=hurried)
        wire.open.set()
        async with running(made.run(), "sender"):
            for key, packets, what in steps:
                wire.budget = (0, 200, 1 << 30, 1 << 30)[what]
                made.on_frame(one.frame(key, packets))
                if what == 3:
                    made.pause()
                    made.play(one, hurried=hurried)
                await asyncio.sleep(0)
            wire.budget = 1 << 30
            await settled()
        numbers = [sequence for sequence, *_ in wire.sent]
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
        ends = [at for _, at, _, marker in wire.sent if marker]
        assert all((b - a) & 0xFFFFFFFF < 1 << 31 and a != b for a, b in pairwise(ends))

    asyncio.run(walk())
