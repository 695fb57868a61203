"""What the relay sends unasked stays bounded while the hub does not read, and is current afterwards."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from camera_hub.errors import HubError
from camera_hub.relay.process.health import rss_bytes
from camera_hub.relay.process.outbox import (
    LAG_MESSAGES,
    MAX_BYTES,
    MAX_KEY_FRAMES,
    MAX_MESSAGES,
    STALL_SECONDS,
    HubOutbox,
)
from camera_hub.running import running
from camera_hub.wire import MAX_FRAME, Pipe, PipeFrame
from tests.fakes.clock import ManualClock
from tests.relay.hub import relay
from tests.relay.peer import viewer

MIB = 1024 * 1024


@asynccontextmanager
async def outbox(clock: ManualClock) -> AsyncIterator[tuple[HubOutbox, Pipe]]:
    """A running outbox, and the hub's end of its socket pair, which nobody reads yet."""
    ours, theirs = socket.socketpair()
    near, far = [Pipe(*await asyncio.open_connection(sock=end)) for end in (ours, theirs)]
    made = HubOutbox(near, clock)
    try:
        async with running(made.run(), "outbox"):
            yield made, far
    finally:
        await far.close()
        await near.close()


async def read_until(hub: Pipe, type_: str) -> list[PipeFrame]:
    """What comes up to and without the first message of this type."""
    found = []
    async with asyncio.timeout(60):
        while (frame := await hub.receive()) is not None and frame.type != type_:
            found.append(frame)
    return found


def track_state(track: int, serial: int) -> dict[str, Any]:
    return {"type": "track.state", "viewer": "v", "track": track, "serial": serial, "phase": "waiting"}


async def test_a_hub_that_keeps_up_gets_every_message_in_order(clock: ManualClock) -> None:
    async with outbox(clock) as (made, hub):
        heads = [track_state(0, serial) for serial in range(LAG_MESSAGES - 2)]
        for head in heads:
            made.post(head)
        made.post({"type": "end"})
        assert [frame.head for frame in await read_until(hub, "end")] == heads
        assert not any(made.read_figures().values())


async def test_a_hub_that_does_not_read_for_a_minute_costs_bounded_memory_and_then_learns_the_current_states(
    clock: ManualClock,
) -> None:
    tracks, messages, key_frame = 320, 48_000, bytes(200_000)
    async with outbox(clock) as (made, hub):
        before, most = rss_bytes(), 0
        for number in range(messages):
            made.post(track_state(number % tracks, number))
            if number % 400 == 0:
                made.post({"type": "key_frame", "feed": f"s{number}", "codec": "h264"}, key_frame)
                made.post({"type": "login.said", "turn": number, "outcome": "over"})
                most = max(most, rss_bytes())
            if number % (messages // 12) == 0:
                await clock.advance(5.0)
            waiting, size = made.waiting
            assert waiting <= MAX_MESSAGES
            assert size <= MAX_BYTES
        await clock.advance(STALL_SECONDS)
        assert most - before <= MAX_BYTES + 8 * MIB
        figures = made.read_figures()
        assert figures["hub_stalls"] == int(60 / STALL_SECONDS)
        assert figures["unsent_messages"] < 2 * LAG_MESSAGES
        made.post({"type": "end"})
        said = await read_until(hub, "end")
        newest = {frame.head["track"]: frame.head["serial"] for frame in said if frame.type == "track.state"}
        assert newest == {number % tracks: number for number in range(messages - tracks, messages)}
        figures = made.read_figures()
        states = sum(frame.type == "track.state" for frame in said)
        assert states + figures["coalesced_states"] == messages
        assert sum(frame.type == "login.said" for frame in said) == messages // 400
        key_frames = [frame for frame in said if frame.type == "key_frame"]
        assert len(key_frames) + figures["dropped_key_frames"] == messages // 400
        assert len(key_frames) <= MAX_KEY_FRAMES + 6, "and what socket and stream had buffered"
        assert key_frames[-1].head["feed"] == f"s{messages - 400}", "the oldest are dropped"
        assert figures["dropped_messages"] == 0
        assert (figures["unsent_messages"], figures["unsent_bytes"]) == (0, 0)
        made.post(track_state(0, messages))
        made.post({"type": "end"})
        assert [frame.head["serial"] for frame in await read_until(hub, "end")] == [messages], "it goes on"


async def test_beyond_its_bounds_key_frames_go_first_then_the_oldest_messages(clock: ManualClock) -> None:
    async with outbox(clock) as (made, hub):
        made.post({"type": "filler"}, bytes(MAX_FRAME - 100))  # fills the socket
        await clock.settle()
        made.post({"type": "key_frame", "feed": "s1"}, bytes(100))
        for number in range(MAX_MESSAGES + 10):
            made.post({"type": "login.said", "turn": number})
        assert made.waiting[0] == MAX_MESSAGES
        assert made.figures.dropped_key_frames == 1
        assert made.figures.dropped_messages == 10
        made.post({"type": "end"})  # and so one more goes
        turns = [frame.head["turn"] for frame in await read_until(hub, "end") if frame.type == "login.said"]
        assert turns == list(range(11, MAX_MESSAGES + 10))


async def test_big_key_frames_are_bounded_by_their_bytes_and_one_beyond_the_limit_of_a_frame_is_dropped(
    clock: ManualClock,
) -> None:
    async with outbox(clock) as (made, _):
        for number in range(20):
            made.post({"type": "key_frame", "feed": f"s{number}"}, bytes(3 * MIB))
            assert made.waiting[1] <= MAX_BYTES
        before = made.figures.dropped_key_frames
        made.post({"type": "key_frame", "feed": "s1"}, bytes(MAX_FRAME))
        assert made.figures.dropped_key_frames == before + 1


async def test_a_state_of_another_kind_or_track_replaces_nothing(clock: ManualClock) -> None:
    async with outbox(clock) as (made, hub):
        made.post({"type": "filler"}, bytes(MAX_FRAME - 100))
        await clock.settle()
        for turn in range(LAG_MESSAGES):
            made.post({"type": "login.said", "turn": turn})
        states: list[dict[str, Any]] = [
            {"type": "feed.state", "feed": "s1", "phase": "live"},
            {"type": "feed.state", "feed": "s2", "phase": "live"},
            {"type": "viewer.state", "viewer": "v", "state": "connected"},
            {"type": "viewer.link", "viewer": "v", "level": "light"},
            {"type": "audio.state", "viewer": "v", "serial": 1, "phase": "live"},
            track_state(1, 1),
            track_state(2, 1),
        ]
        for state in [*states, *states]:
            made.post(state)
        made.post({"type": "end"})
        said = [frame.head for frame in await read_until(hub, "end")]
        assert said[-len(states) :] == states
        assert made.figures.coalesced_states == len(states)


async def test_it_ends_when_the_hub_is_gone_in_the_middle_of_a_stall(clock: ManualClock) -> None:
    ours, theirs = socket.socketpair()
    near, far = [Pipe(*await asyncio.open_connection(sock=end)) for end in (ours, theirs)]
    made = HubOutbox(near, clock)
    sending = asyncio.create_task(made.run())
    try:
        made.post({"type": "filler"}, bytes(MAX_FRAME - 100))
        await clock.advance(2 * STALL_SECONDS)
        assert made.figures.hub_stalls == 2
        await far.close()
        await asyncio.wait_for(sending, 60)
    finally:
        await near.close()


async def test_a_relay_outlives_a_hub_that_writes_and_does_not_read() -> None:
    """The whole relay: 12,000 commands, each answered by a state, while its hub reads nothing."""
    async with relay() as hub, viewer(hub, tracks=2):
        await hub.until("viewer.state")
        hub.reads.clear()
        for serial in range(1, 12_001):
            await hub.pipe.send(
                {"type": "track.show", "viewer": "v", "track": serial % 2, "feed": "s1", "serial": serial}
            )
        hub.reads.set()
        figures = (await hub.call("figures"))["relay"]
        assert figures["coalesced_states"] > 0
        assert figures["unsent_messages"] <= MAX_MESSAGES
        await hub.until("track.state", lambda head: head["serial"] == 11_999)
        await hub.until("track.state", lambda head: head["serial"] == 12_000)
        with pytest.raises(HubError):
            await hub.call("viewer.close", viewer="")
        await hub.call("viewer.close", viewer="v")
