"""The register of players' sessions (RTSP out, WHEP): who had which camera from when to when, and why it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from camera_hub.clock import Clock
from camera_hub.errors import Reason
from camera_hub.media.interface import Role
from camera_hub.media.rtsp_out.admission import PlayerRequest
from camera_hub.relay.messages import RtspEnded
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, StreamSession, StreamToken, Village
from camera_hub.text import escaped


@dataclass(frozen=True, slots=True)
class SessionView:
    """One line of the register; `running` while it has not ended."""

    id: int
    token_id: int
    token_name: str
    camera_id: int | None
    camera_name: str
    village_name: str
    role: str
    address: str
    agent: str
    transport: str | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    bytes: int
    dropped_frames: int
    running: bool


class StreamRegister:
    """Rows, nothing else: what is allowed is decided in rtsp_out.admission."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begun(self, token_id: int, ask: PlayerRequest, role: Role) -> int:
        """A player was admitted to a camera; the id of its line."""
        now = self._clock.now()
        async with self._database.write() as session:
            camera = await session.get_one(Camera, ask.camera)
            village = await session.get_one(Village, camera.village_id)
            row = StreamSession(
                token_id=token_id,
                camera_id=camera.id,
                camera_name=camera.name,
                village_name=village.name,
                role=role,
                address=ask.address[:64],
                agent=escaped(ask.agent)[:128],
                started_at=now,
                seen_at=now,
            )
            session.add(row)
            await session.execute(update(StreamToken).where(StreamToken.id == token_id).values(used_at=now))
            await session.flush()
            return row.id

    async def ended(self, line: int, ended: RtspEnded) -> None:
        """The session is over, for the reason in `ended`."""
        now = self._clock.now()
        values = {"ended_at": now, "seen_at": now, "end_reason": ended.reason, "bytes": ended.bytes}
        values |= {"dropped_frames": ended.dropped_frames}
        if ended.transport is not None:
            values["transport"] = ended.transport[:8]
        async with self._database.write() as session:
            await session.execute(
                update(StreamSession).where(StreamSession.id == line, StreamSession.ended_at.is_(None)).values(values)
            )

    async def seen(self, running: Mapping[int, RtspEnded]) -> None:
        """How far the running ones have come: it is what is left of them after a power cut."""
        now = self._clock.now()
        async with self._database.write() as session:
            for line, at in running.items():
                await session.execute(
                    update(StreamSession)
                    .where(StreamSession.id == line, StreamSession.ended_at.is_(None))
                    .values(seen_at=now, bytes=at.bytes, dropped_frames=at.dropped_frames, transport=at.transport)
                )

    async def close_left_over(self) -> None:
        """Close the lines that a hub which is gone has left open, as of when they were last seen."""
        async with self._database.write() as session:
            await session.execute(
                update(StreamSession)
                .where(StreamSession.ended_at.is_(None))
                .values(ended_at=StreamSession.seen_at, end_reason=Reason.HUB_AWAY.value)
            )

    async def forget(self, before: datetime) -> None:
        """Drop the lines that ended earlier."""
        async with self._database.write() as session:
            await session.execute(delete(StreamSession).where(StreamSession.ended_at < before))

    async def page(self, *, limit: int, before: int | None = None, token_id: int | None = None) -> list[SessionView]:
        """The newest first; older than line `before`."""
        query = (
            select(StreamSession, StreamToken.name)
            .join(StreamToken, StreamToken.id == StreamSession.token_id)
            .order_by(StreamSession.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(StreamSession.id < before)
        if token_id is not None:
            query = query.where(StreamSession.token_id == token_id)
        async with self._database.read() as session:
            return [_view(row, name) for row, name in (await session.execute(query)).all()]


def _view(row: StreamSession, token_name: str) -> SessionView:
    return SessionView(
        id=row.id,
        token_id=row.token_id,
        token_name=token_name,
        camera_id=row.camera_id,
        camera_name=row.camera_name,
        village_name=row.village_name,
        role=row.role,
        address=row.address,
        agent=row.agent,
        transport=row.transport,
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        bytes=row.bytes,
        dropped_frames=row.dropped_frames,
        running=row.ended_at is None,
    )
