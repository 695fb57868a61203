"""The command line of `bench wall`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from camera_hub import logs
from camera_hub.bench import options
from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import Spans
from camera_hub.bench.wall.plan import PEERS, PRESETS, HubVariant, OverloadPlan, SoakPlan, WallPlan, load
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind

SERVERS = ("hub", *PEERS)


def wall(
    preset: Annotated[str, typer.Option(help=f"{', '.join(PRESETS)}; the options below change it.")] = "16x16",
    feeds: Annotated[int | None, typer.Option(min=1, max=1000, help="Number of cameras.")] = None,
    tiles: Annotated[int | None, typer.Option(min=1, max=1000, help="Number of tiles, all cameras in turn.")] = None,
    tiles_per_viewer: Annotated[
        int | None, typer.Option(min=1, max=16, help="Tiles in one of the hub's peer connections.")
    ] = None,
    bit_rate: Annotated[int | None, typer.Option(min=50, help="Bit rate of each camera, kbit/s.")] = None,
    size: Annotated[str | None, typer.Option(help="Picture size of each camera, WIDTHxHEIGHT.")] = None,
    fps: Annotated[int | None, typer.Option(min=1, max=60, help="Frames per second of each camera.")] = None,
    gop: Annotated[int | None, typer.Option(min=1, max=6, help="Seconds from one key frame to the next.")] = None,
    cipher: Annotated[str, typer.Option(help="sha1_80 or gcm (AES-128).")] = "gcm",
    server: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(SERVERS)} (may be repeated; default all that are installed)")
    ] = None,
    hub_python: Annotated[
        list[Path] | None,
        typer.Option(
            help="Python of another checkout of the hub, measured too; may be repeated. NAME=PATH gives it a name."
        ),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Every hub without its compiled modules, too.")] = False,
    relay_alone: Annotated[
        bool, typer.Option("--relay-alone", help="The hub's relay over its pipe instead of the whole hub.")
    ] = False,
    repeat: Annotated[int, typer.Option(min=1, help="Repetitions; servers alternate.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.2, help="Length of the measured window.")] = 12.0,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds between the last tile's first frame and it.")] = 10.0,
    load_processes: Annotated[int, typer.Option(min=1, help="Processes over which the viewers are spread.")] = 1,
    overload: Annotated[
        int, typer.Option(min=0, help="Tiles that come on top, of as many further cameras: an overload is measured.")
    ] = 0,
    soak: Annotated[float, typer.Option(min=0, help="Minutes for which the hub alone carries the load.")] = 0.0,
) -> None:
    """Many cameras, few viewers each: the hub and other servers, CPU and memory of all their processes, and latency.

    One RTSP source (see `bench scale`: a clip at 40 positions, H.264) plays all cameras, over TCP. The servers run one
    after the other and, with --repeat, in turn. The hub is a whole `camera-hub serve` with its database, relay and eye,
    its default settings, and cameras in service, which it looks at as always; tiles are shown over the WebSocket as a
    page does it, 16 in a peer connection. go2rtc, MediaMTX and Janus have one peer connection for each tile, which is
    their way; go2rtc and MediaMTX pull a camera when it is watched, Janus from its start and over UDP where it does not
    know TCP. The light client is the same for all (see `bench relay`); it sleeps 4 ms between polls, so that no server
    pays for waking it up.

    A line for each server and repetition. cpu_*: user and system time of all the server's processes in the window, per
    Mbit of payload and frame delivered, and per feed. pss_mb is the proportional memory of all its processes after the
    window, rss_mb counts pages that they share several times; alone_mb is what it takes on a machine where nobody
    shares its libraries. latency_*: from before the source's write of a frame to the kernel's timestamp of its last
    datagram at the client, for all frames of up to 32 tiles; a frame is recognized by its last bytes, decrypted
    afterwards. loss is by sequence numbers, delivered_share compares with what the source sent (about 1 over whole
    loops of 6 s). In its first minute a hub looks at every camera once, and memory grows until every history is full:
    for the steady state give --warm-up 60.

    A last line with "summary": medians, ratios of the hub to the better of go2rtc and MediaMTX for each figure, what
    the machine had stolen by its host (stolen_percent, of one core), and its load average. Servers that are not
    installed or fail are reported and spoil nothing; the exit code is 1 when a hub fails.

    --overload: the given load, then walls of 16 further tiles until that many are asked for. What happens to the first
    ones, what the hub says of the others, and how long it takes until all is well when they have gone.

    --soak: one line each minute, and a last one with the slopes per hour of memory, descriptors and latency.

    Both run one whole hub, the last one if there are several.
    """
    given = {"feeds": feeds, "tiles": tiles, "tiles_per_viewer": tiles_per_viewer, "fps": fps, "gop_seconds": gop}
    if preset not in PRESETS:
        raise HubError(Kind.INVALID, f"there is no preset {preset!r}; choose from {', '.join(PRESETS)}")
    if size is not None:
        given["width"], given["height"] = options.size(size)
    if bit_rate is not None:
        given["bit_rate"] = bit_rate * 1000
    shown = load(preset, **given, cipher=options.cipher(cipher))
    logs.set_up("WARNING")
    lines, clock, spans = Lines(sys.stdout), SystemClock(), Spans(warm_up, seconds)
    hubs = hubs_of(hub_python or [], plain=plain, relay_alone=relay_alone)
    if overload:
        from camera_hub.bench.wall.overload import run as run_overload  # WebRTC is loaded only when needed

        done = asyncio.run(run_overload(OverloadPlan(shown, overload, spans, hubs[-1]), clock, lines))
    elif soak:
        from camera_hub.bench.wall.soak import run as run_soak

        done = asyncio.run(run_soak(SoakPlan(shown, soak, hubs[-1], warm_up), clock, lines))
    else:
        from camera_hub.bench.wall.run import run

        servers = _servers(server or list(SERVERS))
        plan = WallPlan(
            load=shown,
            spans=spans,
            hubs=hubs if "hub" in servers else tuple(hub for hub in hubs if "@" in hub.name),
            peers=tuple(name for name in PEERS if name in servers),
            repeat=repeat,
            relay_alone=relay_alone,
            load_processes=load_processes,
        )
        done = asyncio.run(run(plan, clock, lines))
    if not done:
        raise typer.Exit(1)


def hubs_of(others: list[Path], *, plain: bool, relay_alone: bool) -> tuple[HubVariant, ...]:
    """This hub, then those of other checkouts, each followed by its plain fallback."""
    kind = "relay" if relay_alone else "hub"
    found = [(kind, Path(sys.executable))]
    for other in others:
        name, _, path = str(other).rpartition("=")
        python = Path(path).absolute()  # not resolved: a virtual environment's Python is a link
        found.append((f"{kind}@{name or _checkout(python)}", python))
    variants: list[HubVariant] = []
    for name, python in found:
        variants += [HubVariant(name, python), *([HubVariant(f"{name}-plain", python, plain=True)] if plain else [])]
    return tuple(variants)


def _checkout(python: Path) -> str:
    """The name of the folder whose virtual environment a Python belongs to."""
    return python.parents[2].name if len(python.parents) > 2 else python.name


def _servers(names: list[str]) -> list[str]:
    if unknown := set(names) - set(SERVERS):
        raise HubError(Kind.INVALID, f"there is no server {unknown.pop()!r}; choose from {', '.join(SERVERS)}")
    return names
