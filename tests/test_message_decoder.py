"""Heads of messages are decoded strictly: whatever another process sends, the result is well-typed or an error."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Reason
from camera_hub.message_decoder import MAX_ITEMS, Length, MessageError, Range, decode
from camera_hub.relay import messages
from camera_hub.relay.messages import (
    FeedPhase,
    FeedSource,
    FeedSpec,
    FeedState,
    Gb28181Source,
    PlaybackSource,
    RelayConfig,
    RtspAsk,
    RtspLiveSource,
    TrackState,
)
from camera_hub.wire import Message


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Circle:
    radius: float
    kind: Literal["circle"] = "circle"


@dataclass(frozen=True)
class Square:
    side: Annotated[int, Range(1, 9)]
    kind: Literal["square"] = "square"


@dataclass(frozen=True)
class Sample:
    name: Annotated[str, Length(1, 5)]
    count: int = 0
    share: float | None = None
    on: bool = False
    colour: Colour | None = None
    words: tuple[str, ...] = ()
    shape: Circle | Square | None = None
    mixed: int | str = 0


def test_a_whole_head_becomes_values_of_the_declared_types() -> None:
    head = {
        "type": "sample",
        "name": "a",
        "count": 3,
        "share": 1,
        "on": True,
        "colour": "blue",
        "words": ["x", "y"],
        "shape": {"kind": "square", "side": 2, "newer": 1},
        "mixed": "text",
        "newer": {},
    }
    assert decode(Sample, head) == Sample("a", 3, 1, True, Colour.BLUE, ("x", "y"), Square(2), "text")
    assert decode(Sample, {"name": "a", "shape": None, "share": None, "colour": None}) == Sample("a")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "Sample.name is missing"),
        ({"name": ""}, "Sample.name must have 1 to 5 characters"),
        ({"name": "abcdef"}, "Sample.name must have 1 to 5 characters"),
        ({"name": None}, "Sample.name must be a string"),
        ({"name": "a", "count": True}, "Sample.count must be an integer"),
        ({"name": "a", "count": 1.5}, "Sample.count must be an integer"),
        ({"name": "a", "count": 1 << 63}, "Sample.count must be an integer of at most 64 bits"),
        ({"name": "a", "count": "3"}, "Sample.count must be an integer"),
        ({"name": "a", "share": "1"}, "Sample.share must be a number"),
        ({"name": "a", "share": math.nan}, "Sample.share must be a finite number"),
        ({"name": "a", "share": math.inf}, "Sample.share must be a finite number"),
        ({"name": "a", "share": 10**400}, "Sample.share must be a finite number"),
        ({"name": "a", "on": 1}, "Sample.on must be true or false"),
        ({"name": "a", "colour": "green"}, "Sample.colour must be one of red, blue"),
        ({"name": "a", "colour": ["red"]}, "Sample.colour must be one of red, blue"),
        ({"name": "a", "words": "xy"}, "Sample.words must be a list"),
        ({"name": "a", "words": ["x", 1]}, "Sample.words[1] must be a string"),
        ({"name": "a", "words": ["x"] * (MAX_ITEMS + 1)}, "Sample.words must be a list of at most"),
        ({"name": "a", "shape": "round"}, "Sample.shape must be an object"),
        ({"name": "a", "shape": {"side": 1}}, "Sample.shape.kind must be one of circle, square"),
        ({"name": "a", "shape": {"kind": "square", "side": 10}}, "Square.side must lie between 1 and 9"),
        ({"name": "a", "mixed": []}, "Sample.mixed must be a string"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode(Sample, wrong)
    assert says in str(caught.value)


def test_an_error_never_holds_the_value() -> None:
    head = FeedSpec("s1", RtspLiveSource("rtsp://cam/", "127.0.0.1", 554)).head("feed.open")
    head["source"]["password"] = ["secret-word"]
    with pytest.raises(MessageError) as caught:
        FeedSpec.of(head)
    assert "secret-word" not in str(caught.value)
    with pytest.raises(MessageError) as caught:
        RtspAsk.of({"session": "p", "token_hash": 5, "camera": 1, "quality": "main", "address": "127.0.0.1"})
    assert "5" not in str(caught.value)


def test_the_states_of_feeds_and_tracks_come_with_their_enumerations() -> None:
    state = FeedState.of({"type": "feed.state", "feed": "s1", "phase": "live", "key_frame_ms": 40})
    assert state.phase is FeedPhase.LIVE
    with pytest.raises(MessageError, match="phase must be one of"):
        FeedState.of({"feed": "s1", "phase": "dancing"})
    with pytest.raises(MessageError, match="track must lie between"):
        TrackState.of({"viewer": "v", "track": -1, "serial": 0, "phase": "live"})


MESSAGES = [
    kind
    for kind in vars(messages).values()
    if isinstance(kind, type) and issubclass(kind, Message) and kind is not Message
]


VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    5.5,
    1 << 70,
    math.nan,
    math.inf,
    "",
    "live",
    "h264",
    "é" * 300,
    [],
    ["a"],
    [1],
    {},
]
NAMES = sorted({name for kind in MESSAGES for name in kind.__dataclass_fields__})


@given(head=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)))
def test_any_head_of_a_relay_message_is_decoded_or_refused_with_a_message_error(head: dict[str, Any]) -> None:
    for kind in MESSAGES:
        try:
            message = kind.of(head)
        except (MessageError, HubError):
            continue
        assert kind.of(json.loads(json.dumps(message.head("any")))) == message


@pytest.mark.parametrize(
    "source",
    [
        RtspLiveSource("rtsp://cam/", "127.0.0.1", 554, "admin", "secret"),
        PlaybackSource("rtsp://recorder/", "127.0.0.1", 554, 1_795_000_000.5, 2.0),
        Gb28181Source("3" * 20, "4" * 20),
    ],
)
def test_a_feed_of_each_kind_of_source_comes_back_as_it_was_sent(source: FeedSource) -> None:
    spec = FeedSpec("s1", source, "v", "d", 3, True)
    assert FeedSpec.of(json.loads(json.dumps(spec.head("feed.open")))) == spec


def test_an_unknown_kind_of_source_is_unsupported_not_malformed() -> None:
    with pytest.raises(HubError) as caught:
        FeedSpec.of({"feed": "s1", "source": {"kind": "carrier-pigeon"}})
    assert caught.value.reason == Reason.SOURCE_UNSUPPORTED
    for source in (None, "rtsp_live", {}, {"kind": 3}, {"kind": "rtsp_live"}):
        with pytest.raises(MessageError):
            FeedSpec.of({"feed": "s1", "source": source})


def test_a_configuration_comes_back_as_it_was_sent() -> None:
    config = RelayConfig(announced_addresses=("10.0.0.1", "fd00::1"), udp_port=8189)
    assert RelayConfig.of(json.loads(json.dumps(config.head("configure")))) == config
