"""Media, running, and what routes use of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from camera_hub.access.stream_tokens import StreamTokens
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.media.child_process import Spawn
from camera_hub.media.decoders.looks import Looks
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.engine import HelperCommands, MediaEngine
from camera_hub.media.interface import Sources
from camera_hub.media.readings import MediaReadings
from camera_hub.media.rtsp_out.admission import PlayerAdmission
from camera_hub.media.rtsp_out.player_sessions import PlayerSessions
from camera_hub.media.rtsp_out.ports import RtspPorts
from camera_hub.media.rtsp_out.whep_players import WhepPlayers
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.authorization import WatchAuthorization
from camera_hub.media.wall.page_connections import PageConnections
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.whep import WhepViewers
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


def parts_of_media(media: MediaEngine) -> Parts:
    """By their types, for routes."""
    return {
        PageConnections: media.pages,
        PageAudio: media.audio,
        Viewers: media.viewers,
        WhepViewers: media.whep,
        WatchAuthorization: media.authorization,
        Pictures: media.pictures,
        Stills: media.stills,
        Looks: media.looks,
        MediaReadings: media.readings,
        StreamTokens: media.stream_tokens,
        RtspPorts: media.rtsp_ports,
        PlayerAdmission: media.admission,
        PlayerSessions: media.players,
        WhepPlayers: media.whep_players,
    }


@asynccontextmanager
async def media_engine(
    core: CoreParts, sources: Sources, logins: LoginBudget, spawn: Spawn
) -> AsyncIterator[MediaEngine]:
    """Media, with its relays and eyes running; `spawn` starts these processes."""
    commands = HelperCommands(spawn=spawn)
    async with MediaEngine(core.settings, core.clock, core.bus, core.database, sources, logins, commands) as media:
        yield media
