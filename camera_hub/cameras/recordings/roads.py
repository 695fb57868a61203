"""How a device is asked for its recordings: by the road that it answered last, else by each that it may have."""

from collections.abc import Mapping
from typing import Literal, Protocol

from camera_hub.cameras.recordings.values import RecordingDevice, SaidOfDevice, Wanted
from camera_hub.cameras.vendors.recordings import no_search
from camera_hub.errors import DATABASE_REASONS, HubError, Reason

Way = Literal["onvif", "vendor"]

_NEXT_MAY_TELL = frozenset(
    {
        Reason.RECORDING_UNKNOWN,
        Reason.SOAP_FAULT,
        Reason.BAD_REPLY,
        Reason.ONVIF_OFF,
        Reason.NO_RIGHTS,
        Reason.REPLY_TOO_LARGE,
        Reason.CLOCK_UNREADABLE,
    }
)
"""What one road meets and another need not. All else (no answer, a refused login) would cost it another try."""


class RecordingWay(Protocol):
    """One road. Whatever is asked is bounded in time."""

    async def read(self, device: RecordingDevice, wanted: Wanted) -> SaidOfDevice:
        """Raises HubError."""
        ...


class RecordingRoads:
    """The roads by name."""

    def __init__(self, ways: Mapping[Way, RecordingWay]) -> None:
        self._ways = ways

    async def read(self, device: RecordingDevice, wanted: Wanted) -> SaidOfDevice:
        """What the device says, by the first road that tells how much is recorded, else by one that tells whether.

        Raises HubError: of the first road that answered at all, else RECORDING_UNKNOWN.
        """
        if device.port is None:
            raise no_search()
        less: SaidOfDevice | None = None
        first: HubError | None = None
        for way in ways_of(device):
            try:
                said = await self._ways[way].read(device, wanted)
            except HubError as error:
                if error.reason in DATABASE_REASONS or (error.reason not in _NEXT_MAY_TELL and less is None):
                    raise
                if first is None or first.reason == Reason.RECORDING_UNKNOWN:
                    first = error
                continue
            if tells_much(said):
                return said
            less = less or said
        if less is not None:
            return less
        raise first or no_search()


def ways_of(device: RecordingDevice) -> tuple[Way, ...]:
    """In which order they are asked. Pure."""
    if device.via not in ("onvif", "hikvision", "dahua"):
        return ()
    if device.via != "onvif":
        return ("vendor",)
    return ("vendor", "onvif") if device.road in ("hikvision", "dahua") else ("onvif", "vendor")


def tells_much(said: SaidOfDevice) -> bool:
    """Whether it tells of some camera when it was recorded, not only from when to when. Pure."""
    return any(one.read or one.recorded or one.absent for one in said.cameras.values())
