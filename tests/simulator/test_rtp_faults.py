"""Faults of RTP packets: what the pure functions make, and what a peer receives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.picture.making import recipe_for, units
from camera_hub.simulator.picture.scenes import Look, SceneKind
from camera_hub.simulator.rtsp import rtp_faults
from camera_hub.simulator.rtsp.packets import Packet, h264_packets, h265_packets, nals_of
from camera_hub.simulator.testing import QUICK_SUB, alike, small_farm
from tests.simulator.peers import DEADLINE, RtspClient, decode

SPS, PPS, IDR = b"\x67abc", b"\x68d", b"\x65" + bytes(range(1, 200)) * 20
VPS, H265_SPS, H265_IDR = b"\x40\x01v", b"\x42\x01s", b"\x26\x01" + bytes(range(1, 200)) * 20

BRISK = replace(QUICK_SUB, fps=25, gov_length=8)
"""Key frames come three times a second."""


@pytest.mark.parametrize(
    ("codec", "nals"), [("h264", [SPS, PPS, IDR]), ("h265", [VPS, H265_SPS, H265_IDR]), ("h264", [b"\x41small"])]
)
def test_packets_are_taken_apart_into_the_units_that_they_were_made_of(codec: str, nals: list[bytes]) -> None:
    made = h265_packets(nals) if codec == "h265" else h264_packets(nals)
    assert nals_of(made, codec) == nals


@pytest.mark.parametrize(("codec", "nals"), [("h264", [SPS, PPS, IDR]), ("h265", [VPS, H265_SPS, H265_IDR])])
def test_a_joined_key_frame_is_one_unit_with_the_parameter_sets_type(codec: str, nals: list[bytes]) -> None:
    made = h265_packets(nals) if codec == "h265" else h264_packets(nals)
    assert nals_of(rtp_faults.joined(made, codec), codec) == [b"\0\0\0\1".join(nals)]


def test_foreign_packets_come_after_so_many_or_once_a_frame() -> None:
    packets = [Packet(bytes([number]), number == 8) for number in range(9)]
    once = rtp_faults.with_foreign(packets, 0, 0)
    assert [one.foreign_type is not None for one in once] == [False] * 9 + [True]
    tenth = [one.foreign_type is not None for one in rtp_faults.with_foreign(packets, 7, 5)]
    assert [number + 7 for number, foreign in enumerate(tenth) if foreign] == [9, 14]


def test_stray_bytes_are_three_to_twenty_and_the_same_again() -> None:
    made = [rtp_faults.stray(number) for number in range(300)]
    assert {len(one) for one in made} == set(range(3, 21))
    assert made == [rtp_faults.stray(number) for number in range(300)]
    faults = {Fault.STRAY_BYTES: 40.0}
    assert [bool(rtp_faults.conditions(faults, key=False, number=one).stray) for one in (38, 39, 40, 79)] == [
        False, True, False, True,
    ]  # fmt: skip


@dataclass(frozen=True)
class Rtp:
    """One packet as a receiver sees it."""

    payload_type: int
    marker: bool
    padding: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    @classmethod
    def read(cls, data: bytes) -> "Rtp":
        padding = data[-1] if data[0] & 0x20 else 0
        return cls(
            data[1] & 0x7F, data[1] >= 0x80, padding, int.from_bytes(data[2:4], "big"),
            int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big"), data[12 : len(data) - padding],
        )  # fmt: skip

    @property
    def key(self) -> bool:
        """Whether a frame with parameter sets begins here."""
        return self.payload[:1] != b"" and self.payload[0] & 0x1F == 24


def _numbered(seen: list[Rtp]) -> bool:
    return all(two.sequence == one.sequence + 1 & 0xFFFF for one, two in pairwise(seen))


def _foreign(seen: list[Rtp]) -> bool:
    foreign = [one for one in seen if one.payload_type == rtp_faults.FOREIGN_TYPE]
    return len(foreign) >= 2 and all(len(one.payload) == rtp_faults.FOREIGN_SIZE for one in foreign) and _numbered(seen)


def _empty(seen: list[Rtp]) -> bool:
    return {one.padding for one in seen if not one.payload} == {0, 8} and _numbered(seen)


def _restarts(seen: list[Rtp]) -> bool:
    keys = [one for one in seen if one.key]
    return len({one.ssrc for one in keys}) == len(keys) >= 2 and {one.sequence for one in keys} == {0}


def _renumbered(seen: list[Rtp]) -> bool:
    keys = [one for one in seen if one.key]
    return len(keys) >= 2 and len({one.ssrc for one in seen}) == 1 and {one.sequence for one in keys} == {0}


def _standing(seen: list[Rtp]) -> bool:
    return {one.timestamp for one in seen} == {0}


def _paired(seen: list[Rtp]) -> bool:
    stamps = [one.timestamp for one in seen if one.marker]
    return {stamps.count(stamp) for stamp in stamps[2:-2]} == {2}


def _unmarked(seen: list[Rtp]) -> bool:
    return not any(one.marker for one in seen)


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(plan=alike(1, BRISK)) as farm:
        yield farm


@pytest.fixture
def device(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


async def play(device: Device) -> RtspClient:
    client = await RtspClient.connect(device.state.plan.address, device.state.rtsp_port)
    await client.play(f"rtsp://{device.state.plan.address}:{device.state.rtsp_port}/Streaming/Channels/102")
    return client


FITS: dict[Fault, Callable[[list[Rtp]], bool]] = {
    Fault.FOREIGN_PAYLOAD: _foreign,
    Fault.EMPTY_PACKETS: _empty,
    Fault.SSRC_RESTARTS: _restarts,
    Fault.SEQUENCE_RESTARTS: _renumbered,
    Fault.STANDING_CLOCK: _standing,
    Fault.PAIRED_TIMESTAMPS: _paired,
    Fault.NO_MARKER: _unmarked,
}


async def test_each_fault_of_rtp_as_a_receiver_sees_it_while_it_plays() -> None:
    """Each at a camera of its own, at once."""

    async def seen_of(fault: Fault, device: Device) -> list[Rtp]:
        await site.set_fault(device.state.plan.key, fault)
        client = await play(device)
        seen: list[Rtp] = []
        async with asyncio.timeout(DEADLINE):
            while len(seen) < 24 or sum(one.key for one in seen) < 3:
                seen.append(Rtp.read(await client.rtp()))
        await client.close()
        return seen

    async with small_farm(plan=alike(len(FITS), BRISK)) as site:
        devices = list(site.devices.values())
        seen = await asyncio.gather(*map(seen_of, FITS, devices))
        for (fault, fits), packets, device in zip(FITS.items(), seen, devices, strict=True):
            assert fits(packets), fault
            assert device.state.stats.frames[f"{device.state.plan.key}-1/sub"] >= 15


async def test_stray_bytes_stand_between_frames_and_break_none(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.STRAY_BYTES, value=2)
    client = await play(device)
    found = 0
    async with asyncio.timeout(DEADLINE):
        while found < 2:
            head = await client.reader.readexactly(1)
            if head == b"$":
                await client.packet() if client.frames else await client._frame()
                continue
            number = next(
                number for number in range(1, 100) if (one := rtp_faults.stray(number)).startswith(head) and number % 2
            )
            found += 1
            assert len(one := rtp_faults.stray(number)) > 2
            assert await client.reader.readexactly(len(one) - 1) == one[1:]
    await client.close()


async def test_a_joined_key_frame_reaches_the_receiver_in_one_run_of_fragments(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.JOINED_KEY_FRAME)
    client = await play(device)
    first = Rtp.read(await client.rtp())
    assert (first.payload[0] & 0x1F, first.payload[1]) == (28, 0x80 | 7)
    assert first.payload.count(b"\0\0\0\1") == 2
    await client.close()


def test_intra_refresh_has_one_idr_and_recovery_points_and_decodes_without_either_but_the_first() -> None:
    recipe = recipe_for(Look(SceneKind.ROAD), QUICK_SUB, "DONGGOU", b_frames=False, refresh_seconds=4)
    made = list(units(recipe))
    assert [number for number, unit in enumerate(made) if unit.key] == [0]
    kinds = [[nal[0] & 0x1F for nal in unit.nals] for unit in made]
    assert [number for number, found in enumerate(kinds) if 6 in found] == [10, 20, 30]
    assert all(found == [7, 8, 6, 1] for found in kinds[10::10])
    start = b"\0\0\0\1"
    shown = decode("h264", [start + start.join(unit.nals) for unit in made])
    assert len(shown) == 40
    assert all(picture.std() > 20 for picture in shown)


async def test_intra_refresh_is_switched_while_somebody_watches(farm: Farm, device: Device) -> None:
    client = await play(device)
    await client.rtp()
    await farm.set_fault(device.state.plan.key, Fault.INTRA_REFRESH, value=4)
    async with asyncio.timeout(DEADLINE):
        while b"\x06\x06" not in (await client.rtp())[12:100]:  # a recovery point, behind its parameter sets
            pass
    await client.close()
