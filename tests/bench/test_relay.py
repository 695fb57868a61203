"""The whole of `bench relay`, small: real processes, real WebRTC, and never a word about speed."""

import io
import json

from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import RelayPlan, Spans
from camera_hub.bench.relay import run
from camera_hub.clock import SystemClock


async def test_hub_and_aiortc_are_watched_alike() -> None:
    out = io.StringIO()
    plan = RelayPlan(
        viewers=(2,),
        alone=(),
        bit_rates=(300_000,),
        ciphers=("gcm",),
        peers=("aiortc",),
        size=(320, 240),
        spans=Spans(warm_up=2.5, seconds=1.0),
    )
    assert await run(plan, SystemClock(), Lines(out)), out.getvalue()
    theirs, ours = (json.loads(line) for line in out.getvalue().splitlines())
    assert (theirs["peer"], ours["peer"]) == ("aiortc", "hub")
    for line in (theirs, ours):
        assert (line["bench"], line["viewers"], line["bit_rate"], line["cipher"]) == ("relay", 2, 300_000, "gcm")
        assert line["loss"] == line["client_drops"] == line["repeated"] == line["tracks_silent"] == 0
        assert line["packets"] > 0
        assert line["decrypts"] is True
        assert line["checked_packets"] > 0
        assert line["picture"] == "320x240"
        assert 0 < line["payload_bytes_max"] <= 1200
        assert {"cpu_ms_per_mbit", "cpu_us_per_packet", "cpu_percent", "delivered_mbit", "rss_mb", "gso"} <= line.keys()
    assert ours["decodes"] is True
    assert "ratio_to_aiortc" in ours
