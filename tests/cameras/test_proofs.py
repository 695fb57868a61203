"""The proof of a camera: said only of one that showed a picture, and nothing of it is lost by a restart."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from camera_hub.cameras.register.proof_state import HUB_SIDE, after_attempt
from camera_hub.cameras.register.proofs import Proofs
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.register.views import CameraView
from camera_hub.errors import DATABASE_REASONS, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera
from tests.cameras.fakes import ADMIN, FakeDescriber, FakeProver, described
from tests.fakes.clock import ManualClock

HOST = "192.168.1.64"
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def said(camera: CameraView) -> tuple[str, str | None, bool]:
    return camera.proof_state, camera.proof, camera.proving


async def registered(register: Register, village: int) -> CameraView:
    return (await register.devices.register(ADMIN, village, HOST)).cameras[0]


@pytest.mark.parametrize("reason", [Reason.NO_MEDIA, Reason.WRONG_PASSWORD, Reason.TIMED_OUT, Reason.BLACK])
def test_what_the_camera_did_is_a_failed_proof(reason: Reason) -> None:
    outcome = after_attempt(reason, 3, NOON)
    assert (outcome.state, outcome.reason, outcome.due_at) == ("failed", reason, None)


def test_a_database_that_fails_says_nothing_of_a_camera() -> None:
    assert DATABASE_REASONS <= HUB_SIDE


@pytest.mark.parametrize("reason", sorted(HUB_SIDE))
def test_what_the_hub_did_is_tried_again_with_growing_pauses_and_never_stored(reason: str) -> None:
    pauses, attempts = [], 0
    for _ in range(12):
        outcome = after_attempt(reason, attempts, NOON)
        assert (outcome.state, outcome.reason, outcome.attempts) == ("pending", None, attempts + 1)
        assert outcome.due_at is not None
        pauses.append((outcome.due_at - NOON).total_seconds())
        attempts = outcome.attempts
    assert pauses[:2] == [10, 20]
    assert pauses[-1] == 600
    assert all(earlier <= later for earlier, later in pairwise(pauses))


async def test_nothing_is_proved_before_it_showed_a_picture(register: Register, villages: list[int]) -> None:
    """No part that proves runs here, as before a hub's first look: the camera waits, and says so."""
    camera = await registered(register, villages[0])
    assert said(camera) == ("pending", None, True)
    assert said(await register.cameras.get(ADMIN, camera.id)) == ("pending", None, True)


async def test_a_failed_picture_does_not_undo_a_registration(
    register: Register, villages: list[int], proofs: Proofs, prover: FakeProver, bus: EventBus
) -> None:
    prover.gate.clear()
    with bus.subscribe(CameraChanged) as events:
        camera = await registered(register, villages[0])
        assert camera.proving
        await events.next()
        prover.verdicts[camera.id] = Reason.NO_MEDIA
        prover.gate.set()
        await events.next()
    failed = await register.cameras.get(ADMIN, camera.id)
    assert (failed.state, *said(failed)) == ("approved", "failed", Reason.NO_MEDIA, False)
    with bus.subscribe(CameraChanged) as events:
        del prover.verdicts[camera.id]
        await register.cameras.prove(ADMIN, camera.id)
        await events.next()
        await events.next()
    assert said(await register.cameras.get(ADMIN, camera.id)) == ("proved", None, False)


async def test_proofs_are_bounded_per_device(
    register: Register,
    villages: list[int],
    describer: FakeDescriber,
    proofs: Proofs,
    prover: FakeProver,
    bus: EventBus,
) -> None:
    describer.devices[HOST] = described(channels=8)
    prover.gate.clear()
    with bus.subscribe(CameraChanged) as events:
        found = await register.devices.register(ADMIN, villages[0], HOST)
        await prover.started.wait()
        await proofs._start_due()
        assert len(proofs._running) == 2
        prover.gate.set()
        for _ in range(16):
            await events.next()
    assert sorted(prover.asked) == [camera.id for camera in found.cameras]
    assert prover.most == 2
    assert {one.proof_state for one in await register.cameras.all(ADMIN)} == {"proved"}


async def test_a_restart_forgets_no_proof(
    register: Register, villages: list[int], database: Database, bus: EventBus, clock: ManualClock
) -> None:
    stuck, well = FakeProver(), FakeProver()
    stuck.gate.clear()
    async with Proofs(database, bus, clock, stuck):
        camera = await registered(register, villages[0])
        await stuck.started.wait()
    assert stuck.running == 0
    assert said(await register.cameras.get(ADMIN, camera.id)) == ("pending", None, True)
    with bus.subscribe(CameraChanged) as events:
        async with Proofs(database, bus, clock, well):
            await events.next()
    assert said(await register.cameras.get(ADMIN, camera.id)) == ("proved", None, False)


async def test_a_busy_hub_tries_again_when_it_is_due_and_accuses_nobody(
    register: Register, villages: list[int], proofs: Proofs, prover: FakeProver, bus: EventBus, clock: ManualClock
) -> None:
    prover.default = Reason.BUSY
    with bus.subscribe(CameraChanged) as events:
        camera = await registered(register, villages[0])
        await events.next()
        await events.next()
        assert said(await register.cameras.get(ADMIN, camera.id)) == ("pending", None, True)
        clock.move(9)
        assert await proofs._start_due() == pytest.approx(1)
        assert len(prover.asked) == 1
        prover.default = None
        clock.move(1)
        await proofs._start_due()
        await events.next()
    assert len(prover.asked) == 2
    assert said(await register.cameras.get(ADMIN, camera.id)) == ("proved", None, False)


async def test_the_next_try_comes_by_itself(
    register: Register, villages: list[int], database: Database, bus: EventBus
) -> None:
    clock, prover = ManualClock(auto=True), FakeProver()
    prover.default = Reason.BUSY
    camera = await registered(register, villages[0])
    with bus.subscribe(CameraChanged) as events:
        async with Proofs(database, bus, clock, prover):
            for _ in range(3):
                await events.next()
            prover.default = None
            while (await register.cameras.get(ADMIN, camera.id)).proving:
                await events.next()
    assert len(prover.asked) >= 4


async def test_a_verdict_of_the_old_login_does_not_count_for_the_new_one(
    register: Register, villages: list[int], proofs: Proofs, prover: FakeProver, bus: EventBus, clock: ManualClock
) -> None:
    prover.gate.clear()
    found = await register.devices.register(ADMIN, villages[0], HOST, username="admin", password="wrong")
    await prover.started.wait()
    clock.move(1)
    await register.devices.change(ADMIN, found.device.id, password="right")
    prover.verdicts_in_order = [Reason.WRONG_PASSWORD, None]
    with bus.subscribe(CameraChanged) as events:
        prover.gate.set()
        await events.next()  # the one of the second try: the first changes nothing
    assert len(prover.asked) == 2
    assert said(await register.cameras.get(ADMIN, found.cameras[0].id)) == ("proved", None, False)


async def test_a_retired_camera_is_not_tried_until_it_is_back(
    register: Register, villages: list[int], proofs: Proofs, prover: FakeProver, bus: EventBus, database: Database
) -> None:
    prover.default = Reason.BUSY
    with bus.subscribe(CameraChanged) as events:
        camera = await registered(register, villages[0])
        await events.next()
        await events.next()
    (retired,) = await register.cameras.retire(ADMIN, [camera.id])
    assert said(retired) == ("pending", None, False)
    await proofs._start_due()
    assert prover.asked == [camera.id]
    prover.default = None
    with bus.subscribe(CameraChanged) as events:
        await register.cameras.approve(ADMIN, [camera.id])
        await events.next()
        await events.next()
    assert prover.asked == [camera.id] * 2
    async with database.read() as session:
        row = await session.get_one(Camera, camera.id)
    assert (row.proof_state, row.proof_due_at) == ("proved", None)
