"""From the channels that a device lists to its cameras: which are known, by whatever road they were described before.

Over ONVIF a channel is its video source's token, elsewhere its recorder's own number. A recorder whose ONVIF is
switched on later, or off again, keeps its cameras: they are met by number, which ONVIF's stream addresses tell as well.
A channel that is not listed any more (offline ones, with some recorders) keeps its camera and its number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.described import Channel, Described, DescribedStream
from camera_hub.cameras.register import proof_state
from camera_hub.cameras.register.described_devices import new_camera
from camera_hub.cameras.register.proof_state import ProofOutcome
from camera_hub.cameras.vendors.paths import number_of
from camera_hub.clock import Clock
from camera_hub.errors import Reason
from camera_hub.store.tables import Camera, Device, Stream


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A camera of the device as it is registered. `by_number`: its `token` is its number as text, since it was never
    described over ONVIF."""

    camera_id: int
    token: str
    number: int | None

    @property
    def by_number(self) -> bool:
        return self.number is not None and self.token == str(self.number)


@dataclass(frozen=True, slots=True)
class TakenChannels:
    """The cameras that are new, and the ids of all that the device has listed."""

    added: list[Camera]
    listed: frozenset[int]


@dataclass(frozen=True, slots=True)
class StoredUrls:
    """How the addresses of streams are read and written (cameras.streams.stored_urls)."""

    read: Callable[[Stream], str]
    keep: Callable[[Stream, str], None]


@dataclass(frozen=True, slots=True)
class NumberedCamera:
    """A camera and the number of its channel, as people count them at the recorder: from 1."""

    number: int
    camera: Camera


def numbered(cameras: Iterable[Camera]) -> list[NumberedCamera]:
    """A device's cameras in the order of its channels; one whose number is not known counts by its place."""
    return [
        NumberedCamera(one.number if one.number is not None else place, one) for place, one in enumerate(cameras, 1)
    ]


async def take_channels(
    session: AsyncSession, device: Device, described: Described, clock: Clock, *, approved: bool, urls: StoredUrls
) -> TakenChannels:
    """Add rows for new channels; known ones keep name, place and state, and their streams are updated."""
    cameras = {one.id: one for one in await session.scalars(select(Camera).where(Camera.device_id == device.id))}
    streams: dict[int, dict[str, Stream]] = {}
    for stream in await session.scalars(select(Stream).where(Stream.camera_id.in_(cameras))):
        streams.setdefault(stream.camera_id, {})[stream.role] = stream
    known = [
        KnownChannel(one.id, one.channel, one.number or _number(streams.get(one.id, {}), urls))
        for one in cameras.values()
    ]
    over_onvif = described.via == "onvif"
    met = matched(known, described.channels, over_onvif=over_onvif)
    last = await session.scalar(select(func.max(Camera.position)).where(Camera.village_id == device.village_id))
    position = last or 0
    added, listed = [], set()
    for channel in described.channels:
        camera = cameras.get(met.get(channel.token, 0))
        if camera is None:
            position += 1
            name = channel.name or _default_name(device, described, channel)
            camera = new_camera(device, channel.token, name, position, clock, approved=approved)
            session.add(camera)
            await session.flush()
            added.append(camera)
        elif over_onvif:
            camera.channel = channel.token
        camera.number = channel.number or camera.number
        if channel.ptz is not None:
            camera.ptz = channel.ptz
        _note_online(camera, channel, clock)
        listed.add(camera.id)
        source = "onvif" if over_onvif else "vendor"
        await _set_streams(session, camera, channel, streams.get(camera.id, {}), source, urls.keep)
    return TakenChannels(added, frozenset(listed))


def matched(known: Sequence[KnownChannel], channels: Iterable[Channel], *, over_onvif: bool) -> dict[str, int]:
    """Token of a channel → the camera that it is. Pure.

    By what the camera was described with before, else by number; never two channels to one camera.
    """
    channels = list(channels)
    by_token = {one.token: one.camera_id for one in known if not one.by_number}
    by_number: dict[int | None, int] = {}
    for one in sorted(known, key=lambda one: not one.by_number):
        if one.number is not None:
            by_number.setdefault(one.number, one.camera_id)
    # What is known by a number alone, and has none here: an ONVIF token that is written like one.
    by_both = {one.token: one.camera_id for one in known if one.by_number}
    tokens = [(channel.token, by_token.get(channel.token)) for channel in channels]
    numbers = [(channel.token, by_number.get(channel.number)) for channel in channels]
    texts = [(channel.token, by_both.get(channel.token)) for channel in channels if channel.number is None]
    found: dict[str, int] = {}
    taken: set[int] = set()
    for token, camera_id in [*tokens, *numbers, *texts] if over_onvif else [*numbers, *tokens]:
        if camera_id is not None and token not in found and camera_id not in taken:
            found[token] = camera_id
            taken.add(camera_id)
    return found


def _number(streams: Mapping[str, Stream], urls: StoredUrls) -> int | None:
    """As the address of a stream tells it, of a camera that was registered before numbers were kept."""
    for stream in streams.values():
        if (url := urls.read(stream)) and (number := number_of(url)) is not None:
            return number
    return None


def _note_online(camera: Camera, channel: Channel, clock: Clock) -> None:
    """A channel that its recorder says to be off line is not pulled for a proof; one that is back is proved."""
    if channel.online is False and camera.proof_state == "pending":
        proof_state.apply(camera, ProofOutcome("failed", Reason.CHANNEL_OFFLINE, 0, None))
    elif channel.online and camera.proof_reason == Reason.CHANNEL_OFFLINE:
        proof_state.request(camera, clock.now())


def _default_name(device: Device, described: Described, channel: Channel) -> str:
    """Of a channel to which its recorder gives no name."""
    name = device.name or described.name or device.host
    return f"{name} {channel.number or channel.token}" if described.kind == "recorder" else name


async def _set_streams(
    session: AsyncSession,
    camera: Camera,
    channel: Channel,
    known: Mapping[str, Stream],
    source: str,
    keep: Callable[[Stream, str], None],
) -> None:
    for role, described in (("main", channel.main), ("sub", channel.sub)):
        stream = known.get(role)
        if described is None:
            if stream is not None:
                await session.delete(stream)
            continue
        if stream is None:
            stream = _stream(camera, role, described, source)
            keep(stream, described.url)
            session.add(stream)
            continue
        if (stream.source, stream.profile) != (source, described.profile) or (
            stream.details.get("claimed") != described.codec
        ):
            stream.codec = None  # another encoding: the codec seen before no longer applies
        stream.source, stream.profile = source, described.profile
        if described.url:
            keep(stream, described.url)
        stream.details = {**stream.details, "claimed": described.codec}
        stream.width, stream.height = described.width, described.height


def _stream(camera: Camera, role: str, described: DescribedStream, source: str) -> Stream:
    return Stream(
        camera_id=camera.id,
        role=role,
        source=source,
        profile=described.profile,
        width=described.width,
        height=described.height,
        details={"claimed": described.codec},
    )
