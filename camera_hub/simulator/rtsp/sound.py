"""A channel's sound: a steady tone with its own pitch, paced once for all listeners."""

import asyncio
import math
import secrets
import zlib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel, Sound
from camera_hub.simulator.rtsp.packets import Packet
from camera_hub.simulator.rtsp.receiver import Conditions, Receiver
from camera_hub.simulator.state import DeviceState

SECONDS = 2
"""Length of the loop; every pitch is a whole number of hertz, so that it closes without a click."""
_LOUDNESS = 0.25
_CLEAR = Conditions()
_LATEST = 1.0
"""Seconds that the sound may lag before it skips instead of catching up."""


@dataclass(frozen=True, slots=True)
class _Format:
    """An encoder's name, its sample rate, the RTP clock, samples of the sample rate per packet."""

    encoder: str
    rate: int
    clock: int
    samples: int


_FORMATS = {
    Sound.PCMA: _Format("pcm_alaw", 8000, 8000, 320),
    Sound.PCMU: _Format("pcm_mulaw", 8000, 8000, 320),
    Sound.OPUS: _Format("libopus", 48_000, 48_000, 960),
    Sound.AAC: _Format("aac", 16_000, 16_000, 1024),
}


def pitch(channel: Channel) -> int:
    """The channel's tone in hertz: 400 to 1,000, in audible steps."""
    return 400 + zlib.crc32(channel.key.encode()) % 13 * 50


@cache
def tone(sound: Sound, hertz: int) -> tuple[bytes, ...]:
    """The loop as RTP payloads."""
    form = _FORMATS[sound]
    encoder = av.CodecContext.create(form.encoder, "w")
    if not isinstance(encoder, AudioCodecContext):
        raise TypeError(f"{form.encoder} is not an audio encoder")
    wide = form.encoder == "aac"
    encoder.sample_rate, encoder.layout, encoder.format = form.rate, "mono", "fltp" if wide else "s16"
    encoder.time_base = Fraction(1, form.rate)
    if form.encoder in ("libopus", "aac"):
        encoder.bit_rate = 32_000
    payloads = []
    for start in range(0, SECONDS * form.rate - form.samples + 1, form.samples):
        turns = np.arange(start, start + form.samples) * (hertz / form.rate)
        wave = np.sin(2 * math.pi * turns) * _LOUDNESS
        samples = wave.astype(np.float32) if wide else (wave * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=encoder.format.name, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = form.rate, start, encoder.time_base
        payloads += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(_aac_payload(unit) if wide else unit for unit in payloads)


def _aac_payload(unit: bytes) -> bytes:
    """One access unit with its header section (RFC 3640 section 3.2.1, AAC-hbr)."""
    return b"\x00\x10" + (len(unit) << 3).to_bytes(2, "big") + unit


class SoundStream:
    """Runs while it has receivers."""

    def __init__(self, state: DeviceState, channel: Channel) -> None:
        self.channel = channel
        self._state = state
        self._receivers: list[Receiver] = []
        self._task: asyncio.Task[None] | None = None
        self._clock_base = secrets.randbits(31)

    def add(self, receiver: Receiver) -> None:
        """Begin to send."""
        self._receivers.append(receiver)
        self._state.stats.plays[f"{self.channel.key}/sound"] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"simulator-sound-{self.channel.key}")

    def remove(self, receiver: Receiver) -> None:
        """Stop sending; an unknown receiver is not an error."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)

    async def stop(self) -> None:
        """End, even while somebody is listening."""
        self._receivers.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        clock, form = self._state.clock, _FORMATS[self.channel.sound]
        payloads = await asyncio.to_thread(tone, self.channel.sound, pitch(self.channel))
        number, due = 0, clock.monotonic()
        while self._receivers:
            faults = self._state.faults(self.channel)
            if not (self._state.silent or Fault.DEAD in faults or Fault.SLOW_DRIP in faults):
                self._send(payloads[number % len(payloads)], round(due * form.clock) + self._clock_base & 0xFFFFFFFF)
            number += 1
            due += form.samples / form.rate
            wait = due - clock.monotonic()
            if wait < -_LATEST:
                due = clock.monotonic()
            await clock.sleep(max(wait, 0.0))

    def _send(self, payload: bytes, timestamp: int) -> None:
        now, monotonic = self._state.now(), self._state.clock.monotonic()
        for receiver in self._receivers:
            receiver.deliver(
                (Packet(payload, False),), timestamp, key=True, conditions=_CLEAR, now=now, monotonic=monotonic
            )
