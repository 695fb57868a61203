"""The one place that finds out that a relay process must be replaced.

A process is over when its pipe is closed, when it does not answer its pulse in time, when its pulses cannot be read, or
when it has grown far beyond its limit; it makes way in order when it has grown beyond it. A loop that lags is named in
the log: replacing a process does not make a busy machine faster.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Any, Literal, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.messages import RelayPulse
from camera_hub.running import ended

log = logging.getLogger(__name__)

PULSE_SECONDS = 1.0
PULSE_DEADLINE = 3.0
SECOND_CHANCE = 1.0
"""A hub that stood still itself finds all its deadlines passed at once; an answer to a second question tells."""
ANSWER_SECONDS = PULSE_DEADLINE + SECOND_CHANCE
READINGS_EVERY = 5
"""Pulses between two that bring all readings."""
UNREADABLE_PULSES = 3
"""In a row: what answers only nonsense is not watched."""

LAG_SECONDS = 0.25
"""Median lateness of a relay's event loop from which pictures stutter."""

HARD_SHARE = 1.5
"""From this multiple of the memory limit on there is no time for an orderly replacement."""
REPLACE_EVERY = 300.0
"""Seconds between two replacements for memory's sake: a limit that is too small must not cost a picture a minute."""

Verdict = Literal["fine", "replace", "kill"]


class Watched(Protocol):
    """What is needed of a process (relays.process.RelayProcess)."""

    @property
    def closed(self) -> "asyncio.Future[None]":
        """Done when the process has closed its pipe."""
        ...

    async def pulse(self, *, readings: bool, deadline: float) -> RelayPulse:
        """Raises HubError: TIMEOUT, UNAVAILABLE, INVALID (it cannot be read)."""
        ...

    def kill(self) -> None: ...


def memory_verdict(rss_bytes: int, limit: int, since_replaced: float) -> Verdict:
    """What to do with a process of that size; `since_replaced` seconds ago the last one made way for it."""
    if rss_bytes > limit * HARD_SHARE:
        return "kill"
    return "replace" if rss_bytes > limit and since_replaced >= REPLACE_EVERY else "fine"


class RelayWatchdog:
    """Of one relay, over all its processes. `on_grown`: a fresh process should take over, in order."""

    def __init__(self, name: str, clock: Clock, memory_bytes: int, on_grown: Callable[[], None]) -> None:
        self._name = name
        self._clock = clock
        self._memory_bytes = memory_bytes
        self._on_grown = on_grown
        self._replaced_at = float("-inf")
        self._lags = False

    async def watch(self, process: Watched) -> None:
        """Return when the process is over: it has closed its pipe, or has been killed for the reason that is logged."""
        pulses = asyncio.create_task(self._pulses(process), name=f"{self._name} pulse")
        try:
            both: set[asyncio.Future[Any]] = {process.closed, pulses}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if pulses.done():
                why = _reason_of(pulses)
                log.error("%s %s; replacing it", self._name, why)
                process.kill()
        finally:
            if not pulses.done():
                await ended(pulses)

    async def _pulses(self, process: Watched) -> str:
        """Ask once a second, until the process must be replaced at once; answers why."""
        unreadable = 0
        for beat in itertools.count():
            try:
                pulse = await self._ask(process, readings=beat % READINGS_EVERY == 0)
            except HubError as error:
                if error.kind is Kind.TIMEOUT:
                    return f"does not answer within {ANSWER_SECONDS:g} s"
                unreadable += error.kind is Kind.INVALID
                log.warning("%s: %s", self._name, error)
                if unreadable >= UNREADABLE_PULSES:
                    return f"sent {unreadable} pulses in a row that cannot be read"
            else:
                unreadable = 0
                if self._judge(pulse) == "kill":
                    return f"has grown to {pulse.rss_bytes >> 20} MB"
            await self._clock.sleep(PULSE_SECONDS)
        raise AssertionError("unreachable")

    async def _ask(self, process: Watched, *, readings: bool) -> RelayPulse:
        try:
            return await process.pulse(readings=readings, deadline=PULSE_DEADLINE)
        except HubError as error:
            if error.kind is not Kind.TIMEOUT:
                raise
        return await process.pulse(readings=False, deadline=SECOND_CHANCE)

    def _judge(self, pulse: RelayPulse) -> Verdict:
        lags = pulse.loop_lag_p50 > LAG_SECONDS
        if lags and not self._lags:
            log.warning(
                "the event loop of %s runs %.0f ms late, so pictures stutter; the machine is too busy",
                self._name,
                pulse.loop_lag_p50 * 1000,
            )
        self._lags = lags
        verdict = memory_verdict(pulse.rss_bytes, self._memory_bytes, self._clock.monotonic() - self._replaced_at)
        if verdict == "replace":
            log.warning("%s has grown to %d MB; a fresh process takes over", self._name, pulse.rss_bytes >> 20)
            self._replaced_at = self._clock.monotonic()
            self._on_grown()
        return verdict


def _reason_of(pulses: "asyncio.Task[str]") -> str:
    """Why watching has ended; a process that is not watched any longer must not go on unseen either."""
    if pulses.cancelled():
        return "is not watched any longer"
    if (error := pulses.exception()) is not None:
        log.error("the watchdog failed unexpectedly", exc_info=error)
        return f"could not be watched ({type(error).__name__})"
    return pulses.result()
