"""All tables, one module per subject; import them from here."""

from camera_hub.store.tables.base import Base, Sealed, UtcDateTime
from camera_hub.store.tables.health import Alarm, Notice, Observation
from camera_hub.store.tables.patrol import Run, RunStep, RunStepCamera, Scene, Tour, TourStop
from camera_hub.store.tables.people import Favourite, LoginFailure, SetupLink, User, UserSession
from camera_hub.store.tables.places import Camera, Device, LoginAccount, Stream, Village
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
    "RunStepCamera",
    "Scene",
    "Sealed",
    "SetupLink",
    "Stream",
    "StreamSession",
    "StreamToken",
    "Tour",
    "TourStop",
    "User",
    "UserSession",
    "UtcDateTime",
    "Village",
]
