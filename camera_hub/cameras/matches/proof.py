"""Whether a device at another place is the registered one: it is described there, and its picture compared.

Its login goes there only by methods that do not disclose it (Digest, or a UsernameToken's digest; never Basic): until
the proof is complete nobody knows who answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Channel, Described
from camera_hub.cameras.identity import DeviceFacts, Likeness, changed, compared, found_facts
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.messages import FeedSpec, Peculiarity, RtspLiveSource

FITS = 60.0
"""Pictures that are alike to this degree show the same place; below it a person looks at both."""


class OpenDescriber(Protocol):
    """What is needed of onvif.client, which never sends a password in the clear."""

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = ...,
        *,
        check: Check | None = None,
    ) -> Described: ...


@dataclass(frozen=True, slots=True)
class TrialStream:
    """A stream of a device at a place that is not its own yet, to be looked at once (media.interface.PullableStream).
    Its numbers are negative: no row has them."""

    stream_id: int
    camera_id: int
    village_id: int
    device_id: int
    role: Literal["main", "sub"]
    codec: str | None
    spec: FeedSpec
    in_service: bool = True


@dataclass(frozen=True, slots=True)
class PictureFit:
    """What the other one's picture is like. `alike`: 0 … 100, None where there is nothing to compare it with. `at`:
    when it was taken, None where none could be, for that `reason`."""

    alike: float | None = None
    at: datetime | None = None
    reason: str | None = None
    detail: str = ""


class PictureComparer(Protocol):
    """What is needed of media."""

    async def of_stream(self, match_id: int, stream: TrialStream, camera_id: int) -> PictureFit:
        """Take one picture of the stream, keep it for the question, and compare it with the camera's last one."""
        ...

    async def of_cameras(self, camera_id: int, other_id: int) -> float | None:
        """How much the last pictures of two cameras are alike."""
        ...

    async def of_match(self, match_id: int) -> bytes | None:
        """The picture that was kept for a question."""
        ...


@dataclass(frozen=True, slots=True)
class CameraToFit:
    """A camera of the registered device: its channel."""

    camera_id: int
    channel: str
    has_picture: bool


class MoveProof:
    """Asks the device itself."""

    def __init__(self, describer: OpenDescriber, pictures: PictureComparer) -> None:
        self._describer = describer
        self.pictures = pictures

    async def described(
        self,
        known: DeviceFacts,
        place: tuple[int, str, int | None],
        path: str,
        login: DeviceLogin,
        cameras: Sequence[CameraToFit],
        check: Check,
    ) -> Described:
        """What is at that place, if it is the registered device. Raises HubError: identity_changed, or the error of
        describing."""
        # Not as the registered device: its account and its peculiarities are of the place where it is registered.
        plain = DeviceLogin(login.username, login.password)
        described = await self._describer.describe(place[1], place[2], plain, path, check=check)
        found = found_facts(described.identity, *place)
        differ: set[str] = set(changed(known, found))
        one = compared(known, found)
        channels = {channel.token for channel in described.channels}
        if cameras and channels.isdisjoint(camera.channel for camera in cameras):
            differ.add("channels")
        if differ or one.likeness is Likeness.DIFFERENT:
            raise HubError(
                Kind.CONFLICT,
                "the device at this address is another one (its serial number, MAC or channels differ, or it does not "
                "tell them); nothing was changed",
                reason=Reason.IDENTITY_CHANGED,
                differs=sorted(differ),
            )
        return described

    async def picture(
        self,
        match_id: int,
        village_id: int,
        described: Described,
        login: DeviceLogin,
        cameras: Sequence[CameraToFit],
        check: Check,
    ) -> PictureFit:
        """A picture of the device at its new place beside the last one of the same channel. Raises HubError."""
        channels = {channel.token: channel for channel in described.channels}
        listed = sorted((one for one in cameras if one.channel in channels), key=lambda one: not one.has_picture)
        if not listed:
            return PictureFit(reason=Reason.NO_MEDIA)
        camera = listed[0]
        stream = await self._stream(match_id, village_id, described.host, channels[camera.channel], login, check)
        if stream is None:
            return PictureFit(reason=Reason.STREAM_NOT_FOUND)
        return await self.pictures.of_stream(match_id, stream, camera.camera_id)

    async def _stream(
        self, match_id: int, village_id: int, host: str, channel: Channel, login: DeviceLogin, check: Check
    ) -> TrialStream | None:
        role: Literal["main", "sub"] = "sub" if channel.sub is not None and channel.sub.url else "main"
        described = channel.sub if role == "sub" and channel.sub is not None else channel.main
        if not described.url:
            return None
        url = urls.onto(described.url, host)
        address = await addresses.resolve(host)
        check(address, url.port)
        source = RtspLiveSource(
            url=url.url,
            address=address,
            port=url.port,
            username=login.username or None,
            password=login.password if login.username else None,
            peculiarities=(Peculiarity(PeculiarityKind.DIGEST_OFFERED, "yes"),),  # so that Basic is never answered
        )
        spec = FeedSpec(f"m{match_id}", source, group=f"v{village_id}", device=f"m{match_id}")
        return TrialStream(-match_id, -match_id, village_id, -match_id, role, described.codec, spec)
