"""Which cameras are not judged at this moment: the approved exclusions, kept in step with the database and the time."""

from zoneinfo import ZoneInfo

from camera_hub.health.alarms.states import Moment
from camera_hub.health.exclusion_terms import approved_terms
from camera_hub.health.exclusions import ExclusionTerm, Placed, by_subject, of_camera
from camera_hub.health.rounds.roster import Roster
from camera_hub.store.database import Database

RESTS = frozenset({"removed", "power_cut", "sleep"})
"""Kinds of exclusions during which cameras are not even looked at."""

EVERY = 5.0
"""Seconds after which it is worked out anew whether exclusions begin or end."""


class ExclusionWatch:
    """`cameras`: those that are not judged now."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self._database = database
        self._zone = zone
        self._terms: list[ExclusionTerm] = []
        self._stale = True
        self._due = float("-inf")
        self._resting: frozenset[int] = frozenset()
        self.cameras: frozenset[int] = frozenset()

    def changed(self) -> None:
        """An exclusion was approved, or has ended: read them again."""
        self._stale = True

    def rests(self, camera: Placed) -> bool:
        """Whether nothing is to be asked of the camera now: it is gone, without power, or asleep."""
        return camera.camera_id in self._resting

    async def follow(self, roster: Roster, moment: Moment) -> bool:
        """Keep `cameras` right; answers whether they have changed. Raises HubError or SQLAlchemyError when the database
        fails; then they stay what they were."""
        if self._stale:
            self._stale = False  # what changes while this is read is read again
            try:
                async with self._database.read() as session:
                    self._terms = await approved_terms(session, self._zone, moment.wall)
            except BaseException:
                self._stale = True
                raise
            self._due = moment.now
        if moment.now < self._due:
            return False
        self._due = moment.now + EVERY
        holding = by_subject(term for term in self._terms if term.holds(moment.wall))
        resting = by_subject(term for term in self._terms if term.kind in RESTS and term.holds(moment.wall))
        self._resting = frozenset(w.camera_id for w in roster.cameras.values() if resting and of_camera(resting, w))
        before = self.cameras
        self.cameras = frozenset(w.camera_id for w in roster.cameras.values() if holding and of_camera(holding, w))
        return self.cameras != before
