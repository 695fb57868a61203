"""python -m tests.relay.soak [--minutes 20]: viewers come and go, cameras drop; does the relay keep what it took?

The relay is a process of its own, as in the product; cameras and viewers are here. One JSON line at the end:
rss_slope_mb_per_hour (least squares over all samples after the warm-up), rss_*_mb, files_* and tasks_* (of the relay),
viewers, drops, frames, failures (what a viewer or camera waited for in vain), flat (the verdict, see FLAT).
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field

from tests.relay.camera import Camera, Quirks, camera
from tests.relay.clip import clip
from tests.relay.hub import Hub, relay_process
from tests.relay.peer import viewer

CAMERAS, VIEWERS, TRACKS = 4, 3, 2
BACK = 60.0
FLAT = {"slope_mb_per_hour": 12.0, "grown_mb": 6.0, "grown_short_mb": 4.0, "files": 4, "tasks": 16}
"""What may be called flat: 1 % of a relay's memory an hour and an allocator's noise; a viewer has six tasks.

A short soak has no slope to speak of: some 30 viewers come and go while it is judged, and the relay grows by 1 to
1.5 MB (measured). What kept 100 kB of each would stand out.
"""
LONG_MINUTES = 10


@dataclass
class Report:
    """The JSON line."""

    minutes: float
    samples: int = 0
    viewers: int = 0
    drops: int = 0
    frames: int = 0
    failures: int = 0
    rss_first_mb: float = 0.0
    rss_last_mb: float = 0.0
    rss_slope_mb_per_hour: float = 0.0
    files_first: int = 0
    files_last: int = 0
    tasks_first: int = 0
    tasks_last: int = 0
    feeds_last: int = 0
    viewers_last: int = 0
    flat: bool = False


@dataclass(frozen=True)
class Sample:
    at: float
    rss: float
    files: int
    tasks: int


@dataclass
class Soak:
    """State of one soak. `until`: monotonic seconds."""

    hub: Hub
    process: int
    cameras: list[Camera]
    until: float
    report: Report
    draw: random.Random = field(default_factory=lambda: random.Random(11))

    def over(self) -> bool:
        return time.monotonic() >= self.until

    async def sample(self) -> Sample:
        """Resident memory in MB, open descriptors and tasks of the relay."""
        figures = (await self.hub.call("figures"))["relay"]
        files = len(os.listdir(f"/proc/{self.process}/fd"))
        return Sample(time.monotonic(), figures["rss_bytes"] / 1e6, files, figures["tasks"])

    async def watch(self, name: str) -> None:
        """One person: comes, looks at some cameras, leaves, comes again."""
        number = 0
        while not self.over():
            number += 1
            try:
                async with viewer(self.hub, f"{name} {number}", tracks=TRACKS) as peer:
                    self.report.viewers += 1
                    for serial in range(1, 4):
                        for track in range(TRACKS):
                            feed = f"s{self.draw.randrange(CAMERAS)}"
                            await self.hub.call(
                                "track.show", viewer=f"{name} {number}", track=track, feed=feed, serial=serial
                            )
                        for _ in range(20):
                            await peer.width(serial % TRACKS, deadline=30)
                            self.report.frames += 1
            except TimeoutError:
                self.report.failures += 1
            self.forget()

    def forget(self) -> None:
        """The test's own hub end keeps every word; a soak must not."""
        del self.hub.said[:-2000]

    async def drop(self) -> None:
        """A camera loses all its clients, again and again; the relay finds it again."""
        while not self.over():
            cam = self.draw.choice(self.cameras)
            cam.arrived.clear()
            cam.hang_up()
            self.report.drops += 1
            left = self.until - time.monotonic()
            try:
                await asyncio.wait_for(cam.arrived.wait(), min(BACK, left))
            except TimeoutError:
                self.report.failures += left > BACK
            del cam.seen.requests[:]
            await asyncio.sleep(2 + 3 * self.draw.random())


def slope(samples: list[Sample]) -> float:
    """Least squares, MB per hour."""
    at = [sample.at for sample in samples]
    mean, rss = sum(at) / len(at), sum(sample.rss for sample in samples) / len(samples)
    spread = sum((one - mean) ** 2 for one in at)
    return 3600 * sum((one.at - mean) * (one.rss - rss) for one in samples) / spread if spread else 0.0


async def soak(minutes: float, *, every: float = 2.0) -> Report:
    """Run for that long; a quarter of it (five minutes at most) is the warm-up, which is not judged."""
    report = Report(minutes)
    async with AsyncExitStack() as stack:
        hub, process = await stack.enter_async_context(relay_process())
        cameras = [
            await stack.enter_async_context(camera(clip(number * 60, width=320 + 16 * number), Quirks()))
            for number in range(CAMERAS)
        ]
        for number, cam in enumerate(cameras):
            await hub.open(f"s{number}", cam)
            await hub.state(f"s{number}", "live")
        began = time.monotonic()
        made = Soak(hub, process, cameras, began + minutes * 60, report)
        warm, samples = began + min(300.0, minutes * 15), list[Sample]()

        async def measure() -> None:
            while not made.over():
                await asyncio.sleep(every)
                if time.monotonic() >= warm:
                    samples.append(await made.sample())

        async with asyncio.TaskGroup() as group:
            for number in range(VIEWERS):
                group.create_task(made.watch(f"person {number}"))
            group.create_task(made.drop())
            group.create_task(measure())
        async with asyncio.timeout(60):
            while (figures := await hub.call("figures"))["viewers"]:
                pass
        report.feeds_last, report.viewers_last = len(figures["feeds"]), len(figures["viewers"])
        judge(report, samples)
    return report


def judge(report: Report, samples: list[Sample]) -> None:
    """Fill in what the samples say."""
    tenth = max(1, len(samples) // 10)
    report.samples = len(samples)
    report.rss_first_mb = round(sum(one.rss for one in samples[:tenth]) / tenth, 2)
    report.rss_last_mb = round(sum(one.rss for one in samples[-tenth:]) / tenth, 2)
    report.rss_slope_mb_per_hour = round(slope(samples), 2)
    report.files_first = min(one.files for one in samples[:tenth])
    report.files_last = min(one.files for one in samples[-tenth:])
    report.tasks_first = min(one.tasks for one in samples[:tenth])
    report.tasks_last = min(one.tasks for one in samples[-tenth:])
    long = report.minutes >= LONG_MINUTES
    report.flat = (
        report.failures == 0
        and report.rss_last_mb - report.rss_first_mb <= FLAT["grown_mb" if long else "grown_short_mb"]
        and (not long or report.rss_slope_mb_per_hour <= FLAT["slope_mb_per_hour"])
        and report.files_last - report.files_first <= FLAT["files"]
        and report.tasks_last - report.tasks_first <= FLAT["tasks"]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.relay.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    report = asyncio.run(soak(parser.parse_args().minutes))
    sys.stdout.write(json.dumps(asdict(report)) + "\n")
    return 0 if report.flat else 1


if __name__ == "__main__":
    sys.exit(main())
