"""The bench's side of its load processes: viewers are prepared, connected a few at a time, counted together."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from camera_hub.bench.arrivals import Arrivals
from camera_hub.bench.check import Checked
from camera_hub.bench.counting import Counts
from camera_hub.bench.plan import Watch
from camera_hub.errors import HubError
from camera_hub.media.child_process import Helper, helper
from camera_hub.running import running

COMMAND = (sys.executable, "-m", "camera_hub.bench.load")
AT_ONCE = 8
_CONNECT_SECONDS = 60.0
_CALL_SECONDS = 60.0
CHECKED = 2
"""Viewers per load process whose packets are all decrypted and decoded afterwards."""

Answer = Callable[[int, str], Awaitable[str]]


class Crew:
    """Load processes that share the viewers evenly."""

    def __init__(self, helpers: list[Helper], watch: Watch, *, checked: int) -> None:
        self.pids = tuple(one.process.pid for one in helpers)
        self._helpers = helpers
        self._watch = watch
        self._checked = checked
        self._home: dict[int, Helper] = {}

    async def connect(self, answer: Answer, address: str, *, timed: Sequence[int] = ()) -> None:
        """Offer and connect every viewer, a few at once. Raises the HubError of the first that fails.

        `timed`: viewers that note when frames arrive, while `record` says so.
        """
        offers = await self._offers(address, timed)
        gate = asyncio.Semaphore(AT_ONCE)

        async def connect_one(viewer: int, offer: str) -> None:
            async with gate:
                await self._connect(viewer, await answer(viewer, offer))

        try:
            async with asyncio.TaskGroup() as group:
                for viewer, offer in offers.items():
                    group.create_task(connect_one(viewer, offer))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def connect_each(self, answer: Answer, address: str) -> dict[int, HubError]:
        """Connect every viewer, one after the other, whatever becomes of the others. Returns the failures."""
        failed: dict[int, HubError] = {}
        for viewer, offer in (await self._offers(address, ())).items():
            try:
                await self._connect(viewer, await answer(viewer, offer))
            except HubError as error:
                failed[viewer] = error
        return failed

    async def _offers(self, address: str, timed: Sequence[int]) -> dict[int, str]:
        offers: dict[int, str] = {}
        for number, one in enumerate(self._helpers):
            first = len(offers)
            share = (self._watch.viewers + number) // len(self._helpers)
            head = {
                "type": "prepare",
                "first": first,
                "viewers": share,
                "tracks": self._watch.tracks,
                "cipher": self._watch.cipher,
                "address": address,
                "checked": self._checked,
                "timed": list(timed),
            }
            reply = await one.pipe.call(head, deadline=_CALL_SECONDS)
            for viewer, offer in enumerate(reply.head["offers"], first):
                offers[viewer], self._home[viewer] = offer, one
        return offers

    async def _connect(self, viewer: int, answer: str) -> None:
        head = {"type": "connect", "viewer": viewer, "answer": answer, "deadline": _CONNECT_SECONDS}
        await self._home[viewer].pipe.call(head, deadline=_CONNECT_SECONDS + 5)

    async def record(self, on: bool) -> None:
        """Begin to note arrivals at the timed viewers, or stop; a beginning forgets what was noted before."""
        await self._all("record", on=on)

    async def arrivals(self, viewer: int) -> Arrivals:
        """What a timed viewer noted. Call once after each recording: SRTP decrypts nothing twice."""
        reply = await self._home[viewer].pipe.call({"type": "arrivals", "viewer": viewer}, deadline=_CALL_SECONDS)
        return Arrivals.read(reply.head)

    async def counts(self) -> Counts:
        """The counts of all viewers up to now."""
        return sum((Counts(**head) for head in await self._all("counts")), Counts())

    async def checked(self) -> Checked:
        """The sum of the spot checks of all load processes. Call once, at the end."""
        found = [Checked(**one) for head in await self._all("checked") for one in head["viewers"]]
        return sum(found, Checked())

    async def close(self) -> None:
        """Close every viewer."""
        await self._all("close")

    async def _all(self, type_: str, **values: object) -> list[dict[str, Any]]:
        replies = await asyncio.gather(
            *(one.pipe.call({"type": type_, **values}, deadline=_CALL_SECONDS) for one in self._helpers)
        )
        return [{key: value for key, value in reply.head.items() if key not in ("type", "re")} for reply in replies]


@asynccontextmanager
async def crew(processes: int, watch: Watch, *, checked: int = CHECKED) -> AsyncIterator[Crew]:
    """Start load processes, at most one per viewer; they end with the block."""
    async with AsyncExitStack() as stack:
        count = max(1, min(processes, watch.viewers))
        helpers = [await stack.enter_async_context(helper(COMMAND)) for _ in range(count)]
        for number, one in enumerate(helpers):
            await stack.enter_async_context(running(_listen(one), f"load {number}"))
        made = Crew(helpers, watch, checked=checked)
        yield made
        await made.close()


async def _listen(one: Helper) -> None:
    """Keep receiving, so that replies are matched; a load process sends nothing else."""
    while await one.pipe.receive() is not None:
        pass
