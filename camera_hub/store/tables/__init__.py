"""All tables, one module per subject; import them from here."""

from camera_hub.store.tables.audit import AuditCopy, AuditKey, AuditLink, RunReview
from camera_hub.store.tables.base import Base, Sealed, UtcDateTime
from camera_hub.store.tables.county import CountyCheck, CountyRow
from camera_hub.store.tables.device_events import DeviceEvent
from camera_hub.store.tables.device_settings import CameraSettingsRow, ClockCheckRow, DeviceSettingsRow
from camera_hub.store.tables.exclusions import Exclusion, ObservingPeriod, ServicePeriod
from camera_hub.store.tables.health import (
    Alarm,
    AlarmMember,
    CameraState,
    Digest,
    Notice,
    NoticeChannel,
    NoticeRule,
    Observation,
    ToldAlarm,
)
from camera_hub.store.tables.history import ObservationDay, ObservationHour, RollUpMark
from camera_hub.store.tables.intake import IntakeCandidate
from camera_hub.store.tables.ledger import LedgerChange, LedgerFile, LedgerPhoto
from camera_hub.store.tables.map import BasePicture, FieldOfView, KeyPlace
from camera_hub.store.tables.matches import CameraReplacement, DeviceMatch
from camera_hub.store.tables.patrol import Run, RunEvent, RunStep, RunStepCamera, Scene, Tour, TourStop, TourStopPreset
from camera_hub.store.tables.people import Favourite, LoginFailure, SetupLink, User, UserSession, UserVillage
from camera_hub.store.tables.pictures import AlarmPicture, ReferencePicture
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
from camera_hub.store.tables.plans import Plan, PlanOccurrence, SpecialPeriod
from camera_hub.store.tables.proof import Finding, RunPicture, RunResult
from camera_hub.store.tables.ptz import PtzCamera
from camera_hub.store.tables.recordings import RecordingCheckRow, RecordingDayRow
from camera_hub.store.tables.rtsp import StreamSession, StreamToken
from camera_hub.store.tables.screens import Screen
from camera_hub.store.tables.sheets import SheetImport, SheetImportRow, SheetMapping

__all__ = [
    "Alarm",
    "AlarmMember",
    "AlarmPicture",
    "AuditCopy",
    "AuditKey",
    "AuditLink",
    "Base",
    "BasePicture",
    "Camera",
    "CameraReplacement",
    "CameraSettingsRow",
    "CameraState",
    "ClockCheckRow",
    "CountyCheck",
    "CountyRow",
    "Device",
    "DeviceEvent",
    "DeviceMatch",
    "DevicePeculiarity",
    "DeviceSettingsRow",
    "Digest",
    "Exclusion",
    "Favourite",
    "FieldOfView",
    "Finding",
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
    "ObservingPeriod",
    "Plan",
    "PlanOccurrence",
    "PtzCamera",
    "RecordingCheckRow",
    "RecordingDayRow",
    "ReferencePicture",
    "RollUpMark",
    "Run",
    "RunEvent",
    "RunPicture",
    "RunResult",
    "RunReview",
    "RunStep",
    "RunStepCamera",
    "Scene",
    "Screen",
    "Sealed",
    "ServicePeriod",
    "SetupLink",
    "SheetImport",
    "SheetImportRow",
    "SheetMapping",
    "SpecialPeriod",
    "StoredLogin",
    "Stream",
    "StreamSession",
    "StreamToken",
    "ToldAlarm",
    "Tour",
    "TourStop",
    "TourStopPreset",
    "User",
    "UserSession",
    "UserVillage",
    "UtcDateTime",
    "Village",
]
