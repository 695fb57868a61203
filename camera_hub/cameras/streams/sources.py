"""Where a camera's stream is pulled from: the device is asked for the address each time it is needed.

Recorders renumber and platforms hand out one-time addresses, so the stored address is only the last answer: it is used
for a short while, and when the device does not answer ONVIF at the moment (its RTSP often still works).
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from weakref import WeakValueDictionary

from sqlalchemy import select

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import PAUSES
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.onvif.client import OnvifTarget
from camera_hub.cameras.streams.selection import Candidate, Quality, picked
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.relay.messages import FeedSpec, RtspLiveSource
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream

FRESH_SECONDS = 180.0
STALE_SECONDS = 30.0
"""Seconds for which the last answer is used when the device does not answer now: its RTSP often still works."""
ASK_SECONDS = 4.0
ASKED_AT_ONCE = 4
"""Number of devices that one batch asks at the same time."""
_LIMIT = 8192
_Key = tuple[str, int, str | None]
_FINAL = PAUSES | {Reason.REDIRECTED}
"""Failures that pulling would meet too, or that must not be ignored."""


class Logins(Protocol):
    """What stream sources need from the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin:
        """The device's login for that purpose. Raises HubError."""
        ...


class Asker(Protocol):
    """What stream sources need from onvif.client."""

    async def stream_uri(self, target: OnvifTarget, profile: str, *, timeout: float | None = None) -> str:
        """The profile's RTSP URL, on the host where the device is reached."""
        ...

    async def sync_point(self, target: OnvifTarget, profile: str) -> None:
        """Ask for a key frame."""
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


class StreamSources:
    """Chooses streams and finds their addresses."""

    def __init__(self, database: Database, clock: Clock, register: Logins, onvif: Asker, bus: EventBus) -> None:
        self._database = database
        self._clock = clock
        self._register = register
        self._onvif = onvif
        self._bus = bus
        self._fresh: OrderedDict[int, tuple[_Key, float]] = OrderedDict()  # stream → asked with what, used until
        self._playing: set[int] = set()
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> ChosenStream:
        """The stream to pull for a viewer that can decode these codecs. Who may watch is not decided here.

        Raises HubError: NOT_FOUND, CONFLICT (retired), UNSUPPORTED (no_h264, codec_unsupported), or the reason why the
        device did not give the address.
        """
        async with self._database.read() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            if camera.state == "retired":
                raise HubError(Kind.CONFLICT, "this camera is retired", reason=Reason.RETIRED)
            device = await session.get_one(Device, camera.device_id)
            streams = (await session.scalars(select(Stream).where(Stream.camera_id == camera_id))).all()
        return await self._chosen(camera, device, streams, quality, codecs)

    async def choose_all(
        self, camera_ids: Sequence[int], quality: Quality, codecs: frozenset[str]
    ) -> dict[int, ChosenStream | HubError]:
        """Like `choose`, with one read for all cameras and one per device for its login. The value is an error where
        there is no stream.
        """
        async with self._database.read() as session:
            rows = await session.execute(
                select(Camera, Device).join(Device, Device.id == Camera.device_id).where(Camera.id.in_(camera_ids))
            )
            found = {camera.id: (camera, device) for camera, device in rows}
            streams: dict[int, list[Stream]] = defaultdict(list)
            for stream in await session.scalars(select(Stream).where(Stream.camera_id.in_(camera_ids))):
                streams[stream.camera_id].append(stream)
        slots = asyncio.Semaphore(ASKED_AT_ONCE)

        async def one(camera_id: int) -> ChosenStream | HubError:
            if camera_id not in found:
                return HubError(Kind.NOT_FOUND, "there is no such camera")
            camera, device = found[camera_id]
            if camera.state == "retired":
                return HubError(Kind.CONFLICT, "this camera is retired", reason=Reason.RETIRED)
            async with slots:
                try:
                    return await self._chosen(camera, device, streams[camera_id], quality, codecs)
                except HubError as error:
                    return error

        async with asyncio.TaskGroup() as tasks:
            asked = {camera_id: tasks.create_task(one(camera_id)) for camera_id in dict.fromkeys(camera_ids)}
        return {camera_id: task.result() for camera_id, task in asked.items()}

    async def _chosen(
        self, camera: Camera, device: Device, streams: Sequence[Stream], quality: Quality, codecs: frozenset[str]
    ) -> ChosenStream:
        one = picked(_candidates(streams), quality, codecs)
        stream = next(stream for stream in streams if stream.id == one.stream_id)
        login = await self._register.login(device.id, "rtsp")
        url = urls.onto(await self._url(device, stream), device.host)
        spec = FeedSpec(
            feed=f"s{stream.id}",
            source=RtspLiveSource(
                url=url.url,
                address=await addresses.resolve(device.host),
                port=url.port,
                username=login.username or None,
                password=login.password if login.username else None,
                transport=stream.details.get("transport", "auto"),
            ),
            group=f"v{camera.village_id}",
            device=f"d{device.id}",
            credentials_version=login.version,
        )
        return ChosenStream(stream.id, camera.id, camera.village_id, device.id, one.role, one.codec, spec)

    def plays(self, stream_id: int) -> None:
        """The stream is running: its address need not be requested until `doubt` is called."""
        self._playing.add(stream_id)

    def doubt(self, stream_id: int) -> None:
        """The stream failed: its address is requested again next time."""
        self._playing.discard(stream_id)
        self._fresh.pop(stream_id, None)

    def rest(self, stream_id: int) -> None:
        """The stream is no longer pulled; a recent answer is still used."""
        self._playing.discard(stream_id)

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

    async def sync_point(self, stream_id: int) -> None:
        """Ask the camera for a key frame, if it speaks ONVIF. Raises HubError when it refuses."""
        async with self._database.read() as session:
            found = (
                await session.execute(
                    select(Stream, Device)
                    .join(Camera, Camera.id == Stream.camera_id)
                    .join(Device, Device.id == Camera.device_id)
                    .where(Stream.id == stream_id)
                )
            ).one_or_none()
        if found is None:
            return
        stream, device = found
        target = _target(device, await self._register.login(device.id, "onvif"))
        if target is not None and stream.profile is not None:
            await self._onvif.sync_point(target, stream.profile)

    async def _url(self, device: Device, stream: Stream) -> str:
        """The stream's address; of several callers for one stream only the first asks the device."""
        login = await self._register.login(device.id, "onvif")
        target = _target(device, login)
        if stream.source == "url" or target is None or stream.profile is None:
            return stream.uri
        # A changed host, login or profile is another key: an answer to the old one is not used.
        key = (device.host, login.version, stream.profile)
        if stream.uri and (stream.id in self._playing or self._serves(stream.id, key)):
            return stream.uri
        lock = self._locks.setdefault(stream.id, asyncio.Lock())
        async with lock:
            if self._serves(stream.id, key):
                return await self._stored(stream.id) or stream.uri
            try:
                # This also limits the wait for other calls to the device: a viewer is waiting.
                async with asyncio.timeout(ASK_SECONDS):
                    answered = await self._onvif.stream_uri(target, stream.profile, timeout=ASK_SECONDS)
            except TimeoutError:
                return self._last_answer(
                    stream,
                    key,
                    HubError(
                        Kind.TIMEOUT, "the device did not give the stream address in time", reason=Reason.TIMED_OUT
                    ),
                )
            except HubError as error:
                return self._last_answer(stream, key, error)
            if answered != stream.uri:
                await self._store(stream.id, answered)
            self._keep(stream.id, key, FRESH_SECONDS)
            return answered

    def _last_answer(self, stream: Stream, key: _Key, error: HubError) -> str:
        if error.reason in _FINAL or not stream.uri:
            raise error
        self._keep(stream.id, key, STALE_SECONDS)
        return stream.uri

    def _serves(self, stream_id: int, key: _Key) -> bool:
        asked_with, until = self._fresh.get(stream_id, (None, 0.0))
        return asked_with == key and self._clock.monotonic() < until

    def _keep(self, stream_id: int, key: _Key, seconds: float) -> None:
        self._fresh[stream_id] = (key, self._clock.monotonic() + seconds)
        self._fresh.move_to_end(stream_id)
        while len(self._fresh) > _LIMIT:
            self._fresh.popitem(last=False)

    async def _stored(self, stream_id: int) -> str | None:
        async with self._database.read() as session:
            return await session.scalar(select(Stream.uri).where(Stream.id == stream_id))

    async def _store(self, stream_id: int, uri: str) -> None:
        async with self._database.write() as session:
            stream = await session.get(Stream, stream_id)
            if stream is not None:
                stream.uri = uri


def _candidates(streams: Sequence[Stream]) -> list[Candidate]:
    return [
        Candidate(one.id, "main" if one.role == "main" else "sub", one.codec or one.details.get("claimed"))
        for one in streams
    ]


def _target(device: Device, login: DeviceLogin) -> OnvifTarget | None:
    if device.onvif_port is None:
        return None
    return OnvifTarget(device.host, device.onvif_port, device.onvif_path, login, device.clock_offset_s)
