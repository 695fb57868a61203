"""All tables, one module per subject; import them from here."""

from camera_hub.store.tables.base import Base, Sealed, UtcDateTime
from camera_hub.store.tables.device_events import DeviceEvent
from camera_hub.store.tables.device_settings import CameraSettingsRow, ClockCheckRow, DeviceSettingsRow
from camera_hub.store.tables.health import (
    Alarm,
    AlarmMember,
    CameraState,
    Notice,
    NoticeChannel,
    NoticeRule,
    Observation,
)
from camera_hub.store.tables.history import ObservationDay, ObservationHour, RollUpMark
from camera_hub.store.tables.intake import IntakeCandidate
from camera_hub.store.tables.ledger import LedgerChange, LedgerFile, LedgerPhoto
from camera_hub.store.tables.map import BasePicture, FieldOfView, KeyPlace
from camera_hub.store.tables.matches import CameraReplacement, DeviceMatch
from camera_hub.store.tables.patrol import Run, RunStep, RunStepCamera, Scene, Tour, TourStop
from camera_hub.store.tables.people import Favourite, LoginFailure, SetupLink, User, UserSession, UserVillage
from camera_hub.store.tables.places import (
    Camera,
    Device,
    DevicePeculiarity,
    LoginAccount,
    LoginProfile,
    StoredLogin,
    Stream,
    Village,
)
from camera_hub.store.tables.ptz import PtzCamera
from camera_hub.store.tables.rtsp import StreamSession, StreamToken
from camera_hub.store.tables.sheets import SheetImport, SheetImportRow, SheetMapping

__all__ = [
    "Alarm",
    "AlarmMember",
    "Base",
    "BasePicture",
    "Camera",
    "CameraReplacement",
    "CameraSettingsRow",
    "CameraState",
    "ClockCheckRow",
    "Device",
    "DeviceEvent",
    "DeviceMatch",
    "DevicePeculiarity",
    "DeviceSettingsRow",
    "Favourite",
    "FieldOfView",
    "IntakeCandidate",
    "KeyPlace",
    "LedgerChange",
    "LedgerFile",
    "LedgerPhoto",
    "LoginAccount",
    "LoginFailure",
    "LoginProfile",
    "Notice",
    "NoticeChannel",
    "NoticeRule",
    "Observation",
    "ObservationDay",
    "ObservationHour",
    "PtzCamera",
    "RollUpMark",
    "Run",
    "RunStep",
    "RunStepCamera",
    "Scene",
    "Sealed",
    "SetupLink",
    "SheetImport",
    "SheetImportRow",
    "SheetMapping",
    "StoredLogin",
    "Stream",
    "StreamSession",
    "StreamToken",
    "Tour",
    "TourStop",
    "User",
    "UserSession",
    "UserVillage",
    "UtcDateTime",
    "Village",
]
