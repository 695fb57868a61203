"""Decided questions of identity end, and their pictures before them; open ones stay."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from camera_hub.cameras.matches.expiry import KEEP, PICTURES_KEEP, MatchPictureExpiry, match_expiry
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.store.database import Database
from camera_hub.store.retention import Retention
from camera_hub.store.tables import Camera, DeviceMatch
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village


async def test_decided_questions_and_their_pictures_end(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    (camera_id,) = await add_village(database, clock, "东沟村", 1)
    now, day = clock.now(), timedelta(days=1)
    pictures = Pictures(tmp_path, database)
    states = {
        "open": (now - 2 * KEEP, None),
        "just": (now, now),
        "decided": (now, now - PICTURES_KEEP - day),
        "old": (now - KEEP - day, now - KEEP - day),
    }
    async with database.write() as session:
        camera = await session.get_one(Camera, camera_id)
        for name, (seen_at, decided_at) in states.items():
            match = DeviceMatch(
                kind="moved",
                question=name,
                device_id=camera.device_id,
                village_id=camera.village_id,
                other_village_id=camera.village_id,
                source="hello",
                host="10.0.0.1",
                path="/",
                state="rejected" if decided_at is not None else "open",
                seen_at=seen_at,
                last_seen_at=seen_at,
                decided_at=decided_at,
            )
            session.add(match)
            await session.flush()
            await pictures.save_for(match.id, b"jpeg")
    await pictures.save_for(10_000, b"of no question")
    await pictures.save(camera_id, b"jpeg", now)
    assert await Retention(database, clock, [match_expiry()]).apply(match_expiry()) == 1
    expiry = MatchPictureExpiry(database, clock, pictures)
    assert (await expiry.apply(), await expiry.apply()) == (3, 0)
    async with database.read() as session:
        found = {one.question: one.id for one in await session.scalars(select(DeviceMatch))}
    assert set(found) == {"open", "just", "decided"}
    assert sorted(await pictures.kept_for()) == sorted([found["open"], found["just"]])
    assert await pictures.read(camera_id) is not None
