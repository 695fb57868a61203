"""The repair list's order."""

from dataclasses import dataclass

from camera_hub.cameras.map.order import in_order
from camera_hub.errors import Reason
from camera_hub.health.trip import FROM_HERE, TAKE_ALONG


@dataclass(frozen=True)
class Spot:
    name: str
    longitude: float | None = None
    latitude: float | None = None


def test_each_next_place_is_the_nearest_and_those_on_no_map_follow() -> None:
    west, near, far = Spot("西", 117.0, 31.0), Spot("近", 117.01, 31.0), Spot("远", 117.3, 31.2)
    beside = Spot("远旁", 117.3, 31.21)
    assert in_order([Spot("乙"), far, Spot("甲", 117.5), near, beside, west]) == [
        *(west, near, far, beside),
        *sorted([Spot("乙"), Spot("甲", 117.5)], key=lambda one: one.name),
    ]
    assert in_order([Spot("b"), Spot("a")]) == [Spot("a"), Spot("b")]
    assert in_order([]) == []


def test_what_is_done_at_the_desk_needs_nothing_taken_along() -> None:
    assert not FROM_HERE & TAKE_ALONG.keys()
    assert TAKE_ALONG.keys() <= set(Reason)
