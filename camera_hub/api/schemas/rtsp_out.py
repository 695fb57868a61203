"""Stream tokens (RTSP out, WHEP) and the register of players' sessions."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Moment, Name, RequestBody

Purpose = Literal["record", "watch"]


class StreamTokenAnswer(Answer):
    """A token without its text. It covers `cameras`, or one village, or all cameras."""

    id: int
    name: str
    village_id: int | None
    cameras: list[int] | None
    max_sessions: int
    created_name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    purpose: Purpose
    sound: bool
    running: int


class NewStreamToken(RequestBody):
    """Neither village nor cameras: all cameras of the township. Without `expires_at` it is valid until revoked.

    `purpose` of RTSP players: "record" keeps the distances in time of the first frames, "watch" hurries through what
    was taken before the player came. `sound`: WHEP players hear the cameras, too, where the site allows sound.
    """

    name: Name
    village_id: Id | None = None
    cameras: list[Id] | None = Field(None, min_length=1, max_length=500)
    max_sessions: int = Field(16, ge=1, le=1024)
    expires_at: Moment | None = None
    purpose: Purpose = "record"
    sound: bool = False


class StreamAddress(Answer):
    """Where a player finds one camera: rtsp://<the hub's host>:<port><path>, and <the hub's origin><whep>; `/sub`
    behind either is the sub stream. `port` null: RTSP out is off.
    """

    camera_id: int
    port: int | None
    path: str
    whep: str


class MadeStreamToken(Answer):
    """The only answer that ever holds the token's text."""

    token: StreamTokenAnswer
    text: str = Field(repr=False)
    addresses: list[StreamAddress]


class RtspPort(Answer):
    """Where a relay listens; null while no token is valid, or when it could not listen (`detail` says why)."""

    relay: int
    port: int | None
    detail: str


class RtspOutAnswer(Answer):
    """Whether RTSP out is on, where it listens, and all tokens, newest first. `host`, `origin`: how players outside
    reach RTSP out and WHEP as far as the settings say. `sound`: whether the site allows sound.
    """

    on: bool
    host: str | None
    origin: str | None
    sound: bool
    ports: list[RtspPort]
    tokens: list[StreamTokenAnswer]


class StreamSessionAnswer(Answer):
    """One player's session with one camera. `end_reason` is a `Reason` or a word of its own."""

    id: int
    token_id: int
    token_name: str
    camera_id: int | None
    camera_name: str
    village_name: str
    role: Literal["main", "sub"]
    address: str
    agent: str
    transport: Literal["tcp", "udp", "webrtc"] | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    bytes: int
    dropped_frames: int
    running: bool
