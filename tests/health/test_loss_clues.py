"""The clues on alarms of losses: read from files and from what was seen, and written with the alarm."""

from datetime import UTC, datetime

from camera_hub.events import DeviceReported
from camera_hub.health.alarms.loss_clues import LossClues
from camera_hub.health.alarms.states import Moment
from camera_hub.health.judging.alarm_changes import AlarmOpening
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm
from camera_hub.health.judging.verdict import Aspect
from camera_hub.health.rounds.camera_watch import Intervals
from camera_hub.health.rounds.look_result import LookResult
from camera_hub.health.rounds.roster import NORMAL, Roster
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, LedgerFile, Village

WALL = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)
PLACES = [(117.3, 31.8, ""), (117.3001, 31.8, ""), (None, None, "D 17"), (None, None, "d17"), (117.4, 31.9, "")]


async def _roster(database: Database) -> tuple[Roster, list[int]]:
    async with database.write() as session:
        village = Village(name="东沟村", kind="village", created_at=WALL)
        session.add(village)
        await session.flush()
        ids = []
        for number, (longitude, latitude, pole) in enumerate(PLACES):
            device = Device(village_id=village.id, name="x", host=f"10.0.0.{number + 1}", via="onvif", created_at=WALL)
            session.add(device)
            await session.flush()
            camera = Camera(
                device_id=device.id, village_id=village.id, channel="1", name="x", state="approved", created_at=WALL
            )
            session.add(camera)
            await session.flush()
            session.add(
                LedgerFile(
                    camera_id=camera.id, longitude=longitude, latitude=latitude, pole_number=pole, updated_at=WALL
                )
            )
            ids.append(camera.id)
    roster = Roster({NORMAL: Intervals(60.0, 300.0)})
    async with database.read() as session:
        await roster.load(session, 0.0)
    return roster, ids


def _opening(roster: Roster, camera: int, aspect: Aspect = Aspect.MEDIA) -> AlarmOpening:
    device = roster.cameras[camera].device_id
    key = AlarmKey("camera", aspect, camera)
    return AlarmOpening(ExpectedAlarm(key, "port_closed", frozenset({camera}), 1, device, camera))


async def test_losses_get_their_hint_and_their_group(database: Database) -> None:
    roster, ids = await _roster(database)
    clues = LossClues(database)
    near, beside, far = ids[0], ids[1], ids[4]
    clues.look(LookResult(near, 80.0, WALL, scores={"covered": 9.0}))
    clues.report(DeviceReported(roster.cameras[far].device_id, None, 1, "hardware", True), 90.0)
    changes = [_opening(roster, one) for one in ids] + [_opening(roster, near, Aspect.PICTURE)]
    told = await clues.told(changes, roster, Moment(100.0, WALL))
    alarms = [one.alarm for one in told if isinstance(one, AlarmOpening)]
    groups = [one.place_group for one in alarms[:5]]
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert len(set(groups)) == 3
    assert alarms[0].hint == {"kind": "covered", "source": "picture", "camera_id": near, "seconds": 20, "score": 9}
    assert alarms[4].hint == {"kind": "hardware", "source": "device", "camera_id": None, "seconds": 10, "score": None}
    assert (alarms[1].hint, alarms[5].place_group) == (None, None)
    later = await clues.told([_opening(roster, beside)], roster, Moment(400.0, WALL.replace(minute=5)))
    (opening,) = later
    assert isinstance(opening, AlarmOpening)
    assert opening.alarm.place_group not in groups
