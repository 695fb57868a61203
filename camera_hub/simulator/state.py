"""What all servers of one device share: its plan, its clock, its faults, its counters."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_hub.simulator.auth import Login
from camera_hub.simulator.clock import Clock
from camera_hub.simulator.dome import Dome, Preset
from camera_hub.simulator.faults import INNER_ADDRESS, Fault, Switchboard
from camera_hub.simulator.model import Channel, KeyFrames, SimDevice, Village
from camera_hub.simulator.picture.live import LiveViews
from camera_hub.simulator.picture.loop_cache import LoopCache
from camera_hub.simulator.settings import DeviceSettings, OsdDisturbance
from camera_hub.simulator.stats import DeviceStats
from camera_hub.simulator.vendors.paths import stream_path

SHARED_SERIAL = "SN00000001"
SHARED_MAC = "00:12:34:56:78:90"
SHARED_UUID = "11fda340-1dd2-11b2-8080-000000000000"


@dataclass(frozen=True, slots=True)
class Outer:
    """A router's address, and the ports that it forwards to one device."""

    address: str
    http_port: int
    rtsp_port: int


class DeviceState:
    """One running device, seen from inside. Ports are those in use once it has started."""

    def __init__(
        self,
        village: Village,
        plan: SimDevice,
        board: Switchboard,
        clock: Clock,
        loops: LoopCache,
        live: LiveViews,
        canary: str,
    ) -> None:
        self.village = village
        self.plan = plan
        self.clock = clock
        self.loops = loops
        self.live = live
        self.canary = canary
        """host:port to which redirects point; a client that connects there has followed one."""
        self.stats = DeviceStats()
        self.http_port = plan.http_port
        self.rtsp_port = plan.rtsp_port
        self.https_port = 0
        self.rtsps_port = 0
        """Where RTSP over TLS is spoken inside, with the fault `tls_port`."""
        self.outer: Outer | None = None
        """Where it is reached from outside its village, with the fault `forwarded_ports`."""
        self.domes = {one.number: self._dome(one) for one in plan.channels if one.ptz}
        """By the number of their channel."""
        self.settings = DeviceSettings(plan)
        self.flapped_down = False
        self._set_by_hand = 0.0
        self._falls_back: tuple[float, float] | None = None
        """When a clock that lies is as wrong as before, and by how much it was set then."""
        self._board = board
        self._known: dict[str, Mapping[Fault, float]] = {}
        self._heard = asyncio.Event()
        self._locked_until: float | None = None
        self.refresh()

    def refresh(self) -> None:
        """Read the switchboard again after a change."""
        self._known.clear()
        if Fault.LOCKED not in self.faults():
            self._locked_until = None
        elif self._locked_until is None:
            self._locked_until = self.clock.monotonic() + self.faults()[Fault.LOCKED]
        for channel in self.plan.channels:
            faults = self.faults(channel)
            disturbance = (one in faults for one in (Fault.OSD_OTHER_NAME, Fault.OSD_NO_NAME, Fault.OSD_NO_TIME))
            self.settings.disturb(channel, OsdDisturbance(*disturbance))
        if self.silent:
            self._heard.clear()
        else:
            self._heard.set()

    def _dome(self, channel: Channel) -> Dome:
        presets = {f"Preset_{at}": Preset(*preset) for at, preset in enumerate(channel.presets, start=1)}
        return Dome(lambda: self.faults(channel), presets)

    def faults(self, channel: Channel | None = None) -> Mapping[Fault, float]:
        """Faults of the device, or of one of its channels with those of the device."""
        key = channel.key if channel else ""
        found = self._known.get(key)
        if found is None:
            found = self._board.active((self.village.key, self.plan.key, *((key,) if key else ())))
            self._known[key] = found
        return found

    def key_frames(self, channel: Channel) -> KeyFrames:
        """Whom a channel gives a key frame at once: as switched, else as planned."""
        return self._board.key_frames((self.village.key, self.plan.key, channel.key)) or channel.key_frames

    @property
    def silent(self) -> bool:
        """Whether connections get no answer."""
        return self.unplugged or Fault.HALF_OPEN in self.faults()

    @property
    def unplugged(self) -> bool:
        """Whether it is as if it were not there: nothing is refused, nothing answers."""
        return Fault.VILLAGE_DOWN in self.faults() or self.asleep

    @property
    def asleep(self) -> bool:
        """Whether it sleeps now, by its own clock."""
        awake = self.faults().get(Fault.SLEEPING)
        return awake is not None and sleeps(self.settings.local(self.now()), awake)

    @property
    def down(self) -> bool:
        """Whether connections are refused."""
        return Fault.DEAD in self.faults() or self.flapped_down

    @property
    def locked_for(self) -> float:
        """Seconds for which every login is still refused; 0: none is for this reason."""
        return 0.0 if self._locked_until is None else max(0.0, self._locked_until - self.clock.monotonic())

    @property
    def admits_nobody(self) -> bool:
        """Whether no login is accepted, not even the right one."""
        return Fault.NOT_ACTIVATED in self.faults() or self.locked_for > 0

    @property
    def serial(self) -> str:
        """The serial number that it tells."""
        return SHARED_SERIAL if Fault.SHARED_SERIAL in self.faults() else self.plan.serial

    @property
    def mac(self) -> str:
        """The MAC address that it tells."""
        return SHARED_MAC if Fault.SHARED_MAC in self.faults() else self.plan.mac

    @property
    def uuid(self) -> str:
        """The UUID of its endpoint that it tells."""
        return SHARED_UUID if Fault.SHARED_ENDPOINT in self.faults() else self.plan.uuid

    async def while_silent(self) -> None:
        """Wait as long as the device is silent."""
        await self._heard.wait()

    def now(self) -> datetime:
        """The device's own clock, aware, UTC."""
        if self._falls_back is not None and self.clock.monotonic() >= self._falls_back[0]:
            self._set_by_hand, self._falls_back = self._falls_back[1], None
        return self.clock.now() + timedelta(seconds=self.faults().get(Fault.CLOCK_SKEW, 0.0) + self._set_by_hand)

    def set_clock(self, now: datetime) -> None:
        """Set the device's clock, as SetSystemDateAndTime does. One that lies goes back to where it was."""
        before = self.now()
        if (lasts := self.faults().get(Fault.CLOCK_LIES)) is not None:
            if lasts <= 0:
                return
            truth = self._set_by_hand if self._falls_back is None else self._falls_back[1]
            self._falls_back = self.clock.monotonic() + lasts, truth
        self._set_by_hand += (now - before).total_seconds()

    def ask_ntp(self) -> None:
        """Take the time from the NTP server, which has the right one."""
        self.set_clock(self.clock.now())

    def stay(self, before: "DeviceState") -> None:
        """Be the same device as before, at another address: counters, settings and domes are kept."""
        self.stats, self.settings, self.domes = before.stats, before.settings, before.domes
        self.stats.pull_points = 0
        self.settings.forget_listeners()
        self._set_by_hand, self._falls_back = before._set_by_hand, before._falls_back

    @property
    def device_logins(self) -> tuple[Login, ...]:
        """Logins for RTSP, snapshots and the vendor's interface."""
        return (self._unless_changed(self.plan.username, self.plan.password),)

    @property
    def onvif_logins(self) -> tuple[Login, ...]:
        """Logins for ONVIF: a separate list where the plan has one."""
        if not self.plan.onvif_username:
            return self.device_logins
        return (self._unless_changed(self.plan.onvif_username, self.plan.onvif_password),)

    def _unless_changed(self, username: str, password: str) -> Login:
        return Login(username, password + "-changed" if Fault.WRONG_PASSWORD in self.faults() else password)

    @property
    def shown_address(self) -> str:
        """The address that the device believes it has."""
        if Fault.NAT_XADDR in self.faults():
            return INNER_ADDRESS
        return self.outer.address if self.outer else self.plan.address

    def stream_url(self, channel: Channel, number: int) -> str:
        """URL of a stream as the device itself names it."""
        path = stream_path(self.plan.vendor, channel, number)
        if Fault.LOGIN_IN_PATH in self.faults():
            (login,) = self.device_logins
            path = f"/user={login.username}_password={login.password}_channel={channel.number}_stream={number - 1}.sdp"
        return f"rtsp://{self.shown_address}:{self.outer.rtsp_port if self.outer else self.rtsp_port}{path}"

    def http_url(self, path: str) -> str:
        """URL of a path on the device's HTTP or HTTPS port as the device itself names it."""
        if self.https_port:
            return f"https://{self.shown_address}:{self.https_port}{path}"
        return f"http://{self.shown_address}:{self.outer.http_port if self.outer else self.http_port}{path}"


def sleeps(local: datetime, hours_awake: float) -> bool:
    """Whether a device that is awake for so many hours around noon sleeps at a moment of its local time."""
    return abs(local.hour + local.minute / 60 + local.second / 3600 - 12) >= hours_awake / 2
