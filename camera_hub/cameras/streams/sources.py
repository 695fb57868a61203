"""Which stream of a camera is pulled, from which address and with which login: for media, a FeedSpec.

The address is what stream_addresses answers; it is resolved and checked here, once for the pull.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy import select

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check
from camera_hub.cameras.streams.selection import Candidate, Quality, picked
from camera_hub.cameras.streams.stream_addresses import Logins, StreamAddresses, target_of
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.relay.messages import FeedSpec, Peculiarity, RtspLiveSource
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream, Village

ASKED_AT_ONCE = 4
"""Number of devices that one batch asks at the same time."""

_SOURCES = (
    select(Camera, Device, Village.ranges)
    .join(Device, Device.id == Camera.device_id)
    .join(Village, Village.id == Device.village_id)
)


class Asker(Protocol):
    """What stream sources need from onvif.client."""

    async def sync_point(self, target: OnvifTarget, profile: str) -> None:
        """Ask for a key frame."""
        ...


class KnownPeculiarities(Protocol):
    """What stream sources need from cameras.peculiarities."""

    async def of(self, device_id: int) -> Mapping[str, str]:
        """Kind → value."""
        ...

    async def note(self, device_id: int, kind: str, value: str) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True, slots=True)
class ChosenStream:
    """A stream of a camera, ready to be pulled. `codec` is known or claimed, None if unknown."""

    stream_id: int
    camera_id: int
    village_id: int
    device_id: int
    role: Literal["main", "sub"]
    codec: str | None
    spec: FeedSpec
    in_service: bool = True


@dataclass(frozen=True, slots=True)
class _Source:
    """A camera, its device, and what may be connected to for it."""

    camera: Camera
    device: Device
    check: Check
    login: Callable[[], DeviceLogin]
    """Opens it, or raises HubError."""


class StreamSources:
    """Chooses streams and finds their addresses."""

    def __init__(
        self,
        database: Database,
        addresses: StreamAddresses,
        register: Logins,
        onvif: Asker,
        bus: EventBus,
        peculiarities: KnownPeculiarities,
        checks: DeviceChecks,
    ) -> None:
        self._database = database
        self._addresses = addresses
        self._register = register
        self._onvif = onvif
        self._bus = bus
        self._peculiarities = peculiarities
        self._checks = checks

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> ChosenStream:
        """The stream to pull for a viewer that can decode these codecs. Who may watch is not decided here.

        Raises HubError: NOT_FOUND, CONFLICT (retired), UNSUPPORTED (no_h264, codec_unsupported), or the reason why the
        device did not give the address.
        """
        async with self._database.read() as session:
            found = await session.execute(_SOURCES.where(Camera.id == camera_id))
            row = found.one_or_none()
            if row is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            camera, device, ranges = row
            if camera.state == "retired":
                raise HubError(Kind.CONFLICT, "this camera is retired", reason=Reason.RETIRED)
            streams = (await session.scalars(select(Stream).where(Stream.camera_id == camera_id))).all()
            logins = await self._register.logins(session, [device], "rtsp")
        known = _Source(camera, device, self._checks.of(device, ranges), logins[device.id])
        return await self._chosen(known, streams, quality, codecs)

    async def choose_all(
        self, camera_ids: Sequence[int], quality: Quality, codecs: frozenset[str]
    ) -> dict[int, ChosenStream | HubError]:
        """Like `choose`, with one read for all cameras. The value is an error where there is no stream."""
        async with self._database.read() as session:
            rows = (await session.execute(_SOURCES.where(Camera.id.in_(camera_ids)))).all()
            devices = {device.id: device for _, device, _ in rows}
            logins = await self._register.logins(session, devices.values(), "rtsp")
            found = {
                camera.id: _Source(camera, device, self._checks.of(device, ranges), logins[device.id])
                for camera, device, ranges in rows
            }
            streams: dict[int, list[Stream]] = defaultdict(list)
            for stream in await session.scalars(select(Stream).where(Stream.camera_id.in_(camera_ids))):
                streams[stream.camera_id].append(stream)
        slots = asyncio.Semaphore(ASKED_AT_ONCE)

        async def one(camera_id: int) -> ChosenStream | HubError:
            if camera_id not in found:
                return HubError(Kind.NOT_FOUND, "there is no such camera")
            known = found[camera_id]
            if known.camera.state == "retired":
                return HubError(Kind.CONFLICT, "this camera is retired", reason=Reason.RETIRED)
            async with slots:
                try:
                    return await self._chosen(known, streams[camera_id], quality, codecs)
                except HubError as error:
                    return error

        async with asyncio.TaskGroup() as tasks:
            asked = {camera_id: tasks.create_task(one(camera_id)) for camera_id in dict.fromkeys(camera_ids)}
        return {camera_id: task.result() for camera_id, task in asked.items()}

    async def _chosen(
        self, source: _Source, streams: Sequence[Stream], quality: Quality, codecs: frozenset[str]
    ) -> ChosenStream:
        camera, device = source.camera, source.device
        if device.host == addresses.NO_HOST:
            raise HubError(
                Kind.UNAVAILABLE,
                "this camera is not connected to the hub; its file in the ledger says why",
                reason=Reason.NOT_CONNECTED,
            )
        one = picked(_candidates(streams), quality, codecs)
        stream = next(stream for stream in streams if stream.id == one.stream_id)
        # Resolved once for this pull: the relay dials what was checked here. First of all, so that nothing is sent to
        # an address that is refused, and no login is opened for it.
        address = await addresses.resolve(device.host)
        source.check(address, device.asked_port or device.rtsp_port or urls.PORTS["rtsp"])
        login = source.login()
        url = urls.onto(await self._addresses.address_of(stream, device, source.check), device.host)
        source.check(address, url.port)
        await self._checks.keep_address(device, address)
        spec = FeedSpec(
            feed=f"s{stream.id}",
            source=RtspLiveSource(
                url=url.url,
                address=address,
                port=url.port,
                username=login.username or None,
                password=login.password if login.username else None,
                transport=stream.details.get("transport", "auto"),
                peculiarities=tuple(
                    Peculiarity(kind, value) for kind, value in (await self._peculiarities.of(device.id)).items()
                ),
            ),
            group=f"v{camera.village_id}",
            device=f"d{device.id}",
            credentials_version=login.version,
        )
        return ChosenStream(
            stream.id,
            camera.id,
            camera.village_id,
            device.id,
            one.role,
            one.codec,
            spec,
            in_service=camera.state == "approved",
        )

    def plays(self, stream_id: int) -> None:
        """The stream is running: its address need not be requested until `doubt` is called."""
        self._addresses.plays(stream_id)

    def doubt(self, stream_id: int) -> None:
        """The stream failed: its address is requested again next time."""
        self._addresses.doubt(stream_id)

    def rest(self, stream_id: int) -> None:
        """The stream is no longer pulled; a recent answer is still used."""
        self._addresses.rest(stream_id)

    async def learned(self, stream_id: int, codec: str, width: int | None, height: int | None) -> None:
        """Store what the stream itself said; publishes CameraChanged if it is new."""
        async with self._database.write() as session:
            stream = await session.get(Stream, stream_id)
            if stream is None:
                return
            reported = (codec, width or stream.width, height or stream.height)
            if reported == (stream.codec, stream.width, stream.height):
                return
            stream.codec, stream.width, stream.height = reported
            camera = await session.get_one(Camera, stream.camera_id)
        self._bus.publish(CameraChanged(camera.id, camera.village_id))

    async def peculiar(self, device_id: int, kind: str, value: str) -> None:
        """Keep what a session found out about its device; the specs of all its streams hold it from now on."""
        await self._peculiarities.note(device_id, kind, value)

    async def sync_point(self, stream_id: int) -> None:
        """Ask the camera for a key frame, if it speaks ONVIF. Raises HubError when it refuses."""
        async with self._database.read() as session:
            found = (
                await session.execute(
                    select(Stream, Device, Village.ranges)
                    .join(Camera, Camera.id == Stream.camera_id)
                    .join(Device, Device.id == Camera.device_id)
                    .join(Village, Village.id == Device.village_id)
                    .where(Stream.id == stream_id)
                )
            ).one_or_none()
        if found is None:
            return
        stream, device, ranges = found
        login = await self._register.login(device.id, "onvif")
        target = target_of(device, login, self._checks.of(device, ranges))
        if target is not None and stream.source == "onvif" and stream.profile is not None:
            await self._onvif.sync_point(target, stream.profile)


def _candidates(streams: Sequence[Stream]) -> list[Candidate]:
    return [
        Candidate(one.id, "main" if one.role == "main" else "sub", one.codec or one.details.get("claimed"))
        for one in streams
    ]
