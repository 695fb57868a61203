"""Where a device's ONVIF service is reached, and how its clock was read. Values only."""

from dataclasses import dataclass, field
from datetime import datetime

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.reach import Check

PATH = "/onvif/device_service"


@dataclass(frozen=True, slots=True)
class OnvifTarget:
    """A device's ONVIF service: the address where it is reached, its login, what is known of its clock.

    `check` decides, before each connect, whether it may be reached there; None: the client's own. `tls`: None where the
    scheme is not known.
    """

    host: str
    port: int
    path: str = PATH
    login: DeviceLogin | None = None
    clock_offset_s: float | None = None
    check: Check | None = field(default=None, compare=False, repr=False)
    tls: bool | None = None

    @property
    def key(self) -> tuple[str, int, str]:
        return self.host, self.port, self.path


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A device's clock against ours: `offset_s` = device minus hub, None when its answer contains no usable time."""

    offset_s: float | None
    took_ms: float
    at: datetime
