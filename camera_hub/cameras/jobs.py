"""Jobs: work on many things that a user started. Progress, cancel, one verdict per item; kept in memory for an hour.

A job lives as long as the hub's process. Work that must survive a restart keeps rows of its own and uses a job for its
progress only.
"""

import asyncio
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Self

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Param, Reason
from camera_hub.events import EventBus, JobChanged
from camera_hub.running import ended, running

log = logging.getLogger(__name__)

KEPT = 64
KEPT_SECONDS = 3600.0
AT_ONCE = 16
"""Jobs that run at the same time, of all users."""
AT_ONCE_OF_USER = 4
MAX_ITEMS = 20_000
ITEM_SECONDS = 300.0
"""How long the work on one item may take before its verdict is timed_out."""
CANCEL_SECONDS = 10.0
"""How long the items that are worked on may take to end after a cancel; then they are cancelled, too."""
PUBLISH_SECONDS = 0.5

JobState = Literal["running", "done", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class JobItem:
    """One thing to work on: `key` is unique in its job and means something to who started it; `name` is for people."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class JobVerdict:
    """What became of an item. `reason` is a Reason or another stable code, also for an item that succeeded in part."""

    ok: bool
    reason: str | None = None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """The verdict of one item, as a page shows it."""

    key: str
    name: str
    ok: bool
    reason: str | None
    detail: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class JobView:
    """The present state of a job. `done` counts all items that have a verdict, `failed` those whose verdict is bad;
    `verdicts` are in the order in which they came.
    """

    id: str
    kind: str
    village_id: int | None
    state: JobState
    started_at: datetime
    total: int
    done: int
    failed: int
    verdicts: Sequence[ItemVerdict]


Work = Callable[[JobItem], Awaitable[JobVerdict]]


@dataclass(slots=True)
class _Job:
    id: str
    kind: str
    actor: Actor  # who started it, with the villages of then
    village_id: int | None
    started_at: datetime
    until: float
    waiting: deque[JobItem]
    total: int = field(init=False)
    state: JobState = "running"
    failed: int = 0
    verdicts: list[ItemVerdict] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    workers: list[asyncio.Task[None]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.total = len(self.waiting)

    def view(self) -> JobView:
        return JobView(
            self.id,
            self.kind,
            self.village_id,
            self.state,
            self.started_at,
            self.total,
            len(self.verdicts),
            self.failed,
            tuple(self.verdicts),
        )


class Jobs:
    """The jobs. An async context manager; leaving cancels those that still run and waits for them."""

    def __init__(self, clock: Clock, bus: EventBus) -> None:
        self._clock = clock
        self._bus = bus
        self._jobs: OrderedDict[str, _Job] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for job in self._jobs.values():
            if job.task is not None and not job.task.done():
                job.state = "cancelled"
                await ended(job.task)

    def start(
        self,
        actor: Actor,
        kind: str,
        village_id: int | None,
        items: Sequence[JobItem],
        work: Work,
        *,
        at_once: int = 8,
        at_end: Callable[[JobView], Awaitable[None]] | None = None,
    ) -> JobView:
        """Start working on the items, `at_once` at a time, in their order. `village_id`: whose job it is; None: of
        several villages, or of the whole township.

        A HubError of `work` is the item's verdict; whatever else it raises is logged, and the verdict is `internal`.
        `at_end` is awaited when all items have their verdict or the job was cancelled by a user, not when the hub ends.
        `work` may be cancelled at any await, and must leave nothing half done. Raises HubError: BUSY, TOO_LARGE,
        NOT_FOUND for a village that the actor may not see.
        """
        if village_id is not None and not actor.sees(village_id):
            raise HubError(Kind.NOT_FOUND, "there is no such village")
        if len(items) > MAX_ITEMS:
            raise HubError(
                Kind.TOO_LARGE, f"choose at most {MAX_ITEMS} at once", reason="too_many_items", max=MAX_ITEMS
            )
        self._forget_old(room=1)
        active = [one for one in self._jobs.values() if one.state == "running"]
        if len(active) >= AT_ONCE or sum(one.actor.user_id == actor.user_id for one in active) >= AT_ONCE_OF_USER:
            raise HubError(
                Kind.BUSY,
                "too many jobs are running already; wait for one of them or cancel it first",
                reason="jobs_busy",
            )
        job = _Job(
            secrets.token_urlsafe(9),
            kind,
            actor,
            village_id,
            self._clock.now(),
            self._clock.monotonic() + KEPT_SECONDS,
            deque(items),
        )
        self._jobs[job.id] = job
        job.task = asyncio.create_task(self._run(job, work, max(1, at_once), at_end), name=f"job {job.kind} {job.id}")
        return job.view()

    def get(self, actor: Actor, job_id: str) -> JobView:
        """A job in the actor's scope. Raises HubError(NOT_FOUND)."""
        return self._mine(actor, job_id).view()

    def list(self, actor: Actor) -> list[JobView]:
        """All jobs in the actor's scope, newest first."""
        self._forget_old()
        return [one.view() for one in reversed(self._jobs.values()) if _may_see(actor, one)]

    async def cancel(self, actor: Actor, job_id: str) -> JobView:
        """Start no more items and wait for those that are worked on; verdicts are kept. Raises HubError(NOT_FOUND)."""
        job = self._mine(actor, job_id)
        if job.task is not None and not job.task.done():
            job.state = "cancelled"
            job.waiting.clear()
            await asyncio.wait([job.task], timeout=CANCEL_SECONDS)
            for worker in job.workers:
                worker.cancel()
            await asyncio.wait([job.task])
            self._bus.publish(JobChanged(job.id, job.actor.user_id))
        return job.view()

    async def _run(
        self, job: _Job, work: Work, at_once: int, at_end: Callable[[JobView], Awaitable[None]] | None
    ) -> None:
        async with running(self._publish_changes(job), f"job {job.id} events"):
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(at_once, job.total)):
                        job.workers.append(group.create_task(self._worker(job, work), name=f"job {job.id}"))
                if at_end is not None:
                    await at_end(job.view())
                if job.state == "running":
                    job.state = "done"
            except* Exception as errors:
                job.state = "failed"
                log.error("the job %s %s failed", job.kind, job.id, exc_info=errors)
            finally:
                if job.state == "running":
                    job.state = "cancelled"
                self._bus.publish(JobChanged(job.id, job.actor.user_id))

    async def _worker(self, job: _Job, work: Work) -> None:
        while job.waiting:
            item = job.waiting.popleft()
            verdict = await _verdict(job, item, work)
            job.failed += not verdict.ok
            job.verdicts.append(
                ItemVerdict(item.key, item.name, verdict.ok, verdict.reason, verdict.detail, dict(verdict.params))
            )
            job.changed.set()

    async def _publish_changes(self, job: _Job) -> None:
        while True:
            await job.changed.wait()
            job.changed.clear()
            self._bus.publish(JobChanged(job.id, job.actor.user_id))
            await self._clock.sleep(PUBLISH_SECONDS)

    def _mine(self, actor: Actor, job_id: str) -> _Job:
        self._forget_old()
        job = self._jobs.get(job_id)
        if job is None or not _may_see(actor, job):
            raise HubError(Kind.NOT_FOUND, "there is no such job; jobs are deleted after an hour")
        return job

    def _forget_old(self, *, room: int = 0) -> None:
        now = self._clock.monotonic()
        for job in tuple(self._jobs.values()):
            if job.state != "running" and (now >= job.until or len(self._jobs) + room > KEPT):
                del self._jobs[job.id]


def _may_see(actor: Actor, job: _Job) -> bool:
    """Township staff see all jobs. Who is bound to villages sees their own, as long as they still see its villages."""
    if actor.villages is None:
        return True
    if job.actor.user_id != actor.user_id or job.actor.villages is None:
        return False
    return actor.sees(job.village_id) if job.village_id is not None else job.actor.villages <= actor.villages


async def _verdict(job: _Job, item: JobItem, work: Work) -> JobVerdict:
    try:
        async with asyncio.timeout(ITEM_SECONDS):
            return await work(item)
    except HubError as error:
        found = error.explanation
        return JobVerdict(False, found.reason, found.detail, found.params)
    except TimeoutError:
        return JobVerdict(False, Reason.TIMED_OUT, f"this took longer than {ITEM_SECONDS:.0f} s; try it again")
    except Exception:
        log.exception("the job %s %s failed at %s", job.kind, job.id, item.key)
        return JobVerdict(False, Kind.INTERNAL.value, "this failed unexpectedly; the hub's log says why")
