"""The whole of `bench relay`, small: real processes, real WebRTC, and never a word about speed."""

import io
import json
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest

from camera_hub.bench import relay
from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import Cipher, Picture, RelayPlan, Spans
from camera_hub.clock import SystemClock
from tests.bench.undisturbed import undisturbed


async def lines(peers: tuple[str, ...], cipher: Cipher) -> list[dict[str, Any]]:
    """What a comparison with two viewers writes; the hub's line is the last."""
    plan = RelayPlan(
        viewers=(2,),
        alone=(),
        bit_rates=(300_000,),
        ciphers=(cipher,),
        peers=peers,
        size=(320, 240),
        spans=Spans(warm_up=1.2, seconds=1.0),
        gop_seconds=1,
    )

    async def measure() -> list[dict[str, Any]]:
        out = io.StringIO()
        assert await relay.run(plan, SystemClock(), Lines(out)), out.getvalue()
        return [json.loads(line) for line in out.getvalue().splitlines()]

    return await undisturbed(measure)


def judge(line: dict[str, Any], cipher: Cipher) -> None:
    assert (line["bench"], line["viewers"], line["bit_rate"], line["cipher"]) == ("relay", 2, 300_000, cipher)
    assert line["client_drops"] == line["tracks_silent"] == 0
    if line["peer"] == "janus":
        assert 0 <= line["loss"] < 0.05  # it takes the source over UDP, and what it drops there is not ours to promise
    else:
        assert line["loss"] == 0
    assert line["repeated"] == 0
    assert line["packets"] > 0
    assert line["decrypts"] is True
    assert line["checked_packets"] > 0
    assert line["picture"] == "320x240"
    assert 0 < line["payload_bytes_max"] <= 1200
    assert {"cpu_ms_per_mbit", "cpu_us_per_packet", "cpu_percent", "delivered_mbit", "rss_mb", "gso"} <= line.keys()


@pytest.mark.slow
async def test_every_server_is_watched_alike() -> None:
    *theirs, ours = await lines(("aiortc", "janus", "go2rtc"), "sha1_80")
    assert sorted(line["peer"] for line in theirs) == ["aiortc", "go2rtc", "janus"]
    for line in theirs:
        if "missing" in line:
            assert shutil.which(line["peer"]) is None
        else:
            judge(line, "sha1_80")
    judge(ours, "sha1_80")
    assert ours["peer"] == "hub"
    assert ours["decodes"] is True
    assert {"ratio_to_aiortc", "ratio_to_janus", "ratio_to_go2rtc"} <= ours.keys()


@pytest.mark.slow
async def test_a_missing_peer_is_said_and_stops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    janus, go2rtc, ours = await lines(("janus", "go2rtc"), "gcm")
    assert (janus["peer"], janus["missing"]) == ("janus", "janus is not in PATH")
    assert (go2rtc["peer"], go2rtc["missing"]) == ("go2rtc", "go2rtc is not in PATH")
    assert ours["ratio_to_janus"] is ours["ratio_to_go2rtc"] is None
    judge(ours, "gcm")


async def test_missing_peers_are_named_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Measuring(Exception):
        pass

    def begins(picture: Picture) -> NoReturn:
        raise Measuring

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(relay, "feeding", begins)
    out = io.StringIO()
    plan = RelayPlan((2,), (), (300_000,), ("gcm",), ("aiortc", "go2rtc"), (320, 240), Spans(1.0, 1.0))
    with pytest.raises(Measuring):
        await relay.run(plan, SystemClock(), Lines(out))
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"bench": "relay", "peer": "go2rtc", "missing": "go2rtc is not in PATH"}
    ]
