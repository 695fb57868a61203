"""What a relay carries per second."""

from dataclasses import dataclass, field

from camera_hub.relay.process.traffic import FeedRate, Traffic, TrafficMeter


@dataclass
class Counted:
    frames: int = 0
    bytes: int = 0


@dataclass
class CountedFeed:
    figures: Counted = field(default_factory=Counted)
    subscribers: set[int] = field(default_factory=set)


def test_each_subscriber_of_a_feed_is_sent_what_comes_in() -> None:
    watched, idle = CountedFeed(subscribers={1, 2, 3}), CountedFeed()
    meter = TrafficMeter({"s1": watched, "s2": idle})
    assert meter.measure(10.0) == Traffic()
    watched.figures, idle.figures = Counted(50, 250_000), Counted(30, 50_000)
    assert meter.measure(10.1) == Traffic(), "too soon to say"
    assert meter.measure(12.0) == Traffic(40.0, 1_200_000.0, 75.0, 3_000_000.0)
    assert meter.rate("s1") == FeedRate(25.0, 1_000_000.0)
    assert meter.rate("unknown") == FeedRate()


def test_a_feed_that_was_opened_anew_or_closed_is_no_negative_traffic() -> None:
    feeds = {"s1": CountedFeed(Counted(100, 1000))}
    meter = TrafficMeter(feeds)
    meter.measure(0.0)
    feeds["s1"].figures = Counted(5, 50)
    assert meter.measure(1.0) == Traffic()
    del feeds["s1"]
    assert meter.measure(2.0) == Traffic()
    assert meter.rate("s1") == FeedRate()
