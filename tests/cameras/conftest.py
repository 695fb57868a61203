"""A register over a real database, with fakes at its seams."""

from collections.abc import AsyncIterator

import pytest

from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.register.proofs import Proofs
from camera_hub.cameras.register.register import Register
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN, FakeDescriber, FakeProver, FakeVault, described
from tests.fakes.clock import ManualClock
from tests.fakes.reach import local


@pytest.fixture
def describer() -> FakeDescriber:
    return FakeDescriber({"192.168.1.64": described()})


@pytest.fixture
def prover() -> FakeProver:
    return FakeProver()


@pytest.fixture
async def register(database: Database, bus: EventBus, clock: ManualClock, describer: FakeDescriber) -> Register:
    register = Register(database, bus, clock, FakeVault(), describer, DeviceChecks(database, local))
    await register.villages.add(["董家村", "石桥村"], "village")
    for village in await register.villages.all(ADMIN):
        await register.villages.change(village.id, ranges=["192.168.1.0/24", "10.0.0.0/24"])
    return register


@pytest.fixture
async def proofs(database: Database, bus: EventBus, clock: ManualClock, prover: FakeProver) -> AsyncIterator[Proofs]:
    async with Proofs(database, bus, clock, prover) as proofs:
        yield proofs


@pytest.fixture
async def villages(register: Register) -> list[int]:
    """Ids of the two villages that are there."""
    return [one.id for one in await register.villages.all(ADMIN)]
