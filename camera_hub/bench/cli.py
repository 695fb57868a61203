"""The command line of the bench: camera-hub bench wall, sight, relay, scale, cases, view, ptz, pages, discovery, …"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from camera_hub import logs
from camera_hub.bench import options
from camera_hub.bench.case_plan import CASE_VIEWERS, TILES, CasesPlan, chosen
from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import (
    CIPHERS,
    COMPARED_FIGURES,
    PEERS,
    VIEW_FIGURES,
    VIEW_PEERS,
    RelayPlan,
    ScalePlan,
    Spans,
    ViewPlan,
)
from camera_hub.bench.wall.cli import wall
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind

app = typer.Typer(no_args_is_help=True, help="Measure what this machine can carry; JSON lines on standard output.")

app.command()(wall)

_MANY = " (may be repeated; default"

Seconds = Annotated[float, typer.Option(min=0.2, help="Length of the measured window.")]
WarmUp = Annotated[float, typer.Option(min=0, help="Seconds between the last viewer's handshake and the window.")]
Relays = Annotated[int, typer.Option(min=1, help="Number of the hub's relay processes.")]
LoadProcesses = Annotated[int, typer.Option(min=1, help="Processes over which the viewers are spread.")]
Gop = Annotated[int, typer.Option(min=1, max=6, help="Seconds from one key frame to the next.")]
Size = Annotated[str, typer.Option("--size", help="Picture size of the source, WIDTHxHEIGHT.")]


@app.command()
def sight(
    photographs: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of photographs, used as places beside the drawn ones."),
    ] = None,
    scenes: Annotated[int, typer.Option(min=1, help="Drawn places, each by day, in infrared and by lamps.")] = 6,
    tune: Annotated[bool, typer.Option(help="The places for tuning instead of those for testing.")] = False,
) -> None:
    """How well picture faults are found: precision, recall and ROC per kind of fault, false alarms, ms per frame."""
    # Not at the top: the other commands need neither OpenCV nor FFmpeg.
    from camera_hub.bench.sight.run import run

    logs.set_up(process="bench")
    run(Lines(sys.stdout), "tune" if tune else "test", scenes, photographs)


@app.command()
def relay(
    viewers: Annotated[list[int] | None, typer.Option(min=1, help=f"Viewers of the one camera{_MANY} 60)")] = None,
    alone: Annotated[
        list[int] | None, typer.Option(min=1, help=f"Viewer counts measured with the hub only{_MANY} none)")
    ] = None,
    bit_rate: Annotated[
        list[int] | None, typer.Option(min=50, help=f"Bit rate of the camera, kbit/s{_MANY} 2000)")
    ] = None,
    cipher: Annotated[list[str] | None, typer.Option(help=f"sha1_80 or gcm (AES-128){_MANY} both)")] = None,
    peer: Annotated[list[str] | None, typer.Option(help=f"{', '.join(PEERS)}{_MANY} aiortc)")] = None,
    seconds: Seconds = 12.0,
    warm_up: WarmUp = 3.0,
    relays: Relays = 1,
    load_processes: LoadProcesses = 1,
    size: Size = "1280x720",
    gop: Gop = 2,
) -> None:
    """Fan-out of one camera to many viewers: the hub's relay against other servers, CPU per delivered Mbit and packet.

    One RTSP source (a drawn scene of 6 s in a loop, 25 fps, H.264 by x264, payloads of at most 1,200 bytes) feeds one
    server after the other, each in separate processes; Janus receives it over UDP, the others over TCP. cpu_* is the
    user and system time of all the server's processes and threads in the window. On loopback it includes the kernel's
    work of receiving, for all servers alike; what the kernel moved to its own threads is in ksoftirqd_percent.

    The client is light: per viewer one UDP socket without GRO, real ICE, DTLS and SRTP keys, one receiver report a
    second, no NACK and no bandwidth estimation. It counts datagrams by their RTP headers, sleeping 4 ms between polls
    so that no server pays for waking it up. loss is by sequence numbers; client_drops says how many of these the kernel
    dropped before the client read them. A server that skips frames loses nothing by sequence: delivered_share compares
    with what the source sent (about 1 over whole loops), fps_min is that of the worst viewer. For two viewers per load
    process every packet is decrypted and all pictures are decoded (decrypts, decodes).
    """
    from camera_hub.bench.relay import run  # WebRTC and FFmpeg are loaded only when needed

    logs.set_up("WARNING")
    plan = RelayPlan(
        viewers=tuple(viewers or (() if alone else (60,))),
        alone=tuple(alone or ()),
        bit_rates=tuple(rate * 1000 for rate in bit_rate or (2000,)),
        ciphers=tuple(map(options.cipher, cipher or CIPHERS)),
        peers=tuple(options.one_of(PEERS, name) for name in peer or ("aiortc",)),
        size=options.size(size),
        gop_seconds=gop,
        spans=Spans(warm_up, seconds),
        relays=relays,
        load_processes=load_processes,
    )
    if not asyncio.run(run(plan, SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def scale(
    feeds: Annotated[int, typer.Option(min=1, help="Number of cameras to pull.")] = 200,
    tracks: Annotated[int, typer.Option(min=1, help="Number of tiles to watch, all feeds in turn.")] = 320,
    tracks_per_viewer: Annotated[int, typer.Option(min=1, max=36, help="Tiles in one peer connection.")] = 16,
    bit_rate: Annotated[int, typer.Option(min=50, help="Bit rate of each camera, kbit/s.")] = 1000,
    cipher: Annotated[str, typer.Option(help="sha1_80 or gcm (AES-128).")] = "gcm",
    search: Annotated[
        bool, typer.Option("--search", help="Step up from an eighth of these numbers to the limit.")
    ] = False,
    busy: Annotated[float, typer.Option(min=0.05, max=1, help="Search: share of all cores at which to stop.")] = 0.8,
    seconds: Seconds = 12.0,
    warm_up: WarmUp = 5.0,
    settle: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds that feeds run first (default: until their histories are full)."),
    ] = None,
    relays: Relays = 1,
    load_processes: LoadProcesses = 1,
    size: Size = "1280x720",
    gop: Gop = 2,
) -> None:
    """How many cameras and tiles this machine can carry, with source and viewers running on it as well.

    One process sends a 25 fps H.264 clip over RTSP as that many cameras, at 40 different positions of the clip; relays
    pull them all; light viewers (see `bench relay --help`) with many tracks in one peer connection watch. The CPU of
    relays (cpu_percent), source and viewers is reported separately, in percent of one core; machine_percent is of all
    cores.

    loss is by sequence numbers; feed_counters say what went wrong between source and relay, track_counters what the
    relay did not send to viewers; fps_min is that of the worst track. carried is true when every track got everything.
    Memory: rss_kb_per_feed is read when each feed's resend history is full, rss_kb_per_track is what tracks and their
    peer connections add to that.

    With --search each step has 1.3 times the feeds and tracks of the previous one, until the machine is busy or a step
    is not carried; a last line with "limit" repeats the best step.
    """
    from camera_hub.bench.scale import run  # WebRTC and FFmpeg are loaded only when needed

    logs.set_up("WARNING")
    plan = ScalePlan(
        feeds=feeds,
        tracks=tracks,
        tracks_per_viewer=tracks_per_viewer,
        bit_rate=bit_rate * 1000,
        cipher=options.cipher(cipher),
        size=options.size(size),
        gop_seconds=gop,
        spans=Spans(warm_up, seconds),
        relays=relays,
        load_processes=load_processes,
        search=search,
        settle=settle,
        busy=busy,
    )
    if not asyncio.run(run(plan, SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def pages(
    cameras: Annotated[int, typer.Option(min=1, max=20_000, help="Number of registered cameras.")] = 1000,
    pages: Annotated[int, typer.Option(min=1, max=200, help="Number of open pages, each of another user.")] = 20,
    drops: Annotated[int, typer.Option(min=1, max=200, help="Number of cameras that become faulty.")] = 40,
    database_url: Annotated[str, typer.Option(help="URL of an empty database; a new SQLite file by default.")] = "",
) -> None:
    """What open pages cost the database when cameras drop: SQL statements, and milliseconds until every page knows.

    A separate hub on a free port, with real WebSockets as pages. Two lines: the changes all at once, and one by one
    (20 ms apart, which are not counted in ms).
    """
    from camera_hub.bench.pages import PagesPlan, run  # the whole hub is loaded only when needed

    logs.set_up("WARNING")
    plan = PagesPlan(cameras, pages, min(drops, cameras), database_url)
    if not asyncio.run(run(plan, SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def discovery(
    villages: Annotated[int, typer.Option(min=1, max=16, help="Villages of 254 addresses, with 40 cameras each.")] = 16,
    describe: Annotated[int, typer.Option(min=1, max=360, help="Devices that are described.")] = 300,
) -> None:
    """How long the hub takes to find and to describe devices, and the memory that this needs.

    Virtual devices in a process of their own on loopback, among addresses that do not answer. sweep: a search by
    unicast with the hub's own settings, from its start to its end; seven ports are tried at each address, and a silent
    one takes its two seconds. describe: 300 devices, eight side by side; rss_mb_growth_at_most is what this process
    grew by, with the libraries that the first description loads. Exit code 1 when a figure misses its target.
    """
    from camera_hub.bench.discovery import DiscoveryPlan, run

    logs.set_up("WARNING")
    if not asyncio.run(run(DiscoveryPlan(villages, describe), SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def health(
    cameras: Annotated[
        int, typer.Option(min=40, max=4000, help="Number of virtual cameras, 40 in each village.")
    ] = 1000,
    minutes: Annotated[float, typer.Option(min=1, help="Length of each measured window.")] = 11.0,
    black_holed: Annotated[
        float, typer.Option(min=0, max=0.9, help="Second window: this share of the villages answers nothing.")
    ] = 0.0,
) -> None:
    """Rounds over many cameras with their default plan: asked each minute, a key frame checked each five minutes.

    The simulator, `camera-hub serve` (whose CPU is given: hub, relay and eye together, in percent of one core) and this
    bench are processes of one machine; machine_percent includes the virtual cameras. Registering 1,000 cameras and
    proving each takes some minutes first. pictures_in_time: share of pictures that came at most a tenth of their
    interval late; *_wait_s_max: the longest from one to the next. Exit code 1 when a camera's picture was not checked
    in time, of those that are not black-holed.
    """
    from camera_hub.bench.health import HealthPlan, run

    logs.set_up("WARNING")
    if not asyncio.run(run(HealthPlan(cameras, minutes, black_holed), SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def recovery(
    cameras: Annotated[int, typer.Option(min=16, max=2000, help="Number of virtual cameras.")] = 320,
    villages: Annotated[int, typer.Option(min=1, max=100, help="Number of villages.")] = 16,
    down_minutes: Annotated[float, typer.Option(min=1, help="How long all links are down.")] = 10.0,
) -> None:
    """All villages return at once after minutes without a link: how many streams are opened at once, how soon each
    camera is known to be well again (a fresh key frame, and confirmed), and how the hub answers meanwhile.

    opens_*: RTSP sessions from DESCRIBE to the answer to PLAY, as the virtual cameras saw them. back_s_*: from the
    moment when the links return until the hub's pages show the camera as well. Exit code 1 when a target is missed:
    4 opens in a village and 32 in all, 95 % back within 60 s and all within 120 s, 95 % of the answers within 300 ms.
    """
    from camera_hub.bench.recovery import RecoveryPlan, run

    logs.set_up("WARNING")
    if not asyncio.run(run(RecoveryPlan(cameras, villages, down_minutes), SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def history(
    cameras: Annotated[int, typer.Option(min=1, max=2000, help="Cameras whose year is written.")] = 100,
    scale_to: Annotated[int, typer.Option(min=1, max=20_000, help="Cameras for which sizes are given.")] = 1000,
    database_url: Annotated[str, typer.Option(help="URL of an empty database; a new SQLite file by default.")] = "",
) -> None:
    """How large a year of a site's history is, and what rolling it up costs.

    Everything that rounds leave of that many cameras is written to a real database: the looks of three days, hours of
    sixty, days and states of four hundred. One line per table (mb_scaled: for --scale-to cameras, by the number of
    cameras alone), and one in all; cpu_s_per_hour is what it takes to roll up one hour of that many cameras. Exit
    code 1 when the whole is larger than 2 GB.
    """
    from camera_hub.bench.history import HistoryPlan, run

    logs.set_up("WARNING")
    if not asyncio.run(run(HistoryPlan(cameras, scale_to, database_url), SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def ptz(
    presses: Annotated[
        int, typer.Option(min=1, help="Presses while the device is idle, and as many while busy.")
    ] = 100,
    cuts: Annotated[int, typer.Option(min=1, help="Pages that are cut off at each kind of dome.")] = 5,
) -> None:
    """How soon a dome obeys a press in a page, and how soon it stands when the page is gone.

    A recorder of 8 virtual cameras, `camera-hub serve` and the page's WebSocket, each in a process of its own. press:
    from before the page sends `move` to the arrival of ContinuousMove at the device; release: from `stop` to Stop.
    busy: while the hub describes the same device over and over, and reads its clock and settings (beside: how often).

    cut_to_still_s: from the moment when the connection of a page that keeps a direction pressed is reset until the dome
    stands; with each kind of stubborn device, too. first: when the hub does not know yet what the device refuses.

    Exit code 1 when a figure misses its target. load is the machine's load average of the last minute, without which no
    figure means anything.
    """
    from camera_hub.bench.ptz import PtzPlan, run

    logs.set_up("WARNING")
    if not asyncio.run(run(PtzPlan(presses, cuts), SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def patrol(
    operators: Annotated[int, typer.Option(min=1, max=32, help="Patrols, each of another user with a page.")] = 20,
    cameras: Annotated[int, typer.Option(min=16, max=1000, help="Number of registered cameras.")] = 200,
    tiles: Annotated[int, typer.Option(min=1, max=16, help="Cameras of each scene.")] = 16,
    dwell: Annotated[int, typer.Option(min=8, max=600, help="Seconds of each stop.")] = 10,
    seconds: Seconds = 90.0,
    warm_up: Annotated[float, typer.Option(min=10, help="Seconds that patrols run first.")] = 30.0,
) -> None:
    """Operators on running patrols of scenes: the hub's CPU, and how true to the timetable their pages are.

    Cameras (a source as of `bench wall`, 400 kbit/s, 640x360, 15 fps), a whole `camera-hub serve` with its defaults,
    and light viewers are processes of one machine. Each operator has a page: it shows the stop of its patrol, reports
    what was seen each two seconds, and confirms each screen; the hub takes a picture of each camera. Patrols begin one
    after the other within one stop.

    told_late_ms: from the moment when a stop is due by the timetable, which is known from the start of the patrol,
    until the page was told. all_live_ms: from then until all its tiles are live. cpu_percent: of hub, relay and eye
    together, in percent of one core; machine_percent includes cameras and viewers. Exit code 1 when the p95 of
    told_late_ms is over 500 ms, or a stop was not the right one.
    """
    from camera_hub.bench.patrol import PatrolPlan, run

    logs.set_up("WARNING")
    plan = PatrolPlan(operators, cameras, tiles, dwell, warm_up, seconds)
    if not asyncio.run(run(plan, SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def cases(
    case: Annotated[list[str] | None, typer.Option(help=f"Beginning of a case's name, e.g. 13{_MANY} all)")] = None,
    viewer: Annotated[list[str] | None, typer.Option(help=f"{', '.join(CASE_VIEWERS)}{_MANY} both)")] = None,
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of the pictures sent that must be decoded.")] = 0.97,
    seconds: Annotated[float, typer.Option(min=1, help="Length of the measured window.")] = 20.0,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds for every stream to open.")] = 12.0,
    at_once: Annotated[int, typer.Option(min=1, max=TILES, help="Cases side by side; the rest follows.")] = 8,
    h265: Annotated[bool, typer.Option("--h265", help="Cameras send H.265, which only FFmpeg decodes.")] = False,
) -> None:
    """Cameras as they are in the field, through the whole hub: pictures decoded out of pictures sent, case by case.

    Each case is a fault of a simulated camera of its own (640x360, 15 fps, a key frame every 2 s), eight side by side:
    `camera-hub serve` pulls them, FFmpeg decodes them by RTSP out (decoded_rtsp), aiortc on walls of 16 tiles
    (decoded_webrtc). sent is what the camera sent in the window, delivered what the hub's feed made of it, opens how
    often the feed was opened again in the window, in_clear how many requests gave the password away; state, reason and
    detail are the tile's at its end. Cases without a picture must have a reason. Exit code 1 when a case is not met.
    """
    from camera_hub.bench.cases import run  # WebRTC and FFmpeg are loaded only when needed

    logs.set_up("WARNING")
    viewers = tuple(options.one_of(CASE_VIEWERS, name) for name in viewer or CASE_VIEWERS)
    if h265:
        viewers = ("rtsp",)
    plan = CasesPlan(chosen(case or ()), seconds, warm_up, viewers, share, at_once, h265)
    if not asyncio.run(run(plan, SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def carousels(
    minutes: Annotated[float, typer.Option(min=0.2, help="How long the wall turns.")] = 60.0,
    turning: Annotated[int, typer.Option(min=1, max=8, help="Tiles of the 16 that turn.")] = 4,
    seconds: Annotated[int, typer.Option(min=5, help="Seconds that a camera stays.")] = 15,
    cameras: Annotated[int, typer.Option(min=24, max=400, help="Number of virtual cameras.")] = 40,
    scenes: Annotated[int, typer.Option(min=0, help="Scenes of four that the page goes through first.")] = 1000,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two samples.")] = 60.0,
) -> None:
    """A wall of 16 tiles with carousels in Chromium, for long: memory and processor of page and hub must stay flat.

    A complete site, as for `bench view`. First the page goes through scenes of four: a line each 100 changes, and a
    summary with the slopes per 1,000 changes from the 200th on. Then the wall turns: a line each sample, and a summary
    with slopes per hour without the first quarter. page_heap_mb is JSHeapUsedSize after a collection, of which V8's
    compiled code (page_code_mb) grows for long; page_objects_mb is the rest of it, from a heap snapshot. `shows`:
    pictures asked for. `grows` names what grew by more than 200 bytes of objects per change, or 5 percent per hour (to
    be believed after an hour); `constant`: players and connections stayed the same. Exit code 1 when either is bad.
    """
    from camera_hub.bench.carousels import CarouselPlan
    from camera_hub.bench.carousels import run as run_carousels

    logs.set_up("WARNING")
    plan = CarouselPlan(minutes, turning, seconds, cameras, scenes, every)
    if not asyncio.run(run_carousels(plan, SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def network() -> None:
    """Wall and screen in Chromium on a PC whose network changes: when are pictures back, without a reload?

    A complete site, as for `bench view`; Chromium runs in a network namespace with a cable (veth) to this machine, so
    that this needs Linux, iproute2 and root. Another address, the first one again; then 20 s without a route, and 20 s
    without the cable. `seconds`: from the change, or from the return, until every tile shows new frames; counted once a
    second by the page. Exit code 1 when any of them takes over 10 s, or took a reload.
    """
    from camera_hub.bench.network_change import run as run_network

    logs.set_up("WARNING")
    if not asyncio.run(run_network(SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)


@app.command()
def view(
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(VIEW_FIGURES)}; in turns: {', '.join(COMPARED_FIGURES)}{_MANY} all)"),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Repetitions of each figure; twice as many for switches.")] = 20,
    cameras: Annotated[int, typer.Option(min=17, help="Number of virtual cameras; each is opened cold once.")] = 24,
    feeds: Annotated[
        int, typer.Option(min=16, help="Number of feeds that run while the added latency is measured.")
    ] = 200,
    bit_rate: Annotated[int, typer.Option(min=50, help="Bit rate of each of these feeds, kbit/s.")] = 1000,
    peer: Annotated[
        list[str] | None, typer.Option(help=f"Measure in turns with {' or '.join(VIEW_PEERS)}{_MANY} none)")
    ] = None,
    hub_python: Annotated[
        list[str] | None,
        typer.Option(help=f"Measure in turns with another checkout's hub: [NAME=]its .venv/bin/python{_MANY} none)"),
    ] = None,
) -> None:
    """A user at the wall, in real Chromium: how long until a picture appears; and the latency that the relay adds.

    A complete site runs on this machine: virtual cameras (640x360, 15 fps, a key frame every 2 s; every 10 s for
    *_gop10), `camera-hub serve`, and the system's headless Chromium (through Playwright) with the hub's own pages,
    which are only observed. Clicks are real and count from the event's own time; a frame counts when
    requestVideoFrameCallback reports it to the page and the tile's picture is uncovered.

    first_picture_*_ms: a new page with a loaded shell shows the alarms; from the click on the wall's link to the single
    tile's first picture. warm: the feed is running already. cold: it has to be opened at the camera; a virtual camera
    begins with a key frame, so no time is spent waiting for one. wall16_last_tile_ms: as warm, to the last of 16 tiles.
    *_from_offer_ms: from the moment when the page posted its offer. *_from_navigation_ms: the wall's address in a new
    page, from the start of the navigation.

    switch_ms: from the click on a camera in the list, whose feed is running, to its first frame in a tile that showed
    another. The relay reports with which RTP timestamp a camera begins in the track, and a track never steps back in
    time: a frame is of the new camera exactly if its rtpTimestamp is not earlier. live_ms: to the first frame that
    reached the hub after the click and is shown at most one frame interval and 50 ms after that, by its rtpTimestamp on
    the track's clock, which is derived from frames before the click. live_age_ms is how late.

    impaired: a wall of four behind a simulated bad network in user space. decoded_share: frames decoded out of those
    that the cameras sent, with that much loss each way and up to 50 ms of jitter with reordering.
    back_after_silence_ms: from the end of a second in which nothing got through to the last tile's next frame.
    beside_a_thin_viewer: what a wall loses while another one's link carries 100 kbit/s.

    added_latency_ms: the relay alone, fed by a synthetic RTSP source; from before the source's write of a frame to the
    kernel's timestamp of the frame's last datagram at a light client with 16 tracks; no browser, no decoding.

    With --peer or --hub-python the servers take turns at each figure (hub, peer, peer, hub, …), with the same cameras
    in the same Chromium; then come the ratios of the hub to the better peer. All servers run from beginning to end and
    pull all cameras all the time (the hub by its linger, go2rtc by preload, MediaMTX by default), so that every feed is
    warm without a viewer, and nothing starts up in another's turn; "unwatched" says what that costs each.

    A peer's page is a bare one: an almost empty answer of the peer's own origin (so that no request needs a preflight)
    and our script, which opens a WHEP connection per tile, all at once, and closes them in the end. warm and wall16
    count from a click in that page, as the hub's do from the click on the wall's link; navigation from the start of the
    navigation. switch: the click makes a WHEP connection for another camera; the tile keeps its picture until the new
    one's first frame. Clicks are spread evenly over the time between two key frames. hub/whep is the hub's own WHEP in
    the bare page. stolen_percent: what the hypervisor took from all cores during this server's turns. A checkout's
    lines have the server hub@NAME.

    Exit code 1 when a p95 misses its target. load is the machine's load average of the last minute, without which no
    figure means anything.
    """
    from camera_hub.bench.view import run

    logs.set_up("WARNING")
    figures = COMPARED_FIGURES if peer or hub_python else VIEW_FIGURES
    if unknown := set(only or ()) - set(figures):
        raise HubError(Kind.INVALID, f"there is no figure {unknown.pop()!r}; choose from {', '.join(figures)}")
    plan = ViewPlan(
        frozenset(only or figures),
        repeat,
        cameras,
        feeds,
        bit_rate * 1000,
        tuple(options.one_of(VIEW_PEERS, name) for name in peer or ()),
        tuple(options.checkout(one) for one in hub_python or ()),
    )
    if not asyncio.run(run(plan, SystemClock(), Lines(sys.stdout))):
        raise typer.Exit(1)
