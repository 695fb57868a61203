"""A camera's presets, its home position, and when it returns there.

Presets are the device's own. ONVIF has no call that renames one: SetPreset always stores where the camera points now.
So another name is kept here, for as long as the device calls the preset what it called it then. What a device says that
it has stored is read back. The calls go by the ordinary way (onvif.client), so that a long list never holds up a stop.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol, TypeVar

from camera_hub.access.policy import Actor
from camera_hub.cameras.onvif.describe import clean
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.ptz import MAX_PRESETS, PTZ, ListedPreset, Ptz
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.ptz import lock as locks
from camera_hub.cameras.ptz.capabilities import PtzCapabilities
from camera_hub.cameras.ptz.driver import FAULTS
from camera_hub.cameras.ptz.session import PtzSession
from camera_hub.cameras.ptz.state import PtzState, preset_gone, unsupported
from camera_hub.cameras.ptz.store import HomePlan, SteeredCamera, ptz_none
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason

MAX_NAME = 64
SECONDS = 20.0
"""For all calls of one operation; a list of hundreds of presets takes some seconds."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PresetView:
    """A preset. `name`: never empty, and no other preset of the camera has it."""

    token: str
    name: str
    home: bool


@dataclass(frozen=True, slots=True)
class PtzView:
    """What a pad shows."""

    capabilities: PtzCapabilities
    presets: tuple[PresetView, ...]
    state: PtzState


class PresetTalks(Protocol):
    """What is needed of onvif.client."""

    async def talk(
        self,
        target: OnvifTarget,
        seconds: float,
        work: Callable[[OnvifDevice, Mapping[str, str]], Awaitable[T]],
        *,
        patience: float | None = None,
    ) -> T: ...


class PresetTargets(Protocol):
    """Where devices are reached (ptz.store)."""

    async def target(self, camera: SteeredCamera) -> OnvifTarget: ...


class SteeredSessions(Protocol):
    """What is needed of ptz.control."""

    async def session(self, actor: Actor, camera_id: int) -> PtzSession: ...
    async def replan(self, session: PtzSession, plan: HomePlan) -> None: ...


class PtzPresets:
    """The operations behind api/ptz. All raise HubError, also as PtzControl.session."""

    def __init__(self, control: SteeredSessions, targets: PresetTargets, onvif: PresetTalks, clock: Clock) -> None:
        self._control = control
        self._targets = targets
        self._onvif = onvif
        self._clock = clock

    async def open(self, actor: Actor, camera_id: int) -> PtzView:
        """What the camera can do, its presets and its state; from now on its conversation is kept."""
        session = await self._control.session(actor, camera_id)
        facts = await session.open()
        listed = await self._listed(session) if facts.capabilities.presets else []
        return PtzView(facts.capabilities, tuple(_views(listed, session.home.plan)), session.state())

    async def add(self, actor: Actor, camera_id: int, name: str) -> PresetView:
        """Store where the camera points now as a new preset."""
        session = await self._control.session(actor, camera_id)
        facts = await session.open()
        if not facts.capabilities.presets:
            raise unsupported()
        session.claim(locks.person(actor))

        async def work(calls: Ptz) -> tuple[str, list[ListedPreset]]:
            before = await calls.presets(facts.profile)
            if len(before) >= MAX_PRESETS:
                raise _full(len(before))
            token = await self._set(calls, facts.profile, name, None, len(before) + 1)
            after = await calls.presets(facts.profile)
            new = [one.token for one in after if one.token not in {one.token for one in before}]
            return (token or next(iter(new), "")), after

        token, listed = await self._asked(session, work)
        await self._named(session, token, name, listed)
        return _one(token, listed, session.home.plan)

    async def change(self, actor: Actor, camera_id: int, token: str, name: str, *, here: bool) -> PresetView:
        """Rename the preset; `here`: it is where the camera points now."""
        session = await self._control.session(actor, camera_id)
        facts = await session.open()
        if here:
            session.claim(locks.person(actor))

        async def work(calls: Ptz) -> list[ListedPreset]:
            before = await calls.presets(facts.profile)
            _require(token, before)
            if not here:
                return before
            stored = await self._set(calls, facts.profile, name, token, 0)
            after = await calls.presets(facts.profile)
            if stored != token and all(one.token != stored for one in before):
                await self._undo(calls, facts.profile, stored, after)
            return after

        listed = await self._asked(session, work)
        await self._named(session, token, name, listed)
        return _one(token, listed, session.home.plan)

    async def remove(self, actor: Actor, camera_id: int, token: str) -> None:
        """A camera that returned there returns to its device's home position from now on."""
        session = await self._control.session(actor, camera_id)
        facts = await session.open()

        async def work(calls: Ptz) -> list[ListedPreset]:
            _require(token, await calls.presets(facts.profile))
            try:
                await calls.remove_preset(facts.profile, token)
            except HubError as error:
                if error.reason not in FAULTS:
                    raise
                raise _stays() from error
            return await calls.presets(facts.profile)

        if any(one.token == token for one in await self._asked(session, work)):
            raise _not_kept("the device says that it has removed the preset, and still lists it")
        plan = session.home.plan
        names = {key: pair for key, pair in plan.names.items() if key != token}
        home = None if plan.token == token else plan.token
        if (home, names) != (plan.token, dict(plan.names)):
            await self._control.replan(session, replace(plan, token=home, names=names))

    async def set_home(self, actor: Actor, camera_id: int, token: str | None, seconds: float | None) -> PtzView:
        """Where the camera returns (a preset, None: the device's own home position), and after how many seconds without
        a command (0: never, None: as the site has it)."""
        session = await self._control.session(actor, camera_id)
        await session.open()
        listed = await self._listed(session)
        if token is not None:
            _require(token, listed)
        await self._control.replan(session, replace(session.home.plan, token=token, seconds=seconds))
        facts = await session.open()
        return PtzView(facts.capabilities, tuple(_views(listed, session.home.plan)), session.state())

    async def suspend(self, actor: Actor, camera_id: int, minutes: int) -> PtzState:
        """It does not return home for so long; 0: it does again."""
        session = await self._control.session(actor, camera_id)
        until = self._clock.now() + timedelta(minutes=minutes) if minutes else None
        await self._control.replan(session, replace(session.home.plan, suspended_until=until))
        return session.state()

    async def _listed(self, session: PtzSession) -> list[ListedPreset]:
        facts = await session.open()

        async def work(calls: Ptz) -> list[ListedPreset]:
            return await calls.presets(facts.profile)

        try:
            return await self._asked(session, work)
        except HubError as error:
            if error.reason not in (Reason.SOAP_FAULT, Reason.BAD_REPLY):
                raise
            return []

    async def _asked(self, session: PtzSession, work: Callable[[Ptz], Awaitable[T]]) -> T:
        async def ask(device: OnvifDevice, services: Mapping[str, str]) -> T:
            if (path := services.get(PTZ)) is None:
                raise ptz_none()
            return await work(Ptz(device.conversation, path))

        return await self._onvif.talk(await self._targets.target(session.camera), SECONDS, ask)

    @staticmethod
    async def _set(calls: Ptz, profile: str, name: str, token: str | None, number: int) -> str:
        """Store the preset under that name, or under a plain one where the device takes no other letters."""
        try:
            return await calls.set_preset(profile, name, token)
        except HubError as error:
            if error.reason == Reason.DEVICE_FULL or "toomanypresets" in error.detail.lower():
                raise _full(None) from error
            if error.reason != Reason.SOAP_FAULT:
                raise
            plain = f"Preset {number}" if token is None else f"Preset {token}"[:MAX_NAME]
            return await calls.set_preset(profile, plain, token)

    @staticmethod
    async def _undo(calls: Ptz, profile: str, stored: str, listed: Sequence[ListedPreset]) -> None:
        """Remove the preset that the device has made instead of storing into the one that was meant. Raises HubError,
        unless it does not list what it says."""
        if all(one.token != stored for one in listed):
            return
        left = "is removed again"
        try:
            await calls.remove_preset(profile, stored)
        except HubError as error:
            if error.reason not in FAULTS:
                raise
            left = "it refuses to remove"
        raise HubError(
            Kind.UNREACHABLE,
            "the device does not store into a preset that it has: it made another one, which "
            f"{left}; add a new preset instead",
            reason=Reason.PTZ_PRESET_COPIED,
        )

    async def _named(self, session: PtzSession, token: str, name: str, listed: Sequence[ListedPreset]) -> None:
        """Keep the name here where the device does not have it. Raises HubError where it has no such preset."""
        found = next((one for one in listed if one.token == token), None)
        if found is None:
            raise _not_kept("the device says that it has stored the preset, and does not list it")
        names = dict(session.home.plan.names)
        names.pop(token, None)
        if clean(found.name) != name:
            names[token] = (found.name, name)
        if names != dict(session.home.plan.names):
            await self._control.replan(session, replace(session.home.plan, names=names))


def _views(listed: Sequence[ListedPreset], plan: HomePlan) -> list[PresetView]:
    names = unique_names([(one.token, _name(one, plan)) for one in listed])
    return [PresetView(one.token, names[one.token], one.token == plan.token) for one in listed]


def _one(token: str, listed: Sequence[ListedPreset], plan: HomePlan) -> PresetView:
    return next(one for one in _views(listed, plan) if one.token == token)


def _name(one: ListedPreset, plan: HomePlan) -> str:
    kept = plan.names.get(one.token)
    return kept[1] if kept is not None and kept[0] == one.name else clean(one.name, MAX_NAME)


def unique_names(named: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Token → a name that no other one has: one without a name bears its token, the second of a name is “name (2)”.
    Pure."""
    found: dict[str, str] = {}
    counted: Counter[str] = Counter()
    taken = {name for _, name in named if name}
    for token, name in named:
        first = name or clean(token, MAX_NAME) or "?"
        counted[first] += 1
        unique = first if counted[first] == 1 else f"{first} ({counted[first]})"
        while unique != first and unique in taken:
            counted[first] += 1
            unique = f"{first} ({counted[first]})"
        taken.add(unique)
        found[token] = unique
    return found


def _require(token: str, listed: Sequence[ListedPreset]) -> None:
    if all(one.token != token for one in listed):
        raise preset_gone()


def _full(most: int | None) -> HubError:
    return HubError(
        Kind.CONFLICT,
        "the camera keeps no more presets" + (f" than {most}" if most else "") + "; remove one first",
        reason=Reason.PTZ_PRESETS_FULL,
    )


def _stays() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device refuses to remove this preset; remove it on the device's own page",
        reason=Reason.PTZ_PRESET_STAYS,
    )


def _not_kept(detail: str) -> HubError:
    return HubError(Kind.UNREACHABLE, detail, reason=Reason.PTZ_PRESET_NOT_KEPT)
