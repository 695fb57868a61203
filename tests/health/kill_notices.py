"""kill -9 at random points of raising and delivering: `python -m tests.health.kill_notices --kills 200`

A child process (this file with --child) does what the hub does with alarms: it opens and closes them as health's tick
does, announces them (time of its own, a minute in a few milliseconds), and delivers them over real HTTP from a real
SQLite file. The parent is the receiver, kills the child at a random moment, starts it again, and at the end counts.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from camera_hub.clock import SystemClock
from camera_hub.events import EventBus
from camera_hub.health.notices.announcer import Announcer
from camera_hub.health.notices.channels import ChannelDraft, NoticeChannels
from camera_hub.health.notices.delivery import NoticeDelivery
from camera_hub.health.notices.policy import NoticePolicy
from camera_hub.running import Backoff
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, AlarmMember, Camera, Device, Notice, ToldAlarm, User, Village
from tests.health.fake_sealer import FakeSealer

ZONE = ZoneInfo("Asia/Shanghai")
POLICY = NoticePolicy(
    parent_delay=0.05, camera_delay=0.05, key_delay=0.05, parent_settle=0.05, camera_settle=0.05,
    flapping_settle=0.05, flapping_window=0.2, quiet=None, window=0.2, joined_pause=0.02,
)  # fmt: skip
"""The rules as they are, a thousand times faster, so that many notices are written and sent in one life."""

CAMERAS = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `lost`: notices of the outbox that never arrived; `twice`: that arrived twice, as one being sent
    may when its sender is killed; `more`: more often. `double`: alarms that one receiver was told of in two notices.
    `noise`: notices of a last life in which nothing happens."""

    kills: int
    alarms: int
    notices: int
    lost: int
    twice: int
    more: int
    double: int
    noise: int

    @property
    def good(self) -> bool:
        """Whether none was lost, doubled beyond one duplicate, or made by a restart."""
        return not (self.lost or self.more or self.double or self.noise) and self.twice <= self.kills


async def _fill(database: Database, port: int) -> None:
    now = datetime.now(UTC)
    async with database.write() as session:
        village = Village(name="东沟村", created_at=now)
        session.add(village)
        await session.flush()
        device = Device(village_id=village.id, host="127.0.0.1", onvif_port=80, created_at=now)
        session.add(device)
        await session.flush()
        for number in range(CAMERAS):
            camera = Camera(device_id=device.id, village_id=village.id, channel=str(number), name=f"点位 {number}")
            camera.created_at, camera.state = now, "approved"
            session.add(camera)
        user = User(username="operator", display_name="值班员", role="operator", password_hash="-", all_villages=True)
        user.created_at = now
        session.add(user)
    await NoticeChannels(database, EventBus(), SystemClock(), FakeSealer()).add(
        ChannelDraft("receiver", f"http://127.0.0.1:{port}/", 5.0)
    )


async def _live(path: Path, quiet: bool) -> None:
    """One life: alarms open and close, are announced and delivered, until somebody ends it."""
    clock, bus = SystemClock(), EventBus()
    draw = random.Random()
    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        announcer = Announcer(database, bus, clock, POLICY, ZONE)
        backoff = Backoff(first=0.02, cap=0.05, floor=0.01)
        async with NoticeDelivery(clock, bus, database, FakeSealer(), backoff=backoff):
            told = False
            while True:
                if not quiet:
                    await _change(database, draw)
                await announcer.announce()
                if not told:
                    sys.stdout.write("ready\n")  # everything is loaded: what follows is the work
                    sys.stdout.flush()
                    told = True
                await asyncio.sleep(0.01)


async def _change(database: Database, draw: random.Random) -> None:
    """Open an alarm of a camera that has none, or close one."""
    now = datetime.now(UTC)
    async with database.write() as session:
        number = draw.randrange(1, CAMERAS + 1)
        found = await session.scalar(select(Alarm).where(Alarm.camera_id == number, Alarm.closed_at.is_(None)))
        if found is not None:
            if now - found.opened_at > timedelta(seconds=0.15):
                found.closed_at = now
            return
        alarm = Alarm(level="camera", severity="major", cause="no_media", village_id=1, device_id=1, camera_id=number)
        alarm.opened_at = now
        session.add(alarm)
        await session.flush()
        session.add(AlarmMember(alarm_id=alarm.id, camera_id=number, joined_at=now))


class Receiver:
    """Counts what arrives, by the notice's id."""

    def __init__(self) -> None:
        self.got: Counter[int] = Counter()
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Receiver"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                while head := await reader.readuntil(b"\r\n\r\n"):
                    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                    self.got[json.loads(await reader.readexactly(size))["id"]] += 1
                    writer.write(b"HTTP/1.1 204 ok\r\nContent-Length: 0\r\n\r\n")
                    await writer.drain()
        finally:
            writer.close()


async def _life(path: Path, seconds: float | None, *more: str) -> asyncio.subprocess.Process:
    """Start a child; with `seconds` kill it that long after it is ready."""
    command = (sys.executable, "-m", "tests.health.kill_notices", "--child", str(path), *more)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        async with asyncio.timeout(120):
            assert await child.stdout.readline() == b"ready\n", "the child did not start"
    except BaseException:
        child.kill()
        await child.wait()
        raise
    if seconds is not None:
        await asyncio.sleep(seconds)
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
    return child


async def run(kills: int, folder: Path, seed: int = 12) -> Outcome:
    """Kill so often, then let the last life deliver what is left, and count."""
    draw = random.Random(seed)
    path = folder / "hub.sqlite3"
    async with Receiver().running() as receiver, Database(f"sqlite+aiosqlite:///{path}") as database:
        await _fill(database, receiver.port)
        for _ in range(kills):
            await _life(path, draw.uniform(0.0, 0.6))
        child = await _life(path, None, "--quiet")
        try:
            before = await _settled(database)
            again = await _life(path, 1.0, "--quiet")
            noise = await _count(database) - before
            assert again.returncode is not None
        finally:
            child.kill()
            await child.wait()
        return await _outcome(database, receiver, kills, noise)


async def _count(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(Notice)) or 0


async def _settled(database: Database) -> int:
    """Wait until nothing is left to announce or deliver; how many notices there are then."""
    before, same = -1, 0
    async with asyncio.timeout(120):
        while same < 10:
            async with database.read() as session:
                waiting = select(func.count()).select_from(Notice).where(Notice.delivered_at.is_(None))
                pending = await session.scalar(waiting) or 0
            count = await _count(database)
            same = same + 1 if (pending, count) == (0, before) else 0
            before = count
            await asyncio.sleep(0.1)
    return before


async def _outcome(database: Database, receiver: Receiver, kills: int, noise: int) -> Outcome:
    async with database.read() as session:
        rows = (await session.scalars(select(Notice))).all()
        alarms = await session.scalar(select(func.count()).select_from(Alarm)) or 0
        told = await session.scalar(select(func.count()).select_from(ToldAlarm)) or 0
    assert told, "nothing was announced"
    sent = [row for row in rows if row.channel_id is not None]
    said: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        kind = "begins" if row.kind in ("opened", "flapping") else row.kind
        if kind in ("begins", "closed"):
            said.update((row.channel_id, row.user_id, kind, number) for number in row.payload["alarm_ids"])
    return Outcome(
        kills,
        alarms,
        len(sent),
        sum(receiver.got[row.id] == 0 for row in sent),
        sum(receiver.got[row.id] == 2 for row in sent),
        sum(receiver.got[row.id] > 2 for row in sent),
        sum(count > 1 for count in said.values()),
        noise,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        asyncio.run(_live(given.child, given.quiet))
        return
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(run(given.kills, Path(folder), given.seed))
    sys.stdout.write(f"{outcome}\n")
    sys.exit(0 if outcome.good else 1)


if __name__ == "__main__":
    main()
