"""A call of an operation, and what the services of a device share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel, StreamSpec
from camera_hub.simulator.onvif.soap import Envelope, Refusal
from camera_hub.simulator.rtsp.stream import Stream
from camera_hub.simulator.settings import DeviceSettings
from camera_hub.simulator.state import DeviceState

Operation = Callable[["Call"], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Call:
    """An admitted request: its envelope, the path it came to, and the device."""

    envelope: Envelope
    path: str
    state: DeviceState
    arrived: float
    """When the request had come in whole, by the clock that never steps."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile: one channel in one quality (1 main, 2 sub)."""

    channel: Channel
    number: int
    settings: DeviceSettings

    @property
    def token(self) -> str:
        return f"Profile_{self.channel.number}{self.number:02}"

    @property
    def name(self) -> str:
        return "mainStream" if self.number == 1 else "subStream"

    @property
    def source(self) -> str:
        return f"VideoSource_{self.channel.number}"

    @property
    def encoder(self) -> str:
        return f"VideoEncoder_{self.channel.number}{self.number:02}"

    @property
    def spec(self) -> StreamSpec:
        return self.settings.spec(self.channel.number, self.number)


class Profiles:
    """All profiles of a device, and the streams behind them."""

    def __init__(self, state: DeviceState, streams: dict[tuple[int, int], Stream]) -> None:
        self._state = state
        self._every = [Profile(channel, number, state.settings) for channel in state.plan.channels for number in (1, 2)]
        self._streams = streams

    @property
    def all(self) -> list[Profile]:
        """Those that the device lists just now."""
        if Fault.ONLINE_CHANNELS_ONLY not in self._state.faults():
            return self._every
        return [one for one in self._every if Fault.DEAD not in self._state.faults(one.channel)]

    def of(self, token: str) -> Profile:
        """The profile with that token. Raises Refusal."""
        for profile in self.all:
            if profile.token == token:
                return profile
        raise Refusal("There is no such profile", "ter:InvalidArgVal", "ter:NoProfile")

    def channel(self, source: str) -> Channel:
        """The channel with that video source token. Raises Refusal."""
        for profile in self.all:
            if profile.source == source:
                return profile.channel
        raise Refusal("There is no such video source", "ter:InvalidArgVal", "ter:NoSource")

    def stream(self, profile: Profile) -> Stream:
        """The stream of a profile."""
        return self._streams[profile.channel.number, profile.number]
