"""Changes of many devices or cameras at once."""

from typing import Annotated

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Line, PlaceClass, RequestBody, Text
from camera_hub.api.schemas.logins import Devices

SubnetText = Annotated[Line, Field(min_length=1, max_length=64)]
Cameras = Annotated[list[Id], Field(min_length=1, max_length=5_000)]
LedgerKey = Annotated[str, Field(min_length=1, max_length=32)]


class SubnetBody(RequestBody):
    """Devices of a subnet that have addresses in another one now; the host part stays."""

    device_ids: Devices
    before: SubnetText  # 192.168.1.0/24 or 192.168.1.x
    after: SubnetText


class SubnetStart(SubnetBody):
    unknown_too: bool = False  # also devices that do not say who they are without a login


class SubnetPreviewAnswer(Answer):
    device_id: int
    name: str
    host: str
    new_host: str | None
    reason: str | None  # why it has no new address


class ChangeCameras(RequestBody):
    camera_ids: Cameras
    place_class: PlaceClass | None = None
    values: dict[LedgerKey, Text] = Field(default={}, max_length=32)  # of the ledger's fields
