"""The video that a bench sends: the simulator's scene, encoded once at a bit rate and packetized once."""

from dataclasses import dataclass

from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture.loops import ParameterSets
from camera_hub.simulator.picture.making import Recipe, units
from camera_hub.simulator.picture.scenes import Look, SceneKind
from camera_hub.simulator.rtsp.packets import Packet, h264_packets

FPS = 25
PAYLOAD_LIMIT = 1200
"""Maximum bytes of an RTP payload; the same for source, hub and every peer."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A loop. `frames`: the RTP payloads of each picture; the first is a key frame with its parameter sets."""

    spec: StreamSpec
    parameters: ParameterSets
    frames: tuple[tuple[Packet, ...], ...]

    @property
    def seconds(self) -> float:
        return len(self.frames) / self.spec.fps

    @property
    def packets(self) -> int:
        return sum(map(len, self.frames))

    @property
    def bit_rate(self) -> float:
        """Bits of RTP payload per second."""
        return sum(len(packet.payload) for frame in self.frames for packet in frame) * 8 / self.seconds


def make_clip(bit_rate: int, width: int, height: int, gop_seconds: int = 2, fps: int = FPS) -> Clip:
    """Draw and encode; takes some seconds of one core for 720p. `bit_rate` in bit/s."""
    spec = StreamSpec(width=width, height=height, fps=fps, bitrate=bit_rate, gop_seconds=gop_seconds)
    pictures = [unit for unit in units(Recipe(Look(SceneKind.ROAD), spec, "bench")) if not unit.again]
    kinds = {nal[0] & 0x1F: nal for nal in pictures[0].nals}
    frames = tuple(h264_packets(unit.nals, PAYLOAD_LIMIT) for unit in pictures)
    return Clip(spec, ParameterSets(kinds[7], kinds[8]), frames)
