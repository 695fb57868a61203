"""Villages, cameras, devices, discovery."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from camera_hub.api.schemas.base import Answer, CameraState, Health, Id, Line, Name, PlaceClass, RequestBody, Text
from camera_hub.api.schemas.ledger import Datum
from camera_hub.api.schemas.map import Geometry, Latitude, Longitude

ReturnNote = Annotated[Text, Field(min_length=1)]
Host = Annotated[Line, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Login = Annotated[Line, Field(max_length=128)]
CameraPassword = Annotated[SecretStr, Field(max_length=128)]
StreamUrl = Annotated[str, Field(max_length=512)]
LoginPurpose = Literal["ordinary", "onvif", "rtsp", "http"]
RangeText = Annotated[Line, Field(min_length=1, max_length=64)]


class VillageCountsAnswer(Answer):
    """Approved cameras by health; `waiting` are those not yet approved.

    `online`, `picture_fault` and `clock_wrong` are counted separately: a camera may count in several of them.
    """

    total: int
    ok: int
    fault: int
    unknown: int
    waiting: int
    online: int
    picture_fault: int
    clock_wrong: int


class VillageAnswer(Answer):
    id: int
    name: str
    kind: Literal["village", "quarter"]
    position: int
    pinyin: str
    initials: str
    ranges: list[str]
    longitude: float | None = None  # where its name stands on the map: WGS-84
    latitude: float | None = None
    counts: VillageCountsAnswer
    down_since: datetime | None = None  # an open village-link alarm


class NewVillages(RequestBody):
    """Names as pasted, in the official order; names that exist already are not added twice."""

    names: list[Name] = Field(min_length=1, max_length=200)
    kind: Literal["village", "quarter"] = "village"


class ChangeVillage(RequestBody):
    """What is left out stays as it is; position and outline are taken away by null."""

    name: Name | None = None
    kind: Literal["village", "quarter"] | None = None
    ranges: list[RangeText] | None = Field(None, max_length=64)
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    datum: Datum | None = None  # of the position and the outline; None: wgs84
    outline: Geometry | None = None


class NewOrder(RequestBody):
    """Ids in their new order."""

    ids: list[Id] = Field(max_length=2000)


class StreamAnswer(Answer):
    role: Literal["main", "sub"]
    codec: str | None
    width: int | None
    height: int | None


Importance = Literal["key", "normal"]
"""Alarms of key cameras are one step more severe, and notified sooner."""


class CameraStateAnswer(Answer):
    """The state of one aspect of a camera, and since when; an aspect that is missing is not known yet."""

    aspect: Literal["reachable", "media", "picture", "clock", "recording", "osd"]
    state: Literal["ok", "fault"]
    cause: str | None  # Reason of a fault
    since: datetime


class CameraAnswer(Answer):
    id: int
    device_id: int
    village_id: int
    number: int | None  # as its recorder counts it, from 1
    ptz: bool  # whether it can be steered, as its device said when it was described
    name: str
    pinyin: str
    initials: str
    place_class: PlaceClass
    importance: Importance
    position: int
    state: CameraState
    health: Health  # whether it shows a good picture; a wrong clock is a state of its own
    cause: str | None  # Reason of the fault
    health_since: datetime | None
    states: list[CameraStateAnswer]
    proof_state: Literal["pending", "proved", "failed"]
    proof: str | None  # Reason why the picture that should prove it failed
    proving: bool  # waiting to be proved, or being proved now
    picture_at: datetime | None  # GET /api/cameras/{id}/picture has one of that time
    favourite: bool
    streams: list[StreamAnswer]


class ChangeCamera(RequestBody):
    name: Name | None = None
    place_class: PlaceClass | None = None
    position: int | None = Field(None, ge=0, le=100_000)


class CameraIds(RequestBody):
    ids: list[Id] = Field(min_length=1, max_length=2000)


class WeighCameras(CameraIds):
    importance: Importance


class ApproveCameras(CameraIds):
    """Approve several cameras, and with them the places where their devices are; all may be given a place class.

    `places`: where their devices were seen to be (device id → host:port); one that is elsewhere now is not approved.
    """

    place_class: PlaceClass | None = None
    places: dict[Id, Annotated[str, Field(max_length=300)]] = Field(default={}, max_length=2000)


class ReturnCameras(CameraIds):
    """Return cameras to their village; the note says what is to be corrected."""

    note: ReturnNote


class CameraIdsAnswer(Answer):
    ids: list[int]


class LoginAnswer(Answer):
    """A login that the device has for a purpose; where there is none, the ordinary one is used."""

    purpose: LoginPurpose
    username: str


class PeculiarityAnswer(Answer):
    """What was learnt of a device: where it departs from a standard, and how that is borne."""

    kind: str
    value: str
    noticed_at: datetime


class StreamAddressAnswer(Answer):
    """Where a stream was pulled last, without any login: what may be one is masked by "…". "" = not known."""

    camera_id: int
    role: Literal["main", "sub"]
    address: str


class DiskAnswer(Answer):
    """A recorder's disk; `state` is the device's own word."""

    name: str
    state: str
    capacity_mb: int | None
    free_mb: int | None


class DeviceAnswer(Answer):
    id: int
    village_id: int
    kind: Literal["camera", "recorder", "platform"]
    name: str
    host: str
    via: Literal["onvif", "hikvision", "dahua", "catalogue", "url"]  # how it was described
    onvif_port: int | None
    http_port: int | None  # of its vendor's interface, where it is not asked over ONVIF
    rtsp_port: int | None
    rtsp_port_typed: bool  # by a person: what the device reports does not count
    disks: list[DiskAnswer]  # as it reported them last
    manufacturer: str
    model: str
    firmware: str
    serial: str
    mac: str
    logins: list[LoginAnswer]  # user names; passwords are write-only
    place: str  # where it is reached, host:port
    approved_place: str | None  # another one: it was moved since, and its cameras wait for approval
    moved_at: datetime | None
    distrusted_at: datetime | None  # another device was found there: it gets no login until somebody has decided
    streams: list[StreamAddressAnswer]  # of cameras not retired
    clock_offset_s: float | None
    login_retry_at: datetime | None  # the device refused the login, and it is not tried again before then
    login_reason: str | None  # why: wrong_password, locked_out or login_paused
    login_tries_left: int | None  # how many refusals a day are left before no login is tried
    created_at: datetime
    cameras: list[int]
    peculiarities: list[PeculiarityAnswer]


class NewDevice(RequestBody):
    """Describe the device and register it: over ONVIF, else its vendor's interface, else by RTSP paths.

    `endpoint` (from discovery) is kept as its identity. Ports given here count for more than what the device reports.
    """

    village_id: Id
    host: Host
    port: Port | None = None  # of ONVIF and HTTP; None: the usual ones are tried
    rtsp_port: Port | None = None  # None: as the device reports it
    profile_id: Id | None = None  # the village's login profile, where no user name is given
    username: Login = ""
    password: CameraPassword = SecretStr("")
    name: Text = ""
    endpoint: Text = ""
    found: bool = False  # by a search, rather than typed


class NewUrlCamera(RequestBody):
    """A camera that is known by its RTSP URL only. A login in a URL is moved out of it and sealed."""

    village_id: Id
    name: Name
    main_url: StreamUrl
    sub_url: StreamUrl = ""
    username: Login = ""
    password: CameraPassword = SecretStr("")
    place_class: PlaceClass = "other"


class DeviceRegistered(Answer):
    device: DeviceAnswer
    cameras: list[CameraAnswer]


class ChangeDevice(RequestBody):
    name: Text | None = None
    host: Host | None = None
    onvif_port: Port | None = None  # also of its vendor's interface
    rtsp_port: Annotated[int, Field(ge=0, le=65535)] | None = None  # 0: as the device reports it
    purpose: LoginPurpose | None = None  # of user name and password; None: ordinary. An empty name removes the login
    username: Login | None = None
    password: CameraPassword | None = None


class InterfaceAnswer(Answer):
    name: str
    address: str
    network: str  # CIDR


class RangeAnswer(Answer):
    text: str
    first: str
    last: str
    hosts: int


class PlanRequest(RequestBody):
    """What would be searched; nothing is sent. An invalid range is refused, never replaced."""

    village_id: Id | None = None
    ranges: list[RangeText] = Field(default=[], max_length=64)


class SweepPlanAnswer(Answer):
    interfaces: list[InterfaceAnswer]  # multicast goes out on each of these
    ranges: list[RangeAnswer]  # probed one by one
    hosts: int
    max_hosts: int


class NewSweep(RequestBody):
    village_id: Id
    multicast: bool = True
    ranges: list[RangeText] = Field(default=[], max_length=64)
    ports: list[Port] = Field(default=[], max_length=16)


class FoundDeviceAnswer(Answer):
    """One device that answered."""

    key: str
    host: str
    port: int
    name: str
    manufacturer: str
    model: str
    mac: str
    endpoint: str
    source: Literal["multicast", "unicast"]
    clock_error_s: float | None
    reason: str | None  # e.g. onvif_off: something answers, but not ONVIF
    device_id: int | None  # registered already (in a village that the user may see)
    other_village: bool  # registered already, elsewhere


class SweepAnswer(Answer):
    id: str
    village_id: int
    state: Literal["running", "done", "cancelled", "failed"]
    detail: str
    started_at: datetime
    total: int
    done: int
    found: list[FoundDeviceAnswer]
