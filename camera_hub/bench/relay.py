"""`bench relay`: the hub's relay and other servers with the same source and viewers; costs and their ratios."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from shutil import which
from typing import Any

from camera_hub.bench import servers
from camera_hub.bench.figures import cost_ratio, ratios
from camera_hub.bench.go2rtc import go2rtc
from camera_hub.bench.janus import janus
from camera_hub.bench.lines import Lines
from camera_hub.bench.measuring import Feeding, feeding, measure
from camera_hub.bench.plan import Cipher, Picture, RelayPlan, Watch
from camera_hub.clock import Clock
from camera_hub.errors import HubError

Start = Callable[[int], AbstractAsyncContextManager[servers.Server]]
"""Starts a server that pulls the source at this port."""


STARTS: dict[str, Start] = {"aiortc": servers.aiortc, "janus": janus, "go2rtc": go2rtc}
PROGRAMS = {"janus": "janus", "go2rtc": "go2rtc"}
"""What the machine must have installed for a peer; stock aiortc comes with the package."""


async def run(plan: RelayPlan, clock: Clock, lines: Lines) -> bool:
    """Write a line per measurement, the hub's as the last of each comparison. False when one could not be made.

    Peers that are not installed are reported before anything is measured, and left out.
    """
    missing = {name: f"{program} is not in PATH" for name, program in PROGRAMS.items() if which(program) is None}
    for name in plan.peers:
        if name in missing:
            lines.write({"bench": "relay", "peer": name, "missing": missing[name]})
    whole = True
    for bit_rate in plan.bit_rates:
        async with feeding(Picture(bit_rate, *plan.size, plan.gop_seconds)) as source:
            for cipher in plan.ciphers:
                whole &= await _one_cipher(plan, clock, lines, source, bit_rate, cipher, missing.keys())
    return whole


async def _one_cipher(
    plan: RelayPlan,
    clock: Clock,
    lines: Lines,
    source: Feeding,
    bit_rate: int,
    cipher: Cipher,
    missing: Collection[str],
) -> bool:
    first: dict[str, Any] | None = None
    whole = True
    for viewers in sorted({*plan.viewers, *plan.alone}):
        others: dict[str, dict[str, Any]] = {}
        for name in plan.peers if viewers in plan.viewers else ():
            if name in missing:
                others[name] = {}
                continue
            others[name] = await _line(plan, clock, source, bit_rate, Watch(viewers, 1, cipher), name, STARTS[name])
            whole &= "failed" not in others[name]
            lines.write(others[name])
        start: Start = _hub(plan, viewers)
        own = await _line(plan, clock, source, bit_rate, Watch(viewers, 1, cipher), "hub", start)
        whole &= "failed" not in own
        own |= ratios(own, others)
        first = own if first is None else first
        if own is not first:
            own[f"ratio_to_{first['viewers']}_viewers"] = cost_ratio(own, first)
        lines.write(own)
    return whole


def _hub(plan: RelayPlan, viewers: int) -> Start:
    return lambda port: servers.hub(port, viewers, plan.relays)


async def _line(
    plan: RelayPlan, clock: Clock, source: Feeding, bit_rate: int, watch: Watch, name: str, start: Start
) -> dict[str, Any]:
    """The measurement of one server, or why it could not be measured."""
    line: dict[str, Any] = {
        "bench": "relay",
        "peer": name,
        "viewers": watch.viewers,
        "bit_rate": bit_rate,
        "cipher": watch.cipher,
    }
    if name == "hub":
        line["relays"] = plan.relays
    try:
        async with start(source.port) as server:
            line["gso"] = server.gso
            return line | await measure(clock, source, server, watch, plan.spans, plan.load_processes)
    except servers.MissingError as missing:
        return line | {"missing": str(missing)}
    except HubError as error:
        return line | {"failed": error.detail}
