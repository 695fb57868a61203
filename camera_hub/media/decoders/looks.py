"""A look: one key frame of a camera, from the running feed or from one opened for it, and what the eye sees in it.

A look holds a lease on the feed that it uses, also where others run it: whoever closes it meanwhile, it goes on until
the look is over.
"""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import DATABASE_REASONS, Explanation, HubError, Kind, Reason
from camera_hub.eye.messages import Look, Seen
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.feeds.camera_feeds import CameraFeeds
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import CODEC_REASONS, FeedStates
from camera_hub.media.feeds.feeds import FeedLease, Feeds
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.feeds.stream_meter import StreamMeter
from camera_hub.media.interface import ALL_CODECS, LookOutcome, Quality, Role, Sources
from camera_hub.relay.messages import FeedPhase, KeyFrame

MEASURE_SECONDS = 6.0
"""How long a look waits, now and then, for one more key frame to measure the stream by."""

AT_ONCE = 32
"""Looks under way; each may hold one more session on a camera."""

MORE_KEY_FRAMES = 3
"""Key frames after the first one that a look fetches at most, where sight asks for them."""

NO_REFERENCES: Mapping[str, str] = MappingProxyType({})

_WAITING_SHARE = 1 / 3
"""Of the deadline, at most, for waiting until a look is free: too short a rest would count against the camera."""


_HUB_REASONS = DATABASE_REASONS | frozenset(
    {Reason.BUSY, Reason.OVERLOADED, Reason.RELAY_RESTARTED, Reason.HUB_AWAY, Kind.UNAVAILABLE, Kind.INTERNAL}
)
"""Why a look may fail for the hub's own sake: nothing is known of the camera then."""


_SLOWNESS = frozenset(
    {Reason.TIMED_OUT, Reason.NO_MEDIA, Reason.NO_KEY_FRAME, Reason.STALLED, Reason.LATE, Reason.UNREACHABLE}
)
"""What a camera is found to have by a hub that is late itself."""


_NO_KEY_FRAME = "no key frame came in time"


class Eyes(Protocol):
    """Who decodes (decoders.pool)."""

    async def look(self, camera_id: int, request: Look, data: bytes) -> tuple[Seen, bytes]: ...


@dataclass(frozen=True, slots=True)
class LookWish:
    """What a look is to bring."""

    camera_id: int
    quality: Quality = "sub"
    jpeg: bool = True
    max_width: int = 0
    scores: bool = False
    memory: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    at_home: bool = True
    features: bool = False
    jpeg_of_faults: bool = False


class LookCapacity(Protocol):
    """What the machine bears (capacity.capacity)."""

    def may_open(self, relay: int, purpose: Literal["look"], others: int = 0) -> bool: ...
    def is_late(self, relay: int) -> bool: ...


class FeedBorrowing:
    """Leases for looks: on the running feed where that will do, else on one that is opened for the look, unless live
    pictures need all that the machine bears: then there is no look."""

    def __init__(
        self,
        feeds: Feeds,
        states: FeedStates,
        key_frames: KeyFrames,
        sources: Sources,
        relay_of: Callable[[int], int],
        capacity: LookCapacity,
    ) -> None:
        self._capacity = capacity
        self._feeds = feeds
        self._states = states
        self._key_frames = key_frames
        self._sources = sources
        self._relay_of = relay_of
        self._numbers = itertools.count(1)
        self._opened: Counter[int] = Counter()  # by relay
        self._meter = StreamMeter()

    @asynccontextmanager
    async def borrowed(self, camera_id: int, quality: Quality, room_seconds: float) -> AsyncIterator[FeedKey]:
        """A feed of the camera that runs for the length of the block. Raises HubError: why there is none; BUSY when
        its device had no session free for so long; OVERLOADED when live pictures need the time.
        """
        holder = f"look {next(self._numbers)}"
        lease = self._running(camera_id, "main" if quality == "main" else None, holder)
        if lease is not None:
            try:
                yield lease.key
            finally:
                lease.release(linger=False)
            return
        stream = await self._sources.choose(camera_id, quality, ALL_CODECS)
        relay = self._relay_of(stream.village_id)
        if not self._capacity.may_open(relay, "look", self._opened[relay]):
            detail = "the server is busy with live pictures; this camera is looked at when it has time"
            raise HubError(Kind.BUSY, detail, reason=Reason.OVERLOADED)
        self._opened[relay] += 1
        try:
            await self._feeds.wait_for_room(relay, stream, room_seconds)
            lease = self._feeds.acquire(relay, stream, holder)
            try:
                yield lease.key
            finally:
                lease.release(linger=False)
        finally:
            self._opened[relay] -= 1

    async def next_key_frame(self, key: FeedKey) -> tuple[KeyFrame, bytes]:
        """The feed's next key frame; the caller sets the deadline. Raises HubError when the feed fails meanwhile."""
        report = self._states.report(key)
        if report is not None and report.state.phase is FeedPhase.FAILED:
            raise report.error()
        frame, data = await self._key_frames.next(key)
        self._meter.add(key, frame)
        return frame, data

    def wants_another(self, key: FeedKey) -> bool:
        """Whether one more key frame is wanted, only to measure the stream."""
        return self._meter.is_due(key)

    def measured(self, outcome: LookOutcome, key: FeedKey) -> LookOutcome:
        """The outcome with the delays that the feed has reported so far."""
        report, owner = self._states.report(key), self._states.owner(key)
        if report is None or owner is None:
            return outcome
        state = report.state
        return replace(
            outcome,
            figures=self._meter.end(key),
            signalling_ms=state.signalling_ms,
            stream_ms=state.stream_ms,
            key_frame_ms=state.key_frame_ms,
            codec=state.codec,
            role=owner.role,
        )

    def hub_is_late(self, key: FeedKey) -> bool:
        """Whether the relay or the hub is so late that nothing can be said of the camera."""
        return self._capacity.is_late(key.relay)

    def why_no_key_frame(self, key: FeedKey) -> Explanation | None:
        """Why no key frame came in time, in the words that the feed's tiles have; None: the stream plays all the same,
        with long between two key frames."""
        report = self._states.report(key)
        if report is not None and report.live and report.state.reason not in CODEC_REASONS:
            return None
        if report is not None and report.reason is not None:
            return Explanation(report.reason, report.detail, report.params)
        if report is None or report.state.phase is FeedPhase.CONNECTING:
            return Explanation(Reason.TIMED_OUT, _NO_KEY_FRAME)
        return Explanation(Reason.NO_MEDIA if report.state.stream_ms is None else Reason.NO_KEY_FRAME, _NO_KEY_FRAME)

    def weakness(self, key: FeedKey) -> Explanation | None:
        """What is wrong with the feed though its pictures arrive."""
        report = self._states.report(key)
        return report.weakness if report is not None else None

    def _running(self, camera_id: int, role: Role | None, holder: str) -> FeedLease | None:
        for key in self._states.of_camera(camera_id, role):
            if self._states.is_live(key):
                return self._feeds.share(key, holder)
        return None


class Looks:
    """Never raises for a sick camera: the outcome's reason says it, and `hub_fault` whether it is the hub's own."""

    def __init__(self, feeds: FeedBorrowing, cameras: CameraFeeds, eyes: Eyes, clock: Clock) -> None:
        self._feeds = feeds
        self._cameras = cameras
        self._eyes = eyes
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.refused = 0

    async def look(
        self,
        camera_id: int,
        *,
        scores: bool = False,
        memory: str | None = None,
        references: Mapping[str, str] = NO_REFERENCES,
        at_home: bool = True,
        features: bool = False,
        jpeg: bool = True,
        jpeg_of_faults: bool = False,
        max_width: int = 0,
        quality: Quality = "sub",
        deadline: float = 15.0,
    ) -> LookOutcome:
        """One key frame of the camera within `deadline` seconds: picture, scores, delays.

        `scores`: also what is wrong with the picture, from a few key frames where one does not decide it. `memory`,
        `references`, `at_home`, `features`, `jpeg_of_faults`: see eye.messages.Look.
        """
        wish = LookWish(
            camera_id, quality, jpeg, max_width, scores, memory, references, at_home, features, jpeg_of_faults
        )
        outcome = await self._look(wish, deadline)
        return replace(outcome, hub_fault=outcome.reason in _HUB_REASONS)

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        """(phase, reason) of the camera's running feed: what is known without a look; None when none runs."""
        return self._cameras.feed_reason(camera_id)

    async def _look(self, wish: LookWish, deadline: float) -> LookOutcome:
        outcome = LookOutcome(self._clock.now())
        end = asyncio.get_running_loop().time() + deadline
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(deadline * _WAITING_SHARE):
                        await stack.enter_async_context(self._slots)
                except TimeoutError:
                    self.refused += 1
                    return replace(outcome, reason=Reason.BUSY, detail="too many looks are under way; try again")
                async with asyncio.timeout_at(end):
                    feed = self._feeds.borrowed(wish.camera_id, wish.quality, deadline * _WAITING_SHARE)
                    key = await stack.enter_async_context(feed)
                return await self._watch(wish, key, outcome, end)
        except HubError as error:
            return _failed(outcome, error)
        except TimeoutError:
            detail = "the device did not answer in time where its stream is pulled from"
            return replace(outcome, reason=Reason.TIMED_OUT, detail=detail)

    async def _watch(self, wish: LookWish, key: FeedKey, outcome: LookOutcome, end: float) -> LookOutcome:
        """As long as the feed is held its reports are there, and say how far it came."""
        try:
            return await self._fetch(wish, key, outcome, end)
        except HubError as error:
            failed = _failed(self._feeds.measured(outcome, key), error)
            if error.reason in _SLOWNESS and self._feeds.hub_is_late(key):
                failed = replace(failed, reason=Reason.BUSY)
            return failed
        except TimeoutError:
            measured = self._feeds.measured(outcome, key)
            if self._feeds.hub_is_late(key):
                return replace(measured, reason=Reason.BUSY, detail="no key frame came in time")
            why = self._feeds.why_no_key_frame(key)
            if why is None:  # it plays; whoever watches needs no other key frame
                return replace(measured, weakness=self._feeds.weakness(key))
            return replace(measured, reason=why.reason, detail=why.detail, params=why.params)

    async def _fetch(self, wish: LookWish, key: FeedKey, outcome: LookOutcome, end: float) -> LookOutcome:
        """Raises TimeoutError when no key frame came by `end` (loop time), HubError(BUSY) when no eye was done then."""
        frame, data = await self._key_frame(key, end)
        seen, jpeg = await self._decode(wish, frame, data, end)
        seen, jpeg = await self._look_again(wish, key, seen, jpeg, end)
        if wish.scores and self._feeds.wants_another(key):
            with contextlib.suppress(TimeoutError):  # with long between two key frames it is not measured
                await self._key_frame(key, min(end, asyncio.get_running_loop().time() + MEASURE_SECONDS))
        late = self._cameras.is_late(wish.camera_id) and not self._feeds.hub_is_late(key)
        measured = self._feeds.measured(outcome, key)
        weakness = self._feeds.weakness(key) if not self._feeds.hub_is_late(key) else None
        return replace(measured, codec=frame.codec, seen=seen, jpeg=jpeg or None, late=late, weakness=weakness)

    async def _look_again(
        self, wish: LookWish, key: FeedKey, seen: Seen, jpeg: bytes, end: float
    ) -> tuple[Seen, bytes]:
        """What is seen after as many more key frames as it takes to decide, and as come by `end` (loop time)."""
        for _ in range(MORE_KEY_FRAMES):
            if not seen.again:
                break
            try:
                frame, data = await self._key_frame(key, end)
                more = replace(wish, jpeg=False, memory=seen.memory)
                seen, newer = await self._decode(more, frame, data, end)
                jpeg = newer or jpeg
            except TimeoutError:  # with long between two key frames: the next look goes on from the memory of this one
                break
        return seen, jpeg

    async def _key_frame(self, key: FeedKey, end: float) -> tuple[KeyFrame, bytes]:
        async with asyncio.timeout_at(end):
            return await self._feeds.next_key_frame(key)

    async def _decode(self, wish: LookWish, frame: KeyFrame, data: bytes, end: float) -> tuple[Seen, bytes]:
        if frame.codec not in ALL_CODECS:
            raise HubError(
                Kind.UNSUPPORTED,
                f"codec {frame.codec} cannot be decoded here; set the camera to H.264 or H.265",
                reason=Reason.CODEC_UNSUPPORTED,
            )
        request = Look(
            frame.codec,  # type: ignore[arg-type]  # one of ALL_CODECS, checked above
            jpeg=wish.jpeg,
            jpeg_of_faults=wish.jpeg_of_faults,
            max_width=wish.max_width,
            scores=wish.scores,
            at=frame.received_at,
            memory=wish.memory,
            references=dict(wish.references),
            at_home=wish.at_home,
            features=wish.features,
        )
        try:
            async with asyncio.timeout_at(end):
                return await self._eyes.look(wish.camera_id, request, data)
        except TimeoutError as error:
            # An eye may have had to be started first. The camera has sent its key frame, so this is not its fault.
            detail = "the key frame came, but no decoder was done with it in time; try again"
            raise HubError(Kind.BUSY, detail, reason=Reason.BUSY) from error


def _failed(outcome: LookOutcome, error: HubError) -> LookOutcome:
    why = error.explanation
    return replace(outcome, reason=why.reason, detail=why.detail, params=why.params)


class MediaProver:
    """Proves a camera by one key frame, and keeps the picture (cameras.register.proofs.Prover)."""

    def __init__(self, looks: Looks, pictures: Pictures, *, deadline: float = 20.0) -> None:
        self._looks = looks
        self._pictures = pictures
        self._deadline = deadline

    async def prove(self, camera_id: int) -> str | None:
        """None when the camera shows a picture, else the reason why not.

        Raises HubError(BUSY) when the hub itself could not look: nothing is known of the camera then, so ask again.
        """
        outcome = await self._looks.look(camera_id, deadline=self._deadline)
        if outcome.hub_fault:
            detail = outcome.detail or "the hub could not look at the camera"
            raise HubError(Kind.BUSY, detail, reason=outcome.reason)
        if outcome.reason is not None or outcome.jpeg is None:
            return outcome.reason or (Reason.UNDECODABLE if outcome.seen is not None else Reason.NO_KEY_FRAME)
        await self._pictures.save(camera_id, outcome.jpeg, outcome.at)
        return None
