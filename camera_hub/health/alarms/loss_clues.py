"""What stands on the alarm of a loss beside its cause: what was seen before it, and the group of its place."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from camera_hub.events import DeviceReported
from camera_hub.health.alarms.states import Moment
from camera_hub.health.judging.alarm_changes import AlarmChange, AlarmOpening
from camera_hub.health.judging.causes import ExpectedAlarm
from camera_hub.health.judging.hints import GROUP_SECONDS, CameraMount, PlaceLoss, Sightings, group_of
from camera_hub.health.judging.verdict import Aspect
from camera_hub.health.rounds.look_result import LookResult
from camera_hub.health.rounds.roster import Roster
from camera_hub.store.database import Database
from camera_hub.store.tables import LedgerFile

_MOST_LOSSES = 512
_MOST_MEMBERS = 64
"""Of a device's cameras, for their places."""


class LossClues:
    """Remembers what was seen lately, and the last losses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sightings = Sightings()
        self._losses: deque[PlaceLoss] = deque(maxlen=_MOST_LOSSES)

    def look(self, result: LookResult) -> None:
        """A look at a camera."""
        if result.scores:
            self._sightings.look(result.camera_id, result.at, result.scores)

    def report(self, event: DeviceReported, at: float) -> None:
        """What a device reports of itself or of a camera."""
        if event.lasts:
            self._sightings.report(event.device_id, event.camera_id, event.kind, at)

    async def told(self, changes: Sequence[AlarmChange], roster: Roster, moment: Moment) -> tuple[AlarmChange, ...]:
        """The same changes; new alarms of lost cameras and devices with their clues. Raises HubError or SQLAlchemyError
        where places cannot be read."""
        lost = [one.alarm for one in changes if isinstance(one, AlarmOpening) and _is_loss(one.alarm)]
        if not lost:
            return tuple(changes)
        places = await self._places(
            {camera for alarm in lost for camera in sorted(alarm.members)[:_MOST_MEMBERS]}, roster
        )
        found = {alarm.key: self._with_clues(alarm, places, roster, moment) for alarm in lost}
        return tuple(
            AlarmOpening(found[one.alarm.key]) if isinstance(one, AlarmOpening) and one.alarm.key in found else one
            for one in changes
        )

    def _with_clues(
        self, alarm: ExpectedAlarm, places: Mapping[int, CameraMount], roster: Roster, moment: Moment
    ) -> ExpectedAlarm:
        watches = [watch for one in alarm.members if (watch := roster.cameras.get(one)) is not None]
        begun = [watch.media.since for watch in watches if watch.media.since is not None]
        lost_at = min(begun, default=moment.now)
        hint = self._sightings.hint(alarm.members, {watch.device_id for watch in watches}, lost_at)
        mine = [places[one] for one in sorted(alarm.members) if one in places]
        group = group_of(mine, lost_at, self._losses)
        if group is None:
            group = f"{alarm.key.level}:{alarm.key.subject}@{moment.wall:%Y%m%dT%H%M%S}"
        while self._losses and moment.now - self._losses[0].at > 4 * GROUP_SECONDS:
            self._losses.popleft()
        self._losses.append(PlaceLoss(lost_at, mine, group))
        return replace(alarm, hint=hint.params() if hint is not None else None, place_group=group)

    async def _places(self, cameras: Collection[int], roster: Roster) -> dict[int, CameraMount]:
        query = select(LedgerFile.camera_id, LedgerFile.longitude, LedgerFile.latitude, LedgerFile.pole_number).where(
            LedgerFile.camera_id.in_(cameras)
        )
        async with self._database.read() as session:
            files = {row[0]: row for row in (await session.execute(query)).all()}
        found = {}
        for camera_id in cameras:
            watch = roster.cameras.get(camera_id)
            if watch is None:
                continue
            _, longitude, latitude, pole = files.get(camera_id, (camera_id, None, None, ""))
            position = (longitude, latitude) if longitude is not None and latitude is not None else None
            found[camera_id] = CameraMount(
                camera_id, watch.device_id, watch.village_id, position, "".join((pole or "").split()).casefold()
            )
        return found


def _is_loss(alarm: ExpectedAlarm) -> bool:
    return alarm.key.aspect is Aspect.MEDIA and alarm.key.level in ("camera", "device")
