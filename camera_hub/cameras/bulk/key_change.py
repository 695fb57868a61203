"""A new key for the vault as a job, while the hub serves (access.key_rotation)."""

from collections import Counter

from camera_hub.access.key_rotation import BATCH, KeyRotation, VaultState
from camera_hub.access.policy import Actor
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.errors import HubError, Kind

CHANGE_KEY = "change_key"
"""The kind of this job."""

_FINISH = "finish"


class KeyChange:
    """One at a time. A job that was cancelled or interrupted is continued by the next one."""

    def __init__(self, rotation: KeyRotation, jobs: Jobs) -> None:
        self._rotation = rotation
        self._jobs = jobs
        self._running = False

    async def state(self) -> VaultState:
        """How the vault stands."""
        return await self._rotation.state()

    async def start(self, actor: Actor) -> JobView:
        """Add a key, or continue. Raises HubError: BUSY (rotation_running), UNAVAILABLE (key_file)."""
        if self._running:
            raise HubError(Kind.BUSY, "the vault's key is being changed already", reason="rotation_running")
        self._running = True
        try:
            await self._rotation.begin()
            left = await self._rotation.left()
            items = [
                JobItem(f"{name}#{number}", name) for name, rows in left.items() for number in range(-(-rows // BATCH))
            ]
            locked: Counter[str] = Counter()
            return self._jobs.start(
                actor,
                CHANGE_KEY,
                None,
                [*items, JobItem(_FINISH, "vault.key")],
                lambda item: self._step(item, locked),
                at_once=1,
                at_end=self._ended,
            )
        except BaseException:
            self._running = False
            raise

    async def _step(self, item: JobItem, locked: Counter[str]) -> JobVerdict:
        if item.key == _FINISH:
            for column in self._rotation.columns:  # what was stored meanwhile, by transactions begun before
                while not (batch := await self._rotation.reseal(column, skip=locked[column.name])).last:
                    locked[column.name] += batch.locked
                locked[column.name] += batch.locked
            await self._rotation.finish(locked.total())
            if locked.total():
                return JobVerdict(
                    True,
                    "values_locked",
                    f"{locked.total()} values could be opened with no key and were left as they are",
                    {"count": locked.total()},
                )
            return JobVerdict(True)
        column = next(one for one in self._rotation.columns if one.name == item.name)
        batch = await self._rotation.reseal(column, skip=locked[item.name])
        if batch.locked:
            locked[item.name] += batch.locked
        return JobVerdict(True, None, "", {"count": batch.done})

    async def _ended(self, _: JobView) -> None:
        self._running = False
