"""`bench view` in turns with other servers: what they are told, what is read from them, how they are compared."""

import sys
from itertools import pairwise
from typing import Any

import pytest
from typer.testing import CliRunner

from camera_hub.bench.cli import app
from camera_hub.bench.plan import COMPARED_FIGURES
from camera_hub.bench.view_compare import BARS, GOP_SECONDS, NAMES, ratios, rotated, settle
from camera_hub.bench.view_measure import SETTLE_SECONDS
from camera_hub.bench.view_peers import go2rtc_config, go2rtc_playing, mediamtx_config, mediamtx_playing
from camera_hub.errors import HubError

CAMERAS = {"gate-1": "rtsp://u:p@127.20.0.1:8554/1", "gate-2": "rtsp://u:p@127.20.0.2:8554/1"}


def test_go2rtc_pulls_every_camera_without_a_viewer_and_listens_on_loopback_only() -> None:
    config = go2rtc_config(CAMERAS, 1984, 8555)
    assert config["streams"] == CAMERAS
    assert config["preload"].keys() == CAMERAS.keys()
    assert (config["api"]["listen"], config["webrtc"]["listen"]) == ("127.0.0.1:1984", "127.0.0.1:8555")
    assert config["webrtc"]["candidates"] == ["127.0.0.1:8555"]
    assert (config["rtsp"]["listen"], config["webrtc"]["ice_servers"]) == ("", [])


def test_mediamtx_pulls_every_camera_over_tcp_from_the_start() -> None:
    config = mediamtx_config(CAMERAS, 8889, 8189, 9997)
    assert {name: path["source"] for name, path in config["paths"].items()} == CAMERAS
    assert all(path["rtspTransport"] == "tcp" and "sourceOnDemand" not in path for path in config["paths"].values())
    assert (config["webrtcAddress"], config["apiAddress"]) == ("127.0.0.1:8889", "127.0.0.1:9997")
    assert (config["webrtcIPsFromInterfaces"], config["webrtcAdditionalHosts"]) == (False, ["127.0.0.1"])
    assert not any(config[name] for name in ("rtsp", "rtmp", "hls", "srt", "moq", "playback"))


def test_only_cameras_that_have_sent_something_count_as_playing() -> None:
    streams: dict[str, Any] = {
        "a": {"producers": [{"url": "rtsp://a", "bytes_recv": 900}], "consumers": []},
        "b": {"producers": [{"url": "rtsp://b"}], "consumers": []},
        "c": {"producers": None},
    }
    assert go2rtc_playing(streams) == 1
    paths = {
        "items": [
            {"online": True, "inboundBytes": 900},
            {"online": True, "inboundBytes": 0},
            {"online": False, "inboundBytes": 900},
        ]
    }
    assert mediamtx_playing(paths) == 1


def test_the_hub_is_divided_by_the_better_peer_of_each_quantile() -> None:
    quantiles = {
        "hub": {"p50": 100.0, "p95": 200.0},
        "hub/whep": {"p50": 10.0, "p95": 20.0},
        "go2rtc": {"p50": 1000.0, "p95": 4000.0},
        "mediamtx": {"p50": 2000.0, "p95": 2500.0},
        "hub@before": {"p50": 400.0, "p95": 100.0},
        "hub@before/whep": {"p50": 1.0, "p95": 1.0},
    }
    warm = ratios("warm", quantiles)
    assert [(line["to"], line["of"], line["ratio"]) for line in warm] == [
        ("go2rtc", "p50", 0.1),
        ("mediamtx", "p95", 0.08),
        ("hub@before", "p50", 0.25),
        ("hub@before", "p95", 2.0),
    ]
    assert [line.get("bar") for line in warm] == [0.15, None, None, None]
    assert warm[0]["met"] is True
    slower = ratios("navigation", quantiles | {"hub": {"p50": 1.0, "p95": 2001.0}})
    assert [(line["bar"], line["met"]) for line in slower if "bar" in line] == [(0.8, False)]


def test_without_peers_there_is_no_bar() -> None:
    alone = ratios("switch", {"hub": {"p50": 1.0, "p95": 2.0}, "hub@x": {"p50": 2.0, "p95": 2.0}})
    assert [line["ratio"] for line in alone] == [0.5, 1.0]
    assert not any("bar" in line for line in alone)


def test_every_figure_has_a_name_and_a_bar() -> None:
    assert NAMES.keys() == BARS.keys() == set(COMPARED_FIGURES)


def test_turns_begin_with_different_cameras() -> None:
    assert [rotated([1, 2, 3], places) for places in (0, 1, 5)] == [[1, 2, 3], [2, 3, 1], [3, 1, 2]]


def test_clicks_come_at_all_moments_of_a_group_of_pictures() -> None:
    moments = sorted(settle(number) - SETTLE_SECONDS for number in range(20))
    assert moments[0] >= 0
    assert moments[-1] < GOP_SECONDS
    assert max(later - earlier for earlier, later in pairwise([0.0, *moments, GOP_SECONDS])) < 0.1 * GOP_SECONDS


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--peer", "janus"], "no peer 'janus'"),
        (["--peer", "go2rtc", "--only", "cold"], "no figure 'cold'"),
        (["--only", "navigation"], "no figure 'navigation'"),
        (["--hub-python", "/nowhere/python"], "no program"),
        (["--hub-python", f"a b={sys.executable}"], "NAME=PATH"),
    ],
)
def test_what_cannot_be_compared_is_refused(words: list[str], complaint: str) -> None:
    result = CliRunner().invoke(app, ["view", *words])
    assert isinstance(result.exception, HubError)
    assert complaint in result.exception.detail
