"""Stops built from places, and the templates of tours."""

from typing import get_args

import pytest

from camera_hub.api.schemas.base import PlaceClass
from camera_hub.cameras.map.order import natural
from camera_hub.patrol.tours.from_places import SourceCamera, stops_of
from camera_hub.patrol.tours.templates import TEMPLATES


def camera(number: int, village: str = "东沟村", name: str = "", at: tuple[float, float] | None = None) -> SourceCamera:
    longitude, latitude = at if at is not None else (None, None)
    return SourceCamera(number, name or f"路口{number}", village, longitude, latitude)


def shown(cameras: list[SourceCamera], per_stop: int = 1, most: int = 200) -> list[list[int | None]]:
    found = stops_of(cameras, per_stop, 15, most)
    return [[stop.camera_id] if stop.camera_id is not None else list(stop.cameras) for stop in found.stops]


def test_cameras_without_a_place_on_the_map_come_by_name_and_2_before_10() -> None:
    assert shown([camera(10), camera(2), camera(1)]) == [[1], [2], [10]]
    assert natural("路口2") < natural("路口10") < natural("路口10a")


def test_a_road_is_followed_from_its_western_end_and_the_rest_comes_after() -> None:
    road = [camera(4, at=(117.03, 31.0)), camera(9), camera(3, at=(117.02, 31.001)), camera(1, at=(117.0, 31.0))]
    assert shown([*road, camera(2, at=(117.01, 31.0))]) == [[1], [2], [3], [4], [9]]


@pytest.mark.parametrize(
    ("count", "per_stop", "layouts"),
    [
        (5, 4, ["4", None]),
        (6, 4, ["4", "4"]),
        (11, 9, ["9", "4"]),
        (16, 16, ["16"]),
        (17, 16, ["16", None]),
        (0, 4, []),
    ],
)
def test_several_pictures_share_a_stop_in_the_smallest_layout(
    count: int, per_stop: int, layouts: list[str | None]
) -> None:
    found = stops_of([camera(number) for number in range(1, count + 1)], per_stop, 20, 200)
    assert [stop.layout for stop in found.stops] == layouts
    assert (found.cameras, found.left) == (count, 0)
    assert {stop.dwell_s for stop in found.stops} <= {20}


def test_a_stop_is_filled_up_from_the_next_village_and_called_after_all_of_them() -> None:
    villages = {"东沟村": 9, "西岭村": 2, "南庄": 1, "北庄": 1}
    cameras, number = list[SourceCamera](), 0
    for village, count in villages.items():
        for _ in range(count):
            number += 1
            cameras.append(camera(number, village))
    found = stops_of(cameras, 4, 15, 200)
    assert [stop.title for stop in found.stops] == ["东沟村 1", "东沟村 2", "东沟村–南庄", ""]
    assert found.stops[2].cameras == (9, 10, 11, 12)
    assert found.stops[3].camera_id == 13
    assert [stop.title for stop in stops_of(cameras[6:11], 9, 15, 200).stops] == ["东沟村、西岭村"]


def test_what_finds_no_room_is_counted() -> None:
    found = stops_of([camera(number) for number in range(1, 11)], 4, 15, 2)
    assert (len(found.stops), found.cameras, found.left, found.max_stops) == (2, 8, 2, 2)


def test_templates_name_places_that_there_are_and_times_that_there_are() -> None:
    classes = set(get_args(PlaceClass))
    assert len({one.kind for one in TEMPLATES}) == len(TEMPLATES)
    for one in TEMPLATES:
        assert set(one.place_classes) <= classes
        assert one.place_classes
        assert one.plan.times or one.plan.every_minutes
        for time in one.plan.times:
            hour, minute = map(int, time.split(":"))
            assert (0 <= hour < 24, 0 <= minute < 60) == (True, True)
        for season in one.plan.seasons:
            assert all(1 <= int(day[:2]) <= 12 and 1 <= int(day[3:]) <= 31 for day in (season.first, season.last))
