"""The default farm: a township of villages and quarters with typical places."""

import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from camera_hub.simulator.model import (
    MAIN,
    MAIN_H265,
    SUB,
    SUB_H265,
    Answers,
    Channel,
    DeviceKind,
    FarmPlan,
    KeyFrames,
    RtspAuth,
    SimDevice,
    Sound,
    StreamSpec,
    Vendor,
    Village,
)
from camera_hub.simulator.picture.scenes import SceneKind

_VILLAGES = (
    ("东沟村", "donggou"), ("李家庄", "lijiazhuang"), ("王家寨", "wangjiazhai"), ("柳树屯", "liushutun"),
    ("河西村", "hexi"), ("石桥村", "shiqiao"), ("马头营", "matouying"), ("北岭村", "beiling"),
    ("杨树沟", "yangshugou"), ("大槐树村", "dahuaishu"), ("张家湾", "zhangjiawan"), ("青龙山村", "qinglongshan"),
    ("河东小区", "hedong"), ("幸福家园", "xingfu"), ("镇前社区", "zhenqian"), ("学府小区", "xuefu"),
)  # fmt: skip
_PLACES = (
    ("村口", "cunkou", SceneKind.ROAD), ("大桥北", "daqiao bei", SceneKind.BRIDGE),
    ("文化广场", "wenhua guangchang", SceneKind.SQUARE), ("村委会大门", "cunweihui damen", SceneKind.GATE),
    ("十字路口", "shizi lukou", SceneKind.ROAD), ("小学门口", "xiaoxue menkou", SceneKind.GATE),
    ("大桥南", "daqiao nan", SceneKind.BRIDGE), ("卫生室", "weishengshi", SceneKind.SQUARE),
    ("东街", "dong jie", SceneKind.ROAD), ("西街", "xi jie", SceneKind.ROAD),
    ("水库大坝", "shuiku daba", SceneKind.BRIDGE), ("粮站", "liangzhan", SceneKind.GATE),
    ("停车场", "tingchechang", SceneKind.SQUARE), ("公交站", "gongjiao zhan", SceneKind.ROAD),
    ("变电站", "biandianzhan", SceneKind.GATE), ("集市", "jishi", SceneKind.SQUARE),
)  # fmt: skip
_PRESETS = {
    "文化广场": (
        ("舞台", (0.0, 0.0, 0.15)), ("旗杆", (0.1, 0.12, 0.4)), ("健身器材", (-0.35, -0.1, 0.2)),
        ("停车区", (0.5, 0.0, 0.0)), ("东侧路口", (0.85, 0.05, 0.1)),
    ),
    "卫生室": (("大门", (0.0, -0.05, 0.3)), ("院内", (-0.25, -0.2, 0.0)), ("门前路", (0.45, 0.0, 0.1))),
    "停车场": (
        ("入口", (-0.45, 0.0, 0.1)), ("出口", (0.45, 0.0, 0.1)), ("全景", (0.0, 0.0, 0.0)),
        ("充电桩", (0.2, -0.1, 0.4)),
    ),
    "集市": (
        ("东段", (0.3, 0.0, 0.2)), ("西段", (-0.3, 0.0, 0.2)), ("出入口", (0.7, 0.0, 0.0)), ("全景", (0.0, 0.0, 0.0)),
    ),
}  # fmt: skip
"""Names and positions of a dome's presets, by where it stands."""
_NVR_CHANNELS = 8
_RECORDER_DAYS, _CARD_DAYS = 36, 31
"""What the disk of a recorder has room for, and the card that two of three cameras have."""
_VENDORS = {4: Vendor.DAHUA, 5: Vendor.UNIVIEW, 6: Vendor.NONE}
"""Villages, counted from 0, whose devices are not of the usual vendor."""
_MODELS = {
    Vendor.HIKVISION: ("VC-2000", "VN-8016"),
    Vendor.DAHUA: ("DH-IPC-VC2000", "DHI-NVR-V8016"),
    Vendor.UNIVIEW: ("IPC-V2000", "NVR-V8016"),
    Vendor.NONE: ("VC-100", "VN-100"),
}
"""Models of a camera and of a recorder."""
NAMESPACE = uuid.UUID("6f0d8a52-2f8e-4b0a-9f5e-0a51d1f0c0de")
DEMO_FAULTS = ("wrong_password", "frozen", "black", "clock_skew", "dead", "blue_screen", "covered")
"""What is wrong in the demo, each with a device or channel of a different village."""
_OF_A_CHANNEL = ("frozen", "black", "blue_screen", "covered")


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of the devices; 0 lets the system choose, so that several farms can run at the same time."""

    http: int = 8080
    rtsp: int = 8554


def default_farm(
    villages: int = 16,
    cameras: int = 64,
    *,
    faults: int = 0,
    network: str = "127.20",
    ports: Ports | None = None,
    main: StreamSpec | None = None,
    sub: StreamSpec | None = None,
    h265: bool = True,
    sound: bool = False,
    h265_only: int = 0,
    key_frames: KeyFrames = KeyFrames.FIRST_ONLY,
    onvif_off: bool = False,
    direct: int = 0,
    domes: bool = False,
) -> FarmPlan:
    """A farm with at least that many cameras, each village in a /24 of `network`, and the first `faults` demo faults.

    Every second village has recorders as far as it has eight cameras for each; the others have single cameras.
    The first device of the last village has H.265 main streams, the first device of each of the first `h265_only`
    villages sends H.265 only. With `sound` most cameras have a microphone. `key_frames` is a setting of every camera.
    The cameras behind the first channel of the first `direct` recorders are devices of their own, too.
    With `domes` those cameras that can be steered are named so and have presets.
    With `onvif_off` one healthy recorder has ONVIF switched off, as it leaves the factory.
    """
    if not 1 <= villages <= 250 or cameras < villages or cameras > villages * 200:
        raise ValueError("there must be 1 to 250 villages with 1 to 200 cameras each")
    ports = ports or Ports()
    made = tuple(
        _village(
            number,
            share,
            network,
            ports,
            streams=(
                as_h265(main, MAIN_H265) if number < h265_only or (h265 and number == villages - 1) else main,
                as_h265(sub, SUB_H265) if number < h265_only else sub,
            ),
            others=(main, sub),
        )
        for number, share in enumerate(_shares(villages, cameras))
    )
    if sound:
        made = _each_device(made, _with_sound)
    if key_frames is not KeyFrames.FIRST_ONLY:
        made = _each_device(made, lambda device: _with_key_frames(device, key_frames))
    if domes:
        made = _each_device(made, _with_domes)
    made = _with_direct(made, direct)
    off = ((key, "onvif_off") for key in (healthy_recorder(made),) if onvif_off and key)
    return FarmPlan(made, (*demo_faults(made)[:faults], *off))


def _each_device(villages: Sequence[Village], change: Callable[[SimDevice], SimDevice]) -> tuple[Village, ...]:
    return tuple(replace(village, devices=tuple(map(change, village.devices))) for village in villages)


def as_h265(given: StreamSpec | None, usual: StreamSpec = MAIN_H265) -> StreamSpec:
    """The H.265 variant of a stream."""
    return usual if given is None else replace(given, codec="h265")


def _shares(villages: int, cameras: int) -> list[int]:
    """Cameras per village: every fourth gets enough for a recorder while they last, the rest is distributed evenly."""
    shares = [1] * villages
    left = cameras - villages
    for number in range(0, villages, 4):
        if left >= _NVR_CHANNELS - 1:
            shares[number] += _NVR_CHANNELS - 1
            left -= _NVR_CHANNELS - 1
    for _ in range(left):
        shares[shares.index(min(shares))] += 1
    return shares


def _village(
    number: int,
    cameras: int,
    network: str,
    ports: Ports,
    *,
    streams: tuple[StreamSpec | None, ...],
    others: tuple[StreamSpec | None, ...],
) -> Village:
    """`streams` (main, sub) are those of its first device, `others` those of the rest; None: the defaults."""
    name, slug = _VILLAGES[number % len(_VILLAGES)]
    if lap := number // len(_VILLAGES):
        name, slug = f"{name}{lap + 1}组", f"{slug}{lap + 1}"
    places = _places(number)
    devices: list[SimDevice] = []
    left = cameras
    while left:
        many = left >= _NVR_CHANNELS and number % 2 == 0
        size = _NVR_CHANNELS if many else 1
        place = len(devices) + 1
        devices.append(
            _device(
                (name, slug), place, [next(places) for _ in range(size)], f"{network}.{number}.{place}", ports,
                recorder=many, streams=others if devices else streams,
            )
        )  # fmt: skip
        left -= size
    return Village(slug, name, slug.upper(), tuple(devices))


def _places(start: int) -> Iterator[tuple[str, str, SceneKind]]:
    lap = 0
    for count, (name, label, scene) in enumerate(cycle(_PLACES)):
        lap = count // len(_PLACES)
        yield (f"{name}{lap + 1}", f"{label} {lap + 1}", scene) if lap else (name, label, scene)


def _device(
    village: tuple[str, str],
    number: int,
    places: list[tuple[str, str, SceneKind]],
    address: str,
    ports: Ports,
    *,
    recorder: bool,
    streams: tuple[StreamSpec | None, ...],
) -> SimDevice:
    name, slug = village
    vendor = _VENDORS.get(int(address.split(".")[2]), Vendor.HIKVISION)
    key = f"{slug}-{number}"
    seed = zlib.crc32(key.encode())
    main, sub = streams
    channels = []
    for place, (place_name, label, scene) in enumerate(places, start=1):
        channels.append(
            Channel(
                key=f"{key}-{place}",
                number=place,
                name=place_name,
                label=f"{slug} {label}".upper(),
                scene=scene,
                night=(seed + place) % 5 == 0,
                mirrored=(seed >> 3) + place & 1 == 1,
                ptz=scene is SceneKind.SQUARE,
                main=main or MAIN,
                sub=sub or SUB,
            )
        )
    answers = (Answers.BOTH, Answers.BOTH, Answers.TRANSMITTER, Answers.DEVICE)[seed % 4]
    return SimDevice(
        key=key,
        name=f"{name}录像机" if recorder else f"{name}{places[0][0]}",
        label=f"{slug}-nvr" if recorder else channels[0].label,
        kind=DeviceKind.RECORDER if recorder else DeviceKind.CAMERA,
        address=address,
        channels=tuple(channels),
        http_port=ports.http,
        rtsp_port=ports.rtsp,
        vendor=vendor,
        model=_MODELS[vendor][recorder],
        serial=f"VH{seed:010d}",
        mac=_mac(seed),
        uuid=str(uuid.uuid5(NAMESPACE, f"{address}/{key}")),
        answers=answers,
        rtsp_auth=RtspAuth.BOTH if seed % 3 == 0 else RtspAuth.DIGEST,
        kept_days=_RECORDER_DAYS if recorder else _CARD_DAYS if seed % 3 else 0,
    )


def _with_direct(villages: tuple[Village, ...], count: int) -> tuple[Village, ...]:
    """The villages with the cameras of the first recorders' first channels as devices of their own."""
    recorders = [one.key for home in villages for one in home.devices if one.kind is DeviceKind.RECORDER][:count]

    def extended(village: Village) -> Village:
        devices: list[SimDevice] = []
        extra: list[SimDevice] = []
        network = village.devices[0].address.rpartition(".")[0]
        for device in village.devices:
            if device.key not in recorders:
                devices.append(device)
                continue
            number = len(village.devices) + len(extra) + 1
            camera = _behind(device, f"{village.key}-{number}", f"{network}.{number}")
            first, *others = device.channels
            devices.append(replace(device, channels=(replace(first, behind=camera.address), *others)))
            extra.append(camera)
        return replace(village, devices=(*devices, *extra))

    return tuple(map(extended, villages))


def _behind(recorder: SimDevice, key: str, address: str) -> SimDevice:
    """The camera of a recorder's first channel as a device."""
    seed = zlib.crc32(key.encode())
    channel = replace(recorder.channels[0], key=f"{key}-1")
    return replace(
        recorder,
        key=key,
        name=f"{recorder.name.removesuffix('录像机')}{channel.name}",
        label=channel.label,
        kind=DeviceKind.CAMERA,
        address=address,
        channels=(channel,),
        model=_MODELS[recorder.vendor][0],
        serial=f"VH{seed:010d}",
        mac=_mac(seed),
        uuid=str(uuid.uuid5(NAMESPACE, f"{address}/{key}")),
        recorder=recorder.key,
        kept_days=0,
    )


def _mac(seed: int) -> str:
    return "02:" + ":".join(f"{byte:02x}" for byte in (seed & 0xFF, *seed.to_bytes(4, "big")))


def _with_sound(device: SimDevice) -> SimDevice:
    """Microphones as in the field: mostly G.711, some codecs that browsers cannot play, some cameras without."""
    kinds = (Sound.PCMA, Sound.PCMU, Sound.NONE, Sound.PCMA, Sound.OPUS, Sound.AAC)
    first = zlib.crc32(device.key.encode())
    channels = (replace(one, sound=kinds[(first + one.number) % len(kinds)]) for one in device.channels)
    return replace(device, channels=tuple(channels))


def _with_domes(device: SimDevice) -> SimDevice:
    """Its domes with 球机 in their names, and with presets."""
    channels = tuple(
        replace(one, name=f"{one.name}球机", presets=_PRESETS[one.name.rstrip("0123456789")]) if one.ptz else one
        for one in device.channels
    )
    single = device.kind is DeviceKind.CAMERA and channels[0].ptz
    return replace(device, name=f"{device.name}球机" if single else device.name, channels=channels)


def _with_key_frames(device: SimDevice, key_frames: KeyFrames) -> SimDevice:
    return replace(device, channels=tuple(replace(one, key_frames=key_frames) for one in device.channels))


def demo_faults(villages: tuple[Village, ...]) -> tuple[tuple[str, str], ...]:
    """The demo's faults as (key of a device or camera, fault), each in another village, starting with the second."""
    chosen = []
    for fault, village in zip(DEMO_FAULTS, villages[1:], strict=False):
        device = village.devices[-1]
        target = device.channels[-1].key if fault in _OF_A_CHANNEL else device.key
        chosen.append((target, fault))
    return tuple(chosen)


def healthy_recorder(villages: tuple[Village, ...]) -> str | None:
    """The key of a recorder in a village that has no demo fault, the last one; None where there is none."""
    homes = (*villages[:1], *villages[1 + len(DEMO_FAULTS) :])
    recorders = [one.key for home in homes for one in home.devices if one.kind is DeviceKind.RECORDER]
    return recorders[-1] if recorders else None
