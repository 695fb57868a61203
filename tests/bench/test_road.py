"""What a bad road does: lanes with the time given, and datagrams that really travel."""

import asyncio
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.bench.impairment import Impairment, Lane
from camera_hub.bench.road import Road, road, through


def fates(how: Impairment, count: int, *, seed: int = 1, every: float = 0.001, size: int = 1000) -> list[float | None]:
    lane = Lane(seed, how)
    return [lane.out(size, number * every) for number in range(count)]


def test_a_clear_lane_delays_and_loses_nothing() -> None:
    assert fates(Impairment(), 3) == [0.0, 0.001, 0.002]


@pytest.mark.parametrize("burst", [1.0, 4.0])
def test_the_share_that_is_lost_is_the_one_asked_for(burst: float) -> None:
    lost = [fate is None for fate in fates(Impairment(loss=0.05, burst=burst), 40_000)]
    assert 0.04 < sum(lost) / len(lost) < 0.06
    runs = sum(now and not before for before, now in zip([False, *lost], lost, strict=False))
    assert sum(lost) / runs == pytest.approx(burst, rel=0.15)


def test_the_same_seed_has_the_same_fate_and_another_one_another() -> None:
    how = Impairment(loss=0.2, jitter=0.05)
    assert fates(how, 200, seed=3) == fates(how, 200, seed=3)
    assert fates(how, 200, seed=3) != fates(how, 200, seed=4)


@given(st.integers(), st.floats(0, 0.1), st.floats(0, 0.1))
def test_jitter_keeps_the_order_unless_it_may_not(seed: int, delay: float, jitter: float) -> None:
    outs = [out for out in fates(Impairment(delay=delay, jitter=jitter), 50, seed=seed) if out is not None]
    assert outs == sorted(outs)
    assert all(number * 0.001 + delay <= out + 1e-9 for number, out in enumerate(outs))
    free = [
        out for out in fates(Impairment(delay=delay, jitter=jitter, reorder=True), 50, seed=seed) if out is not None
    ]
    assert all(-1e-9 <= out - number * 0.001 - delay <= jitter + 1e-9 for number, out in enumerate(free))


def test_jitter_that_reorders_does() -> None:
    outs = [out for out in fates(Impairment(jitter=0.05, reorder=True), 200) if out is not None]
    assert outs != sorted(outs)


def test_a_thin_link_carries_its_rate_and_drops_what_its_queue_does_not_hold() -> None:
    lane = Lane(0, Impairment(rate=80_000, queue=5_000))  # 10 kB/s, 1,000 bytes take 0.1 s
    first = [lane.out(1000, 0.0) for _ in range(8)]
    assert first[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert first[5:] == [None] * 3
    assert lane.figures.overflowed == 3
    assert lane.out(1000, 0.1) == pytest.approx(0.6)
    assert lane.out(1000, 2.0) == pytest.approx(2.1)


def test_silence_loses_everything_until_it_ends() -> None:
    lane = Lane(0)
    lane.silence(1.0)
    assert [lane.out(10, now) for now in (0.5, 0.99, 1.0)] == [None, None, 1.0]
    assert (lane.figures.silenced, lane.figures.passed) == (2, 1)


@pytest.mark.parametrize("values", [{"loss": 1.0}, {"burst": 0.5}, {"delay": -1.0}, {"jitter": -0.1}, {"rate": 0.0}])
def test_what_makes_no_sense_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"at least|positive"):
        Impairment(**values)  # type: ignore[arg-type]


class Echo(asyncio.DatagramProtocol):
    """A relay that sends everything back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        cast(asyncio.DatagramTransport, self.transport).sendto(data, addr)


class Browser(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.put_nowait(data)


async def asked(way: Road, browser: Browser, words: list[bytes]) -> asyncio.DatagramTransport:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: browser, remote_addr=("127.0.0.1", way.port)
    )
    for word in words:
        transport.sendto(word)
    return transport


async def test_datagrams_of_one_moment_keep_their_order() -> None:
    loop = asyncio.get_running_loop()
    relay, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with road(relay.get_extra_info("sockname")[1], seed=2) as way, asyncio.timeout(60):
        way.up.impairment = way.down.impairment = Impairment(jitter=0.05)
        browser, words = Browser(), [bytes([number]) for number in range(100)]
        transport = await asked(way, browser, words)
        assert [await browser.got.get() for _ in words] == words
        transport.close()
    relay.close()
    await asyncio.sleep(0)


async def test_datagrams_go_both_ways_each_browser_by_its_own() -> None:
    loop = asyncio.get_running_loop()
    relay, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    port = relay.get_extra_info("sockname")[1]
    async with road(port) as way, asyncio.timeout(60):
        way.down.impairment = Impairment(delay=0.01, jitter=0.01)
        way.loses = lambda data: data == b"picked"
        one, two = Browser(), Browser()
        transports = [await asked(way, one, [b"a", b"picked", b"b"]), await asked(way, two, [b"c"])]
        assert [await one.got.get(), await one.got.get(), await two.got.get()] == [b"a", b"b", b"c"]
        assert (way.picked, way.refused, way.up.figures.passed, way.down.figures.passed) == (1, 0, 4, 3)
        for transport in transports:
            transport.close()
    relay.close()
    await asyncio.sleep(0)


def test_an_answer_is_led_over_the_road() -> None:
    line = "a=candidate:1 1 udp 2130706431 127.0.0.1 8189 typ host"
    assert through(line, 8189, 5000) == "a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host"
