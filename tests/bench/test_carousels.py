"""Verdicts of `bench carousels`, and what a heap snapshot says."""

import json
from typing import Any

from camera_hub.bench.carousels import sample, scenes_verdict, turning_verdict
from camera_hub.bench.page_heap import parsed


def figures(**changed: Any) -> dict[str, Any]:
    steady = {
        "page_heap_mb": 6.0,
        "page_objects_mb": 4.2,
        "page_pss_mb": 300.0,
        "page_nodes": 1500,
        "page_listeners": 333,
        "page_cpu_percent": 40.0,
        "hub_pss_mb": 150.0,
        "hub_descriptors": 120,
        "hub_cpu_percent": 20.0,
        "feeds": 16,
        "peers": 1,
        "videos": 16,
        "shows": 4,
    }
    return {**steady, **changed}


def test_compiled_code_is_told_from_what_the_page_keeps() -> None:
    fields = ["type", "name", "id", "self_size"]
    kinds = ["object", "code", "native"]
    strings = ["Tile", "(code)", "HTMLDivElement", "system / Map"]
    nodes = [0, 0, 1, 40, 0, 0, 2, 40, 1, 1, 3, 500, 2, 2, 4, 900, 2, 3, 5, 8]
    meta = {"node_fields": fields, "node_types": [kinds]}
    heap = parsed(json.dumps({"snapshot": {"meta": meta}, "nodes": nodes, "strings": strings}))
    assert (heap.objects, heap.code, dict(heap.counts)) == (88, 500, {"Tile": 2})


def test_a_page_that_forgets_nothing_of_its_scenes_is_named() -> None:
    kept = [{"changed": n * 100, **figures(page_objects_mb=4 + n * 0.05)} for n in range(1, 11)]  # 500 bytes each
    assert scenes_verdict(kept)["grows"] == ["page_objects_mb"]
    steady = [{"changed": n * 100, **figures(page_heap_mb=6 + n * 0.1)} for n in range(1, 11)]
    assert scenes_verdict(steady)["grows"] == [], "code that was compiled is no leak"
    # What fills up within the first 200 changes is a cache.
    filled = [{"changed": n * 100, **figures(page_nodes=1500 + min(n, 2) * 300)} for n in range(1, 11)]
    assert scenes_verdict(filled)["grows"] == []


def test_another_player_is_no_constant_wall() -> None:
    assert not scenes_verdict([{"changed": 100, **figures()}, {"changed": 200, **figures(videos=17)}])["constant"]


def test_what_grows_with_the_hours_is_named() -> None:
    hour = [{"minute": float(n), **figures(hub_pss_mb=150 + n * 0.5)} for n in range(60)]
    told = turning_verdict(hour)
    assert (told["grows"], told["constant"]) == (["hub_pss_mb"], True)
    assert told["per_hour"]["hub_pss_mb"] == 30.0


def test_shares_of_a_core_are_between_two_readings() -> None:
    before = {**figures(), "at": 10.0, "page_cpu": 5.0, "hub_cpu": 1.0, "shows": 20}
    after = {**figures(), "at": 20.0, "page_cpu": 9.0, "hub_cpu": 3.0, "shows": 60}
    found = sample(before, after)
    assert (found["page_cpu_percent"], found["hub_cpu_percent"], found["shows"]) == (40.0, 20.0, 40)
