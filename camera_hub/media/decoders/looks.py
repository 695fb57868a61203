"""A look: one key frame of a camera, from the running feed or from one opened for it, and what the eye sees in it."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Look, Seen
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.decoders.pool import DecoderPool
from camera_hub.media.feeds.desired_state import FeedKey, relay_of
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.interface import ALL_CODECS, LookOutcome, Quality, Role, Sources
from camera_hub.relay.messages import FeedPhase, KeyFrame

AT_ONCE = 24
"""Looks under way; each may hold one more session on a camera."""

_WAITING_SHARE = 1 / 3
"""Of the deadline, at most, for waiting until a look is free: a short rest would be held against the camera."""

_FAULT = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a look is to bring."""

    camera_id: int
    quality: Quality = "sub"
    jpeg: bool = True
    max_width: int = 0
    scores: bool = False
    previous: str | None = None


class Looks:
    """Never raises for a sick camera: the reason in the Sight says it."""

    def __init__(self, sources: Sources, clock: Clock, feeds: Feeds, eyes: DecoderPool) -> None:
        self._sources = sources
        self._clock = clock
        self._feeds = feeds
        self._eyes = eyes
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._numbers = itertools.count(1)
        self.refused = 0

    async def look(self, wish: Wish, deadline: float) -> LookOutcome:
        """Take one key frame of the camera within `deadline` seconds and look at it."""
        sight = LookOutcome(self._clock.now())
        end = asyncio.get_running_loop().time() + deadline
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(deadline * _WAITING_SHARE):
                        await stack.enter_async_context(self._slots)
                except TimeoutError:
                    self.refused += 1
                    return replace(sight, reason=Reason.BUSY, detail="too many looks are under way")
                async with asyncio.timeout_at(end):
                    key = await stack.enter_async_context(self._feed(wish, deadline * _WAITING_SHARE))
                return await self._watch(wish, key, sight, end)
        except HubError as error:
            return replace(sight, reason=error.reason, detail=error.detail)
        except TimeoutError:
            return replace(
                sight, reason=Reason.TIMED_OUT, detail="the device did not tell its stream's address in time"
            )

    async def _watch(self, wish: Wish, key: FeedKey, sight: LookOutcome, end: float) -> LookOutcome:
        """As long as the feed is held its news are there, and say how far it came."""
        try:
            async with asyncio.timeout_at(end):
                return await self._take(wish, key, sight)
        except HubError as error:
            return replace(self._measured(sight, key), reason=error.reason, detail=error.detail)
        except TimeoutError:
            return replace(self._measured(sight, key), reason=self._late(key), detail="no key frame came in time")

    async def _take(self, wish: Wish, key: FeedKey, sight: LookOutcome) -> LookOutcome:
        frame, data = await self._feeds.next_key_frame(key)
        seen, jpeg = await self._see(wish, frame, data, wish.previous)
        if seen.frozen is not None and seen.frozen < _FAULT:
            # The same picture as at the last look, exactly. Believed only if the next one is the same again.
            frame, data = await self._feeds.next_key_frame(key)
            again, _ = await self._see(replace(wish, jpeg=False), frame, data, seen.signature)
            seen = replace(seen, frozen=max(seen.frozen, again.frozen if again.frozen is not None else 100.0))
        late = self._feeds.late(wish.camera_id)
        return replace(self._measured(sight, key), codec=frame.codec, seen=seen, jpeg=jpeg or None, late=late)

    async def _see(self, wish: Wish, frame: KeyFrame, data: bytes, previous: str | None) -> tuple[Seen, bytes]:
        if frame.codec not in ALL_CODECS:
            raise HubError(
                Kind.UNSUPPORTED, f"codec {frame.codec} cannot be looked at", reason=Reason.CODEC_UNSUPPORTED
            )
        request = Look(
            frame.codec,  # type: ignore[arg-type]  # one of ALL_CODECS, checked above
            jpeg=wish.jpeg,
            max_width=wish.max_width,
            scores=wish.scores,
            previous=previous if wish.scores else None,
        )
        return await self._eyes.look(wish.camera_id, request, data)

    @asynccontextmanager
    async def _feed(self, wish: Wish, patience: float) -> AsyncIterator[FeedKey]:
        """The running feed where it will do, else one that is opened for this look and closed after it."""
        holder = f"look {next(self._numbers)}"
        role: Role | None = "main" if wish.quality == "main" else None
        running = [key for key in self._feeds.of_camera(wish.camera_id, role) if self._runs(key)]
        if running:
            yield running[0]
            return
        chosen = await self._sources.choose(wish.camera_id, wish.quality, ALL_CODECS)
        relay = relay_of(chosen.village_id, len(self._feeds.relays))
        await self._feeds.room(relay, chosen, patience)
        key = self._feeds.hold(relay, chosen, holder)
        try:
            yield key
        finally:
            self._feeds.release(key, holder, linger=False)

    def _runs(self, key: FeedKey) -> bool:
        news = self._feeds.news(key)
        return news is not None and news.state.phase is FeedPhase.LIVE

    def _measured(self, sight: LookOutcome, key: FeedKey) -> LookOutcome:
        """With the delays that the feed has told so far."""
        news, about = self._feeds.news(key), self._feeds.about(key)
        if news is None or about is None:
            return sight
        state = news.state
        return replace(
            sight,
            signalling_ms=state.signalling_ms,
            stream_ms=state.stream_ms,
            key_frame_ms=state.key_frame_ms,
            codec=state.codec,
            role=about.role,
        )

    def _late(self, key: FeedKey) -> str:
        """Why nothing came in time."""
        news = self._feeds.news(key)
        if news is None or news.state.phase is FeedPhase.CONNECTING:
            return (news.reason if news is not None else None) or Reason.TIMED_OUT
        return Reason.NO_MEDIA if news.state.stream_ms is None else Reason.NO_KEY_FRAME


class MediaProver:
    """Proves a camera by one key frame, and keeps the picture (cameras.proof.Prover)."""

    def __init__(self, looks: Looks, pictures: Pictures, *, deadline: float = 20.0) -> None:
        self._looks = looks
        self._pictures = pictures
        self._deadline = deadline

    async def prove(self, camera_id: int) -> str | None:
        """None when the camera shows a picture, else the reason why not."""
        sight = await self._looks.look(Wish(camera_id), self._deadline)
        if sight.reason is not None or sight.jpeg is None:
            return sight.reason or Reason.UNDECODABLE
        await self._pictures.save(camera_id, sight.jpeg, sight.at)
        return None
