"""The pool of eyes against eyes that hang and crash, and one real eye."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Sequence

import pytest

from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Look
from camera_hub.media.child_process import Process, spawn_process
from camera_hub.media.decoders.pool import DecoderPool
from camera_hub.media.decoders.quarantine import Quarantine
from camera_hub.settings import EyeSettings
from tests.eye.key_frames import key_frame
from tests.fakes.clock import ManualClock
from tests.media.conftest import FAKE_EYE

LOOK = Look("h264")


@pytest.fixture
def quarantined() -> list[int]:
    """Cameras that the pool has told."""
    return []


@pytest.fixture
def patience() -> float:
    """Seconds that a picture may take: more than a busy machine needs for one."""
    return 60.0


@pytest.fixture
async def pool(quarantined: list[int], patience: float) -> AsyncIterator[DecoderPool]:
    settings = EyeSettings(processes=1, picture_timeout=patience)
    async with DecoderPool(settings, SystemClock(), FAKE_EYE, quarantined.append) as pool:
        yield pool


async def test_a_look_is_answered(pool: DecoderPool) -> None:
    seen, jpeg = await pool.look(1, LOOK, b"fine")
    assert (seen.width, seen.height, jpeg) == (64, 48, b"jpeg")


@pytest.mark.slow
@pytest.mark.parametrize(("picture", "patience"), [(b"hang", 1.0), (b"crash", 60.0)])
async def test_an_eye_that_a_picture_ended_is_replaced_and_the_caller_told(pool: DecoderPool, picture: bytes) -> None:
    with pytest.raises(HubError) as error:
        await pool.look(1, LOOK, picture)
    assert error.value.reason == Reason.UNDECODABLE
    pool._settings = EyeSettings(processes=1, picture_timeout=60)  # the next one may take long on a busy machine
    assert (await pool.look(1, LOOK, b"fine"))[1] == b"jpeg"
    assert pool.figures["killed"] == 1


async def test_a_picture_that_cannot_be_decoded_costs_no_eye(pool: DecoderPool) -> None:
    for _ in range(4):
        with pytest.raises(HubError) as error:
            await pool.look(1, LOOK, b"broken")
        assert error.value.reason == Reason.UNDECODABLE
    assert pool.figures["killed"] == 0


@pytest.mark.slow
async def test_a_camera_that_ended_three_eyes_is_quarantined_alone_and_told(
    pool: DecoderPool, quarantined: list[int]
) -> None:
    for _ in range(3):
        with pytest.raises(HubError):
            await pool.look(1, LOOK, b"crash")
    with pytest.raises(HubError) as error:
        await pool.look(1, LOOK, b"fine")
    assert (error.value.kind, error.value.reason) == (Kind.UNAVAILABLE, Reason.QUARANTINED)
    assert quarantined == [1]
    assert (await pool.look(2, LOOK, b"fine"))[1] == b"jpeg"


async def test_looks_queue_for_the_one_eye(pool: DecoderPool) -> None:
    results = await asyncio.gather(*(pool.look(n, LOOK, b"fine") for n in range(20)))
    assert [jpeg for _, jpeg in results] == [b"jpeg"] * 20


async def test_an_eye_is_started_when_a_picture_waits_and_ended_when_none_has_come_for_a_while() -> None:
    clock, started = ManualClock(), list[Process]()

    async def spawn(command: Sequence[str], theirs: socket.socket) -> Process:
        started.append(await spawn_process(command, theirs))
        return started[-1]

    async with DecoderPool(EyeSettings(processes=3), clock, FAKE_EYE, spawn=spawn) as pool:
        assert not started
        for number in (1, 2):
            looking = asyncio.create_task(pool.look(1, LOOK, b"fine"))
            while not looking.done():  # the pause before the next start is the clock's
                await asyncio.wait([looking], timeout=0.05)
                await clock.advance(0.1)
            assert looking.result()[1] == b"jpeg"
            assert len(started) == number
            await clock.advance(65)  # cameras are looked at once a minute
            assert pool._idle.qsize() == 1
            assert (await pool.look(1, LOOK, b"fine"))[1] == b"jpeg"
            await clock.advance(65)
            assert started[-1].returncode is None
            await clock.advance(26)
            async with asyncio.timeout(60):
                await started[-1].wait()
    assert pool.figures["killed"] == 0


async def test_who_waits_gets_another_eye_when_the_first_is_taken_before_him() -> None:
    async with DecoderPool(EyeSettings(processes=2, picture_timeout=60), SystemClock(), FAKE_EYE) as pool:
        await pool.look(1, LOOK, b"fine")
        eye = await pool._idle.get()
        first = asyncio.create_task(pool.look(1, LOOK, b"fine"))
        await asyncio.sleep(0)  # it waits, and an eye is about to be started for it
        second = asyncio.create_task(pool.look(2, LOOK, b"hang"))
        pool._idle.put_nowait(eye)  # which need not be, now; but it is the second who runs first and takes it
        assert (await first)[1] == b"jpeg"
        assert not second.done()
        second.cancel()
        await asyncio.wait([second])


async def test_a_busy_eye_is_not_ended() -> None:
    clock = ManualClock()
    async with DecoderPool(EyeSettings(processes=1, picture_timeout=60), clock, FAKE_EYE) as pool:
        await pool.look(1, LOOK, b"fine")
        eye = await pool._idle.get()
        clock.move(1000)
        assert not pool._withdrawn(eye)
        pool._idle.put_nowait(eye)
        assert pool._withdrawn(eye)
        assert pool._idle.empty()


def test_strikes_are_forgotten_after_their_window() -> None:
    quarantine = Quarantine(limit=3, window=300)
    for at in (0.0, 100.0, 200.0):
        assert not quarantine.holds(1, at)
        quarantine.strike(1, at)
    assert quarantine.holds(1, 200.0)
    assert quarantine.holds(1, 299.9)
    assert not quarantine.holds(1, 300.0)
    quarantine.strike(1, 301.0)
    assert quarantine.holds(1, 302.0)


async def test_a_real_eye_decodes_and_survives_being_killed_between_pictures() -> None:
    async with DecoderPool(EyeSettings(processes=1, picture_timeout=60), SystemClock()) as pool:
        seen, jpeg = await pool.look(1, Look("h264", max_width=160, scores=True), key_frame("libx264", 320, 240))
        assert (seen.width, seen.height, jpeg[:3]) == (320, 240, b"\xff\xd8\xff")
        assert seen.memory is not None
        eye = await pool._idle.get()
        pool._idle.put_nowait(eye)
        os.kill(eye.process.pid, signal.SIGKILL)
        await eye.process.wait()
        assert (await pool.look(1, LOOK, key_frame("libx264", 320, 240)))[0].width == 320
