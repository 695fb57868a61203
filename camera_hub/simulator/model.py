"""What a farm consists of, as plain values: villages, their devices, the devices' channels and streams."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from camera_hub.simulator.picture.scenes import SceneKind


class DeviceKind(StrEnum):
    """A single camera, or a recorder with several channels."""

    CAMERA = "camera"
    RECORDER = "recorder"


class RtspAuth(StrEnum):
    """What the RTSP server offers."""

    DIGEST = "digest"
    BASIC = "basic"
    BOTH = "both"


class Vendor(StrEnum):
    """Whose HTTP interface and RTSP paths a device has; `NONE`: no interface of its own, and plain paths."""

    HIKVISION = "hikvision"
    DAHUA = "dahua"
    UNIVIEW = "uniview"
    NONE = "none"


class Answers(StrEnum):
    """The types that a device announces in WS-Discovery; some answer only probes for one of them."""

    BOTH = "both"
    TRANSMITTER = "transmitter"  # dn:NetworkVideoTransmitter alone
    DEVICE = "device"  # tds:Device alone


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One encoded stream. Bit rate in bit/s, key-frame interval in seconds."""

    codec: str = "h264"  # or "h265"
    width: int = 640
    height: int = 360
    fps: int = 15
    bitrate: int = 400_000
    gop_seconds: int = 2
    gov_length: int = 0
    """Frames from one key frame to the next, where somebody has set another number."""

    @property
    def gov(self) -> int:
        """Frames from one key frame to the next."""
        return self.gov_length or self.gop_seconds * self.fps


MAIN = StreamSpec(width=1280, height=720, fps=25, bitrate=2_000_000)
MAIN_H265 = StreamSpec(codec="h265", width=1280, height=720, fps=12, bitrate=1_200_000)
SUB = StreamSpec()
SUB_H265 = StreamSpec(codec="h265", fps=12, bitrate=250_000)


class KeyFrames(StrEnum):
    """Whom a camera gives a key frame at once; everybody else waits for the next regular one."""

    AT_ONCE = "at_once"  # every receiver that starts to play, and SetSynchronizationPoint
    FIRST_ONLY = "first_only"  # the receiver that starts the stream, and SetSynchronizationPoint
    ON_REQUEST = "on_request"  # SetSynchronizationPoint alone
    WAIT = "wait"  # nobody: SetSynchronizationPoint is answered, but changes nothing


class Sound(StrEnum):
    """The codec of a channel's microphone."""

    NONE = ""
    PCMA = "pcma"
    PCMU = "pcmu"
    OPUS = "opus"
    AAC = "aac"


@dataclass(frozen=True, slots=True)
class Channel:
    """One picture of a device. `label` is the ASCII name in the picture; `number` counts from 1."""

    key: str
    number: int
    name: str
    label: str
    scene: SceneKind
    night: bool = False
    mirrored: bool = False
    ptz: bool = False
    behind: str = ""
    """Address of the camera behind a recorder's channel; empty: one that nobody else reaches."""
    presets: tuple[tuple[str, tuple[float, float, float]], ...] = ()
    """Names and positions (pan, tilt, zoom) of a dome's presets from the start."""
    main: StreamSpec = MAIN
    sub: StreamSpec = SUB
    sound: Sound = Sound.NONE
    key_frames: KeyFrames = KeyFrames.FIRST_ONLY

    def stream(self, number: int) -> StreamSpec:
        """1 is the main stream, 2 the sub stream."""
        return self.main if number == 1 else self.sub


@dataclass(frozen=True, slots=True)
class SimDevice:
    """One device with its own address. Port 0 lets the system choose one at start."""

    key: str
    name: str
    label: str
    kind: DeviceKind
    address: str
    channels: tuple[Channel, ...]
    http_port: int = 8080
    rtsp_port: int = 8554
    username: str = "admin"
    password: str = field(default="village-2024", repr=False)
    onvif_username: str = ""  # empty: the device's own login is also used for ONVIF
    onvif_password: str = field(default="", repr=False)
    vendor: Vendor = Vendor.HIKVISION
    manufacturer: str = "Virtual"
    model: str = "VC-2000"
    firmware: str = "5.7.3"
    serial: str = ""
    mac: str = "02:00:00:00:00:00"
    uuid: str = ""
    answers: Answers = Answers.BOTH
    rtsp_auth: RtspAuth = RtspAuth.DIGEST
    digest_algorithm: str = "MD5"  # or "SHA-256"
    max_sessions: int = 32
    recorder: str = ""
    """Key of the recorder that it hangs on, which sets its clock every minute."""
    max_pull_points: int = 4
    kept_days: int = 0
    """For how many days a recorder's disk, or a camera's card, has room; 0: it has none."""


@dataclass(frozen=True, slots=True)
class Village:
    """A village or residential quarter. `key` is its slug, `label` its name in ASCII."""

    key: str
    name: str
    label: str
    devices: tuple[SimDevice, ...]


@dataclass(frozen=True, slots=True)
class FarmPlan:
    """All villages and the faults that are on from the start, as (target, fault name)."""

    villages: tuple[Village, ...]
    faults: tuple[tuple[str, str], ...] = ()

    def devices(self) -> Iterator[tuple[Village, SimDevice]]:
        """Every device with its village."""
        for village in self.villages:
            for device in village.devices:
                yield village, device

    @property
    def cameras(self) -> int:
        """Number of channels, which is what people call cameras."""
        return sum(len(device.channels) for _, device in self.devices())
