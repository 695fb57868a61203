"""The pure parts of `bench wall`: plans, configurations, memory, latency, ratios, slopes."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.bench import go2rtc, janus, mediamtx, options
from camera_hub.bench.arrivals import SHORTEST, TAIL, Arrivals, delays, tail
from camera_hub.bench.memory import Pages, alone, parse_pages, parse_sums, process_name
from camera_hub.bench.plan import Picture, Spans
from camera_hub.bench.sdp import Local, answered_ssrcs, write_offer
from camera_hub.bench.wall.cli import hubs_of
from camera_hub.bench.wall.figures import latency_fields, ratios, slope, summary
from camera_hub.bench.wall.hub_data import copy_cameras
from camera_hub.bench.wall.hub_pages import tile_of, users_for
from camera_hub.bench.wall.hub_process import environment
from camera_hub.bench.wall.overload import is_calm, walls
from camera_hub.bench.wall.plain import plain_folder
from camera_hub.bench.wall.plan import PRESETS, HubVariant, Load, OverloadPlan, load, rotated, timed_tiles
from camera_hub.bench.wall.soak import summary as soak_summary
from camera_hub.errors import HubError
from camera_hub.relay.webrtc.answer import Ssrcs, Transport, write_answer
from camera_hub.relay.webrtc.offer import read_offer

HERE = HubVariant("hub", Path(sys.executable))


# Plans


def test_a_preset_is_changed_by_what_is_given_only() -> None:
    assert load("16x16") == PRESETS["16x16"]
    changed = load("200x320", feeds=10, tiles=None, fps=15, bit_rate=500_000)
    assert (changed.feeds, changed.tiles) == (10, 320)
    assert changed.picture == Picture(500_000, 1280, 720, 2, 15)


@pytest.mark.parametrize(
    ("tiles", "timed"),
    [
        (2, [*range(2)]),
        (17, [*range(16)]),
        (40, [*range(32)]),
        (160, [*range(16), *range(80, 96)]),
        (320, [*range(16), *range(160, 176)]),
    ],
)
def test_the_tiles_of_whole_pages_are_timed_at_the_beginning_and_in_the_middle(tiles: int, timed: list[int]) -> None:
    assert timed_tiles(tiles) == timed


def test_every_server_is_the_first_in_turn() -> None:
    names = ("hub", "go2rtc", "mediamtx")
    orders = [rotated(names, repetition) for repetition in range(4)]
    assert [order[0] for order in orders] == ["hub", "go2rtc", "mediamtx", "hub"]
    assert all(sorted(order) == sorted(names) for order in orders)
    assert rotated((), 3) == ()


def test_hubs_of_other_checkouts_have_names_and_each_its_plain_fallback() -> None:
    others = [Path("/srv/before/.venv/bin/python"), Path("new=/opt/new/bin/python")]
    found = hubs_of(others, plain=True, relay_alone=False)
    assert [hub.name for hub in found] == [
        "hub", "hub-plain", "hub@before", "hub@before-plain", "hub@new", "hub@new-plain"
    ]  # fmt: skip
    assert [hub.plain for hub in found] == [False, True] * 3
    assert found[4].python == Path("/opt/new/bin/python")
    assert [hub.name for hub in hubs_of([], plain=False, relay_alone=True)] == ["relay"]


def test_options_that_make_no_sense_are_refused() -> None:
    assert options.size("640x360") == (640, 360)
    for wrong in ("640", "640x", "8x8", "axb"):
        with pytest.raises(HubError, match="picture size"):
            options.size(wrong)
    with pytest.raises(HubError, match="no cipher"):
        options.cipher("rot13")


# Configurations


def test_peers_pull_every_camera_of_the_source_on_loopback_only() -> None:
    first = go2rtc.config(8000, 3, 1, 2)
    assert first["streams"] == {f"camera{feed}": f"rtsp://127.0.0.1:8000/{feed}" for feed in range(3)}
    assert first["webrtc"]["ice_servers"] == []
    second = mediamtx.config(8000, 3, 1, 2)
    assert [path["source"] for path in second["paths"].values()] == list(first["streams"].values())
    assert all(path["sourceOnDemand"] and path["rtspTransport"] == "tcp" for path in second["paths"].values())
    assert second["webrtcICEServers2"] == []
    assert not any(second[name] for name in ("rtsp", "rtmp", "hls", "srt", "api", "metrics", "playback", "pprof"))
    for text in (json.dumps(first), json.dumps(second)):
        assert "0.0.0.0" not in text
        assert '":' not in text.replace('": ', "")
    third = janus.mountpoints(8000, 3)
    assert [f'url = "rtsp://127.0.0.1:8000/{feed}"' in third for feed in range(4)] == [True, True, True, False]
    assert [f"id = {feed} " in third for feed in range(5)] == [False, True, True, True, False]


def test_a_hub_gets_no_setting_of_ours_and_free_ports(tmp_path: Path) -> None:
    ours = {"PATH": "/bin", "CAMERA_HUB_DATABASE__URL": "postgresql://somewhere", "CAMERA_HUB_TEST": "kept"}
    found = environment(ours, HERE, tmp_path, viewers=20)
    assert found["PATH"] == "/bin"
    assert found["CAMERA_HUB_TEST"] == "kept"
    assert "CAMERA_HUB_DATABASE__URL" not in found
    assert found["CAMERA_HUB_SERVER__DATA_DIR"] == str(tmp_path)
    assert "CAMERA_HUB_MEDIA__VIEWERS" not in found, "the default is measured where it is enough"
    assert environment(ours, HERE, tmp_path, viewers=65)["CAMERA_HUB_MEDIA__VIEWERS"] == "65"
    assert not any("HEALTH" in name for name in found)


def test_a_plain_hub_finds_sources_even_where_something_compiled_lies_beside_them(tmp_path: Path) -> None:
    package = tmp_path / "camera_hub"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "hot.py").write_text("KIND = 'source'\n")
    suffix = next(suffix for suffix in _extension_suffixes() if suffix.startswith("."))
    (package / f"hot{suffix}").write_bytes(b"not a library")  # whoever prefers it cannot load it

    def kind(python_path: str) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-c", "from camera_hub.hot import KIND; print(KIND)"]
        return subprocess.run(
            words,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": python_path},
            text=True,
            capture_output=True,
            timeout=60,
        )

    assert kind(str(tmp_path)).returncode != 0
    plain = HubVariant("hub-plain", Path(sys.executable), plain=True)
    found = environment({"PYTHONPATH": str(tmp_path)}, plain, tmp_path, viewers=1)["PYTHONPATH"]
    assert found.split(os.pathsep) == [str(plain_folder(tmp_path)), str(tmp_path)]
    assert kind(found).stdout == "source\n"


def _extension_suffixes() -> list[str]:
    from importlib.machinery import EXTENSION_SUFFIXES

    return EXTENSION_SUFFIXES


# The hub's data and pages


def test_cameras_are_copied_with_device_and_streams(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            """
            CREATE TABLE villages (id INTEGER PRIMARY KEY, name TEXT);
            CREATE TABLE devices (id INTEGER PRIMARY KEY, village_id INTEGER, name TEXT, host TEXT);
            CREATE TABLE cameras (id INTEGER PRIMARY KEY, device_id INTEGER, village_id INTEGER, name TEXT,
                                  position INTEGER, state TEXT);
            CREATE TABLE streams (id INTEGER PRIMARY KEY, camera_id INTEGER, role TEXT, uri TEXT, codec TEXT);
            INSERT INTO villages VALUES (1, 'a'), (2, 'b');
            INSERT INTO devices VALUES (7, 1, 'bench 0', '127.0.0.1');
            INSERT INTO cameras VALUES (5, 7, 1, 'bench 0', 1, 'approved');
            INSERT INTO streams VALUES (3, 5, 'main', 'rtsp://127.0.0.1:8000/0', 'h264'),
                                       (4, 5, 'sub', 'rtsp://127.0.0.1:8000/0', 'h264');
            """
        )
    ids = copy_cameras(path, 3, 8000)
    assert ids == [5, 6, 7]
    with closing(sqlite3.connect(path)) as database:
        cameras = database.execute("SELECT device_id, village_id, state FROM cameras ORDER BY id").fetchall()
        assert cameras == [(7, 1, "approved"), (8, 2, "approved"), (9, 1, "approved")]
        streams = database.execute("SELECT role, uri, codec FROM streams WHERE camera_id = 7 ORDER BY id").fetchall()
        assert streams == [(role, "rtsp://127.0.0.1:8000/2", "h264") for role in ("main", "sub")]
        assert database.execute("SELECT host FROM devices").fetchall() == [("127.0.0.1",)] * 3


def test_a_tile_is_told_by_state_and_reason() -> None:
    assert tile_of({"state": "live", "reason": None}) == ("live", "")
    assert tile_of({"state": "live", "reason": None, "note": "late_sub"}) == ("live", "late_sub")
    assert tile_of({"state": "refused", "reason": "busy", "note": None}) == ("refused", "busy")
    assert [users_for(pages) for pages in (1, 4, 5, 20)] == [1, 1, 2, 5]


# Memory


SMAPS = """\
555500000000-555500100000 r-xp 00001000 08:01 77                         /usr/bin/python3.11
Size:               1024 kB
Rss:                 500 kB
Pss:                 250 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
555500100000-555500200000 rw-p 00101000 08:01 77                         /usr/bin/python3.11
Rss:                 100 kB
Anonymous:            60 kB
7f0000000000-7f0000100000 rw-p 00000000 00:00 0                          [heap]
Rss:                3000 kB
Anonymous:          3000 kB
"""


def test_pages_of_files_count_once_however_many_processes_map_them() -> None:
    pages = parse_pages(SMAPS)
    assert pages == Pages(3060, {(77, 0x1000): 500, (77, 0x101000): 40})
    assert alone([pages, pages]) == 2 * 3060 + 540
    assert alone([pages, Pages(10, {(77, 0x1000): 700})]) == 3070 + 700 + 40
    assert parse_sums(
        "555500000000-7fff00000000 ---p 00000000 00:00 0 [rollup]\nRss:  9 kB\nPss_Anon:  2 kB\nPss:  5 kB\n"
    ) == {
        "Rss": 9,
        "Pss_Anon": 2,
        "Pss": 5,
    }


def test_a_process_is_named_by_what_it_runs() -> None:
    assert process_name(b"/venv/bin/python\0-m\0camera_hub\0serve\0") == "camera_hub serve"
    assert process_name(b"/venv/bin/python\0-m\0camera_hub.relay\0--fd\0007\0") == "camera_hub.relay"
    assert process_name(b"/usr/bin/go2rtc\0-c\0x.yaml\0") == "go2rtc"
    assert process_name(b"") == ""


# Latency


def test_a_frame_is_recognized_by_its_last_bytes_however_it_is_cut() -> None:
    nal = b"\x41" + bytes(range(200))
    whole = tail([nal])
    assert whole == nal[-TAIL:]
    for cut in range(1, 200, 7):
        first, last = b"\x5c\x81" + nal[1:cut], b"\x5c\x41" + nal[cut:]
        assert tail([first, last]) == (nal[1:])[-TAIL:], cut
        assert whole.endswith(tail([last])), "the receiver knows the last packet only"
    assert tail([]) == b""


@given(
    st.lists(st.binary(min_size=TAIL, max_size=TAIL), min_size=1, max_size=40, unique_by=lambda end: end[-SHORTEST:])
)
def test_each_frame_finds_its_own_time(ends: list[bytes]) -> None:
    sent = [(10 + number / 25, end) for number, end in enumerate(ends)]
    found, unknown = delays(sent, [(at + 0.003, end) for at, end in sent])
    assert unknown == 0
    assert found == pytest.approx([0.003] * len(ends))


def test_frames_of_the_last_loop_unknown_and_ambiguous_ones_count_for_nothing() -> None:
    sent = [(0.0, b"one-frame-aa"), (6.0, b"one-frame-aa"), (6.1, b"two-frame-bb"), (6.2, b"six-frame-bb")]
    assert delays(sent, [(5.9, b"one-frame-aa")]) == ([], 1), "it would have taken over 5.5 s"
    assert delays(sent, [(6.3, b"frame-bb")]) == ([], 1), "two frames end so"
    found, unknown = delays(sent, [(6.05, b"one-frame-aa")])
    assert found == pytest.approx([0.05])
    assert unknown == 0
    found, unknown = delays(sent, [(6.3, b"wo-frame-bb"), (6.3, b"bb"), (6.05, b"two-frame-bb")])
    assert found == pytest.approx([0.2])
    assert unknown == 2


def test_latency_is_of_all_timed_tiles_each_by_its_lane() -> None:
    written = {0: [(1.0, b"lane-zero-00")], 1: [(1.0, b"lane-one-111")]}
    arrived = [
        (3, Arrivals(((0, 1.002, b"lane-zero-00"), (1, 1.004, b"lane-one-111"), (9, 1.0, b"lane-one-111")), 4, 3)),
    ]
    fields = latency_fields(arrived, {(3, 0): 0, (3, 1): 1}, written)
    assert (fields["latency_frames"], fields["latency_unknown"], fields["decrypts"]) == (2, 1, False)
    assert fields["latency_p50_ms"] == pytest.approx(2)
    assert fields["latency_max_ms"] == pytest.approx(4)
    assert latency_fields([], {}, {})["latency_p95_ms"] is None
    assert Arrivals.read(arrived[0][1].head()) == arrived[0][1]


def test_the_hubs_answer_says_which_ssrc_is_which_track() -> None:
    offer = read_offer(write_offer(Local("ab12", "secret-of-the-client", "sha-256 AA:BB", "127.0.0.1", 5004), 3))
    transport = Transport("u", "p", "sha-256 CC:DD", ("127.0.0.1",), 8189)
    numbers = {at: Ssrcs(10 + at, 20 + at) for at in range(len(offer.sections))}
    assert answered_ssrcs(write_answer(offer, transport, numbers, 1)) == [10, 11, 12]
    assert answered_ssrcs("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\na=sendonly\r\n") == [0]


# Summaries


def line(server: str, cpu: float, **more: Any) -> dict[str, Any]:
    return {
        "server": server, "cpu_percent": cpu, "cpu_ms_per_mbit": cpu / 10, "pss_mb": 100.0, "latency_p95_ms": 2.0,
        "stolen_percent": 1.0, **more,
    }  # fmt: skip


def test_a_hub_is_compared_with_the_better_peer_figure_by_figure() -> None:
    lines = [
        line("hub", 8.0), line("hub", 12.0), line("hub", 9.0, pss_mb=300.0),
        line("go2rtc", 10.0, latency_p95_ms=1.0), line("mediamtx", 20.0, pss_mb=50.0, stolen_percent=4.0),
        {"server": "janus", "missing": "janus is not in PATH"},
        line("janus-like", 1.0),
        line("hub@before", 18.0),
    ]  # fmt: skip
    found = summary(lines)
    assert found["medians"]["hub"]["measured"] == 3
    assert found["ratios"]["hub"]["cpu"] == pytest.approx(0.9)
    assert found["ratios"]["hub"]["memory"] == pytest.approx(2.0)
    assert found["ratios"]["hub"]["latency_p95"] == pytest.approx(2.0)
    assert found["ratios"]["hub"]["memory_alone"] is None
    assert set(found["ratios"]) == {"hub", "hub@before"}, "a peer is not compared with itself"
    assert found["ratios_to_hubs"]["hub to hub@before"]["cpu"] == pytest.approx(0.5)
    assert found["stolen_percent"]["max"] == 4.0
    assert found["not_measured"] == {"janus": "janus is not in PATH"}


def test_without_peers_there_is_no_ratio_and_no_failure() -> None:
    found = summary([line("hub", 1.0), {"server": "go2rtc", "failed": "exited"}])
    assert set(found["ratios"]["hub"].values()) == {None}
    assert summary([{"server": "hub", "failed": "no"}])["stolen_percent"] is None
    assert ratios({"cpu_ms_per_mbit": 1.0}, {"one": {"cpu_ms_per_mbit": 0.0}})["cpu"] is None


def test_a_slope_is_that_of_the_line() -> None:
    assert slope([(0, 1.0), (1, 3.0), (2, 5.0)]) == pytest.approx(2)
    assert slope([(0, 5.0), (1, 5.0)]) == 0
    assert slope([(1, 1.0)]) is None
    assert slope([]) is None


def test_a_soak_tells_slopes_per_hour_and_extremes() -> None:
    def sample(minute: float, pss: float) -> dict[str, Any]:
        rest = {"rss_mb": 1.0, "alone_mb": 1.0, "descriptors": 30, "latency_p50_ms": 1.0, "latency_p95_ms": None}
        return {
            "minute": minute, "pss_mb": pss, "lost": 1, "delivered_share": 0.5 + minute / 10, "stolen_percent": 2.0,
            "cpu_percent": 9.0, **rest,
        }  # fmt: skip

    found = soak_summary([sample(1, 100), sample(2, 101), sample(3, 102), sample(4, 103)])
    assert found["per_hour"]["pss_mb"] == pytest.approx(60)
    assert found["per_hour"]["latency_p95_ms"] is None
    assert found["range"]["pss_mb"] == {"first": 100, "last": 103, "min": 100, "max": 103}
    assert (found["lost"], found["delivered_share_min"], found["samples"]) == (4, pytest.approx(0.6), 4)
    assert soak_summary([])["range"]["pss_mb"] == {}


# Overload


def test_further_walls_have_cameras_of_their_own() -> None:
    plan = OverloadPlan(Load(20, 30, Picture(1, 1, 1)), 40, Spans(1, 1), HERE)
    assert walls(plan) == [range(20, 36), range(36, 52), range(52, 60)]


def test_all_is_well_when_nothing_is_lost_late_slow_or_dark() -> None:
    before = {"latency_p95_ms": 4.0, "fps_min": 24.9}
    good = {"latency_p95_ms": 13.0, "lost": 0, "fps": 25.0, "fps_min": 24.0}
    states = {"live": 2, "live: link_sub": 1}
    assert is_calm(good, before, states, 3)
    assert not is_calm(good, before, states, 4)
    assert not is_calm(good | {"lost": 1}, before, states, 3)
    assert not is_calm(good | {"fps_min": 20.0}, before, states, 3)
    assert not is_calm(good | {"latency_p95_ms": 15.0}, before, states, 3)
    assert not is_calm(good | {"latency_p95_ms": None}, before, states, 3)
    assert is_calm(good | {"latency_p95_ms": 190.0}, before | {"latency_p95_ms": 100.0}, states, 3)
