"""The repair list for a trip."""

from datetime import datetime
from typing import Any, Literal

from camera_hub.api.schemas.base import Answer

TakeAlong = Literal[
    "ladder",
    "laptop",
    "tester",
    "network_cable",
    "switch",
    "power_supply",
    "spare_camera",
    "cleaning",
    "pruner",
    "wrench",
    "lamp",
    "disk",
]


class TripFaultAnswer(Answer):
    """One open alarm. `take`: what to take along; `from_here`: it is dealt with at the desk first."""

    alarm_id: int
    aspect: str
    cause: str
    params: dict[str, Any]
    severity: Literal["critical", "major", "minor", "warning"]
    since: datetime
    owner: str | None
    suspended_until: datetime | None
    suspended_reason: str | None
    take: list[TakeAlong]
    from_here: bool


class TripPlaceAnswer(Answer):
    """A camera, a recorder or a village's link. `cameras`: how many are concerned. "" where the ledger knows nothing;
    longitude and latitude in degrees, WGS-84."""

    level: Literal["village", "device", "camera"]
    village_id: int
    name: str
    camera_id: int | None
    cameras: int
    model: str
    pole_number: str
    landmark: str
    address: str
    manager: str
    manager_phone: str
    maintainer_unit: str
    maintainer_phone: str
    longitude: float | None
    latitude: float | None
    faults: list[TripFaultAnswer]


class TripVillageAnswer(Answer):
    """The places of one village in the order in which they lie; its own link first."""

    village_id: int
    name: str
    places: list[TripPlaceAnswer]


class TripAnswer(Answer):
    """`cut`: there were more open alarms than one list takes."""

    at: datetime
    villages: list[TripVillageAnswer]
    cut: bool
