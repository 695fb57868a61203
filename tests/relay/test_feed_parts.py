"""Decisions of a feed: which key frames the hub gets, which failures are final, which parameter sets are sent."""

import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest import nal
from camera_hub.relay.ingest.codecs import H264, H265, Codec
from camera_hub.relay.ingest.feed_state import FINAL, failed, with_lateness
from camera_hub.relay.ingest.key_frame_throttle import KeyFrameThrottle
from camera_hub.relay.ingest.parameter_sets import MAX_PARAMETER_SETS, ParameterSets
from camera_hub.relay.messages import FeedPhase, FeedState
from tests.relay.clip import clip


def test_key_frames_are_tapped_at_most_one_per_interval() -> None:
    tap = KeyFrameThrottle()
    assert not tap.passes(0.0)
    tap.set(5.0)
    assert [now for now in range(12) if tap.passes(float(now))] == [0, 5, 10]
    tap.set(None)
    assert not tap.passes(100.0)


def test_the_next_key_frame_is_tapped_besides_the_interval_and_once() -> None:
    tap = KeyFrameThrottle()
    tap.set(0)
    assert [tap.passes(1.0), tap.passes(2.0)] == [True, False]
    tap.set(10.0)
    assert tap.passes(20.0)
    tap.set(0)
    assert [tap.passes(21.0), tap.passes(22.0), tap.passes(31.0)] == [True, False, True]


@pytest.mark.parametrize("reason", [*sorted(FINAL), Reason.STALLED, Reason.DEVICE_FULL])
def test_a_failure_is_final_where_no_retry_cures_it(reason: Reason) -> None:
    state = failed("s1", HubError(Kind.UNAVAILABLE, "why", reason=reason, retry_in=9.0), "h264")
    assert (state.phase, state.reason, state.detail) == (FeedPhase.FAILED, reason, "why")
    assert (state.final, state.retry_in, state.codec) == (reason in FINAL, 9.0, "h264")


def test_an_unexpected_failure_reveals_nothing_of_itself() -> None:
    state = failed("s1", ValueError("rtsp://admin:secret@10.0.0.1"), None)
    assert (state.reason, state.final) == (Reason.BAD_REPLY, False)
    assert "secret" not in state.detail


def test_lateness_comes_with_its_remedy_and_goes_without_a_trace() -> None:
    live = FeedState("s1", FeedPhase.LIVE)
    late = with_lateness(live, True, 4.4)
    assert late.reason == Reason.LATE
    assert "4 s late" in late.detail
    assert "bit rate" in late.detail
    assert with_lateness(late, False, 0.1) == live


@pytest.mark.parametrize("codec", [H264, H265])
def test_parameter_sets_of_the_sdp_come_first_where_the_key_frame_brings_none(codec: Codec) -> None:
    parameters = clip(codec=codec.name, seconds=1).parameters()
    key = next(unit for unit in clip(codec=codec.name, seconds=1).frames[0] if codec.role(unit).name == "KEY_SLICE")
    sets = ParameterSets(codec, tuple(reversed(parameters)))
    assert sets.complete
    assert sets.sps is not None
    assert sets.sps.width == 320
    assert sets.prepend((key,)) == (*parameters, key)


def test_parameter_sets_of_the_key_frame_replace_those_of_the_sdp() -> None:
    old, new = clip().parameters(), clip(width=640, height=480).parameters()
    sets = ParameterSets(H264, old)
    assert sets.prepend((*new, b"\x65key")) == (*new, b"\x65key")
    assert sets.units == new
    assert sets.sps == nal.parse_h264_sps(new[0])
    assert sets.sps.width == 640
    assert sets.prepend((b"\x65key",)) == (*new, b"\x65key")


def test_without_a_pps_they_are_incomplete_and_a_flood_of_them_is_bounded() -> None:
    sps, _ = clip().parameters()
    sets = ParameterSets(H264, (sps,))
    assert not sets.complete
    sets.prepend((*(b"\x68" + bytes([number]) for number in range(200)), b"\x65key"))
    assert sets.complete
    assert len(sets.units) <= MAX_PARAMETER_SETS + 1
