"""Sets an empty hub up as its users would: villages, accounts, search, registration, approval, a scene and tours."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from camera_hub.clock import SystemClock
from camera_hub.demo.accounts import DemoAccount
from camera_hub.demo.api import Api
from camera_hub.demo.farm import Farm, FarmDevice, FarmVillage
from camera_hub.demo.geography import DrawnCamera, drawn
from camera_hub.errors import HubError, Reason

Say = Callable[[str], None]

RANGES_AT_ONCE = 64
REGISTRATIONS_AT_ONCE = 8
_POLL_SECONDS = 0.25
_CONTRACT = timedelta(days=30)
_CLASSES = (
    ("key_road", ("大桥", "路口", "街", "公交站")),
    ("entrance", ("村口", "小区门口")),
    ("school", ("小学", "学校")),
    ("key_unit", ("村委会", "变电站", "粮站", "卫生室")),
    ("high_incidence", ("集市", "停车场")),
    ("water", ("水库",)),
    ("square", ("广场",)),
)


def place_class(name: str) -> str:
    """The place class that a camera's name suggests."""
    return next((kind for kind, words in _CLASSES if any(word in name for word in words)), "other")


async def found_township(api: Api, farm: Farm, token: str, accounts: Sequence[DemoAccount]) -> dict[str, int]:
    """Create the first admin, the villages with their ranges, one account per role. Returns village ids by name."""
    admin = accounts[0]
    await api(
        "POST",
        "/api/setup",
        {
            "token": token,
            "username": admin.username,
            "display_name": admin.display_name,
            "password": admin.password,
        },
    )
    names = [village.name for village in farm.villages]
    answer = await api("POST", "/api/villages", {"names": names})
    ids = {row["name"]: int(row["id"]) for row in answer}
    for village in farm.villages:
        await api("PATCH", f"/api/villages/{ids[village.name]}", {"ranges": [address_range(village)]})
    for account in accounts[1:]:
        body: dict[str, object] = {
            "username": account.username,
            "display_name": account.display_name,
            "role": account.role,
            "password": account.password,
        }
        if account.role == "village_admin":
            body["villages"] = [{"village_id": ids[names[0]]}]
        elif account.role == "contractor":
            until = SystemClock().now() + _CONTRACT
            body["villages"] = [{"village_id": ids[names[0]], "until": until.isoformat()}]
        await api("POST", "/api/users", body)
    return ids


async def search(api: Api, farm: Farm, ids: dict[str, int], say: Say) -> dict[str, dict[str, Any]]:
    """Search all villages' ranges by unicast probes, one search at a time. Returns what answered, by host,
    also where ONVIF is off: such a device comes in over its maker's interface."""
    found: dict[str, dict[str, Any]] = {}
    for first in range(0, len(farm.villages), RANGES_AT_ONCE):
        villages = farm.villages[first : first + RANGES_AT_ONCE]
        body = {
            "village_id": ids[villages[0].name],
            "multicast": False,
            "ranges": [address_range(village) for village in villages],
            "ports": sorted({device.port for village in villages for device in village.devices}),
        }
        sweep = await api("POST", "/api/discovery/sweeps", body)
        while sweep["state"] == "running":
            await SystemClock().sleep(_POLL_SECONDS)
            sweep = await api("GET", f"/api/discovery/sweeps/{sweep['id']}")
        found.update({row["host"]: row for row in sweep["found"] if row["reason"] in (None, Reason.ONVIF_OFF)})
        for row in sweep["found"]:
            if row["reason"] == Reason.ONVIF_OFF:
                say(f"  {row['host']}: ONVIF is off, so its cameras come in over its maker's interface")
            elif row["reason"] is not None:
                say(f"  {row['host']}: {row['reason']}")
        say(f"searched {first + len(villages)} of {len(farm.villages)} villages: {len(found)} devices answer")
    return found


async def register(
    api: Api, farm: Farm, ids: dict[str, int], found: dict[str, dict[str, Any]], say: Say
) -> tuple[list[dict[str, Any]], list[str]]:
    """Register every device that answered, with its login. Returns the cameras, and a line per refused device."""
    slots = asyncio.Semaphore(REGISTRATIONS_AT_ONCE)
    cameras: list[dict[str, Any]] = []
    refused: list[str] = []
    total = sum(len(village.devices) for village in farm.villages)
    done = 0

    async def one(village: FarmVillage, device: FarmDevice) -> None:
        nonlocal done
        answered = found.get(device.host)
        try:
            if answered is None:
                refused.append(f"{device.name} ({device.host}): did not answer the search")
                return
            body = {
                "village_id": ids[village.name],
                "host": device.host,
                "port": answered["port"],
                "username": device.username,
                "password": device.password,
                "endpoint": answered["endpoint"],
            }
            async with slots:
                cameras.extend((await api("POST", "/api/devices", body))["cameras"])
        except HubError as error:
            refused.append(f"{device.name} ({device.host}): {error.detail}")
        finally:
            done += 1
            if done % 5 == 0 or done == total:
                say(f"registered {done}/{total} devices, {len(cameras)} cameras")

    await _all(one(village, device) for village in farm.villages for device in village.devices)
    return cameras, refused


async def put_in_service(api: Api, cameras: Sequence[dict[str, Any]]) -> None:
    """Approve all cameras, each with the place class that its name suggests."""
    by_class: dict[str, list[int]] = {}
    for camera in cameras:
        by_class.setdefault(place_class(camera["name"]), []).append(camera["id"])
    for kind, camera_ids in sorted(by_class.items()):
        await api("POST", "/api/cameras/approve", {"ids": camera_ids, "place_class": kind})


async def draw_map(api: Api, ids: dict[str, int]) -> None:
    """Put villages and cameras on the map, with key places between them."""
    cameras = await api("GET", "/api/cameras", state="approved")
    whole = drawn(
        [(village_id, name) for name, village_id in ids.items()],
        [DrawnCamera(one["id"], one["village_id"], one["place_class"]) for one in cameras],
    )
    for village_id, body in whole.villages.items():
        await api("PATCH", f"/api/villages/{village_id}", body)
    for camera_id, body in whole.cameras.items():
        await api("PUT", f"/api/map/cameras/{camera_id}", body)
    for body in whole.places:
        await api("POST", "/api/map/places", body)


async def plan_patrols(api: Api) -> None:
    """Create a scene, and tours from templates: what the township's places give, with what to look at."""
    cameras = {camera["id"]: camera for camera in await api("GET", "/api/cameras", state="approved")}
    entrances = [one for one, camera in cameras.items() if camera["place_class"] == "entrance"] or list(cameras)
    scene = await api("POST", "/api/scenes", {"name": "各村村口", "layout": "4", "cameras": entrances[:4]})
    templates = {template["kind"]: template for template in await api("GET", "/api/tour-templates")}
    for kind, name, most in _TOURS:
        template = templates[kind]
        source = {one: template[one] for one in ("place_classes", "per_stop", "dwell_s")}
        found = (await api("POST", "/api/tours/from-places", source))["stops"]
        # A demo is watched: of a large township it shows the first stops, and leaves out what is not in them.
        stops = [await _with_note(api, stop, cameras) for stop in found[:most]]
        left_out = [camera for stop in found[most:] for camera in _shown(stop)]
        if kind == "key_roads":
            stops.insert(len(stops) // 2, {"scene_id": scene["id"], "dwell_s": 20, "note": "看村口有无车辆堵塞"})
        if stops:
            settings = {one: template[one] for one in ("confirm", "least_s", "interrupt")}
            body = {"name": name, "kind": kind, "stops": stops, "source": {**source, "left_out": left_out}, **settings}
            await api("POST", "/api/tours", body)


_TOURS = (("key_roads", "重点路段巡查", 8), ("schools", "上下学护校巡查", 16), ("key_units", "重点单位巡查", 12))
"""Template, name and most stops of each of the demo's tours."""
_NOTES = (
    ("大桥", "看护栏、桥面积水和结冰"),
    ("路口", "看信号灯、积水和堵车"),
    ("学校", "看校门口占道停车"),
    ("小学", "看校门口占道停车"),
    ("卫生室", "看门前通道是否畅通"),
    ("变电站", "看有无烟雾、围栏是否完好"),
    ("粮站", "看有无烟雾、大门是否关好"),
)
"""What to look at, by a word of the camera's name."""


def _shown(stop: dict[str, Any]) -> list[int]:
    return [one for one in (stop["camera_id"], *stop["cameras"]) if one is not None]


async def _with_note(api: Api, stop: dict[str, Any], cameras: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The stop with what to look at; the bridges are key stops, a dome is shown at its first preset."""
    names = [cameras[one]["name"] for one in _shown(stop)]
    note = next((text for word, text in _NOTES if any(word in name for name in names)), "")
    made = {**stop, "note": note, "key": any("大桥" in name for name in names) and len(names) == 1}
    chosen = []
    for camera in dict.fromkeys(one for one in _shown(stop) if cameras[one]["ptz"]):
        with suppress(HubError):
            kept = (await api("GET", f"/api/cameras/{camera}/ptz"))["presets"]
            chosen += [{"camera_id": camera, "token": one["token"], "name": one["name"]} for one in kept[:1]]
    return {**made, "presets": chosen}


def address_range(village: FarmVillage) -> str:
    """The address range of a village's devices, as first-last."""
    hosts = sorted((device.host for device in village.devices), key=lambda host: tuple(map(int, host.split("."))))
    return f"{hosts[0]}-{hosts[-1]}"


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all; the first failure cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for one in work:
                tasks.create_task(one)
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
