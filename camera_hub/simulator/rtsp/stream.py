"""One channel in one quality, paced once for all viewers."""

import asyncio
import secrets
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from camera_hub.simulator.dome import HOME, Vector
from camera_hub.simulator.faults import DEFAULT_VALUES, MOODS, WEATHERS, Fault
from camera_hub.simulator.model import Channel, KeyFrames, StreamSpec
from camera_hub.simulator.picture.live import LiveView
from camera_hub.simulator.picture.loops import Loop, ParameterSets
from camera_hub.simulator.picture.making import Recipe, frame_of, recipe_for
from camera_hub.simulator.picture.scenes import Look, Mood, Weather
from camera_hub.simulator.rtsp import rtp_faults
from camera_hub.simulator.rtsp.packets import Packet
from camera_hub.simulator.rtsp.receiver import Receiver
from camera_hub.simulator.state import DeviceState

_APART = 1000
"""By how many groups of pictures channels with the same look may differ."""
_LATEST = 1.0
"""Seconds that a stream may lag before it skips instead of catching up."""


class Stream:
    """Runs while it has receivers. Which of them get a key frame at once is a setting of the camera (`KeyFrames`)."""

    def __init__(self, state: DeviceState, channel: Channel, number: int) -> None:
        self.channel = channel
        self.name = f"{channel.key}/{'main' if number == 1 else 'sub'}"
        self.main = number == 1
        self._state = state
        self._receivers: list[Receiver] = []
        self._task: asyncio.Task[None] | None = None
        self._wants_key = False
        self._turn = 0
        """Groups of pictures since the epoch; it grows with every key frame."""
        self._frozen_at: datetime | None = None
        self._captioned: tuple[datetime | None, str] = (None, "")
        self._clock_base = secrets.randbits(31)
        self._timestamp_before = 0
        self._frames = 0
        self._packets = 0

    @property
    def spec(self) -> StreamSpec:
        """How it is encoded now."""
        return self._state.settings.spec(self.channel.number, 1 if self.main else 2)

    async def loop(self) -> Loop:
        """The loop that fits the present faults."""
        return await self._state.loops.loop(self._recipe())

    async def parameters(self) -> ParameterSets:
        """The session description."""
        return await self._state.loops.parameters(self._recipe())

    def add(self, receiver: Receiver) -> None:
        """Begin to send."""
        self._receivers.append(receiver)
        self._state.stats.sessions[self.name] += 1
        self._state.stats.plays[self.name] += 1
        if self._task is None or self._task.done():
            self._wants_key = False
            self._task = asyncio.create_task(self._run(), name=f"simulator-stream-{self.name}")
        elif self._key_frames is KeyFrames.AT_ONCE:
            self._wants_key = True

    def remove(self, receiver: Receiver) -> None:
        """Stop sending; an unknown receiver is not an error."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)
            self._state.stats.sessions[self.name] -= 1

    def aside(self) -> Vector | None:
        """Where the channel's dome looks, if it is not at rest straight ahead, which is what the loop shows."""
        dome = self._state.domes.get(self.channel.number)
        now = self._state.clock.monotonic()
        if dome is None or self.look().mood is not Mood.FINE:
            return None
        position = dome.at(now)
        return position if position != HOME or dome.moving(now) else None

    def rtp_time(self) -> int:
        """RTP timestamp of this moment."""
        return self._timestamp(self._state.clock.monotonic())

    def want_key_frame(self) -> None:
        """Send a key frame next, as SetSynchronizationPoint asks; a camera whose receivers must wait does not."""
        self._wants_key = self._key_frames is not KeyFrames.WAIT

    async def stop(self) -> None:
        """End, even while somebody is watching."""
        self._receivers.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def caption(self, now: datetime) -> str:
        """The caption of the picture at a moment."""
        return self._state.settings.caption(self.channel, now, frame_of(self.spec).characters - 1)

    def look(self) -> Look:
        """What the channel shows with the present faults."""
        return _look(self.channel, self._state.faults(self.channel))

    @property
    def _key_frames(self) -> KeyFrames:
        return self._state.key_frames(self.channel)

    def _recipe(self) -> Recipe:
        faults = self._state.faults(self.channel)
        return recipe_for(
            self.look(),
            _sent(self.spec, faults),
            self._state.settings.name(self.channel) or "-",
            b_frames=Fault.B_FRAMES in faults,
            refresh_seconds=round(faults.get(Fault.INTRA_REFRESH, 0.0)),
        )

    def _timestamp(self, monotonic: float) -> int:
        return round(monotonic * 90_000) + self._clock_base & 0xFFFFFFFF

    def caption_now(self) -> str:
        """The present caption; it does not change while the picture is frozen, whoever connects."""
        if Fault.FROZEN not in self._state.faults(self.channel):
            self._frozen_at = None
            now = self._state.now().replace(microsecond=0)
            if now != self._captioned[0]:
                self._captioned = now, self.caption(now)
            return self._captioned[1]
        if self._frozen_at is None:
            self._frozen_at = self._state.now()
        return self.caption(self._frozen_at)

    def _start(self, loop: Loop, spec: StreamSpec, gop: int, *, key: bool = True) -> int:
        """The first frame to send: the loop's position by the wall clock, but never a key frame that was just sent.

        Without `key` the encoder is in the middle of a group of pictures, as if it had run all the time.
        """
        seconds = self._state.clock.now().timestamp()
        apart = zlib.crc32(self.name.encode()) % _APART
        self._turn = max(int(seconds * spec.fps / spec.gov) + apart, self._turn)
        groups = max(1, loop.ready // gop)
        if key:
            return (self._turn + 1) % groups * gop
        return self._turn % groups * gop + (int(seconds * spec.fps) + apart) % gop

    async def _run(self) -> None:
        clock, live = self._state.clock, self._state.live
        recipe, loop = self._recipe(), await self.loop()
        if self.channel.ptz:
            live.prepare(recipe)
        at_once = self._key_frames in (KeyFrames.AT_ONCE, KeyFrames.FIRST_ONLY)
        number = self._start(loop, recipe.spec, recipe.gop, key=at_once)
        shown = ""
        due = clock.monotonic()
        view: LiveView | None = None
        try:
            while self._receivers:
                aside = self.aside() if _fits(recipe) else None
                changed = self._recipe() != recipe
                if view is not None and (changed or aside is None):
                    live.close(view)
                    view, changed = None, True
                if changed:
                    recipe = self._recipe()
                    loop = await self._state.loops.loop(recipe)
                    number = self._start(loop, recipe.spec, recipe.gop)
                elif self._wants_key:
                    number = -(-number // recipe.gop) * recipe.gop % loop.length
                wants_key, self._wants_key = self._wants_key, False
                if aside is not None and view is None:
                    view = await live.open(recipe)
                step = 1 / recipe.spec.fps
                if view is None and number >= loop.ready:
                    # It is being encoded; the stream stalls rather than sends nonsense.
                    await clock.sleep(step)
                    due = clock.monotonic()
                    continue
                caption = self.caption_now()
                if view is not None and aside is not None:
                    shot = await live.shoot(view, aside, clock.now().timestamp(), caption, key=wants_key)
                    self._send(shot.packets, due, key=shot.key)
                    step *= view.every
                else:
                    if number % recipe.gop == 0:
                        self._turn += 1
                    packets = loop.packets(number, shown, caption, self._turn)
                    self._send(packets, due, key=loop.is_key(number), later=loop.time_offset(number))
                    number = (number + 1) % loop.length
                shown = caption
                due += step
                wait = due - clock.monotonic()
                if wait < -_LATEST:
                    due = clock.monotonic()
                await clock.sleep(max(wait, 0.0))
        finally:
            if view is not None:
                live.close(view)

    def _send(self, packets: Sequence[Packet], due: float, *, key: bool, later: int = 0) -> None:
        """Send a frame that is due, and shown so many frames later."""
        faults = self._state.faults(self.channel)
        if self._state.silent or Fault.DEAD in faults or (key and Fault.NO_KEY_FRAME in faults):
            return
        timestamp = self._timestamp(due + later / _sent(self.spec, faults).fps)
        if faults:
            packets = rtp_faults.changed(packets, faults, codec=self.spec.codec, key=key, before=self._packets)
            timestamp = rtp_faults.stamped(timestamp, self._timestamp_before, faults, number=self._frames)
        conditions = rtp_faults.conditions(faults, key=key, number=self._frames)
        self._timestamp_before = timestamp
        self._frames += 1
        self._packets += len(packets)
        self._state.stats.frames[self.name] += 1
        now, monotonic = self._state.now(), self._state.clock.monotonic()
        for receiver in self._receivers:
            if not receiver.deliver(packets, timestamp, key=key, conditions=conditions, now=now, monotonic=monotonic):
                self._state.stats.frames_dropped += 1


def _look(channel: Channel, faults: Mapping[Fault, float]) -> Look:
    """What a channel shows with these faults: the first of those of the picture, in whatever weather."""
    weather = next((WEATHERS[one] for one in Fault if one in WEATHERS and one in faults), Weather.CLEAR)
    infrared = Fault.INFRARED in faults or (weather is Weather.INSECTS and not channel.night)
    night = channel.night or infrared or weather is Weather.HEADLIGHTS
    fault = next((one for one in Fault if one in MOODS and one in faults), None)
    look = Look(channel.scene, night, channel.mirrored, infrared=infrared, weather=weather)
    if fault is None:
        return look
    return replace(look, mood=MOODS[fault], amount=faults[fault] if fault in DEFAULT_VALUES else None)


def _sent(spec: StreamSpec, faults: Mapping[Fault, float]) -> StreamSpec:
    """How a stream is sent, which with few frames per second is not what its settings say."""
    wanted = faults.get(Fault.LOW_FPS)
    fps = spec.fps if wanted is None else min(spec.fps, max(1, round(wanted)))
    return spec if fps == spec.fps else replace(spec, fps=fps, gov_length=max(1, spec.gov * fps // spec.fps))


def _fits(recipe: Recipe) -> bool:
    """Whether a stream can be encoded live: not one of the kinds that are all about their group of pictures."""
    return not recipe.b_frames and not recipe.refresh_seconds
