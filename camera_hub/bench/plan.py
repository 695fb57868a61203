"""What to measure, as values. Light to import: the command line reads it before anything heavy is loaded."""

from dataclasses import dataclass
from typing import Literal

Cipher = Literal["sha1_80", "gcm"]
CIPHERS: tuple[Cipher, ...] = ("sha1_80", "gcm")
PEERS = ("aiortc", "janus", "go2rtc")


@dataclass(frozen=True, slots=True)
class Picture:
    """What the source sends. Bit rate in bit/s."""

    bit_rate: int
    width: int
    height: int
    gop_seconds: int = 2
    fps: int = 25


@dataclass(frozen=True, slots=True)
class Spans:
    """Seconds before and within the measured window."""

    warm_up: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches: the number of viewers, and of tracks in the peer connection of each."""

    viewers: int
    tracks: int
    cipher: Cipher


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What to compare. `viewers` are counts for which all servers run, `alone` those for which only the hub runs."""

    viewers: tuple[int, ...]
    alone: tuple[int, ...]
    bit_rates: tuple[int, ...]  # bit/s
    ciphers: tuple[Cipher, ...]
    peers: tuple[str, ...]
    size: tuple[int, int]
    spans: Spans
    gop_seconds: int = 2
    relays: int = 1
    load_processes: int = 1


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """How much to carry. `search`: begin with a small part of it and step up until the machine is busy.

    `settle`: seconds that feeds run before their memory is read; None = until every resend history is full.
    """

    feeds: int
    tracks: int
    tracks_per_viewer: int
    bit_rate: int  # bit/s
    cipher: Cipher
    size: tuple[int, int]
    spans: Spans
    gop_seconds: int = 2
    relays: int = 1
    load_processes: int = 1
    search: bool = False
    busy: float = 0.8  # share of all cores
    settle: float | None = None


VIEW_FIGURES = ("added_latency", "cold", "warm", "wall16", "switch", "impaired", "wall16_gop10")

COMPARED_FIGURES = ("warm", "wall16", "navigation", "switch")
VIEW_PEERS = ("go2rtc", "mediamtx")


@dataclass(frozen=True, slots=True)
class Checkout:
    """Another checkout of the hub: its name in the lines, and the Python of its environment."""

    name: str
    python: str


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """What to measure at the wall. `feeds` of `bits` bit/s run while the added latency is measured.

    With `peers` or `checkouts` COMPARED_FIGURES are measured, in turns with them; otherwise VIEW_FIGURES.
    """

    figures: frozenset[str] = frozenset(VIEW_FIGURES)
    repeat: int = 20
    cameras: int = 24
    feeds: int = 200
    bits: int = 1_000_000
    peers: tuple[str, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
