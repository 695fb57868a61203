"""Villages, devices, cameras, streams. Device 1–N Camera 1–N Stream; never device = camera."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from camera_hub.store.tables.base import Base, Sealed


class Village(Base):
    """A village or residential quarter, in the township's official order."""

    __tablename__ = "villages"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="village")  # village | quarter
    position: Mapped[int] = mapped_column(default=0)
    pinyin: Mapped[str] = mapped_column(String(256), default="")  # "dongjiacun"
    initials: Mapped[str] = mapped_column(String(64), default="")  # "djc"
    ranges: Mapped[list[str]] = mapped_column(JSON, default=list)  # CIDR or first-last, shown first in discovery
    longitude: Mapped[float | None]  # where its name stands on the map: WGS-84, degrees
    latitude: Mapped[float | None]
    outline: Mapped[list[list[float]] | None] = mapped_column(JSON(none_as_null=True))  # [[longitude, latitude], …]
    round_plan: Mapped[str] = mapped_column(String(8), default="normal", server_default="normal")  # normal | thrifty
    created_at: Mapped[datetime]


class Device(Base):
    """An IP camera, a recorder, or a platform: one address, its logins (device_logins), one to many cameras."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    kind: Mapped[str] = mapped_column(String(16), default="camera")  # camera | recorder | platform
    name: Mapped[str] = mapped_column(String(128), default="")
    host: Mapped[str] = mapped_column(String(255))  # the address at which the hub reaches it
    onvif_port: Mapped[int | None]
    onvif_path: Mapped[str] = mapped_column(String(255), default="/onvif/device_service")
    http_port: Mapped[int | None]  # of the vendor's interface, where the device is not asked over ONVIF
    rtsp_port: Mapped[int | None]
    rtsp_port_typed: Mapped[bool] = mapped_column(default=False)  # by a person: what the device reports does not count
    # onvif | hikvision | dahua (the vendor's interface) | catalogue (RTSP paths that it answers) | url
    via: Mapped[str] = mapped_column(String(16), default="onvif")
    disks: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # as it reported them last
    manufacturer: Mapped[str] = mapped_column(String(128), default="")
    model: Mapped[str] = mapped_column(String(128), default="")
    firmware: Mapped[str] = mapped_column(String(128), default="")
    serial: Mapped[str] = mapped_column(String(128), default="", index=True)
    mac: Mapped[str] = mapped_column(String(32), default="", index=True)
    endpoint: Mapped[str] = mapped_column(String(128), default="", index=True)  # WS-Discovery EPR
    # The place (host:port) that township staff approved last, and the IP address that its name led to then; None: not
    # known yet. A device at another place waits for approval again (cameras.device_checks).
    approved_place: Mapped[str | None] = mapped_column(String(300))
    approved_address: Mapped[str | None] = mapped_column(String(45))
    moved_at: Mapped[datetime | None]  # when somebody who may not approve gave it another place
    # When another device was found at its place: it gets no login until a person has said what it is (cameras.matches).
    distrusted_at: Mapped[datetime | None]
    credentials_version: Mapped[int] = mapped_column(default=1)  # grows with each change of a login or of the address
    clock_offset_s: Mapped[float | None]  # device minus hub
    added_by: Mapped[int | None]  # users.id of who registered it; None: not known
    added_by_name: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # Township staff who registered or changed it for the village last, and when; "": nobody.
    on_behalf_by: Mapped[str] = mapped_column(String(64), default="", server_default="")
    on_behalf_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    @property
    def asked_port(self) -> int | None:
        """Where it is asked over HTTP: over ONVIF, else its vendor's interface; None: it is known by RTSP alone."""
        return self.onvif_port or self.http_port


class StoredLogin(Base):
    """A login of a device for one purpose; for the fallbacks between purposes see cameras.credentials.purposes."""

    __tablename__ = "device_logins"

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)  # ordinary | onvif | rtsp | http
    username: Mapped[str] = mapped_column(String(128))
    sealed: Mapped[bytes] = mapped_column(Sealed)  # the password
    version: Mapped[int]  # devices.credentials_version when it was set
    # A login profile's: this row holds the login of that version of it, as the device has accepted it. None: its own.
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("login_profiles.id", ondelete="RESTRICT"), index=True)
    profile_version: Mapped[int | None]
    asked_version: Mapped[int | None]  # of the profile, when the device was asked last
    asked_at: Mapped[datetime | None]
    asked_reason: Mapped[str | None] = mapped_column(String(32))  # why it does not have that version; None: it has


class LoginProfile(Base):
    """A login that devices of a village share. Each device keeps a copy (StoredLogin), replaced once it accepts it."""

    __tablename__ = "login_profiles"
    __table_args__ = (UniqueConstraint("village_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    purposes: Mapped[list[str]] = mapped_column(JSON, default=list)  # cameras.credentials.purposes
    username: Mapped[str] = mapped_column(String(128))
    sealed: Mapped[bytes] = mapped_column(Sealed)  # the password; owner "login profile:<id>"
    version: Mapped[int] = mapped_column(default=1)  # grows with each change of user name or password
    changed_at: Mapped[datetime]  # when user name or password were set
    changed_by: Mapped[int]  # a user's id; kept when the user is gone
    changed_name: Mapped[str] = mapped_column(String(64))
    on_behalf: Mapped[bool] = mapped_column(default=False)  # set by township staff for the village
    created_at: Mapped[datetime]


class DevicePeculiarity(Base):
    """What was learnt of a device: where it departs from a standard. Kinds: camera_hub.peculiarity_kinds."""

    __tablename__ = "device_peculiarities"

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(256))
    noticed_at: Mapped[datetime]  # when this value was first seen


class LoginAccount(Base):
    """One login at one device, as long as there is something to tell: refused, accepted, or being tried. Not only of
    registered devices; a row outlives its device, so that registering it anew makes no room for more tries.
    """

    __tablename__ = "login_accounts"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)  # hash of address, port or device, and login
    address: Mapped[str] = mapped_column(String(255))  # canonical, as it was connected to
    port: Mapped[int] = mapped_column(default=0)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"), index=True)
    credentials_version: Mapped[int] = mapped_column(default=0)  # devices.credentials_version when it was tried
    login: Mapped[str] = mapped_column(String(32))  # keyed hash of user name and password; empty: not known
    failures: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # {"onvif": 1, "rtsp": 1} since it was entered
    refused_at: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)  # [[Unix time, "rtsp"], …] of the last day
    proved: Mapped[list[str]] = mapped_column(JSON, default=list)  # services that accept it
    under_way: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # attempts that nobody has reported yet
    blocked_until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(32))  # errors.Reason


class Camera(Base):
    """One picture: a channel of a device; what operators name and watch."""

    __tablename__ = "cameras"
    __table_args__ = (UniqueConstraint("device_id", "channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="RESTRICT"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("villages.id", ondelete="RESTRICT"), index=True)
    channel: Mapped[str] = mapped_column(String(128))  # ONVIF video source, else number as text; "rtsp" for a URL
    number: Mapped[int | None]  # as its recorder counts it, from 1
    ptz: Mapped[bool] = mapped_column(default=False)  # whether it has a PTZ node, as its device says over ONVIF
    name: Mapped[str] = mapped_column(String(128))
    pinyin: Mapped[str] = mapped_column(String(512), default="")
    initials: Mapped[str] = mapped_column(String(128), default="")
    # key_road | key_unit | high_incidence | entrance | school | water | forest | field | square | other
    place_class: Mapped[str] = mapped_column(String(24), default="other")
    position: Mapped[int] = mapped_column(default=0)  # order in its village
    importance: Mapped[str] = mapped_column(String(8), default="normal", server_default="normal")  # key | normal
    state: Mapped[str] = mapped_column(String(16), default="waiting", index=True)  # register.camera_states
    health: Mapped[str] = mapped_column(String(16), default="unknown")  # unknown | ok | fault
    cause: Mapped[str | None] = mapped_column(String(32))  # errors.Reason of the fault
    health_since: Mapped[datetime | None]
    # The proof: one key frame after registration, and after each change of address or login.
    proof_state: Mapped[str] = mapped_column(String(8), default="pending")  # pending | proved | failed
    proof_reason: Mapped[str | None] = mapped_column(String(32))  # errors.Reason of a failed proof
    proof_attempts: Mapped[int] = mapped_column(
        default=0
    )  # attempts that failed on the hub's side since it was requested
    proof_due_at: Mapped[datetime | None] = mapped_column(index=True)  # when a pending one is tried next; None: never
    picture_at: Mapped[datetime | None]  # the last picture in data_dir/pictures/<id>.jpg
    # Why the township returned it, who and when; kept while the village corrects it, empty once it is submitted again.
    returned_note: Mapped[str] = mapped_column(String(255), default="", server_default="")
    returned_by: Mapped[str] = mapped_column(String(64), default="", server_default="")
    returned_at: Mapped[datetime | None]
    # Township staff who registered, changed or submitted it for the village last, and when; "": nobody.
    on_behalf_by: Mapped[str] = mapped_column(String(64), default="", server_default="")
    on_behalf_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class Stream(Base):
    """A stream of a camera. The device is asked for its address when it is pulled; the last answer is kept.

    The address may hold a login in its path, so it is sealed; cameras.streams.stored_urls reads and writes it.
    """

    __tablename__ = "streams"
    __table_args__ = (UniqueConstraint("camera_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(8))  # main | sub
    source: Mapped[str] = mapped_column(String(8), default="onvif")  # onvif | vendor | url
    profile: Mapped[str | None] = mapped_column(String(128))  # ONVIF profile token, or pattern of vendors.paths
    plain_uri: Mapped[str] = mapped_column("uri", String(512), default="")  # of earlier versions; sealed at start
    sealed_uri: Mapped[bytes | None] = mapped_column(Sealed)  # without user-info; None: not known
    shown_uri: Mapped[str] = mapped_column(String(512), default="", server_default="")  # redacted, for people
    codec: Mapped[str | None] = mapped_column(String(16))  # from the stream itself: h264 | h265 | …
    width: Mapped[int | None]
    height: Mapped[int | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
