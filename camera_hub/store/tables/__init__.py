"""All tables, one module per subject; import them from here."""

from camera_hub.store.tables.base import Base, Sealed, UtcDateTime
from camera_hub.store.tables.health import Alarm, Notice, Observation
from camera_hub.store.tables.patrol import Run, RunStep, Scene, Tour, TourStop
from camera_hub.store.tables.people import Favourite, LoginFailure, SetupLink, User, UserSession, UserVillage
from camera_hub.store.tables.places import Camera, Device, LoginAccount, StoredLogin, Stream, Village
from camera_hub.store.tables.rtsp import StreamSession, StreamToken

__all__ = [
    "Alarm",
    "Base",
    "Camera",
    "Device",
    "Favourite",
    "LoginAccount",
    "LoginFailure",
    "Notice",
    "Observation",
    "Run",
    "RunStep",
    "Scene",
    "Sealed",
    "SetupLink",
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
