"""Opening the conversation with the device of a camera that is to be steered, and finding out what it can do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from camera_hub.cameras.onvif.describe import MAX_TOKEN, Profile
from camera_hub.cameras.onvif.device import MEDIA1
from camera_hub.cameras.onvif.kept import KeptConversation
from camera_hub.cameras.onvif.media2 import MEDIA2, Media2
from camera_hub.cameras.onvif.ptz import PTZ, Ptz, PtzNode, PtzStatus
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.ptz.capabilities import ASSUMED, PtzCapabilities, capabilities_of
from camera_hub.cameras.ptz.driver import PtzDriver
from camera_hub.cameras.ptz.store import SteeredCamera, ptz_none
from camera_hub.errors import HubError
from camera_hub.peculiarity_kinds import PeculiarityKind

log = logging.getLogger(__name__)

T = TypeVar("T")


class Conversing(Protocol):
    """What is needed of onvif.kept."""

    async def open(
        self, target: OnvifTarget, first: Callable[[KeptConversation], Awaitable[T]]
    ) -> tuple[KeptConversation, T]: ...


class SteeredTargets(Protocol):
    """Where devices are reached (ptz.store)."""

    async def target(self, camera: SteeredCamera) -> OnvifTarget: ...


class DriverNotes(Protocol):
    """What is needed of cameras.peculiarities."""

    async def note(self, device_id: int, kind: PeculiarityKind | str, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PtzFacts:
    """What need not be asked again while a camera is steered. `tells`: GetStatus says whether it moves."""

    profile: str
    node: PtzNode
    capabilities: PtzCapabilities
    tells: bool


@dataclass(frozen=True, slots=True)
class OpenedPtz:
    """A conversation in which a camera is steered. `status`: as it was when it was opened."""

    conversation: KeptConversation
    driver: PtzDriver
    facts: PtzFacts
    status: PtzStatus


class PtzOpener:
    """Opens them. `close` waits for what is still being noted."""

    def __init__(self, conversations: Conversing, targets: SteeredTargets, notes: DriverNotes) -> None:
        self._conversations = conversations
        self._targets = targets
        self._notes = notes
        self._writing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        if self._writing:
            await asyncio.wait(self._writing)

    async def open(self, camera: SteeredCamera, known: PtzFacts | None) -> OpenedPtz:
        """`known`: of a former conversation. Raises HubError."""
        target = await self._targets.target(camera)

        async def first(conversation: KeptConversation) -> tuple[PtzFacts, PtzStatus]:
            if PTZ not in conversation.services:
                raise ptz_none()
            if known is not None:
                return known, await _status(conversation, known.profile)
            return await _facts(conversation, camera)

        conversation, (facts, status) = await self._conversations.open(target, first)
        calls = Ptz(conversation.talk, conversation.services[PTZ])

        def learn(kind: PeculiarityKind, value: str) -> None:
            task = asyncio.create_task(self._note(camera.device_id, kind, value), name=f"note {kind}")
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

        driver = PtzDriver(calls, facts.profile, facts.node, conversation.known, learn)
        return OpenedPtz(conversation, driver, facts, status)

    async def _note(self, device_id: int, kind: PeculiarityKind, value: str) -> None:
        with suppress(HubError):  # it is found out again
            await self._notes.note(device_id, kind, value)


async def _facts(conversation: KeptConversation, camera: SteeredCamera) -> tuple[PtzFacts, PtzStatus]:
    device = conversation.device
    calls = Ptz(conversation.talk, conversation.services[PTZ])
    none: list[PtzNode] = []
    nodes = await device.tolerant(calls.nodes(), none)
    profile = _profile_of(await _profiles(conversation), camera)
    node = _node_of(nodes, profile)
    if node is None:
        raise ptz_none()
    token = profile.token if profile is not None else camera.profile
    tells = await device.tolerant(calls.tells_moving(), False)
    status = await _status(conversation, token)
    if not node.presets:  # some name none and keep some
        node = replace(node, presets=len(await device.tolerant(calls.presets(token), [])))
    capabilities = capabilities_of(node, tells_position=status.pan is not None and status.tilt is not None)
    return PtzFacts(token, node, capabilities, tells or status.moving is not None), status


async def _status(conversation: KeptConversation, profile: str) -> PtzStatus:
    calls = Ptz(conversation.talk, conversation.services[PTZ])
    return await conversation.device.tolerant(calls.status(profile), PtzStatus())


async def _profiles(conversation: KeptConversation) -> list[Profile]:
    none: list[Profile] = []
    device, services = conversation.device, conversation.services
    found = await device.tolerant(device.profiles(services[MEDIA1]), none) if MEDIA1 in services else none
    if not any(one.ptz for one in found) and MEDIA2 in services:
        found = await device.tolerant(Media2(conversation.talk, services[MEDIA2]).profiles(ptz=True), none) or found
    return found


def _profile_of(profiles: list[Profile], camera: SteeredCamera) -> Profile | None:
    """The profile to steer with: the main stream's, else another one of the camera that has a PTZ configuration."""
    own = [one for one in profiles if one.source == camera.source[:MAX_TOKEN]]
    steering = [one for one in own if one.ptz] or own
    return next((one for one in steering if one.token == camera.profile), steering[0] if steering else None)


def _node_of(nodes: list[PtzNode], profile: Profile | None) -> PtzNode | None:
    named = profile.node if profile is not None else ""
    if (found := next((one for one in nodes if one.token == named), None)) is not None:
        return found
    if len(nodes) == 1 or (nodes and profile is not None and profile.ptz):
        return nodes[0]
    return ASSUMED if profile is not None and profile.ptz else None
